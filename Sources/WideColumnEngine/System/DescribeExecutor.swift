// DescribeExecutor.swift — DESCRIBE on the server's side ([CA] cql3/statements/DescribeStatement.java).

/// Answers one DESCRIBE statement.
struct DescribeExecutor {
    let schema: Schema
    let systemSchema: Schema
    let currentKeyspace: String?
    let withInternals: Bool

    private struct Element {
        var keyspace: String
        var type: String
        var name: String
        var statement: String
    }

    func run(_ target: DescribeStatement.Target) throws -> ResultSet {
        switch target {
        case .cluster: return try cluster()
        case .keyspaces:
            return try list(
                allKeyspaces.sorted().map { Element(keyspace: $0, type: "keyspace", name: $0, statement: "") })
        case .tables:
            return try list(listed { $0.tables(in: $1).filter { $0.view == nil }.map(\.identifier.name) }, "table")
        case .types: return try list(listed { ($0.types[$1] ?? [:]).keys.sorted() }, "type")
        case .functions, .aggregates: return try list([])
        case .schema(let isFull):
            let names = isFull ? allKeyspaces.sorted() : schema.keyspaces.keys.sorted()
            return try describe(try names.flatMap { try elements(ofKeyspace: $0) })
        case .keyspace(let name, let only):
            guard let name = name ?? currentKeyspace else { throw noKeyspace }
            let elements = try elements(ofKeyspace: name)
            return try describe(only ? Array(elements.prefix(1)) : elements)
        case .table(let name): return try describe(try table(name, isView: false))
        case .view(let name): return try describe(try table(name, isView: true))
        case .type(let name): return try describe([try type(name)])
        case .index(let name): return try describe([try index(name)])
        case .function(let name):
            throw CQLError.invalid(
                "User defined function '\(name.name)' not found in '\(name.keyspace ?? currentKeyspace ?? "")'")
        case .aggregate(let name):
            throw CQLError.invalid(
                "User defined aggregate '\(name.name)' not found in '\(name.keyspace ?? currentKeyspace ?? "")'")
        case .any(let name): return try describe(try any(name))
        }
    }

    private var allKeyspaces: Set<String> { Set(schema.keyspaces.keys).union(systemSchema.keyspaces.keys) }

    private var noKeyspace: CQLError { .invalid("No keyspace specified and no current keyspace") }

    private func definitions(of keyspace: String) throws -> SchemaDefinitions {
        if schema.keyspaces[keyspace] != nil { return schema.definitions }
        if systemSchema.keyspaces[keyspace] != nil { return systemSchema.definitions }
        throw CQLError.invalid("'\(keyspace)' not found in keyspaces")
    }

    private func listed(_ names: (SchemaDefinitions, String) -> [String]) -> [(String, String)] {
        let keyspaces = currentKeyspace.map { [$0] } ?? allKeyspaces.sorted()
        return keyspaces.flatMap { keyspace in
            ((try? definitions(of: keyspace)).map { names($0, keyspace) } ?? []).map { (keyspace, $0) }
        }
    }

    // MARK: Elements

    private func elements(ofKeyspace name: String) throws -> [Element] {
        let definitions = try definitions(of: name)
        guard let keyspace = definitions.keyspaces[name] else { throw noKeyspace }
        var elements = [
            Element(
                keyspace: name, type: "keyspace", name: name, statement: SchemaDescription.statement(keyspace))
        ]
        for type in try UserTypes(keyspace: name, definitions: Array((definitions.types[name] ?? [:]).values)).ordered {
            elements.append(element(type))
        }
        for table in definitions.tables(in: name) where table.view == nil {
            elements += self.elements(of: table, definitions)
        }
        return elements
    }

    /// A table with its indexes and views.
    private func elements(of table: TableDefinition, _ definitions: SchemaDefinitions) -> [Element] {
        [element(table, definitions)] + table.indexes.map { element($0, table) }
            + definitions.views(of: table.identifier).map { element($0, definitions) }
    }

    private func element(_ table: TableDefinition, _ definitions: SchemaDefinitions) -> Element {
        Element(
            keyspace: table.identifier.keyspace, type: table.view == nil ? "table" : "materialized_view",
            name: table.identifier.name,
            statement: SchemaDescription.statement(
                table, withInternals: withInternals, timeToLive: definitions.timeToLive(of: table)))
    }

    private func element(_ type: UserType) -> Element {
        Element(keyspace: type.keyspace, type: "type", name: type.name, statement: SchemaDescription.statement(type))
    }

    private func element(_ index: IndexDefinition, _ table: TableDefinition) -> Element {
        Element(
            keyspace: table.identifier.keyspace, type: "index", name: index.name,
            statement: SchemaDescription.statement(index, of: table))
    }

    private func keyspace(of name: TableName) throws -> String {
        guard let keyspace = name.keyspace ?? currentKeyspace else { throw noKeyspace }
        return keyspace
    }

    private func table(_ name: TableName, isView: Bool) throws -> [Element] {
        let keyspace = try keyspace(of: name)
        let definitions = try definitions(of: keyspace)
        let table = definitions.tables[TableIdentifier(keyspace: keyspace, name: name.name)]
        guard let table, (table.view != nil) == isView else {
            throw CQLError.invalid(
                "\(isView ? "Materialized view" : "Table") '\(name.name)' not found in keyspace '\(keyspace)'")
        }
        return isView ? [element(table, definitions)] : elements(of: table, definitions)
    }

    private func type(_ name: TableName) throws -> Element {
        let keyspace = try keyspace(of: name)
        guard let type = try definitions(of: keyspace).types[keyspace]?[name.name] else {
            throw CQLError.invalid("User defined type '\(name.name)' not found in '\(keyspace)'")
        }
        return element(type)
    }

    private func index(_ name: TableName) throws -> Element {
        let keyspace = try keyspace(of: name)
        for table in try definitions(of: keyspace).tables(in: keyspace) {
            if let index = table.indexes.first(where: { $0.name == name.name }) { return element(index, table) }
        }
        throw CQLError.invalid("Index '\(name.name)' not found in '\(keyspace)'")
    }

    private func any(_ name: TableName) throws -> [Element] {
        if name.keyspace == nil, allKeyspaces.contains(name.name) { return try elements(ofKeyspace: name.name) }
        let keyspace = try keyspace(of: name)
        if let elements = try? table(name, isView: false) { return elements }
        if let elements = try? table(name, isView: true) { return elements }
        if let element = try? type(name) { return [element] }
        if let element = try? index(name) { return [element] }
        throw CQLError.invalid("'\(name.name)' not found in keyspace '\(keyspace)'")
    }

    // MARK: Results

    private func list(_ names: [(String, String)], _ type: String) throws -> ResultSet {
        try list(names.map { Element(keyspace: $0.0, type: type, name: $0.1, statement: "") })
    }

    private func list(_ elements: [Element]) throws -> ResultSet {
        try result(["keyspace_name", "type", "name"], elements.map { [$0.keyspace, $0.type, $0.name] })
    }

    private func describe(_ elements: [Element]) throws -> ResultSet {
        try result(
            ["keyspace_name", "type", "name", "create_statement"],
            elements.map { [$0.keyspace, $0.type, $0.name, $0.statement] })
    }

    private func cluster() throws -> ResultSet {
        try result(
            ["cluster", "partitioner", "snitch"],
            [[SystemSchema.clusterName, "Murmur3Partitioner", "SimpleSnitch"]])
    }

    private func result(_ names: [String], _ rows: [[String]]) throws -> ResultSet {
        let table = TableIdentifier(keyspace: "system", name: "describe")
        var builder = RowBuilder(columns: names.map { ResultColumn(name: $0, type: .text, table: table) })
        for row in rows {
            for value in row { try builder.append(.text(value), .text) }
            try builder.endRow()
        }
        return ResultSet(builder.storage())
    }
}

extension UserTypes {
    /// Types behind those they are made of.
    fileprivate var ordered: [UserType] {
        var rest = types.values.sorted { $0.name < $1.name }
        var ordered: [UserType] = []
        while !rest.isEmpty {
            let names = Set(ordered.map(\.name))
            let ready = rest.filter { $0.references.isSubset(of: names) }
            guard !ready.isEmpty else { return ordered + rest }
            ordered += ready
            rest.removeAll { type in ready.contains { $0.name == type.name } }
        }
        return ordered
    }
}
