// CompactionReadCounter.swift — a disk that counts what is read from tables and written to them.

import StorageCore
import Synchronization

final class CompactionReadCounter: ForwardingFileSystem {
    let disk: SimulatedFileSystem
    private let counts = Mutex<(read: Int, written: Int, paths: Set<String>)>((0, 0, []))

    init(_ disk: SimulatedFileSystem) {
        self.disk = disk
    }

    /// Bytes read from tables.
    var readByteCount: Int { counts.withLock { $0.read } }
    /// Bytes written to tables.
    var writtenByteCount: Int { counts.withLock { $0.written } }
    /// The tables that were read from.
    var readPaths: Set<String> { counts.withLock { $0.paths } }

    /// Ranges of tables that were said to be read soon.
    let announcedCount = Atomic<Int>(0)
    let announcedByteCount = Atomic<Int>(0)

    func reset() { counts.withLock { $0 = (0, 0, []) } }

    fileprivate func didRead(_ byteCount: Int, _ path: String) {
        counts.withLock {
            $0.read += byteCount
            $0.paths.insert(path)
        }
    }

    fileprivate func didWrite(_ byteCount: Int) { counts.withLock { $0.written += byteCount } }

    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
        let file = try disk.open(path, mode)
        return path.hasSuffix(".sst") ? CompactionCountedFile(file, self) : file
    }
}

private final class CompactionCountedFile: StorageFile {
    private let file: any StorageFile
    private let counter: CompactionReadCounter

    init(_ file: any StorageFile, _ counter: CompactionReadCounter) {
        self.file = file
        self.counter = counter
    }

    var path: String { file.path }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let count = try file.read(into: buffer, at: offset)
        counter.didRead(count, path)
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try file.write(bytes, at: offset)
        counter.didWrite(bytes.count)
    }

    func sync() throws { try file.sync() }
    func byteCount() throws -> Int64 { try file.byteCount() }
    func truncate(to byteCount: Int64) throws { try file.truncate(to: byteCount) }
    func allocate(byteCount: Int64) throws { try file.allocate(byteCount: byteCount) }
    func startWriteBack(from offset: Int64, byteCount: Int64) {
        file.startWriteBack(from: offset, byteCount: byteCount)
    }
    func willRead(from offset: Int64, byteCount: Int) {
        counter.announcedCount.add(1, ordering: .relaxed)
        counter.announcedByteCount.add(byteCount, ordering: .relaxed)
        file.willRead(from: offset, byteCount: byteCount)
    }
    func close() throws { try file.close() }
}
