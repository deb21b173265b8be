// CacheStore+Hashes.swift — HSET, HGET and their relatives. Fields keep their order of insertion while a hash is small.

/// A field of a hash with its value.
public struct CacheField: Sendable, Hashable {
    public var name: [UInt8]
    public var value: [UInt8]

    public init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }

    public var nameText: String { String(decoding: name, as: UTF8.self) }
    public var valueText: String { String(decoding: value, as: UTF8.self) }
}

extension CacheStore {
    /// Sets one field (HSET). Returns whether it is new.
    @discardableResult
    public func setField(
        _ field: some CacheBytes, of key: some CacheBytes, to value: some CacheBytes,
        when condition: CacheWriteCondition? = nil
    ) throws(CacheError) -> Bool {
        let bytes = value.byteArray
        let isNew = try updatingHash(key) { map throws(CacheError) in
            field.withBytes { field in
                if let condition, map.contains(field) != (condition == .ifPresent) { return false }
                return map.set(field, bytes)
            }
        }
        return isNew
    }

    /// Sets several fields (HSET). Returns how many are new.
    @discardableResult
    public func setFields(_ fields: KeyValuePairs<String, String>, of key: some CacheBytes) throws(CacheError) -> Int {
        try setFields(fields.map { CacheField(name: Array($0.key.utf8), value: Array($0.value.utf8)) }, of: key)
    }

    @discardableResult
    public func setFields(_ fields: [CacheField], of key: some CacheBytes) throws(CacheError) -> Int {
        try updatingHash(key) { map throws(CacheError) in
            var newCount = 0
            for field in fields where map.set(field.name.rawSpan, field.value) { newCount += 1 }
            return newCount
        }
    }

    /// The value of a field; `nil` if the key or the field is absent (HGET).
    public func field(_ field: some CacheBytes, of key: some CacheBytes) throws(CacheError) -> [UInt8]? {
        try readingHash(key) { map in field.withBytes { map[$0] } }
    }

    /// The values of several fields, each `nil` if absent (HMGET).
    public func fields(_ names: [some CacheBytes], of key: some CacheBytes) throws(CacheError) -> [[UInt8]?] {
        try readingHash(key) { map in names.map { name in name.withBytes { map[$0] } } }
    }

    /// All fields; none if the key is absent (HGETALL).
    public func allFields(of key: some CacheBytes) throws(CacheError) -> [CacheField] {
        try readingHash(key) { map in zip(map.keys, map.values).map { CacheField(name: $0, value: $1) } }
    }

    /// Removes fields; without its last one the key is gone (HDEL). Returns how many were there.
    @discardableResult
    public func removeFields(_ names: [some CacheBytes], of key: some CacheBytes) throws(CacheError) -> Int {
        let removed = try withShard(of: key) { state, key throws(CacheError) -> Int in
            guard try state.hash(key) != nil else { return 0 }
            return try state.updateHash(key) { map throws(CacheError) in
                var count = 0
                for name in names where name.withBytes({ map.remove($0) }) { count += 1 }
                return count
            }
        }
        try writeThrough()
        return removed
    }

    /// How many fields the hash has (HLEN).
    public func fieldCount(of key: some CacheBytes) throws(CacheError) -> Int {
        try readingHash(key) { $0.count }
    }

    /// HEXISTS.
    public func hasField(_ field: some CacheBytes, of key: some CacheBytes) throws(CacheError) -> Bool {
        try readingHash(key) { map in field.withBytes { map.contains($0) } }
    }

    /// Adds to the integer in a field; an absent one counts as 0 (HINCRBY).
    @discardableResult
    public func incrementField(
        _ field: some CacheBytes, of key: some CacheBytes, by amount: Int64 = 1
    ) throws(CacheError) -> Int64 {
        try updatingHash(key) { map throws(CacheError) in
            try field.withBytes { field throws(CacheError) -> Int64 in
                let text = map[field] ?? Array("0".utf8)
                guard let current = IntegerText.parse(text.rawSpan) else { throw .hashValueNotAnInteger }
                let (sum, overflow) = current.addingReportingOverflow(amount)
                guard !overflow else { throw .overflow }
                map.set(field, IntegerText.bytes(sum))
                return sum
            }
        }
    }

    /// Adds to the decimal number in a field (HINCRBYFLOAT).
    @discardableResult
    public func incrementFieldFloat(
        _ field: some CacheBytes, of key: some CacheBytes, by amount: some CacheBytes
    ) throws(CacheError) -> String {
        let amountBytes = amount.byteArray
        let sum = try updatingHash(key) { map throws(CacheError) in
            try field.withBytes { field throws(CacheError) -> [UInt8] in
                let text = map[field] ?? Array("0".utf8)
                let sum = try DecimalText.sum(
                    text.rawSpan, amountBytes.rawSpan, notANumber: .hashValueNotAFloat)
                map.set(field, sum)
                return sum
            }
        }
        return String(decoding: sum, as: UTF8.self)
    }

    private func readingHash<R: Sendable>(
        _ key: some CacheBytes, _ body: (ByteMap) -> R
    ) throws(CacheError) -> R {
        body(try withShard(of: key) { state, key throws(CacheError) in try state.hash(key) } ?? ByteMap())
    }

    private func updatingHash<R: Sendable>(
        _ key: some CacheBytes, _ body: (inout ByteMap) throws(CacheError) -> R
    ) throws(CacheError) -> R {
        let result = try withShardForWriting(of: key) { state, key throws(CacheError) in
            try state.updateHash(key, body)
        }
        try writeThrough()
        return result
    }
}
