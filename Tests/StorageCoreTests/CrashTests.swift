// CrashTests.swift — the power is cut at every step of a workload, and what is found is held against what was promised.

import StorageCore
import StorageTypes
import Testing

/// Which survivors of a crash are looked at.
struct CrashPattern: CustomStringConvertible {
    var survivors: SimulatedFileSystem.Survivors
    var seed: UInt64

    var description: String { "\(survivors) with seed \(seed)" }

    var promise: CrashRun.Promise { survivors == .everything ? .acknowledged : .durable }

    static func all(seeds: Range<UInt64>) -> [CrashPattern] {
        [CrashPattern(survivors: .syncedOnly, seed: 0), CrashPattern(survivors: .everything, seed: 0)]
            + seeds.flatMap {
                [CrashPattern(survivors: .torn, seed: $0), CrashPattern(survivors: .reordered, seed: $0)]
            }
    }
}

/// The number of mutating operations that a workload takes on a disk where nothing goes wrong.
func crashOperationCount(of workload: CrashWorkload, _ engine: CrashEngine = .trees) throws -> Int {
    let run = CrashRun(SimulatedFileSystem(seed: 1), engine: engine)
    try run.run(workload.steps)
    for error in run.errors { Issue.record("a healthy disk: \(error)") }
    try run.checkReads()
    return run.disk.operationCount
}

/// Runs a workload until the power is cut at an operation.
func crashedRun(
    of workload: CrashWorkload, atOperation operation: Int, _ engine: CrashEngine = .trees
) throws -> CrashRun {
    let run = CrashRun(SimulatedFileSystem(seed: 1), engine: engine)
    run.disk.cutPower(atOperation: operation)
    try run.run(workload.steps)
    return run
}

@Suite("Crash at every step")
struct CrashTests {
    @Test(
        "a power cut at any step leaves a prefix of the commits with all that was synced",
        arguments: [CrashEngine.trees, .mappedTrees])
    func everyStep(engine: CrashEngine) throws {
        try cutEveryStep(
            of: CrashWorkload(seed: 1, stepCount: 60), "workload 1 over \(engine)", engine: engine,
            patternStride: Soak.stride(1, brief: engine == .trees ? 2 : 4))
    }
}

@Suite("Soak: crash at every step", .enabled(if: Soak.duration != nil))
struct CrashSoakTests {
    @Test("no power cut at any step of any workload breaks a promise")
    func everyStepOfMany() throws {
        var seeds = TestSeeds("crash soak")
        let soak = Soak()
        repeat {
            let seed = seeds.draw()
            var random = SeededRandom(seed: seed)
            let stepCount = Int.random(in: 20..<150, using: &random)
            let what = "CrashWorkload(seed: \(seed), stepCount: \(stepCount))"
            let workload = CrashWorkload(seed: seed, stepCount: stepCount)
            let engine = [CrashEngine.sqlite, .trees, .mappedTrees, .trees][Int(seed % 4)]
            guard try cutEveryStep(of: workload, "\(what) over \(engine)", seeds: 3, engine: engine) else { return }
        } while soak.goesOn
    }
}

/// Cuts the power at each step in turn and looks at what each pattern of survivors leaves, or at every so many-th, another
/// one at each step; false after a violation.
@discardableResult
func cutEveryStep(
    of workload: CrashWorkload, _ what: String, seeds: UInt64 = 1, engine: CrashEngine = .trees,
    patternStride: Int = 1
) throws -> Bool {
    let count = try crashOperationCount(of: workload, engine)
    for operation in 1...count {
        let run = try crashedRun(of: workload, atOperation: operation, engine)
        let firstSeed = UInt64(operation) * seeds
        for (index, pattern) in CrashPattern.all(seeds: firstSeed..<firstSeed + seeds).enumerated()
        where (operation + index) % patternStride == 0 {
            do {
                let found = run.disk.crash(pattern.survivors, seed: pattern.seed)
                try run.check(found, holds: pattern.promise, briefly: (operation / patternStride + index) % 3 != 0)
            } catch {
                Issue.record("\(what), cut at operation \(operation) of \(count), \(pattern): \(error)")
                return false
            }
        }
    }
    return true
}
