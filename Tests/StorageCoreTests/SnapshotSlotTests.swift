// SnapshotSlotTests.swift — the registry of snapshots: more of them than slots, and from several threads at once.

import Foundation
import Synchronization
import Testing

@testable import StorageCore

@Suite("Snapshot slots")
struct SnapshotSlotTests {
    private static let time = StorageInstant(seconds: 10)

    @Test("more snapshots than there are slots are all seen, and none once they are let go")
    func surplus() {
        let registry = SnapshotRegistry()
        let count = UnsafeSnapshotSlots.count + 20
        var snapshots = (0..<count).map { number in
            registry.register(
                now: Self.time.advanced(by: .seconds(number)), lastCommitTime: { Self.time },
                sequence: { UInt64(number) })
        }
        #expect(registry.count == count)
        #expect(registry.sequences == (0..<count).map(UInt64.init))
        snapshots.removeFirst(count / 2)
        #expect(registry.sequences == (count / 2..<count).map(UInt64.init))
        let horizon = registry.horizon(purgeTime: StorageInstant(seconds: 1000)) { 5000 }
        #expect(horizon.sequences == (count / 2..<count).map(UInt64.init) + [5000])
        #expect(horizon.purgeTime == Self.time.advanced(by: .seconds(count / 2)))
        snapshots = []
        #expect(registry.count == 0)
    }

    @Test("a snapshot of sequence 0 holds it back like any other")
    func sequenceZero() {
        let registry = SnapshotRegistry()
        let snapshot = registry.register(now: Self.time, lastCommitTime: { Self.time }, sequence: { 0 })
        #expect(registry.horizon(purgeTime: Self.time) { 7 }.sequences == [0, 7])
        withExtendedLifetime(snapshot) {}
    }

    /// Readers register at what is visible; beside them someone looks at the horizon, and whatever it leaves out may be
    /// thrown away: versions between the newest that it names and the reader's sequence are gone for a reader that it missed.
    @Test("no snapshot taken beside a look at the horizon reads a commit or a time that the look gave up")
    func registrationBesideHorizon() {
        let registry = SnapshotRegistry()
        let visible = Atomic<UInt64>(1)
        let isDone = Atomic<Bool>(false)
        /// The newest sequence and the purge time of the last look whose results were acted upon.
        let thrownAway = Mutex<(newest: UInt64, kept: Set<UInt64>, purged: Int64)>((0, [], .min))
        let failures = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            if worker == 0 {
                for round in 1...3000 {
                    visible.store(UInt64(round) + 1, ordering: .sequentiallyConsistent)
                    thrownAway.withLock { state in
                        let horizon = registry.horizon(purgeTime: StorageInstant(microseconds: Int64(round))) {
                            visible.load(ordering: .sequentiallyConsistent)
                        }
                        state = (
                            horizon.sequences.max() ?? 0, Set(horizon.sequences), horizon.purgeTime.microseconds
                        )
                    }
                }
                isDone.store(true, ordering: .releasing)
            } else {
                while !isDone.load(ordering: .acquiring) {
                    let snapshot = registry.register(
                        now: StorageInstant(microseconds: 0), lastCommitTime: { StorageInstant(microseconds: 0) },
                        sequence: { visible.load(ordering: .sequentiallyConsistent) })
                    let sequence = snapshot.sequence.rawValue
                    let isGood = thrownAway.withLock { state in
                        (sequence >= state.newest || state.kept.contains(sequence))
                            && snapshot.readTime.microseconds >= state.purged
                    }
                    if !isGood { failures.add(1, ordering: .relaxed) }
                    withExtendedLifetime(snapshot) {}
                }
            }
        }
        #expect(failures.load(ordering: .acquiring) == 0)
        #expect(registry.count == 0)
    }
}
