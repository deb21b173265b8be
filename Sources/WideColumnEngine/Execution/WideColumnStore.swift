// WideColumnStore.swift — the engine: CQL in, rows out.

internal import Synchronization

/// Cassandra's data model on a storage: keyspaces, tables, materialized views, and CQL to use them.
///
/// - Atomic: a statement, or a BATCH, commits with all its views in one commit of the storage.
/// - Isolated: statements read one snapshot; modifications with conditions run alone.
/// - Durable: as the statement's ``Durability`` says; schema changes always are.
/// - Ordered: write timestamps are the storage's commit times, microseconds that strictly increase.
///
/// A store is cheap to hold and safe to share. Open one for a storage.
public final class WideColumnStore: Sendable {
    public let storage: Storage
    public let limits: StatementLimits
    let catalog: SchemaCatalog
    let generators: Generators
    /// Whether this is the private store of another one's system tables.
    let isSystem: Bool
    /// Called before a system table is read: it brings it up to date.
    private let refresh = Mutex<(@Sendable (TableIdentifier) throws -> Void)?>(nil)
    /// Keeps the traces of SELECTs on system tables, in the system tables.
    private let recorder = Mutex<(@Sendable (StatementTrace, String) throws -> Void)?>(nil)
    /// Made when they are first read.
    private let systemTables = Mutex<SystemTables?>(nil)
    let servers = ServerRegistry()
    /// Identifies this store to drivers, also after it was opened again.
    private let hostID: CQLUUID
    let statements = StatementCache()
    private let currentKeyspace = Mutex<String?>(nil)

    /// Opens the store, and creates its catalog in a storage that has none.
    ///
    /// - Parameter randomNumbers: for `uuid()` and for the node of `now()`; pass a seeded one to repeat a run.
    /// - Throws: `StorageError`.
    public convenience init(
        storage: Storage, randomNumbers: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        limits: StatementLimits = StatementLimits()
    ) throws {
        try self.init(storage, Generators(randomNumbers), limits, isSystem: false)
        storage.registerCrossCheck("wide-column views") { [weak catalog] snapshot in
            // The storage must not keep the store alive, nor itself through it.
            guard let catalog else { return [] }
            return try ViewCrossCheck(catalog.schema, snapshot.view).problems()
                + IndexCrossCheck(catalog.schema, snapshot.view).problems()
        }
    }

    /// The store behind system tables.
    convenience init(systemStorage storage: Storage) throws {
        try self.init(storage, Generators(SystemRandomNumberGenerator()), StatementLimits(), isSystem: true)
    }

    private init(_ storage: Storage, _ generators: Generators, _ limits: StatementLimits, isSystem: Bool) throws {
        self.storage = storage
        self.generators = generators
        self.limits = limits
        self.isSystem = isSystem
        // Drawn whether it is needed or not, so that a seed gives the same numbers at every opening.
        let newHostID = generators.randomUUID()
        catalog = try SchemaCatalog(storage, generators: generators, allowsSystemNames: isSystem)
        hostID = isSystem ? newHostID : try catalog.hostID(orNew: newHostID)
    }

    // MARK: Executing

    /// Executes one statement.
    ///
    /// Statements are planned once and kept, so texts with markers are as quick as prepared statements but for a
    /// look-up.
    ///
    /// - Parameters:
    ///   - cql: the statement, with `?` or `:name` for values.
    ///   - values: one for each marker.
    ///   - durability: how far a modification has to get before the call returns.
    /// - Throws: `CQLError` with Cassandra's code and text; `StorageError`.
    @discardableResult
    public func execute(
        _ cql: String, _ values: [CQLValue] = [], durability: Durability = .buffered
    ) throws -> ResultSet {
        try statement(cql).execute(values, options: ExecutionOptions(durability: durability), changing: currentKeyspace)
    }

    /// Executes one statement as the options say.
    @discardableResult
    public func execute(_ cql: String, _ values: [CQLValue] = [], options: ExecutionOptions) throws -> ResultSet {
        try statement(cql).execute(values, options: options, changing: currentKeyspace)
    }

    /// Executes one modification or SELECT inside an open transaction, together with whatever else it does.
    ///
    /// Statements of one transaction share its timestamp, like those of a BATCH: of a DELETE and an INSERT of one row
    /// the DELETE wins.
    @discardableResult
    public func execute(
        _ cql: String, _ values: [CQLValue] = [], in transaction: WriteTransaction
    ) throws -> ResultSet {
        try statement(cql).execute(values, in: transaction)
    }

    /// Executes a SELECT on a snapshot.
    public func execute(_ cql: String, _ values: [CQLValue] = [], on snapshot: Snapshot) throws -> ResultSet {
        try statement(cql).execute(values, on: snapshot)
    }

    /// Plans a statement once for many executions.
    public func prepare(_ cql: String) throws -> PreparedStatement {
        try statement(cql)
    }

    private func statement(_ cql: String) throws -> PreparedStatement {
        try statement(cql, keyspace: currentKeyspace.withLock { $0 })
    }

    /// Calls `body` after every change of the schema, on the thread that made it, until the returned closure is called.
    public func observeSchemaChanges(_ body: @escaping @Sendable (SchemaChange) -> Void) -> @Sendable () -> Void {
        catalog.observe(body)
    }

    // MARK: Sessions

    /// A session with a current keyspace of its own.
    public func session(keyspace: String? = nil) throws -> CQLSession {
        if let keyspace, !(try hasKeyspace(keyspace)) {
            throw CQLError.invalid("Keyspace '\(keyspace)' does not exist")
        }
        return CQLSession(store: self, keyspace: keyspace)
    }

    func statement(_ cql: String, keyspace: String?) throws -> PreparedStatement {
        if let text = statements.text(cql, keyspace: keyspace) { return PreparedStatement(text, store: self) }
        let parsed = try Parser.parse(cql)
        if !isSystem, let name = parsed.statement.keyspace ?? (parsed.statement.isOfTable ? keyspace : nil),
            SchemaName.isSystem(name)
        {
            return try systemStatement(cql, parsed, keyspace)
        }
        if !isSystem, case .batch(let batch) = parsed.statement {
            for member in batch.statements {
                try (member.table.keyspace ?? keyspace).map(SchemaName.checkIsNotSystem)
            }
        }
        let text = try PlannedText(cql, parsed, keyspace: keyspace, schema: catalog.schema)
        if text.isReusable { statements.keep(text) }
        return PreparedStatement(text, store: self)
    }

    /// The names of the keyspaces there are.
    public var keyspaceNames: [String] { catalog.schema.keyspaces.keys.sorted() }

    /// The names of a keyspace's tables and views.
    public func tableNames(in keyspace: String) -> [String] {
        catalog.schema.tables(in: keyspace).map(\.identifier.name)
    }
}

// MARK: - System tables

extension WideColumnStore {
    /// Brings a system table up to date, in the store behind it.
    func prepareToRead(_ table: TableIdentifier) throws {
        guard isSystem else { return }
        try refresh.withLock { $0 }?(table)
    }

    var monotonicNanoseconds: UInt64 { storage.clock.monotonicNanoseconds }

    private func system() throws -> SystemTables {
        try systemTables.withLock { tables in
            if let tables { return tables }
            let made = try SystemTables(clock: storage.clock, hostID: hostID, limits: limits)
            made.store.refresh.withLock { refresh in
                refresh = { [weak self, weak made] table in
                    guard let self, let made else { return }
                    try made.show(self.catalog.schema)
                    try made.show(table, of: self)
                }
            }
            made.store.recorder.withLock { recorder in
                recorder = { [weak made] trace, cql in try made?.record(trace, of: cql) }
            }
            tables = made
            return made
        }
    }

    func systemSchema() throws -> Schema { isSystem ? catalog.schema : try system().store.catalog.schema }

    func hasKeyspace(_ name: String) throws -> Bool {
        if catalog.schema.keyspaces[name] != nil { return true }
        return !isSystem && SystemSchema.keyspaces.contains(name)
    }

    fileprivate func systemStatement(
        _ cql: String, _ parsed: ParsedStatement, _ keyspace: String?
    ) throws -> PreparedStatement {
        switch parsed.statement {
        case .select, .truncate(TableName(keyspace: "system_traces", name: "sessions")),
            .truncate(TableName(keyspace: "system_traces", name: "events")):
            let store = try system().store
            return PreparedStatement(
                try PlannedText(cql, parsed, keyspace: keyspace, schema: store.catalog.schema), store: store)
        case .modification, .truncate:
            throw CQLError(
                .unauthorized, "\(parsed.statement.keyspace ?? keyspace ?? "system") keyspace is not user-modifiable.")
        default:
            let text = try PlannedText(cql, parsed, keyspace: keyspace, schema: catalog.schema)
            return PreparedStatement(text, store: self)
        }
    }

    /// Executes a statement with a trace, which its result has; where it fails, `onFailedTrace` is told.
    func tracing(
        _ context: TraceContext, _ cql: @autoclosure () -> String, _ options: ExecutionOptions,
        _ body: (StatementTracer) throws -> ResultSet
    ) throws -> ResultSet {
        let tracer = StatementTracer(self, context)
        do {
            var result = try body(tracer)
            result.statementTrace = finish(tracer, cql())
            return result
        } catch {
            let trace = finish(tracer, cql())
            options.onFailedTrace?(trace)
            throw error
        }
    }

    /// Keeps the trace of a request that executes no statement: one that prepares, or that was refused before, because of CQL
    /// that can't be read or values that don't fit.
    public func trace(_ context: TraceContext, notExecuting cql: String) -> StatementTrace {
        let tracer = StatementTracer(self, context)
        tracer.add("Parsing \(cql)")
        return finish(tracer, cql)
    }

    /// Ends a statement's trace and keeps it where tools look for it.
    private func finish(_ tracer: StatementTracer, _ cql: String) -> StatementTrace {
        tracer.end()
        let trace = tracer.trace
        // The statement is over: that its trace can't be kept would be no answer to whether it has committed.
        if isSystem {
            let record = recorder.withLock { $0 }
            try? record?(trace, cql)
        } else {
            try? system().record(trace, of: cql)
        }
        return trace
    }
}

extension Statement {
    /// The keyspace that a statement of one table names.
    fileprivate var keyspace: String? {
        switch self {
        case .select(let select): select.table.keyspace
        case .modification(let modification): modification.table.keyspace
        case .truncate(let name): name.keyspace
        default: nil
        }
    }

    fileprivate var isOfTable: Bool {
        switch self {
        case .select(let select): select.table.keyspace == nil
        case .modification(let modification): modification.table.keyspace == nil
        case .truncate(let name): name.keyspace == nil
        default: false
        }
    }
}

/// A user's connection to a store: it remembers the keyspace that USE chose.
public final class CQLSession: Sendable {
    public let store: WideColumnStore
    private let currentKeyspace: Mutex<String?>

    init(store: WideColumnStore, keyspace: String?) {
        self.store = store
        currentKeyspace = Mutex(keyspace)
    }

    public var keyspace: String? { currentKeyspace.withLock { $0 } }

    /// As ``WideColumnStore/execute(_:_:durability:)``, names resolved in this session's keyspace.
    @discardableResult
    public func execute(
        _ cql: String, _ values: [CQLValue] = [], durability: Durability = .buffered
    ) throws -> ResultSet {
        try prepare(cql).execute(values, options: ExecutionOptions(durability: durability), changing: currentKeyspace)
    }

    /// Executes one statement as the options say.
    @discardableResult
    public func execute(_ cql: String, _ values: [CQLValue] = [], options: ExecutionOptions) throws -> ResultSet {
        try prepare(cql).execute(values, options: options, changing: currentKeyspace)
    }

    public func prepare(_ cql: String) throws -> PreparedStatement {
        try store.statement(cql, keyspace: keyspace)
    }
}
