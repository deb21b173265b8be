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

/// An open table file, as far as blocks go.
struct TableBlockFile: Sendable {
    let file: any StorageFile
    let path: String
    let fileNumber: UInt64
    let checksumSeed: UInt32
    /// Where the footer begins.
    let blocksByteCount: UInt64

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
    func readBlock(_ handle: BlockHandle) throws -> Block {
        try Block(readContents(handle), location: location(handle))
    }

    /// Reads a block's contents, checks them and decompresses them.
    func readContents(_ handle: BlockHandle) throws -> UnsafeBlockBytes {
        let storedByteCount = try checkedByteCount(handle)
        let totalByteCount = storedByteCount + TableFormat.blockTrailerByteCount
        var stored = UnsafeBlockBytes(count: totalByteCount)
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: stored.base, count: totalByteCount)
        guard unsafe try file.read(into: buffer, at: Int64(handle.offset)) == totalByteCount else {
            throw location(handle).corruption("The table ends inside a block.")
        }
        let seed = blockChecksumSeed(checksumSeed, offset: handle.offset)
        let checksum = unsafe cstorage_crc32c(seed, stored.base, storedByteCount + 1)
        guard unsafe checksum == readInteger(stored.base, storedByteCount + 1, as: UInt32.self) else {
            throw location(handle).corruption("The block fails its checksum.")
        }
        let code = unsafe BlockCompressionCode(
            rawValue: stored.base.load(fromByteOffset: storedByteCount, as: UInt8.self))
        stored.truncate(to: storedByteCount)
        guard let code else { throw location(handle).corruption("The block's compression does not exist.") }
        if code == .none { return stored }
        guard let contents = unsafe decompressBlock(stored.bytes, code) else {
            throw location(handle).corruption("The block can't be decompressed.")
        }
        return contents
    }

    /// The size of a block that lies wholly before the footer.
    private func checkedByteCount(_ handle: BlockHandle) throws -> Int {
        let trailer = UInt64(TableFormat.blockTrailerByteCount)
        guard blocksByteCount >= trailer, handle.byteCount <= blocksByteCount - trailer,
            handle.offset <= blocksByteCount - trailer - handle.byteCount
        else { throw location(handle).corruption("A block handle leads outside the table.") }
        return Int(handle.byteCount)
    }
}
