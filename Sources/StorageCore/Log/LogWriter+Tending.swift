// LogWriter+Tending.swift — what is done for the log ahead of the writer and behind it, on a thread of its own.
//
// None of it is needed for a record to be right; where it fails, the writer does it in the lane, and hears of the error.

internal import Synchronization

extension LogWriter {
    /// Unsynced bytes for which the device is asked to begin writing; a sync then finds less to do.
    private static let writeBackByteCount: Int64 = 512 << 10
    /// Pages in place ahead of the writer: as many as were filled since the last sync, up to so many. They are written by the
    /// next sync, so small commits that are synced one by one get none.
    private static let populatedByteCount: Int64 = 8 << 20
    private static let populatingThreshold: Int64 = 1 << 20

    /// Places in the current segment; the state of the thread that tends the log.
    struct Tending {
        var segment: UInt64 = 0
        var writtenBack: Int64 = 0
        var populated: Int64 = 0
    }

    func requestTending() {
        guard isTended.load(ordering: .relaxed) else { return }
        state.withLockAndSignal { $0.isTendingWanted = true }
    }

    /// The body of the thread.
    func runTending() {
        isTended.store(true, ordering: .relaxed)
        var tending = Tending()
        while waitForTending() { tend(&tending) }
    }

    private func waitForTending() -> Bool {
        state.wait { state in
            if state.isStopped { return false }
            guard state.isTendingWanted else { return nil }
            state.isTendingWanted = false
            return true
        }
    }

    /// Ends the thread. Nothing is made ahead of time afterwards, nor still being made: whoever opens the folder next finds the
    /// same number free.
    func stopTending() {
        isTended.store(false, ordering: .relaxed)
        state.withLockAndSignal { $0.isStopped = true }
        state.wait { $0.isMakingNext ? nil : () }
    }

    /// One round: brings pages in place for what comes, in memtables and in the log, begins writing what was appended, makes
    /// the next segment. The device may take its time for what it is asked to write; the writer needs the pages sooner.
    func tend(_ tending: inout Tending) {
        UnsafeArena.prepareChunks()
        guard let segment = state.withLock({ $0.segments.last }) else { return }
        if segment.number != tending.segment {
            tending = Tending(segment: segment.number)
            synced.store(0, ordering: .relaxed)
        }
        let end = segment.endOffset
        let unsyncedFrom = min(synced.load(ordering: .relaxed), end)
        if segment.isMapped, segment.storesRecords, end - unsyncedFrom >= Self.populatingThreshold {
            let from = max(tending.populated, end)
            let through = min(end + min(end - unsyncedFrom, Self.populatedByteCount), segment.capacity)
            if through > from { segment.populate(from: from, byteCount: through - from) }
            tending.populated = max(through, tending.populated)
        }
        let start = max(tending.writtenBack, unsyncedFrom)
        if end - start >= Self.writeBackByteCount {
            segment.startWriteBack(from: start, byteCount: end - start)
            tending.writtenBack = end
        }
        if segment.isMapped, end > segment.capacity / 2 { makeNext(after: segment.number) }
    }

    private func makeNext(after number: UInt64) {
        let isWanted = state.withLock { state in
            guard state.next == nil, !state.isMakingNext, !state.isStopped, state.segments.last?.number == number else {
                return false
            }
            state.isMakingNext = true
            return true
        }
        guard isWanted else { return }
        let next = try? make(number + 1)
        state.withLockAndSignal { state in
            state.isMakingNext = false
            state.next = next
        }
    }
}
