// HarryTests.swift — runs of the model checker: some seeds always, many in a soak.

import Foundation
import Testing

@testable import WideColumnEngine

@Suite("Harry: the engine against a model that keeps every write")
struct HarryTests {
    /// Some fixed seeds, and one that is new in every run. SHOPSTREAM_HARRY_SEED repeats one that failed.
    static let seeds: [UInt64] = HarrySoakTests.seed.map { [$0] } ?? Array(1...8) + [UInt64.random(in: 9..<1 << 40)]

    @Test("what a store answers is what the model predicts", arguments: seeds)
    func answers(seed: UInt64) throws {
        print("Harry run, seed \(seed)")
        var run = try HarryRun(seed: seed)
        try run.run(steps: 50)
    }

    @Test("runs have statements of every kind")
    func kinds() throws {
        // What a line of the log has to hold; `l` is a list.
        let kinds: [[String]] = [
            ["UPDATE", "l[?] = ?"], ["DELETE l[?]"], ["l = ? + l"], ["l = l + ?"], ["l = l - ?"], ["IF l[?]"],
            ["DELETE FROM t", "c IN (?, ?)"], ["DELETE FROM t", "p IN (?, ?)"], ["DELETE FROM t", "(c, c) IN ((?, ?)"],
            ["DELETE FROM t", "(c, c) >"], ["DELETE FROM t", "(c, c) <"], ["INSERT", "IF NOT EXISTS"],
            ["UPDATE", "IF EXISTS"], ["IF r <"], ["IF r >"], ["IF r IN"],
            ["BEGIN BATCH", "UPDATE", "IF r", "APPLY BATCH"],
            ["BATCH USING TIMESTAMP"], ["USING TTL ?"], ["TRUNCATE t"], ["crash, survivors"], ["reopen"],
            ["look at an old snapshot"], ["IF s"], ["the clock is set by -"], ["DROP INDEX"],
            ["DROP MATERIALIZED VIEW"], ["build a chunk", "the index"], ["build a chunk", "the materialized view"],
            ["ALTER TABLE t ADD"], ["ALTER TABLE t DROP"],
        ]
        var missing = Set(kinds)
        for index in UInt64(0)..<60 where !missing.isEmpty {
            let seed = index &* 0x9E37_79B9_7F4A_7C15
            print("Harry kinds, seed \(seed)")
            var run = try HarryRun(seed: seed)
            try run.run(steps: 25)
            let lists = Set(run.schema.columns.filter { if case .list = $0.shape { true } else { false } }.map(\.name))
            for line in run.log {
                let plain = lists.reduce(line) { $0.replacing($1, with: "l") }.filter { !$0.isNumber }
                missing = missing.filter { kind in !kind.allSatisfy { plain.contains($0) } }
            }
        }
        #expect(missing.isEmpty)
    }
}

@Suite("Harry: soak")
struct HarrySoakTests {
    static let seconds = ProcessInfo.processInfo.environment["SHOPSTREAM_SOAK_SECONDS"].flatMap { Double($0) } ?? 0

    /// Of a run that is to be repeated.
    static let seed = ProcessInfo.processInfo.environment["SHOPSTREAM_HARRY_SEED"].flatMap { UInt64($0) }

    @Test("many seeds, longer runs", .enabled(if: seconds > 0))
    func soak() throws {
        let deadline = Date(timeIntervalSinceNow: Self.seconds)
        var seed = Self.seed ?? UInt64.random(in: 0..<1 << 40)
        while Date() < deadline {
            print("Harry soak, seed \(seed)")
            var run = try HarryRun(seed: seed)
            do { try run.run(steps: 250) } catch { Issue.record(error) }
            seed += 1
        }
    }
}
