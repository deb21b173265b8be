// TableBlockFinder.swift — finds the intact blocks of a table without any index: by their checksums alone.
//
// Let R(p) be the CRC register, begun with zero somewhere in front of the block, at the file's byte p, and M one zero byte's
// map of the register. A block that begins at o has the register s(o) there, which follows from the file's salt; at p it is
// M^(p-o) (s(o) + R(o)) + R(p), by linearity. The block ends at p if that is the register t(p) that the four bytes at p,
// taken as a checksum, stand for. With M^(n-p) applied to both sides, n being where the search ends:
//
//     M^(n-o) (s(o) + R(o))  =  M^(n-p) (R(p) + t(p))
//
// The left side knows nothing of p, the right nothing of o: all pairs of a range are found in one pass with one table.
// Among 2^47 pairs some 2^15 match by chance; what they enclose does not decode.
//
// A file is searched in windows, each half over the one before, so that memory is needed for a window only. What is longer
// than half of one shows as a gap between the blocks that were found, and the gap is searched as a whole.

internal import CStorage

struct TableBlockFinder {
    /// How long the blocks are that the search in windows finds.
    let reach: Int
    private let file: any StorageFile
    private let tableSeed: UInt32
    private let limit: Int

    /// - Parameter limit: Where blocks end: in front of the footer, if there is one.
    init(_ file: any StorageFile, header: TableHeader, limit: Int, reach: Int = 512 << 10) {
        self.file = file
        self.limit = limit
        self.reach = reach
        tableSeed = header.checksumSeed
    }

    /// Where blocks of up to `reach` bytes may lie whose checksum holds, by offset; of those with one offset, the shorter first.
    func candidates() throws -> [BlockHandle] {
        var found: [BlockHandle] = []
        for start in stride(from: TableHeader.byteCount, to: limit, by: reach) {
            found += try candidates(in: start..<min(start + 2 * reach, limit))
            if start + 2 * reach >= limit { break }
        }
        return Self.sorted(found)
    }

    /// The same without what is there twice.
    static func sorted(_ handles: [BlockHandle]) -> [BlockHandle] {
        let sorted = handles.sorted { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
        return sorted.indices.filter { $0 == 0 || sorted[$0] != sorted[$0 - 1] }.map { sorted[$0] }
    }

    /// Where blocks of any size may lie in a range, in no order.
    func candidates(in range: Range<Int>) throws -> [BlockHandle] {
        guard range.count > TableFormat.blockTrailerByteCount, range.count < UInt32.max else { return [] }
        let bytes = try file.read(at: Int64(range.lowerBound), byteCount: range.count)
        guard bytes.count > TableFormat.blockTrailerByteCount else { return [] }
        let top = bytes.count - 4
        var register: UInt32 = 0
        for byte in bytes[..<top] { register = ChecksumAlgebra.step(register, byte) }
        var ends = EndTable(count: (1...top).count { Self.isTrailer(bytes[$0 - 1]) })
        var found: [BlockHandle] = []
        var shift = ChecksumShift()
        // Downwards from the end, so that at every place all ends behind it are known.
        for place in stride(from: top, through: 0, by: -1) {
            let start = ~blockChecksumSeed(tableSeed, offset: UInt64(range.lowerBound + place))
            ends.forEach(shift(start ^ register)) { end in
                found.append(
                    BlockHandle(offset: UInt64(range.lowerBound + place), byteCount: UInt64(end - 1 - place)))
            }
            guard place > 0 else { break }
            let before = bytes[place - 1]
            if Self.isTrailer(before) { ends.insert(shift(register ^ Self.storedRegister(bytes, place)), place) }
            register = ChecksumAlgebra.stepBack(register, before)
            shift.advance()
        }
        return found
    }

    /// Whether a byte can be that of a block's kind and compression.
    private static func isTrailer(_ byte: UInt8) -> Bool {
        BlockKind(rawValue: byte >> 4) != nil && BlockCompressionCode(rawValue: byte & 0x0F) != nil
    }

    /// The register behind the bytes of which the four at `place` are the checksum.
    private static func storedRegister(_ bytes: [UInt8], _ place: Int) -> UInt32 {
        let masked = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32($1 * 8) }
        let rotated = masked &- 0xA282_EAD8
        return ~(rotated << 15 | rotated >> 17)
    }
}

/// Places of ends by the value that the formula gives for them, several for one value too: a hash table with open addressing, of eight
/// bytes a slot.
private struct EndTable {
    /// The value, then the place, which is never 0; 0 where a slot is free.
    private var slots: [UInt64]
    private let mask: Int

    init(count: Int) {
        var capacity = 16
        while capacity < 2 * count { capacity *= 2 }
        slots = [UInt64](repeating: 0, count: capacity)
        mask = capacity - 1
    }

    private func slot(of value: UInt32) -> Int { Int(truncatingIfNeeded: value &* 0x9E37_79B1) & mask }

    mutating func insert(_ value: UInt32, _ place: Int) {
        var slot = slot(of: value)
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt64(value) << 32 | UInt64(place)
    }

    func forEach(_ value: UInt32, _ body: (Int) -> Void) {
        var slot = slot(of: value)
        while slots[slot] != 0 {
            if UInt32(slots[slot] >> 32) == value { body(Int(slots[slot] & 0xFFFF_FFFF)) }
            slot = (slot + 1) & mask
        }
    }
}
