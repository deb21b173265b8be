// CollectionCatalog.swift — the schemas on disk, in the keyspace `documents/catalog`.
//
//     01 namespace                      → {options…, nextIndexId, indexes: [{id, ready, spec}]}
//     02 namespace 00 index id (4)      → empty: the index has met an array
//
// The first byte of a key is part of the format: do not renumber.

enum CollectionCatalog {
    static let keyspaceName = "documents/catalog"

    static func key(_ namespace: Namespace) -> [UInt8] {
        [1] + Array(namespace.description.utf8)
    }

    static func multikeyKey(_ namespace: Namespace, _ indexID: UInt32) -> [UInt8] {
        let id = (0..<4).map { UInt8(truncatingIfNeeded: indexID >> (24 - 8 * $0)) }
        return [2] + Array(namespace.description.utf8) + [0] + id
    }

    static func multikeyRange(_ namespace: Namespace) -> KeyRange {
        KeyRange.prefix([2] + Array(namespace.description.utf8) + [0])
    }

    static let entries = KeyRange.prefix([1])

    static func namespace(ofKey key: RawSpan) -> Namespace? {
        guard key.byteCount > 1 else { return nil }
        let text = String(utf8: key.extracting(1..<key.byteCount))
        guard let dot = text.firstIndex(of: ".") else { return nil }
        return Namespace(database: String(text[..<dot]), collection: String(text[text.index(after: dot)...]))
    }

    static func entry(_ state: CollectionState) -> Document {
        var entry: Document = [
            "validationLevel": .string(state.options.validationLevel.rawValue),
            "validationAction": .string(state.options.validationAction.rawValue),
            "nextIndexId": .int64(Int64(state.nextIndexID)),
            "indexes": .array(state.indexes.map { indexEntry($0) }),
        ]
        if let validator = state.options.validator { entry["validator"] = .document(validator) }
        return entry
    }

    private static func indexEntry(_ index: Index) -> BSONValue {
        let id = BSONValue.int64(Int64(index.id))
        let isReady = index.readySequence != nil
        return ["id": id, "ready": .bool(isReady), "spec": .document(index.specification.document)]
    }

    static func options(of entry: Document) -> CollectionOptions {
        CollectionOptions(
            validator: entry["validator"]?.documentValue,
            validationLevel: entry["validationLevel"]?.stringValue.flatMap { ValidationLevel(rawValue: $0) } ?? .strict,
            validationAction: entry["validationAction"]?.stringValue.flatMap { ValidationAction(rawValue: $0) }
                ?? .error)
    }

    static func nextIndexID(of entry: Document) throws -> UInt32 {
        guard let id = UInt32(exactly: entry["nextIndexId"]?.intValue ?? 1) else {
            throw StorageError.corruption("The document catalog holds an impossible number of an index: \(entry)")
        }
        return id
    }

    static func indexes(of entry: Document) throws -> [(id: UInt32, isReady: Bool, specification: IndexSpecification)] {
        try (entry["indexes"]?.arrayValue ?? []).map { element in
            guard let document = element.documentValue,
                let id = document["id"]?.intValue.flatMap(UInt32.init(exactly:)),
                let specification = document["spec"]?.documentValue
            else { throw StorageError.corruption("The document catalog holds a damaged index entry: \(element)") }
            let isReady = document["ready"]?.boolValue ?? false
            return (id, isReady, try IndexSpecification(catalogEntry: specification))
        }
    }
}
