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
    let catalog: SchemaCatalog
    let generators: Generators
    private let statements = StatementCache()
    private let currentKeyspace = Mutex<String?>(nil)

    /// Opens the store, and creates its catalog in a storage that has none.
    ///
    /// - Parameter randomNumbers: for `uuid()` and for the node of `now()`; pass a seeded one to repeat a run.
    /// - Throws: `StorageError`.
    public init(
        storage: Storage, randomNumbers: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) throws {
        self.storage = storage
        generators = Generators(randomNumbers)
        catalog = try SchemaCatalog(storage)
        storage.registerCrossCheck("wide-column views") { [weak catalog] snapshot in
            // The storage must not keep the store alive, nor itself through it.
            guard let catalog else { return [] }
            return try ViewCrossCheck(catalog.schema, snapshot.view).problems()
        }
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
        try statement(cql).execute(values, durability: durability, changing: currentKeyspace)
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

    // MARK: Sessions

    /// A session with a current keyspace of its own.
    public func session(keyspace: String? = nil) throws -> CQLSession {
        if let keyspace, catalog.schema.keyspaces[keyspace] == nil {
            throw CQLError.invalid("Keyspace '\(keyspace)' does not exist")
        }
        return CQLSession(store: self, keyspace: keyspace)
    }

    func statement(_ cql: String, keyspace: String?) throws -> PreparedStatement {
        PreparedStatement(try statements.text(cql, keyspace: keyspace, schema: catalog.schema), store: self)
    }

    /// The names of the keyspaces there are.
    public var keyspaceNames: [String] { catalog.schema.keyspaces.keys.sorted() }

    /// The names of a keyspace's tables and views.
    public func tableNames(in keyspace: String) -> [String] {
        catalog.schema.tables(in: keyspace).map(\.identifier.name)
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
        try prepare(cql).execute(values, durability: durability, changing: currentKeyspace)
    }

    public func prepare(_ cql: String) throws -> PreparedStatement {
        try store.statement(cql, keyspace: keyspace)
    }
}

/// Plans of the statements used lately.
private final class StatementCache: Sendable {
    private struct Key: Hashable {
        var cql: String
        var keyspace: String?
    }

    private static let capacity = 1024
    private let texts = Mutex<[Key: PlannedText]>([:])

    func text(_ cql: String, keyspace: String?, schema: Schema) throws -> PlannedText {
        let key = Key(cql: cql, keyspace: keyspace)
        if let known = texts.withLock({ $0[key] }) { return known }
        let text = try PlannedText(cql, keyspace: keyspace, schema: schema)
        guard text.isReusable else { return text }
        texts.withLock { texts in
            // Programs use few texts; one that writes values into its texts must not fill the memory.
            if texts.count >= Self.capacity { texts.removeAll() }
            texts[key] = text
        }
        return text
    }
}
