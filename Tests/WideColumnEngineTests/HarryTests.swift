// HarryTests.swift — runs of the model checker: some seeds always, many in a soak.

import Foundation
import Testing

@testable import WideColumnEngine

@Suite("Harry: the engine against a model that keeps every write")
struct HarryTests {
    @Test("what a store answers is what the model predicts", arguments: UInt64(1)...8)
    func seeds(seed: UInt64) throws {
        print("Harry run, seed \(seed)")
        var run = try HarryRun(seed: seed)
        try run.run(steps: 50)
    }
}

@Suite("Harry: soak")
struct HarrySoakTests {
    static let seconds = ProcessInfo.processInfo.environment["SHOPSTREAM_SOAK_SECONDS"].flatMap { Double($0) } ?? 0

    @Test("many seeds, longer runs", .enabled(if: seconds > 0))
    func soak() throws {
        let deadline = Date(timeIntervalSinceNow: Self.seconds)
        // To repeat a run: SHOPSTREAM_HARRY_SEED.
        let first = ProcessInfo.processInfo.environment["SHOPSTREAM_HARRY_SEED"].flatMap { UInt64($0) }
        var seed = first ?? UInt64.random(in: 0..<1 << 40)
        while Date() < deadline {
            print("Harry soak, seed \(seed)")
            var run = try HarryRun(seed: seed)
            do { try run.run(steps: 250) } catch { Issue.record(error) }
            seed += 1
        }
    }
}
