// HarryDisk.swift — what befalls a store on a simulated disk, and how its clock is set; with what has to hold of the times
// of its commits and reads, whatever the clock does.

import StorageCore
import StorageTypes

@testable import WideColumnEngine

struct HarryDisk {
    private var options = StorageOptions()
    private var disk: SimulatedFileSystem
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
    private(set) var store: WideColumnStore
    private(set) var log: [String] = []
    /// The latest that the clock has shown.
    private var latest: StorageInstant
    /// Those that are not of the schema.
    private var commits: [(sequence: UInt64, time: StorageInstant)] = []

    init(seed: UInt64) throws {
        disk = SimulatedFileSystem(seed: seed)
        options.fileSystem = disk
        options.clock = clock
        options.seed = seed
        options.backgroundWork = .manual
        options.memtableByteCount = 16 << 10
        options.tableByteCount = 4 << 10
        options.levelZeroTableCount = 2
        options.levelOneByteCount = 16 << 10
        options.blockByteCount = 512
        latest = clock.now
        store = try WideColumnStore(storage: .open(at: "/data", options: options))
        for cql in [
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE ks",
        ] { try store.execute(cql) }
    }

    mutating func note(_ line: String) { log.append(line) }

    /// The last of the commits.
    var sequence: UInt64 { store.storage.visibleSequence.rawValue }

    // MARK: Times

    /// "Strictly later than every commit before, whatever the wall clock does", and no later than it has ever been.
    mutating func write<Result>(
        _ durability: Durability = .buffered, _ body: (WriteTransaction) throws -> Result
    ) throws -> (result: Result, time: StorageInstant) {
        let next = sequence + 1
        let (result, time) = try store.storage.write(durability) { transaction in
            (try body(transaction), transaction.commitTime)
        }
        let last = lastTime
        guard time > last, time >= clock.now, time <= bound(next) else {
            throw HarryFailure(description: "a commit at \(time), after one at \(last), by a clock at \(clock.now)")
        }
        // What has nothing to write does not commit.
        if sequence == next { commits.append((sequence, time)) }
        return (result, time)
    }

    /// A snapshot; it is read neither before the last commit nor later than the clock has ever been.
    func snapshot() throws -> Snapshot {
        let snapshot = store.storage.snapshot()
        let time = snapshot.readTime
        guard time >= max(lastTime, clock.now), time <= bound(snapshot.sequence.rawValue) else {
            throw HarryFailure(
                description: "read at \(time), after a commit at \(lastTime), by a clock at \(clock.now)")
        }
        return snapshot
    }

    private var lastTime: StorageInstant { commits.last?.time ?? .distantPast }

    /// The latest time that a commit may have: every one is a microsecond later at least than the one before.
    private func bound(_ sequence: UInt64) -> StorageInstant {
        let count = sequence - (commits.last?.sequence ?? 0)
        return StorageInstant(microseconds: max(latest, lastTime).microseconds + Int64(count))
    }

    /// Now, as readers and writers see it.
    func now() throws -> StorageInstant { try snapshot().readTime }

    mutating func passTime(_ seconds: Int) {
        note("\(seconds) seconds pass")
        clock.advance(by: .seconds(seconds))
        latest = max(latest, clock.now)
    }

    /// An administrator sets the clock.
    mutating func setClock(by seconds: Int) {
        note("the clock is set by \(seconds) seconds")
        clock.set(clock.now.advanced(by: .seconds(seconds)))
        latest = max(latest, clock.now)
    }

    // MARK: Files

    mutating func flush() throws {
        note("flush")
        try store.storage.flush()
    }

    mutating func settle() throws {
        note("settle")
        try store.storage.settle()
    }

    mutating func compact() throws {
        note("compact")
        try store.storage.compact()
    }

    mutating func reopen() throws {
        note("reopen")
        try store.storage.close()
        _ = try open()
    }

    /// The power goes, or the process alone; what was not synced may be lost, from the end. The last commit that is left.
    mutating func crash(_ random: inout SeededRandom) throws -> UInt64 {
        let survivors = SimulatedFileSystem.Survivors.allCases.randomElement(using: &random) ?? .syncedOnly
        note("crash, survivors \(survivors)")
        let durable = store.storage.durableSequence.rawValue
        let visible = sequence
        disk.cutPower()
        disk = disk.crash(survivors, seed: random.next())
        options.fileSystem = disk
        let recovered = try open()
        guard recovered >= (survivors == .everything ? visible : durable) else {
            throw HarryFailure(description: "commit \(durable) was durable, \(recovered) is the last after the crash")
        }
        commits.removeAll { $0.sequence > recovered }
        note("recovered up to \(recovered) of \(visible)")
        return recovered
    }

    /// The last commit that is found. The store's opening may commit too: it completes what was being built.
    private mutating func open() throws -> UInt64 {
        let storage = try Storage.open(at: "/data", options: options)
        let recovered = storage.visibleSequence.rawValue
        store = try WideColumnStore(storage: storage)
        try store.execute("USE ks")
        try verify()
        return recovered
    }

    func verify() throws {
        let problems = try store.storage.verify().problems
        if !problems.isEmpty { throw HarryFailure(description: "verify: \(problems)") }
    }
}
