// CompactionStorageTests.swift — compactions carried out: what is read, what is left, and what a clock may not bring back.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Compaction of a storage")
struct CompactionStorageTests {
    private let disk = SimulatedFileSystem(seed: 7)
    private let clock = ManualClock()

    private func open(_ fileSystem: (any FileSystem)? = nil) throws -> Storage {
        var options = smallOptions(disk, clock)
        options.fileSystem = fileSystem ?? disk
        return try Storage.open(at: "/db", options: options)
    }

    private func put(_ storage: Storage, _ keyspace: Keyspace, _ keys: Range<Int>, expiry: StorageInstant? = nil) throws
    {
        for key in keys {
            var batch = WriteBatch()
            let value = [UInt8](repeating: UInt8(truncatingIfNeeded: key &* 31), count: 100)
            try batch.put(keyspace, bytes("key-\(1000 + key)").rawSpan, value.rawSpan, expiry: expiry)
            try storage.commit(batch)
        }
    }

    private func count(_ storage: Storage, _ keyspace: Keyspace) throws -> Int {
        var cursor = try storage.snapshot().view.cursor(keyspace)
        try cursor.seekToFirst()
        var count = 0
        while cursor.isValid {
            count += 1
            try cursor.next()
        }
        return count
    }

    @Test("an expired window of time disappears without a byte of it being read", arguments: [false, true])
    func expiredWindow(isOperator: Bool) throws {
        let counting = CompactionReadCounter(disk)
        let storage = try open(counting)
        let keyspace = try storage.keyspace(
            "events",
            options: KeyspaceOptions(
                mergeOperator: isOperator ? ModelAppend() : nil, expiry: isOperator ? .operator : .engine,
                strategy: .timeWindow(TimeWindowOptions(window: .seconds(60)))))
        for window in 0..<4 {
            try put(storage, keyspace, window * 40..<window * 40 + 40, expiry: clock.now.advanced(by: .seconds(245)))
            try storage.flush()
            clock.advance(by: .seconds(60))
        }
        try storage.settle()
        #expect(keyspace.tree.state.levels.all.count == 4)
        let paths = keyspace.tree.state.levels[0].map(\.path)

        clock.advance(by: .seconds(66))  // The first two have expired by now.
        counting.reset()
        try storage.settle()
        #expect(counting.readByteCount == 0)
        #expect(counting.writtenByteCount == 0)
        #expect(keyspace.tree.state.levels[0].map(\.path) == Array(paths.prefix(2)))
        #expect(try disk.list("/db/tables").count == 2)
        #expect(try storage.verify().isHealthy)
        #expect(try count(storage, keyspace) == 80)
    }

    @Test("an expired window stays while a snapshot reads before its expiry")
    func snapshotKeepsWindow() throws {
        let storage = try open()
        let keyspace = try storage.keyspace(
            "events",
            options: KeyspaceOptions(
                expiry: .engine, strategy: .timeWindow(TimeWindowOptions(window: .seconds(60)))))
        try put(storage, keyspace, 0..<40, expiry: clock.now.advanced(by: .seconds(100)))
        try storage.flush()
        var snapshot: Snapshot? = storage.snapshot()
        clock.advance(by: .seconds(200))
        try storage.settle()
        #expect(keyspace.tree.state.levels.all.count == 1)
        #expect(try snapshot?.view.contains(keyspace, bytes("key-1001").rawSpan) == true)
        snapshot = nil
        try storage.settle()
        #expect(keyspace.tree.state.levels.all.isEmpty)
    }

    @Test("a clock that is set back while the storage is closed shows nothing again of what had expired and was purged")
    func clockSetBack() throws {
        var storage = try open()
        let options = KeyspaceOptions(expiry: .engine)
        var keyspace = try storage.keyspace("tokens", options: options)
        // Half of it reaches the disk and is purged there, half stays in the log.
        let expiry = clock.now.advanced(by: .seconds(100))
        try put(storage, keyspace, 0..<10, expiry: expiry)
        try storage.flush()
        try put(storage, keyspace, 10..<20, expiry: expiry)
        clock.advance(by: .seconds(200))
        while try storage.compactOne() {}
        #expect(keyspace.tree.state.levels.all.isEmpty)
        try storage.sync()

        let found = disk.crash(.syncedOnly)
        clock.set(clock.now.advanced(by: .seconds(-200)))
        var reopened = smallOptions(found, clock)
        reopened.fileSystem = found
        storage = try Storage.open(at: "/db", options: reopened)
        keyspace = try storage.keyspace("tokens", options: options)
        #expect(try count(storage, keyspace) == 0)
        let isThere = try storage.write { try $0.contains(keyspace, bytes("key-1015").rawSpan) }
        #expect(!isThere)
    }

    @Test("what expired while the storage was closed for long is purged once somebody says that the clock is right")
    func clockTrusted() throws {
        var storage = try open()
        let options = KeyspaceOptions(expiry: .engine)
        var keyspace = try storage.keyspace("tokens", options: options)
        try put(storage, keyspace, 0..<10, expiry: clock.now.advanced(by: .seconds(5 * 86_400)))
        try storage.close()
        clock.set(clock.now.advanced(by: .seconds(60 * 86_400)))
        storage = try open()
        keyspace = try storage.keyspace("tokens", options: options)
        try storage.compact()
        #expect(try count(storage, keyspace) == 0)
        #expect(keyspace.tree.state.levels.all.reduce(0) { $0 + $1.metadata.entryCount } == 10)
        storage.trustWallClock()
        try storage.compact()
        #expect(keyspace.tree.state.levels.all.isEmpty)
    }

    @Test("a small compaction does not wait for the end of a large one on the only thread")
    func interruption() throws {
        let sink = RecordingSink()
        var options = smallOptions(disk, clock)
        options.memtableByteCount = 16 << 20
        options.tableByteCount = 4 << 20
        options.levelOneByteCount = 1 << 40
        options.traceSink = sink
        let storage = try Storage.open(at: "/db", options: options)
        let large = try storage.keyspace("large", options: KeyspaceOptions(isDedicated: true))
        let small = try storage.keyspace("small", options: KeyspaceOptions(isDedicated: true))
        var random = SeededRandom(seed: 11)
        let value = random.bytes(1 << 19)
        func put(_ keyspace: Keyspace, table: Int, _ value: [UInt8]) throws {
            for key in 0..<10 {
                var batch = WriteBatch()
                try batch.put(keyspace, bytes("key-\(key)-\(table)").rawSpan, value.rawSpan)
                try storage.commit(batch)
            }
            try storage.flush()
        }
        for table in 0..<8 { try put(large, table: table, value) }
        for table in 0..<4 { try put(small, table: table, [1]) }
        let before = sink.events.count
        #expect(try storage.compactOne())
        let steps = sink.events[before...].compactMap { event -> String? in
            switch event {
            case .compactionBegan(let input): "begin \(input.keyspaces)"
            case .compactionEnded(let input, _): "end \(input.keyspaces)"
            default: nil
            }
        }
        #expect(steps == ["begin [\"large\"]", "begin [\"small\"]", "end [\"small\"]", "end [\"large\"]"])
        #expect(large.tree.state.levels[0].isEmpty && small.tree.state.levels[0].isEmpty)
        #expect(try storage.verify().isHealthy)
        #expect(try count(storage, large) == 80 && count(storage, small) == 40)
    }

    @Test("what a range delete covers goes without being read")
    func rangeDelete() throws {
        let counting = CompactionReadCounter(disk)
        let storage = try open(counting)
        let keyspace = try storage.keyspace("rows", options: KeyspaceOptions(isDedicated: true))
        try put(storage, keyspace, 0..<200)
        try storage.compact()
        #expect(keyspace.tree.state.levels.all.count > 1)
        counting.reset()
        var batch = WriteBatch()
        try batch.deleteRange(keyspace, KeyRange(lower: bytes("key-1000"), upper: bytes("key-1199")))
        try storage.commit(batch)
        try storage.flush()
        let before = counting.writtenByteCount
        #expect(try storage.compactOne())
        #expect(counting.readPaths.count == 1)  // the range delete itself
        #expect(counting.writtenByteCount == before)
        #expect(keyspace.tree.state.levels[Levels.count - 1].count <= 1)
        #expect(try count(storage, keyspace) == 1)
        try storage.settle()
        #expect(try count(storage, keyspace) == 1)
    }

    @Test("deletions, and what they delete, leave the disk though sizes ask for nothing")
    func tombstones() throws {
        let storage = try open()
        let keyspace = try storage.keyspace("rows", options: KeyspaceOptions(isDedicated: true))
        try put(storage, keyspace, 0..<50)
        try storage.compact()
        for key in 0..<50 {
            var batch = WriteBatch()
            try batch.delete(keyspace, bytes("key-\(1000 + key)").rawSpan)
            try storage.commit(batch)
        }
        try storage.settle()
        #expect(keyspace.tree.state.levels.all.isEmpty)
    }

    @Test("a range of one keyspace can be compacted on its own", arguments: [false, true])
    func manualRange(isSizeTiered: Bool) throws {
        let storage = try open()
        let keyspace = try storage.keyspace(
            "rows", options: KeyspaceOptions(isDedicated: true, strategy: isSizeTiered ? .sizeTiered() : .leveled()))
        let other = try storage.keyspace("other", options: KeyspaceOptions(isDedicated: true))
        try put(storage, other, 0..<10)
        for round in 0..<3 {
            try put(storage, keyspace, round..<round + 100)
            try storage.flush()
        }
        let untouched = other.tree.state.levels.all.map(\.number)
        try storage.compact(keyspace, KeyRange(lower: bytes("key-1010"), upper: bytes("key-1020")))
        #expect(keyspace.tree.state.levels.all.map(\.metadata.entryCount).reduce(0, +) < 300)
        #expect(try count(storage, keyspace) == 102)
        try storage.compact(keyspace)
        #expect(keyspace.tree.state.levels.all.map(\.metadata.entryCount).reduce(0, +) == 102)
        #expect(keyspace.tree.state.levels[0].count == (isSizeTiered ? 1 : 0))
        #expect(other.tree.state.levels.all.filter { untouched.contains($0.number) }.count == untouched.count)
        #expect(try storage.verify().isHealthy)
    }

    @Test("size-tiered tables grow by factors, and everything is found in them")
    func sizeTiered() throws {
        let storage = try open()
        let keyspace = try storage.keyspace(
            "rows",
            options: KeyspaceOptions(
                isDedicated: true, compression: CompressionOptions(upper: .none, bottom: .none),
                strategy: .sizeTiered(SizeTieredOptions(minimumTableByteCount: 0))))
        for round in 0..<64 {
            try put(storage, keyspace, round * 20..<round * 20 + 20)
            try storage.flush()
            while try storage.compactOne() {}
        }
        #expect((1...9).contains(keyspace.tree.state.levels[0].count))
        #expect(keyspace.tree.state.levels.deepest == 0)
        #expect(try count(storage, keyspace) == 64 * 20)
        #expect(try storage.verify().isHealthy)
    }

    @Test("a keyspace has tables of the size it asks for, beside one that has those of the storage")
    func tableSizes() throws {
        let storage = try open()
        let large = try storage.keyspace(
            "large",
            options: KeyspaceOptions(isDedicated: true, strategy: .leveled(LeveledOptions(tableByteCount: 1 << 20))))
        let plain = try storage.keyspace("plain", options: KeyspaceOptions(isDedicated: true))
        for keyspace in [large, plain] { try put(storage, keyspace, 0..<2000) }
        try storage.settle()
        try storage.compact()
        #expect(large.tree.state.levels.all.count == 1)
        #expect(plain.tree.state.levels.all.count > 1)
        // The next opening has other wishes, and what is rewritten follows them.
        let small = try storage.keyspace("large", options: KeyspaceOptions(isDedicated: true))
        try storage.compact()
        #expect(small.tree.state.levels.all.count > 1)
        #expect(try count(storage, small) == 2000 && storage.verify().isHealthy)
    }

    @Test("a keyspace with automatic compaction off collects tables until it is compacted, or until that is on again")
    func onRequest() throws {
        var storage = try open()
        let options = KeyspaceOptions(isDedicated: true, compactsAutomatically: false)
        var keyspace = try storage.keyspace("rows", options: options)
        for round in 0..<40 {
            try put(storage, keyspace, round..<round + 10)
            try storage.flush()
        }
        try storage.settle()
        #expect(keyspace.tree.state.levels[0].count == 40)
        #expect(keyspace.tree.pacer.pressure == 0)
        try storage.compact(keyspace)
        #expect(keyspace.tree.state.levels[0].isEmpty)
        for round in 0..<40 {
            try put(storage, keyspace, round..<round + 10)
            try storage.flush()
        }
        try storage.close()
        storage = try open()
        keyspace = try storage.keyspace("rows")
        #expect(!keyspace.options.compactsAutomatically)
        try storage.settle()
        #expect(keyspace.tree.state.levels[0].count == 40)
        keyspace = try storage.keyspace("rows", options: KeyspaceOptions(isDedicated: true))
        // Writers wait for what is due from now on.
        #expect(keyspace.tree.pacer.pressure > 0)
        try storage.settle()
        #expect(keyspace.tree.state.levels[0].count < 4)
        #expect(try count(storage, keyspace) == 49 && storage.verify().isHealthy)
    }

    @Test("a keyspace's threshold decides whether its deletions are rewritten")
    func garbageThreshold() throws {
        let storage = try open()
        func tombstones(_ name: String, _ threshold: Double?) throws -> Int {
            let keyspace = try storage.keyspace(
                name, options: KeyspaceOptions(isDedicated: true, garbageThreshold: threshold))
            try put(storage, keyspace, 0..<100)
            try storage.compact(keyspace)
            // A third of the new table is deletions.
            for key in 0..<10 {
                try storage.write { try $0.delete(keyspace, bytes("key-\(1000 + key * 3)").rawSpan) }
            }
            try put(storage, keyspace, 200..<220)
            try storage.flush()
            #expect(keyspace.tree.state.levels[0].map(\.metadata.deleteCount) == [10])
            try storage.settle()
            #expect(try count(storage, keyspace) == 110)
            return keyspace.tree.state.levels.all.map(\.metadata.deleteCount).reduce(0, +)
        }
        #expect(try tombstones("default", nil) == 0)
        #expect(try tombstones("half", 0.5) == 10)
    }

    @Test("the strategy is kept with the tree, and keyspaces share one only where they agree on it")
    func strategyIsStored() throws {
        var storage = try open()
        let windows = CompactionStrategy.timeWindow(
            TimeWindowOptions(window: .seconds(90), sizeTiered: SizeTieredOptions(bucketLow: 0.25, bucketHigh: 2)))
        let first = try storage.keyspace("a", options: KeyspaceOptions(strategy: windows))
        let second = try storage.keyspace("b", options: KeyspaceOptions(strategy: windows))
        let third = try storage.keyspace("c", options: KeyspaceOptions(strategy: .sizeTiered()))
        #expect(first.tree === second.tree)
        #expect(first.tree !== third.tree)
        var own = KeyspaceOptions(
            strategy: .leveled(LeveledOptions(multiplier: 5, tableByteCount: 1 << 20)), garbageThreshold: 0.4,
            compactsAutomatically: false)
        let fourth = try storage.keyspace("d", options: own)
        #expect(try storage.keyspace("e", options: own).tree === fourth.tree)
        own.garbageThreshold = 0.5
        #expect(try storage.keyspace("f", options: own).tree !== fourth.tree)
        own.garbageThreshold = .nan
        #expect(try storage.keyspace("g", options: own).tree.options.garbageThreshold == nil)
        try storage.close()
        storage = try open()
        #expect(storage.existingKeyspace("a")?.tree.options.strategy == windows)
        #expect(storage.existingKeyspace("c")?.options.strategy == .sizeTiered())
        #expect(storage.existingKeyspace("e")?.tree.options == fourth.tree.options)
        #expect(storage.existingKeyspace("e")?.options.garbageThreshold == 0.4)
        #expect(storage.existingKeyspace("e")?.options.compactsAutomatically == false)
    }
}
