// Whoever listens is told what happens, in order; whoever doesn't, costs nothing.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Trace events")
struct TraceTests {
    private let clock = ManualClock()
    private let sink = RecordingSink()

    private func options(_ files: any FileSystem, _ work: BackgroundWork = .manual) -> StorageOptions {
        var options = smallOptions(SimulatedFileSystem(), clock, work)
        options.fileSystem = files
        // Nothing is flushed unless the test says so.
        options.memtableByteCount = 1 << 20
        options.traceSink = sink
        return options
    }

    private func fill(_ storage: Storage, _ keyspace: Keyspace, _ count: Int) throws {
        for index in 0..<count {
            try storage.write { try $0.put(keyspace, bytes("key\(index)").rawSpan, bytes("value").rawSpan) }
        }
    }

    @Test("opening, keyspaces, flushes and compactions are told in the order in which they happen")
    func order() throws {
        let disk = SimulatedFileSystem()
        let storage = try Storage.open(at: "/db", options: options(disk))
        let keyspace = try storage.keyspace("entries", options: KeyspaceOptions(isDedicated: true))
        _ = try storage.keyspace("entries", options: KeyspaceOptions(isDedicated: true))
        try fill(storage, keyspace, 20)
        try storage.flush()
        try storage.write { try $0.delete(keyspace, bytes("key7").rawSpan) }
        try storage.compact()
        let total = storage.statistics.total
        #expect(total.flushes.count == 2 && total.compactions.count == 1)
        #expect(total.compactions.outputByteCount == Int(total.byteCount) && total.entryCount == 19)
        try storage.dropKeyspace("entries")
        #expect(
            sink.names == [
                "opened", "keyspaceCreated", "logSegmentStarted", "flushBegan", "flushEnded", "flushBegan",
                "flushEnded", "compactionBegan", "compactionEnded", "keyspaceDropped",
            ])
        guard case .flushEnded(let input, let result) = sink.events[4] else { return }
        #expect(input.keyspaces == ["entries"] && input.entryCount == 20 && result.tableCount == 1)
        #expect(result.error == nil && result.byteCount > 0)
        guard case .compactionEnded(let compaction, let outcome) = sink.events[8] else { return }
        #expect(compaction.tableCount == 2 && compaction.readsTables && outcome.tableCount == 1)
    }

    @Test("an opening tells what it has replayed")
    func recovery() throws {
        let disk = SimulatedFileSystem()
        let first = try Storage.open(at: "/db", options: options(disk))
        let keyspace = try first.keyspace("entries")
        try fill(first, keyspace, 7)
        try first.sync()
        let storage = try Storage.open(at: "/db", options: options(disk.crash(.syncedOnly)))
        guard case .opened(let opening)? = sink.events.last else {
            Issue.record("The last event is not the opening: \(sink.names)")
            return
        }
        #expect(opening.replayedCommitCount == 7 && opening.keyspaceCount == 1 && opening.tableCount == 1)
        #expect(opening.sequence == storage.visibleSequence)
    }

    @Test("a flush that fails is told with its error, and again when it succeeds")
    func failedFlush() throws {
        let files = ObservedFileSystem(clock)
        let storage = try Storage.open(at: "/db", options: options(files))
        let keyspace = try storage.keyspace("entries")
        try fill(storage, keyspace, 5)
        files.refuse(suffix: ".sst")
        #expect(throws: StorageError.self) { try storage.flush() }
        guard case .flushEnded(_, let result)? = sink.events.last else {
            Issue.record("The last event is not the end of the flush: \(sink.names)")
            return
        }
        #expect(result.error?.code == .ioFailure && result.tableCount == 0)
        #expect(storage.statistics.total.flushes.count == 0 && storage.statistics.total.flushes.runningCount == 0)
        files.refuse(suffix: nil)
        try storage.flush()
        #expect(sink.count("flushBegan") == 2 && sink.count("flushEnded") == 2)
        #expect(storage.statistics.total.flushes.count == 1)
    }

    @Test("a slow sync is told of, a quick one is not")
    func slowSync() throws {
        let files = ObservedFileSystem(clock)
        let storage = try Storage.open(at: "/db", options: options(files))
        let keyspace = try storage.keyspace("entries")
        for milliseconds in [1, 250, 100] {
            files.setSyncTime(.milliseconds(milliseconds))
            try storage.write(.synced) { try $0.put(keyspace, bytes("key").rawSpan, bytes("value").rawSpan) }
        }
        let slow = sink.events.compactMap { if case .slowSync(let duration) = $0 { duration } else { nil } }
        #expect(slow == [.milliseconds(250)])
    }

    @Test("every stall that begins ends, and statistics count the same")
    func stalls() throws {
        var options = options(SimulatedFileSystem(), .threads)
        options.clock = SystemClock()
        options.maximumImmutableMemtables = 0
        options.memtableByteCount = 1 << 10
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("entries")
        var index = 0
        while sink.count("stallEnded") < 3, index < 1_000_000 {
            try storage.write { try $0.put(keyspace, bytes("key\(index)").rawSpan, bytes("value").rawSpan) }
            index += 1
        }
        #expect(sink.count("stallEnded") >= 3)
        #expect(sink.count("stallBegan") == sink.count("stallEnded"))
        let statistics = storage.statistics
        #expect(statistics.stalls.count == sink.count("stallEnded") && statistics.stalledWriterCount == 0)
        #expect(sink.count("flushBegan") > 0)
        try storage.close()
    }

    @Test("a new log segment is told of by its number")
    func segments() throws {
        var options = options(SimulatedFileSystem())
        options.logSegmentByteCount = 1 << 10
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("entries")
        try fill(storage, keyspace, 60)
        let numbers = sink.events.compactMap { if case .logSegmentStarted(let number) = $0 { number } else { nil } }
        #expect(numbers.count > 2 && numbers == numbers.sorted() && Set(numbers).count == numbers.count)
        #expect(storage.statistics.log.segmentCount == numbers.count)
    }

    @Test("without a listener an event is not even made")
    func nobodyListens() throws {
        let storage = try smallStorage()
        var made = 0
        func event() -> StorageEvent {
            made += 1
            return .keyspaceDropped(name: "", id: 0)
        }
        storage.trace(event())
        #expect(made == 0)
    }
}
