// SchemaPermission.swift — what Cassandra asks of a user before a statement changes the schema ([CA] cql3/statements/schema,
// `authorize` of each statement; auth/DataResource.java).
//
// There are no roles here. But who lacks UNMASK lacks these permissions too, or a statement would take the masks away.

/// A permission on a resource.
private struct SchemaPermission {
    enum Kind: String {
        case create = "CREATE"
        case alter = "ALTER"
        case drop = "DROP"
    }

    enum Resource: CustomStringConvertible {
        case allKeyspaces
        case keyspace(String)
        case allTables(keyspace: String)
        case table(TableIdentifier)

        var description: String {
            switch self {
            case .allKeyspaces: "<all keyspaces>"
            case .keyspace(let name): "<keyspace \(name)>"
            case .allTables(let keyspace): "<all tables in \(keyspace)>"
            case .table(let table): "<table \(table)>"
            }
        }
    }

    var kind: Kind
    var resource: Resource
}

extension Statement {
    /// Refuses to change the schema for a user who has no permission to.
    ///
    /// - Throws: `CQLError` (0x2100) with Cassandra's text ([CA] service/ClientState.java, `ensurePermission`).
    func checkPermission(of userName: String, _ schema: Schema, currentKeyspace: String?) throws {
        guard let permission = permission(schema.definitions, currentKeyspace) else { return }
        throw CQLError(
            .unauthorized,
            "User \(userName) has no \(permission.kind.rawValue) permission on \(permission.resource) or any of its "
                + "parents")
    }

    /// Nil where none is asked for: the statement changes no schema, names no keyspace, or what it would drop is not there.
    private func permission(_ schema: SchemaDefinitions, _ currentKeyspace: String?) -> SchemaPermission? {
        func table(_ name: TableName) -> TableIdentifier? {
            (name.keyspace ?? currentKeyspace).map { TableIdentifier(keyspace: $0, name: name.name) }
        }
        func on(_ table: TableIdentifier?, _ kind: SchemaPermission.Kind) -> SchemaPermission? {
            table.map { SchemaPermission(kind: kind, resource: .table($0)) }
        }
        func inKeyspace(_ name: TableName, _ kind: SchemaPermission.Kind) -> SchemaPermission? {
            (name.keyspace ?? currentKeyspace).map { SchemaPermission(kind: kind, resource: .keyspace($0)) }
        }
        /// Views and indexes are their table's.
        func source(ofView name: TableName) -> TableIdentifier? {
            guard let view = table(name), let clause = schema.tables[view]?.view else { return nil }
            return TableIdentifier(keyspace: view.keyspace, name: clause.source)
        }
        func source(ofIndex name: TableName) -> TableIdentifier? {
            guard let keyspace = name.keyspace ?? currentKeyspace else { return nil }
            return schema.tables(in: keyspace).first { $0.indexes.contains { $0.name == name.name } }?.identifier
        }
        return switch self {
        case .createKeyspace: SchemaPermission(kind: .create, resource: .allKeyspaces)
        case .alterKeyspace(let name, _, _): SchemaPermission(kind: .alter, resource: .keyspace(name))
        case .dropKeyspace(let name, _): SchemaPermission(kind: .drop, resource: .keyspace(name))
        case .createTable(let statement):
            (statement.table.keyspace ?? currentKeyspace).map {
                SchemaPermission(kind: .create, resource: .allTables(keyspace: $0))
            }
        case .alterTable(let statement): on(table(statement.table), .alter)
        case .dropTable(let name, _): on(table(name), .drop)
        case .createView(let statement): on(table(statement.source), .alter)
        case .alterView(let name, _, _), .dropView(let name, _): on(source(ofView: name), .alter)
        case .createIndex(let statement): on(table(statement.table), .alter)
        case .dropIndex(let name, _): on(source(ofIndex: name), .alter)
        case .createType(let statement): inKeyspace(statement.type, .create)
        case .alterType(let statement): inKeyspace(statement.type, .alter)
        case .dropType(let name, _): inKeyspace(name, .drop)
        case .use, .describe, .truncate, .modification, .batch, .select: nil
        }
    }
}
