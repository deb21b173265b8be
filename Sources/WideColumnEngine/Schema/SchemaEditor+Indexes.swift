// SchemaEditor+Indexes.swift — CREATE and DROP INDEX ([CA] CreateIndexStatement, DropIndexStatement).

extension SchemaEditor {
    mutating func create(_ statement: CreateIndexStatement) throws -> SchemaChange? {
        let identifier = try identifier(of: statement.table)
        guard var table = definitions.tables[identifier] else {
            throw CQLError.invalid("Table '\(identifier)' doesn't exist")
        }
        guard !table.isCounter else {
            throw CQLError.invalid("Secondary indexes on counter tables aren't supported")
        }
        guard table.view == nil else {
            throw CQLError.invalid("Secondary indexes on materialized views aren't supported")
        }
        guard !statement.isCustom || statement.className != nil else {
            throw CQLError.invalid("CUSTOM index requires specifying the index class")
        }
        guard statement.isCustom || statement.options.isEmpty else {
            throw CQLError.invalid("Cannot specify options for a non-CUSTOM index")
        }
        if let className = statement.className, !Self.indexClasses.contains(className.lowercased()) {
            throw CQLError.invalid("Unable to find custom indexer class '\(className)'")
        }
        if let name = statement.name {
            try SchemaName.check(name, "Index")
            if definitions.tables(in: identifier.keyspace).contains(where: { $0.indexes.contains { $0.name == name } })
            {
                if statement.ifNotExists { return nil }
                throw CQLError.invalid("Index '\(name)' already exists")
            }
        }
        guard statement.targets.count <= 1 else {
            throw CQLError.invalid("Only CUSTOM indexes support multiple columns")
        }
        guard let target = statement.targets.first else {
            throw CQLError.invalid("Only CUSTOM indexes can be created without specifying a target column")
        }
        let index = try Self.index(target, table, statement.name ?? unusedName(target, table))
        if let equal = table.indexes.first(where: { $0.column == index.column && $0.kind == index.kind }) {
            if statement.ifNotExists { return nil }
            throw CQLError.invalid("Index \(index.name) is a duplicate of existing index \(equal.name)")
        }
        table.indexes = (table.indexes + [index]).sorted { $0.name < $1.name }
        definitions.tables[identifier] = table
        return SchemaChange(kind: .updated, target: .table, keyspace: identifier.keyspace, name: identifier.name)
    }

    private static let indexClasses: Set<String> = [
        "legacy_local_table", "org.apache.cassandra.index.internal.composites.compositesindex",
    ]

    private func unusedName(_ target: CreateIndexStatement.Target, _ table: TableDefinition) -> String {
        let taken = Set(definitions.tables(in: table.identifier.keyspace).flatMap { $0.indexes.map(\.name) })
        let word = String(
            decoding: target.column.utf8.filter {
                $0 == 95 || (48...57).contains($0) || (65...90).contains($0 & ~0x20)
            },
            as: UTF8.self)
        let base = "\(table.identifier.name)_\(word)_idx"
        var name = base
        var number = 1
        while taken.contains(name) {
            name = "\(base)_\(number)"
            number += 1
        }
        return name
    }

    private static func index(
        _ target: CreateIndexStatement.Target, _ table: TableDefinition, _ name: String
    ) throws -> IndexDefinition {
        guard let column = table.columns.first(where: { $0.name == target.column }) else {
            throw CQLError.invalid("Column '\(target.column)' doesn't exist")
        }
        if column.kind == .partitionKey, table.partitionKey.count == 1 {
            throw CQLError.invalid("Cannot create secondary index on the only partition key column \(column.name)")
        }
        if column.type.contains({ $0 == .duration }) {
            let message =
                column.type == .duration
                ? "Secondary indexes are not supported on duration columns"
                : "Secondary indexes are not supported on collections containing durations"
            throw CQLError.invalid(message)
        }
        return IndexDefinition(
            name: name, column: column.name, kind: try kind(target.kind, column), isBuilt: false)
    }

    private static func kind(
        _ written: IndexDefinition.Kind?, _ column: ColumnDefinition
    ) throws -> IndexDefinition.Kind {
        if case .userType = column.type {
            throw CQLError.invalid("Cannot create index on non-frozen UDT column \(column.name)")
        }
        guard column.type.isCollection else {
            guard written == nil || written == .values else {
                throw CQLError.invalid(
                    "Cannot create \(written?.cqlName ?? "")() index on \(column.name). "
                        + "Non-collection columns only support simple indexes")
            }
            return .values
        }
        guard column.isMultiCell else {
            guard written == .full else {
                throw CQLError.invalid(
                    "Cannot create \(written?.cqlName ?? "values")() index on frozen column \(column.name). "
                        + "Frozen collections are immutable and must be fully indexed by using the "
                        + "'full(\(column.name))' modifier")
            }
            return .full
        }
        switch written {
        case .full: throw CQLError.invalid("full() indexes can only be created on frozen collections")
        case .keys, .entries:
            guard case .map = column.type else {
                throw CQLError.invalid(
                    "Cannot create index on \(written?.cqlName ?? "") of column \(column.name) with non-map type")
            }
            return written ?? .values
        case .values, nil: return .values
        }
    }

    mutating func dropIndex(_ name: TableName, _ ifExists: Bool) throws -> SchemaChange? {
        guard let keyspace = name.keyspace ?? currentKeyspace else {
            throw CQLError.invalid(
                "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename")
        }
        let table = definitions.tables(in: keyspace).first { $0.indexes.contains { $0.name == name.name } }
        guard let table else {
            if ifExists { return nil }
            throw CQLError.invalid("Index '\(keyspace).\(name.name)' doesn't exist")
        }
        definitions.tables[table.identifier]?.indexes.removeAll { $0.name == name.name }
        return SchemaChange(
            kind: .updated, target: .table, keyspace: keyspace, name: table.identifier.name)
    }
}
