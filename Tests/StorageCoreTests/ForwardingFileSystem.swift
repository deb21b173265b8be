// ForwardingFileSystem.swift — a disk that does what another one does, but for what its type says itself.

import StorageCore

protocol ForwardingFileSystem: FileSystem {
    var disk: SimulatedFileSystem { get }
}

extension ForwardingFileSystem {
    func syncDirectory(_ path: String) throws { try disk.syncDirectory(path) }
    func exists(_ path: String) throws -> Bool { try disk.exists(path) }
    func list(_ directory: String) throws -> [String] { try disk.list(directory) }
    func createDirectory(_ path: String) throws { try disk.createDirectory(path) }
    func remove(_ path: String) throws { try disk.remove(path) }
    func removeDirectory(_ path: String) throws { try disk.removeDirectory(path) }
    func rename(_ from: String, to: String) throws { try disk.rename(from, to: to) }
    func link(_ from: String, to: String) throws { try disk.link(from, to: to) }
    func lock(_ path: String) throws -> any FileLock { try disk.lock(path) }
    func freeByteCount(_ path: String) throws -> Int64 { try disk.freeByteCount(path) }
}
