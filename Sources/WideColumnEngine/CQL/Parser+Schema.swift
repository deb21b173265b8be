// Parser+Schema.swift — USE, CREATE, DROP, TRUNCATE, and the names of types.

extension Parser {
    mutating func use() throws -> Statement {
        try expect("use")
        return .use(keyspace: try identifier())
    }

    mutating func create() throws -> Statement {
        try expect("create")
        if take("keyspace") || take("schema") { return .createKeyspace(try createKeyspace()) }
        if take("table") || take("columnfamily") { return .createTable(try createTable()) }
        if take("materialized") {
            try expect("view")
            return .createView(try createView())
        }
        if take("type") { return .createType(try createType()) }
        if isAt("index") || isAt("custom") { return .createIndex(try createIndex()) }
        try refuse(["function", "aggregate", "trigger", "role", "user", "or"], after: "CREATE")
        throw noViableAlternative()
    }

    mutating func drop() throws -> Statement {
        try expect("drop")
        if take("keyspace") || take("schema") {
            let ifExists = try ifExists()
            return .dropKeyspace(name: try identifier(), ifExists: ifExists)
        }
        if take("table") || take("columnfamily") {
            let ifExists = try ifExists()
            return .dropTable(try tableName(), ifExists: ifExists)
        }
        if take("materialized") {
            try expect("view")
            let ifExists = try ifExists()
            return .dropView(try tableName(), ifExists: ifExists)
        }
        if take("type") {
            let ifExists = try ifExists()
            return .dropType(try tableName(), ifExists: ifExists)
        }
        if take("index") {
            let ifExists = try ifExists()
            return .dropIndex(try tableName(), ifExists: ifExists)
        }
        try refuse(["function", "aggregate", "trigger", "role", "user"], after: "DROP")
        throw noViableAlternative()
    }

    mutating func truncate() throws -> Statement {
        try expect("truncate")
        if !take("table") { _ = take("columnfamily") }
        return .truncate(try tableName())
    }

    /// Statements of CQL that are not offered say so, instead of posing as typing errors.
    func refuse(_ words: [String], after verb: String) throws {
        for word in words where isAt(word) {
            throw CQLError.invalid("\(verb) \(word.uppercased()) statements are not supported")
        }
    }

    // MARK: Keyspaces and tables

    private mutating func createKeyspace() throws -> CreateKeyspaceStatement {
        let ifNotExists = try ifNotExists()
        let name = try identifier()
        try expect("with")
        return CreateKeyspaceStatement(name: name, ifNotExists: ifNotExists, properties: try properties())
    }

    private mutating func createTable() throws -> CreateTableStatement {
        let ifNotExists = try ifNotExists()
        var statement = CreateTableStatement(table: try tableName(), ifNotExists: ifNotExists)
        try expect(.leftParenthesis)
        repeat {
            if isAt("primary"), isAt("key", 1) {
                try expect("primary", "key")
                statement.primaryKeys.append(try primaryKey())
            } else {
                try columnDefinition(into: &statement)
            }
        } while takeSeparators()
        try expect(.rightParenthesis)
        if take("with") {
            try tableProperties(order: &statement.clusteringOrder, properties: &statement.properties)
        }
        return statement
    }

    /// Takes the commas after a column or field: as many as there are; false where none comes, or nothing after them.
    mutating func takeSeparators() -> Bool {
        guard take(.comma) else { return false }
        while take(.comma) {}
        return !isAt(.rightParenthesis)
    }

    private mutating func columnDefinition(into statement: inout CreateTableStatement) throws {
        let name = try identifier()
        let type = try columnType()
        let isStatic = take("static")
        let mask = try columnMask()
        statement.columns.append(CreateTableStatement.Column(name: name, type: type, isStatic: isStatic, mask: mask))
        if take("primary", "key") {
            statement.primaryKeys.append(PrimaryKeyClause(partitionKey: [name], clustering: []))
        }
    }

    /// `MASKED WITH f(…)` or `MASKED WITH DEFAULT`, if that comes.
    mutating func columnMask() throws -> ColumnMask? {
        guard take("masked", "with") else { return nil }
        return take("default") ? ColumnMask(function: "mask_default", arguments: []) : try mask()
    }

    /// A masking function with its arguments.
    mutating func mask() throws -> ColumnMask {
        if let name = takeQualifiedFunction() {
            return ColumnMask(function: name, arguments: try terms(until: .rightParenthesis))
        }
        let name = try identifier()
        try expect(.leftParenthesis)
        return ColumnMask(function: name, arguments: try terms(until: .rightParenthesis))
    }

    /// `(a, b)` or `((a, b), c)`.
    private mutating func primaryKey() throws -> PrimaryKeyClause {
        try expect(.leftParenthesis)
        var key = PrimaryKeyClause(partitionKey: [], clustering: [])
        if take(.leftParenthesis) {
            key.partitionKey = try identifiers()
            try expect(.rightParenthesis)
        } else {
            key.partitionKey = [try identifier()]
        }
        while take(.comma) { key.clustering.append(try identifier()) }
        try expect(.rightParenthesis)
        return key
    }

    // MARK: Views

    private mutating func createView() throws -> CreateViewStatement {
        let ifNotExists = try ifNotExists()
        let view = try tableName()
        try expect("as", "select")
        let selectors = try self.selectors()
        try expect("from")
        let source = try tableName()
        let relations = take("where") ? try self.relations() : []
        try expect("primary", "key")
        var statement = CreateViewStatement(
            view: view, ifNotExists: ifNotExists, selectors: selectors, source: source, relations: relations,
            primaryKey: try primaryKey())
        if take("with") {
            try tableProperties(order: &statement.clusteringOrder, properties: &statement.properties)
        }
        statement.hasMarkers = !markers.isEmpty
        return statement
    }

    // MARK: WITH

    private mutating func tableProperties(
        order: inout [ClusteringOrderClause], properties: inout [Property]
    ) throws {
        repeat {
            if take("clustering") {
                try expect("order", "by")
                try expect(.leftParenthesis)
                order += try commaSeparated { try $0.clusteringOrder() }
                try expect(.rightParenthesis)
            } else if take("compact") {
                try expect("storage")
                throw CQLError.invalid("COMPACT STORAGE tables are not allowed starting with version 4.0")
            } else {
                properties.append(try property())
            }
        } while take("and")
    }

    private mutating func clusteringOrder() throws -> ClusteringOrderClause {
        let column = try identifier()
        if take("desc") { return ClusteringOrderClause(column: column, isDescending: true) }
        try expect("asc")
        return ClusteringOrderClause(column: column, isDescending: false)
    }

    mutating func properties() throws -> [Property] {
        var properties: [Property] = []
        repeat { properties.append(try property()) } while take("and")
        return properties
    }

    mutating func property() throws -> Property {
        let name = try identifier()
        try expect(.equal)
        guard take(.leftBrace) else { return Property(name: name, value: .scalar(try propertyScalar())) }
        var map: [String: String] = [:]
        if !isAt(.rightBrace) {
            repeat {
                let key = try propertyScalar()
                try expect(.colon)
                map[key] = try propertyScalar()
            } while take(.comma)
        }
        try expect(.rightBrace)
        return Property(name: name, value: .map(map))
    }

    private mutating func propertyScalar() throws -> String {
        switch current.kind {
        case .symbol(.minus) where peek(1).kind == .name("nan") || peek(1).kind == .name("infinity"):
            advance()
            return "-" + (try propertyScalar())
        case .string(let text), .integer(let text), .float(let text), .name(let text), .duration(let text):
            advance()
            return text
        case .uuid(let uuid):
            advance()
            return uuid.description
        case .blob(let bytes):
            advance()
            return bytes.cqlHexadecimal
        default: throw noViableAlternative()
        }
    }
}
