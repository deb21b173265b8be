// TableFormat.swift — the numbers of the SSTable format that several types share. Docs/FORMATS.md, "SSTable", draws the bytes.

/// Limits and names of format version 1.
enum TableFormat {
    static let version: UInt32 = 1

    /// Kind and compression in one byte, and the checksum, behind every block's contents.
    static let blockTrailerByteCount = 5

    /// What a compressed block may declare as its size; larger contents are stored as they are.
    static let largestCompressibleByteCount = 64 << 20

    /// Key and value of one entry together, so that every offset inside a block fits 32 bits.
    static let largestEntryByteCount = 1 << 30

    static let largestSequence: UInt64 = (1 << 56) - 1

    static var noExpiry: Int64 { unsafe UnsafeEntry.noExpiry }

    enum MetaBlockName {
        static let dictionary = "dictionary.zstd"
        static let filter = "filter.bloom"
        static let filterIndex = "filter.index"
        static let index = "index"
        static let origin = "origin"
        static let properties = "properties"
        static let rangeTombstones = "rangeTombstones"
    }
}

/// What a block holds; the upper half of the byte behind its contents. Stored in files: do not renumber.
///
/// Readers go by the handles that lead to a block. The kind is for who has to make sense of a table without its index.
enum BlockKind: UInt8 {
    case data = 0
    case indexPartition = 1
    case topLevelIndex = 2
    case filter = 3
    case rangeTombstones = 4
    case origin = 5
    case properties = 6
    case metaIndex = 7
    case filterPartition = 8
    case filterIndex = 9
    /// The first block of its table, so that those that need it come behind it.
    case dictionary = 10

    /// Whether blocks of the kind are worth the attempt.
    var isCompressible: Bool {
        switch self {
        case .filter, .filterPartition, .dictionary: false
        default: true
        }
    }
}

/// Where a block lies in its file, and how many bytes its contents have there (the trailer not counted).
struct BlockHandle: Equatable, Sendable {
    var offset: UInt64
    var byteCount: UInt64

    init(offset: UInt64, byteCount: UInt64) {
        self.offset = offset
        self.byteCount = byteCount
    }

    /// Decodes a handle that fills `bytes` exactly; nil if it doesn't.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        var place = 0
        guard let offset = unsafe readVarint(base, &place, bytes.count),
            let byteCount = unsafe readVarint(base, &place, bytes.count),
            place == bytes.count
        else { return nil }
        self.init(offset: offset, byteCount: byteCount)
    }
}
