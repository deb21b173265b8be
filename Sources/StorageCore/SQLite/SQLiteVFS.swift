// SQLiteVFS.swift — the callbacks through which SQLite opens, reads, writes, locks and syncs.
//
// https://www.sqlite.org/c3ref/io_methods.html and vfs.html say what each has to do. None of them lets an error out: it
// is noted with the storage's files and answered with SQLite's number for it.

internal import CSQLite
internal import CStorage

/// A file as one connection has it open.
@safe final class SQLiteOpenFile {
    let node: SQLiteNode
    let files: SQLiteFiles
    var level = SQLiteNode.Level.none
    var indexLocks = SQLiteNode.IndexLocks()
    var usesIndex = false

    init(_ node: SQLiteNode, _ files: SQLiteFiles) {
        self.node = node
        self.files = files
    }

    func leaveIndex() {
        guard usesIndex else { return }
        node.unlockIndex(0..<Int(SQLITE_SHM_NLOCK), &indexLocks)
        usesIndex = false
        files.leaveIndex(node)
    }
}

enum SQLiteVFS {
    // MARK: The file system

    static func callbacks() -> sqlite3_vfs {
        var vfs = unsafe sqlite3_vfs()
        unsafe vfs.iVersion = 2
        unsafe vfs.szOsFile = Int32(MemoryLayout<csqlite_file>.size)
        unsafe vfs.mxPathname = 4096
        unsafe vfs.xOpen = { unsafe SQLiteVFS.open($0, $1, $2, $3, $4) }
        unsafe vfs.xDelete = { vfs, name, syncsDirectory in unsafe SQLiteVFS.delete(vfs, name, syncsDirectory != 0) }
        unsafe vfs.xAccess = { vfs, name, _, result in unsafe SQLiteVFS.access(vfs, name, result) }
        unsafe vfs.xFullPathname = { _, name, count, result in
            // Paths are made absolute before SQLite sees them.
            guard let name = unsafe name, let result = unsafe result else { return SQLITE_CANTOPEN }
            let characters = unsafe String(cString: name).utf8CString
            guard characters.count <= count else { return SQLITE_CANTOPEN }
            for index in characters.indices { unsafe result[index] = characters[index] }
            return SQLITE_OK
        }
        unsafe vfs.xRandomness = { _, count, result in
            guard let result = unsafe result else { return 0 }
            var random = SystemRandomNumberGenerator()
            for index in 0..<Int(count) { unsafe result[index] = CChar(truncatingIfNeeded: random.next()) }
            return count
        }
        unsafe vfs.xSleep = { _, microseconds in
            csqlite_sleep(microseconds)
            return microseconds
        }
        unsafe vfs.xCurrentTimeInt64 = { _, result in
            // Milliseconds since noon of 24 November 4714 BC.
            unsafe result?.pointee = cstorage_wall_clock_microseconds() / 1000 + 210_866_760_000_000
            return SQLITE_OK
        }
        unsafe vfs.xGetLastError = { _, _, _ in 0 }
        return unsafe vfs
    }

    private static func files(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> SQLiteFiles? {
        unsafe (vfs?.pointee.pAppData).map { unsafe Unmanaged<SQLiteFiles>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func open(
        _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?,
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let file = unsafe file, let files = unsafe files(vfs) else { return SQLITE_CANTOPEN }
        unsafe file.pointee.pMethods = nil
        do {
            let node: SQLiteNode
            if let name = unsafe name {
                node = try files.openNode(unsafe String(cString: name), creates: flags & SQLITE_OPEN_CREATE != 0)
            } else {
                node = try files.openTemporary()
            }
            let object = unsafe Unmanaged.passRetained(SQLiteOpenFile(node, files)).toOpaque()
            unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: csqlite_file.self).pointee.object = object
            unsafe file.pointee.pMethods = UnsafePointer(SQLiteFileCallbacks.methods)
            let access = files.isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
            unsafe outFlags?.pointee = flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_READONLY) | access
            return SQLITE_OK
        } catch {
            return files.note(error, SQLITE_CANTOPEN)
        }
    }

    private static func delete(
        _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ syncsDirectory: Bool
    ) -> Int32 {
        guard let name = unsafe name, let files = unsafe files(vfs) else { return SQLiteFailure.delete }
        let path = unsafe String(cString: name)
        do {
            guard try files.fileSystem.exists(path) else { return SQLiteFailure.deleteMissing }
            try files.fileSystem.remove(path)
            if syncsDirectory { try files.fileSystem.syncDirectory(FilePathText.parent(of: path)) }
            return SQLITE_OK
        } catch {
            return files.note(error, SQLiteFailure.delete)
        }
    }

    /// Whether a file is there and has content.
    private static func access(
        _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ result: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let name = unsafe name, let files = unsafe files(vfs) else { return SQLiteFailure.access }
        let path = unsafe String(cString: name)
        do {
            var isThere = try files.fileSystem.exists(path)
            if isThere { isThere = try files.byteCount(path) > 0 }
            unsafe result?.pointee = isThere ? 1 : 0
            return SQLITE_OK
        } catch {
            return files.note(error, SQLiteFailure.access)
        }
    }
}

extension SQLiteFiles {
    fileprivate func byteCount(_ path: String) throws -> Int64 {
        if let node = existingNode(path) { return try node.file?.byteCount() ?? 0 }
        let file = try fileSystem.open(path, .read)
        let count = try file.byteCount()
        try file.close()
        return count
    }
}
