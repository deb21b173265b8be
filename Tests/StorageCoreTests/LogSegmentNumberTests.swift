// LogSegmentNumberTests.swift — the lane and the thread that tends the log never make a segment of the same number.

import Foundation
import StorageTypes
import Testing

@testable import StorageCore

@Suite("Log segment numbers")
struct LogSegmentNumberTests {
    /// A log of small mapped segments.
    private func makeLog(_ files: HookedFileSystem) throws -> LogWriter {
        try files.createDirectory("/log")
        return try LogWriter(
            directory: "/log", fileSystem: files, identity: 7, firstSegment: 1, previousSequence: 0,
            segmentByteCount: 8 << 10, writing: .mapped, seed: 5)
    }

    @Test("while the lane makes a segment, tending the log makes none of the same number")
    func oneMaker() throws {
        let files = HookedFileSystem(SimulatedFileSystem())
        let log = try makeLog(files)
        // What the other thread would do in the middle of it. Half of the current segment is full by then.
        files.willRename = {
            var tending = LogWriter.Tending()
            log.tend(&tending)
        }
        for sequence in 1...200 as ClosedRange<UInt64> {
            var record = UnsafeByteBuilder()
            record.resize(to: LogRecordHeader.byteCount)
            for _ in 0..<200 { record.append(byte: UInt8(truncatingIfNeeded: sequence)) }
            _ = try log.append(&record, sequence: sequence, commitTime: StorageInstant(microseconds: Int64(sequence)))
        }
        files.willRename = nil
        #expect(log.newestSegment.number > 3)

        var sequences: [UInt64] = []
        let recovery = LogRecovery(fileSystem: files, directory: "/log", identity: 7)
        _ = try recovery.replay(from: 1, previousSequence: 0) { header, _, _, _ in sequences.append(header.sequence) }
        #expect(sequences == Array(1...200))
    }

    @Test("who lets go of the log waits for a segment that is being made: its number is the next writer's")
    func stopping() throws {
        let files = HookedFileSystem(SimulatedFileSystem())
        let log = try makeLog(files)
        for sequence in 1...20 as ClosedRange<UInt64> {
            var record = UnsafeByteBuilder()
            record.resize(to: LogRecordHeader.byteCount + 200)
            _ = try log.append(&record, sequence: sequence, commitTime: StorageInstant(microseconds: Int64(sequence)))
        }
        let (isMaking, mayGoOn) = (TestLatch(), TestLatch())
        files.willRename = {
            isMaking.open()
            mayGoOn.wait()
        }
        let threads = TestThreads()
        try threads.start {
            var tending = LogWriter.Tending()
            log.tend(&tending)
        }
        isMaking.wait()
        let isStopped = TestLatch()
        try threads.start {
            log.stopTending()
            isStopped.open()
        }
        usleep(30_000)
        #expect(!isStopped.isOpen)
        mayGoOn.open()
        #expect(threads.join() == [])
        #expect(isStopped.isOpen)
        #expect(try LogFiles.numbers(in: "/log", files) == [1, 2])
        #expect(try LogFiles.unfinished(in: "/log", files) == [])
    }
}
