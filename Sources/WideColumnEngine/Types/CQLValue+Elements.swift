// CQLValue+Elements.swift — single elements and slices of collections, fields of user-defined types.

extension CQLType {
    var isList: Bool {
        if case .list = bare { return true }
        return false
    }
}

extension CQLValue {
    /// A list's element by index, a map's value by key, a set's element if it is in it; otherwise null. Keys are the same if they
    /// are in the order of their type: 1.0 is 1, and texts are compared by their bytes.
    func element(at key: CQLValue, _ keyType: CQLType) throws -> CQLValue {
        switch self {
        case .list(let elements), .vector(let elements):
            guard let index = Int(cqlValue: key), elements.indices.contains(index) else { return .null }
            return elements[index]
        case .map(let entries):
            guard !key.isNull, key != .unset else { return .null }
            let wanted = try key.orderedBytes(keyType)
            return try entries.first { try $0.key.orderedBytes(keyType) == wanted }?.value ?? .null
        case .set(let elements):
            guard !key.isNull, key != .unset else { return .null }
            let wanted = try key.orderedBytes(keyType)
            return try elements.first { try $0.orderedBytes(keyType) == wanted } ?? .null
        default: return .null
        }
    }

    /// The elements of a set, or entries of a map, from `lower` to `upper`, both inside; null where there are none.
    func slice(from lower: CQLValue?, to upper: CQLValue?, keyType: CQLType) throws -> CQLValue {
        let bounds = try (lower.map { try $0.orderedBytes(keyType) }, upper.map { try $0.orderedBytes(keyType) })
        func isInside(_ key: CQLValue) throws -> Bool {
            let bytes = try key.orderedBytes(keyType)
            if let lower = bounds.0, bytes.lexicographicallyPrecedes(lower) { return false }
            if let upper = bounds.1, upper.lexicographicallyPrecedes(bytes) { return false }
            return true
        }
        switch self {
        case .set(let elements):
            let inside = try elements.filter(isInside)
            return inside.isEmpty ? .null : .set(inside)
        case .map(let entries):
            let inside = try entries.filter { try isInside($0.key) }
            return inside.isEmpty ? .null : .map(inside)
        default: return .null
        }
    }

    /// The value in the form that compares by its bytes.
    func orderedBytes(_ type: CQLType) throws -> [UInt8] {
        try OrderedComponent.bytes(try serialized(as: type), type)
    }
}
