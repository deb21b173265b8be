// VerifyWhileWritingTests.swift — a healthy storage is found healthy while somebody writes to it.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Verifying while writing") struct VerifyWhileWritingTests {
    /// Shows a log segment as somebody may read it who is overtaken by the writer: a record that was not there yet when its
    /// bytes were read, and later ones that were when theirs were.
    private struct OvertakenDisk: ForwardingFileSystem {
        let disk: SimulatedFileSystem
        private let state = Hook()

        /// Called when a log segment is opened for reading, once; where the record begins that is not there.
        var overtake: (@Sendable () throws -> Int)? {
            get { state.value.withLock { $0 } }
            nonmutating set { state.value.withLock { $0 = newValue } }
        }

        init(_ disk: SimulatedFileSystem) {
            self.disk = disk
        }

        func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
            guard mode == .read, path.contains("/log/"), let body = overtake else { return try disk.open(path, mode) }
            overtake = nil
            let offset = try body()
            var bytes = try disk.open(path, mode).readAll()
            for index in offset..<offset + LogRecordHeader.byteCount { bytes[index] = 0 }
            return MemoryFile(bytes)
        }
    }

    private final class Hook: Sendable {
        let value = Mutex<(@Sendable () throws -> Int)?>(nil)
    }

    @Test(
        "commits that are appended and synced while the log is read are not damage",
        arguments: [LogWriting.written, .mapped])
    func log(writing: LogWriting) throws {
        let disk = OvertakenDisk(SimulatedFileSystem())
        var options = smallOptions(disk.disk)
        options.fileSystem = disk
        options.memtableByteCount = 1 << 20
        options.logWriting = writing
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("entries")
        @Sendable func write(_ key: String) throws {
            try storage.write(.synced) { try $0.put(keyspace, bytes(key).rawSpan, bytes("value").rawSpan) }
        }
        for number in 0..<10 { try write("key \(number)") }
        let hasBeenRead = TestLatch()
        disk.overtake = {
            let offset = storage.log?.segments(from: 0).last.map { Int($0.byteCount) } ?? 0
            for number in 10..<15 { try write("key \(number)") }
            hasBeenRead.open()
            return offset
        }
        #expect(try storage.verify().problems == [])
        #expect(hasBeenRead.isOpen)
    }
}
