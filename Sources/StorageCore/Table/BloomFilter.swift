// BloomFilter.swift — answers "certainly absent" for a key without touching the table's blocks.
//
// Every key lives inside one 64-byte line, so that a question costs one cache miss. Layout: Docs/FORMATS.md, "Filter".

internal import CStorage

/// Gathers the hashes of a table's keys and lays them out: in one filter once their number is known, or in one for each
/// partition of the index.
struct BloomFilterBuilder {
    /// Those of keys whose partition has not been removed.
    private(set) var hashes: [UInt64] = []
    /// How many hashes there were at the end of each of these partitions.
    private var partitionEnds: [Int] = []
    private var removedHashCount = 0
    private let bitsPerKey: Int

    init(bitsPerKey: Int) {
        self.bitsPerKey = min(max(bitsPerKey, 0), 64)
    }

    /// To be called once for each distinct key of a partition, and each distinct group of its keys.
    mutating func add(_ key: UnsafeRawBufferPointer) {
        if bitsPerKey > 0 { unsafe hashes.append(xxHash64(key)) }
    }

    /// Ends a partition; keys that are added from here on belong to the next.
    mutating func endPartition() { partitionEnds.append(hashes.count) }

    /// Whether no key was added since the last partition ended.
    var isPartitionEmpty: Bool { hashes.count == partitionEnds.last ?? 0 }

    var partitionCount: Int { partitionEnds.count }

    var isEmpty: Bool { removedHashCount + hashes.count == 0 }

    /// Size of one filter over all keys.
    var byteCount: Int { byteCount(removedHashCount + hashes.count) }

    /// Size of one filter over the keys whose partition has not been removed.
    var remainingByteCount: Int { byteCount(hashes.count) }

    private func byteCount(_ keyCount: Int) -> Int { keyCount == 0 ? 0 : lineCount(keyCount) * 64 + 8 }

    private func lineCount(_ keyCount: Int) -> Int {
        min(max((keyCount * bitsPerKey + 511) / 512, 1), Int(UInt32.max))
    }

    /// Appends the contents of one filter over all keys. No partition may have been removed.
    func write(to output: inout UnsafeByteBuilder) { write(hashes[...], to: &output) }

    /// Appends the contents of the filter of a partition that has ended.
    func write(partition: Int, to output: inout UnsafeByteBuilder) {
        let start = partition == 0 ? 0 : partitionEnds[partition - 1]
        write(hashes[start..<partitionEnds[partition]], to: &output)
    }

    /// Forgets the hashes of the partitions that have ended; their filters were written.
    mutating func removePartitions() {
        let count = partitionEnds.last ?? 0
        removedHashCount += count
        hashes.removeSubrange(..<count)
        partitionEnds.removeAll(keepingCapacity: true)
    }

    private func write(_ hashes: ArraySlice<UInt64>, to output: inout UnsafeByteBuilder) {
        let lineCount = lineCount(hashes.count)
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
    let lines: UnsafeFilterLines

    /// Checks the shape that Docs/FORMATS.md asks for.
    init(_ contents: consuming UnsafeBlockBytes, location: BlockLocation) throws {
        unsafe lines = try UnsafeFilterLines(contents.bytes, location: location)
        self.contents = contents
    }

    var byteCount: Int { contents.count }

    /// False only if the key was never added.
    func mayContain(_ key: UnsafeRawBufferPointer) -> Bool {
        unsafe mayContain(hash: xxHash64(key))
    }

    /// - Parameter hash: `xxHash64` of the key.
    func mayContain(hash: UInt64) -> Bool { lines.mayContain(hash: hash) }

    @inline(__always)
    static func lineOffset(_ hash: UInt64, _ lineCount: Int) -> Int {
        Int(((hash &>> 32) &* UInt64(lineCount)) &>> 32) &* 64
    }
}

/// The bits of a filter, wherever they lie. Whoever uses it keeps the memory alive.
@safe
struct UnsafeFilterLines: @unchecked Sendable {
    // Guarded by immutability: nobody writes to a block's bytes.
    private let base: UnsafeRawPointer
    private let lineCount: Int
    private let probeCount: Int

    /// Checks the shape that Docs/FORMATS.md asks for.
    init(_ bytes: UnsafeRawBufferPointer, location: BlockLocation) throws {
        let count = bytes.count
        guard count >= 72, let base = bytes.baseAddress else { throw location.corruption("The filter is too short.") }
        lineCount = unsafe Int(readInteger(base, count - 8, as: UInt32.self))
        probeCount = unsafe Int(readInteger(base, count - 4, as: UInt32.self))
        guard lineCount >= 1, lineCount * 64 + 8 == count, 1...16 ~= probeCount else {
            throw location.corruption("The filter's size or probe count is impossible.")
        }
        unsafe self.base = base
    }

    /// The filter of an index partition: the value of its block's only entry.
    init(_ block: Block) throws {
        guard block.restartCount == 1, let entry = block.entries.entry(atRestart: 0) else {
            throw block.location.corruption("The block does not hold the filter of a partition.")
        }
        unsafe try self.init(block.entries.value(entry), location: block.location)
    }

    @inline(__always)
    func prefetch(hash: UInt64) { unsafe cstorage_prefetch(base + UnsafeBloomFilter.lineOffset(hash, lineCount)) }

    /// False only if the key with that hash was never added.
    @inline(__always)
    func mayContain(hash: UInt64) -> Bool {
        let line = unsafe base + UnsafeBloomFilter.lineOffset(hash, lineCount)
        var probe = UInt32(truncatingIfNeeded: hash)
        for _ in 0..<probeCount {
            let bit = Int(probe &>> 23)
            let byte = unsafe line.load(fromByteOffset: bit &>> 3, as: UInt8.self)
            guard byte & (1 &<< UInt8(bit & 7)) != 0 else { return false }
            probe = probe &* UnsafeBloomFilter.probeFactor
        }
        return true
    }
}
