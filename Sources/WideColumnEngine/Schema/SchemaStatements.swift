// SchemaStatements.swift — from CREATE statements to definitions, with Cassandra's refusals
// ([CA] cql3/statements/schema/CreateKeyspaceStatement.java, CreateTableStatement.java).

extension KeyspaceDefinition {
    private static let flags = ["true": true, "1": true, "yes": true, "false": false, "0": false, "no": false]
    private static let strategies: Set<String> = ["SimpleStrategy", "NetworkTopologyStrategy"]

    init(_ statement: CreateKeyspaceStatement) throws {
        try SchemaName.check(statement.name, "Keyspace")
        name = statement.name
        replication = [:]
        durableWrites = true
        try set(statement.properties)
    }

    /// The definition with these properties changed.
    func changed(by properties: [Property]) throws -> KeyspaceDefinition {
        var changed = self
        try changed.set(properties)
        return changed
    }

    /// A factor for all data centers is one for each that there is ([CA] locator/NetworkTopologyStrategy.java,
    /// `prepareOptions`).
    private static func expanded(_ replication: [String: String]) -> [String: String] {
        guard replication["class"]?.hasSuffix("NetworkTopologyStrategy") == true,
            let factor = replication["replication_factor"]
        else { return replication }
        var expanded = replication
        expanded["replication_factor"] = nil
        return expanded.merging([SystemSchema.dataCenter: factor]) { own, _ in own }
    }

    private mutating func set(_ properties: [Property]) throws {
        for property in properties {
            switch (property.name, property.value) {
            case ("replication", .map(let map)): replication = Self.expanded(map)
            case ("durable_writes", .scalar(let text)):
                guard let flag = Self.flags[text.lowercased()] else {
                    throw CQLError.syntax("Invalid boolean value \(text) for 'durable_writes'")
                }
                durableWrites = flag
            case ("replication", .scalar):
                throw CQLError.syntax("Invalid value for property 'replication'. It should be a map.")
            default: throw CQLError.syntax("Unknown property '\(property.name)'")
            }
        }
        guard !replication.isEmpty else { throw CQLError.invalid("Missing mandatory option 'replication'") }
        guard let strategy = replication["class"] else {
            throw CQLError.configuration("Missing replication strategy class")
        }
        let shortName = String(strategy.split(separator: ".").last ?? "")
        guard Self.strategies.contains(shortName) else {
            throw CQLError.configuration("Unable to find replication strategy class '\(strategy)'")
        }
        if shortName == "SimpleStrategy", replication["replication_factor"] == nil {
            throw CQLError.configuration("SimpleStrategy requires a replication_factor strategy option.")
        }
        // Data centers may have any name: definitions come from other clusters, and here is one node.
        for (option, value) in replication.sorted(by: { $0.key < $1.key }) where option != "class" {
            if shortName == "SimpleStrategy", option != "replication_factor" {
                throw CQLError.configuration(
                    "Unrecognized strategy option {\(option)} passed to SimpleStrategy for keyspace \(name)")
            }
            guard let factor = Int(value) else {
                throw CQLError.configuration("Replication factor must be numeric; found \(value)")
            }
            guard factor >= 0 else {
                throw CQLError.configuration("Replication factor must be non-negative; found \(value)")
            }
        }
        if shortName == "NetworkTopologyStrategy", replication.count == 1 {
            throw CQLError.configuration("Configuration for at least one datacenter must be present")
        }
    }
}

enum SchemaName {
    private static let maximumLength = 48

    /// Names become parts of storage names and of files; Cassandra allows word characters only.
    static func check(_ name: String, _ kind: String) throws {
        let isWord = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
        }
        guard isWord, !name.isEmpty, name.utf8.count <= maximumLength else {
            throw CQLError.invalid(
                "\(kind) name must not be empty, more than \(maximumLength) characters long, "
                    + "or contain non-alphanumeric-underscore characters (got \"\(name)\")")
        }
    }

    /// Names of columns are parts of the keys of rows in system tables, with the name of the table or of an index that is made
    /// of both, and such a key has 65,535 bytes at most.
    static let maximumColumnByteCount = 65_280

    static func checkColumn(_ name: String) throws {
        guard name.utf8.count <= maximumColumnByteCount else {
            throw CQLError.invalid(
                "Column and field names must not be more than \(maximumColumnByteCount) bytes long (got "
                    + "\(name.utf8.count))")
        }
    }

    static func isSystem(_ keyspace: String) -> Bool { SystemSchema.keyspaces.contains(keyspace) }

    static func checkIsNotSystem(_ keyspace: String) throws {
        guard !isSystem(keyspace) else {
            throw CQLError(.unauthorized, "\(keyspace) keyspace is not user-modifiable.")
        }
    }
}

extension TableDefinition {
    init(
        _ statement: CreateTableStatement, identifier: TableIdentifier, scope: UserTypes, id: CQLUUID
    ) throws {
        try SchemaName.check(identifier.name, "Table")
        self.identifier = identifier
        self.id = try statement.properties.tableID ?? id
        options = try TableOptions(statement.properties.withoutID)
        view = nil
        let columns = try Self.columnsByName(statement, table: identifier.name, scope)
        let key = try Self.primaryKey(statement, table: identifier.name)
        let directions = try Self.directions(statement.clusteringOrder, of: key.clustering)
        var keyNames: Set<String> = []
        func keyColumn(_ name: String, _ kind: ColumnDefinition.Kind) throws -> ColumnDefinition {
            guard var column = columns[name] else {
                throw CQLError.invalid(
                    "Unknown column '\(name)' referenced in PRIMARY KEY for table '\(identifier.name)'")
            }
            guard keyNames.insert(name).inserted else {
                throw CQLError.invalid(
                    "Duplicate column '\(name)' in PRIMARY KEY clause for table '\(identifier.name)'")
            }
            guard column.kind != .static else {
                throw CQLError.invalid("Static column '\(name)' cannot be part of the PRIMARY KEY")
            }
            try Self.checkKey(column, directions[name] ?? false)
            column.kind = kind
            column.isDescending = kind == .clustering && directions[name] ?? false
            return column
        }
        partitionKey = try key.partitionKey.map { try keyColumn($0, .partitionKey) }
        clustering = try key.clustering.map { try keyColumn($0, .clustering) }
        let others = columns.values.filter { !keyNames.contains($0.name) }.sorted { $0.name < $1.name }
        staticColumns = others.filter { $0.kind == .static }
        regularColumns = others.filter { $0.kind == .regular }
        guard staticColumns.isEmpty || !clustering.isEmpty else {
            throw CQLError.invalid(
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column")
        }
        try checkCounters()
        for column in others { try Self.checkValue(column.type) }
        for column in statement.columns {
            guard let mask = column.mask, let definition = columns[column.name] else { continue }
            try mask.check(column: column.name, definition.type, scope)
            masks[definition.id] = mask
        }
    }

    /// What types a key may have.
    static func checkKey(_ column: ColumnDefinition, _ isDescending: Bool) throws {
        if column.type.isMultiCell {
            if case .userType = column.type {
                throw CQLError.invalid(
                    "Invalid non-frozen user-defined type \"\(column.type)\" for PRIMARY KEY column '\(column.name)'")
            }
            throw CQLError.invalid(
                "Invalid non-frozen collection type \(column.type) for PRIMARY KEY column '\(column.name)'")
        }
        guard column.type != .counter else {
            throw CQLError.invalid("counter type is not supported for PRIMARY KEY column '\(column.name)'")
        }
        guard !column.type.contains({ $0 == .duration }) else {
            throw CQLError.invalid("duration type is not supported for PRIMARY KEY column '\(column.name)'")
        }
    }

    /// What types a column may have that no key is.
    static func checkValue(_ type: CQLType) throws {
        guard case .userType(let user) = type, user.fields.contains(where: \.type.isMultiCell) else { return }
        throw CQLError.invalid("Non-frozen UDTs with nested non-frozen collections are not supported")
    }

    private func checkCounters() throws {
        guard isCounter else { return }
        guard (staticColumns + regularColumns).allSatisfy({ $0.type == .counter }) else {
            throw CQLError.invalid("Cannot mix counter and non counter columns in the same table")
        }
        guard options.defaultTimeToLive == 0 else {
            throw CQLError.invalid("Cannot set default_time_to_live on a table with counters")
        }
    }

    private static func columnsByName(
        _ statement: CreateTableStatement, table: String, _ scope: UserTypes
    ) throws -> [String: ColumnDefinition] {
        var columns: [String: ColumnDefinition] = [:]
        guard statement.columns.count <= Int(UInt16.max) else { throw CQLError.invalid("Too many columns") }
        for (index, column) in statement.columns.enumerated() {
            guard columns[column.name] == nil else {
                throw CQLError.invalid("Duplicate column '\(column.name)' declaration for table '\(table)'")
            }
            try SchemaName.checkColumn(column.name)
            columns[column.name] = ColumnDefinition(
                name: column.name, type: try column.type.resolved(in: scope),
                kind: column.isStatic ? .static : .regular,
                id: UInt16(truncatingIfNeeded: index))
        }
        return columns
    }

    static func primaryKey(_ statement: CreateTableStatement, table: String) throws -> PrimaryKeyClause {
        guard let key = statement.primaryKeys.first else {
            throw CQLError.invalid("No PRIMARY KEY specifed for table '\(table)' (exactly one required)")
        }
        guard statement.primaryKeys.count == 1 else {
            throw CQLError.invalid("Multiple PRIMARY KEYs specified for table '\(table)' (exactly one required)")
        }
        return key
    }

    /// Which clustering columns descend. Naming only the first ones is allowed; the others ascend.
    static func directions(
        _ order: [ClusteringOrderClause], of clustering: [String]
    ) throws -> [String: Bool] {
        let unknown = order.map(\.column).filter { !clustering.contains($0) }
        guard unknown.isEmpty else {
            throw CQLError.invalid(
                "Only clustering key columns can be defined in CLUSTERING ORDER directive: "
                    + "[\(unknown.joined(separator: ", "))] are not clustering columns")
        }
        guard order.map(\.column) == Array(clustering.prefix(order.count)) else {
            throw CQLError.invalid(
                "The order of columns in the CLUSTERING ORDER directive must match that of the clustering columns "
                    + "(\(clustering.joined(separator: ", ")))")
        }
        return Dictionary(order.map { ($0.column, $0.isDescending) }, uniquingKeysWith: { first, _ in first })
    }
}
