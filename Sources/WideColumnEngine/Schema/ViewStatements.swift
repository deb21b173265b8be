// ViewStatements.swift — from CREATE MATERIALIZED VIEW to a definition, with Cassandra's refusals
// ([CA] cql3/statements/schema/CreateViewStatement.java).

extension TableDefinition {
    init(_ statement: CreateViewStatement, identifier: TableIdentifier, of base: Table, id: CQLUUID) throws {
        try SchemaName.check(identifier.name, "Materialized view")
        try Self.check(statement, base)
        let source = base.definition
        let key = statement.primaryKey
        let keyNames = key.partitionKey + key.clustering
        try Self.check(key: keyNames, view: identifier.name, source)
        let selected = try Self.selectedColumns(statement, source)
        try Self.check(statement.relations, base: base, keyNames: keyNames)
        let directions = try Self.directions(statement.clusteringOrder, of: key.clustering)
        func keyColumn(_ name: String, _ kind: ColumnDefinition.Kind) throws -> ColumnDefinition {
            var column = try base.requiredColumn(name)
            column.kind = kind
            // What the view does not say is as the table has it.
            column.isDescending = kind == .clustering && directions[name] ?? column.isDescending
            return column
        }
        self.identifier = identifier
        self.id = try statement.properties.tableID ?? id
        partitionKey = try key.partitionKey.map { try keyColumn($0, .partitionKey) }
        clustering = try key.clustering.map { try keyColumn($0, .clustering) }
        staticColumns = []
        regularColumns = source.regularColumns.filter { selected.contains($0.name) && !keyNames.contains($0.name) }
        options = try Self.viewOptions(statement, source)
        view = ViewClause(
            source: source.identifier.name, selectsAllColumns: statement.selectors.isEmpty,
            whereText: try statement.relations.whereText, isBuilt: false)
        let ids = Set(columns.map(\.id))
        masks = source.masks.filter { ids.contains($0.key) }
    }

    private static func check(_ statement: CreateViewStatement, _ base: Table) throws {
        guard !statement.hasMarkers else {
            throw CQLError.invalid("Bind variables are not allowed in CREATE MATERIALIZED VIEW statements")
        }
        guard !base.isView else {
            throw CQLError.invalid("Materialized views cannot be created against other materialized views")
        }
        guard !base.definition.isCounter else {
            throw CQLError.invalid("Materialized views are not supported on counter tables")
        }
        guard base.definition.options.graceSeconds > 0 else {
            throw CQLError.invalid(
                "Cannot create materialized view '\(statement.view.name)' for base table '\(base.definition.identifier.name)' "
                    + "with gc_grace_seconds of 0, since this value is used to TTL undelivered updates. Setting "
                    + "gc_grace_seconds too low might cause undelivered updates to expire before being replayed.")
        }
    }

    private static func check(key: [String], view: String, _ source: TableDefinition) throws {
        var seen: Set<String> = []
        var extra: [String] = []
        for name in key {
            guard let column = source.columns.first(where: { $0.name == name }) else {
                throw CQLError.invalid(
                    "Unknown column '\(name)' referenced in PRIMARY KEY for materialized view '\(view)'")
            }
            guard seen.insert(name).inserted else {
                throw CQLError.invalid(
                    "Duplicate column '\(name)' in PRIMARY KEY clause for materialized view '\(view)'")
            }
            guard column.kind != .static else {
                throw CQLError.invalid("Cannot include static column '\(name)' in materialized view '\(view)'")
            }
            if !column.isPrimaryKey {
                guard !column.type.isMultiCell else {
                    throw CQLError.invalid(
                        "Cannot use MultiCell column '\(name)' in PRIMARY KEY of materialized view")
                }
                guard !column.type.contains({ $0 == .duration }) else {
                    throw CQLError.invalid("duration type is not supported for PRIMARY KEY column '\(name)'")
                }
                extra.append(name)
            }
        }
        guard extra.count <= 1 else {
            throw CQLError.invalid(
                "Cannot include more than one non-primary key column in materialized view primary key "
                    + "(got \(extra.joined(separator: ", ")))")
        }
        let missing = (source.partitionKey + source.clustering).map(\.name).filter { !seen.contains($0) }
        guard missing.isEmpty else {
            throw CQLError.invalid(
                "Cannot create materialized view '\(view)' without primary key columns "
                    + "\(missing.joined(separator: ", ")) from base table '\(source.identifier.name)'")
        }
    }

    /// The names of the selected columns.
    private static func selectedColumns(
        _ statement: CreateViewStatement, _ source: TableDefinition
    ) throws -> Set<String> {
        let view = statement.view.name
        guard !statement.selectors.isEmpty else {
            guard source.staticColumns.isEmpty else {
                throw CQLError.invalid(
                    "Cannot include static column '\(source.staticColumns[0].name)' in materialized view '\(view)'")
            }
            return Set(source.columns.map(\.name))
        }
        var names: Set<String> = []
        for selector in statement.selectors {
            guard case .column(let name) = selector.expression else {
                throw CQLError.invalid("Can only select columns by name when defining a materialized view (got other)")
            }
            guard selector.alias == nil else {
                throw CQLError.invalid(
                    "Cannot use alias when defining a materialized view (got \(name) AS \(selector.alias ?? ""))")
            }
            guard let column = source.columns.first(where: { $0.name == name }) else {
                throw CQLError.invalid("Undefined column name \(name) in table \(source.identifier)")
            }
            guard column.kind != .static else {
                throw CQLError.invalid("Cannot include static column '\(name)' in materialized view '\(view)'")
            }
            names.insert(name)
        }
        return names
    }

    private static func check(_ relations: [Relation], base: Table, keyNames: [String]) throws {
        var restricted: Set<String> = []
        for relation in relations {
            switch relation.target {
            case .token: throw CQLError.invalid("Cannot use token relation when defining a materialized view")
            case .element(let name, _): throw isRestrictedIllegally(name)
            case .columns(let names): restricted.formUnion(names)
            case .column(let name):
                let column = try base.requiredColumn(name)
                guard column.kind != .static, column.isPrimaryKey || relation.comparison == .isNotNull else {
                    throw isRestrictedIllegally(name)
                }
                restricted.insert(name)
            }
        }
        try checkTogether(relations.filter { $0.comparison != .isNotNull || $0.target.columns.count > 1 }, base)
        let missing = keyNames.filter { !restricted.contains($0) }
        guard missing.isEmpty else {
            throw CQLError.invalid(
                "Primary key columns \(missing.joined(separator: ", ")) must be restricted with 'IS NOT NULL' or otherwise"
            )
        }
    }

    private static func isRestrictedIllegally(_ name: String) -> CQLError {
        .invalid(
            "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: \(name) restricted illegally)")
    }

    /// Refuses relations that a SELECT could not have together.
    private static func checkTogether(_ relations: [Relation], _ base: Table) throws {
        var binder = TermBinder([], scope: UserTypes(keyspace: base.identifier.keyspace))
        _ = try RelationCollector(relations, table: base, binder: &binder)
    }

    private static func viewOptions(_ statement: CreateViewStatement, _ source: TableDefinition) throws -> TableOptions
    {
        let options = try TableOptions(statement.properties.withoutID)
        try options.checkAsView()
        return options
    }
}

extension TableOptions {
    /// What a view may not have.
    func checkAsView() throws {
        guard defaultTimeToLive == 0 else {
            throw CQLError.invalid(
                "Cannot set default_time_to_live for a materialized view. "
                    + "Data in a materialized view always expire at the same time than the corresponding data in the parent table."
            )
        }
        guard graceSeconds > 0 else {
            throw CQLError.invalid(
                "gc_grace_seconds of a materialized view cannot be 0, since this value is used to TTL undelivered updates. "
                    + "Setting gc_grace_seconds too low might cause undelivered updates to expire before being replayed."
            )
        }
    }
}

extension [Relation] {
    /// The conditions of a view as its definition keeps them.
    var whereText: String {
        get throws { try map { try $0.cql() }.joined(separator: " AND ") }
    }
}

extension Relation {
    /// The relation as CQL text; only what views may hold.
    fileprivate func cql() throws -> String {
        let quoted: String
        switch target {
        case .column(let name): quoted = CQLName.quotedIfNeeded(name)
        case .columns(let names): quoted = "(\(names.map(CQLName.quotedIfNeeded).joined(separator: ", ")))"
        case .token, .element: throw CQLError.invalid("Unsupported relation")
        }
        switch comparison {
        case .isNotNull: return "\(quoted) IS NOT NULL"
        case .in: return "\(quoted) IN (\(terms.map(\.description).joined(separator: ", ")))"
        case .contains, .containsKey, .notEqual: throw CQLError.invalid("Unsupported \(comparison.rawValue) relation")
        default: return "\(quoted) \(comparison.rawValue) \(terms.map(\.description).joined())"
        }
    }
}
