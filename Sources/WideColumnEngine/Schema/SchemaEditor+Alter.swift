// SchemaEditor+Alter.swift — ALTER TABLE and ALTER MATERIALIZED VIEW ([CA] AlterTableStatement, AlterViewStatement).

extension SchemaEditor {
    mutating func alter(_ statement: AlterTableStatement) throws -> SchemaChange? {
        guard let old = try existing(statement.table, statement.ifExists, "Table") else { return nil }
        guard old.view == nil else {
            throw CQLError.invalid(
                "Cannot use ALTER TABLE on a materialized view; use ALTER MATERIALIZED VIEW instead")
        }
        var table = old
        switch statement.change {
        case .add(let columns, let ifNotExists):
            for column in columns { try add(column, ifNotExists, to: &table) }
        case .drop(let names, let ifExists, let timestamp):
            for name in names { try drop(name, ifExists, timestamp ?? now.microseconds, from: &table) }
        case .rename(let changes, let ifExists):
            for change in changes { try rename(change, ifExists, in: &table) }
        case .with(let properties): try set(properties, &table)
        case .mask(let name, let mask, let ifExists): try setMask(name, mask, ifExists, of: &table)
        case .alterColumn: throw CQLError.invalid("Altering column types is no longer supported")
        case .dropCompactStorage: throw CQLError.invalid("Cannot DROP COMPACT STORAGE on table without COMPACT STORAGE")
        }
        definitions.tables[table.identifier] = table
        return SchemaChange(
            kind: .updated, target: .table, keyspace: table.identifier.keyspace, name: table.identifier.name)
    }

    // MARK: ADD

    private mutating func add(
        _ column: CreateTableStatement.Column, _ ifNotExists: Bool, to table: inout TableDefinition
    ) throws {
        guard !table.columns.contains(where: { $0.name == column.name }) else {
            if ifNotExists { return }
            throw CQLError.invalid("Column with name '\(column.name)' already exists")
        }
        try SchemaName.checkColumn(column.name)
        let type = try column.type.resolved(in: try schema.userTypes(in: table.identifier.keyspace))
        try Self.check(column, type, table)
        try TableDefinition.checkValue(type)
        try Self.checkReuse(column, type, table)
        let used = table.columns.map(\.id) + table.droppedColumns.map(\.id)
        guard let last = used.max(), last < .max else { throw CQLError.invalid("Too many columns") }
        let added = ColumnDefinition(
            name: column.name, type: type, kind: column.isStatic ? .static : .regular, id: last + 1)
        table.insert(added)
        if let mask = column.mask {
            try mask.check(column: column.name, type, try schema.userTypes(in: table.identifier.keyspace))
            table.masks[added.id] = mask
        }
        guard !column.isStatic else { return }
        // A view of all columns has the new ones too.
        for view in definitions.views(of: table.identifier) where view.view?.selectsAllColumns == true {
            definitions.tables[view.identifier]?.insert(added)
            definitions.tables[view.identifier]?.masks[added.id] = column.mask
        }
    }

    private static func check(
        _ column: CreateTableStatement.Column, _ type: CQLType, _ table: TableDefinition
    ) throws {
        if column.isStatic, table.clustering.isEmpty {
            throw CQLError.invalid(
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column")
        }
        if type == .counter, !table.isCounter {
            throw CQLError.invalid("Cannot have a counter column (\"\(column.name)\") in a non counter table")
        }
        if type != .counter, table.isCounter {
            throw CQLError.invalid("Cannot have a non counter column (\"\(column.name)\") in a counter table")
        }
    }

    /// A column of a name that was used before must be like the one that was dropped.
    private static func checkReuse(
        _ column: CreateTableStatement.Column, _ type: CQLType, _ table: TableDefinition
    ) throws {
        guard let dropped = table.droppedColumns.last(where: { $0.name == column.name }) else { return }
        guard (dropped.kind == .static) == column.isStatic else {
            throw CQLError.invalid(
                "Cannot re-add previously dropped column '\(column.name)' of kind \(column.isStatic ? "STATIC" : "REGULAR"), "
                    + "incompatible with previous kind \(dropped.kind == .static ? "STATIC" : "REGULAR")")
        }
        guard type != .counter else {
            throw CQLError.invalid("Cannot re-add previously dropped counter column \(column.name)")
        }
        guard type.withoutUserTypes.isSerializationCompatible(with: dropped.type) else {
            throw CQLError.invalid(
                "Cannot re-add previously dropped column '\(column.name)' of type \(type), "
                    + "incompatible with previous type \(dropped.type)")
        }
    }

    // MARK: DROP

    private mutating func drop(
        _ name: String, _ ifExists: Bool, _ timestamp: Int64, from table: inout TableDefinition
    ) throws {
        guard let column = table.columns.first(where: { $0.name == name }) else {
            if ifExists { return }
            throw CQLError.invalid("Column \(name) was not found in table '\(table.identifier)'")
        }
        guard !column.isPrimaryKey else { throw CQLError.invalid("Cannot drop PRIMARY KEY column \(name)") }
        let indexes = table.indexes.filter { $0.column == name }.map(\.name)
        guard indexes.isEmpty else {
            throw CQLError.invalid(
                "Cannot drop column \(name) because it has dependent secondary indexes (\(indexes.joined(separator: ", ")))"
            )
        }
        guard definitions.views(of: table.identifier).isEmpty else {
            throw CQLError.invalid(
                "Cannot drop column \(name) on base table \(table.identifier.name) with materialized views")
        }
        // A row that lived by this column alone is gone. The entries that an index of its key has stay: readers look at every
        // row that they are led to.
        table.staticColumns.removeAll { $0.name == name }
        table.regularColumns.removeAll { $0.name == name }
        table.masks[column.id] = nil
        table.droppedColumns.append(
            DroppedColumn(
                name: name, type: column.type.withoutUserTypes, kind: column.kind, id: column.id, timestamp: timestamp))
    }

    // MARK: ALTER … MASKED WITH

    private mutating func setMask(
        _ name: String, _ mask: ColumnMask?, _ ifExists: Bool, of table: inout TableDefinition
    ) throws {
        guard let column = table.columns.first(where: { $0.name == name }) else {
            if ifExists { return }
            throw CQLError.invalid("Column with name '\(name)' doesn't exist on table '\(table.identifier.name)'")
        }
        try mask?.check(column: name, column.type, try schema.userTypes(in: table.identifier.keyspace))
        table.masks[column.id] = mask
        for view in definitions.views(of: table.identifier) where view.columns.contains(where: { $0.id == column.id }) {
            definitions.tables[view.identifier]?.masks[column.id] = mask
        }
    }

    // MARK: RENAME

    private mutating func rename(_ change: NameChange, _ ifExists: Bool, in table: inout TableDefinition) throws {
        guard let column = table.columns.first(where: { $0.name == change.from }) else {
            if ifExists { return }
            throw CQLError.invalid("Column \(change.from) was not found in table '\(table.identifier)'")
        }
        guard column.isPrimaryKey else { throw CQLError.invalid("Cannot rename non PRIMARY KEY column \(change.from)") }
        guard !table.columns.contains(where: { $0.name == change.to }) else {
            throw CQLError.invalid(
                "Cannot rename column \(change.from) to \(change.to) in table '\(table.identifier)'; "
                    + "another column with that name already exists")
        }
        try SchemaName.checkColumn(change.to)
        let indexes = table.indexes.filter { $0.column == change.from }.map(\.name)
        guard indexes.isEmpty else {
            throw CQLError.invalid(
                "Can't rename column \(change.from) because it has dependent secondary indexes "
                    + "(\(indexes.joined(separator: ", ")))")
        }
        table.updateColumns { if $0.name == change.from { $0.name = change.to } }
        for view in definitions.views(of: table.identifier) {
            guard view.columns.contains(where: { $0.name == change.from }) else { continue }
            definitions.tables[view.identifier]?.updateColumns { if $0.name == change.from { $0.name = change.to } }
            let relations = try Parser.parseRelations(view.view?.whereText ?? "").map { $0.renaming(change) }
            definitions.tables[view.identifier]?.view?.whereText = try relations.whereText
        }
    }

    // MARK: WITH

    private func set(_ properties: [Property], _ table: inout TableDefinition) throws {
        let options = try table.options.changed(by: properties)
        if options.graceSeconds == 0, !definitions.views(of: table.identifier).isEmpty {
            throw CQLError.invalid(
                "Cannot alter gc_grace_seconds of the base table of a materialized view to 0, since this value is used to "
                    + "TTL undelivered updates. Setting gc_grace_seconds too low might cause undelivered updates to expire "
                    + "before being replayed.")
        }
        guard options.defaultTimeToLive == 0 || !table.isCounter else {
            throw CQLError.invalid("Cannot set default_time_to_live on a table with counters")
        }
        table.options = options
    }

    mutating func alterView(_ name: TableName, _ ifExists: Bool, _ properties: [Property]) throws -> SchemaChange? {
        guard var view = try existing(name, ifExists, "Materialized view") else { return nil }
        guard view.view != nil else {
            if ifExists { return nil }
            throw CQLError.invalid("Materialized view '\(view.identifier)' doesn't exist")
        }
        view.options = try view.options.changed(by: properties)
        try view.options.checkAsView()
        definitions.tables[view.identifier] = view
        return SchemaChange(
            kind: .updated, target: .table, keyspace: view.identifier.keyspace, name: view.identifier.name)
    }
}

extension TableDefinition {
    /// Adds a column that is no key, where its name belongs.
    fileprivate mutating func insert(_ column: ColumnDefinition) {
        if column.kind == .static {
            staticColumns = (staticColumns + [column]).sorted { $0.name < $1.name }
        } else {
            regularColumns = (regularColumns + [column]).sorted { $0.name < $1.name }
        }
    }
}

extension Relation {
    fileprivate func renaming(_ change: NameChange) -> Relation {
        var relation = self
        func renamed(_ name: String) -> String { name == change.from ? change.to : name }
        switch target {
        case .column(let name): relation.target = .column(renamed(name))
        case .columns(let names): relation.target = .columns(names.map(renamed))
        case .token, .element: break
        }
        return relation
    }
}
