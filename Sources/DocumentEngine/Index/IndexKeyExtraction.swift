// IndexKeyExtraction.swift — the keys that a document has in an index.
//
// A document without arrays on the indexed paths has one key. An array gives a key for each element; two indexed paths
// may go through the same array, but not through two different ones. A missing field is indexed as null, an empty array
// as undefined. Source: the server's btree_key_generator.cpp.

/// One key of a document.
struct IndexKey: Sendable {
    let bytes: [UInt8]
    /// What the key was made of, a value for each component.
    let values: [BSONValue]
}

/// All keys of a document in one index.
struct IndexKeySet: Sendable {
    /// Sorted, without repetitions.
    var keys: [[UInt8]] = []
    /// Whether an array was met on the way.
    var isMultikey = false
}

extension IndexSpecification {
    /// The keys of the document; none if it is not in the index.
    /// - Throws: 171 (CannotIndexParallelArrays).
    func keys(of document: BSONView) throws(DocumentError) -> IndexKeySet {
        if let partialExpression, !partialExpression.matches(document) { return IndexKeySet() }
        var encoder = IndexKeyEncoder()
        var isAnyPresent = false
        for key in keys {
            switch Self.append(key, of: document, to: &encoder) {
            case .present: isAnyPresent = true
            case .missing: break
            case .array:
                let all = try expandedKeys(of: document)
                return IndexKeySet(keys: all.map(\.bytes), isMultikey: true)
            }
        }
        if isSparse, !isAnyPresent { return IndexKeySet() }
        return IndexKeySet(keys: [encoder.bytes])
    }

    private enum Appended { case present, missing, array }

    private static func append(_ key: Key, of document: BSONView, to encoder: inout IndexKeyEncoder) -> Appended {
        var current = document
        for component in key.path.components {
            if current.isArray { return .array }
            let name = component.bytes
            guard let next = current.field(name.rawSpan) else {
                encoder.append(BSONOperand.null.view, descending: key.isDescending)
                return .missing
            }
            current = next
        }
        if current.isArray { return .array }
        encoder.append(current, descending: key.isDescending)
        return .present
    }

    /// The keys with their values, by the general rule.
    func expandedKeys(of document: BSONView) throws(DocumentError) -> [IndexKey] {
        let fields = keys.map {
            IndexedField(value: .document(Document(trusted: document.bytes.array())), path: $0.path)
        }
        var keys: [IndexKey] = []
        try expand(fields, into: &keys)
        keys.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        var unique: [IndexKey] = []
        for key in keys where unique.last?.bytes != key.bytes { unique.append(key) }
        return unique
    }

    private func expand(_ fields: [IndexedField], into result: inout [IndexKey]) throws(DocumentError) {
        var fields = fields
        for index in fields.indices { fields[index].descend() }
        guard let first = fields.first(where: { $0.isAtArray }) else {
            if isSparse, fields.allSatisfy({ $0.value == nil }) { return }
            result.append(key(of: fields.map { $0.value ?? .null }))
            return
        }
        for other in fields where other.isAtArray && other.consumedPath != first.consumedPath {
            throw DocumentError(
                .cannotIndexParallelArrays,
                "cannot index parallel arrays [\(other.consumedPath.last ?? "")] [\(first.consumedPath.last ?? "")]")
        }
        let elements = first.value?.arrayValue ?? []
        let choices = elements.isEmpty ? [nil] : elements.map { Optional.some($0) }
        for element in choices {
            try expand(fields.map { $0.isAtArray ? $0.taking(element) : $0 }, into: &result)
        }
    }

    private func key(of values: [BSONValue]) -> IndexKey {
        var encoder = IndexKeyEncoder()
        for (key, value) in zip(keys, values) { encoder.append(BSONOperand(value).view, descending: key.isDescending) }
        return IndexKey(bytes: encoder.bytes, values: values)
    }
}

/// One indexed path on its way through a document.
private struct IndexedField {
    /// Where the path stands; `nil` once it is known to lead nowhere.
    var value: BSONValue?
    private let path: FieldPath
    private var consumed = 0
    /// Elements of an array are indexed whole: nested arrays are not expanded again.
    private var isSettled = false

    init(value: BSONValue, path: FieldPath) {
        self.value = value
        self.path = path
    }

    var consumedPath: [String] { path.components.prefix(consumed).map(\.name) }

    var isAtArray: Bool {
        if !isSettled, case .array = value { true } else { false }
    }

    private var isAtEnd: Bool { consumed == path.components.count }

    /// Follows the path through documents, up to its end or an array.
    mutating func descend() {
        while !isSettled, !isAtEnd {
            switch value {
            case .document(let document):
                value = document[path.components[consumed].name]
                consumed += 1
            case .array(let elements):
                guard let index = path.components[consumed].arrayIndex else { return }
                value = index < elements.count ? elements[index] : nil
                consumed += 1
            default:
                value = Optional.none
                isSettled = true
            }
        }
        if isAtEnd, !isAtArray { isSettled = true }
    }

    /// The field inside one element of the array it stands at; `nil` is an empty array.
    func taking(_ element: BSONValue?) -> IndexedField {
        var field = self
        if isAtEnd {
            field.value = element ?? .undefined
            field.isSettled = true
        } else if case .document = element {
            field.value = element
        } else {
            field.value = Optional.none
            field.isSettled = true
        }
        return field
    }
}

extension BSONOperand {
    static let null = BSONOperand(.null)
}
