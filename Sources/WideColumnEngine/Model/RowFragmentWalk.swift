// RowFragmentWalk.swift — the quick way over a fragment's cells. RowFragment+Codec.swift has the bytes.
//
// Invariant: as long as its steps succeed it says what `RowFragmentReader` says. It stops, without an error, at whatever is
// rare: a deletion of the row, a path, a column number above 127, a value of 16 KiB, bytes that end too early, are not
// of the format, or have a column twice. Whoever is told so begins again with the reader.

/// Walks over the cells of a fragment: `begin`, then `next` until `isAtEnd`.
struct RowFragmentWalk: ~Escapable {
    private let bytes: RawSpan
    /// Seconds.
    private let now: Int64
    private var offset = 0
    private var isBaseLive = true
    private(set) var isMarkerLive = false
    private(set) var column = -1
    private(set) var isCellLive = false
    /// Where the cell's value lies in the bytes.
    private(set) var value = CellRange.null

    @_lifetime(copy bytes)
    @inline(__always)
    init(_ bytes: RawSpan, now: Int64) {
        self.bytes = bytes
        self.now = now
    }

    @inline(__always)
    var isAtEnd: Bool { offset == bytes.byteCount }

    /// Reads what comes before the cells.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func begin() -> Bool {
        guard bytes.byteCount >= 9, bytes.byteCount <= Int(Int32.max) else { return false }
        let flags = byte(at: 0)
        guard flags & ~(RowFragmentFlags.marker | RowFragmentFlags.baseTimeToLive) == 0 else { return false }
        offset = 9
        if flags & RowFragmentFlags.baseTimeToLive != 0 {
            guard bytes.byteCount >= 21 else { return false }
            isBaseLive = now < number(at: 13)
            offset = 21
        }
        if flags & RowFragmentFlags.marker != 0 {
            guard offset < bytes.byteCount else { return false }
            let flags = byte(at: offset)
            offset &+= 1
            // A marker is no tombstone, and nothing it has for itself is rare enough to be left out.
            guard flags & ~(1 | RowFragmentFlags.ownTimestamp | RowFragmentFlags.ownTimeToLive) == 0 else {
                return false
            }
            guard let isLive = takeHead(flags) else { return false }
            isMarkerLive = isLive
        }
        return true
    }

    /// Reads a cell.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func next() -> Bool {
        guard bytes.byteCount &- offset >= 2 else { return false }
        let flags = byte(at: offset)
        let last = column
        column = Int(byte(at: offset &+ 1))
        offset &+= 2
        guard flags & ~0b1111 == 0, column < 0x80, column > last else { return false }
        let kind = flags & RowFragmentFlags.cellKind
        guard kind < Cell.Kind.tombstone.rawValue else {
            guard kind == Cell.Kind.tombstone.rawValue, flags & RowFragmentFlags.ownTimeToLive == 0 else {
                return false
            }
            isCellLive = false
            return skip(flags & RowFragmentFlags.ownTimestamp == 0 ? 8 : 16)
        }
        guard let isLive = takeHead(flags) else { return false }
        isCellLive = isLive
        return takeValue()
    }

    /// Moves past a live or expiring cell's own timestamp and expiry; whether it lives, or `nil` where the bytes end.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func takeHead(_ flags: UInt8) -> Bool? {
        if flags & RowFragmentFlags.ownTimestamp != 0 { guard skip(8) else { return nil } }
        guard flags & RowFragmentFlags.cellKind == Cell.Kind.expiring.rawValue else { return true }
        guard flags & RowFragmentFlags.ownTimeToLive != 0 else { return isBaseLive }
        guard skip(12) else { return nil }
        return now < number(at: offset &- 8)
    }

    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func takeValue() -> Bool {
        guard offset < bytes.byteCount else { return false }
        var byteCount = Int(byte(at: offset))
        offset &+= 1
        if byteCount >= 0x80 {
            guard offset < bytes.byteCount else { return false }
            let upper = Int(byte(at: offset))
            guard upper < 0x80 else { return false }
            offset &+= 1
            byteCount = byteCount & 0x7F | upper << 7
        }
        value = CellRange(
            offset: Int32(truncatingIfNeeded: offset), byteCount: Int32(truncatingIfNeeded: byteCount))
        return skip(byteCount)
    }

    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func skip(_ byteCount: Int) -> Bool {
        guard byteCount <= bytes.byteCount &- offset else { return false }
        offset &+= byteCount
        return true
    }

    /// The offset lies inside of the bytes.
    @inline(__always)
    private func byte(at offset: Int) -> UInt8 {
        unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// The number lies inside of the bytes.
    @inline(__always)
    private func number(at offset: Int) -> Int64 {
        unsafe Int64(bigEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Int64.self))
    }
}
