// SchemaDescription.swift — schema elements as CREATE statements, as DESCRIBE shows them
// ([CA] schema/TableMetadata.java `toCqlString` and its siblings).

enum SchemaDescription {
    static func statement(_ keyspace: KeyspaceDefinition) -> String {
        if SystemSchema.isVirtual(keyspace.name) {
            let name = CQLName.quotedIfNeeded(keyspace.name)
            return unrepeatable("Keyspace \(name) is a virtual keyspace", "VIRTUAL KEYSPACE \(name);")
        }
        var options = keyspace.replication
        let name = options.removeValue(forKey: "class") ?? "SimpleStrategy"
        let entries =
            [("class", String(name.split(separator: ".").last ?? "SimpleStrategy"))]
            + options.sorted { $0.key < $1.key }
        let replication = entries.map { "\(CQLValue.quoted($0.0)): \(CQLValue.quoted($0.1))" }.joined(separator: ", ")
        return "CREATE KEYSPACE \(CQLName.quotedIfNeeded(keyspace.name)) WITH replication = {\(replication)}  "
            + "AND durable_writes = \(keyspace.durableWrites);"
    }

    /// The description of what no statement makes: a comment, so that a script of descriptions can be run.
    private static func unrepeatable(_ subject: String, _ structure: String) -> String {
        "/*\nWarning: \(subject) and cannot be recreated with CQL.\nStructure, for reference:\n\(structure)\n*/"
    }

    static func statement(_ type: UserType) -> String {
        let fields = type.fields.map { "    \(CQLName.quotedIfNeeded($0.name)) \($0.type)" }.joined(separator: ",\n")
        let name = "\(CQLName.quotedIfNeeded(type.keyspace)).\(CQLName.ofType(type.name))"
        return "CREATE TYPE \(name) (\n\(fields)\n);"
    }

    static func statement(_ index: IndexDefinition, of table: TableDefinition) -> String {
        "CREATE INDEX \(CQLName.quotedIfNeeded(index.name)) ON "
            + "\(qualified(table.identifier.keyspace, table.identifier.name)) (\(index.target(in: table)));"
    }

    /// - Parameter timeToLive: the default time to live of the table, or of the table that a view is made from, in seconds.
    static func statement(_ table: TableDefinition, withInternals: Bool, timeToLive: Int32) -> String {
        let name = qualified(table.identifier.keyspace, table.identifier.name)
        let isVirtual = SystemSchema.isVirtual(table.identifier.keyspace)
        let dropped = withInternals && table.view == nil ? table.lastDrops : []
        let head =
            table.view == nil
            ? "\(isVirtual ? "VIRTUAL" : "CREATE") TABLE \(name) (\n\(columns(table, dropped))\n)"
            : viewHead(table, name)
        var options: [String] = []
        if withInternals { options.append("ID = \(table.id)") }
        if !table.clustering.isEmpty {
            let order = table.clustering
                .map { "\(CQLName.quotedIfNeeded($0.name)) \($0.isDescending ? "DESC" : "ASC")" }
                .joined(separator: ", ")
            options.append("CLUSTERING ORDER BY (\(order))")
        }
        options +=
            isVirtual
            ? ["comment = \(CQLValue.quoted(table.options.comment))"]
            : table.options.describedOptions(ofView: table.view != nil, timeToLive: timeToLive)
        let create = "\(head) WITH \(options.joined(separator: "\n    AND "));"
        if isVirtual { return unrepeatable("Table \(name) is a virtual table", create) }
        return ([create] + dropped.flatMap { statements($0, table, name) }).joined(separator: "\n")
    }

    /// What makes a column a dropped one, and what adds the one that has its name since.
    private static func statements(_ dropped: DroppedColumn, _ table: TableDefinition, _ name: String) -> [String] {
        let drop =
            "ALTER TABLE \(name) DROP \(CQLName.quotedIfNeeded(dropped.name)) USING TIMESTAMP \(dropped.timestamp);"
        guard let column = table.columns.first(where: { $0.name == dropped.name }) else { return [drop] }
        return [drop, "ALTER TABLE \(name) ADD \(text(column, table));"]
    }

    private static func text(_ column: ColumnDefinition, _ table: TableDefinition) -> String {
        let mask = table.masks[column.id].map { " MASKED WITH \($0.cql)" } ?? ""
        return "\(CQLName.quotedIfNeeded(column.name)) \(column.type)\(column.kind == .static ? " static" : "")\(mask)"
    }

    /// - Parameter dropped: in the place of columns that have their names since ([CA] schema/TableMetadata.java,
    ///   `appendColumnDefinitions`).
    private static func columns(_ table: TableDefinition, _ dropped: [DroppedColumn]) -> String {
        let isSimple = table.partitionKey.count == 1 && table.clustering.isEmpty
        let names = Set(dropped.map(\.name))
        var lines = table.columns.filter { !names.contains($0.name) }.map { column in
            "    \(text(column, table))\(isSimple && column.kind == .partitionKey ? " PRIMARY KEY" : "")"
        }
        lines += dropped.map {
            "    \(CQLName.quotedIfNeeded($0.name)) \($0.type)\($0.kind == .static ? " static" : "")"
        }
        if !isSimple { lines.append("    \(primaryKey(table))") }
        return lines.joined(separator: ",\n")
    }

    private static func primaryKey(_ table: TableDefinition) -> String {
        let partition = table.partitionKey.map { CQLName.quotedIfNeeded($0.name) }
        let first = partition.count == 1 ? partition[0] : "(\(partition.joined(separator: ", ")))"
        let key = [first] + table.clustering.map { CQLName.quotedIfNeeded($0.name) }
        return "PRIMARY KEY (\(key.joined(separator: ", ")))"
    }

    private static func viewHead(_ table: TableDefinition, _ name: String) -> String {
        guard let view = table.view else { return "" }
        let selected =
            view.selectsAllColumns
            ? "*" : table.columns.map { CQLName.quotedIfNeeded($0.name) }.joined(separator: ", ")
        return """
            CREATE MATERIALIZED VIEW \(name) AS
                SELECT \(selected)
                FROM \(qualified(table.identifier.keyspace, view.source))
                WHERE \(view.whereText)
                \(primaryKey(table))

            """ + ""
    }

    static func qualified(_ keyspace: String, _ name: String) -> String {
        "\(CQLName.quotedIfNeeded(keyspace)).\(CQLName.quotedIfNeeded(name))"
    }
}

extension IndexDefinition {
    /// The target as CREATE INDEX writes it.
    func target(in table: TableDefinition) -> String {
        let name = CQLName.quotedIfNeeded(column)
        guard table.columns.first(where: { $0.name == column })?.type.isCollection == true else { return name }
        return "\(kind.cqlName)(\(name))"
    }
}
