// FileSystem+WholeFiles.swift — array forms of reading and writing, for small files and cold paths.

extension StorageFile {
    /// Writes all the bytes.
    public func write(_ bytes: [UInt8], at offset: Int64) throws {
        try unsafe bytes.withUnsafeBytes { try unsafe write($0, at: offset) }
    }

    /// The bytes from `offset` on, `byteCount` of them or as many as there are to the end of the file.
    public func read(at offset: Int64, byteCount: Int) throws -> [UInt8] {
        try unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initializedCount in
            initializedCount = try unsafe read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
    }

    /// The whole content.
    ///
    /// - Throws: `.ioFailure` if the file doesn't fit into memory.
    public func readAll() throws -> [UInt8] {
        guard let count = Int(exactly: try byteCount()) else {
            throw StorageError(.ioFailure, "The file is too large to be read at once.", file: path)
        }
        return try read(at: 0, byteCount: count)
    }
}

extension FileSystem {
    /// The whole content of the file at a path.
    public func readAll(_ path: String) throws -> [UInt8] {
        let file = try open(path, .read)
        let bytes = try file.readAll()
        try file.close()
        return bytes
    }

    /// Writes a file in the place of what is there: whatever happens, one of the two is there whole. Its name is synced with the
    /// directory.
    func replaceSynced(_ path: String, with bytes: [UInt8]) throws {
        let unfinished = path + UnfinishedFile.suffix
        try writeSynced(bytes, to: unfinished)
        try rename(unfinished, to: path)
    }

    /// Writes a file anew and brings it to the device; its name is synced with the directory.
    func writeSynced(_ bytes: [UInt8], to path: String) throws {
        let file = try open(path, .createOrTruncate)
        do {
            try file.write(bytes, at: 0)
            try file.sync()
        } catch {
            try? file.close()
            throw error
        }
        try file.close()
    }
}

enum UnfinishedFile {
    /// Behind the name that the file will have.
    static let suffix = ".new"
}
