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
    static func encode(_ batch: borrowing WriteBatch, into bytes: inout UnsafeByteBuilder) -> Bool {
        let hasVolatile = batch.slots.first { $0.isVolatile } != nil
        let (rangeDeleteCount, entryCount) = loggedCounts(batch, hasVolatile)
        guard rangeDeleteCount > 0 || entryCount > 0 else { return false }
        bytes.append(varint: UInt64(rangeDeleteCount))
        for rangeDelete in batch.rangeDeletes where !(hasVolatile && batch.isVolatile(rangeDelete.keyspace)) {
            bytes.append(lengthPrefixed: rangeDelete.lower)
            bytes.append(lengthPrefixed: rangeDelete.upper)
        }
        bytes.append(varint: UInt64(entryCount))
        unsafe batch.forEachLiveEntry { _, entry, key, value in
            if hasVolatile, batch.isVolatile(entry.keyspace) { return }
            let hasExpiry = unsafe entry.expiry != UnsafeEntry.noExpiry
            bytes.append(byte: entry.kind.rawValue | (hasExpiry ? expiryFlag : 0))
            if hasExpiry { bytes.append(littleEndian: entry.expiry) }
            unsafe bytes.append(lengthPrefixed: key)
            if entry.kind != .delete { unsafe bytes.append(lengthPrefixed: value) }
        }
        return true
    }

    private static func loggedCounts(
        _ batch: borrowing WriteBatch, _ hasVolatile: Bool
    ) -> (rangeDeletes: Int, entries: Int) {
        guard hasVolatile else { return (batch.rangeDeletes.count, batch.liveCount) }
        return (
            batch.rangeDeletes.reduce(0) { $0 + (batch.isVolatile($1.keyspace) ? 0 : 1) },
            batch.entries.reduce(0) { $0 + ($1.isLive && !batch.isVolatile($1.keyspace) ? 1 : 0) }
        )
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
}

extension UnsafeByteBuilder {
    /// The number of bytes as a varint, then the bytes.
    mutating func append(lengthPrefixed field: UnsafeRawBufferPointer) {
        append(varint: UInt64(field.count))
        unsafe append(field)
    }

    mutating func append(lengthPrefixed field: [UInt8]) {
        unsafe field.withUnsafeBytes { unsafe append(lengthPrefixed: $0) }
    }
}
