// MappingState.swift — the logic of an event source mapping as plain state: events in, the next action out.
//
// A record passes through three places: the window, where a batch is gathered; the pending batches, oldest first, of which
// the first is being delivered; and the past, at or before the checkpoint.
//
// Invariants:
//  1. Records are delivered in stream order: only the first pending batch is ever delivered, and nothing is gathered
//     while a batch is pending.
//  2. The checkpoint moves forward only over records that were handled, filtered out or given up — except by
//     `rewind(to:)`.

internal import TableEngine

/// Why records were given up.
public enum DiscardCondition: String, Sendable, Hashable {
    case retryAttemptsExhausted = "RetryAttemptsExhausted"
    case recordAgeExceeded = "RecordAgeExceeded"
}

/// Records that belong together: delivered, repeated, split or given up as one.
struct PendingBatch: Sendable, Hashable {
    var records: [StreamRecord]
    /// The checkpoint once the batch is done: its last record, or one behind it that was filtered out.
    var coveredThrough: StreamSequenceNumber
    var failedAttempts = 0
    var notBefore: StorageInstant?
    /// Whether the last failure was an error, not an answer that named failed records.
    var failedWithError = false
}

struct MappingState: Sendable {
    struct Rules: Sendable {
        var batchSize: Int
        var batchingWindow: Duration
        var maximumRetryAttempts: Int
        var maximumRecordAge: Duration?
        var bisects: Bool
        var backoff: BackoffPolicy
    }

    enum Action: Sendable, Hashable {
        /// Read the stream behind a position.
        case fetch(after: StreamSequenceNumber?, limit: Int)
        /// Only filtered records lie between the checkpoint and this position: note it.
        case advance(to: StreamSequenceNumber)
        case deliver([StreamRecord], attempt: Int)
        case discard(PendingBatch, DiscardCondition)
        /// Nothing to do before this moment, unless the window fills up.
        case wait(until: StorageInstant)
        /// Nothing to do before there are new records.
        case awaitRecords
    }

    let rules: Rules
    private(set) var checkpoint: StreamSequenceNumber?
    /// Everything up to here has been read.
    private(set) var scanned: StreamSequenceNumber?
    private var pending: [PendingBatch] = []
    private var window: [StreamRecord] = []
    private var windowOpenedAt: StorageInstant?
    private var reachedEnd = false
    private var random: SeededRandom

    /// Filters may skip much: reading is in chunks of at least this many records.
    private static let minimumFetchLimit = 100

    init(rules: Rules, checkpoint: StreamSequenceNumber?, seed: UInt64) {
        self.rules = rules
        self.checkpoint = checkpoint
        scanned = checkpoint
        random = SeededRandom(seed: seed)
    }

    /// Whether the next batch is being gathered, so that new records may complete it.
    var isGathering: Bool { pending.isEmpty && !window.isEmpty }

    // MARK: The next action

    mutating func next(now: StorageInstant) -> Action {
        if pending.isEmpty { closeWindow(now: now) }
        if let first = pending.first { return action(for: first, now: now) }
        if window.isEmpty, let scanned, scanned != checkpoint { return .advance(to: scanned) }
        guard reachedEnd else {
            // Only as many as still fit, so that a batch never has to give records back.
            let limit = rules.batchSize - window.count
            return .fetch(after: scanned, limit: window.isEmpty ? max(limit, Self.minimumFetchLimit) : limit)
        }
        guard let windowOpenedAt else { return .awaitRecords }
        return .wait(until: windowOpenedAt.advanced(by: rules.batchingWindow))
    }

    private mutating func action(for first: PendingBatch, now: StorageInstant) -> Action {
        let expiredCount = expiredCount(in: first, now: now)
        if expiredCount > 0 {
            if expiredCount < first.records.count { split(at: expiredCount) }
            return .discard(pending[0], .recordAgeExceeded)
        }
        if isExhausted(first) { return .discard(first, .retryAttemptsExhausted) }
        if let notBefore = first.notBefore, notBefore > now { return .wait(until: notBefore) }
        return .deliver(first.records, attempt: first.failedAttempts + 1)
    }

    /// Makes a batch of the window once it is full, or has been open long enough.
    private mutating func closeWindow(now: StorageInstant) {
        guard let openedAt = windowOpenedAt, let scanned else { return }
        let isFull = window.count >= rules.batchSize
        guard isFull || (reachedEnd && openedAt.advanced(by: rules.batchingWindow) <= now) else { return }
        while !window.isEmpty {
            let records = Array(window.prefix(rules.batchSize))
            window.removeFirst(records.count)
            let coveredThrough = window.isEmpty ? scanned : records[records.count - 1].sequenceNumber
            pending.append(PendingBatch(records: records, coveredThrough: coveredThrough))
        }
        windowOpenedAt = nil
    }

    private func expiredCount(in batch: PendingBatch, now: StorageInstant) -> Int {
        guard let maximumAge = rules.maximumRecordAge else { return 0 }
        return batch.records.prefix { $0.approximateCreationDateTime.advanced(by: maximumAge) < now }.count
    }

    private func isExhausted(_ batch: PendingBatch) -> Bool {
        rules.maximumRetryAttempts >= 0 && batch.failedAttempts > rules.maximumRetryAttempts
    }

    // MARK: Events

    /// What `fetch` found: the records that the filters let through, and how far was read.
    mutating func fetched(_ records: [StreamRecord], through position: StreamSequenceNumber?, now: StorageInstant) {
        guard let position else {
            reachedEnd = true
            return
        }
        scanned = position
        guard !records.isEmpty else { return }
        if window.isEmpty { windowOpenedAt = now }
        window.append(contentsOf: records)
    }

    /// The stream may have grown.
    mutating func recordsMayHaveArrived() {
        reachedEnd = false
    }

    /// The checkpoint is durable at `position`, which only filtered records led to.
    mutating func advanced(to position: StreamSequenceNumber) {
        checkpoint = position
    }

    /// The checkpoint that comes with the end of the first batch.
    var checkpointAfterFirst: StreamSequenceNumber? { pending.first?.coveredThrough }

    /// The first batch was handled, or given up, and its checkpoint is noted.
    mutating func finishedFirst() {
        guard !pending.isEmpty else { return }
        checkpoint = pending.removeFirst().coveredThrough
    }

    /// The whole first batch failed, with an error or with an answer that doesn't name its records.
    mutating func firstFailed(withError: Bool = true, now: StorageInstant) {
        guard !pending.isEmpty else { return }
        pending[0].failedWithError = withError
        if rules.bisects, pending[0].records.count > 1 {
            split(at: pending[0].records.count / 2)
        } else {
            countFailure(now: now)
        }
    }

    /// The handler answered that the batch is done up to the record at `index`, which failed.
    ///
    /// Returns the checkpoint to note, if the batch got shorter.
    mutating func firstFailed(from index: Int, now: StorageInstant) -> StreamSequenceNumber? {
        guard !pending.isEmpty else { return nil }
        pending[0].failedWithError = false
        guard index > 0 else {
            if rules.bisects, pending[0].records.count > 1 { split(at: 1) } else { countFailure(now: now) }
            return nil
        }
        let done = pending[0].records[index - 1].sequenceNumber
        pending[0].records.removeFirst(index)
        // A batch that makes progress is not the one that failed before.
        pending[0].failedAttempts = 0
        countFailure(now: now)
        checkpoint = done
        return done
    }

    /// A transaction failed at the record at `index`: nothing of it happened. The records before and behind go on without it.
    mutating func firstFailed(aloneAt index: Int, now: StorageInstant) {
        guard !pending.isEmpty else { return }
        if index > 0 { split(at: index) }
        let failed = index > 0 ? 1 : 0
        if pending[failed].records.count > 1 { split(at: 1, of: failed) }
        pending[failed].failedWithError = true
        countFailure(of: failed, now: now)
    }

    /// Goes back to `position`: every record behind it will be delivered again.
    mutating func rewind(to position: StreamSequenceNumber?) {
        checkpoint = position
        scanned = position
        pending = []
        window = []
        windowOpenedAt = nil
        reachedEnd = false
    }

    // MARK: Batches

    private mutating func countFailure(of index: Int = 0, now: StorageInstant) {
        pending[index].failedAttempts += 1
        let delay = rules.backoff.delay(afterAttempt: pending[index].failedAttempts, using: &random)
        pending[index].notBefore = now.advanced(by: delay)
    }

    /// Splits a pending batch in two; both have the attempts of the whole.
    private mutating func split(at position: Int, of index: Int = 0) {
        var head = pending[index]
        head.records = Array(head.records.prefix(position))
        head.coveredThrough = head.records[position - 1].sequenceNumber
        pending[index].records.removeFirst(position)
        pending.insert(head, at: index)
    }
}
