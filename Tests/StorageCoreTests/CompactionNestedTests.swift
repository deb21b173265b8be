// CompactionNestedTests.swift — what goes wrong while a large compaction has stopped for a small one, on the same thread.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Compactions that stop for others")
struct CompactionNestedTests {
    private let disk = SimulatedFileSystem()
    private let sink = Meddler()

    /// Does something at the moment when the large compaction has stopped and the small one begins.
    private final class Meddler: StorageTraceSink {
        private let state = Mutex((action: (@Sendable () -> Void)?.none, steps: [String]()))

        var steps: [String] { state.withLock { $0.steps } }

        func atSmall(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.action = action } }

        func record(_ event: StorageEvent) {
            switch event {
            case .compactionBegan(let input): note("begin", input)
            case .compactionEnded(let input, let result): note(result.error == nil ? "end" : "fail", input)
            default: break
            }
        }

        private func note(_ step: String, _ input: StorageEvent.CompactionInput) {
            // A keyspace that is gone has no name any more.
            let isSmall = input.byteCount < 1 << 20
            let action = state.withLock { state -> (@Sendable () -> Void)? in
                state.steps.append("\(step) \(isSmall ? "small" : "large")")
                return step == "begin" && isSmall ? state.action.take() : nil
            }
            action?()
        }
    }

    private func options(_ work: BackgroundWork = .manual) -> StorageOptions {
        var options = smallOptions(disk, ManualClock(), work)
        options.memtableByteCount = 16 << 20
        options.tableByteCount = 4 << 20
        options.levelOneByteCount = 1 << 40
        options.traceSink = sink
        return options
    }

    /// Eight tables of 5 MiB in the tree of one keyspace, four small ones in that of another: the large compaction begins first,
    /// and stops for the other.
    private func fill() throws -> Storage {
        let storage = try Storage.open(at: "/db", options: options())
        var random = SeededRandom(seed: 11)
        let value = random.bytes(1 << 19)
        for (name, tableCount, value) in [("large", 8, value), ("small", 4, [1])] {
            let keyspace = try storage.keyspace(name, options: KeyspaceOptions(isDedicated: true))
            for table in 0..<tableCount {
                for key in 0..<10 {
                    var batch = WriteBatch()
                    try batch.put(keyspace, bytes("key-\(key)-\(table)").rawSpan, value.rawSpan)
                    try storage.commit(batch)
                }
                try storage.flush()
            }
        }
        return storage
    }

    private func check(_ storage: Storage, large: Int?, small: Int?) throws {
        for (name, count) in [("large", large), ("small", small)] {
            let keyspace = storage.existingKeyspace(name)
            #expect(try keyspace.map { try crashContent(storage.snapshot().view, $0).count } == count)
        }
        let report = try storage.verify()
        #expect(report.isHealthy, "\(report)")
    }

    @Test("one that fails does not disturb the one that has stopped for it, and is done when its turn comes")
    func failure() throws {
        let storage = try fill()
        sink.atSmall { [disk] in
            disk.failOperation(number: disk.operationCount(of: .create) + 1, kind: .create, pathSuffix: ".sst")
        }
        #expect(try storage.compactOne())
        #expect(sink.steps == ["begin large", "begin small", "fail small", "end large"])
        #expect(storage.turns.waitForRelease() == false, "nobody holds a tree any more")
        let small = try storage.keyspace("small")
        #expect(small.tree.state.levels[0].count == 4)
        #expect(try storage.compactOne())
        #expect(sink.steps.suffix(2) == ["begin small", "end small"])
        #expect(small.tree.state.levels[0].isEmpty)
        #expect(storage.background.failure(of: .compaction) == nil)
        try check(storage, large: 80, small: 40)
        try storage.close()
        try check(Storage.open(at: "/db", options: options()), large: 80, small: 40)
    }

    @Test("a keyspace may be dropped while its compaction runs or has stopped", arguments: ["small", "large"])
    func dropped(_ name: String) throws {
        let storage = try fill()
        let dropping = TestThreads()
        sink.atSmall {
            // On another thread, as a program would.
            try? dropping.start { try storage.dropKeyspace(name) }
            _ = dropping.join()
        }
        #expect(try storage.compactOne())
        #expect(dropping.join() == [])
        #expect(sink.steps == ["begin large", "begin small", "end small", "end large"])
        #expect(storage.turns.waitForRelease() == false)
        while try storage.step() {}
        try check(storage, large: name == "large" ? nil : 80, small: name == "small" ? nil : 40)
        // Neither the inputs nor the outputs of the dropped one are left.
        let left = try TableFiles.numbers(in: "/db/tables", disk)
        let listed = try #require(storage.manifest).manifest.tableNumbers
        #expect(Set(left) == listed)
        try storage.close()
        let reopened = try Storage.open(at: "/db", options: options())
        try check(reopened, large: name == "large" ? nil : 80, small: name == "small" ? nil : 40)
    }

    @Test("closing waits for both, and keeps what they have done")
    func closing() throws {
        try fill().close()
        let storage = Mutex<Storage?>(nil)
        let closing = TestThreads()
        let hasMeddled = TestLatch()
        let isOpen = TestLatch()
        let sink = self.sink
        sink.atSmall {
            isOpen.wait()
            guard let storage = storage.withLock({ $0 }) else { return }
            try? closing.start { try storage.close() }
            while !storage.background.isStopping { TestPause.short() }
            hasMeddled.open()
        }
        let opened = try Storage.open(at: "/db", options: options(.threads))
        storage.withLock { $0 = opened }
        isOpen.open()
        hasMeddled.wait()
        #expect(closing.join() == [])
        #expect(sink.steps == ["begin large", "begin small", "end small", "end large"])
        let reopened = try Storage.open(at: "/db", options: options())
        try check(reopened, large: 80, small: 40)
        for name in ["large", "small"] {
            #expect(try reopened.keyspace(name).tree.state.levels[0].isEmpty, "what was compacted stays so")
        }
    }

    @Test("a tree that can't be described keeps nobody's turn, and no other from being compacted")
    func describing() throws {
        struct Refusal: Error {}
        let turns = CompactionTurns()
        let trees = (1...3 as ClosedRange<UInt32>).map {
            Tree(id: $0, options: TreeOptions(), state: TreeState(memtable: Memtable()))
        }
        func describe(_ tree: Tree, _ exhausted: Set<UInt64>) throws -> TreeDescription? {
            if tree.id == 3 { throw Refusal() }
            // Four tables are due, of more bytes the smaller the id.
            return paperTree([0: paperRow([Int64](repeating: 400 / Int64(tree.id), count: 4))])
        }
        #expect(throws: Refusal.self) { try turns.claimNext([trees[2]], describe: describe) }
        #expect(turns.waitForRelease() == false)
        let outer = try #require(try turns.claimNext(trees.reversed(), describe: describe))
        #expect(outer.tree.id == 1 && outer.depth == 0)
        let inner = try #require(try turns.claimNext(trees.reversed(), interrupting: outer, describe: describe))
        #expect(inner.tree.id == 2 && inner.depth == 1 && inner.finish < outer.finish)
        // Nothing else is left: now it is told.
        #expect(throws: Refusal.self) { try turns.claimNext(trees, interrupting: inner, describe: describe) }
        turns.release(inner.tree)
        turns.release(outer.tree)
        #expect(turns.waitForRelease() == false)
    }
}
