// SortOrder.swift — the `sort` of a query: keys in memcmp order, the same whether an index exists or not.
//
// An array sorts by its least element ascending and by its greatest descending, an empty array before null, a missing
// field as null. Source: the MongoDB manual, reference/bson-type-comparison-order, "Arrays".

struct SortOrder: Sendable {
    private let keys: [(path: FieldPath, isDescending: Bool)]

    /// `nil` for an empty specification.
    /// - Throws: 15975 for a direction other than 1 and -1, 15974 for one that is no number.
    init?(_ specification: Document) throws(DocumentError) {
        var keys: [(path: FieldPath, isDescending: Bool)] = []
        for (name, value) in specification.fields {
            guard value.type.isNumber else {
                throw DocumentError(
                    DocumentErrorCode(rawValue: 15974),
                    "Illegal key in $sort specification: \(name): \(value.shellText)")
            }
            guard let direction = value.intValue, direction == 1 || direction == -1 else {
                throw DocumentError(
                    DocumentErrorCode(rawValue: 15975),
                    "$sort key ordering must be 1 (for ascending) or -1 (for "
                        + "descending)")
            }
            guard !name.isEmpty, !name.hasPrefix("."), !name.hasSuffix("."), !name.contains("..") else {
                throw DocumentError(
                    DocumentErrorCode(rawValue: 15998), "FieldPath field names may not be empty strings.")
            }
            keys.append((FieldPath(name), direction < 0))
        }
        guard !keys.isEmpty else { return nil }
        self.keys = keys
    }

    /// Bytes whose order is the order of the documents.
    func key(of document: BSONView) -> [UInt8] {
        var bytes: [UInt8] = []
        for (path, isDescending) in keys {
            let component = Self.component(of: document, at: path, isDescending: isDescending)
            bytes += isDescending ? component.map { ~$0 } : component
        }
        return bytes
    }

    private static func component(of document: BSONView, at path: FieldPath, isDescending: Bool) -> [UInt8] {
        var chosen: [UInt8]?
        func consider(_ bytes: [UInt8]) {
            guard let current = chosen else {
                chosen = bytes
                return
            }
            let precedes = bytes.lexicographicallyPrecedes(current)
            if precedes != isDescending, bytes != current { chosen = bytes }
        }
        _ = document.anyValue(at: path, expandingLeaf: false) { value in
            guard let value else {
                consider([IndexKeyEncoder.rankByte(.null)])
                return false
            }
            guard value.isArray else {
                consider(IndexKeyEncoder.bytes(of: value))
                return false
            }
            var elements = value.elements
            var isEmpty = true
            while let element = elements.next() {
                consider(IndexKeyEncoder.bytes(of: element.value))
                isEmpty = false
            }
            if isEmpty { consider([IndexKeyEncoder.rankByte(.undefined)]) }
            return false
        }
        return chosen ?? [IndexKeyEncoder.rankByte(.null)]
    }
}
