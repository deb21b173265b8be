// SchemaEditor.swift — schema statements as changes of definitions, with Cassandra's refusals
// ([CA] cql3/statements/schema/*.java). Nothing is stored here; SchemaCatalog publishes the result.

/// Applies one schema statement to a copy of the definitions.
struct SchemaEditor {
    let schema: Schema
    let currentKeyspace: String?
    let allowsSystemNames: Bool
    let now: StorageInstant
    let makeID: () -> CQLUUID
    var definitions: SchemaDefinitions

    init(
        _ schema: Schema, currentKeyspace: String?, allowsSystemNames: Bool, now: StorageInstant,
        makeID: @escaping () -> CQLUUID
    ) {
        self.schema = schema
        self.allowsSystemNames = allowsSystemNames
        self.currentKeyspace = currentKeyspace
        self.now = now
        self.makeID = makeID
        definitions = schema.definitions
    }

    /// What the statement changes; `nil` where it changes nothing.
    mutating func apply(_ statement: Statement) throws -> SchemaChange? {
        switch statement {
        case .createKeyspace(let statement): try create(statement)
        case .alterKeyspace(let name, let ifExists, let properties): try alterKeyspace(name, ifExists, properties)
        case .dropKeyspace(let name, let ifExists): try dropKeyspace(name, ifExists)
        case .createTable(let statement): try create(statement)
        case .alterTable(let statement): try alter(statement)
        case .dropTable(let name, let ifExists): try dropTable(name, ifExists)
        case .createView(let statement): try create(statement)
        case .alterView(let name, let ifExists, let properties): try alterView(name, ifExists, properties)
        case .dropView(let name, let ifExists): try dropView(name, ifExists)
        case .createType(let statement): try create(statement)
        case .alterType(let statement): try alter(statement)
        case .dropType(let name, let ifExists): try dropType(name, ifExists)
        case .createIndex(let statement): try create(statement)
        case .dropIndex(let name, let ifExists): try dropIndex(name, ifExists)
        case .use, .truncate, .describe, .modification, .batch, .select: nil
        }
    }

    // MARK: Keyspaces

    private mutating func create(_ statement: CreateKeyspaceStatement) throws -> SchemaChange? {
        let definition = try KeyspaceDefinition(statement)
        try checkIsNotSystem(definition.name)
        if definitions.keyspaces[definition.name] != nil {
            if statement.ifNotExists { return nil }
            throw CQLError.alreadyExists(
                "Cannot add existing keyspace \"\(definition.name)\"", keyspace: definition.name)
        }
        definitions.keyspaces[definition.name] = definition
        return SchemaChange(kind: .created, target: .keyspace, keyspace: definition.name)
    }

    private mutating func alterKeyspace(
        _ name: String, _ ifExists: Bool, _ properties: [Property]
    ) throws -> SchemaChange? {
        if SystemSchema.replicatedKeyspaces.contains(name) {
            // Scripts that set up a cluster do so. There is one node: it has one copy whatever is asked for.
            _ = try KeyspaceDefinition(
                CreateKeyspaceStatement(
                    name: name, ifNotExists: false, properties: SystemSchema.standardReplication + properties))
            return nil
        }
        try checkIsNotSystem(name)
        guard let old = definitions.keyspaces[name] else {
            if ifExists { return nil }
            throw CQLError.invalid("Keyspace '\(name)' doesn't exist")
        }
        definitions.keyspaces[name] = try old.changed(by: properties)
        return SchemaChange(kind: .updated, target: .keyspace, keyspace: name)
    }

    private mutating func dropKeyspace(_ name: String, _ ifExists: Bool) throws -> SchemaChange? {
        try checkIsNotSystem(name)
        guard definitions.keyspaces[name] != nil else {
            if ifExists { return nil }
            throw CQLError.invalid("Keyspace '\(name)' doesn't exist")
        }
        definitions.keyspaces[name] = nil
        definitions.types[name] = nil
        definitions.tables = definitions.tables.filter { $0.key.keyspace != name }
        return SchemaChange(kind: .dropped, target: .keyspace, keyspace: name)
    }

    // MARK: Tables and views

    private mutating func create(_ statement: CreateTableStatement) throws -> SchemaChange? {
        let identifier = try identifier(of: statement.table)
        // Asked before whether the table is there, as all that is in the statement alone.
        _ = try TableDefinition.primaryKey(statement, table: identifier.name)
        guard try isNew(identifier, statement.ifNotExists) else { return nil }
        let scope = try schema.userTypes(in: identifier.keyspace)
        let definition = try TableDefinition(statement, identifier: identifier, scope: scope, id: makeID())
        if let other = definitions.tables.values.first(where: { $0.id == definition.id }) {
            throw CQLError.invalid(
                "Cannot give table \(identifier) the id \(definition.id), which \(other.identifier) has")
        }
        definitions.tables[identifier] = definition
        return SchemaChange(kind: .created, target: .table, keyspace: identifier.keyspace, name: identifier.name)
    }

    private mutating func create(_ statement: CreateViewStatement) throws -> SchemaChange? {
        if let keyspace = statement.view.keyspace ?? currentKeyspace, let other = statement.source.keyspace,
            keyspace != other
        {
            throw CQLError.invalid("Cannot create a materialized view on a table in a different keyspace")
        }
        let source = try schema.table(statement.source, currentKeyspace: currentKeyspace)
        let keyspace = statement.view.keyspace ?? currentKeyspace ?? source.identifier.keyspace
        guard keyspace == source.identifier.keyspace else {
            throw CQLError.invalid("Cannot create a materialized view on a table in a different keyspace")
        }
        let identifier = TableIdentifier(keyspace: keyspace, name: statement.view.name)
        guard try isNew(identifier, statement.ifNotExists) else { return nil }
        definitions.tables[identifier] = try TableDefinition(
            statement, identifier: identifier, of: source, id: makeID())
        return SchemaChange(kind: .created, target: .table, keyspace: keyspace, name: identifier.name)
    }

    private func isNew(_ identifier: TableIdentifier, _ ifNotExists: Bool) throws -> Bool {
        guard definitions.tables[identifier] != nil else { return true }
        if ifNotExists { return false }
        throw CQLError.alreadyExists(
            "Cannot add already existing table \"\(identifier.name)\" to keyspace \"\(identifier.keyspace)\"",
            keyspace: identifier.keyspace, name: identifier.name)
    }

    private mutating func dropTable(_ name: TableName, _ ifExists: Bool) throws -> SchemaChange? {
        guard let table = try existing(name, ifExists, "Table") else { return nil }
        guard table.view == nil else {
            throw CQLError.invalid(
                "Cannot use DROP TABLE on a materialized view. Please use DROP MATERIALIZED VIEW instead.")
        }
        let views = definitions.views(of: table.identifier).map(\.identifier.name)
        guard views.isEmpty else {
            throw CQLError.invalid(
                "Cannot drop a table when materialized views still depend on it (\(views.joined(separator: ",")))")
        }
        return drop(table)
    }

    private mutating func dropView(_ name: TableName, _ ifExists: Bool) throws -> SchemaChange? {
        guard let view = try existing(name, ifExists, "Materialized view") else { return nil }
        guard view.view != nil else {
            if ifExists { return nil }
            throw CQLError.invalid("Materialized view '\(view.identifier)' doesn't exist")
        }
        return drop(view)
    }

    private mutating func drop(_ table: TableDefinition) -> SchemaChange {
        definitions.tables[table.identifier] = nil
        return SchemaChange(
            kind: .dropped, target: .table, keyspace: table.identifier.keyspace, name: table.identifier.name)
    }

    /// The table or view that a statement names; `nil` where it need not exist.
    func existing(_ name: TableName, _ ifExists: Bool, _ kind: String) throws -> TableDefinition? {
        if let keyspace = name.keyspace ?? currentKeyspace, definitions.keyspaces[keyspace] == nil {
            try checkIsNotSystem(keyspace)
            if ifExists { return nil }
            throw CQLError.invalid("\(kind) '\(keyspace).\(name.name)' doesn't exist")
        }
        let identifier = try identifier(of: name)
        if let table = definitions.tables[identifier] { return table }
        if ifExists { return nil }
        throw CQLError.invalid("\(kind) '\(identifier)' doesn't exist")
    }

    func identifier(of name: TableName) throws -> TableIdentifier {
        if let keyspace = name.keyspace ?? currentKeyspace {
            try checkIsNotSystem(keyspace)
            guard definitions.keyspaces[keyspace] != nil else {
                throw CQLError.invalid("Keyspace '\(keyspace)' doesn't exist")
            }
        }
        return try schema.identifier(of: name, currentKeyspace: currentKeyspace)
    }

    private func checkIsNotSystem(_ keyspace: String) throws {
        if !allowsSystemNames { try SchemaName.checkIsNotSystem(keyspace) }
    }
}
