// Parser+Alter.swift — ALTER, and the statements of types and indexes.

extension Parser {
    mutating func alter() throws -> Statement {
        try expect("alter")
        if take("keyspace") || take("schema") {
            let ifExists = try ifExists()
            let name = try identifier()
            try expect("with")
            return .alterKeyspace(name: name, ifExists: ifExists, properties: try properties())
        }
        if take("table") || take("columnfamily") { return .alterTable(try alterTable()) }
        if take("type") { return .alterType(try alterType()) }
        if take("materialized") {
            try expect("view")
            let ifExists = try ifExists()
            let name = try tableName()
            try expect("with")
            return .alterView(name, ifExists: ifExists, properties: try properties())
        }
        try refuse(["role", "user"], after: "ALTER")
        throw noViableAlternative()
    }

    // MARK: Tables

    private mutating func alterTable() throws -> AlterTableStatement {
        let ifExists = try ifExists()
        let table = try tableName()
        return AlterTableStatement(table: table, ifExists: ifExists, change: try tableChange())
    }

    private mutating func tableChange() throws -> AlterTableStatement.Change {
        if take("alter") {
            let ifExists = try ifExists()
            let column = try identifier()
            if let mask = try columnMask() { return .mask(column: column, mask, ifExists: ifExists) }
            if take("drop", "masked") { return .mask(column: column, nil, ifExists: ifExists) }
            try expect("type")
            _ = try columnType()
            return .alterColumn
        }
        if take("add") {
            let ifNotExists = try ifNotExists()
            return .add(try inOptionalParentheses { try $0.addedColumn() }, ifNotExists: ifNotExists)
        }
        if take("drop") {
            if take("compact", "storage") { return .dropCompactStorage }
            let ifExists = try ifExists()
            let columns = try inOptionalParentheses { try $0.identifier() }
            var timestamp: Int64?
            if take("using") {
                try expect("timestamp")
                guard case .integer(let digits) = current.kind, let value = Int64(digits) else {
                    throw noViableAlternative()
                }
                advance()
                timestamp = value
            }
            return .drop(columns, ifExists: ifExists, timestamp: timestamp)
        }
        if take("rename") {
            let ifExists = try ifExists()
            return .rename(try nameChanges(), ifExists: ifExists)
        }
        try expect("with")
        return .with(try properties())
    }

    private mutating func addedColumn() throws -> CreateTableStatement.Column {
        let name = try identifier()
        let type = try columnType()
        let isStatic = take("static")
        return CreateTableStatement.Column(name: name, type: type, isStatic: isStatic, mask: try columnMask())
    }

    /// `a, b` or `(a, b)`.
    private mutating func inOptionalParentheses<Item>(_ item: (inout Parser) throws -> Item) throws -> [Item] {
        guard take(.leftParenthesis) else { return try commaSeparated(item) }
        let items = try commaSeparated(item)
        try expect(.rightParenthesis)
        return items
    }

    private mutating func nameChanges() throws -> [NameChange] {
        var changes: [NameChange] = []
        repeat {
            let from = try identifier()
            try expect("to")
            changes.append(NameChange(from: from, to: try identifier()))
        } while take("and")
        return changes
    }

    // MARK: Types

    mutating func createType() throws -> CreateTypeStatement {
        let ifNotExists = try ifNotExists()
        let name = try newTypeName()
        try expect(.leftParenthesis)
        var fields = [try field()]
        while takeSeparators() { fields.append(try field()) }
        try expect(.rightParenthesis)
        return CreateTypeStatement(type: name, ifNotExists: ifNotExists, fields: fields)
    }

    /// Names that Cassandra keeps for types to come.
    static let reservedTypeNames: Set<String> = [
        "byte", "complex", "enum", "interval", "macaddr", "bitstring",
    ]

    /// A name that is not that of a native type, unless it is quoted.
    private mutating func newTypeName() throws -> TableName {
        let isQualified = peek(1).kind == .symbol(.dot)
        if case .name(let name) = peek(isQualified ? 2 : 0).kind {
            guard CQLType(nativeName: name) == nil else {
                if isQualified { for _ in 0..<2 { advance() } }
                throw noViableAlternative()
            }
            guard !Self.reservedTypeNames.contains(name) else {
                throw CQLError.syntax("Invalid (reserved) user type name \(name)")
            }
        }
        return try tableName()
    }

    private mutating func field() throws -> UserType.Field {
        let name = try identifier()
        return UserType.Field(name: name, type: try columnType())
    }

    private mutating func alterType() throws -> AlterTypeStatement {
        let ifExists = try ifExists()
        let name = try tableName()
        if take("add") {
            let ifNotExists = try ifNotExists()
            return AlterTypeStatement(
                type: name, ifExists: ifExists, change: .add(field: try field(), ifNotExists: ifNotExists))
        }
        if take("rename") {
            let ifFieldExists = try self.ifExists()
            return AlterTypeStatement(
                type: name, ifExists: ifExists, change: .rename(try nameChanges(), ifExists: ifFieldExists))
        }
        try expect("alter")
        _ = try identifier()
        try expect("type")
        _ = try columnType()
        return AlterTypeStatement(type: name, ifExists: ifExists, change: .alterField)
    }

    // MARK: Indexes

    mutating func createIndex() throws -> CreateIndexStatement {
        let isCustom = take("custom")
        try expect("index")
        let ifNotExists = try ifNotExists()
        let name = isAt("on") ? nil : try identifier()
        try expect("on")
        let table = try tableName()
        try expect(.leftParenthesis)
        let targets = isAt(.rightParenthesis) ? [] : try commaSeparated { try $0.indexTarget() }
        try expect(.rightParenthesis)
        var statement = CreateIndexStatement(
            name: name, ifNotExists: ifNotExists, table: table, targets: targets, isCustom: isCustom)
        if take("using") {
            guard case .string(let className) = current.kind else { throw noViableAlternative() }
            advance()
            statement.className = className
        }
        if take("with") {
            for property in try properties() {
                guard property.name == "options", case .map(let options) = property.value else {
                    throw CQLError.syntax("Unknown property '\(property.name)'")
                }
                statement.options = options
            }
        }
        return statement
    }

    private mutating func indexTarget() throws -> CreateIndexStatement.Target {
        guard case .name(let word) = current.kind, let kind = IndexDefinition.Kind(cqlName: word),
            peek(1).kind == .symbol(.leftParenthesis)
        else { return CreateIndexStatement.Target(column: try identifier(), kind: nil) }
        advance()
        advance()
        let column = try identifier()
        try expect(.rightParenthesis)
        return CreateIndexStatement.Target(column: column, kind: kind)
    }

    // MARK: DESCRIBE

    mutating func describe() throws -> DescribeStatement {
        advance()
        var statement = DescribeStatement(target: try describeTarget())
        if take("with") {
            try expect("internals")
            statement.withInternals = true
        }
        return statement
    }

    private mutating func describeTarget() throws -> DescribeStatement.Target {
        if take("cluster") { return .cluster }
        if take("full") {
            try expect("schema")
            return .schema(isFull: true)
        }
        if take("schema") { return .schema(isFull: false) }
        if take("keyspaces") { return .keyspaces }
        if take("tables") { return .tables }
        if take("types") { return .types }
        if take("functions") { return .functions }
        if take("aggregates") { return .aggregates }
        if take("only") {
            try expect("keyspace")
            return .keyspace(isAtIdentifier ? try identifier() : nil, only: true)
        }
        if take("keyspace") { return .keyspace(isAtIdentifier ? try identifier() : nil, only: false) }
        if take("table") || take("columnfamily") { return .table(try tableName()) }
        if take("index") { return .index(try tableName()) }
        if take("type") { return .type(try tableName()) }
        if take("function") { return .function(try tableName()) }
        if take("aggregate") { return .aggregate(try tableName()) }
        if take("materialized") {
            try expect("view")
            return .view(try tableName())
        }
        return .any(try tableName())
    }

    private var isAtIdentifier: Bool {
        switch current.kind {
        case .name(let name): !ReservedWord.all.contains(name)
        case .quotedName: true
        default: false
        }
    }
}
