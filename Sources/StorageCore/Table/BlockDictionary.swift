// BlockDictionary.swift — what the data blocks of a table have in common, so that zstd need not find it anew in each.

internal import CZstd
internal import StorageTypes

/// The dictionary of an open table.
@safe
final class BlockDictionary: @unchecked Sendable {  // immutable
    private let digested: OpaquePointer

    /// Nil for bytes that are no dictionary.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard unsafe Self.isDictionary(bytes), let digested = unsafe ZSTD_createDDict(bytes.baseAddress, bytes.count)
        else { return nil }
        unsafe self.digested = unsafe digested
    }

    deinit { _ = unsafe ZSTD_freeDDict(digested) }

    var memoryByteCount: Int { unsafe ZSTD_sizeof_DDict(digested) }

    /// The number of bytes written, or an error of zstd's.
    func decompress(
        _ payload: UnsafeRawBufferPointer, into target: borrowing UnsafeBlockBytes, _ context: OpaquePointer
    ) -> Int {
        unsafe ZSTD_decompress_usingDDict(
            context, target.base, target.count, payload.baseAddress, payload.count, digested)
    }

    /// Whether it was trained: zstd would take any other bytes as they are.
    private static func isDictionary(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe ZDICT_getDictID(bytes.baseAddress, bytes.count) != 0
    }
}

/// Makes dictionaries for the outputs of a compaction of samples of its input.
enum DictionaryTraining {
    /// Bytes of samples for one of the dictionary, as zstd's manual advises.
    private static let sampleFactor = 100
    static let largestByteCount = 128 << 10

    /// The dictionary that outputs of this compression carry; empty where none was asked for, where the input is too small for
    /// one, or where samples show that it does not pay.
    static func dictionary(
        for compression: TableCompression, from tables: [TableFile], blockByteCount: Int
    ) throws -> [UInt8] {
        guard compression.dictionaryByteCount > 0 else { return [] }
        // Of one that is smaller than a block, zstd makes poor use.
        let byteCount = min(max(compression.dictionaryByteCount, blockByteCount), largestByteCount)
        let available = tables.reduce(0) { $0 + $1.metadata.rawByteCount }
        guard available / sampleFactor >= byteCount else { return [] }
        var samples = BlockSamples()
        for table in tables {
            // Each gives its share, from places that are evenly spaced.
            let share = Double(byteCount * sampleFactor) * Double(table.metadata.rawByteCount) / Double(available)
            let count = Int((share / Double(blockByteCount)).rounded(.up))
            let reader = try table.open()
            for place in 0..<count {
                guard let block = try reader.dataBlock(at: (Double(place) + 0.5) / Double(count)) else { break }
                samples.append(block)
            }
        }
        let dictionary = samples.train(byteCount: byteCount)
        return samples.isSmaller(with: dictionary, compression) ? dictionary : []
    }
}

/// The contents of data blocks, one behind the other.
struct BlockSamples {
    private var bytes: [UInt8] = []
    private var byteCounts: [Int] = []
    /// What a dictionary has to save of them.
    private static let leastSaving = 0.05

    mutating func append(_ block: Block) {
        unsafe append(UnsafeRawBufferPointer(start: block.entries.base, count: block.contentsByteCount))
        extendLifetime(block)
    }

    mutating func append(_ contents: UnsafeRawBufferPointer) {
        unsafe bytes.append(contentsOf: contents)
        byteCounts.append(contents.count)
    }

    /// A dictionary of what the samples have in common; empty where zstd finds nothing.
    func train(byteCount: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { target, count in
            let result = unsafe ZDICT_trainFromBuffer(
                target.baseAddress, byteCount, bytes, byteCounts, UInt32(byteCounts.count))
            count = ZDICT_isError(result) != 0 ? 0 : result
        }
    }

    /// Whether the samples are smaller by a twentieth, at least, if they are compressed with the dictionary.
    func isSmaller(with dictionary: [UInt8], _ compression: TableCompression) -> Bool {
        guard !dictionary.isEmpty else { return false }
        var compressor = UnsafeBlockCompressor(compression, dictionary: dictionary)
        var (without, with) = (0, 0)
        unsafe bytes.withUnsafeBytes { bytes in
            var offset = 0
            for byteCount in byteCounts {
                let contents = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + byteCount])
                offset += byteCount
                unsafe without += compressor.compress(contents).0.count
                unsafe with += compressor.compress(contents, usesDictionary: true).0.count
            }
        }
        return Double(with) < Double(without) * (1 - Self.leastSaving)
    }
}

extension TableReader {
    /// The data block at about this part of the table, past the cache; nil if there is none.
    fileprivate func dataBlock(at fraction: Double) throws -> Block? {
        let place = fraction * Double(topIndex.restartCount)
        guard let partition = try entry(topIndex, Int(place)) else { return nil }
        let rest = place - place.rounded(.down)
        return try entry(partition, Int(rest * Double(partition.restartCount)))
    }

    /// The block that an entry of an index block leads to.
    private func entry(_ index: Block, _ position: Int) throws -> Block? {
        guard position < index.restartCount else { return nil }
        let entry = try index.entry(atRestart: position)
        let handle = unsafe try blockHandle(index.entries.value(entry), in: index)
        return try blocks.readBlock(handle, isSearched: false)
    }
}
