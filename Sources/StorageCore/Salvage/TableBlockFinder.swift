// TableBlockFinder.swift — finds the intact blocks of a table without any index: by their checksums alone.
//
// Let R(p) be the CRC register, begun with zero, behind the first p bytes of the file, and M one zero byte's map of the
// register. A block that begins at o has the register s(o) there, which follows from the file's salt; at p it is
// M^(p-o) (s(o) + R(o)) + R(p), by linearity. The block ends at p if that is the register t(p) that the four bytes at p,
// taken as a checksum, stand for. With M^(n-p) applied to both sides, n being the byte count:
//
//     M^(n-o) (s(o) + R(o))  =  M^(n-p) (R(p) + t(p))
//
// The left side knows nothing of p, the right nothing of o: all pairs of a file are found in one pass with one table.
// Among 2^47 pairs some 2^15 match by chance; what they enclose does not decode.

internal import CStorage

struct TableBlockFinder {
    private let bytes: [UInt8]
    private let tableSeed: UInt32
    private let limit: Int

    /// - Parameters:
    ///   - bytes: The file.
    ///   - limit: Where blocks end: in front of the footer, if there is one.
    init(_ bytes: [UInt8], header: TableHeader, limit: Int) {
        self.bytes = bytes
        tableSeed = header.checksumSeed
        self.limit = min(limit, bytes.count)
    }

    /// Where blocks may lie whose checksum holds, by offset; of those with one offset, the shorter first.
    func candidates() -> [BlockHandle] {
        let registers = registers()
        var ends: [UInt32: [Int]] = [:]
        var found: [BlockHandle] = []
        var shift = ChecksumShift()
        // Downwards from the end, so that at every place all ends behind it are known.
        for place in stride(from: limit - 4, through: TableHeader.byteCount, by: -1) {
            if isTrailer(place) {
                ends[shift(registers[place] ^ storedRegister(place)), default: []].append(place)
            }
            let start = ~blockChecksumSeed(tableSeed, offset: UInt64(place))
            for end in ends[shift(start ^ registers[place])] ?? [] where end > place {
                found.append(BlockHandle(offset: UInt64(place), byteCount: UInt64(end - 1 - place)))
            }
            shift.advance()
        }
        return found.sorted { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
    }

    /// The register behind each number of bytes.
    private func registers() -> [UInt32] {
        var registers: [UInt32] = [0]
        registers.reserveCapacity(limit + 1)
        var register: UInt32 = 0
        for byte in bytes.prefix(limit) {
            register = ChecksumAlgebra.step(register, byte)
            registers.append(register)
        }
        return registers
    }

    /// Whether the byte before `place` can be that of a block's kind and compression.
    private func isTrailer(_ place: Int) -> Bool {
        let byte = bytes[place - 1]
        return BlockKind(rawValue: byte >> 4) != nil && BlockCompressionCode(rawValue: byte & 0x0F) != nil
    }

    /// The register behind the bytes of which the four at `place` are the checksum.
    private func storedRegister(_ place: Int) -> UInt32 {
        let masked = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32($1 * 8) }
        let rotated = masked &- 0xA282_EAD8
        return ~(rotated << 15 | rotated >> 17)
    }
}
