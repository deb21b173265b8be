// BloomFilter.swift — answers "certainly absent" for a key without touching the table's blocks.
//
// Every key lives inside one 64-byte line, so that a question costs one cache miss. Layout: Docs/FORMATS.md, "Filter".

/// Gathers the hashes of a table's keys and lays them out once their number is known.
struct BloomFilterBuilder {
    private var hashes: [UInt64] = []
    private let bitsPerKey: Int

    init(bitsPerKey: Int) {
        self.bitsPerKey = min(max(bitsPerKey, 0), 64)
    }

    /// To be called once for each distinct key.
    mutating func add(_ key: UnsafeRawBufferPointer) {
        if bitsPerKey > 0 { unsafe hashes.append(xxHash64(key)) }
    }

    var isEmpty: Bool { hashes.isEmpty }

    var byteCount: Int { hashes.isEmpty ? 0 : lineCount * 64 + 8 }

    private var lineCount: Int {
        min(max((hashes.count * bitsPerKey + 511) / 512, 1), Int(UInt32.max))
    }

    /// Appends the filter block's contents.
    func write(to output: inout UnsafeByteBuilder) {
        let lineCount = lineCount
        // ln 2 probes for each bit of a key fill half of the bits, where a Bloom filter errs least.
        let probeCount = UInt8(min(max(bitsPerKey * 69 / 100, 1), 16))
        let start = output.count
        output.resize(to: start + lineCount * 64)
        let lines = unsafe output.base + start
        unsafe lines.initializeMemory(as: UInt8.self, repeating: 0, count: lineCount * 64)
        for hash in hashes {
            let line = unsafe lines + UnsafeBloomFilter.lineOffset(hash, lineCount)
            var probe = UInt32(truncatingIfNeeded: hash)
            for _ in 0..<probeCount {
                let bit = Int(probe >> 23)
                let byte = unsafe line.load(fromByteOffset: bit >> 3, as: UInt8.self)
                unsafe line.storeBytes(of: byte | 1 << UInt8(bit & 7), toByteOffset: bit >> 3, as: UInt8.self)
                probe = probe &* UnsafeBloomFilter.probeFactor
            }
        }
        output.append(littleEndian: UInt32(lineCount))
        output.append(littleEndian: UInt32(probeCount))
    }
}

/// A filter block as read from a table; immutable.
@safe
final class UnsafeBloomFilter: Sendable {
    static let probeFactor: UInt32 = 0x9E37_79B9

    private let contents: UnsafeBlockBytes
    private let lineCount: Int
    private let probeCount: Int

    /// Checks the shape that Docs/FORMATS.md asks for.
    init(_ contents: consuming UnsafeBlockBytes, location: BlockLocation) throws {
        let count = contents.count
        guard count >= 72 else { throw location.corruption("The filter is too short.") }
        lineCount = unsafe Int(readInteger(contents.base, count - 8, as: UInt32.self))
        probeCount = unsafe Int(readInteger(contents.base, count - 4, as: UInt32.self))
        guard lineCount >= 1, lineCount * 64 + 8 == count, 1...16 ~= probeCount else {
            throw location.corruption("The filter's size or probe count is impossible.")
        }
        self.contents = contents
    }

    var byteCount: Int { contents.count }

    /// False only if the key was never added.
    func mayContain(_ key: UnsafeRawBufferPointer) -> Bool {
        unsafe mayContain(hash: xxHash64(key))
    }

    /// - Parameter hash: `xxHash64` of the key.
    func mayContain(hash: UInt64) -> Bool {
        let line = unsafe contents.base + Self.lineOffset(hash, lineCount)
        var probe = UInt32(truncatingIfNeeded: hash)
        for _ in 0..<probeCount {
            let bit = Int(probe &>> 23)
            let byte = unsafe line.load(fromByteOffset: bit &>> 3, as: UInt8.self)
            guard byte & (1 &<< UInt8(bit & 7)) != 0 else { return false }
            probe = probe &* Self.probeFactor
        }
        return true
    }

    @inline(__always)
    static func lineOffset(_ hash: UInt64, _ lineCount: Int) -> Int {
        Int(((hash &>> 32) &* UInt64(lineCount)) &>> 32) &* 64
    }
}
