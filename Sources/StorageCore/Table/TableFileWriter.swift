// TableFileWriter.swift — appends blocks to a table file through one buffer, in large writes.

internal import CStorage
internal import StorageTypes

/// The growing end of a table file.
@safe
struct TableFileWriter: ~Copyable {
    private static let bufferByteCount = 256 << 10

    private let file: any StorageFile
    private let checksumSeed: UInt32
    private var compressor: UnsafeBlockCompressor
    private var buffer = UnsafeByteBuilder(capacity: bufferByteCount + (32 << 10))
    private var writtenByteCount: UInt64 = 0
    private var writtenChecksum: UInt32 = 0

    /// Begins the file with its header.
    ///
    /// - Parameter options: What it is compressed with.
    init(file: any StorageFile, header: TableHeader, options: TableOptions) {
        self.file = file
        checksumSeed = header.checksumSeed
        compressor = UnsafeBlockCompressor(options.compression, dictionary: options.dictionary)
        append(raw: header.encoded())
    }

    /// Bytes appended so far.
    var byteCount: UInt64 { writtenByteCount + UInt64(buffer.count) }

    /// Appends a block and returns where it is.
    mutating func append(block contents: UnsafeRawBufferPointer, _ kind: BlockKind) throws -> BlockHandle {
        let (stored, code) =
            unsafe kind.isCompressible
            ? compressor.compress(contents, usesDictionary: kind == .data) : (contents, .none)
        let handle = BlockHandle(offset: byteCount, byteCount: UInt64(stored.count))
        let start = buffer.count
        unsafe buffer.append(stored)
        buffer.append(byte: kind.rawValue << 4 | code.rawValue)
        let seed = blockChecksumSeed(checksumSeed, offset: handle.offset)
        let checksum = unsafe cstorage_crc32c(seed, buffer.base + start, buffer.count - start)
        buffer.append(littleEndian: maskedChecksum(checksum))
        if buffer.count >= Self.bufferByteCount { try flush() }
        return handle
    }

    /// Appends bytes that are no block: header and footer.
    mutating func append(raw bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe buffer.append($0) }
    }

    /// CRC-32C of everything appended so far.
    func checksum() -> UInt32 {
        unsafe cstorage_crc32c(writtenChecksum, buffer.base, buffer.count)
    }

    /// Hands the buffer to the file.
    mutating func flush() throws {
        guard buffer.count > 0 else { return }
        unsafe try file.write(buffer.bytes, at: Int64(writtenByteCount))
        file.startWriteBack(from: Int64(writtenByteCount), byteCount: Int64(buffer.count))
        writtenChecksum = checksum()
        writtenByteCount += UInt64(buffer.count)
        buffer.removeAll()
    }
}
