// SchemaEditor+Types.swift — CREATE, ALTER and DROP TYPE ([CA] cql3/statements/schema: CreateTypeStatement,
// AlterTypeStatement, DropTypeStatement).

extension SchemaEditor {
    mutating func create(_ statement: CreateTypeStatement) throws -> SchemaChange? {
        let identifier = try identifier(of: statement.type)
        try SchemaName.check(identifier.name, "Type")
        guard definitions.types[identifier.keyspace]?[identifier.name] == nil else {
            if statement.ifNotExists { return nil }
            throw CQLError.invalid("A user type with name '\(identifier.name)' already exists")
        }
        guard statement.fields.count <= Int(Int16.max) else { throw CQLError.invalid("Too many fields") }
        var names: Set<String> = []
        for field in statement.fields {
            guard names.insert(field.name).inserted else {
                throw CQLError.invalid("Duplicate field name '\(field.name)' in type '\(identifier.name)'")
            }
        }
        let scope = try schema.userTypes(in: identifier.keyspace)
        let fields = try statement.fields.map { try Self.resolved($0, scope) }
        try replace(UserType(keyspace: identifier.keyspace, name: identifier.name, fields: fields))
        return change(.created, identifier)
    }

    private static func resolved(_ field: UserType.Field, _ scope: UserTypes) throws -> UserType.Field {
        try SchemaName.checkColumn(field.name)
        let type = try field.type.resolved(in: scope)
        guard type != .counter else { throw CQLError.invalid("A user type cannot contain counters") }
        if case .userType = type { throw CQLError.invalid("A user type cannot contain non-frozen UDTs") }
        return UserType.Field(name: field.name, type: type)
    }

    mutating func alter(_ statement: AlterTypeStatement) throws -> SchemaChange? {
        let identifier = try identifier(of: statement.type)
        guard var type = definitions.types[identifier.keyspace]?[identifier.name] else {
            if statement.ifExists { return nil }
            throw CQLError.invalid("Type \(identifier) doesn't exist")
        }
        switch statement.change {
        case .alterField: throw CQLError.invalid("Altering field types is no longer supported")
        case .add(let field, let ifNotExists):
            guard type.index(of: field.name) == nil else {
                if ifNotExists { return nil }
                throw CQLError.invalid(
                    "Cannot add field \(field.name) to type \(identifier): a field with name \(field.name) already exists"
                )
            }
            guard !reaches(field.type.references, identifier) else {
                throw CQLError.invalid(
                    "Cannot add new field \(field.name) of type \(field.type) to user type \(identifier) "
                        + "as it would create a circular reference")
            }
            // The bytes of a key, and its token with them, would be others.
            let keyed = definitions.tables(in: identifier.keyspace).filter { table in
                table.partitionKey.contains { reaches($0.type.references, identifier) }
            }
            guard keyed.isEmpty else {
                throw CQLError.invalid(
                    "Cannot add new field \(field.name) of type \(field.type) to user type \(identifier) as the type is being "
                        + "used in partition key by the following tables: "
                        + keyed.map(\.identifier.description).joined(separator: ", "))
            }
            type.fields.append(try Self.resolved(field, try schema.userTypes(in: identifier.keyspace)))
            // Columns that have the type without being frozen keep each field in a cell of its own.
            for column in definitions.tables(in: identifier.keyspace).flatMap(\.columns) {
                guard case .userType(let user) = column.type, user.name == type.name else { continue }
                try TableDefinition.checkValue(.userType(type))
            }
        case .rename(let changes, let ifFieldExists):
            let old = type
            try Self.rename(&type, changes, ifFieldExists)
            try renameInMasks(old, type)
            try renameInViews(old, type)
        }
        try replace(type)
        return change(.updated, identifier)
    }

    /// Refuses a type by which it, or anything that is made of it, would become too large.
    private mutating func replace(_ type: UserType) throws {
        var types = definitions.types[type.keyspace, default: [:]]
        types[type.name] = type
        try UserTypes(keyspace: type.keyspace, definitions: Array(types.values))
            .check(columns: definitions.tables(in: type.keyspace).lazy.flatMap(\.columns).map(\.type))
        definitions.types[type.keyspace] = types
    }

    /// Whether the types of these names are made of the type, or are it.
    private func reaches(_ names: Set<String>, _ type: TableIdentifier) -> Bool {
        names.contains { name in
            name == type.name
                || definitions.types[type.keyspace]?[name].map { reaches($0.references, type) } ?? false
        }
    }

    private static func rename(_ type: inout UserType, _ changes: [NameChange], _ ifExists: Bool) throws {
        // All at once, so that two fields may change places.
        let original = type
        for change in changes {
            guard let index = original.index(of: change.from) else {
                if ifExists { continue }
                throw CQLError.invalid("Unknown field \(change.from) in user type \(type.keyspace).\(type.name)")
            }
            try SchemaName.checkColumn(change.to)
            type.fields[index].name = change.to
        }
        for field in type.fields where type.fields.filter({ $0.name == field.name }).count > 1 {
            throw CQLError.invalid("Duplicate field name \(field.name) in type \(type.keyspace).\(type.name)")
        }
    }

    /// Masks name fields where they have values of the type.
    private mutating func renameInMasks(_ old: UserType, _ new: UserType) throws {
        for table in definitions.tables(in: old.keyspace) {
            for column in table.columns {
                guard let mask = table.masks[column.id] else { continue }
                definitions.tables[table.identifier]?.masks[column.id] = try mask.renamingFields(
                    of: old, as: new, column.type)
            }
        }
    }

    /// The conditions of views may have literals of the type.
    private mutating func renameInViews(_ old: UserType, _ new: UserType) throws {
        for table in definitions.tables(in: old.keyspace) {
            guard let view = table.view else { continue }
            let relations = try Parser.parseRelations(view.whereText).map {
                $0.renamingFields(of: old, as: new, table.columns)
            }
            definitions.tables[table.identifier]?.view?.whereText = try relations.whereText
        }
    }

    mutating func dropType(_ name: TableName, _ ifExists: Bool) throws -> SchemaChange? {
        if ifExists, let keyspace = name.keyspace ?? currentKeyspace, definitions.keyspaces[keyspace] == nil {
            return nil
        }
        let identifier = try identifier(of: name)
        guard definitions.types[identifier.keyspace]?[identifier.name] != nil else {
            if ifExists { return nil }
            throw CQLError.invalid("Type '\(identifier)' doesn't exist")
        }
        let users = (definitions.types[identifier.keyspace] ?? [:]).values
            .filter { $0.references.contains(identifier.name) }.map(\.name).sorted()
        guard users.isEmpty else {
            throw CQLError.invalid(
                "Cannot drop user type '\(identifier)' as it is still used by user types \(users.joined(separator: ", "))"
            )
        }
        let tables = definitions.tables(in: identifier.keyspace)
            .filter { $0.columns.contains { $0.type.references.contains(identifier.name) } }.map(\.identifier.name)
        guard tables.isEmpty else {
            throw CQLError.invalid(
                "Cannot drop user type '\(identifier)' as it is still used by tables \(tables.joined(separator: ", "))")
        }
        definitions.types[identifier.keyspace]?[identifier.name] = nil
        return change(.dropped, identifier)
    }

    private func change(_ kind: SchemaChange.Kind, _ identifier: TableIdentifier) -> SchemaChange {
        SchemaChange(kind: kind, target: .type, keyspace: identifier.keyspace, name: identifier.name)
    }
}
