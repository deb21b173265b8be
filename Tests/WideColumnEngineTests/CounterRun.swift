// CounterRun.swift — counters against a model: a total for each cell, or the word that it was deleted.
//
// "Counters: a tombstone always wins regardless of its timestamp" ([CA] db/rows/Cells.java, `resolveCounter`): a cell that was
// deleted stays so. What a deletion of its row, of a range or of its partition covers is gone, tombstones too, and begins anew.

import StorageCore
import StorageTypes

@testable import WideColumnEngine

/// The counters of a table `n (k, c, s STATIC, a, b)`.
private struct CounterModel {
    struct Row: Hashable {
        var k: Int
        /// Of a static row nil.
        var c: Int?
    }

    enum Change {
        case add(Row, column: String, Int64)
        case deleteCell(Row, column: String)
        case deleteRows(k: Int, ClosedRange<Int>)
        case deletePartition(Int)
        case truncate
    }

    /// By row and column; nil of a cell that was deleted.
    private var totals: [Row: [String: Int64?]] = [:]

    /// Applies what one commit says. Its members have one timestamp, so deletions win whichever comes first, the greater
    /// ones over the lesser.
    mutating func apply(_ changes: [Change]) {
        for case .add(let row, let column, let delta) in changes {
            guard let total = totals[row, default: [:]][column, default: 0] else { continue }
            totals[row, default: [:]][column] = .some(total &+ delta)
        }
        for case .deleteCell(let row, let column) in changes { totals[row, default: [:]][column] = .some(nil) }
        for change in changes {
            switch change {
            case .deleteRows(let k, let range):
                totals = totals.filter { row, _ in row.k != k || row.c.map { !range.contains($0) } ?? true }
            case .deletePartition(let k): totals = totals.filter { $0.key.k != k }
            case .truncate: totals = [:]
            case .add, .deleteCell: break
            }
        }
    }

    private func value(_ row: Row, _ column: String) -> CQLValue {
        (totals[row]?[column] ?? nil).map { .bigint($0) } ?? .null
    }

    /// `k, c, s, a, b`: a partition whose static row alone lives has one row of nulls.
    func rows(_ k: Int) -> [[CQLValue]] {
        let total = value(Row(k: k), "s")
        let rows = totals.keys.filter { $0.k == k }.compactMap(\.c).sorted().compactMap { c -> [CQLValue]? in
            let values = ["a", "b"].map { value(Row(k: k, c: c), $0) }
            guard values.contains(where: { !$0.isNull }) else { return nil }
            return [.int(Int32(k)), .int(Int32(c)), total] + values
        }
        return rows.isEmpty && !total.isNull ? [[.int(Int32(k)), .null, total, .null, .null]] : rows
    }
}

/// A run is determined by its seed.
struct CounterRun {
    private static let partitions = 0..<3
    private static let clusterings = 0..<4

    private let seed: UInt64
    private var random: SeededRandom
    private var disk: HarryDisk
    private var model = CounterModel()
    /// What there was after each commit.
    private var history: [(sequence: UInt64, model: CounterModel)] = []
    private var snapshots: [(snapshot: Snapshot, model: CounterModel)] = []

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        disk = try HarryDisk(seed: seed)
        try disk.store.execute(
            "CREATE TABLE n (k int, c int, s counter STATIC, a counter, b counter, PRIMARY KEY (k, c))")
    }

    mutating func run(steps: Int) throws {
        do {
            for step in 0..<steps {
                try change()
                if random.oneIn(6) { try befall() }
                if step % 3 == 2 { try check() }
            }
            try check()
            try disk.verify()
        } catch {
            throw HarryFailure(
                description: "seed \(seed): \(error)\n  \(disk.log.suffix(60).joined(separator: "\n  "))")
        }
    }

    // MARK: Changes

    private mutating func change() throws {
        if random.oneIn(80) { return try truncate() }
        var changes: [CounterModel.Change] = []
        var statements: [String] = []
        for _ in 0..<(random.oneIn(4) ? Int.random(in: 2...5, using: &random) : 1) {
            let (cql, change) = statement()
            statements.append(cql)
            changes.append(change)
        }
        var cql = statements.joined(separator: "; ")
        if statements.count > 1 { cql = "BEGIN COUNTER BATCH \(cql); APPLY BATCH" }
        let durability: Durability = random.oneIn(5) ? .synced : .buffered
        disk.note("\(cql) \(durability)")
        _ = try disk.write(durability) { [store = disk.store, cql] in try store.execute(cql, in: $0) }
        record(changes)
    }

    private mutating func truncate() throws {
        disk.note("TRUNCATE n")
        try disk.store.execute("TRUNCATE n")
        record([.truncate])
    }

    private mutating func record(_ changes: [CounterModel.Change]) {
        model.apply(changes)
        history.append((disk.sequence, model))
    }

    private mutating func statement() -> (String, CounterModel.Change) {
        let k = Int.random(in: Self.partitions, using: &random)
        let c = Int.random(in: Self.clusterings, using: &random)
        let column = ["s", "a", "a", "b"].randomElement(using: &random) ?? "a"
        let row = CounterModel.Row(k: k, c: column == "s" ? nil : c)
        let place = column == "s" ? "k = \(k)" : "k = \(k) AND c = \(c)"
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return ("DELETE \(column) FROM n WHERE \(place)", .deleteCell(row, column: column))
        case 1: return ("DELETE FROM n WHERE k = \(k) AND c = \(c)", .deleteRows(k: k, c...c))
        case 2:
            return ("DELETE FROM n WHERE k = \(k) AND c >= \(c)", .deleteRows(k: k, c...Self.clusterings.upperBound))
        case 3: return ("DELETE FROM n WHERE k = \(k)", .deletePartition(k))
        default:
            let delta = [1, -1, 300, .max].randomElement(using: &random) ?? Int64.random(in: -9...9, using: &random)
            return (
                "UPDATE n SET \(column) = \(column) + \(delta) WHERE \(place)", .add(row, column: column, delta)
            )
        }
    }

    // MARK: What befalls a store

    private mutating func befall() throws {
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1: try disk.flush()
        case 2: try disk.settle()
        case 3: try disk.compact()
        case 4:
            snapshots = []
            try disk.reopen()
        case 5:
            snapshots = []
            let recovered = try disk.crash(&random)
            history.removeAll { $0.sequence > recovered }
            model = history.last?.model ?? CounterModel()
        case 6: if snapshots.count < 3 { snapshots.append((try disk.snapshot(), model)) }
        default:
            // Tombstones are not forgotten: a counter would begin anew.
            disk.passTime(Int.random(in: 0...600, using: &random))
            if random.oneIn(4) { disk.setClock(by: [-7200, -2, 3600].randomElement(using: &random) ?? 0) }
        }
    }

    // MARK: Checks

    private mutating func check() throws {
        try expect(try disk.snapshot(), model)
        guard let (snapshot, earlier) = snapshots.first, random.oneIn(3) else { return }
        snapshots.removeFirst()
        try expect(snapshot, earlier)
    }

    private func expect(_ snapshot: Snapshot, _ model: CounterModel) throws {
        for k in Self.partitions {
            let rows = try disk.store.execute(
                "SELECT k, c, s, a, b FROM n WHERE k = ?", [.int(Int32(k))], on: snapshot
            ).map(\.values)
            guard rows == model.rows(k) else {
                throw HarryFailure(description: "partition \(k) is \(rows)\n  not \(model.rows(k))")
            }
        }
        let all = try disk.store.execute("SELECT * FROM n", on: snapshot).map { "\($0["k"]) \($0["c"]) \($0["a"])" }
        let expected = Self.partitions.flatMap { model.rows($0) }.map { "\($0[0]) \($0[1]) \($0[3])" }
        guard all.sorted() == expected.sorted() else {
            throw HarryFailure(description: "the table is \(all)\n  not \(expected)")
        }
    }
}
