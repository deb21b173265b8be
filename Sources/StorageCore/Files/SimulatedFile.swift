// SimulatedFile.swift — an open file of the simulated disk, and a lock on one.

internal import StorageTypes
internal import Synchronization

final class SimulatedFile: StorageFile {
    let path: String
    private let node: SimulatedNode
    private let fileSystem: SimulatedFileSystem
    private let isClosed = Atomic<Bool>(false)

    init(path: String, node: SimulatedNode, fileSystem: SimulatedFileSystem) {
        self.path = path
        self.node = node
        self.fileSystem = fileSystem
    }

    deinit {
        releaseHandle()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try checkOpen()
        let start = try position(offset)
        return try fileSystem.disk.withLock { disk in
            try disk.beginRead(path)
            let available = node.content.current.count - start
            guard available > 0 else { return 0 }
            let count = min(available, buffer.count)
            unsafe node.content.current.withUnsafeBytes { bytes in
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
            }
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try checkOpen()
        let start = try position(offset, byteCount: bytes.count)
        let copy = unsafe [UInt8](bytes)
        try fileSystem.disk.withLock { try $0.write(copy, at: start, to: node, path: path) }
    }

    func byteCount() throws -> Int64 {
        try checkOpen()
        return try fileSystem.disk.withLock { disk in
            try disk.checkPower(path)
            return Int64(node.content.current.count)
        }
    }

    func truncate(to byteCount: Int64) throws {
        try checkOpen()
        let end = try position(byteCount)
        try fileSystem.disk.withLock { try $0.truncate(node, to: end, path: path) }
    }

    func allocate(byteCount: Int64) throws {
        try checkOpen()
        let end = try position(byteCount)
        try fileSystem.disk.withLock { try $0.allocate(node, byteCount: end, path: path) }
    }

    /// Nothing: the disk decides at the crash what was written back in time.
    func startWriteBack(from offset: Int64, byteCount: Int64) {}

    func sync() throws {
        try checkOpen()
        try fileSystem.disk.withLock { try $0.sync(node, path: path) }
    }

    func map(byteCount: Int64) throws -> (any FileMapping)? {
        try checkOpen()
        let end = try position(byteCount)
        try fileSystem.disk.withLock { disk in
            try disk.checkPower(path)
            precondition(end <= node.content.current.count, "A mapping lies inside its file.")
        }
        return SimulatedFileMapping(path: path, node: node, fileSystem: fileSystem, byteCount: end)
    }

    func close() throws {
        releaseHandle()
    }

    private func releaseHandle() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        fileSystem.disk.withLock { $0.change(node) { $0.handleCount -= 1 } }
    }

    private func checkOpen() throws {
        guard !isClosed.load(ordering: .acquiring) else {
            throw StorageError(.closed, "The file is closed.", file: path)
        }
    }

    /// An offset as an index into memory; the simulated disk holds files of up to a tebibyte.
    private func position(_ offset: Int64, byteCount: Int = 0) throws -> Int {
        guard offset >= 0, offset <= 1 << 40, byteCount <= 1 << 40 else {
            throw StorageError(
                .ioFailure, "The offset lies outside of what a file can hold.", file: path, offset: offset)
        }
        return Int(offset)
    }
}

/// Stores are torn by sectors at a crash, as unsynced writes are. They need the space that the file has: one outside of
/// it ends the process, as it would on a real disk.
final class SimulatedFileMapping: FileMapping {
    private let path: String
    private let node: SimulatedNode
    private let fileSystem: SimulatedFileSystem
    private let byteCount: Int

    init(path: String, node: SimulatedNode, fileSystem: SimulatedFileSystem, byteCount: Int) {
        self.path = path
        self.node = node
        self.fileSystem = fileSystem
        self.byteCount = byteCount
    }

    func store(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        let copy = unsafe [UInt8](bytes)
        try fileSystem.disk.withLock { disk in
            let end = Int(offset) + copy.count
            precondition(
                offset >= 0 && end <= min(byteCount, node.content.current.count), "A store lies inside the file.")
            try disk.store(copy, at: Int(offset), to: node, path: path)
        }
    }

    func populate(from offset: Int64, byteCount: Int64, forStores: Bool) throws {}
}

final class SimulatedFileLock: FileLock {
    private let node: SimulatedNode
    private let fileSystem: SimulatedFileSystem
    private let isReleased = Atomic<Bool>(false)

    init(node: SimulatedNode, fileSystem: SimulatedFileSystem) {
        self.node = node
        self.fileSystem = fileSystem
    }

    deinit {
        release()
    }

    func release() {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        fileSystem.disk.withLock { _ in node.isLocked = false }
    }
}
