// StatementTrace.swift — what a statement did and when, for TRACING.

/// The trace of one statement: its first thousand activities, each cut at a kibibyte, and the last.
public struct StatementTrace: Hashable, Sendable {
    static let maximumEventCount = 1000
    static let maximumActivityByteCount = 1024

    public struct Event: Hashable, Sendable {
        public var id: CQLUUID
        public var activity: String
        /// Since the statement began.
        public var elapsedMicroseconds: Int32
    }

    /// What a traced request asked for, in the words that `system_traces.sessions` has for it.
    public enum Request: String, Hashable, Sendable {
        case query = "Execute CQL3 query"
        case preparation = "Preparing CQL3 query"
        case preparedQuery = "Execute CQL3 prepared query"
        case batch = "Execute batch of CQL3 queries"
    }

    /// The session in `system_traces`; the native protocol's tracing id.
    public let id: CQLUUID
    /// What was asked for, and by whom.
    public let context: TraceContext
    /// Milliseconds since 1970.
    public let startedAt: Int64
    public private(set) var events: [Event] = []
    /// Activities that were too many.
    private(set) var omittedCount = 0

    init(_ context: TraceContext, id: CQLUUID, startedAt: Int64) {
        self.context = context
        self.id = id
        self.startedAt = startedAt
    }

    mutating func add(_ activity: String, _ id: CQLUUID, elapsedNanoseconds: UInt64) {
        guard events.count < Self.maximumEventCount else {
            omittedCount += 1
            return
        }
        end(activity, id, elapsedNanoseconds: elapsedNanoseconds)
    }

    /// Adds an activity however many there are.
    mutating func end(_ activity: String, _ id: CQLUUID, elapsedNanoseconds: UInt64) {
        let elapsed = Int32(clamping: elapsedNanoseconds / 1000)
        let activity = activity.shortened(toByteCount: Self.maximumActivityByteCount)
        events.append(Event(id: id, activity: activity, elapsedMicroseconds: elapsed))
    }
}

/// What `system_traces.sessions` says of a traced request beside its CQL and its time.
public struct TraceContext: Hashable, Sendable {
    public var request: StatementTrace.Request
    /// Where the request came from, an address as text; `nil`: from this process, which is shown as the loopback.
    public var clientAddress: String?
    /// What is in `parameters` beside `query`, which that of a batch lacks.
    public var parameters: [String: String]

    public init(
        _ request: StatementTrace.Request = .query, clientAddress: String? = nil, parameters: [String: String] = [:]
    ) {
        self.request = request
        self.clientAddress = clientAddress
        self.parameters = parameters
    }
}

extension String {
    /// The beginning of a text, of so many bytes at most, and an ellipsis where that is not all.
    func shortened(toByteCount limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return self[..<end] + "…"
    }
}
