// FaultReadTests.swift — reads that fail are errors, never wrong answers, and leave no trace.

import StorageCore
import StorageTypes
import Testing

@Suite("Failing reads")
struct FaultReadTests {
    private static let seed: UInt64 = 4

    @Test("a read that fails throws, and the next one gives the right answer")
    func readsOfASettledStorage() throws {
        let workload = CrashWorkload(seed: Self.seed, stepCount: 80)
        let run = CrashRun(SimulatedFileSystem(seed: 1))
        try run.run(workload.steps + [.flush, .reopen])
        let before = run.disk.readCount
        try run.checkReads()
        let count = run.disk.readCount - before
        #expect(count > 10)
        for offset in 1...count {
            // Opened anew, so that no table is open and no block cached.
            try run.run([.reopen])
            run.disk.failReads(number: run.disk.readCount + offset, once: offset % 2 == 0)
            do {
                try run.checkReads()
                Issue.record("workload \(Self.seed): nobody heard of failed read \(offset)")
            } catch let error as StorageError {
                #expect(error.code == .ioFailure, "workload \(Self.seed), read \(offset): \(error)")
            }
            run.disk.clearFaults()
            try run.checkReads()
        }
    }

    @Test("a read that fails in background work or at opening loses nothing")
    func readsOfARun() throws {
        let workload = CrashWorkload(seed: Self.seed, stepCount: 60)
        let healthy = CrashRun(SimulatedFileSystem(seed: 1))
        try healthy.run(workload.steps)
        let seed = TestSeed.draw("the first read that fails")
        let stride = Soak.stride(1, brief: 5)
        for number in Swift.stride(from: 1 + Int(seed) % stride, through: healthy.disk.readCount, by: stride) {
            let run = CrashRun(SimulatedFileSystem(seed: 1))
            run.disk.failReads(number: number, once: true)
            do {
                try run.run(workload.steps)
                try run.checkReads()
                try run.check(run.disk.crash(.everything), holds: .acknowledged, briefly: number % 5 != 0)
                try run.check(run.disk.crash(.reordered), holds: .durable, briefly: true)
            } catch {
                Issue.record("workload \(Self.seed), read \(number) fails: \(error)")
                return
            }
        }
    }
}
