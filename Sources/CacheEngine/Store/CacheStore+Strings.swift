// CacheStore+Strings.swift — GET, SET and their relatives.

extension CacheStore {
    // MARK: Reading

    /// The bytes of a string; `nil` if the key is absent (GET).
    public func get(_ key: some CacheBytes) throws(CacheError) -> [UInt8]? {
        try withShard(of: key) { state, key throws(CacheError) in
            try state.withString(key) { value throws(CacheError) in value.array() }
        }
    }

    /// The text of a string; bytes that are not UTF-8 are repaired.
    public func string(_ key: some CacheBytes) throws(CacheError) -> String? {
        try get(key).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Appends the bytes of a string to `buffer`: reading without an allocation. Returns whether the key is there.
    public func get(_ key: some CacheBytes, appendingTo buffer: inout [UInt8]) throws(CacheError) -> Bool {
        try key.withBytes { bytes throws(CacheError) -> Bool in
            let hash = hasher.hash(bytes)
            return try shard(of: hash).withState { state throws(CacheError) -> Bool in
                let key = CacheKey(bytes, hash: UInt32(hash >> 32))
                return try state.withString(key) { value throws(CacheError) in buffer.append(value) } != nil
            }
        }
    }

    /// Reads a string and sets its expiry anew: a sliding renewal (GETEX). `keep` only reads.
    public func get(_ key: some CacheBytes, renewing expiry: CacheExpiry) throws(CacheError) -> [UInt8]? {
        let milliseconds = try expiry.milliseconds(now: options.clock.now, command: "getex")
        let value = try withShard(of: key) { state, key throws(CacheError) in
            let value = try state.withString(key) { value throws(CacheError) in value.array() }
            if value != nil, let milliseconds { state.renew(key, until: milliseconds) }
            return value
        }
        if value != nil { try writeThrough() }
        return value
    }

    /// Reads a string and deletes it (GETDEL).
    public func getAndDelete(_ key: some CacheBytes) throws(CacheError) -> [UInt8]? {
        let value = try withShard(of: key) { state, key throws(CacheError) in
            let value = try state.withString(key) { value throws(CacheError) in value.array() }
            if value != nil { state.remove(key) }
            return value
        }
        if value != nil { try writeThrough() }
        return value
    }

    /// Bytes of a string, 0 if the key is absent (STRLEN).
    public func byteCount(of key: some CacheBytes) throws(CacheError) -> Int {
        try withShard(of: key) { state, key throws(CacheError) in
            try state.withString(key) { value throws(CacheError) in value.byteCount } ?? 0
        }
    }

    // MARK: Writing

    /// Sets a string, whatever the key held before (SET). Without `expiresIn` an earlier expiry is cleared.
    ///
    /// Returns whether it was written: `false` if the condition did not hold.
    @discardableResult
    public func set(
        _ key: some CacheBytes, _ value: some CacheBytes, expiresIn duration: Duration? = nil,
        when condition: CacheWriteCondition? = nil
    ) throws(CacheError) -> Bool {
        try set(key, value, expiry: duration.map { .after($0) } ?? .never, when: condition)
    }

    /// Sets a string with any kind of expiry (SET with EX, PX, EXAT, PXAT or KEEPTTL).
    @discardableResult
    public func set(
        _ key: some CacheBytes, _ value: some CacheBytes, expiry: CacheExpiry,
        when condition: CacheWriteCondition? = nil
    ) throws(CacheError) -> Bool {
        let milliseconds = try milliseconds(of: expiry, command: "set")
        let written = try withShardForWriting(of: key) { state, key throws(CacheError) in
            if let condition, (state.lookup(key) != nil) != (condition == .ifPresent) { return false }
            try value.withBytes { value throws(CacheError) in
                try state.setString(key, value, expiry: milliseconds)
            }
            return true
        }
        if written { try writeThrough() }
        return written
    }

    /// Sets a string and returns what was there (SET with GET): also if the condition did not hold and nothing was
    /// written. A key of another type is refused.
    public func exchange(
        _ key: some CacheBytes, _ value: some CacheBytes, expiry: CacheExpiry = .never,
        when condition: CacheWriteCondition? = nil
    ) throws(CacheError) -> [UInt8]? {
        let milliseconds = try milliseconds(of: expiry, command: "set")
        let previous = try withShardForWriting(of: key) { state, key throws(CacheError) -> [UInt8]? in
            let previous = try state.withString(key) { value throws(CacheError) in value.array() }
            if let condition, (previous != nil) != (condition == .ifPresent) { return previous }
            try value.withBytes { value throws(CacheError) in
                try state.setString(key, value, expiry: milliseconds)
            }
            return previous
        }
        try writeThrough()
        return previous
    }

    /// Appends to a string; an absent one starts empty (APPEND). Returns the new length. The expiry stays.
    @discardableResult
    public func append(_ suffix: some CacheBytes, to key: some CacheBytes) throws(CacheError) -> Int {
        let length = try withShardForWriting(of: key) { state, key throws(CacheError) -> Int in
            var value = try state.withString(key) { value throws(CacheError) in value.array() } ?? []
            suffix.withBytes { value.append($0) }
            guard value.count <= Self.maxStringByteCount else { throw .stringTooLong }
            try state.setString(key, value.rawSpan, expiry: nil)
            return value.count
        }
        try writeThrough()
        return length
    }

    /// Redis' `proto-max-bulk-len`: 512 MiB.
    private static var maxStringByteCount: Int { 512 << 20 }

    /// The clock is read only where it matters.
    private func milliseconds(of expiry: CacheExpiry, command: String) throws(CacheError) -> Int64? {
        switch expiry {
        case .never: 0
        case .keep: nil
        case .after, .at: try expiry.milliseconds(now: options.clock.now, command: command)
        }
    }
}

extension ShardState {
    /// Sets the expiry of an entry; 0 clears it, one in the past removes the entry.
    mutating func renew(_ key: CacheKey, until milliseconds: Int64) {
        guard let reference = lookup(key) else { return }
        if milliseconds != 0, milliseconds <= now {
            remove(key)
        } else {
            setExpiry(reference, milliseconds)
        }
    }
}
