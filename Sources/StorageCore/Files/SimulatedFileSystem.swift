// SimulatedFileSystem.swift — a disk in memory that knows which bytes survive a power cut.
//
// It is as unkind as the contract of FileSystem.swift allows, and kinder nowhere. What it does not simulate: stale bytes
// of other files in a file that grew, sectors that can't be read back after a torn write, a device that lies about syncs.

internal import StorageTypes
internal import Synchronization

/// A file system in memory for tests: deterministic crashes, failing operations, a disk that fills up, damaged bytes.
///
/// ```swift
/// let disk = SimulatedFileSystem(seed: 42)
/// disk.cutPower(atOperation: 17)           // the 17th mutating operation and all later calls fail
/// try? runWorkload(on: disk)
/// let found = disk.crash(.reordered)       // the disk as it is found afterwards
/// ```
///
/// All paths begin at one root that exists always, relative ones too. Operations are numbered from 1 in the order in
/// which they are called; the same calls on a disk of the same seed have the same outcome.
public final class SimulatedFileSystem: FileSystem {
    /// The steps that change the disk; each counts as one operation.
    ///
    /// Opening with `.create`, or `.createOrTruncate` of a missing file, is a `create`; `.createOrTruncate` of an existing
    /// file is a `truncate`. `createDirectory` is one `createDirectory` and one `syncDirectory` for each directory made.
    /// `lock` is a `create` if the file is missing. A `store` goes through a mapping and fails only with the power.
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        case write, store, sync, truncate, allocate, create, createDirectory, rename, link, remove, removeDirectory
        case syncDirectory
    }

    let disk: Mutex<SimulatedDisk>
    let seed: UInt64

    public convenience init(seed: UInt64 = 0) {
        self.init(SimulatedDisk(seed: seed), seed: seed)
    }

    init(_ disk: consuming sending SimulatedDisk, seed: UInt64) {
        self.disk = Mutex(disk)
        self.seed = seed
    }

    public func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
        let node = try disk.withLock { try $0.open(path, mode) }
        return SimulatedFile(path: path, node: node, fileSystem: self)
    }

    public func exists(_ path: String) throws -> Bool {
        try disk.withLock { disk in
            try disk.checkPower(path)
            return disk.find(path) != nil
        }
    }

    public func list(_ directory: String) throws -> [String] {
        try disk.withLock { disk in
            try disk.checkPower(directory)
            return try disk.directory(directory).names.keys.sorted()
        }
    }

    public func createDirectory(_ path: String) throws {
        try disk.withLock { try $0.createDirectory(path) }
    }

    public func remove(_ path: String) throws {
        try disk.withLock { try $0.remove(path) }
    }

    public func removeDirectory(_ path: String) throws {
        try disk.withLock { try $0.removeDirectory(path) }
    }

    public func rename(_ from: String, to: String) throws {
        try disk.withLock { try $0.rename(from, to: to) }
    }

    public func link(_ from: String, to: String) throws {
        try disk.withLock { try $0.link(from, to: to) }
    }

    public func syncDirectory(_ path: String) throws {
        try disk.withLock { disk in
            try disk.checkPower(path)
            try disk.syncDirectory(disk.directory(path), path: path)
        }
    }

    public func lock(_ path: String) throws -> any FileLock {
        let node = try disk.withLock { try $0.lock(path) }
        return SimulatedFileLock(node: node, fileSystem: self)
    }

    public func freeByteCount(_ path: String) throws -> Int64 {
        try disk.withLock { disk in
            try disk.checkPower(path)
            return disk.freeByteCount
        }
    }
}
