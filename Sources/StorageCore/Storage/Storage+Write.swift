// Storage+Write.swift — the commit path.
//
// In the lane, in this order: sequence and commit time → body → log → memtables → commit actions → publication.
// If the log refuses, nothing was applied. Waiting for durability and for room happens after leaving the lane.

internal import Synchronization

extension Storage {
    /// Runs `body` alone, commits what it wrote, and returns once the commit is as durable as asked for.
    ///
    /// The body reads its own writes. If it throws, nothing is written and its error is thrown on. The body must not
    /// write to the storage except through its transaction.
    ///
    /// A `.synced` body that wrote nothing waits too, for the last commit that it could have read: no answer rests on
    /// something that a power cut may take back.
    public func write<R>(
        _ durability: Durability = .buffered, _ body: (WriteTransaction) throws -> R
    ) throws -> R {
        defer { visibleWaiters.signal(visible.load(ordering: .acquiring)) }
        lane.enter()
        defer { lane.leave() }
        return try runInLane(body)
    }

    /// As the synchronous form; suspends where it has to wait, and holds no thread meanwhile.
    public func write<R>(
        _ durability: Durability = .buffered, _ body: (WriteTransaction) throws -> R
    ) async throws -> R {
        defer { visibleWaiters.signal(visible.load(ordering: .acquiring)) }
        await lane.enterSuspending()
        defer { lane.leave() }
        return try runInLane(body)
    }

    /// Commits a batch that was made without reading.
    @discardableResult
    public func commit(_ batch: consuming WriteBatch, _ durability: Durability = .buffered) throws -> SequenceNumber {
        lane.enter()
        defer { lane.leave() }
        return try commitInLane(batch, commitTime: nextCommitTime(), actions: [])
    }

    private func runInLane<R>(_ body: (WriteTransaction) throws -> R) throws -> R {
        let transaction = WriteTransaction(
            sequence: visibleSequence.next, commitTime: nextCommitTime(), batch: WriteBatch())
        defer { _ = transaction.end() }
        let result = try lane.asOwner { try body(transaction) }
        _ = try commitInLane(transaction.batch, commitTime: transaction.commitTime, actions: transaction.commitActions)
        return result
    }

    /// Strictly later than every commit before, whatever the wall clock does.
    private func nextCommitTime() -> StorageInstant {
        let floor = lastCommitTime.load(ordering: .relaxed)
        return max(clock.now, StorageInstant(microseconds: floor + 1))
    }

    private func commitInLane(
        _ batch: WriteBatch, commitTime: StorageInstant, actions: [(SequenceNumber) -> Void]
    ) throws -> SequenceNumber {
        let sequence = visibleSequence.next
        guard !batch.isEmpty else {
            for action in actions { action(sequence) }
            return visibleSequence
        }
        apply(batch, sequence: sequence.rawValue)
        for action in actions { action(sequence) }
        lastCommitTime.store(commitTime.microseconds, ordering: .relaxed)
        visible.store(sequence.rawValue, ordering: .releasing)
        return sequence
    }

    private func apply(_ batch: WriteBatch, sequence: UInt64) {
        for rangeDelete in batch.rangeDeletes {
            let tree = batch.keyspaces[Int(rangeDelete.keyspace)].tree
            tree.state.memtable.insert(
                RangeTombstone(lower: rangeDelete.lower, upper: rangeDelete.upper, sequence: sequence))
        }
        for position in batch.entries.indices where batch.entries[position].isLive {
            let entry = batch.entries[position]
            let memtable = batch.keyspaces[Int(entry.keyspace)].tree.state.memtable
            unsafe batch.withKey(of: position) { key in
                unsafe batch.withValue(of: position) { value in
                    unsafe memtable.insert(
                        UnsafeEntry(key: key, sequence: sequence, kind: entry.kind, expiry: entry.expiry, value: value))
                }
            }
        }
    }
}
