// PreparedStatement.swift — a statement planned once, executed many times.

internal import Synchronization

/// A statement that was parsed and planned. It stays valid when the schema changes: it is planned again then.
public struct PreparedStatement: Sendable {
    let text: PlannedText
    let store: WideColumnStore

    init(_ text: PlannedText, store: WideColumnStore) {
        self.text = text
        self.store = store
    }

    func plan() throws -> StatementPlan {
        if store.isSystem, case .select(let select) = text.lastPlan.kind {
            try store.prepareToRead(select.table.identifier)
        }
        return try text.plan(for: store.catalog)
    }

    // MARK: Executing

    /// Executes the statement with one value for each marker.
    ///
    /// - Throws: `CQLError` with Cassandra's code and text; `StorageError`.
    @discardableResult
    public func execute(_ values: [CQLValue] = [], durability: Durability = .buffered) throws -> ResultSet {
        guard text.isWrite else { return try execute(values, options: ExecutionOptions(durability: durability)) }
        var result: ResultSet?
        try store.storage.write(durability) { result = try perform(values, in: $0, timestamp: nil) }
        return result ?? .void
    }

    /// Executes the statement with values by the names of its markers.
    @discardableResult
    public func execute(named values: [String: CQLValue], durability: Durability = .buffered) throws -> ResultSet {
        try execute(ordered(values), durability: durability)
    }

    /// Values given by name in the order of the markers.
    public func ordered(_ values: [String: CQLValue]) throws -> [CQLValue] {
        try markers.map { marker in
            guard let value = values[marker.name] else {
                throw CQLError.invalid("Invalid unset value for bound variable \(marker.name)")
            }
            return value
        }
    }

    /// Executes one page of a SELECT: at most `pageSize` rows from `pagingState` on.
    public func execute(
        _ values: [CQLValue] = [], pageSize: Int, pagingState: PagingState? = nil
    ) throws -> ResultSet {
        var options = ExecutionOptions()
        options.pageSize = pageSize
        options.pagingState = pagingState
        return try execute(values, options: options)
    }

    /// Executes the statement as the options say.
    @discardableResult
    public func execute(_ values: [CQLValue], options: ExecutionOptions) throws -> ResultSet {
        let unchanged = Mutex<String?>(text.keyspace)
        return try execute(values, options: options, changing: unchanged)
    }

    /// Executes the statement inside an open transaction; see ``WideColumnStore/execute(_:_:in:)``.
    ///
    /// - Throws: as it does alone. Who catches the error of a statement that has written nothing yet may go on with the
    ///   transaction; one that was refused half-way is not committed, and ``Storage/write(_:_:)`` throws the same error.
    @discardableResult
    public func execute(_ values: [CQLValue] = [], in transaction: WriteTransaction) throws -> ResultSet {
        try execute(values, in: transaction, timestamp: nil)
    }

    /// Executes a SELECT on a snapshot, by the schema as it is now. System tables are read as they are now.
    ///
    /// - Throws: `CQLError` also where it needs a view or an index that is younger than the snapshot.
    public func execute(_ values: [CQLValue] = [], on snapshot: Snapshot) throws -> ResultSet {
        let plan = try plan()
        guard case .select(let select) = plan.kind else {
            throw CQLError.invalid("Only SELECT statements can be executed on a snapshot")
        }
        try plan.check(values)
        let snapshot = store.isSystem ? store.storage.snapshot() : snapshot
        try store.catalog.check(select, at: snapshot.sequence)
        return try read(select, values, snapshot, ExecutionOptions())
    }

    // MARK: One statement

    func execute(
        _ values: [CQLValue], options: ExecutionOptions, changing currentKeyspace: borrowing Mutex<String?>
    ) throws -> ResultSet {
        guard options.isTracing else { return try perform(values, options, currentKeyspace) }
        return try store.tracing(options.traceContext, text.cql, options) { tracer in
            tracer.add("Parsing \(text.cql)")
            tracer.add("Preparing statement")
            return try perform(values, options, currentKeyspace, tracer)
        }
    }

    private func perform(
        _ values: [CQLValue], _ options: ExecutionOptions, _ currentKeyspace: borrowing Mutex<String?>,
        _ tracer: StatementTracer? = nil
    ) throws -> ResultSet {
        let plan = try plan()
        try plan.check(values)
        switch plan.kind {
        case .select(let select):
            let snapshot = store.storage.snapshot()
            guard plan.schemaVersion == store.catalog.version else {
                // Indexes may have come or gone in between.
                return try perform(values, options, currentKeyspace, tracer)
            }
            let shown = try options.maskedUserName.flatMap { try maskedPlan(select, plan, for: $0) } ?? select
            return try read(shown, values, snapshot, options, tracer)
        case .modification, .batch:
            let result = try store.storage.write(options.durability) {
                if let tracer { $0.traceSink = tracer }
                return try perform(
                    values, in: $0, timestamp: options.timestamp, nowInSeconds: options.nowInSeconds,
                    showsMasks: options.maskedUserName != nil) ?? .void
            }
            tracer?.endWriting()
            return result
        case .other(.use(let name)):
            guard try store.hasKeyspace(name) else {
                throw CQLError.invalid("Keyspace '\(name)' does not exist")
            }
            currentKeyspace.withLock { $0 = name }
            return ResultSet(currentKeyspace: name)
        case .other(.describe(let statement)):
            let describer = DescribeExecutor(
                schema: store.catalog.schema, systemSchema: try store.systemSchema(), currentKeyspace: text.keyspace,
                withInternals: statement.withInternals)
            return try describer.run(statement.target)
        case .other(let statement):
            if let userName = options.maskedUserName {
                try statement.checkPermission(of: userName, store.catalog.schema, currentKeyspace: text.keyspace)
            }
            let change = try store.catalog.execute(statement, currentKeyspace: text.keyspace)
            var result = ResultSet(schemaChange: change)
            if let change { result.warnings = store.catalog.schema.warnings(of: change) }
            return result
        }
    }

    private func maskedPlan(_ select: SelectPlan, _ plan: StatementPlan, for userName: String) throws -> SelectPlan? {
        guard let masked = try plan.maskedSelect.get() else { return nil }
        try select.checkRestrictions(for: userName)
        return masked
    }

    private func read(
        _ select: SelectPlan, _ values: [CQLValue], _ snapshot: Snapshot, _ options: ExecutionOptions,
        _ tracer: StatementTracer? = nil
    ) throws -> ResultSet {
        let snapshot = tracer.map { snapshot.traced(by: $0) } ?? snapshot
        var context = context(values, now: snapshot.readTime)
        context.nowInSeconds = options.nowInSeconds.map(Int64.init)
        var executor = try SelectExecutor(
            select, context, snapshot.view, pageSize: options.pageSize ?? .max,
            pagingState: options.pagingState, maximumByteCount: options.maximumResultByteCount,
            tombstoneGuard: tombstoneGuard)
        executor.tracer = tracer
        executor.watch = ReadWatch(options, store.storage.clock)
        return try executor.run()
    }

    @discardableResult
    func execute(_ values: [CQLValue], in transaction: WriteTransaction, timestamp: Int64?) throws -> ResultSet {
        try perform(values, in: transaction, timestamp: timestamp) ?? .void
    }

    /// Executes the statement; nil where there is nothing to tell. One that is refused half-way keeps the transaction from
    /// being committed.
    private func perform(
        _ values: [CQLValue], in transaction: WriteTransaction, timestamp: Int64?, nowInSeconds: Int32? = nil,
        showsMasks: Bool = false
    ) throws -> ResultSet? {
        let changeCount = transaction.changeCount
        do {
            return try run(values, in: transaction, timestamp, nowInSeconds, showsMasks)
        } catch {
            if transaction.changeCount != changeCount { transaction.refuseCommit(because: error) }
            throw error
        }
    }

    private func run(
        _ values: [CQLValue], in transaction: WriteTransaction, _ timestamp: Int64?, _ nowInSeconds: Int32?,
        _ showsMasks: Bool
    ) throws -> ResultSet? {
        let plan = try plan()
        try plan.check(values)
        if nowInSeconds == nil, let encoder = plan.rowEncoder,
            try encoder.write(values, timestamp: timestamp, transaction)
        {
            return nil
        }
        var context = context(values, now: transaction.commitTime)
        context.timestamp = timestamp
        context.nowInSeconds = nowInSeconds.map(Int64.init)
        context.showsMasks = showsMasks
        switch plan.kind {
        case .select(let select):
            if store.isSystem { return try read(select, values, store.storage.snapshot(), ExecutionOptions()) }
            var executor = try SelectExecutor(select, context, transaction.view, tombstoneGuard: tombstoneGuard)
            return try executor.run()
        case .modification(let modification):
            prepare(&context, for: modification)
            if !modification.isConditional {
                // Most statements by far: nothing to gather.
                var executor = try ModificationExecutor(modification, context, transaction)
                try executor.run()
                return executor.warnings.isEmpty ? nil : ResultSet(warnings: executor.warnings)
            }
            let run = ModificationRun(statements: [(modification, context)], isBatch: false, limits: store.limits)
            return try run.execute(transaction)
        case .batch(let batch):
            let statements = batch.statements.map { member in
                var context = context
                prepare(&context, for: member)
                return (plan: member, context: context)
            }
            var run = ModificationRun(statements: statements, isBatch: true, limits: store.limits)
            run.timestamp = try ModificationExecutor.timestamp(batch.timestamp, context)
            run.isUnlogged = batch.isUnlogged
            return try run.execute(transaction)
        case .other:
            throw CQLError.invalid("Schema changes, USE and TRUNCATE are not allowed inside a transaction")
        }
    }

    /// System tables are read however many deletions they have.
    private var tombstoneGuard: TombstoneGuard? {
        store.isSystem ? nil : TombstoneGuard(store.limits, cql: text.cql)
    }

    /// Adds what one execution of a modification needs: a bound on what it reads, and a place for its JSON.
    func prepare(_ context: inout ExecutionContext, for modification: ModificationPlan) {
        context.tombstoneGuard = modification.isConditional || modification.needsRead ? tombstoneGuard : nil
        context.json = modification.parsesJSON ? ParsedJSON() : nil
    }

    func context(_ values: [CQLValue], now: StorageInstant) -> ExecutionContext {
        ExecutionContext(values: values, now: now, generators: store.generators)
    }
}

// MARK: - Metadata

extension PreparedStatement {
    public var cql: String { text.cql }

    /// The keyspace that names without one are of.
    public var keyspace: String? { text.keyspace }

    /// Whether each table and type is named with its keyspace, so that the statement means the same in every one.
    public var isQualified: Bool { text.isQualified }

    /// Plans the statement again if the schema has changed, so that its metadata is today's.
    ///
    /// - Throws: `CQLError` where the schema lacks what the statement names.
    public func refresh() throws { _ = try plan() }

    /// As ``refresh()``; all of the metadata is of one plan, whoever changes the schema meanwhile.
    public func currentMetadata() throws -> StatementMetadata { StatementMetadata(try plan()) }

    private var metadata: StatementMetadata { StatementMetadata(text.lastPlan) }

    /// What values the markers take, in order.
    public var markers: [BoundMarker] { metadata.markers }

    /// See ``StatementMetadata/partitionKeyMarkers``.
    public var partitionKeyMarkers: [Int] { metadata.partitionKeyMarkers }

    /// The columns of a SELECT's result; empty for other statements, whose results tell their columns themselves.
    public var resultColumns: [ResultColumn] { metadata.resultColumns }

    /// Whether the statement's result depends on a condition.
    public var isConditional: Bool {
        switch text.lastPlan.kind {
        case .modification(let modification): modification.isConditional
        case .batch(let batch): batch.isConditional
        default: false
        }
    }

    /// Whether the statement changes counters.
    public var isOfCounters: Bool {
        switch text.lastPlan.kind {
        case .modification(let modification): modification.table.definition.isCounter
        case .batch(let batch): batch.statements.contains(where: \.table.definition.isCounter)
        default: false
        }
    }

    /// The table that an INSERT, an UPDATE or a DELETE changes; `nil` for other statements.
    public var modifiedTableName: String? {
        if case .modification(let modification) = text.lastPlan.kind { return modification.table.identifier.name }
        return nil
    }

    /// The kind of a BATCH; `nil` for other statements.
    public var batchKind: StatementBatch.Kind? {
        if case .batch(let batch) = text.lastPlan.kind { return batch.kind }
        return nil
    }

    /// A number that changes when names may mean something else.
    public var schemaVersion: UInt64 { text.lastPlan.schemaVersion }
}

/// What a statement takes and gives, by one plan.
public struct StatementMetadata: Sendable {
    private let plan: StatementPlan

    init(_ plan: StatementPlan) {
        self.plan = plan
    }

    /// What values the markers take, in order.
    public var markers: [BoundMarker] { plan.markers }

    /// The indices of the markers that are the columns of the partition key, in its order; empty where they are not all
    /// markers. Drivers place statements by them.
    public var partitionKeyMarkers: [Int] {
        let partition: PartitionRestriction?
        switch plan.kind {
        case .select(let select): partition = select.whereClause.partition
        case .modification(let modification): partition = modification.partition
        case .batch(let batch): partition = batch.statements.first?.partition
        case .other: partition = nil
        }
        let indices = (partition?.values ?? []).map { values -> Int? in
            if case .marker(let index, _)? = values.single { return index }
            return nil
        }
        return indices.contains(nil) ? [] : indices.compactMap { $0 }
    }

    /// The columns of a SELECT's result; empty for other statements, whose results tell their columns themselves.
    public var resultColumns: [ResultColumn] {
        if case .select(let select) = plan.kind { return select.columns }
        return []
    }
}
