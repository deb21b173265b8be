// PreparedStatement.swift — a statement planned once, executed many times.

internal import Synchronization

/// A statement's text with the plan for the schema it was last used with. It knows no store, so that a store can keep it.
final class PlannedText: Sendable {
    let cql: String
    let keyspace: String?
    private let parsed: ParsedStatement
    private let cachedPlan: Mutex<StatementPlan>

    init(_ cql: String, keyspace: String?, schema: Schema) throws {
        self.cql = cql
        self.keyspace = keyspace
        parsed = try Parser.parse(cql)
        cachedPlan = Mutex(try StatementPlan(parsed, schema: schema, currentKeyspace: keyspace))
    }

    var lastPlan: StatementPlan { cachedPlan.withLock { $0 } }

    /// The plan for this schema. Inside a write body the schema cannot change.
    func plan(for schema: Schema) throws -> StatementPlan {
        let known = lastPlan
        guard known.schemaVersion != schema.version else { return known }
        let plan = try StatementPlan(parsed, schema: schema, currentKeyspace: keyspace)
        cachedPlan.withLock { $0 = plan }
        return plan
    }

    /// Whether the statement is of a kind that is executed again and again.
    var isReusable: Bool {
        if case .other = lastPlan.kind { return false }
        return true
    }
}

/// A statement that was parsed and planned. It stays valid when the schema changes: it is planned again then.
public struct PreparedStatement: Sendable {
    private let text: PlannedText
    private let store: WideColumnStore

    init(_ text: PlannedText, store: WideColumnStore) {
        self.text = text
        self.store = store
    }

    public var cql: String { text.cql }

    /// What values the markers take, in order.
    public var markers: [BoundMarker] { text.lastPlan.markers }

    private func plan() throws -> StatementPlan {
        try text.plan(for: store.catalog.schema)
    }

    // MARK: Executing

    /// Executes the statement with one value for each marker.
    ///
    /// - Throws: `CQLError` with Cassandra's code and text; `StorageError`.
    @discardableResult
    public func execute(_ values: [CQLValue] = [], durability: Durability = .buffered) throws -> ResultSet {
        let unchanged = Mutex<String?>(text.keyspace)
        return try execute(values, durability: durability, changing: unchanged)
    }

    /// Executes the statement with values by the names of its markers.
    @discardableResult
    public func execute(named values: [String: CQLValue], durability: Durability = .buffered) throws -> ResultSet {
        let ordered = try markers.map { marker in
            guard let value = values[marker.name] else {
                throw CQLError.invalid("Invalid unset value for bound variable \(marker.name)")
            }
            return value
        }
        return try execute(ordered, durability: durability)
    }

    /// Executes one page of a SELECT: at most `pageSize` rows from `pagingState` on.
    public func execute(
        _ values: [CQLValue] = [], pageSize: Int, pagingState: PagingState? = nil
    ) throws -> ResultSet {
        guard case .select(let select) = try plan().kind else { return try execute(values) }
        try plan().check(values)
        let snapshot = store.storage.snapshot()
        var executor = try SelectExecutor(
            select, context(values, now: snapshot.readTime), snapshot.view, pageSize: pageSize, pagingState: pagingState
        )
        return try executor.run()
    }

    /// Executes the statement inside an open transaction; see ``WideColumnStore/execute(_:_:in:)``.
    @discardableResult
    public func execute(_ values: [CQLValue] = [], in transaction: WriteTransaction) throws -> ResultSet {
        let plan = try plan()
        try plan.check(values)
        let context = context(values, now: transaction.commitTime)
        switch plan.kind {
        case .select(let select):
            var executor = try SelectExecutor(select, context, transaction.view)
            return try executor.run()
        case .modification(let modification):
            return try Self.run([modification], nil, context, transaction, isBatch: false)
        case .batch(let batch):
            return try Self.run(batch.statements, batch.timestamp, context, transaction, isBatch: true)
        case .other:
            throw CQLError.invalid("Schema changes, USE and TRUNCATE are not allowed inside a transaction")
        }
    }

    /// Executes a SELECT on a snapshot.
    public func execute(_ values: [CQLValue] = [], on snapshot: Snapshot) throws -> ResultSet {
        let plan = try plan()
        guard case .select(let select) = plan.kind else {
            throw CQLError.invalid("Only SELECT statements can be executed on a snapshot")
        }
        try plan.check(values)
        var executor = try SelectExecutor(select, context(values, now: snapshot.readTime), snapshot.view)
        return try executor.run()
    }

    func execute(
        _ values: [CQLValue], durability: Durability, changing currentKeyspace: borrowing Mutex<String?>
    ) throws -> ResultSet {
        let plan = try plan()
        switch plan.kind {
        case .select: return try execute(values, on: store.storage.snapshot())
        case .modification, .batch:
            return try store.storage.write(durability) { try execute(values, in: $0) }
        case .other(.use(let name)):
            guard store.catalog.schema.keyspaces[name] != nil else {
                throw CQLError.invalid("Keyspace '\(name)' does not exist")
            }
            currentKeyspace.withLock { $0 = name }
        case .other(let statement):
            try plan.check(values)
            try store.catalog.execute(statement, currentKeyspace: text.keyspace)
        }
        return .void
    }

    private func context(_ values: [CQLValue], now: StorageInstant) -> ExecutionContext {
        ExecutionContext(values: values, now: now, generators: store.generators)
    }

    // MARK: Modifications

    private static func run(
        _ statements: [ModificationPlan], _ batchTimestamp: BoundTerm?, _ context: ExecutionContext,
        _ transaction: WriteTransaction, isBatch: Bool
    ) throws -> ResultSet {
        let conditional = statements.filter(\.isConditional)
        if !conditional.isEmpty {
            try checkOnePartition(statements, context)
            let evaluators = try conditional.map { try ConditionEvaluator($0, context, transaction.view) }
            guard try evaluators.allSatisfy({ try $0.holds() }) else {
                return try ConditionEvaluator.notApplied(evaluators, isBatch: isBatch)
            }
        }
        let timestamp = try ModificationExecutor.timestamp(batchTimestamp, context)
        for statement in statements {
            try ModificationExecutor(statement, context, transaction, batchTimestamp: timestamp).run()
        }
        return conditional.isEmpty ? .void : try ConditionEvaluator.applied()
    }

    private static func checkOnePartition(_ statements: [ModificationPlan], _ context: ExecutionContext) throws {
        guard statements.count > 1 else { return }
        let partitions = Set(try statements.flatMap { try $0.partition.prefixes(context) })
        guard partitions.count == 1 else {
            throw CQLError.invalid("Batch with conditions cannot span multiple partitions")
        }
    }
}
