// StatementTrace.swift — what a statement did and when, for TRACING.

/// The trace of one statement.
public struct StatementTrace: Hashable, Sendable {
    public struct Event: Hashable, Sendable {
        public var id: CQLUUID
        public var activity: String
        /// Since the statement began.
        public var elapsedMicroseconds: Int32
    }

    /// The session in `system_traces`; the native protocol's tracing id.
    public let id: CQLUUID
    /// Milliseconds since 1970.
    public let startedAt: Int64
    public private(set) var events: [Event] = []

    init(id: CQLUUID, startedAt: Int64) {
        self.id = id
        self.startedAt = startedAt
    }

    mutating func add(_ activity: String, _ id: CQLUUID, elapsedNanoseconds: UInt64) {
        let elapsed = Int32(clamping: elapsedNanoseconds / 1000)
        events.append(Event(id: id, activity: activity, elapsedMicroseconds: elapsed))
    }
}
