// ModelTests.swift — the storage against a sorted dictionary, at random.

import StorageCore
import Testing

@Suite struct ModelTests {
    /// Some fixed seeds, and one that is new in every run. SHOPSTREAM_SEED repeats one that failed.
    static let seeds = TestSeed.given.map { [$0] } ?? [1, 2, UInt64.random(in: 3..<1 << 32)]

    @Test("whatever is done in whatever order, the storage answers as a sorted dictionary does", arguments: seeds)
    func randomized(seed: UInt64) throws {
        print("model run, seed \(seed)")
        try runModel(seed: seed, steps: 400) { .directory($0) }
    }

    @Test("a storage in one SQLite file answers as a sorted dictionary does", arguments: seeds)
    func randomizedSQLite(seed: UInt64) throws {
        print("model run over SQLite, seed \(seed)")
        try runModel(seed: seed, steps: 400) { .sqlite($0) }
    }
}

@Suite struct ModelSoakTests {
    @Test("random runs agree with the model for as long as asked", .enabled(if: Soak.duration != nil))
    func soak() throws {
        let soak = Soak()
        var seeds = TestSeeds("model soak")
        repeat {
            let seed = seeds.draw()
            print("model soak, seed \(seed)")
            try runModel(seed: seed, steps: 2000) { seed % 4 == 0 ? .sqlite($0) : .directory($0) }
        } while soak.goesOn
    }
}

func runModel(seed: UInt64, steps: Int, at location: @escaping (String) -> StorageLocation) throws {
    let run = try ModelRun(seed: seed, location: location)
    var position = 0
    do {
        while position < steps {
            try run.step()
            position += 1
        }
        try run.finish()
    } catch {
        let journal = run.journal.suffix(25).joined(separator: "; ")
        Issue.record("seed \(seed), step \(position): \(error)\nlast: \(journal)")
    }
}
