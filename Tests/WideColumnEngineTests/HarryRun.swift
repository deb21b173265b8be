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
    private(set) var schema: HarrySchema
    private(set) var model: HarryModel
    var generator: HarryGenerator
    var disk: HarryDisk
    /// The build of a view or index that goes on between statements.
    var build: HarryBuild?
    /// Snapshots that are still to be read as they were, with how many changes they see.
    private var snapshots: [(snapshot: Snapshot, changeCount: Int)] = []

    var store: WideColumnStore { disk.store }
    var log: [String] { disk.log }

    init(seed: UInt64) throws {
        self.seed = seed
        var random = SeededRandom(seed: seed)
        schema = HarrySchema(&random)
        model = HarryModel(columns: schema.columns)
        disk = try HarryDisk(seed: seed)
        generator = HarryGenerator(schema, random)
        for cql in schema.statements {
            disk.note(cql)
            try store.execute(cql)
        }
    }

    mutating func run(steps: Int) throws {
        do {
            for step in 0..<steps {
                try change()
                try stepBuild()
                if generator.random.oneIn(5) { try befall() }
                if step % 4 == 3 { try check() }
            }
            try check()
            try disk.verify()
        } catch {
            let history = log.prefix(schema.statements.count) + log.dropFirst(schema.statements.count).suffix(60)
            throw HarryFailure(description: "seed \(seed): \(error)\n  \(history.joined(separator: "\n  "))")
        }
    }

    /// Changes the table, its views or its indexes, for everyone who knows them.
    mutating func alter(_ body: (inout HarrySchema, inout SeededRandom) throws -> Void) rethrows {
        try body(&schema, &generator.random)
        model.columns = schema.columns
        generator.schema = schema
    }

    // MARK: Changes

    /// A timestamp, or nil for that of the commit.
    private mutating func timestamp() throws -> Int64? {
        if schema.hasTies {
            return [.min + 1, -7, 0].randomElement(using: &generator.random).flatMap {
                generator.random.oneIn(8) ? $0 : nil
            }
                ?? Int64.random(in: 1...12, using: &generator.random)
        }
        guard generator.random.oneIn(3) else { return nil }
        // Late or early by less than half of the grace period, so nothing comes after what covers it was forgotten.
        return try disk.now().microseconds + Int64.random(in: -15_000_000...15_000_000, using: &generator.random)
    }

    private mutating func change() throws {
        switch generator.random.oneIn(6) ? Int.random(in: 0..<3, using: &generator.random) : 3 {
        case 0: try conditional()
        case 1: try batch()
        case 2 where generator.random.oneIn(6):
            disk.note("TRUNCATE t")
            try store.execute("TRUNCATE t")
            record([.truncate])
        default:
            let time = try timestamp()
            // Statements of lists may depend on what is in them.
            generator.present = schema.hasLists ? model.partitions(at: try disk.now().seconds) : []
            defer { generator.present = [] }
            try apply([(generator.statement(timestamp: time), time)], batch: nil)
        }
    }

    private mutating func batch() throws {
        let isInOnePartition = generator.random.oneIn(2)
        let partition = isInOnePartition ? generator.key(.partition) : nil
        let batchTime = generator.random.oneIn(2) ? try timestamp() : nil
        let statements = try (0..<Int.random(in: 2...4, using: &generator.random)).map { _ in
            let time = batchTime == nil ? try timestamp() : nil
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
        disk.note("\(cql) \(values) \(durability)")
        let commit = try disk.write(durability) { [store] in try store.execute(cql, values, in: $0) }.time
        record(
            statements.flatMap { statement, time in
                statement.effects(time ?? batch?.time ?? commit.microseconds, commit.seconds)
            })
    }

    private mutating func record(_ effects: [HarryChange.Effect]) {
        let sequence = disk.sequence
        model.changes += effects.map { HarryChange(effect: $0, sequence: sequence) }
    }

    /// A light-weight transaction, alone or in a batch with others; what it answers is predicted.
    private mutating func conditional() throws {
        let time = try disk.now().seconds
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
        disk.note("\(cql) \(values)")
        let (result, commit) = try disk.write { [store, cql] in try store.execute(cql, values, in: $0) }
        guard commit.seconds == time else {
            throw HarryFailure(description: "the clock moved by more than microseconds: from \(time) to \(commit)")
        }
        guard result.wasApplied == holds else {
            throw HarryFailure(description: "\(cql): [applied] is \(result.wasApplied), the model says \(holds)")
        }
        guard !holds else {
            return record(statements.flatMap { $0.effects(commit.microseconds, commit.seconds) })
        }
        let rows = HarryAnswer(schema, isBatch: isBatch).rows(statements, content)
        let columns = result.columns.map(\.name)
        guard columns == rows.names, result.map({ "\($0.values)" }) == rows.values.map({ "\($0)" }) else {
            throw HarryFailure(
                description:
                    "\(cql): the answer is \(columns) \(result.map(\.values))\n  not \(rows.names) \(rows.values)")
        }
    }

    // MARK: What befalls a store

    private mutating func befall() throws {
        switch Int.random(in: 0..<13, using: &generator.random) {
        case 0, 1: try disk.flush()
        case 2: try disk.settle()
        case 3: try disk.compact()
        case 4:
            snapshots = []
            try disk.reopen()
            finishBuild()
        case 5:
            snapshots = []
            let recovered = try disk.crash(&generator.random)
            model.changes.removeAll { $0.sequence > recovered }
            finishBuild()
        case 6: if snapshots.count < 3 { snapshots.append((try disk.snapshot(), model.changes.count)) }
        case 7...9: try changeSchema()
        default: try passTime()
        }
    }

    private mutating func passTime() throws {
        disk.passTime(Int.random(in: schema.hasTies ? 0...20 : 1...90, using: &generator.random))
        guard generator.random.oneIn(6) else { return }
        // Nothing may be forgotten where later writes may be older than any before.
        let leaps = [-7200, -2, 3600] + (schema.hasTies ? [] : [400 * 86_400])
        let leap = leaps.randomElement(using: &generator.random) ?? 0
        disk.setClock(by: leap)
        guard leap > 3600, generator.random.oneIn(2) else { return }
        // As long as nothing was written the clock may be put right, and all is as before.
        try disk.flush()
        try disk.compact()
        try check()
        disk.setClock(by: -leap)
        try check()
    }

    // MARK: Checks

    private mutating func check() throws {
        let snapshot = try disk.snapshot()
        var checker = HarryChecker(self, snapshot, model.partitions(at: snapshot.readTime.seconds))
        try checker.check()
        generator.random = checker.random
        guard let (old, count) = snapshots.first, generator.random.oneIn(3) else { return }
        snapshots.removeFirst()
        disk.note("look at an old snapshot")
        var earlier = HarryChecker(self, old, model.partitions(count, at: old.readTime.seconds))
        try earlier.checkWhole()
    }
}
