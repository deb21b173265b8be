// FindQuery.swift — filter, sort, skip, limit and projection put together.

struct FindQuery {
    private let filter: MatchExpression
    private let sort: SortOrder?
    private let projection: Projection?
    private let skip: Int
    private let limit: Int
    private let hint: IndexHint?

    /// What a sort in memory may hold.
    static let sortByteLimit = 100 << 20

    /// - Throws: what the sort and the projection are refused for, 51024 for a negative skip or limit.
    init(_ filter: MatchExpression, _ options: FindOptions) throws(DocumentError) {
        self.filter = filter
        sort = try options.sort.flatMap { (specification) throws(DocumentError) in try SortOrder(specification) }
        projection = try options.projection.flatMap { (specification) throws(DocumentError) in
            try Projection(specification)
        }
        for (name, value) in [("skip", options.skip), ("limit", options.limit)] where value < 0 {
            throw DocumentError(
                .negativeSkip, "BSON field '\(name)' value must be >= 0, actual value '\(value)'")
        }
        skip = options.skip
        limit = options.limit == 0 ? .max : options.limit
        hint = options.hint
    }

    func run(_ reader: CollectionReader) throws -> [Document] {
        if let sort { return try runSorted(sort, reader) }
        var documents: [Document] = []
        var skipped = 0
        try reader.forEachMatch(of: filter, hint: hint) { _, document in
            guard skipped >= skip else {
                skipped += 1
                return true
            }
            documents.append(projected(document))
            return documents.count < limit
        }
        return documents
    }

    // Ties keep the order in which the documents were found.
    private func runSorted(_ sort: SortOrder, _ reader: CollectionReader) throws -> [Document] {
        var rows: [(key: [UInt8], document: Document)] = []
        var byteCount = 0
        let (wanted, overflow) = skip.addingReportingOverflow(limit)
        let capacity = overflow ? Int.max : wanted
        try reader.forEachMatch(of: filter, hint: hint) { _, document in
            let row = (sort.key(of: document), Document(trusted: document.bytes.array()))
            byteCount += row.0.count + row.1.bytes.count
            rows.append(row)
            if capacity < rows.count / 2, rows.count > 1000 {
                rows = Array(Self.sorted(rows).prefix(capacity))
                byteCount = rows.reduce(0) { $0 + $1.key.count + $1.document.bytes.count }
            }
            guard byteCount <= Self.sortByteLimit else { throw Self.sortTooLarge }
            return true
        }
        return Self.sorted(rows).dropFirst(skip).prefix(limit).map { projected($0.document.view) }
    }

    private static func sorted(
        _ rows: [(key: [UInt8], document: Document)]
    ) -> [(key: [UInt8], document: Document)] {
        rows.enumerated().sorted { left, right in
            if left.element.key == right.element.key { return left.offset < right.offset }
            return left.element.key.lexicographicallyPrecedes(right.element.key)
        }.map(\.element)
    }

    private static var sortTooLarge: DocumentError {
        DocumentError(
            DocumentErrorCode(rawValue: 292),
            "Sort exceeded memory limit of \(sortByteLimit) bytes, but did not opt in to external sorting.")
    }

    private func projected(_ document: BSONView) -> Document {
        projection?.apply(to: document) ?? Document(trusted: document.bytes.array())
    }
}
