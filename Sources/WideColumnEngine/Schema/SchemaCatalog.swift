// SchemaCatalog.swift — the current schema, durable in the storage keyspace `wide/catalog`.
//
// Order of a change: the table's keyspace exists in the storage before the catalog names it, and is dropped after the
// catalog has forgotten it. What a crash leaves in between is an unnamed keyspace, which the next open removes.
//
// A new schema is published in the writer lane, with the commit of its catalog entry. So a write body sees one schema
// from beginning to end, and every write after a view's creation maintains the view.

internal import Synchronization

final class SchemaCatalog: Sendable {
    private let storage: Storage
    private let entries: Keyspace
    private let current: Mutex<Schema>
    /// One schema change at a time. Taken before the writer lane, never inside it.
    private let changes = Mutex(())

    private static let storageName = "wide/catalog"

    init(_ storage: Storage) throws {
        self.storage = storage
        entries = try storage.keyspace(Self.storageName)
        current = Mutex(.empty)
        let loaded = try Self.load(entries, storage)
        current.withLock { $0 = loaded }
        try removeUnnamedKeyspaces()
        for table in loaded.allTables where table.definition.view?.isBuilt == false { try build(table.definition) }
    }

    var schema: Schema { current.withLock { $0 } }

    // MARK: Opening

    private static func load(_ entries: Keyspace, _ storage: Storage) throws -> Schema {
        var keyspaces: [String: KeyspaceDefinition] = [:]
        var definitions: [TableDefinition] = []
        var cursor = try storage.snapshot().view.cursor(entries)
        try cursor.seekToFirst()
        while cursor.isValid {
            if CatalogCodec.isKeyspaceKey(cursor.key.array()) {
                let keyspace = try CatalogCodec.keyspace(cursor.value.array())
                keyspaces[keyspace.name] = keyspace
            } else {
                definitions.append(try CatalogCodec.table(cursor.value.array()))
            }
            try cursor.next()
        }
        return try Schema(
            version: 1, keyspaces: keyspaces,
            definitions: definitions.map { ($0, try open($0, definitions, storage)) })
    }

    private static func open(
        _ definition: TableDefinition, _ all: [TableDefinition], _ storage: Storage
    ) throws -> Keyspace {
        var rowOperator = RowMergeOperator(graceSeconds: definition.options.graceSeconds)
        var timeToLive = definition.options.defaultTimeToLive
        if let view = definition.view {
            let source = TableIdentifier(keyspace: definition.identifier.keyspace, name: view.source)
            let table = all.first { $0.identifier == source }
            let keyNames = Set(table.map { ($0.partitionKey + $0.clustering).map(\.name) } ?? [])
            // Its rows live as long as those of its table.
            timeToLive = table?.options.defaultTimeToLive ?? timeToLive
            let hasKeyCell = (definition.partitionKey + definition.clustering).contains { !keyNames.contains($0.name) }
            // A view's rows are replaced whole, so it has no deletions to keep.
            rowOperator = RowMergeOperator(graceSeconds: 0, needsMarker: hasKeyCell)
        }
        return try storage.keyspace(
            definition.identifier.storageName,
            options: KeyspaceOptions(
                mergeOperator: rowOperator, expiry: .operator, isDedicated: true,
                strategy: definition.options.compactionStrategy(timeToLive: timeToLive)))
    }

    private func removeUnnamedKeyspaces() throws {
        let named = Set(schema.allTables.map(\.identifier.storageName) + [Self.storageName])
        for name in storage.keyspaceNames where name.hasPrefix("wide/") && !named.contains(name) {
            try storage.dropKeyspace(name)
        }
    }

    // MARK: Changes

    func execute(_ statement: Statement, currentKeyspace: String?) throws {
        try changes.withLock { _ in
            switch statement {
            case .createKeyspace(let statement): try create(statement)
            case .dropKeyspace(let name, let ifExists): try dropKeyspace(name, ifExists)
            case .createTable(let statement): try create(statement, currentKeyspace)
            case .dropTable(let name, let ifExists): try dropTable(name, ifExists, currentKeyspace)
            case .createView(let statement): try create(statement, currentKeyspace)
            case .dropView(let name, let ifExists): try dropView(name, ifExists, currentKeyspace)
            case .truncate(let name): try truncate(name, currentKeyspace)
            case .use, .modification, .batch, .select: break
            }
        }
    }

    private func create(_ statement: CreateKeyspaceStatement) throws {
        let definition = try KeyspaceDefinition(statement)
        if schema.keyspaces[definition.name] != nil {
            if statement.ifNotExists { return }
            throw CQLError.alreadyExists("Cannot add existing keyspace \"\(definition.name)\"")
        }
        var keyspaces = schema.keyspaces
        keyspaces[definition.name] = definition
        try publish(keyspaces: keyspaces, definitions: definitions) { transaction in
            let key = CatalogCodec.keyspaceKey(definition.name)
            let value = CatalogCodec.encode(definition)
            try transaction.put(entries, key.rawSpan, value.rawSpan)
        }
    }

    private func create(_ statement: CreateTableStatement, _ currentKeyspace: String?) throws {
        let identifier = try schema.identifier(of: statement.table, currentKeyspace: currentKeyspace)
        guard try isNew(identifier, statement.ifNotExists) else { return }
        try add(try TableDefinition(statement, identifier: identifier))
    }

    private func create(_ statement: CreateViewStatement, _ currentKeyspace: String?) throws {
        let source = try schema.table(statement.source, currentKeyspace: currentKeyspace)
        let keyspace = statement.view.keyspace ?? currentKeyspace ?? source.identifier.keyspace
        guard keyspace == source.identifier.keyspace else {
            throw CQLError.invalid("Cannot create a materialized view on a table in a different keyspace")
        }
        let identifier = TableIdentifier(keyspace: keyspace, name: statement.view.name)
        guard try isNew(identifier, statement.ifNotExists) else { return }
        let definition = try TableDefinition(statement, identifier: identifier, of: source)
        try add(definition)
        try build(definition)
    }

    private func isNew(_ identifier: TableIdentifier, _ ifNotExists: Bool) throws -> Bool {
        guard schema.table(identifier) != nil else { return true }
        if ifNotExists { return false }
        throw CQLError.alreadyExists(
            "Cannot add already existing table \"\(identifier.name)\" to keyspace \"\(identifier.keyspace)\"")
    }

    private func dropKeyspace(_ name: String, _ ifExists: Bool) throws {
        guard schema.keyspaces[name] != nil else {
            if ifExists { return }
            throw CQLError.invalid("Keyspace '\(name)' doesn't exist")
        }
        var keyspaces = schema.keyspaces
        keyspaces[name] = nil
        let dropped = schema.tables(in: name).map(\.identifier)
        try publish(keyspaces: keyspaces, definitions: definitions.filter { $0.0.identifier.keyspace != name }) {
            let key = CatalogCodec.keyspaceKey(name)
            try $0.delete(entries, key.rawSpan)
            for table in dropped { try delete(table, $0) }
        }
        for table in dropped { try storage.dropKeyspace(table.storageName) }
    }

    private func dropTable(_ name: TableName, _ ifExists: Bool, _ currentKeyspace: String?) throws {
        guard let table = try existing(name, ifExists, currentKeyspace, "Table") else { return }
        guard !table.isView else {
            throw CQLError.invalid(
                "Cannot use DROP TABLE on a materialized view. Please use DROP MATERIALIZED VIEW instead.")
        }
        guard table.views.isEmpty else {
            throw CQLError.invalid(
                "Cannot drop a table when materialized views still depend on it "
                    + "(\(table.views.map(\.name).joined(separator: ",")))")
        }
        try remove(table.identifier)
    }

    private func dropView(_ name: TableName, _ ifExists: Bool, _ currentKeyspace: String?) throws {
        guard let view = try existing(name, ifExists, currentKeyspace, "Materialized view") else { return }
        guard view.isView else {
            throw CQLError.invalid("Cannot use DROP MATERIALIZED VIEW on a table. Please use DROP TABLE instead.")
        }
        try remove(view.identifier)
    }

    private func existing(
        _ name: TableName, _ ifExists: Bool, _ currentKeyspace: String?, _ kind: String
    ) throws -> Table? {
        if ifExists, let keyspace = name.keyspace ?? currentKeyspace, schema.keyspaces[keyspace] == nil { return nil }
        let identifier = try schema.identifier(of: name, currentKeyspace: currentKeyspace)
        if let table = schema.table(identifier) { return table }
        if ifExists { return nil }
        throw CQLError.invalid("\(kind) '\(identifier)' doesn't exist")
    }

    private func truncate(_ name: TableName, _ currentKeyspace: String?) throws {
        let table = try schema.table(name, currentKeyspace: currentKeyspace)
        guard !table.isView else {
            throw CQLError.invalid("Cannot TRUNCATE materialized view directly; must truncate base table instead")
        }
        try storage.write { transaction in
            try transaction.deleteRange(table.storage, .all)
            for view in table.views { try transaction.deleteRange(view.storage, .all) }
        }
    }

    // MARK: Publishing

    private var definitions: [(TableDefinition, Keyspace)] { schema.allTables.map { ($0.definition, $0.storage) } }

    private func add(_ definition: TableDefinition) throws {
        // A leftover of a table of this name must not come back to life.
        if storage.existingKeyspace(definition.identifier.storageName) != nil {
            try storage.dropKeyspace(definition.identifier.storageName)
        }
        let keyspace = try Self.open(definition, definitions.map(\.0), storage)
        try publish(keyspaces: schema.keyspaces, definitions: definitions + [(definition, keyspace)]) {
            try put(definition, $0)
        }
    }

    private func remove(_ identifier: TableIdentifier) throws {
        try publish(keyspaces: schema.keyspaces, definitions: definitions.filter { $0.0.identifier != identifier }) {
            try delete(identifier, $0)
        }
        try storage.dropKeyspace(identifier.storageName)
    }

    private func put(_ definition: TableDefinition, _ transaction: WriteTransaction) throws {
        let key = CatalogCodec.tableKey(definition.identifier)
        let value = CatalogCodec.encode(definition)
        try transaction.put(entries, key.rawSpan, value.rawSpan)
    }

    private func delete(_ identifier: TableIdentifier, _ transaction: WriteTransaction) throws {
        let key = CatalogCodec.tableKey(identifier)
        try transaction.delete(entries, key.rawSpan)
    }

    private func publish(
        keyspaces: [String: KeyspaceDefinition], definitions: [(TableDefinition, Keyspace)],
        _ body: (WriteTransaction) throws -> Void
    ) throws {
        let next = try Schema(version: schema.version + 1, keyspaces: keyspaces, definitions: definitions)
        try storage.write(.synced) { transaction in
            try body(transaction)
            transaction.onCommit { [self] _ in current.withLock { $0 = next } }
        }
    }

    // MARK: Building views

    /// Fills a view from the rows that were there before it, a chunk a commit, while writes go on.
    private func build(_ definition: TableDefinition) throws {
        guard let clause = definition.view,
            let table = schema.table(.init(keyspace: definition.identifier.keyspace, name: clause.source)),
            let view = table.views.first(where: { $0.definition.identifier == definition.identifier })
        else { return }
        var builder = ViewBuilder(table: table, view: view)
        var hasMore = true
        while hasMore {
            hasMore = try storage.write { (transaction: WriteTransaction) in try builder.buildChunk(transaction) }
        }
        var built = definition
        built.view?.isBuilt = true
        let definitions = definitions.map { $0.0.identifier == built.identifier ? (built, $0.1) : $0 }
        try publish(keyspaces: schema.keyspaces, definitions: definitions) { try put(built, $0) }
    }
}
