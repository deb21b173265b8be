// EventSourceMapping.swift — reads a stream from a durable checkpoint and hands its records to a handler, in order.
//
// `MappingState` decides, this type acts: reads, calls the handler, commits. One run at a time: the state is taken out
// while a step runs, and put back at its end.

internal import Logging
internal import Synchronization
public import TableEngine

/// A consumer of a change stream, with the semantics of a Lambda event source mapping on a DynamoDB stream.
///
/// - Records are delivered in stream order. The position is durable, so a stopped mapping goes on where it was, in this
///   process or the next.
/// - Delivery is at least once with an external handler, exactly once with a transactional one (`EventHandler`).
/// - A failed batch is repeated with exponential back-off; it holds up the records behind it until it succeeds or is given
///   up by `maximumRetryAttempts` or `maximumRecordAge`.
/// - Records that no filter matches are skipped and advance the checkpoint.
///
/// Writers of the table never wait for a mapping. Mappings of one stream are independent of one another; at most one
/// `EventSourceMapping` may be open for a name at a time.
/// Source: AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB".
public final class EventSourceMapping: Sendable {
    public let name: String
    public let options: EventSourceMappingOptions
    let stream: any StreamReading
    let streamARN: String
    let shardID: String
    let storage: Storage
    let handler: EventHandler
    let checkpoints: Keyspace
    let logger: Logger
    let run: Mutex<Run>

    struct Run: Sendable {
        /// `nil` while a step has it.
        var state: MappingState?
        var runner: Task<Void, Never>?
        var isDisabled: Bool
        var random: SeededRandom
    }

    /// Opens a mapping, or creates it at its starting position.
    public convenience init(
        name: String, stream: TableStream, storage: Storage,
        options: EventSourceMappingOptions = EventSourceMappingOptions(), handler: EventHandler
    ) throws {
        try self.init(
            name: name, stream: stream, streamARN: stream.arn, shardID: stream.shardID, storage: storage,
            options: options, handler: handler)
    }

    /// Opens a mapping on any source of records.
    /// - Parameters:
    ///   - streamARN: Names the stream in dead letters.
    ///   - shardID: Names the shard in dead letters.
    public init(
        name: String, stream: any StreamReading, streamARN: String, shardID: String, storage: Storage,
        options: EventSourceMappingOptions = EventSourceMappingOptions(), handler: EventHandler
    ) throws {
        try options.validate()
        self.name = name
        self.options = options
        self.stream = stream
        self.streamARN = streamARN
        self.shardID = shardID
        self.storage = storage
        self.handler = handler
        checkpoints = try storage.keyspace(MappingCheckpoint.keyspaceName)
        logger = Logger(label: "shopstream.pipeline.\(name)")
        let checkpoint = try Self.loadOrCreate(name, options, storage, checkpoints)
        var random = SeededRandom(seed: options.seed ?? .random(in: .min ... .max))
        let state = MappingState(rules: options.rules, checkpoint: checkpoint.position, seed: random.next())
        run = Mutex(Run(state: state, isDisabled: checkpoint.isDisabled, random: random))
    }

    deinit {
        run.withLock { $0.runner?.cancel() }
    }

    private static func loadOrCreate(
        _ name: String, _ options: EventSourceMappingOptions, _ storage: Storage, _ checkpoints: Keyspace
    ) throws -> MappingCheckpoint {
        let key = Array(name.utf8)
        return try storage.write(options.durability) { transaction in
            if let bytes = try transaction.view.get(checkpoints, key) { return try MappingCheckpoint(decoding: bytes) }
            let checkpoint = MappingCheckpoint(
                position: options.startingPosition.position(before: transaction.sequence))
            try transaction.put(checkpoints, key, checkpoint.encoded())
            return checkpoint
        }
    }

    /// The last record that is done; `nil` before the first.
    public var checkpoint: StreamSequenceNumber? {
        get throws { try storedCheckpoint(in: storage.snapshot().view).position }
    }

    /// Whether a runner started by `start()` is at work.
    public var isRunning: Bool { run.withLock { $0.runner != nil } }

    // MARK: Enabled and disabled

    /// A disabled mapping keeps its checkpoint and delivers nothing, also after a restart.
    public var isEnabled: Bool { run.withLock { !$0.isDisabled } }

    public func setEnabled(_ isEnabled: Bool) throws {
        try storage.write(options.durability) { transaction in
            var checkpoint = try storedCheckpoint(in: transaction.view)
            checkpoint.isDisabled = !isEnabled
            try transaction.put(checkpoints, Array(name.utf8), checkpoint.encoded())
            transaction.onCommit { [self] _ in run.withLock { $0.isDisabled = !isEnabled } }
        }
    }

    // MARK: Checkpoints

    func storedCheckpoint(in view: ReadView) throws -> MappingCheckpoint {
        guard let bytes = try view.get(checkpoints, Array(name.utf8)) else { return MappingCheckpoint(position: nil) }
        return try MappingCheckpoint(decoding: bytes)
    }

    func store(_ position: StreamSequenceNumber?, in transaction: WriteTransaction) throws {
        let isDisabled = try storedCheckpoint(in: transaction.view).isDisabled
        let checkpoint = MappingCheckpoint(position: position, isDisabled: isDisabled)
        try transaction.put(checkpoints, Array(name.utf8), checkpoint.encoded())
    }

    /// Goes back: every record behind `position` is delivered again, from the oldest one kept if it is `nil`.
    ///
    /// This is what at-least-once delivery allows to happen at any time, made to happen: handlers are tested with it, and
    /// a consumer that lost its state is filled anew.
    public func redeliver(after position: StreamSequenceNumber?) throws {
        try step { state in
            try storage.write(options.durability) { try store(position, in: $0) }
            state.rewind(to: position)
        }
        restartRunner()
    }

    /// Delivers a record again, and those behind it.
    public func redeliver(from record: StreamRecord) throws {
        try redeliver(after: record.sequenceNumber.predecessor)
    }

    // MARK: One step at a time

    /// Takes the state for one step.
    func step<R>(_ body: (inout MappingState) throws -> R) throws -> R {
        guard var state = takeState() else { throw MappingError.inUse(name) }
        defer { putBack(state) }
        return try body(&state)
    }

    func takeState() -> MappingState? {
        run.withLock { run in
            defer { run.state = nil }
            return run.state
        }
    }

    func putBack(_ state: MappingState) {
        run.withLock { $0.state = state }
    }
}

extension StartingPosition {
    /// `latest` is behind everything that was committed before the mapping was.
    fileprivate func position(before creation: SequenceNumber) -> StreamSequenceNumber? {
        switch self {
        case .trimHorizon: nil
        case .latest: StreamSequenceNumber(commit: creation, ordinal: 0)
        }
    }
}

extension StreamSequenceNumber {
    /// The largest position before this one; `nil` before the first.
    fileprivate var predecessor: StreamSequenceNumber? {
        if ordinal > 0 { return StreamSequenceNumber(commit: commit, ordinal: ordinal - 1) }
        guard commit > .zero else { return nil }
        return StreamSequenceNumber(commit: SequenceNumber(commit.rawValue - 1), ordinal: .max)
    }
}

extension EventSourceMappingOptions {
    fileprivate var rules: MappingState.Rules {
        MappingState.Rules(
            batchSize: batchSize, batchingWindow: batchingWindow, maximumRetryAttempts: maximumRetryAttempts,
            maximumRecordAge: maximumRecordAge, bisects: bisectBatchOnFunctionError, backoff: backoff)
    }
}
