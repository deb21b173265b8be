// TableBlockFile.swift — reads blocks of one table, one `pread` each, and lets only intact ones pass.

internal import CStorage
internal import StorageTypes

/// The first part of every block checksum: what makes a block belong to this file.
func tableChecksumSeed(salt: UInt64, fileNumber: UInt64) -> UInt32 {
    let words = (salt.littleEndian, fileNumber.littleEndian)
    return unsafe withUnsafeBytes(of: words) { unsafe cstorage_crc32c(0, $0.baseAddress, $0.count) }
}

/// Extends a table's checksum seed by the offset of a block; its contents and compression byte follow.
func blockChecksumSeed(_ tableSeed: UInt32, offset: UInt64) -> UInt32 {
    unsafe withUnsafeBytes(of: offset.littleEndian) { unsafe cstorage_crc32c(tableSeed, $0.baseAddress, $0.count) }
}

/// A CRC as it is stored inside a file. Unmasked it would be useless there to a checksum over the whole file: the CRC of any
/// bytes followed by their own CRC depends only on how many there are.
func maskedChecksum(_ checksum: UInt32) -> UInt32 {
    (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
}

/// An open table file, as far as blocks go.
struct TableBlockFile: Sendable {
    let file: any StorageFile
    let path: String
    let fileNumber: UInt64
    let checksumSeed: UInt32
    /// Where the footer begins.
    let blocksByteCount: UInt64
    /// What data blocks need that were compressed with one.
    var dictionary: BlockDictionary?

    init(file: any StorageFile, path: String, footer: TableFooter) {
        self.file = file
        self.path = path
        fileNumber = footer.fileNumber
        checksumSeed = tableChecksumSeed(salt: footer.salt, fileNumber: footer.fileNumber)
        blocksByteCount = footer.fileByteCount - UInt64(TableFooter.byteCount)
    }

    func location(_ handle: BlockHandle) -> BlockLocation {
        BlockLocation(path: path, offset: handle.offset)
    }

    /// Reads and checks an entry block.
    ///
    /// - Parameter isSearched: Whether to prepare for searches; not worth it for a block that is walked once.
    func readBlock(_ handle: BlockHandle, isSearched: Bool = true) throws -> Block {
        try Block(
            readContents(handle, isSearched: isSearched), location: location(handle), isSearched: isSearched)
    }

    /// Reads a block's contents, checks them and decompresses them.
    ///
    /// - Parameter isSearched: Whether the contents need a reserve in front of them for a directory.
    func readContents(_ handle: BlockHandle, isSearched: Bool = false) throws -> UnsafeBlockBytes {
        let storedByteCount = try checkedByteCount(handle)
        let totalByteCount = storedByteCount + TableFormat.blockTrailerByteCount
        let reserve = isSearched ? UnsafeRestartDirectory.expectedByteCount(contents: storedByteCount) : 0
        var stored = UnsafeBlockBytes(count: totalByteCount, reserve: reserve)
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: stored.base, count: totalByteCount)
        guard unsafe try file.read(into: buffer, at: Int64(handle.offset)) == totalByteCount else {
            throw location(handle).corruption("The table ends inside a block.")
        }
        let seed = blockChecksumSeed(checksumSeed, offset: handle.offset)
        let checksum = unsafe cstorage_crc32c(seed, stored.base, storedByteCount + 1)
        guard unsafe maskedChecksum(checksum) == readInteger(stored.base, storedByteCount + 1, as: UInt32.self) else {
            throw location(handle).corruption("The block fails its checksum.")
        }
        let code = unsafe BlockCompressionCode(
            rawValue: stored.base.load(fromByteOffset: storedByteCount, as: UInt8.self) & 0x0F)
        stored.truncate(to: storedByteCount)
        guard let code else { throw location(handle).corruption("The block's compression does not exist.") }
        if code == .none { return stored }
        if code == .zstdWithDictionary, dictionary == nil {
            throw location(handle).corruption("The block was compressed with a dictionary, and the table has none.")
        }
        guard let contents = unsafe decompressBlock(stored.bytes, code, dictionary, isSearched: isSearched) else {
            throw location(handle).corruption("The block can't be decompressed.")
        }
        return contents
    }

    func readDictionary(_ handle: BlockHandle) throws -> BlockDictionary {
        let contents = try readContents(handle)
        guard let dictionary = unsafe BlockDictionary(contents.bytes) else {
            throw location(handle).corruption("The table's dictionary is none of zstd's.")
        }
        return dictionary
    }

    /// What the block at a handle, which was read before, says that it holds; nil if that is nothing known.
    func kind(_ handle: BlockHandle) throws -> BlockKind? {
        let byte = try file.read(at: Int64(handle.offset + handle.byteCount), byteCount: 1)
        return byte.first.flatMap { BlockKind(rawValue: $0 >> 4) }
    }

    /// CRC-32C of the file's first `byteCount` bytes.
    func checksum(upTo byteCount: UInt64) throws -> UInt32 {
        let chunk = UnsafeBlockBytes(count: 256 << 10)
        var checksum: UInt32 = 0
        var offset: UInt64 = 0
        while offset < byteCount {
            let count = Int(min(byteCount - offset, UInt64(chunk.count)))
            let buffer = unsafe UnsafeMutableRawBufferPointer(start: chunk.base, count: count)
            guard unsafe try file.read(into: buffer, at: Int64(offset)) == count else {
                throw BlockLocation(path: path, offset: offset).corruption("The table ends inside a block.")
            }
            checksum = unsafe cstorage_crc32c(checksum, chunk.base, count)
            offset += UInt64(count)
        }
        return checksum
    }

    /// Where a block lies with its trailer; nil if that is not wholly before the footer.
    func storedRange(_ handle: BlockHandle) -> Range<UInt64>? {
        guard let byteCount = try? checkedByteCount(handle) else { return nil }
        return handle.offset..<(handle.offset + UInt64(byteCount + TableFormat.blockTrailerByteCount))
    }

    /// The size of a block that lies wholly before the footer.
    private func checkedByteCount(_ handle: BlockHandle) throws -> Int {
        let trailer = UInt64(TableFormat.blockTrailerByteCount)
        guard blocksByteCount >= trailer, handle.byteCount <= blocksByteCount - trailer,
            handle.offset <= blocksByteCount - trailer - handle.byteCount,
            handle.offset >= UInt64(TableHeader.byteCount)
        else { throw location(handle).corruption("A block handle leads outside the table.") }
        return Int(handle.byteCount)
    }
}
