// POSIXFileSystem.swift — the operating system's files, through the calls of CStorage.

internal import CStorage
internal import StorageTypes

/// The operating system's file system.
///
/// Durable means `fdatasync` (Linux) or `F_FULLFSYNC` (Darwin) for files and `fsync` for directories: as durable as the
/// device keeps its promises. Descriptors are closed on `exec`. Nothing here may be used in the child after a `fork`:
/// locks are shared with the parent then.
public struct POSIXFileSystem: FileSystem {
    public init() {}

    public func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
        try unsafe POSIXFile(path: path, descriptor: Self.checked(cstorage_open(path, mode.number), "open", path))
    }

    public func exists(_ path: String) throws -> Bool {
        try unsafe Self.checked(cstorage_exists(path), "stat", path) == 1
    }

    public func list(_ directory: String) throws -> [String] {
        var failure: Int32 = 0
        guard let stream = unsafe cstorage_open_directory(directory, &failure) else {
            throw StorageError.systemCall("opendir", SystemErrorNumber(rawValue: failure), path: directory)
        }
        defer { unsafe cstorage_close_directory(stream) }
        var names: [String] = []
        while let name = unsafe cstorage_next_name(stream, &failure) {
            names.append(unsafe String(cString: name))
        }
        guard failure == 0 else {
            throw StorageError.systemCall("readdir", SystemErrorNumber(rawValue: failure), path: directory)
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    public func createDirectory(_ path: String) throws {
        var missing: [String] = []
        var directory = FilePathText.withoutTrailingSlashes(path)
        while try !isDirectory(directory) {
            missing.append(directory)
            let parent = FilePathText.parent(of: directory)
            guard parent != directory else { break }
            directory = parent
        }
        for directory in missing.reversed() {
            try makeDirectory(directory)
        }
    }

    private func isDirectory(_ path: String) throws -> Bool {
        try unsafe Self.checked(cstorage_is_directory(path), "stat", path) == 1
    }

    private func makeDirectory(_ path: String) throws {
        let result = unsafe cstorage_make_directory(path)
        if result == -SystemErrorNumber.fileExists.rawValue, try isDirectory(path) {
            return  // Another process was faster; it syncs the name, or a crash takes both.
        }
        try Self.check(result, "mkdir", path)
        // The name lives in the parent. A parent we may write but not read can't be opened for a sync: its owner made
        // it so, and that must not stop the storage from opening.
        let parent = FilePathText.parent(of: path)
        var isOpened: Int32 = 0
        let synced = unsafe cstorage_sync_directory(parent, &isOpened)
        guard synced != -SystemErrorNumber.accessDenied.rawValue else { return }
        try Self.check(synced, "fsync", parent)
    }

    public func remove(_ path: String) throws {
        try unsafe Self.check(cstorage_remove(path), "unlink", path)
    }

    public func removeDirectory(_ path: String) throws {
        try unsafe Self.check(cstorage_remove_directory(path), "rmdir", path)
    }

    public func rename(_ from: String, to: String) throws {
        try unsafe Self.check(cstorage_rename(from, to), "rename", from)
    }

    public func link(_ from: String, to: String) throws {
        let result = unsafe cstorage_link(from, to)
        if result < 0, SystemErrorNumber(rawValue: -result).forbidsHardLink {
            try copy(from, to: to)
        } else {
            try Self.check(result, "link", result == -SystemErrorNumber.fileExists.rawValue ? to : from)
        }
    }

    public func syncDirectory(_ path: String) throws {
        var isOpened: Int32 = 0
        let result = unsafe cstorage_sync_directory(path, &isOpened)
        guard result < 0, isOpened == 0 else { return try Self.check(result, "fsync", path) }
        throw StorageError.systemCall(
            "open", SystemErrorNumber(rawValue: -result), path: path, cause: UnattemptedSync())
    }

    public func lock(_ path: String) throws -> any FileLock {
        try POSIXFileLock(path: path)
    }

    public func resolve(_ path: String) throws -> String {
        var resolved = [CChar](repeating: 0, count: 4096)
        let capacity = Int32(resolved.count)
        let count = try unsafe Self.checked(cstorage_resolve(path, &resolved, capacity), "realpath", path)
        return String(decoding: resolved.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    public func freeByteCount(_ path: String) throws -> Int64 {
        let count = unsafe cstorage_free_byte_count(path)
        try Self.check(Int32(clamping: min(count, 0)), "statvfs", path)
        return count
    }

    @discardableResult
    static func checked(_ result: Int32, _ call: String, _ path: String) throws -> Int32 {
        guard result < 0 else { return result }
        throw StorageError.systemCall(call, SystemErrorNumber(rawValue: -result), path: path)
    }

    static func check(_ result: Int32, _ call: String, _ path: String) throws {
        try checked(result, call, path)
    }
}

extension FileSystem {
    /// A synced copy of a file under a new name; nothing is left of it if copying fails.
    func copy(_ from: String, to: String) throws {
        let source = try open(from, .read)
        let target = try open(to, .create)
        do {
            var offset: Int64 = 0
            while true {
                let chunk = try source.read(at: offset, byteCount: 1 << 20)
                if chunk.isEmpty { break }
                try target.write(chunk, at: offset)
                offset += Int64(chunk.count)
            }
            try target.sync()
            try target.close()
        } catch {
            // The first error is the one to report.
            try? remove(to)
            throw error
        }
        try source.close()
    }
}

extension FileMode {
    fileprivate var number: Int32 {
        switch self {
        case .read: 0
        case .readWrite: 1
        case .create: 2
        case .createOrTruncate: 3
        }
    }
}
