// FaultTests.swift — operations that fail, once or for ever: the storage says so, and what it acknowledged stays.

import StorageCore
import StorageTypes
import Testing

/// An operation that fails.
private struct Fault: CustomStringConvertible {
    var kind: SimulatedFileSystem.Operation
    var number: Int
    var once: Bool
    var code = StorageError.Code.ioFailure

    var description: String { "\(kind) \(number) fails with \(code)\(once ? " once" : " from then on")" }
}

/// What fails once and unnoticed where it makes the reserve, or a new manifest in the place of a long one.
private let silentKinds: Set<SimulatedFileSystem.Operation> = [.create, .write, .rename]

@Suite("Failing operations")
struct FaultTests {
    @Test(
        "whatever fails is reported, and nothing acknowledged is lost",
        arguments: SimulatedFileSystem.Operation.allCases, [CrashEngine.trees, .mappedTrees])
    func failingOperations(kind: SimulatedFileSystem.Operation, engine: CrashEngine) throws {
        let workload = CrashWorkload(seed: 3, stepCount: 60)
        let silentCount = try failEach(
            kind, of: workload, "workload 3 over \(engine)", engine, step: Soak.stride(1, brief: 11))
        // A storage goes on without its reserve, and with a manifest that has grown long: another try follows.
        #expect(silentCount ?? 0 <= (silentKinds.contains(kind) ? 2 : 0))
    }
}

@Suite("Soak: failing operations", .enabled(if: Soak.duration != nil))
struct FaultSoakTests {
    @Test("no operation of any workload fails unnoticed, or takes with it what was acknowledged")
    func many() throws {
        var seeds = TestSeeds("fault soak")
        let soak = Soak()
        repeat {
            let seed = seeds.draw()
            var random = SeededRandom(seed: seed)
            let stepCount = Int.random(in: 20..<120, using: &random)
            let workload = CrashWorkload(seed: seed, stepCount: stepCount)
            let engine = [CrashEngine.trees, .mappedTrees][Int(seed % 2)]
            let what = "CrashWorkload(seed: \(seed), stepCount: \(stepCount)) over \(engine)"
            for kind in SimulatedFileSystem.Operation.allCases {
                guard try failEach(kind, of: workload, what, engine, step: 5) != nil else { return }
            }
        } while soak.goesOn
    }
}

/// Lets the operations of a kind fail in turn, each in a run of its own, or every `step`-th if there are many; how often nobody
/// was told, nil after a violation.
private func failEach(
    _ kind: SimulatedFileSystem.Operation, of workload: CrashWorkload, _ what: String, _ engine: CrashEngine,
    step: Int
) throws -> Int? {
    let healthy = CrashRun(SimulatedFileSystem(seed: 1), engine: engine)
    try healthy.run(workload.steps)
    // A directory whose creation could not be synced is not created again, so its name stays unsynced: begin after.
    let first = kind == .syncDirectory ? 5 : 1
    let count = healthy.disk.operationCount(of: kind)
    var silentCount = 0
    for number in stride(from: first, through: count, by: count > 40 ? step : 1) {
        // A full disk shows at a sync where the file system allocates late.
        let code: StorageError.Code = kind == .sync && number % 4 == 0 ? .diskFull : .ioFailure
        let fault = Fault(kind: kind, number: number, once: number % 2 == 0, code: code)
        do {
            if try !check(fault, workload, engine) { silentCount += 1 }
        } catch {
            Issue.record("\(what), \(fault): \(error)")
            return nil
        }
    }
    return silentCount
}

/// Whether somebody was told, where somebody must be.
private func check(_ fault: Fault, _ workload: CrashWorkload, _ engine: CrashEngine) throws -> Bool {
    let run = CrashRun(SimulatedFileSystem(seed: 1), engine: engine)
    run.disk.failOperation(number: fault.number, once: fault.once, with: fault.code, kind: fault.kind)
    try run.run(workload.steps)
    // Files that could not be removed are left to the next opening; without its reserve a storage does as well. A store
    // through a mapping fails with the power only.
    let isBestEffort = [.remove, .truncate, .allocate, .store].contains(fault.kind)
    let isTold = isBestEffort || !run.errors.isEmpty
    if !isTold, !silentKinds.contains(fault.kind) || !fault.once { throw CrashViolation("nobody was told") }
    for error in run.errors where !(error is StorageError) { throw CrashViolation("told by \(error)") }
    try run.checkReads()
    let whole = run.disk.crash(.everything)
    try run.check(whole, holds: .acknowledged, briefly: fault.number % 4 != 1)
    for survivors in [SimulatedFileSystem.Survivors.syncedOnly, .reordered] {
        try run.check(run.disk.crash(survivors), holds: .durable, briefly: true)
    }
    return isTold
}
