// ShardState+Values.swift — reading and changing typed values of a shard.

extension ShardState {
    func type(of block: UnsafeBlock) -> CacheValueType {
        guard block.kind == .object else { return .string }
        return objects[block.payload]?.type ?? .string
    }

    /// Calls `body` with a string's bytes; `nil` where the key is absent.
    @inline(__always)
    mutating func withString<R>(
        _ key: CacheKey, _ body: (RawSpan) throws(CacheError) -> R
    ) throws(CacheError) -> R? {
        guard let block = access(key) else { return nil }
        if block.kind == .inlineString { return try body(block.inlineValue) }
        guard case .string(let bytes) = objects[block.payload] else { throw .wrongType }
        return try body(bytes.rawSpan)
    }

    /// A hash for reading; `nil` where the key is absent.
    mutating func hash(_ key: CacheKey) throws(CacheError) -> ByteMap? {
        guard let object = try object(key) else { return nil }
        guard case .hash(let map) = object else { throw .wrongType }
        return map
    }

    mutating func list(_ key: CacheKey) throws(CacheError) -> ByteList? {
        guard let object = try object(key) else { return nil }
        guard case .list(let list) = object else { throw .wrongType }
        return list
    }

    mutating func set(_ key: CacheKey) throws(CacheError) -> ByteMap? {
        guard let object = try object(key) else { return nil }
        guard case .set(let map) = object else { throw .wrongType }
        return map
    }

    /// Changes a hash in place; an absent one starts empty and an empty one is removed. Nothing changes if `body` throws.
    mutating func updateHash<R>(
        _ key: CacheKey, _ body: (inout ByteMap) throws(CacheError) -> R
    ) throws(CacheError) -> R {
        try updateObject(key, absent: .hash(ByteMap())) { object throws(CacheError) in
            guard case .hash(var map) = object else { throw .wrongType }
            object = .string([])  // gives up the second reference, so that the map changes in place
            defer { object = .hash(map) }
            return try body(&map)
        }
    }

    mutating func updateSet<R>(
        _ key: CacheKey, _ body: (inout ByteMap) throws(CacheError) -> R
    ) throws(CacheError) -> R {
        try updateObject(key, absent: .set(ByteMap())) { object throws(CacheError) in
            guard case .set(var map) = object else { throw .wrongType }
            object = .string([])
            defer { object = .set(map) }
            return try body(&map)
        }
    }

    mutating func updateList<R>(
        _ key: CacheKey, _ body: (inout ByteList) throws(CacheError) -> R
    ) throws(CacheError) -> R {
        try updateObject(key, absent: .list(ByteList())) { object throws(CacheError) in
            guard case .list(var list) = object else { throw .wrongType }
            object = .string([])
            defer { object = .list(list) }
            return try body(&list)
        }
    }

    private mutating func object(_ key: CacheKey) throws(CacheError) -> CacheObject? {
        guard let block = access(key) else { return nil }
        guard block.kind == .object else { throw .wrongType }
        return objects[block.payload]
    }

    private mutating func updateObject<R>(
        _ key: CacheKey, absent: CacheObject, _ body: (inout CacheObject) throws(CacheError) -> R
    ) throws(CacheError) -> R {
        guard let block = access(key) else { return try createObject(key, absent, body) }
        guard block.kind == .object, var object = objects.take(block.payload) else { throw .wrongType }
        let outcome: Result<R, CacheError>
        do throws(CacheError) {
            outcome = .success(try body(&object))
        } catch {
            outcome = .failure(error)
        }
        objects.putBack(object, at: block.payload)
        if object.isEmptyCollection { remove(key) } else { noteChange(key.bytes) }
        return try outcome.get()
    }

    private mutating func createObject<R>(
        _ key: CacheKey, _ absent: CacheObject, _ body: (inout CacheObject) throws(CacheError) -> R
    ) throws(CacheError) -> R {
        var object = absent
        let result = try body(&object)
        if !object.isEmptyCollection { try setObject(key, object) }
        return result
    }
}
