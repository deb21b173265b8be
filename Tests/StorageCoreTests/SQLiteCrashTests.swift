// SQLiteCrashTests.swift — power cuts, failing operations and full disks under a storage in one SQLite file.
//
// The workloads, the model and the judge are those of the log-structured trees; the disk is the same simulated one.

import StorageCore
import StorageTypes
import Testing

@Suite("SQLite: crash at every step")
struct SQLiteCrashTests {
    @Test("a power cut at any step leaves a prefix of the commits with all that was synced")
    func everyStep() throws {
        try cutEveryStep(
            of: CrashWorkload(seed: 1, stepCount: 40), "workload 1", engine: .sqlite,
            patternStride: Soak.stride(1, brief: 2))
    }

    @Test("a second power cut at any step of the recovery loses nothing that the first one left")
    func secondCrash() throws {
        let workload = CrashWorkload(seed: 2, stepCount: 60)
        let count = try crashOperationCount(of: workload, .sqlite)
        for operation in stride(from: 7, through: count, by: Soak.stride(23, brief: 59)) {
            let run = try crashedRun(of: workload, atOperation: operation, .sqlite)
            let patterns = CrashPattern.all(seeds: UInt64(operation)..<UInt64(operation) + 1)
            let first = patterns[operation % patterns.count]
            let second = patterns[operation / patterns.count % patterns.count]
            try cutRecovery(of: run, first, second, "workload 2, cut at operation \(operation)")
        }
    }

    @Test(
        "a disk that ignores syncs is convicted", arguments: [CrashDeafFileSystem.Deafness.sqliteLog, .sqliteDatabase])
    func deafDisk(_ deafness: CrashDeafFileSystem.Deafness) throws {
        let workload = CrashWorkload(seed: 1, stepCount: 60)
        let count = try crashOperationCount(of: workload, .sqlite)
        for operation in stride(from: 1, through: count, by: 2) {
            let disk = SimulatedFileSystem(seed: 1)
            let run = CrashRun(disk, seenAs: CrashDeafFileSystem(disk, deafness), engine: .sqlite)
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

@Suite("SQLite: failing operations")
struct SQLiteFaultTests {
    @Test(
        "whatever fails is reported, and nothing acknowledged is lost",
        arguments: [SimulatedFileSystem.Operation.write, .sync, .truncate, .create, .syncDirectory, .remove])
    func failingOperations(kind: SimulatedFileSystem.Operation) throws {
        let workload = CrashWorkload(seed: 3, stepCount: 60)
        let healthy = CrashRun(SimulatedFileSystem(seed: 1), engine: .sqlite)
        try healthy.run(workload.steps)
        let count = healthy.disk.operationCount(of: kind)
        var (runs, told) = (0, 0)
        for number in stride(from: 1, through: count, by: count > 40 && Soak.duration == nil ? 3 : 1) {
            do {
                let isTold = try check(kind, number, workload)
                (runs, told) = (runs + 1, told + (isTold ? 1 : 0))
            } catch {
                Issue.record("workload 3, \(kind) \(number) of \(count): \(error)")
                return
            }
        }
        // Of a sync that fails in the background the next writer is told, if there is one before the storage closes.
        if kind == .sync { #expect(told * 10 >= runs * 8, "\(told) of \(runs) failed syncs were told") }
    }

    private func check(_ kind: SimulatedFileSystem.Operation, _ number: Int, _ workload: CrashWorkload)
        throws -> Bool
    {
        let run = CrashRun(SimulatedFileSystem(seed: 1), engine: .sqlite)
        run.disk.failOperation(number: number, once: number % 2 == 0, with: .ioFailure, kind: kind)
        try run.run(workload.steps)
        for error in run.errors where !(error is StorageError) { throw CrashViolation("told by \(error)") }
        try run.checkReads()
        try run.check(run.disk.crash(.everything), holds: .acknowledged, briefly: number % 4 != 1)
        for survivors in [SimulatedFileSystem.Survivors.syncedOnly, .reordered] {
            try run.check(run.disk.crash(survivors), holds: .durable, briefly: true)
        }
        return !run.errors.isEmpty
    }

    @Test("wherever the disk fills up, nothing is lost, and the open storage goes on once there is room")
    func everyCapacity() throws {
        let workload = CrashWorkload(seed: 5, stepCount: 60)
        let healthy = CrashRun(SimulatedFileSystem(seed: 1), engine: .sqlite)
        try healthy.run(workload.steps)
        let needed = healthy.disk.usedByteCount
        var fullCount = 0
        for capacity in stride(from: 4096, to: needed * 2, by: 4099) {
            let run = CrashRun(SimulatedFileSystem(seed: 1), engine: .sqlite)
            run.disk.capacity = capacity
            do {
                try check(run, workload)
                fullCount += run.errors.isEmpty ? 0 : 1
            } catch {
                Issue.record("workload 5, disk of \(capacity) bytes: \(error)")
                return
            }
        }
        #expect(fullCount > 10, "only \(fullCount) of the disks were too small; \(needed) bytes are needed")
    }

    private func check(_ run: CrashRun, _ workload: CrashWorkload) throws {
        try run.run(workload.steps)
        for error in run.errors where (error as? StorageError)?.code != .diskFull {
            throw CrashViolation("a full disk is told as \(error)")
        }
        try run.checkReads()
        run.disk.capacity = nil
        let errorCount = run.errors.count
        let put = CrashChange.put("plain", Array("room".utf8), Array("again".utf8), lifetime: nil)
        // Where it was opened on the full disk, background work finishes that first.
        try run.run([.work, .create("plain"), .commit([put], .synced, inTransaction: true), .compact, .sync])
        guard run.errors.count == errorCount else {
            throw CrashViolation("with room again: \(run.errors[errorCount])")
        }
        try run.checkReads()
        try run.check(run.disk.crash(.syncedOnly), holds: .durable)
    }
}
