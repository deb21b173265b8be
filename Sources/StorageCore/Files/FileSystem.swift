// FileSystem.swift — the files a storage stands on, as a parameter: the operating system's, or a simulated disk.
//
// The contract both implementations keep, and the only one the layers above may rely on:
//  1. A write is visible to every later read of the file at once. It survives a power cut only after a `sync()` of that
//     file that began after the write returned; until then any part of it, in units of a sector, may or may not survive.
//  2. A name (created, linked, renamed, removed) survives a power cut only after a `syncDirectory` of its directory.
//     Syncing a file does not make its name durable, syncing a directory does not make the files' bytes durable.
//  3. After a failed `sync()` nothing may be assumed about the bytes it was to make durable, nor that a second call
//     would make them so.

/// How a file is opened.
public enum FileMode: Sendable, Hashable, CaseIterable {
    /// For reading; the file must exist.
    case read
    /// For reading and writing; the file must exist.
    case readWrite
    /// For reading and writing; the file must not exist (`StorageError.Code.alreadyExists`).
    case create
    /// For reading and writing; an existing file loses its content.
    case createOrTruncate
}

/// Files and directories by path. Relative paths begin at the process's working directory.
///
/// Every call throws `StorageError`: `.notFound`, `.alreadyExists`, `.diskFull`, `.locked`, and `.ioFailure` for all
/// other reasons, with the path as its location.
public protocol FileSystem: Sendable {
    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile

    func exists(_ path: String) throws -> Bool

    /// The names in a directory, sorted, without `.` and `..`.
    func list(_ directory: String) throws -> [String]

    /// Creates a directory and the missing ones above it; fine if it exists already. What the call creates is durable
    /// when it returns.
    func createDirectory(_ path: String) throws

    /// Removes the name of a file. Files that have it open can go on reading and writing.
    func remove(_ path: String) throws

    /// Removes an empty directory.
    func removeDirectory(_ path: String) throws

    /// Gives a file another name, atomically replacing a file that has it.
    func rename(_ from: String, to: String) throws

    /// Gives a file a second name. Where the two names can't share a file (another device, no hard links), the second
    /// is a synced copy.
    func link(_ from: String, to: String) throws

    /// Makes the names in a directory durable.
    func syncDirectory(_ path: String) throws

    /// Locks a file, created if missing, against every other holder in this process and others until the lock is
    /// released or the process ends.
    ///
    /// - Throws: `StorageError.Code.locked` if someone holds it.
    func lock(_ path: String) throws -> any FileLock

    /// The absolute path of an existing file, with every symbolic link followed: one name for each file.
    func resolve(_ path: String) throws -> String

    /// The space left for files in a directory.
    func freeByteCount(_ path: String) throws -> Int64
}

extension FileSystem {
    /// The path itself, for file systems without symbolic links and working directories.
    public func resolve(_ path: String) throws -> String { path }
}

/// An open file. All its calls may run at the same time on several threads; a read that overlaps a write may see part of
/// it.
public protocol StorageFile: AnyObject, Sendable {
    /// The path the file was opened at.
    var path: String { get }

    /// Reads into the buffer and returns how many bytes were read: fewer than the buffer holds only at the end of the
    /// file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int

    /// Writes all the bytes, growing the file as needed; a gap reads as zeros. After an error an unknown part of the
    /// range holds the new bytes.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws

    func byteCount() throws -> Int64

    /// Sets the file's length; growth reads as zeros.
    func truncate(to byteCount: Int64) throws

    /// Reserves space for the first `byteCount` bytes, so that writing them later can't find the disk full. The file's
    /// length stays. Does nothing on file systems that can't reserve.
    func allocate(byteCount: Int64) throws

    /// Asks the system to begin writing a range to the device, so that a later sync has less to do. A hint: it makes
    /// nothing durable.
    func startWriteBack(from offset: Int64, byteCount: Int64)

    /// Tells the system that a range will be read soon, so that it can begin to read it from the device. A hint.
    func willRead(from offset: Int64, byteCount: Int)

    /// Makes the file's bytes and length durable, those stored through mappings too.
    func sync() throws

    /// The first `byteCount` bytes in memory; nil where that is not supported. The file must be that long, its space
    /// allocated: a store into space that the disk does not have would end the process.
    func map(byteCount: Int64) throws -> (any FileMapping)?

    /// Whether small synced stores through a mapping are known to cost the device no more than small synced writes.
    var prefersMapping: Bool { get }

    /// Closes the file; later calls of anything but `close()` throw `.closed`. Also happens when the last reference goes.
    func close() throws
}

extension StorageFile {
    public func willRead(from offset: Int64, byteCount: Int) {}
    public func map(byteCount: Int64) throws -> (any FileMapping)? { nil }
    public var prefersMapping: Bool { false }
}

/// A part of a file in memory. What is stored is visible to reads of the file at once, and survives as what is written
/// does. The mapping goes with its last reference; the file may be closed before.
public protocol FileMapping: AnyObject, Sendable {
    /// Stores bytes inside the mapping.
    /// - Throws: Only where the file system is simulated and its power is off.
    func store(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws

    /// Asks the processor for a range that stores are about to come to; a hint.
    func prefetch(from offset: Int64, byteCount: Int64)

    /// Brings a range in place, so that stores to come don't wait for that. It dirties the range if `forStores`.
    /// - Throws: `StorageError.ioFailure` where the bytes can't be read: a store there would end the process.
    func populate(from offset: Int64, byteCount: Int64, forStores: Bool) throws

    /// Takes the pages that lie whole in a range out of the process's view: the file keeps what was stored, and a store to
    /// come brings its page back. A hint, for what is done with: the system writes a page that nobody has in view without
    /// asking every processor to forget it first.
    func detach(from offset: Int64, byteCount: Int64)
}

extension FileMapping {
    public func prefetch(from offset: Int64, byteCount: Int64) {}
    public func detach(from offset: Int64, byteCount: Int64) {}
}

/// A lock held on a file.
public protocol FileLock: AnyObject, Sendable {
    /// Lets the next holder in. Also happens when the last reference goes.
    func release()
}
