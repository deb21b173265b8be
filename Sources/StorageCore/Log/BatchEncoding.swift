// BatchEncoding.swift — the payload of a log record: a normalised batch.
//
//   varint  number of range deletes
//   each:   length-prefixed lower tree key, length-prefixed upper tree key
//   varint  number of entries
//   each:   u8 kind (EntryKind) | 0x10 where there is an expiry
//           i64 expiry, where there is one
//           length-prefixed tree key (four bytes of keyspace id, big-endian, then the user key)
//           length-prefixed value, except for a delete
//
// Range deletes come first and cover only versions below the record's sequence. Entries of volatile keyspaces are not
// in the log. No key occurs twice.

enum BatchEncoding {
    static let expiryFlag: UInt8 = 0x10

    /// Appends the logged part of a batch; false if there is none.
    static func encode(_ batch: WriteBatch, into bytes: inout [UInt8]) -> Bool {
        func isLogged(_ keyspace: UInt32) -> Bool { !batch.keyspaces[Int(keyspace)].options.isVolatile }
        let rangeDeletes = batch.rangeDeletes.filter { isLogged($0.keyspace) }
        let entryCount = batch.entries.reduce(0) { $0 + ($1.isLive && isLogged($1.keyspace) ? 1 : 0) }
        guard !rangeDeletes.isEmpty || entryCount > 0 else { return false }

        bytes.reserveCapacity(bytes.count + batch.byteCount + batch.entries.count * 16 + 64)
        appendVarint(UInt64(rangeDeletes.count), to: &bytes)
        for rangeDelete in rangeDeletes {
            appendLengthPrefixed(rangeDelete.lower.rawSpan, to: &bytes)
            appendLengthPrefixed(rangeDelete.upper.rawSpan, to: &bytes)
        }
        appendVarint(UInt64(entryCount), to: &bytes)
        for position in batch.entries.indices {
            let entry = batch.entries[position]
            guard entry.isLive, isLogged(entry.keyspace) else { continue }
            let hasExpiry = unsafe entry.expiry != UnsafeEntry.noExpiry
            bytes.append(entry.kind.rawValue | (hasExpiry ? expiryFlag : 0))
            if hasExpiry {
                var expiry = entry.expiry.littleEndian
                unsafe withUnsafeBytes(of: &expiry) { unsafe bytes.append(contentsOf: $0) }
            }
            unsafe batch.withKey(of: position) {
                appendLengthPrefixed(unsafe RawSpan(_unsafeBytes: $0), to: &bytes)
            }
            guard entry.kind != .delete else { continue }
            unsafe batch.withValue(of: position) {
                appendLengthPrefixed(unsafe RawSpan(_unsafeBytes: $0), to: &bytes)
            }
        }
        return true
    }

    /// Hands out what a payload holds. Nothing in it is trusted.
    /// - Parameters:
    ///   - file: Where the payload was read, for errors, at `offset`.
    static func decode(
        _ payload: RawSpan, file: String, offset: Int64, rangeDelete: (RawSpan, RawSpan) throws -> Void,
        entry: (EntryKind, Int64, RawSpan, RawSpan) throws -> Void
    ) throws {
        var reader = ByteReader(payload, file: file, offset: offset)
        for _ in 0..<(try reader.count()) {
            let lower = try reader.lengthPrefixed()
            let upper = try reader.lengthPrefixed()
            guard lower.byteCount >= Keyspace.prefixByteCount else {
                throw reader.corruption("A key is too short", at: reader.offset)
            }
            try rangeDelete(lower, upper)
        }
        for _ in 0..<(try reader.count()) {
            let start = reader.offset
            let flags = try reader.u8()
            guard let kind = EntryKind(rawValue: flags & 0x0F), flags & ~(0x0F | expiryFlag) == 0 else {
                throw reader.corruption("An entry has an unknown kind", at: start)
            }
            let expiry = unsafe flags & expiryFlag != 0 ? try reader.i64() : UnsafeEntry.noExpiry
            let key = try reader.lengthPrefixed()
            guard key.byteCount >= Keyspace.prefixByteCount else {
                throw reader.corruption("A key is too short", at: start)
            }
            let value = kind == .delete ? key.extracting(first: 0) : try reader.lengthPrefixed()
            try entry(kind, expiry, key, value)
        }
        try reader.expectEnd()
    }

    private static func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private static func appendLengthPrefixed(_ field: RawSpan, to bytes: inout [UInt8]) {
        appendVarint(UInt64(field.byteCount), to: &bytes)
        bytes.append(field)
    }
}
