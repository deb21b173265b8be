// CrashRecoveryTests.swift — crashes while a crash is being recovered from, and the judge's own trial.

import StorageCore
import StorageTypes
import Testing

@Suite("Crash during recovery")
struct CrashRecoveryTests {
    @Test(
        "a second power cut at any step of the recovery loses nothing that the first one left",
        arguments: [CrashEngine.trees, .mappedTrees])
    func secondCrash(engine: CrashEngine) throws {
        let seed: UInt64 = 2
        let workload = CrashWorkload(seed: seed, stepCount: 60)
        let count = try crashOperationCount(of: workload, engine)
        for operation in stride(from: 7, through: count, by: Soak.stride(17, brief: 43)) {
            let run = try crashedRun(of: workload, atOperation: operation, engine)
            let patterns = CrashPattern.all(seeds: UInt64(operation)..<UInt64(operation) + 1)
            let first = patterns[operation % patterns.count]
            let second = patterns[operation / patterns.count % patterns.count]
            try cutRecovery(of: run, first, second, "workload \(seed) over \(engine), cut at operation \(operation)")
        }
    }
}

@Suite("Soak: crash during recovery", .enabled(if: Soak.duration != nil))
struct CrashRecoverySoakTests {
    @Test("no second power cut after any first one loses anything")
    func secondCrashes() throws {
        var seeds = TestSeeds("recovery crash soak")
        let soak = Soak()
        repeat {
            let seed = seeds.draw()
            var random = SeededRandom(seed: seed)
            let workload = CrashWorkload(seed: seed, stepCount: 60)
            let count = try crashOperationCount(of: workload)
            let patterns = CrashPattern.all(seeds: seed..<seed + 2)
            for operation in 1...count {
                let run = try crashedRun(of: workload, atOperation: operation)
                let first = patterns[Int.random(in: 0..<patterns.count, using: &random)]
                let second = patterns[Int.random(in: 0..<patterns.count, using: &random)]
                let what = "CrashWorkload(seed: \(seed), stepCount: 60), cut at operation \(operation)"
                guard try cutRecovery(of: run, first, second, what) else { return }
            }
        } while soak.goesOn
    }
}

/// Cuts the power at each step of the opening that follows a crash; false after a violation.
@discardableResult
func cutRecovery(
    of run: CrashRun, _ first: CrashPattern, _ second: CrashPattern, _ what: String
) throws -> Bool {
    func found() -> SimulatedFileSystem { run.disk.crash(first.survivors, seed: first.seed) }
    let whole = found()
    _ = try Storage.open(
        run.engine.location("/db"), options: CrashWorkload.storageOptions(whole, run.clock, run.engine.logWriting))
    let isKill = first.promise == .acknowledged && second.promise == .acknowledged
    for step in 1...whole.operationCount {
        let disk = found()
        disk.cutPower(atOperation: step)
        #expect(throws: StorageError.self) {
            try Storage.open(
                run.engine.location("/db"),
                options: CrashWorkload.storageOptions(disk, run.clock, run.engine.logWriting))
        }
        do {
            let again = disk.crash(second.survivors, seed: second.seed &+ UInt64(step))
            try run.check(again, holds: isKill ? .acknowledged : .durable, briefly: step % 5 != 0)
        } catch {
            Issue.record("\(what), \(first), then at step \(step) of the recovery, \(second): \(error)")
            return false
        }
    }
    return true
}

@Suite("Crash tests: the judge")
struct CrashJudgeTests {
    @Test(
        "a disk that ignores syncs is convicted",
        arguments: [CrashDeafFileSystem.Deafness.log, .tables, .manifest, .current, .names])
    func deafDisk(_ deafness: CrashDeafFileSystem.Deafness) throws {
        let workload = CrashWorkload(seed: 1, stepCount: 60)
        let count = try crashOperationCount(of: workload)
        for operation in stride(from: 1, through: count, by: 2) {
            let disk = SimulatedFileSystem(seed: 1)
            let run = CrashRun(disk, seenAs: CrashDeafFileSystem(disk, deafness))
            disk.cutPower(atOperation: operation)
            try run.run(workload.steps)
            do {
                try run.check(disk.crash(.syncedOnly), holds: .durable, briefly: true)
                try run.check(disk.crash(.reordered), holds: .durable, briefly: true)
            } catch {
                return
            }
        }
        Issue.record("ignoring \(deafness) syncs broke no promise")
    }
}
