// HarryRun.swift — one run of the model checker: a table made up from a seed, statements, what befalls a store, checks.

import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

/// The first difference ends a run.
struct HarryFailure: Error, CustomStringConvertible {
    var description: String
}

/// A run is determined by its seed.
struct HarryRun {
    private let seed: UInt64
    let schema: HarrySchema
    private(set) var model: HarryModel
    var generator: HarryGenerator
    private var options = StorageOptions()
    private var disk: SimulatedFileSystem
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
    private(set) var store: WideColumnStore
    /// Snapshots that are still to be read as they were, with how many changes they see.
    private var snapshots: [(snapshot: Snapshot, changeCount: Int)] = []
    private(set) var log: [String] = []

    init(seed: UInt64) throws {
        self.seed = seed
        var random = SeededRandom(seed: seed)
        schema = HarrySchema(&random)
        model = HarryModel(columns: schema.columns)
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
        generator = HarryGenerator(schema, random)
        store = try WideColumnStore(storage: .open(at: "/data", options: options))
        for cql in [
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE ks",
        ]
            + schema.statements
        { try store.execute(cql) }
    }

    mutating func run(steps: Int) throws {
        do {
            for step in 0..<steps {
                try change()
                if generator.random.oneIn(6) { try befall() }
                if step % 4 == 3 { try check() }
            }
            try check()
            try verify()
        } catch {
            let history = log.suffix(60).joined(separator: "\n  ")
            throw HarryFailure(
                description: "seed \(seed): \(error)\n  \(schema.statements.joined(separator: "\n  "))\n  \(history)")
        }
    }

    var now: Int64 { store.storage.snapshot().readTime.seconds }

    // MARK: Changes

    /// A timestamp, or nil for that of the commit.
    private mutating func timestamp() -> Int64? {
        if schema.hasTies { return Int64.random(in: 1...12, using: &generator.random) }
        guard generator.random.oneIn(3) else { return nil }
        // Late or early by less than half of the grace period, so nothing comes after what covers it was forgotten.
        return clock.now.microseconds + Int64.random(in: -15_000_000...15_000_000, using: &generator.random)
    }

    private mutating func change() throws {
        switch generator.random.oneIn(6) ? Int.random(in: 0..<3, using: &generator.random) : 3 {
        case 0: try conditional()
        case 1: try batch()
        case 2 where generator.random.oneIn(6):
            log.append("TRUNCATE t")
            try store.execute("TRUNCATE t")
            record([.truncate])
        default:
            let time = timestamp()
            // Statements of lists may depend on what is in them.
            generator.present = schema.hasLists ? model.partitions(at: now) : []
            defer { generator.present = [] }
            try apply([(generator.statement(timestamp: time), time)], batch: nil)
        }
    }

    private mutating func batch() throws {
        let isInOnePartition = generator.random.oneIn(2)
        let partition = isInOnePartition ? generator.key(.partition) : nil
        let batchTime = generator.random.oneIn(2) ? timestamp() : nil
        let statements = (0..<Int.random(in: 2...4, using: &generator.random)).map { _ in
            let time = batchTime == nil ? timestamp() : nil
            return (generator.statement(in: partition, timestamp: time), time)
        }
        try apply(statements, batch: (generator.random.oneIn(2) ? "UNLOGGED " : "", batchTime))
    }

    private mutating func apply(
        _ statements: [(statement: HarryStatement, time: Int64?)], batch: (kind: String, time: Int64?)?
    ) throws {
        var cql = statements.map(\.statement.cql).joined(separator: "; ")
        var values = statements.flatMap(\.statement.values)
        if let batch {
            cql = "BEGIN \(batch.kind)BATCH \(batch.time == nil ? "" : "USING TIMESTAMP ?") \(cql); APPLY BATCH"
            if let time = batch.time { values.insert(.bigint(time), at: 0) }
        }
        let durability: Durability = generator.random.oneIn(5) ? .synced : .buffered
        log.append("\(cql) \(values) \(durability)")
        let commit = try store.storage.write(durability) { [store] transaction in
            try store.execute(cql, values, in: transaction)
            return transaction.commitTime
        }
        record(
            statements.flatMap { statement, time in
                statement.effects(time ?? batch?.time ?? commit.microseconds, commit.seconds)
            })
    }

    private mutating func record(_ effects: [HarryChange.Effect]) {
        let sequence = store.storage.visibleSequence.rawValue
        model.changes += effects.map { HarryChange(effect: $0, sequence: sequence) }
    }

    /// A light-weight transaction, alone or in a batch with others; what it answers is predicted.
    private mutating func conditional() throws {
        let time = now
        let present = model.partitions(at: time)
        let partition = generator.key(.partition)
        let content = present.first { $0.key == partition }
        generator.present = present
        var statements = [generator.conditional(partition)]
        generator.present = []
        let isBatch = generator.random.oneIn(3)
        if isBatch {
            for _ in 0..<Int.random(in: 1...2, using: &generator.random) {
                let other = generator.random.oneIn(2) ? generator.conditional(partition) : nil
                // Cassandra takes no different kinds of conditions on one row, or on the static row, which any may test.
                if let other, other.row?.clustering != nil,
                    !statements.contains(where: { $0.row?.clustering == nil || $0.row == other.row })
                {
                    statements.append(other)
                } else {
                    statements.append(generator.statement(in: partition, timestamp: nil))
                }
            }
        }
        let holds = statements.allSatisfy { $0.condition?(content) ?? true }
        var cql = statements.map(\.cql).joined(separator: "; ")
        if isBatch { cql = "BEGIN BATCH \(cql); APPLY BATCH" }
        let values = statements.flatMap(\.values)
        log.append("\(cql) \(values)")
        let (result, commit) = try store.storage.write { [store, cql] transaction in
            (try store.execute(cql, values, in: transaction), transaction.commitTime)
        }
        guard commit.seconds == time else {
            throw HarryFailure(description: "the clock moved by more than microseconds: from \(time) to \(commit)")
        }
        guard result.wasApplied == holds else {
            throw HarryFailure(description: "\(cql): [applied] is \(result.wasApplied), the model says \(holds)")
        }
        guard !holds else {
            return record(statements.flatMap { $0.effects(commit.microseconds, commit.seconds) })
        }
        if !isBatch { try checkAnswer(result, statements[0], content) }
    }

    /// A statement that was not applied tells the row as it is.
    private func checkAnswer(_ result: ResultSet, _ statement: HarryStatement, _ content: HarryPartition?) throws {
        guard let row = content?.rows.first(where: { $0.clustering == statement.row?.clustering }) else { return }
        for index in statement.answer {
            let column = schema.columns[index]
            let cells = (column.kind == .static ? content?.staticRow : row)?.cells[index] ?? []
            guard result.first?[column.name] == column.content(cells) else {
                throw HarryFailure(
                    description: "\(statement.cql): \(column.name) is told to be "
                        + "\(result.first?[column.name] ?? .unset), not \(column.content(cells))")
            }
        }
    }

    // MARK: What befalls a store

    private mutating func befall() throws {
        switch Int.random(in: 0..<9, using: &generator.random) {
        case 0, 1:
            log.append("flush")
            try store.storage.flush()
        case 2:
            log.append("settle")
            try store.storage.settle()
        case 3:
            log.append("compact")
            try store.storage.compact()
        case 4: try reopen()
        case 5: try crash()
        case 6:
            if snapshots.count < 3 { snapshots.append((store.storage.snapshot(), model.changes.count)) }
        default: passTime()
        }
    }

    private mutating func passTime() {
        let seconds =
            schema.hasTies
            ? Int.random(in: 0...3, using: &generator.random)
            : Int.random(in: 1...90, using: &generator.random)
        log.append("\(seconds) seconds pass")
        clock.advance(by: .seconds(seconds))
        if generator.random.oneIn(8), !schema.hasTies {
            // An administrator sets the clock a little back.
            clock.set(clock.now.advanced(by: .seconds(-2)))
        }
    }

    private mutating func reopen() throws {
        log.append("reopen")
        snapshots = []
        try store.storage.close()
        try open()
    }

    private mutating func open() throws {
        store = try WideColumnStore(storage: .open(at: "/data", options: options))
        try store.execute("USE ks")
        try verify()
    }

    /// The power goes, or the process alone; what was not synced may be lost, from the end.
    private mutating func crash() throws {
        let survivors = SimulatedFileSystem.Survivors.allCases.randomElement(using: &generator.random) ?? .syncedOnly
        log.append("crash, survivors \(survivors)")
        let durable = store.storage.durableSequence.rawValue
        let visible = store.storage.visibleSequence.rawValue
        disk.cutPower()
        snapshots = []
        disk = disk.crash(survivors, seed: generator.random.next())
        options.fileSystem = disk
        try open()
        let recovered = store.storage.visibleSequence.rawValue
        guard recovered >= (survivors == .everything ? visible : durable) else {
            throw HarryFailure(description: "commit \(durable) was durable, \(recovered) is the last after the crash")
        }
        model.changes.removeAll { $0.sequence > recovered }
        log.append("recovered up to \(recovered) of \(visible)")
    }

    private func verify() throws {
        let problems = try store.storage.verify().problems
        if !problems.isEmpty { throw HarryFailure(description: "verify: \(problems)") }
    }

    // MARK: Checks

    private mutating func check() throws {
        let snapshot = store.storage.snapshot()
        var checker = HarryChecker(self, snapshot, model.partitions(at: snapshot.readTime.seconds))
        try checker.check()
        generator.random = checker.random
        guard let (old, count) = snapshots.first, generator.random.oneIn(3) else { return }
        snapshots.removeFirst()
        log.append("look at an old snapshot")
        var earlier = HarryChecker(self, old, model.partitions(count, at: old.readTime.seconds))
        try earlier.checkWhole()
    }
}
