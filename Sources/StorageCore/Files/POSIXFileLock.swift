// POSIXFileLock.swift — the lock that keeps a second storage away from a directory.
//
// The system's lock belongs to an open file description, so two opens exclude each other even inside one process. Where
// a file system only pretends to lock, the registry still does its part for this process.

internal import CStorage
internal import StorageTypes
internal import Synchronization

final class POSIXFileLock: FileLock {
    /// A file, whatever the path it was reached by.
    private struct Identity: Hashable {
        var device: UInt64 = 0
        var inode: UInt64 = 0
    }

    /// What is locked, and in which generation of forks.
    private static let held = Mutex<[Identity: UInt32]>([:])

    private let identity: Identity
    private let descriptor: Mutex<Int32?>

    /// Locks the file at a path, created if missing.
    init(path: String) throws {
        let descriptor = try unsafe POSIXFileSystem.checked(cstorage_open(path, Self.lockFileMode), "open", path)
        do {
            var identity = Identity()
            try unsafe POSIXFileSystem.check(
                cstorage_identity(descriptor, &identity.device, &identity.inode), "fstat", path)
            try Self.register(identity, path: path)
            do {
                try Self.acquire(descriptor, path: path)
            } catch {
                Self.unregister(identity)
                throw error
            }
            self.identity = identity
            self.descriptor = Mutex(descriptor)
        } catch {
            _ = cstorage_close(descriptor)
            throw error
        }
    }

    deinit {
        release()
    }

    func release() {
        descriptor.withLock { descriptor in
            guard let open = descriptor else { return }
            // Closing the description releases the system's lock; only then may this process try again.
            _ = cstorage_close(open)
            Self.unregister(identity)
            descriptor = nil
        }
    }

    private static let lockFileMode: Int32 = 4

    private static func register(_ identity: Identity, path: String) throws {
        let generation = cstorage_fork_generation()
        let holder = held.withLock { held in
            defer { held[identity] = held[identity] ?? generation }
            return held[identity]
        }
        guard let holder else { return }
        throw StorageError(
            .locked,
            holder == generation
                ? "This process has the storage open already: use that instance, or close it."
                : "The storage was open when this process was forked, and belongs to its parent: close it there, and open it "
                    + "in a process that was started anew.", file: path)
    }

    private static func unregister(_ identity: Identity) {
        _ = held.withLock { $0.removeValue(forKey: identity) }
    }

    private static func acquire(_ descriptor: Int32, path: String) throws {
        let result = cstorage_lock(descriptor)
        if result == -SystemErrorNumber.wouldBlock.rawValue {
            throw StorageError(.locked, "Another process has the storage open: close it there first.", file: path)
        }
        try POSIXFileSystem.check(result, "fcntl", path)
    }
}
