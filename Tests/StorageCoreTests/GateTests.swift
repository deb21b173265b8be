import CStorage
import Synchronization
import Testing

@testable import StorageCore

/// A device whose syncs the test lets through.
private final class Device: Sendable {
    let visible = Atomic<UInt64>(0)
    let syncCount = Atomic<Int>(0)
    let advances = Mutex<[UInt64]>([])
    private let state = ConditionLock((isHeld: false, isInSync: false, fails: false))

    func hold(_ isHeld: Bool) { state.withLockAndSignal { $0.isHeld = isHeld } }
    func fail() { state.withLock { $0.fails = true } }
    func waitForSync() { state.wait { $0.isInSync ? () : nil } }

    func sync() throws {
        syncCount.add(1, ordering: .relaxed)
        state.withLockAndSignal { $0.isInSync = true }
        let fails = state.wait { $0.isHeld ? nil : $0.fails }
        state.withLock { $0.isInSync = false }
        if fails { throw StorageError(.ioFailure, "The device is gone.") }
    }

    func makeGate(hasThread: Bool) -> DurabilityGate {
        DurabilityGate(
            durable: 0, hasThread: hasThread, target: { self.visible.load(ordering: .acquiring) },
            sync: { try self.sync() }, didAdvance: { reached in self.advances.withLock { $0.append(reached) } })
    }
}

@Suite struct GateTests {
    @Test("one sync serves all threads and tasks that came while another was under way")
    func oneForMany() async throws {
        let device = Device()
        let gate = device.makeGate(hasThread: true)
        let threads = TestThreads()
        let syncThread = TestThreads()
        device.visible.store(1, ordering: .releasing)
        device.hold(true)
        try threads.start { try gate.wait(for: 1) }
        device.waitForSync()
        device.visible.store(20, ordering: .releasing)
        for sequence in UInt64(2)...5 { try threads.start { try gate.wait(for: sequence) } }
        let tasks = (UInt64(6)...20).map { sequence in Task { try await gate.waitSuspending(for: sequence) } }
        try syncThread.start { gate.run(interval: 1_000_000_000_000) }
        device.hold(false)
        for task in tasks { try await task.value }
        #expect(threads.join() == [])
        #expect(gate.durableSequence == 20)
        #expect(device.syncCount.load(ordering: .relaxed) == 2)
        #expect(device.advances.withLock { $0 } == [1, 20])
        // Nothing to do, so nothing is done.
        try gate.wait(for: 20)
        try await gate.waitSuspending(for: 7)
        #expect(device.syncCount.load(ordering: .relaxed) == 2)
        gate.stop()
        #expect(syncThread.join() == [])
    }

    @Test("advances are told in order, however long telling one takes")
    func order() async throws {
        let device = Device()
        let gates = Mutex<DurabilityGate?>(nil)
        let told = Mutex<[UInt64]>([])
        let gate = DurabilityGate(
            durable: 0, hasThread: true, target: { device.visible.load(ordering: .acquiring) },
            sync: { try device.sync() },
            didAdvance: { reached in
                // The first is told until the second sync has ended, or would have.
                let deadline = cstorage_monotonic_nanoseconds() + 200_000_000
                while reached == 1, cstorage_monotonic_nanoseconds() < deadline,
                    gates.withLock({ $0?.durableSequence ?? 0 }) < 2
                {}
                told.withLock { $0.append(reached) }
            })
        gates.withLock { $0 = gate }
        let (threads, syncThread) = (TestThreads(), TestThreads())
        try syncThread.start { gate.run(interval: 1_000_000_000_000) }
        device.visible.store(1, ordering: .releasing)
        device.hold(true)
        try threads.start { try gate.wait(for: 1) }
        device.waitForSync()
        device.visible.store(2, ordering: .releasing)
        try threads.start { try gate.wait(for: 2) }
        device.hold(false)
        #expect(threads.join() == [])
        gate.stop()
        #expect(syncThread.join() == [])
        #expect(told.withLock { $0 } == [1, 2])
        gates.withLock { $0 = nil }
    }

    @Test("whoever completes those who are expected leads at once; nobody else has to come, or wait for a timeout")
    func gathering() async throws {
        let device = Device()
        let gate = device.makeGate(hasThread: false)
        // Three were served together: one led, and two came while it did, whom the next sync served.
        device.hold(true)
        device.visible.store(1, ordering: .releasing)
        let threads = TestThreads()
        try threads.start { try gate.wait(for: 1) }
        device.waitForSync()
        device.visible.store(3, ordering: .releasing)
        for sequence in UInt64(2)...3 { try threads.start { try gate.wait(for: sequence) } }
        while gate.followerCount < 2 { try await Task.sleep(for: .milliseconds(1)) }
        device.hold(false)
        #expect(threads.join() == [])
        #expect(gate.durableSequence == 3)
        #expect(device.syncCount.load(ordering: .relaxed) == 2)
        // One that comes alone waits for the others no longer than the last sync took.
        device.visible.store(4, ordering: .releasing)
        try gate.wait(for: 4)
        #expect(device.syncCount.load(ordering: .relaxed) == 3)
        #expect(device.advances.withLock { $0 } == [1, 3, 4])
    }

    @Test(
        "threads and tasks that keep coming are all served, with and without the sync thread", arguments: [false, true])
    func storm(hasThread: Bool) async throws {
        let device = Device()
        let gate = device.makeGate(hasThread: hasThread)
        let syncThread = TestThreads()
        if hasThread { try syncThread.start { gate.run(interval: 1_000_000_000_000) } }
        let threads = TestThreads()
        for _ in 0..<8 {
            try threads.start {
                for _ in 0..<200 {
                    let sequence = device.visible.add(1, ordering: .acquiringAndReleasing).newValue
                    try gate.wait(for: sequence)
                    #expect(gate.durableSequence >= sequence)
                }
            }
        }
        if hasThread {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<200 {
                            let sequence = device.visible.add(1, ordering: .acquiringAndReleasing).newValue
                            try await gate.waitSuspending(for: sequence)
                            #expect(gate.durableSequence >= sequence)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(threads.join() == [])
        gate.stop()
        #expect(syncThread.join() == [])
        let advances = device.advances.withLock { $0 }
        #expect(advances == advances.sorted())
        #expect(gate.durableSequence == (hasThread ? 3200 : 1600))
    }

    @Test("the first failure is final, for those who wait and those who come", arguments: [false, true])
    func failure(hasThread: Bool) async throws {
        let device = Device()
        let gate = device.makeGate(hasThread: hasThread)
        let syncThread = TestThreads()
        if hasThread { try syncThread.start { gate.run(interval: 1_000_000_000_000) } }
        device.visible.store(3, ordering: .releasing)
        device.fail()
        for sequence in UInt64(1)...3 {
            await #expect(throws: StorageError.self) { try await gate.waitSuspending(for: sequence) }
            #expect(errorCode { try gate.wait(for: sequence) } == .commitOutcomeUnknown)
        }
        #expect(device.syncCount.load(ordering: .relaxed) == 1)
        #expect(device.advances.withLock { $0.isEmpty })
        #expect(gate.durableSequence == 0)
        #expect(gate.failure?.code == .commitOutcomeUnknown)
        gate.stop()
        #expect(syncThread.join() == [])
    }

    @Test("the sync thread syncs commits that nobody waits for, every interval")
    func interval() async throws {
        let device = Device()
        let gate = device.makeGate(hasThread: true)
        let syncThread = TestThreads()
        device.visible.store(4, ordering: .releasing)
        try syncThread.start { gate.run(interval: 1_000_000) }
        while gate.durableSequence < 4 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(device.syncCount.load(ordering: .relaxed) == 1)
        gate.stop()
        #expect(syncThread.join() == [])
    }

    @Test("a sync that someone waited for does not bring the next one forward")
    func intervalIsKept() async throws {
        let device = Device()
        let gate = device.makeGate(hasThread: true)
        let (threads, syncThread) = (TestThreads(), TestThreads())
        try syncThread.start { gate.run(interval: 1_000_000_000_000) }
        device.visible.store(1, ordering: .releasing)
        device.hold(true)
        try threads.start { try gate.wait(for: 1) }
        device.waitForSync()
        // A buffered commit, for which nobody waits.
        device.visible.store(2, ordering: .releasing)
        device.hold(false)
        #expect(threads.join() == [])
        try await Task.sleep(for: .milliseconds(20))
        #expect(device.syncCount.load(ordering: .relaxed) == 1)
        gate.stop()
        #expect(syncThread.join() == [])
    }

    @Test("a task that waits when the gate stops is told so, and one that comes later too")
    func stop() async throws {
        let device = Device()
        let gate = device.makeGate(hasThread: true)
        device.visible.store(1, ordering: .releasing)
        let task = Task { try await gate.waitSuspending(for: 1) }
        try await Task.sleep(for: .milliseconds(5))
        gate.stop()
        await #expect(throws: StorageError.self) { try await task.value }
        await #expect(throws: StorageError.self) { try await gate.waitSuspending(for: 1) }
        // A thread can still sync for itself: closing does.
        try gate.wait(for: 1)
        #expect(gate.durableSequence == 1)
    }

    // MARK: Waiters

    @Test("a signal wakes those whom it satisfies and no others")
    func signal() async throws {
        let waiters = CommitWaiters()
        let current = Device()
        current.visible.store(5, ordering: .releasing)
        let value: @Sendable () -> UInt64 = { current.visible.load(ordering: .acquiring) }
        try await waiters.wait(after: 4, current: value)
        let early = Task { try await waiters.wait(after: 5, current: value) }
        let late = Task { try await waiters.wait(after: 6, current: value) }
        try await Task.sleep(for: .milliseconds(5))
        current.visible.store(6, ordering: .releasing)
        waiters.signal(6)
        try await early.value
        current.visible.store(7, ordering: .releasing)
        waiters.signal(7)
        try await late.value
    }

    @Test("a cancelled wait ends at once, also if the task was cancelled before it began")
    func cancellation() async throws {
        let waiters = CommitWaiters()
        let waiting = Task { try await waiters.wait(after: 1) { 0 } }
        try await Task.sleep(for: .milliseconds(5))
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        let early = Task {
            while !Task.isCancelled { await Task.yield() }
            try await waiters.wait(after: 1) { 0 }
        }
        early.cancel()
        await #expect(throws: CancellationError.self) { try await early.value }
    }

    @Test("closing ends every wait, and those that come later")
    func close() async throws {
        let waiters = CommitWaiters()
        let waiting = Task { try await waiters.wait(after: 1) { 0 } }
        try await Task.sleep(for: .milliseconds(5))
        waiters.close()
        await #expect(throws: StorageError.self) { try await waiting.value }
        await #expect(throws: StorageError.self) { try await waiters.wait(after: 1) { 0 } }
    }
}
