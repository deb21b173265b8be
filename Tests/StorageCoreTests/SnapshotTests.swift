import Testing

@testable import StorageCore

@Suite struct SnapshotTests {
    private let second = Duration.seconds(1)

    @Test("the horizon lists every sequence that is read at once, ascending, with the newest among them")
    func horizon() {
        let registry = SnapshotRegistry()
        let early = StorageInstant(seconds: 10)
        let a = registry.register(now: early, lastCommitTime: { early }, sequence: { 7 })
        let b = registry.register(now: early.advanced(by: second), lastCommitTime: { early }, sequence: { 3 })
        let c = registry.register(now: early, lastCommitTime: { early }, sequence: { 7 })
        let late = StorageInstant(seconds: 99)
        #expect(registry.horizon(purgeTime: late) { 9 }.sequences == [3, 7, 9])
        #expect(registry.horizon(purgeTime: late) { 7 }.sequences == [3, 7])
        withExtendedLifetime((a, b, c)) {}
    }

    @Test("a snapshot that was let go holds nothing back")
    func release() {
        let registry = SnapshotRegistry()
        let time = StorageInstant(seconds: 10)
        do {
            let snapshot = registry.register(now: time, lastCommitTime: { time }, sequence: { 1 })
            #expect(registry.horizon(purgeTime: .init(seconds: 50)) { 5 }.purgeTime == time)
            withExtendedLifetime(snapshot) {}
        }
        let (sequences, purgeTime) = registry.horizon(purgeTime: .init(seconds: 50)) { 5 }
        #expect(sequences == [5])
        #expect(purgeTime == StorageInstant(seconds: 50))
        #expect(registry.count == 0)
    }

    @Test("a snapshot reads no earlier than the newest commit it sees, even if that came after the look at the clock")
    func readTimeFollowsCommit() {
        let registry = SnapshotRegistry()
        let snapshot = registry.register(
            now: StorageInstant(seconds: 1), lastCommitTime: { StorageInstant(seconds: 2) }, sequence: { 1 })
        #expect(snapshot.readTime == StorageInstant(seconds: 2))
    }

    @Test("what was purged as expired does not come back when the clock is turned back")
    func clockGoesBackAfterPurge() throws {
        let clock = ManualClock()
        let storage = try smallStorage(SimulatedFileSystem(), clock)
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(expiry: .engine))
        let start = clock.now
        for key in UInt8(1)...2 {
            try storage.write {
                try $0.put(keyspace, [key].rawSpan, [key].rawSpan, expiry: start.advanced(by: .seconds(5)))
            }
            if key == 1 {
                clock.advance(by: .seconds(10))
                try storage.compact()
                clock.set(start)
            }
        }
        // One was purged and the other not: both have expired for every reader, or one of them reads into the past.
        let snapshot = storage.snapshot()
        #expect(snapshot.readTime >= start.advanced(by: .seconds(10)))
        #expect(try keys(snapshot.view, keyspace).isEmpty)
        try storage.write { (transaction) throws in
            #expect(transaction.commitTime >= start.advanced(by: .seconds(10)))
            #expect(try !transaction.contains(keyspace, [2].rawSpan))
        }
    }

    @Test("a flush does not purge what an open transaction can still see")
    func openTransactionHoldsPurge() throws {
        let clock = ManualClock()
        let storage = try smallStorage(SimulatedFileSystem(), clock)
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(expiry: .engine))
        let expiry = clock.now.advanced(by: .seconds(5))
        try storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan, expiry: expiry) }
        try storage.flush()
        try storage.write { try $0.put(keyspace, [1].rawSpan, [2].rawSpan, expiry: expiry) }
        try storage.flush()
        for key in UInt8(10)..<13 {
            try storage.write { try $0.put(keyspace, [key].rawSpan, [1].rawSpan) }
            try storage.flush()
        }
        try storage.write { (transaction) throws in
            #expect(try transaction.get(keyspace, [1].rawSpan) == [2])
            clock.advance(by: .seconds(10))
            #expect(try storage.step())  // compacts level 0
            #expect(try transaction.get(keyspace, [1].rawSpan) == [2])
        }
        #expect(try storage.snapshot().view.get(keyspace, [1].rawSpan) == nil)
    }

    @Test("a durable snapshot of a volatile keyspace sees what was there at its sequence")
    func durableSnapshotOfVolatileKeyspace() throws {
        let storage = try smallStorage()
        let persistent = try storage.keyspace("p")
        let scratch = try storage.keyspace("s", options: KeyspaceOptions(isVolatile: true))
        let filler = [UInt8](repeating: 7, count: 6000)
        try storage.write { transaction in
            try transaction.put(persistent, [1].rawSpan, [1].rawSpan)
            try transaction.put(scratch, [1].rawSpan, [1].rawSpan)
        }
        try storage.write { try $0.put(scratch, [1].rawSpan, [2].rawSpan) }
        try storage.write { try $0.put(scratch, [9].rawSpan, filler.rawSpan) }
        try storage.write { try $0.put(scratch, [9].rawSpan, filler.rawSpan) }
        while try storage.step() {}
        // Whatever is durable now, both versions of the key were older than the rewriting: at a sequence that a durable
        // snapshot may still be given, the version of that sequence must be there.
        let durable = storage.snapshot(.durable)
        let expected: [UInt8]? = durable.sequence >= SequenceNumber(2) ? [2] : durable.sequence == .zero ? nil : [1]
        #expect(try durable.view.get(scratch, [1].rawSpan) == expected)
        #expect(storage.durableSequence >= SequenceNumber(2), "a rewriting waits until what it rewrites is durable")
    }

    @Test("a durable snapshot sees what is on the device and no more")
    func durableSnapshot() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        try storage.write(.synced) { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) }
        try storage.write { try $0.put(keyspace, [1].rawSpan, [2].rawSpan) }
        #expect(try storage.snapshot(.durable).view.get(keyspace, [1].rawSpan) == [1])
        #expect(try storage.snapshot(.visible).view.get(keyspace, [1].rawSpan) == [2])
        try storage.sync()
        #expect(try storage.snapshot(.durable).view.get(keyspace, [1].rawSpan) == [2])
    }

    @Test("the wall clock is trusted for purging up to a day beyond the last run")
    func purgeFloor() {
        let clock = ManualClock()
        let start = clock.now
        let floor = PurgeFloor(commitTimeFloor: start.microseconds, clock: clock)
        #expect(floor.purgeTime(clock) == start)
        clock.advance(by: .seconds(60))
        #expect(floor.purgeTime(clock) == start.advanced(by: .seconds(60)))
        clock.set(start.advanced(by: .seconds(400 * 86_400)))
        #expect(floor.purgeTime(clock) == start.advanced(by: .seconds(60 + 86_400)))
        // Until somebody says that it is right, from which on the same holds again.
        floor.trust(clock)
        #expect(floor.purgeTime(clock) == clock.now)
        clock.set(start.advanced(by: .seconds(800 * 86_400)))
        #expect(floor.purgeTime(clock) == start.advanced(by: .seconds(401 * 86_400)))
        clock.set(start.advanced(by: .seconds(-60)))
        #expect(floor.purgeTime(clock) == start.advanced(by: .seconds(-60)))
        let fresh = PurgeFloor(commitTimeFloor: 0, clock: clock)
        #expect(fresh.purgeTime(clock) == clock.now)
    }
}
