// FailureLatch.swift — the first failure that leaves it unknown what is on the device, and files that report it.
//
// After a failed sync nothing may be assumed about the bytes, or the names, that it was to make durable, nor would a
// second call that succeeds prove anything: the system may have dropped what it could not write (FileSystem.swift, 3). So
// the first such failure is final for everything that this storage writes: log, tables, manifest and names.

internal import Synchronization

final class FailureLatch: Sendable {
    private let first = Mutex<StorageError?>(nil)
    private let hasFailed = Atomic<Bool>(false)
    private let wasReported = Atomic<Bool>(false)

    /// The refusal of everything that would be written from now on; nil while nothing has failed.
    var refusal: StorageError? {
        guard hasFailed.load(ordering: .acquiring) else { return nil }
        return StorageError(
            .poisoned,
            "An earlier write or sync failed and left it unknown what is on the device; reads go on, writes are refused "
                + "until the storage is opened again.", cause: first.withLock { $0 })
    }

    /// The refusal, for somebody who calls the storage and will be told.
    var reportedRefusal: StorageError? {
        guard let refusal else { return nil }
        wasReported.store(true, ordering: .relaxed)
        return refusal
    }

    /// The refusal if there was no call yet that it could have been told to.
    var unreportedRefusal: StorageError? { wasReported.load(ordering: .relaxed) ? nil : reportedRefusal }

    /// Keeps the first failure.
    func set(_ failure: any Error) {
        first.withLock { $0 = $0 ?? StorageError(wrapping: failure) }
        hasFailed.store(true, ordering: .releasing)
    }

    /// Runs a sync, unless one has failed before. One that was not even attempted leaves nothing unknown.
    func watching(_ sync: () throws -> Void) throws {
        if let refusal { throw refusal }
        do {
            try sync()
        } catch {
            if !((error as? StorageError)?.cause is UnattemptedSync) { set(error) }
            throw error
        }
    }
}

/// The cause of the failure of a sync for which the device was asked nothing: what it was to sync could not be opened.
struct UnattemptedSync: Error, CustomStringConvertible {
    let description = "nothing was synced"
}

/// The files that a storage writes: a sync that fails, of a file or of a directory, is the last one.
struct WatchedFileSystem: FileSystem {
    let base: any FileSystem
    let latch: FailureLatch

    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
        let file = try base.open(path, mode)
        return mode == .read ? file : WatchedFile(file, latch)
    }

    func syncDirectory(_ path: String) throws { try latch.watching { try base.syncDirectory(path) } }

    func resolve(_ path: String) throws -> String { try base.resolve(path) }
    func exists(_ path: String) throws -> Bool { try base.exists(path) }
    func list(_ directory: String) throws -> [String] { try base.list(directory) }
    func createDirectory(_ path: String) throws { try base.createDirectory(path) }
    func remove(_ path: String) throws { try base.remove(path) }
    func removeDirectory(_ path: String) throws { try base.removeDirectory(path) }
    func rename(_ from: String, to: String) throws { try base.rename(from, to: to) }
    func link(_ from: String, to: String) throws { try base.link(from, to: to) }
    func lock(_ path: String) throws -> any FileLock { try base.lock(path) }
    func freeByteCount(_ path: String) throws -> Int64 { try base.freeByteCount(path) }
}

private final class WatchedFile: StorageFile {
    private let file: any StorageFile
    private let latch: FailureLatch

    init(_ file: any StorageFile, _ latch: FailureLatch) {
        self.file = file
        self.latch = latch
    }

    var path: String { file.path }

    func sync() throws { try latch.watching { try file.sync() } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        unsafe try file.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        unsafe try file.write(bytes, at: offset)
    }

    func byteCount() throws -> Int64 { try file.byteCount() }
    func truncate(to byteCount: Int64) throws { try file.truncate(to: byteCount) }
    func allocate(byteCount: Int64) throws { try file.allocate(byteCount: byteCount) }
    func startWriteBack(from offset: Int64, byteCount: Int64) {
        file.startWriteBack(from: offset, byteCount: byteCount)
    }
    func willRead(from offset: Int64, byteCount: Int) { file.willRead(from: offset, byteCount: byteCount) }
    func map(byteCount: Int64) throws -> (any FileMapping)? { try file.map(byteCount: byteCount) }
    var prefersMapping: Bool { file.prefersMapping }
    func close() throws { try file.close() }
}
