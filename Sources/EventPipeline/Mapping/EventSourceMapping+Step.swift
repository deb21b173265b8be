// EventSourceMapping+Step.swift — one action after the other: read, deliver, note the checkpoint, give up.

internal import Logging
internal import Synchronization
internal import TableEngine

/// What a step of a mapping did, and what comes next.
public struct MappingProgress: Sendable, Hashable {
    public enum Next: Sendable, Hashable {
        /// There is more to do at once.
        case ready
        /// Everything in the stream is done.
        case caughtUp
        /// A failed batch is repeated, or an unfilled one delivered, at this time.
        case waiting(until: StorageInstant)
        case disabled
    }

    /// Records handled.
    public var delivered = 0
    /// Records skipped by the filters.
    public var filtered = 0
    /// Invocations that failed, whole or in part.
    public var failures = 0
    /// Records given up.
    public var discarded = 0
    public var next = Next.ready

    static func += (total: inout MappingProgress, step: MappingProgress) {
        total.delivered += step.delivered
        total.filtered += step.filtered
        total.failures += step.failures
        total.discarded += step.discarded
        total.next = step.next
    }
}

extension EventSourceMapping {
    /// Reads until there is a batch, and delivers it; or finds that there is nothing to do.
    ///
    /// A failure of the handler is counted, not thrown. Thrown are failures of the environment, after which the same records
    /// are delivered again, and `MappingError` while a runner or another step is at work.
    @discardableResult
    public func runOnce() async throws -> MappingProgress {
        guard isEnabled else { return MappingProgress(next: .disabled) }
        guard var state = takeState() else { throw MappingError.inUse(name) }
        defer { putBack(state) }
        state.recordsMayHaveArrived()
        return try await runOnce(&state)
    }

    /// Delivers what there is now, until the stream is done or a failed batch has to wait for its repetition.
    ///
    /// Consumers see durable records only, so what was committed so far is made durable first.
    @discardableResult
    public func drain() async throws -> MappingProgress {
        // A synced transaction that writes nothing waits for everything it could have read.
        try await storage.write(.synced) { _ in }
        var total = MappingProgress()
        repeat { total += try await runOnce() } while total.next == .ready
        return total
    }

    func runOnce(_ state: inout MappingState) async throws -> MappingProgress {
        var progress = MappingProgress()
        while true {
            switch state.next(now: storage.clock.now) {
            case .fetch(let position, let limit):
                try fetch(after: position, limit: limit, &state, &progress)
            case .advance(let position):
                try await storage.write(options.durability) { try store(position, in: $0) }
                state.advanced(to: position)
            case .deliver(let records, let attempt):
                try await deliver(records, attempt: attempt, &state, &progress)
                return progress
            case .discard(let batch, let condition):
                try await discard(batch, condition, &state)
                progress.discarded += batch.records.count
                return progress
            case .wait(let until):
                progress.next = .waiting(until: until)
                return progress
            case .awaitRecords:
                progress.next = .caughtUp
                return progress
            }
        }
    }

    private func fetch(
        after position: StreamSequenceNumber?, limit: Int, _ state: inout MappingState,
        _ progress: inout MappingProgress
    ) throws {
        let records: [StreamRecord]
        do {
            records = try stream.records(after: position, limit: limit)
        } catch let error as TableError where error.code == .trimmedDataAccess {
            logger.warning(
                "Records behind the checkpoint are older than the stream keeps; going on with the oldest one.")
            return state.rewind(to: nil)
        }
        let matching = options.filters.isEmpty ? records : records.filter(matchesAnyFilter)
        progress.filtered += records.count - matching.count
        state.fetched(matching, through: records.last?.sequenceNumber, now: storage.clock.now)
    }

    private func matchesAnyFilter(_ record: StreamRecord) -> Bool {
        options.filters.contains { $0.matches(record) }
    }

    // MARK: Delivering

    private func deliver(
        _ records: [StreamRecord], attempt: Int, _ state: inout MappingState, _ progress: inout MappingProgress
    ) async throws {
        switch handler {
        case .external(let handle):
            try await deliver(records, attempt: attempt, to: handle, &state, &progress)
        case .transactional(let handle):
            try await deliver(records, to: handle, &state, &progress)
        }
    }

    private func deliver(
        _ records: [StreamRecord], attempt: Int, to handle: @Sendable (EventBatch) async throws -> BatchResponse,
        _ state: inout MappingState, _ progress: inout MappingProgress
    ) async throws {
        switch try await outcome(of: EventBatch(mappingName: name, records: records, attempt: attempt), handle) {
        case .success:
            try await finish(records.count, &state, &progress)
        case .failure(let withError):
            progress.failures += 1
            state.firstFailed(withError: withError, now: storage.clock.now)
        case .failureFrom(let index):
            progress.failures += 1
            guard let done = state.firstFailed(from: index, now: storage.clock.now) else { return }
            try await storage.write(options.durability) { try store(done, in: $0) }
            progress.delivered += index
        }
    }

    private func outcome(
        of batch: EventBatch, _ handle: @Sendable (EventBatch) async throws -> BatchResponse
    ) async throws -> BatchOutcome {
        do {
            return try await handle(batch).outcome(for: batch.records)
        } catch {
            try rethrowUnlessFunctionError(error)
            logger.warning("Attempt \(batch.attempt) of a batch of \(batch.records.count) failed: \(error)")
            return .failure(withError: true)
        }
    }

    private func deliver(
        _ records: [StreamRecord], to handle: @Sendable (StreamRecord, WriteTransaction) throws -> Void,
        _ state: inout MappingState, _ progress: inout MappingProgress
    ) async throws {
        var current: Int?
        do {
            try await storage.write(options.durability) { transaction in
                let done = try storedCheckpoint(in: transaction.view).position
                for (index, record) in records.enumerated() where done.map({ record.sequenceNumber > $0 }) ?? true {
                    current = index
                    try handle(record, transaction)
                }
                current = nil
                try store(state.checkpointAfterFirst, in: transaction)
            }
            state.finishedFirst()
            progress.delivered += records.count
        } catch {
            guard let index = current else { throw error }
            try rethrowUnlessFunctionError(error)
            logger.warning("The transaction of record \(records[index].sequenceNumber) failed: \(error)")
            progress.failures += 1
            state.firstFailed(aloneAt: index, now: storage.clock.now)
        }
    }

    private func finish(_ count: Int, _ state: inout MappingState, _ progress: inout MappingProgress) async throws {
        let position = state.checkpointAfterFirst
        try await storage.write(options.durability) { try store(position, in: $0) }
        state.finishedFirst()
        progress.delivered += count
    }

    /// A failing disk, a closed storage or a cancelled task is no fault of the records: it counts as no attempt.
    private func rethrowUnlessFunctionError(_ error: any Error) throws {
        if error is CancellationError { throw error }
        guard let error = error as? StorageError else { return }
        switch error.code {
        case .ioFailure, .corruption, .diskFull, .locked, .closed, .poisoned, .commitOutcomeUnknown, .readOnly:
            throw error
        case .batchTooLarge, .keyTooLarge, .valueTooLarge, .unsupportedFormat, .notFound, .alreadyExists,
            .invalidArgument:
            return
        }
    }
}
