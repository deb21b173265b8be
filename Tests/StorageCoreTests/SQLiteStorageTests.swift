// SQLiteStorageTests.swift — what a storage in one SQLite file does with its file, its snapshots and its failures.

import Foundation
import StorageTypes
import Testing

@testable import StorageCore

@Suite("SQLite: a storage in one file")
struct SQLiteStorageTests {
    private let disk = SimulatedFileSystem()

    private func open(_ change: (inout StorageOptions) -> Void = { _ in }) throws -> Storage {
        var options = smallOptions(disk)
        change(&options)
        return try Storage.open(.sqlite("/data/shop.db"), options: options)
    }

    private func put(_ storage: Storage, _ keyspace: Keyspace, _ key: String, _ value: String) throws {
        try storage.write { try $0.put(keyspace, bytes(key).rawSpan, bytes(value).rawSpan) }
    }

    private func get(_ view: ReadView, _ keyspace: Keyspace, _ key: String) throws -> [UInt8]? {
        try view.get(keyspace, bytes(key).rawSpan)
    }

    @Test("a storage that was closed is one file")
    func oneFile() throws {
        let storage = try open()
        let keyspace = try storage.keyspace("k")
        try put(storage, keyspace, "a", "1")
        #expect(try disk.list("/data") == ["shop.db", "shop.db-wal"])
        try storage.close()
        #expect(try disk.list("/data") == ["shop.db"])
        let reopened = try open()
        #expect(try get(reopened.snapshot().view, reopened.keyspace("k"), "a") == bytes("1"))
        #expect(reopened.visibleSequence.rawValue == 1)
        #expect(reopened.capabilities.isEmpty)
        #expect(try smallStorage().capabilities.contains(.constantTimeRangeDeletes))
    }

    @Test("a file that is open is locked, and free again once it is closed")
    func locked() throws {
        let storage = try open()
        #expect(errorCode { try open() } == .locked)
        try storage.close()
        try open().close()
    }

    @Test("a snapshot keeps what it saw, whatever is committed, checkpointed and compacted meanwhile")
    func snapshots() throws {
        let storage = try open { $0.logSegmentByteCount = 16 << 10 }
        let keyspace = try storage.keyspace("k")
        try put(storage, keyspace, "a", "old")
        let snapshot = storage.snapshot()
        for number in 0..<50 { try put(storage, keyspace, "a", "new \(number)") }
        try storage.compact()
        #expect(try get(snapshot.view, keyspace, "a") == bytes("old"))
        #expect(snapshot.sequence.rawValue == 1)
        #expect(try get(storage.snapshot().view, keyspace, "a") == bytes("new 49"))
    }

    @Test("after closing, snapshots and cursors that are still held are refused instead of reading another's file")
    func closedReaders() throws {
        let storage = try open()
        let keyspace = try storage.keyspace("k")
        for key in ["a", "b", "c"] { try put(storage, keyspace, key, key) }
        let snapshot = storage.snapshot()
        var cursor = try snapshot.view.cursor(keyspace)
        try cursor.seekToFirst()
        try storage.close()
        #expect(cursor.key.array() == bytes("a"))
        #expect(errorCode { try snapshot.view.get(keyspace, bytes("a").rawSpan) } == .closed)
        #expect(throws: StorageError.self) { try storage.write { try $0.delete(keyspace, bytes("a").rawSpan) } }
        do {
            try cursor.next()
            Issue.record("a cursor of a closed storage moves")
        } catch {
            #expect((error as? StorageError)?.code == .closed)
        }
    }

    @Test("a snapshot that outlives a storage that was let go keeps the file locked")
    func lockOutlives() throws {
        var storage: Storage? = try open()
        let keyspace = try #require(try storage?.keyspace("k"))
        var snapshot = storage?.snapshot()
        storage = nil
        #expect(errorCode { try open() } == .locked)
        #expect(try snapshot?.view.contains(keyspace, bytes("a").rawSpan) == false)
        snapshot = nil
        try open().close()
    }

    @Test("a durable snapshot waits until what it sees is synced")
    func durableSnapshot() throws {
        let storage = try open()
        let keyspace = try storage.keyspace("k")
        try put(storage, keyspace, "a", "1")
        #expect(storage.durableSequence.rawValue == 0)
        let snapshot = storage.snapshot(.durable)
        #expect(snapshot.sequence.rawValue == 1 && storage.durableSequence.rawValue == 1)
    }

    @Test("after a failed sync writes are refused, reads go on, and durable reads say why they don't")
    func poisoned() throws {
        let storage = try open()
        let keyspace = try storage.keyspace("k")
        try put(storage, keyspace, "a", "1")
        disk.failOperation(number: disk.operationCount(of: .sync) + 1, once: true, with: .ioFailure, kind: .sync)
        #expect(errorCode { try storage.sync() } == .commitOutcomeUnknown)
        #expect(errorCode { try put(storage, keyspace, "b", "2") } == .poisoned)
        #expect(errorCode { try storage.keyspace("other") } == .poisoned)
        #expect(try get(storage.snapshot().view, keyspace, "a") == bytes("1"))
        #expect(errorCode { try get(storage.snapshot(.durable).view, keyspace, "a") } == .commitOutcomeUnknown)
        try storage.close()
    }

    @Test("other files are refused by name, and left alone")
    func foreignFiles() throws {
        try disk.createDirectory("/data")
        let text = try disk.open("/data/shop.db", .create)
        let content = Array(repeating: UInt8(ascii: "x"), count: 8192)
        try text.write(content, at: 0)
        #expect(errorCode { try open() } == .corruption)
        #expect(try disk.readAll("/data/shop.db") == content)
        try disk.remove("/data/shop.db")

        let files = SQLiteFiles(disk, path: "/data/shop.db", isReadOnly: false)
        let connection = try SQLiteConnection(path: "/data/shop.db", files: files)
        try connection.execute("CREATE TABLE bills (id INTEGER PRIMARY KEY)")
        connection.close()
        #expect(errorCode { try open() } == .unsupportedFormat)
    }

    @Test("a newer format is refused")
    func newerFormat() throws {
        try open().close()
        let files = SQLiteFiles(disk, path: "/data/shop.db", isReadOnly: false)
        let connection = try SQLiteConnection(path: "/data/shop.db", files: files)
        try connection.execute("PRAGMA user_version = 2")
        connection.close()
        #expect(errorCode { try open() } == .unsupportedFormat)
    }

    @Test("read-only opening changes nothing, with and without a log, and hides what is volatile")
    func readOnly() throws {
        #expect(errorCode { try open { $0.isReadOnly = true } } == .notFound)
        let storage = try open()
        let kept = try storage.keyspace("kept")
        let scratch = try storage.keyspace("scratch", options: KeyspaceOptions(isVolatile: true))
        try put(storage, kept, "a", "1")
        try put(storage, scratch, "a", "2")
        let killed = disk.crash(.everything)
        try storage.close()
        for disk in [killed, self.disk] {
            let before = disk.operationCount
            var options = smallOptions(disk)
            options.isReadOnly = true
            let copy = try Storage.open(.sqlite("/data/shop.db"), options: options)
            let view = copy.snapshot().view
            #expect(try get(view, copy.keyspace("kept"), "a") == bytes("1"))
            let hidden = try copy.keyspace("scratch", options: KeyspaceOptions(isVolatile: true))
            #expect(try get(view, hidden, "a") == nil)
            #expect(try modelScan(view, hidden).isEmpty)
            #expect(errorCode { try put(copy, kept, "b", "2") } == .readOnly)
            #expect(try copy.verify().isHealthy)
            try copy.close()
            #expect(disk.operationCount == before)
        }
    }

    @Test("damaged pages are found by verify() and told by reads")
    func corruption() throws {
        let storage = try open()
        let keyspace = try storage.keyspace("k")
        for number in 0..<200 { try put(storage, keyspace, "key \(number)", String(repeating: "v", count: 100)) }
        try storage.close()
        let file = try disk.open("/data/shop.db", .readWrite)
        for page in 2..<Int(try file.byteCount()) / 4096 {
            try file.write([UInt8](repeating: 0xA5, count: 64), at: Int64(page * 4096))
        }
        let code = errorCode {
            let damaged = try open()
            let report = try damaged.verify()
            #expect(!report.isHealthy)
            _ = try modelScan(damaged.snapshot().view, damaged.keyspace("k"))
        }
        #expect(code == .corruption)
    }

    @Test("a merge that its operator refuses commits nothing")
    func refusedMerge() throws {
        let storage = try open()
        let sets = try storage.keyspace(
            "sets", options: KeyspaceOptions(mergeOperator: ModelTimedSet(), expiry: .operator))
        let plain = try storage.keyspace("plain")
        try put(storage, sets, "a", "no set")
        let operand = ModelTimedSet.encode([1: .max])
        #expect(throws: StorageError.self) {
            try storage.write { transaction in
                try transaction.put(plain, bytes("b").rawSpan, bytes("1").rawSpan)
                try transaction.merge(sets, bytes("a").rawSpan, operand.rawSpan)
            }
        }
        #expect(storage.visibleSequence.rawValue == 1)
        #expect(try get(storage.snapshot().view, plain, "b") == nil)
        try put(storage, plain, "b", "2")
        #expect(storage.visibleSequence.rawValue == 2)
    }

    @Test("a commit action finds its own commit when it reads, and others wait until it is published")
    func commitActions() throws {
        let storage = try open()
        let keyspace = try storage.keyspace("k")
        var found: [UInt8]?
        try storage.write { transaction in
            try transaction.put(keyspace, bytes("a").rawSpan, bytes("1").rawSpan)
            transaction.onCommit { _ in found = try? storage.snapshot().view.get(keyspace, bytes("a").rawSpan) }
        }
        #expect(found == bytes("1"))
    }

    @Test("what has expired goes by itself as commits go on, but not in front of a snapshot that sees it")
    func expiredRowsGo() throws {
        let clock = ManualClock()
        var options = smallOptions(disk, clock)
        options.logSegmentByteCount = 64 << 10
        let storage = try Storage.open(.sqlite("/data/shop.db"), options: options)
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(expiry: .engine))
        let other = try storage.keyspace("other")
        try storage.write { transaction in
            let expiry = clock.now.advanced(by: .seconds(10))
            for number in UInt8(0)..<100 {
                try transaction.put(keyspace, [number].rawSpan, [number].rawSpan, expiry: expiry)
            }
        }
        func rowCount() throws -> Int64 {
            try #require(storage.sqlite).writer.locked {
                try #require(storage.sqlite).writer.integer("SELECT count(*) FROM entries")
            }
        }
        func writeOn() throws {
            for _ in 0..<20 { try put(storage, other, "a", String(repeating: "v", count: 10_000)) }
            while try storage.step() {}
        }
        let snapshot = storage.snapshot()
        clock.advance(by: .seconds(11))
        try writeOn()
        #expect(try modelScan(snapshot.view, keyspace).count == 100)
        #expect(try modelScan(storage.snapshot().view, keyspace).isEmpty)
        #expect(try rowCount() == 101)
        withExtendedLifetime(snapshot) {}
    }

    @Test("once no snapshot sees them, expired rows are gone from the file")
    func expiredRowsAreGone() throws {
        let clock = ManualClock()
        var options = smallOptions(disk, clock)
        options.logSegmentByteCount = 64 << 10
        let storage = try Storage.open(.sqlite("/data/shop.db"), options: options)
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(expiry: .engine))
        let other = try storage.keyspace("other")
        try storage.write { transaction in
            let expiry = clock.now.advanced(by: .seconds(10))
            for number in UInt8(0)..<100 {
                try transaction.put(keyspace, [number].rawSpan, [number].rawSpan, expiry: expiry)
            }
        }
        clock.advance(by: .seconds(11))
        for _ in 0..<20 { try put(storage, other, "a", String(repeating: "v", count: 10_000)) }
        while try storage.step() {}
        let engine = try #require(storage.sqlite)
        #expect(try engine.writer.locked { try engine.writer.integer("SELECT count(*) FROM entries") } == 1)
    }

    @Test("what was purged is not forgotten: a clock that is set back shows none of what expired with it")
    func purgedThrough() throws {
        let clock = ManualClock()
        func reopen() throws -> (Storage, Keyspace) {
            let storage = try open { $0.clock = clock }
            return (storage, try storage.keyspace("k", options: KeyspaceOptions(expiry: .engine)))
        }
        var (storage, keyspace) = try reopen()
        let start = clock.now
        let expiry = start.advanced(by: .seconds(3600))
        try storage.write { transaction in
            // More than one round of purging looks at.
            for number in 0..<1500 {
                let key = bytes("key-\(1000 + number)")
                try transaction.put(keyspace, key.rawSpan, bytes("v").rawSpan, expiry: expiry)
            }
        }
        clock.advance(by: .seconds(7200))
        try storage.compact()
        try storage.close()
        clock.set(start.advanced(by: .seconds(1800)))
        (storage, keyspace) = try reopen()
        #expect(storage.snapshot().readTime >= expiry)
        #expect(try get(storage.snapshot().view, keyspace, "key-2400") == nil)
        try storage.close()

        // A file that an earlier version has made knows nothing of it yet.
        let old = try SQLiteConnection(
            path: "/data/shop.db", files: SQLiteFiles(disk, path: "/data/shop.db", isReadOnly: false))
        try old.execute("ALTER TABLE meta DROP COLUMN purged_through")
        old.close()
        (storage, keyspace) = try reopen()
        try storage.compact()
        #expect(storage.snapshot().readTime >= start)
        try storage.close()
    }

    @Test("a symbolic link leads to the file and its log")
    func symbolicLink() throws {
        let directory = NSTemporaryDirectory() + "shopstream-sqlite-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createSymbolicLink(
            atPath: directory + "/link.db", withDestinationPath: directory + "/shop.db")
        var storage: Storage? = try Storage.open(.sqlite(directory + "/shop.db"))
        let keyspace = try #require(try storage?.keyspace("k"))
        try storage?.write(.synced) { try $0.put(keyspace, bytes("a").rawSpan, bytes("1").rawSpan) }
        #expect(errorCode { try Storage.open(.sqlite(directory + "/link.db")) } == .locked)
        // Let go without closing, so that the commit is in the log only.
        storage = nil
        let linked = try openWhenFree(directory + "/link.db")
        #expect(try get(linked.snapshot().view, linked.keyspace("k"), "a") == bytes("1"))
        try linked.close()
    }

    /// The threads of a storage that was let go may hold it for a moment longer.
    private func openWhenFree(_ path: String) throws -> Storage {
        for _ in 0..<1000 {
            do {
                return try Storage.open(.sqlite(path))
            } catch let error as StorageError where error.code == .locked {
                usleep(1000)
            }
        }
        return try Storage.open(.sqlite(path))
    }
}
