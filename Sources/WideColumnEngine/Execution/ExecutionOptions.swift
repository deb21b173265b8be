// ExecutionOptions.swift — how one statement is executed: what a protocol's request says beside text and values.

/// Options of one execution.
public struct ExecutionOptions: Sendable {
    /// How far a modification has to get before the call returns.
    public var durability: Durability = .buffered
    /// The most rows of a SELECT's page; `nil`: all rows.
    public var pageSize: Int?
    /// Where the page begins.
    public var pagingState: PagingState?
    /// Microseconds: the timestamp of modifications that have no USING TIMESTAMP; `nil`: the commit's time. Conditional
    /// statements and counters never take it.
    public var timestamp: Int64?
    /// The time by which times to live begin and end; `nil`: that of the commit or of the read. Timestamps and functions
    /// of the time do not follow it.
    public var nowInSeconds: Int32?
    /// The name of a user who lacks Cassandra's UNMASK permission: what is read of columns with a mask is what the mask makes
    /// of them, a SELECT must not restrict them, and no statement changes the schema, or it would take masks away. `nil`:
    /// everything is shown as it is stored.
    public var maskedUserName: String?
    /// How large a SELECT's result may be as the native protocol has it, without its columns; a larger one is refused while
    /// it is made. A page ends before the row that does not fit, with some room left for what stands beside its rows: only a
    /// row that is too large by itself is refused. `nil`: as large as it is.
    public var maximumResultByteCount: Int?
    /// What stops a SELECT while it reads: it is looked at every thousand rows or so. Other statements are carried out whole.
    public var cancellation: StatementCancellation?
    /// How long a SELECT may read; then it fails as a read that no replica answered in time. `nil`: as long as it takes.
    public var readTimeout: Duration?
    /// Whether the result has a trace, and system_traces too.
    public var isTracing = false
    /// What the trace says was asked for, and by whom.
    public var traceContext = TraceContext()
    /// Called with the trace of a statement that fails, which no result can have.
    public var onFailedTrace: (@Sendable (StatementTrace) -> Void)?

    public init() {}

    public init(durability: Durability) {
        self.durability = durability
    }
}

/// Limits of what statements may do; the standard ones are Cassandra's.
public struct StatementLimits: Sendable {
    /// A batch over several partitions beyond this size has a warning.
    public var batchSizeWarningByteCount = 5 * 1024
    /// A batch over several partitions beyond this size is refused.
    public var batchSizeFailureByteCount = 50 * 1024
    /// An unlogged batch over more partitions has a warning.
    public var unloggedBatchWarningPartitionCount = 10
    /// A read that passes more deleted or expired cells, rows and ranges in a partition, or in a scan, has a warning.
    public var tombstoneWarningCount = 1000
    /// A read that passes more of them fails.
    public var tombstoneFailureCount = 100_000

    public init() {}
}

/// Statements that commit together, as the native protocol's BATCH message brings them.
public struct StatementBatch: Sendable {
    public enum Kind: Sendable {
        case logged, unlogged, counter
    }

    public var kind: Kind
    public var statements: [(statement: PreparedStatement, values: [CQLValue])]

    public init(_ kind: Kind, _ statements: [(statement: PreparedStatement, values: [CQLValue])]) {
        self.kind = kind
        self.statements = statements
    }
}
