// DescriptorPoolTests.swift — files that share a few descriptors.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

/// A disk that counts the files that are open on it.
final class CountingFileSystem: ForwardingFileSystem {
    let disk: SimulatedFileSystem
    private let state = Mutex((open: 0, most: 0, opened: 0, readByteCount: 0))

    init(_ disk: SimulatedFileSystem = SimulatedFileSystem()) {
        self.disk = disk
    }

    /// Files open now, at most so far, opened so far, and bytes read.
    var counts: (open: Int, most: Int, opened: Int, readByteCount: Int) { state.withLock { $0 } }

    func resetCounts() { state.withLock { $0 = ($0.open, $0.open, 0, 0) } }

    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
        let file = try disk.open(path, mode)
        state.withLock {
            $0.open += 1
            $0.opened += 1
            $0.most = max($0.most, $0.open)
        }
        return CountedFile(file, self)
    }

    fileprivate func didClose() { state.withLock { $0.open -= 1 } }
    fileprivate func didRead(_ count: Int) { state.withLock { $0.readByteCount += count } }
}

private final class CountedFile: StorageFile {
    private let file: any StorageFile
    private let fileSystem: CountingFileSystem
    private let isClosed = Atomic<Bool>(false)

    init(_ file: any StorageFile, _ fileSystem: CountingFileSystem) {
        self.file = file
        self.fileSystem = fileSystem
    }

    deinit { if !isClosed.load(ordering: .relaxed) { fileSystem.didClose() } }

    var path: String { file.path }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let count = try file.read(into: buffer, at: offset)
        fileSystem.didRead(count)
        return count
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try file.write(bytes, at: offset) }
    func byteCount() throws -> Int64 { try file.byteCount() }
    func truncate(to byteCount: Int64) throws { try file.truncate(to: byteCount) }
    func allocate(byteCount: Int64) throws { try file.allocate(byteCount: byteCount) }
    func startWriteBack(from offset: Int64, byteCount: Int64) {
        file.startWriteBack(from: offset, byteCount: byteCount)
    }
    func sync() throws { try file.sync() }
    func close() throws {
        if !isClosed.exchange(true, ordering: .relaxed) { fileSystem.didClose() }
        try file.close()
    }
}

@Suite struct DescriptorPoolTests {
    private func files(_ count: Int, capacity: Int) throws -> (CountingFileSystem, DescriptorPool, [PooledFile]) {
        let fileSystem = CountingFileSystem()
        let pool = DescriptorPool(fileSystem: fileSystem, capacity: capacity)
        let files = try (0..<count).map { number in
            try fileSystem.disk.writeFile("/\(number)", [UInt8(number)])
            return try pool.open("/\(number)")
        }
        return (fileSystem, pool, files)
    }

    @Test("more files than descriptors are read, and no more are open than the pool holds")
    func capacity() throws {
        let (fileSystem, pool, files) = try files(40, capacity: 7)
        var random = SeededRandom(seed: 3)
        for _ in 0..<2000 {
            let number = Int.random(in: 0..<files.count, using: &random)
            #expect(try files[number].readAll() == [UInt8(number)])
            #expect(pool.heldCount <= 7)
        }
        #expect(fileSystem.counts.most == 7)
    }

    @Test("a file that is read again and again keeps its descriptor")
    func secondChance() throws {
        let (fileSystem, _, files) = try files(20, capacity: 4)
        _ = try files[0].readAll()
        let before = fileSystem.counts.opened
        for number in 1..<20 {
            _ = try files[0].readAll()
            _ = try files[number].readAll()
        }
        #expect(fileSystem.counts.opened - before <= 20)
    }

    @Test("a file that is let go of gives its descriptor back, and a pool that is closed gives no more")
    func closing() throws {
        var (fileSystem, pool, files) = try files(5, capacity: 8)
        #expect(fileSystem.counts.open == 5)
        try files[4].close()
        #expect(errorCode { try files[4].readAll() } == .closed)
        files.removeLast(2)
        #expect(fileSystem.counts.open == 3)
        #expect(pool.heldCount == 3)
        pool.close()
        #expect(fileSystem.counts.open == 0)
        #expect(errorCode { try files[0].readAll() } == .closed)
        #expect(errorCode { try pool.open("/1") } == .closed)
        #expect(pool.heldCount == 0)
    }

    @Test("a file that can't be opened costs no descriptor")
    func missing() throws {
        let (fileSystem, pool, files) = try files(3, capacity: 2)
        try fileSystem.disk.remove("/0")
        #expect(errorCode { try files[0].readAll() } == .notFound)
        #expect(pool.heldCount <= 2)
        #expect(try files[1].readAll() == [1])
        #expect(try files[2].readAll() == [2])
    }

    @Test("threads that read more files than there are descriptors read what is in them")
    func threads() throws {
        let (fileSystem, pool, files) = try files(30, capacity: 5)
        let threads = TestThreads()
        for thread in 0..<4 {
            try threads.start {
                var random = SeededRandom(seed: UInt64(thread))
                for _ in 0..<2000 {
                    let number = Int.random(in: 0..<files.count, using: &random)
                    guard try files[number].readAll() == [UInt8(number)] else { throw CrashViolation("file \(number)") }
                }
            }
        }
        #expect(threads.join().isEmpty)
        #expect(pool.heldCount <= 5)
        #expect(fileSystem.counts.open <= 5)
        #expect(fileSystem.counts.most <= 5 + 4 * 2, "one more for each thread that opens, one that it reads")
    }
}
