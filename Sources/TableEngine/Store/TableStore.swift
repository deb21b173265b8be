// TableStore.swift — the tables of a storage.
//
// Keyspaces: `tables/catalog` holds definitions by table name, `tables/requests` the client request tokens of
// transactions, `tables/streams` how far streams were trimmed; each table has `table/<name>` and
// `table/<name>/stream`, each index `table/<name>/index/<index>`.
//
// Invariant: the map of open tables matches the catalog at the visible sequence; it is changed by commit actions only.

public import StorageCore
internal import Synchronization

/// Tables of items with DynamoDB's semantics: expressions, conditional and transactional writes, change streams.
///
/// Every mutation has three forms: one that waits on the calling thread, an `async` one that suspends instead, and one
/// that takes an open `WriteTransaction`, so that changes in several tables and several engines commit together.
///
/// - Atomic: a request that is refused changes nothing, and a change and its stream record are one commit.
/// - Isolated: requests run one after another; a page of a query or scan is of one moment.
/// - Durable: as the `durability` argument says, `.buffered` unless given.
/// - One store for each storage: a second one would not see the first one's tables come and go.
/// - Errors: ``TableError`` with the service's exceptions and texts; `StorageError` for the environment.
public final class TableStore: Sendable {
    public let storage: Storage
    let catalog: Keyspace
    let requestTokens: Keyspace
    let trimPoints: Keyspace
    let expressions = ExpressionCache()
    private let tables = Mutex<[String: Table]>([:])
    /// Names of tables that are being created, changed or deleted.
    private let changing = Mutex<Set<String>>([])

    /// Opens the tables of a storage.
    ///
    /// - Throws: `StorageError` if the catalog can't be read.
    public init(storage: Storage) throws {
        self.storage = storage
        catalog = try storage.keyspace("tables/catalog")
        requestTokens = try storage.keyspace("tables/requests", options: KeyspaceOptions(expiry: .engine))
        trimPoints = try storage.keyspace("tables/streams")
        try readCatalog()
        registerCrossChecks()
    }

    private func readCatalog() throws {
        let snapshot = storage.snapshot()
        var cursor = try snapshot.view.cursor(catalog)
        try cursor.seekToFirst()
        while cursor.isValid {
            let table = try open(TableDefinition(decoding: cursor.value))
            tables.withLock { $0[table.name] = table }
            try cursor.next()
        }
    }

    /// The table with its keyspaces, which are created where they are missing.
    func open(_ definition: TableDefinition) throws -> Table {
        Table(
            definition: definition,
            keyspace: try storage.keyspace(Table.keyspaceName(definition.name)),
            streamKeyspace: try storage.keyspace(Table.streamKeyspaceName(definition.name)),
            indexes: try definition.indexes.map { index in
                TableIndex(
                    index, keyspace: try storage.keyspace(Table.indexKeyspaceName(definition.name, index.name)),
                    tableSchema: definition.keySchema)
            })
    }

    /// An open table.
    ///
    /// - Throws: `ResourceNotFoundException`.
    func table(_ name: String) throws -> Table {
        guard let table = existingTable(name) else { throw TableError.tableNotFound }
        return table
    }

    func existingTable(_ name: String) -> Table? {
        tables.withLock { $0[name] }
    }

    var openTables: [Table] {
        tables.withLock { Array($0.values) }
    }

    /// Runs `body` as the only one that creates, changes or deletes the table of this name.
    ///
    /// - Throws: `ResourceInUseException` if another call does so now.
    func changingTable<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
        guard changing.withLock({ $0.insert(name).inserted }) else {
            throw TableError(.resourceInUse, "Attempt to change a resource which is still in use: Table: \(name)")
        }
        defer { changing.withLock { _ = $0.remove(name) } }
        return try body()
    }

    /// Makes the map match the commit of `transaction` once it is certain.
    func publish(_ table: Table?, named name: String, in transaction: WriteTransaction) {
        transaction.onCommit { [self] _ in
            tables.withLock { $0[name] = table }
        }
    }
}
