// LogSegmentNumberTests.swift — the lane and the thread that tends the log never make a segment of the same number.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Log segment numbers")
struct LogSegmentNumberTests {
    @Test("while the lane makes a segment, tending the log makes none of the same number")
    func oneMaker() throws {
        let disk = SimulatedFileSystem()
        let files = HookedFileSystem(disk)
        try disk.createDirectory("/log")
        let log = try LogWriter(
            directory: "/log", fileSystem: files, identity: 7, firstSegment: 1, previousSequence: 0,
            segmentByteCount: 8 << 10, writing: .mapped, seed: 5)
        // What the other thread would do in the middle of it. Half of the current segment is full by then.
        files.hook.body = {
            var tending = LogWriter.Tending()
            log.tend(&tending)
        }
        for sequence in 1...200 as ClosedRange<UInt64> {
            var record = UnsafeByteBuilder()
            record.resize(to: LogRecordHeader.byteCount)
            for _ in 0..<200 { record.append(byte: UInt8(truncatingIfNeeded: sequence)) }
            _ = try log.append(&record, sequence: sequence, commitTime: StorageInstant(microseconds: Int64(sequence)))
        }
        files.hook.body = nil
        #expect(log.newestSegment.number > 3)

        var sequences: [UInt64] = []
        let recovery = LogRecovery(fileSystem: disk, directory: "/log", identity: 7)
        _ = try recovery.replay(from: 1, previousSequence: 0) { header, _, _, _ in sequences.append(header.sequence) }
        #expect(sequences == Array(1...200))
    }
}

/// A disk that calls somebody when a file is to get its name.
private struct HookedFileSystem: FileSystem {
    final class Hook: @unchecked Sendable {  // one thread
        var body: (() -> Void)?
    }

    let disk: SimulatedFileSystem
    let hook = Hook()

    init(_ disk: SimulatedFileSystem) {
        self.disk = disk
    }

    func rename(_ from: String, to: String) throws {
        let body = hook.body
        hook.body = nil
        body?()
        hook.body = body
        try disk.rename(from, to: to)
    }

    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile { try disk.open(path, mode) }
    func syncDirectory(_ path: String) throws { try disk.syncDirectory(path) }
    func exists(_ path: String) throws -> Bool { try disk.exists(path) }
    func list(_ directory: String) throws -> [String] { try disk.list(directory) }
    func createDirectory(_ path: String) throws { try disk.createDirectory(path) }
    func remove(_ path: String) throws { try disk.remove(path) }
    func removeDirectory(_ path: String) throws { try disk.removeDirectory(path) }
    func link(_ from: String, to: String) throws { try disk.link(from, to: to) }
    func lock(_ path: String) throws -> any FileLock { try disk.lock(path) }
    func freeByteCount(_ path: String) throws -> Int64 { try disk.freeByteCount(path) }
}
