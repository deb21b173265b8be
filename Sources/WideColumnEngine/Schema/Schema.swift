// Schema.swift — the keyspaces, tables and views there are at one moment. Immutable: a change makes a new one.

/// One version of the schema. Statements are planned against one and planned again once it has been replaced.
final class Schema: Sendable {
    /// Grows with every change.
    let version: UInt64
    let keyspaces: [String: KeyspaceDefinition]
    private let tables: [TableIdentifier: Table]

    static let empty = Schema(version: 0, keyspaces: [:], tables: [:])

    private init(version: UInt64, keyspaces: [String: KeyspaceDefinition], tables: [TableIdentifier: Table]) {
        self.version = version
        self.keyspaces = keyspaces
        self.tables = tables
    }

    /// Puts tables together with their views.
    convenience init(
        version: UInt64, keyspaces: [String: KeyspaceDefinition], definitions: [(TableDefinition, Keyspace)]
    ) throws {
        let sources = Dictionary(definitions.map { ($0.0.identifier, $0.0) }, uniquingKeysWith: { first, _ in first })
        var views: [TableIdentifier: [View]] = [:]
        for (definition, storage) in definitions {
            guard let clause = definition.view else { continue }
            let source = TableIdentifier(keyspace: definition.identifier.keyspace, name: clause.source)
            guard let base = sources[source] else {
                throw StorageError.corruption("The view \(definition.identifier) is of a table that does not exist.")
            }
            views[source, default: []].append(try View(definition, of: base, storage: storage))
        }
        let tables = definitions.map { definition, storage in
            Table(
                definition, storage: storage,
                views: views[definition.identifier, default: []].sorted { $0.name < $1.name })
        }
        self.init(
            version: version, keyspaces: keyspaces,
            tables: Dictionary(tables.map { ($0.identifier, $0) }, uniquingKeysWith: { first, _ in first }))
    }

    var allTables: [Table] { tables.values.sorted { $0.identifier.description < $1.identifier.description } }

    func tables(in keyspace: String) -> [Table] { allTables.filter { $0.identifier.keyspace == keyspace } }

    func table(_ identifier: TableIdentifier) -> Table? { tables[identifier] }

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
    let rowOperator: RowMergeOperator
    private let columnsByName: [String: ColumnDefinition]

    init(_ unnumbered: TableDefinition, storage: Keyspace, views: [View]) {
        definition = unnumbered.numbered()
        self.storage = storage
        self.views = views
        rowOperator =
            storage.options.mergeOperator as? RowMergeOperator
            ?? RowMergeOperator(graceSeconds: definition.options.graceSeconds)
        columnsByName = Dictionary(definition.columns.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    var identifier: TableIdentifier { definition.identifier }
    var isView: Bool { definition.view != nil }

    /// Rows of a view whose key has a column that is no key of its table live only with their marker.
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
