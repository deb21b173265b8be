// TableReadahead.swift — how far ahead of a walk through its blocks a table's file is announced.
//
// A walk that has read a few blocks in a row from the file will read the next ones too. The device is told early, in
// pieces that double: a short scan asks for nothing that it won't use, a long one waits for nothing but the first blocks.
// What comes from the cache costs no read and moves nothing here.
//
// Invariant: within one walk no byte is announced twice.

/// The state of one walk: a block that has to be read comes in, what to announce goes out.
struct TableReadahead {
    enum Direction { case forward, backward }

    /// Blocks in a row that are read before anything is announced.
    static let unannouncedReadCount = 2
    static let smallestByteCount: UInt64 = 16 << 10
    static let largestByteCount: UInt64 = 256 << 10

    private var direction = Direction.forward
    private var readCount = 0
    private var byteCount = smallestByteCount
    /// Where the announced part ends, in the direction of the walk; nil before the first announcement.
    private var edge: UInt64?

    /// Whether the next block that has to be read may be announced together with others.
    var mayAnnounce: Bool { readCount >= Self.unannouncedReadCount }

    /// The cursor was put elsewhere: what follows may be a walk or not.
    mutating func reset() { self = TableReadahead() }

    /// The walk goes on in another file, with what it has learnt of itself.
    func continuing() -> TableReadahead {
        var next = self
        next.edge = nil
        return next
    }

    /// - Parameters:
    ///   - block: The bytes that the walk reads from the file now.
    ///   - limit: What there is to read in the file; `block` lies inside.
    /// - Returns: The bytes to announce, `block` among them the first time; nil if enough is announced.
    mutating func announcement(
        beforeReading block: Range<UInt64>, _ direction: Direction, within limit: Range<UInt64>
    ) -> Range<UInt64>? {
        if direction != self.direction {
            reset()
            self.direction = direction
        }
        readCount += 1
        guard readCount > Self.unannouncedReadCount else { return nil }
        return direction == .forward ? forwards(from: block, limit) : backwards(from: block, limit)
    }

    // A part of a piece is still to be read when the next one is asked for, so that the walk does not catch up.

    private mutating func forwards(from block: Range<UInt64>, _ limit: Range<UInt64>) -> Range<UInt64>? {
        let start = max(edge ?? 0, block.lowerBound)
        let end = min(block.upperBound + byteCount, limit.upperBound)
        guard start < end, start <= block.upperBound + byteCount / 4 else { return nil }
        edge = end
        byteCount = min(byteCount * 2, Self.largestByteCount)
        return start..<end
    }

    private mutating func backwards(from block: Range<UInt64>, _ limit: Range<UInt64>) -> Range<UInt64>? {
        let end = min(edge ?? .max, block.upperBound)
        let start = max(block.lowerBound - min(byteCount, block.lowerBound), limit.lowerBound)
        guard start < end, end + byteCount / 4 >= block.lowerBound else { return nil }
        edge = start
        byteCount = min(byteCount * 2, Self.largestByteCount)
        return start..<end
    }
}
