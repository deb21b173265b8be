// EventSourceMappingOptions.swift — how a mapping batches, retries and gives up; the parameters of a Lambda event source
// mapping.

/// Where a mapping starts that has no checkpoint yet.
public enum StartingPosition: Sendable, Hashable {
    /// With the oldest record that the stream keeps.
    case trimHorizon
    /// With the first record after the mapping was created.
    case latest
}

/// Exponential back-off with jitter: before the n-th repetition, between half of `base`·2ⁿ⁻¹ and all of it, at most `maximum`.
public struct BackoffPolicy: Sendable, Hashable {
    public var base: Duration
    public var maximum: Duration

    public init(base: Duration = .milliseconds(100), maximum: Duration = .seconds(60)) {
        self.base = base
        self.maximum = maximum
    }

    func delay(afterAttempt attempt: Int, using random: inout SeededRandom) -> Duration {
        let exponent = min(max(attempt - 1, 0), 40)
        let full = min(base * (1 << exponent), maximum)
        return full * Double.random(in: 0.5...1, using: &random)
    }
}

/// Where records go that a mapping gives up on.
public enum FailureDestination: Sendable {
    /// A description of the batch is sent to a queue, in the message group of the mapping's name.
    case queue(FIFOQueue)
    /// A description of the batch is kept in the storage.
    case store(DeadLetterStore)
}

public struct EventSourceMappingOptions: Sendable {
    /// Records in one invocation at most, 1 to 10,000.
    public var batchSize: Int
    /// How long records are gathered while there are fewer, 0 s to 300 s.
    public var batchingWindow: Duration
    public var startingPosition: StartingPosition
    /// Records that no filter matches are skipped. Without filters every record is handled.
    public var filters: [EventFilter]
    /// Repetitions after the first attempt, −1 (for ever) to 10,000.
    public var maximumRetryAttempts: Int
    /// Older records are given up, not handled; `nil` for no limit, else 60 s to 7 days.
    public var maximumRecordAge: Duration?
    /// A failed batch is split in two instead of repeated, until what fails is alone. Splitting is no attempt.
    public var bisectBatchOnFunctionError: Bool
    /// `nil` drops what is given up.
    public var onFailure: FailureDestination?
    public var backoff: BackoffPolicy
    /// How far a checkpoint has to get before the next batch; `.buffered` may deliver again after a power cut.
    public var durability: Durability
    /// Seeds jitter and request ids; `nil` draws a random one.
    public var seed: UInt64?

    public init(
        batchSize: Int = 100, batchingWindow: Duration = .zero, startingPosition: StartingPosition = .trimHorizon,
        filters: [EventFilter] = [], maximumRetryAttempts: Int = -1, maximumRecordAge: Duration? = nil,
        bisectBatchOnFunctionError: Bool = false, onFailure: FailureDestination? = nil,
        backoff: BackoffPolicy = BackoffPolicy(), durability: Durability = .buffered, seed: UInt64? = nil
    ) {
        self.batchSize = batchSize
        self.batchingWindow = batchingWindow
        self.startingPosition = startingPosition
        self.filters = filters
        self.maximumRetryAttempts = maximumRetryAttempts
        self.maximumRecordAge = maximumRecordAge
        self.bisectBatchOnFunctionError = bisectBatchOnFunctionError
        self.onFailure = onFailure
        self.backoff = backoff
        self.durability = durability
        self.seed = seed
    }

    func validate() throws(MappingError) {
        guard (1...10_000).contains(batchSize) else { throw .outOfRange("BatchSize", "1...10000", "\(batchSize)") }
        guard (.zero...(.seconds(300))).contains(batchingWindow) else {
            throw .outOfRange("MaximumBatchingWindowInSeconds", "0...300", "\(batchingWindow)")
        }
        guard (-1...10_000).contains(maximumRetryAttempts) else {
            throw .outOfRange("MaximumRetryAttempts", "-1...10000", "\(maximumRetryAttempts)")
        }
        if let maximumRecordAge, !(.seconds(60)...(.seconds(604_800))).contains(maximumRecordAge) {
            throw .outOfRange("MaximumRecordAgeInSeconds", "60...604800", "\(maximumRecordAge)")
        }
    }
}

/// A use of a mapping that was refused.
public struct MappingError: Error, Hashable, Sendable, CustomStringConvertible {
    public let code: String
    public let message: String

    public var description: String { "\(code): \(message)" }

    static func outOfRange(_ name: String, _ range: String, _ value: String) -> MappingError {
        MappingError(
            code: "InvalidParameterValueException", message: "\(name) must be in the range \(range); it is \(value).")
    }

    /// Somebody else is stepping the mapping, or its runner is.
    static func inUse(_ name: String) -> MappingError {
        MappingError(
            code: "ResourceInUseException",
            message: "The mapping \"\(name)\" is being run already; stop it before running it step by step.")
    }
}
