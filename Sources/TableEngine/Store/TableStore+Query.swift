// TableStore+Query.swift — queries and scans, a page at a time.

public import StorageCore

extension TableStore {
    /// A page of one partition's items, in the order of their sort keys.
    ///
    /// - Parameter snapshot: the moment to read at; now if it is `nil`.
    /// - Throws: `ValidationException`, `ResourceNotFoundException`.
    public func query(_ request: QueryRequest, at snapshot: Snapshot? = nil) throws -> ItemPage {
        try reader(for: request).page(in: (snapshot ?? storage.snapshot()).view)
    }

    /// As ``query(_:at:)``, on what an open transaction sees.
    public func query(_ request: QueryRequest, in transaction: WriteTransaction) throws -> ItemPage {
        try reader(for: request).page(in: transaction.view)
    }

    /// A page of the table's items, in no meaningful order.
    ///
    /// - Throws: `ValidationException`, `ResourceNotFoundException`.
    public func scan(_ request: ScanRequest, at snapshot: Snapshot? = nil) throws -> ItemPage {
        try reader(for: request).page(in: (snapshot ?? storage.snapshot()).view)
    }

    private func reader(for request: QueryRequest) throws -> PageReader {
        try RequestConstraint.checkLimit(request.limit)
        var expressions = try RequestExpressions(
            self.expressions, names: request.names, values: request.values)
        let filter = try expressions.condition(request.filter, kind: .filter)
        let projection = try expressions.projection(request.projection)
        let keyCondition = try expressions.condition(request.keyCondition, kind: .keyCondition)
        try expressions.finish(possible: .filter, .keyCondition)
        var source = try PageSource(try table(request.table), index: request.index)
        guard let keyCondition else { throw TableError.missingKeyCondition }
        let condition = try KeyCondition(
            keyCondition, partitionKey: source.schema.partitionKey.name, sortKey: source.schema.sortKey?.name)
        let range = try condition.range(in: source)
        try filter?.checkSpares(keyAttributes: source.schema.names)
        try source.require((filter?.binding.paths ?? []).map(\.root) + (projection?.roots ?? []))
        var reader = PageReader(
            source: source, range: range, isForward: request.scanIndexForward, limit: request.limit, filter: filter,
            projection: projection)
        if let startKey = request.exclusiveStartKey {
            let key = try source.startBytes(startKey)
            guard range.contains(key.rawSpan) else {
                throw TableError.validation(
                    "The provided starting key is outside query boundaries based on provided conditions")
            }
            reader.start(after: key)
        }
        return reader
    }

    private func reader(for request: ScanRequest) throws -> PageReader {
        try RequestConstraint.checkLimit(request.limit)
        var expressions = try RequestExpressions(
            self.expressions, names: request.names, values: request.values)
        let filter = try expressions.condition(request.filter, kind: .filter)
        let projection = try expressions.projection(request.projection)
        try expressions.finish(possible: .filter)
        let range = try ScanSegment.range(request.segment, of: request.totalSegments)
        var source = try PageSource(try table(request.table), index: request.index)
        try source.require((filter?.binding.paths ?? []).map(\.root) + (projection?.roots ?? []))
        var reader = PageReader(
            source: source, range: range, limit: request.limit, filter: filter, projection: projection)
        if let startKey = request.exclusiveStartKey {
            let key = try source.startBytes(startKey)
            guard range.contains(key.rawSpan) else {
                throw TableError.validation(
                    "The provided starting key is invalid: Invalid ExclusiveStartKey. "
                        + "Please use ExclusiveStartKey with correct Segment. "
                        + "TotalSegments: \(request.totalSegments ?? 1) Segment: \(request.segment ?? 0)")
            }
            reader.start(after: key)
        }
        return reader
    }
}

/// A parallel scan's part of a table: a range of the keys' leading hashes.
private enum ScanSegment {
    static func range(_ segment: Int?, of total: Int?) throws -> KeyRange {
        guard segment != nil || total != nil else { return .all }
        guard let segment else { throw missing("Segment", given: "TotalSegments") }
        guard let total else {
            throw TableError.validation(
                "The TotalSegments parameter is required but was not present in the request when Segment parameter is "
                    + "present")
        }
        guard (1...1_000_000).contains(total) else {
            let constraint = total < 1 ? "greater than or equal to 1" : "less than or equal to 1000000"
            throw TableError.validation(
                "1 validation error detected: Value '\(total)' at 'totalSegments' failed to satisfy constraint: "
                    + "Member must have value \(constraint)")
        }
        guard segment >= 0, segment < total else {
            throw TableError.validation(
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                    + "Segment: \(segment) is not less than TotalSegments: \(total)")
        }
        return KeyRange(
            lower: boundary(segment, total), upper: segment + 1 == total ? nil : boundary(segment + 1, total))
    }

    private static func missing(_ parameter: String, given: String) -> TableError {
        .validation(
            "The \(parameter) parameter is required but was not present in the request when parameter \(given) is present"
        )
    }

    /// The first hash of a segment: the whole range times segment / total.
    private static func boundary(_ segment: Int, _ total: Int) -> [UInt8] {
        let hash = UInt128(segment) << 64 / UInt128(total)
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt64(truncatingIfNeeded: hash))
        return bytes
    }
}

extension BoundCondition {
    /// - Throws: `ValidationException` if a filter names a key attribute.
    fileprivate func checkSpares(keyAttributes: [String]) throws {
        for path in binding.paths where keyAttributes.contains(where: path.root.equalsUTF8) {
            throw TableError.validation(
                "Filter Expression can only contain non-primary key attributes: Primary key attribute: \(path.root)")
        }
    }
}

extension TableError {
    fileprivate static let missingKeyCondition = TableError.validation(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
}
