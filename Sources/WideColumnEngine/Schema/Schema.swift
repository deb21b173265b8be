// Schema.swift — the keyspaces, types, tables and views there are at one moment. Immutable: a change makes a new one.

/// What the catalog holds, by name.
struct SchemaDefinitions: Hashable, Sendable {
    var keyspaces: [String: KeyspaceDefinition] = [:]
    /// By keyspace, then by name.
    var types: [String: [String: UserType]] = [:]
    var tables: [TableIdentifier: TableDefinition] = [:]

    func tables(in keyspace: String) -> [TableDefinition] {
        tables.values.filter { $0.identifier.keyspace == keyspace }.sorted { $0.identifier.name < $1.identifier.name }
    }

    /// The views of a table, by name.
    func views(of table: TableIdentifier) -> [TableDefinition] {
        tables(in: table.keyspace).filter { $0.view?.source == table.name }
    }

    /// How long the rows of a table live unless a statement says so, in seconds; those of a view as long as its table's.
    func timeToLive(of table: TableDefinition) -> Int32 {
        let source = table.view.map { TableIdentifier(keyspace: table.identifier.keyspace, name: $0.source) }
        return (source.flatMap { tables[$0] } ?? table).options.defaultTimeToLive
    }

    /// Looks up the user-defined types of all columns, as they are now.
    func resolved() throws -> SchemaDefinitions {
        var result = self
        var scopes: [String: UserTypes] = [:]
        for keyspace in keyspaces.keys {
            let scope = try UserTypes(keyspace: keyspace, definitions: Array((types[keyspace] ?? [:]).values))
            result.types[keyspace] = scope.types
            scopes[keyspace] = scope
        }
        for (identifier, table) in tables {
            guard let scope = scopes[identifier.keyspace] else { throw ByteReader.tooShort }
            var resolved = table
            try resolved.updateColumns { $0.type = try $0.type.lookedUp(in: scope) }
            result.tables[identifier] = resolved
        }
        return result
    }
}

/// One version of the schema. Statements are planned against one and planned again once it has been replaced.
final class Schema: Sendable {
    /// Grows with every change.
    let version: UInt64
    let definitions: SchemaDefinitions
    private let tables: [TableIdentifier: Table]

    static let empty = Schema(version: 0, definitions: SchemaDefinitions(), tables: [:])

    private init(version: UInt64, definitions: SchemaDefinitions, tables: [TableIdentifier: Table]) {
        self.version = version
        self.definitions = definitions
        self.tables = tables
    }

    /// Puts tables together with their views and indexes.
    ///
    /// - Parameter storage: opens a keyspace of the storage by name, with its merge operator and how it is compacted.
    convenience init(
        version: UInt64, definitions unresolved: SchemaDefinitions,
        storage: (_ name: String, _ rowOperator: RowMergeOperator?, _ compaction: TableCompaction) throws -> Keyspace
    ) throws {
        let definitions = try unresolved.resolved()
        var views: [TableIdentifier: [View]] = [:]
        var storages: [TableIdentifier: Keyspace] = [:]
        for (identifier, definition) in definitions.tables {
            let source = definition.view.map { TableIdentifier(keyspace: identifier.keyspace, name: $0.source) }
            let base = source.flatMap { definitions.tables[$0] }
            let keyspace = try storage(
                identifier.storageName, try RowMergeOperator(definition, base: base),
                definition.options.compaction(timeToLive: definitions.timeToLive(of: definition)))
            storages[identifier] = keyspace
            guard let source else { continue }
            guard let base else {
                throw StorageError.corruption("The view \(identifier) is of a table that does not exist.")
            }
            views[source, default: []].append(try View(definition, of: base, storage: keyspace))
        }
        var tables: [TableIdentifier: Table] = [:]
        for (identifier, definition) in definitions.tables {
            guard let keyspace = storages[identifier] else { continue }
            // As Cassandra's index tables, they are compacted as their table is ([CA] schema/TableMetadata.java,
            // `updateIndexTableMetadata`).
            let compaction = definition.options.compaction(timeToLive: definition.options.defaultTimeToLive)
            let indexes = try definition.indexes.map { index in
                try SecondaryIndex(
                    index, of: definition,
                    storage: storage(identifier.storageName(ofIndex: index.name), nil, compaction))
            }
            tables[identifier] = Table(
                definition, storage: keyspace,
                views: views[identifier, default: []].sorted { $0.name < $1.name }, indexes: indexes)
        }
        self.init(version: version, definitions: definitions, tables: tables)
    }

    var keyspaces: [String: KeyspaceDefinition] { definitions.keyspaces }

    var allTables: [Table] { tables.values.sorted { $0.identifier.description < $1.identifier.description } }

    func tables(in keyspace: String) -> [Table] { allTables.filter { $0.identifier.keyspace == keyspace } }

    func table(_ identifier: TableIdentifier) -> Table? { tables[identifier] }

    /// The user-defined types that statements on a keyspace may name.
    func userTypes(in keyspace: String) throws -> UserTypes {
        try UserTypes(keyspace: keyspace, definitions: Array((definitions.types[keyspace] ?? [:]).values))
    }

    /// The table that a statement names.
    func table(_ name: TableName, currentKeyspace: String?) throws -> Table {
        let identifier = try identifier(of: name, currentKeyspace: currentKeyspace)
        guard let table = tables[identifier] else {
            throw CQLError.invalid("table \(identifier.name) does not exist")
        }
        return table
    }

    /// The full name of a table that need not exist; its keyspace must.
    func identifier(of name: TableName, currentKeyspace: String?) throws -> TableIdentifier {
        guard let keyspace = name.keyspace ?? currentKeyspace else {
            throw CQLError.invalid(
                "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename")
        }
        guard keyspaces[keyspace] != nil else { throw CQLError.invalid("keyspace \(keyspace) does not exist") }
        return TableIdentifier(keyspace: keyspace, name: name.name)
    }
}

/// A table as statements use it.
final class Table: Sendable {
    let definition: TableDefinition
    /// Where its partitions lie.
    let storage: Keyspace
    let views: [View]
    let indexes: [SecondaryIndex]
    let rowOperator: RowMergeOperator
    /// The numbers of dropped columns, whose cells count for nothing.
    let deadColumns: Set<UInt16>
    private let columnsByName: [String: ColumnDefinition]

    init(_ unnumbered: TableDefinition, storage: Keyspace, views: [View], indexes: [SecondaryIndex]) {
        definition = unnumbered.numbered()
        self.storage = storage
        self.views = views
        self.indexes = indexes
        rowOperator =
            storage.options.mergeOperator as? RowMergeOperator
            ?? RowMergeOperator(graceSeconds: definition.options.graceSeconds)
        deadColumns = Set(unnumbered.droppedColumns.map(\.id))
        columnsByName = Dictionary(definition.columns.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    var identifier: TableIdentifier { definition.identifier }
    var isView: Bool { definition.view != nil }
    /// Whether changes to rows must read them, for views or indexes.
    var hasDependents: Bool { !views.isEmpty || !indexes.isEmpty }

    /// Rows of a view that requires columns that are no keys of its table live only with their marker.
    var needsMarker: Bool { rowOperator.needsMarker }

    func column(_ name: String) -> ColumnDefinition? { columnsByName[name] }

    /// The column that a statement names.
    func requiredColumn(_ name: String) throws -> ColumnDefinition {
        guard let column = columnsByName[name] else {
            throw CQLError.invalid("Undefined column name \(name) in table \(identifier)")
        }
        return column
    }
}
