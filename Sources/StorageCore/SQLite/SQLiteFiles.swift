// SQLiteFiles.swift — the files that SQLite works on, opened through the storage's file system.
//
// SQLite asks a VFS for everything it wants of the operating system. This one hands it the storage's `FileSystem`, so the
// simulated disk stands under a database as it does under the log-structured tree, one descriptor serves all
// connections, and the storage can sync the log itself. Each storage registers a VFS of its own.

internal import CSQLite
internal import CStorage
internal import Synchronization

@safe final class SQLiteFiles: @unchecked Sendable {  // pointers are set once; the rest is guarded by mutexes
    private struct Open {
        var node: SQLiteNode
        var userCount: Int
        var indexUserCount = 0
    }

    let fileSystem: any FileSystem
    let isReadOnly: Bool
    private let path: String
    /// The name under which connections ask for this VFS.
    let name: String
    private let vfs: UnsafeMutablePointer<sqlite3_vfs>
    private let nameBytes: UnsafeMutablePointer<CChar>
    private let open = Mutex<[String: Open]>([:])
    /// By thread: why SQLite's call failed. SQLite itself hands on numbers only.
    private let firstSyncFailure = Mutex<StorageError?>(nil)
    private let failures = Mutex<[UInt: StorageError]>([:])

    private static let count = Atomic<UInt64>(0)

    /// - Parameter path: The database; temporary files go beside it.
    init(_ fileSystem: any FileSystem, path: String, isReadOnly: Bool) {
        self.fileSystem = fileSystem
        self.path = path
        self.isReadOnly = isReadOnly
        name = "shopstream-\(Self.count.add(1, ordering: .relaxed).newValue)"
        let characters = Array(name.utf8CString)
        unsafe nameBytes = .allocate(capacity: characters.count)
        unsafe nameBytes.initialize(from: characters, count: characters.count)
        unsafe vfs = .allocate(capacity: 1)
        unsafe vfs.initialize(to: SQLiteVFS.callbacks())
        unsafe vfs.pointee.zName = UnsafePointer(nameBytes)
        unsafe vfs.pointee.pAppData = Unmanaged.passUnretained(self).toOpaque()
        _ = unsafe sqlite3_vfs_register(vfs, 0)
    }

    deinit {
        _ = unsafe sqlite3_vfs_unregister(vfs)
        unsafe vfs.deallocate()
        unsafe nameBytes.deallocate()
    }

    // MARK: Files

    /// Opens a file, or joins those who have it open.
    func openNode(_ path: String, creates: Bool) throws -> SQLiteNode {
        try open.withLock { open in
            if let found = open[path] {
                open[path] = Open(
                    node: found.node, userCount: found.userCount + 1, indexUserCount: found.indexUserCount)
                return found.node
            }
            let node = try makeNode(path, creates: creates)
            open[path] = Open(node: node, userCount: 1)
            return node
        }
    }

    private func makeNode(_ path: String, creates: Bool) throws -> SQLiteNode {
        let exists = try fileSystem.exists(path)
        if isReadOnly {
            return SQLiteNode(path: path, file: exists ? try fileSystem.open(path, .read) : nil, isNew: false)
        }
        guard exists || creates else { throw StorageError(.notFound, "There is no such file.", file: path) }
        do {
            return SQLiteNode(
                path: path, file: try fileSystem.open(path, exists ? .readWrite : .create), isNew: !exists)
        } catch let error as StorageError where error.code == .diskFull && path == self.path + "-wal" {
            // Reading goes without a log; the first write makes it.
            return SQLiteNode(path: path, file: nil, isNew: true)
        }
    }

    /// A file that is gone with its last reference.
    func openTemporary() throws -> SQLiteNode {
        let path = "\(path)-temporary-\(Self.count.add(1, ordering: .relaxed).newValue)"
        let file = try fileSystem.open(path, .createOrTruncate)
        try fileSystem.remove(path)
        return SQLiteNode(path: path, file: file, isNew: false)
    }

    func closeNode(_ node: SQLiteNode) throws {
        let isLast = open.withLock { open in
            guard let found = open[node.path], found.node === node else { return true }
            guard found.userCount > 1 else {
                open[node.path] = nil
                return true
            }
            open[node.path]?.userCount -= 1
            return false
        }
        if isLast { try node.file?.close() }
    }

    /// The node of a file that is open now.
    func existingNode(_ path: String) -> SQLiteNode? { open.withLock { $0[path]?.node } }

    func joinIndex(_ node: SQLiteNode) { open.withLock { $0[node.path]?.indexUserCount += 1 } }

    func leaveIndex(_ node: SQLiteNode) {
        open.withLock { open in
            guard let count = open[node.path]?.indexUserCount, count > 0 else { return }
            open[node.path]?.indexUserCount = count - 1
            if count == 1 { node.removeIndex() }
        }
    }

    // MARK: Failures

    /// The first sync of the database or its log that failed. What it left on the device is unknown, so nothing is
    /// written any more.
    var syncFailure: StorageError? { firstSyncFailure.withLock { $0 } }

    func noteSyncFailure(_ error: StorageError) { firstSyncFailure.withLock { $0 = $0 ?? error } }

    func sync(_ node: SQLiteNode) throws {
        do {
            try node.sync(fileSystem)
        } catch {
            if isOurs(node) { noteSyncFailure(StorageError(wrapping: error)) }
            throw error
        }
    }

    /// The file of a node that may be changed.
    func writableFile(_ node: SQLiteNode) throws -> any StorageFile {
        if let failure = syncFailure, isOurs(node) { throw failure }
        return try node.file {
            guard !isReadOnly else {
                throw StorageError(.readOnly, "The storage was opened read-only.", file: node.path)
            }
            return try fileSystem.open(node.path, .create)
        }
    }

    /// Whether a node belongs to the database, and not to a copy of it.
    private func isOurs(_ node: SQLiteNode) -> Bool {
        node.path == path || node.path == path + "-wal" || node.path == path + "-journal"
    }

    /// Keeps why a call of this thread failed, and says it in SQLite's numbers.
    func note(_ error: any Error, _ otherwise: Int32) -> Int32 {
        let error = StorageError(wrapping: error)
        failures.withLock { $0[UInt(cstorage_thread_identity())] = error }
        switch error.code {
        case .diskFull: return SQLITE_FULL
        case .readOnly: return SQLITE_READONLY
        default: return otherwise
        }
    }

    /// Why a call of this thread failed, once.
    func takeFailure() -> StorageError? {
        failures.withLock { $0.removeValue(forKey: UInt(cstorage_thread_identity())) }
    }
}
