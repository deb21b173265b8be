// OrderedForm.swift — how the common types of clustering columns lie in keys, and back.
//
// Invariant: for all bytes that it takes, a form appends what `OrderedComponent.decode` does. It takes values that are
// there in full and do not begin with 00, which may mark the empty one.

internal import StorageTypes

/// The forms of ordered components that have a short way back.
enum OrderedForm: Sendable {
    case escaped, int32, int64, uuid, timeuuid, double

    init?(_ type: CQLType) {
        switch type {
        case .text, .ascii, .blob, .inet: self = .escaped
        case .int: self = .int32
        case .bigint, .counter, .timestamp: self = .int64
        case .uuid: self = .uuid
        case .timeuuid: self = .timeuuid
        case .double: self = .double
        default: return nil
        }
    }

    /// Appends the binary format of the component at `offset` and moves that past it; `nil`, and nothing done, where this
    /// is no way to go. The bytes of the component must be reserved in `rows`.
    @inline(__always)
    func decode(_ key: RawSpan, at offset: inout Int, descending: Bool, to rows: inout UnsafeRows) -> CellRange? {
        let mask: UInt64 = descending ? .max : 0
        switch self {
        case .escaped: return Self.decodeEscaped(key, at: &offset, UInt8(truncatingIfNeeded: mask), to: &rows)
        case .int32:
            guard let ordered = key.ordered(UInt32.self, at: offset, mask) else { return nil }
            offset &+= 4
            return rows.appendBigEndian(ordered ^ 1 << 31)
        case .int64:
            guard let ordered = key.ordered(UInt64.self, at: offset, mask) else { return nil }
            offset &+= 8
            return rows.appendBigEndian(ordered ^ 1 << 63)
        case .double:
            guard let ordered = key.ordered(UInt64.self, at: offset, mask) else { return nil }
            offset &+= 8
            return rows.appendBigEndian(ordered >> 63 == 1 ? ordered ^ 1 << 63 : ~ordered)
        case .uuid, .timeuuid:
            guard key.byteCount &- offset >= 16, let high = key.ordered(UInt64.self, at: offset, mask) else {
                return nil
            }
            let low = unsafe UInt64(bigEndian: key.unsafeLoadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self))
            let signs = self == .timeuuid ? OrderedComponent.signBits : 0
            let uuid = CQLUUID(orderedHigh: high, leastSignificantBits: low ^ mask ^ signs)
            offset &+= 16
            let start = rows.byteCount
            rows.appendBigEndian(uuid.mostSignificantBits)
            rows.appendBigEndian(uuid.leastSignificantBits)
            return rows.cell(from: start)
        }
    }

    /// Bytes without a 00 among them.
    @inline(__always)
    private static func decodeEscaped(
        _ key: RawSpan, at offset: inout Int, _ mask: UInt8, to rows: inout UnsafeRows
    ) -> CellRange? {
        guard offset >= 0, let end = key.firstOffset(of: mask, from: offset), end &+ 1 < key.byteCount else {
            return nil
        }
        let mark = unsafe key.unsafeLoad(fromByteOffset: end &+ 1, as: UInt8.self) ^ mask
        guard mark != 0xFF else { return nil }
        let bytes = key.extracting(offset..<end)
        offset = end &+ 2
        return mask == 0 ? rows.append(bytes) : rows.appendInverted(bytes)
    }
}

extension RawSpan {
    /// The big-endian number at `offset`, with `mask`; `nil` where there is none or its first byte is 00.
    @inline(__always)
    fileprivate func ordered<Integer: FixedWidthInteger & BitwiseCopyable>(
        _: Integer.Type, at offset: Int, _ mask: UInt64
    ) -> Integer? {
        guard offset >= 0, byteCount &- offset >= MemoryLayout<Integer>.size else { return nil }
        let loaded = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Integer.self)
        let value = Integer(bigEndian: loaded) ^ Integer(truncatingIfNeeded: mask)
        return value >> (Integer.bitWidth - 8) == 0 ? nil : value
    }

    /// Where a byte is first found from an offset on, which lies in the span or at its end.
    @inline(__always)
    fileprivate func firstOffset(of byte: UInt8, from start: Int) -> Int? {
        var offset = start
        while offset &+ 8 <= byteCount {
            let loaded = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            let position = firstPosition(of: byte, in: UInt64(littleEndian: loaded))
            offset &+= position
            if position < 8 { return offset }
        }
        while offset < byteCount {
            if unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) == byte { return offset }
            offset &+= 1
        }
        return nil
    }
}
