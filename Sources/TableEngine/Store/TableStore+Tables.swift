// TableStore+Tables.swift — creating, describing, changing and deleting tables.

public import StorageCore

/// What a table is created with.
public struct CreateTableRequest: Sendable, Hashable {
    public var name: String
    public var keySchema: KeySchema
    public var indexes: [SecondaryIndex]
    /// The view of the change stream; `nil` for none.
    public var streamViewType: StreamViewType?

    public init(
        name: String, keySchema: KeySchema, indexes: [SecondaryIndex] = [], streamViewType: StreamViewType? = nil
    ) {
        self.name = name
        self.keySchema = keySchema
        self.indexes = indexes
        self.streamViewType = streamViewType
    }

    public init(
        name: String, partitionKey: KeyAttribute, sortKey: KeyAttribute? = nil, indexes: [SecondaryIndex] = [],
        streamViewType: StreamViewType? = nil
    ) {
        self.init(
            name: name, keySchema: KeySchema(partitionKey: partitionKey, sortKey: sortKey), indexes: indexes,
            streamViewType: streamViewType)
    }
}

/// What a table is.
public struct TableDescription: Sendable, Hashable {
    public let name: String
    public let keySchema: KeySchema
    public let indexes: [SecondaryIndex]
    public let creation: StorageInstant
    /// The view of the stream, if it is on.
    public let streamViewType: StreamViewType?
    /// The name of the stream that is on, or was on last.
    public let latestStreamARN: String?
    public let timeToLiveAttribute: String?
}

extension TableStore {
    /// Creates a table; it is durable and ready for use on return.
    ///
    /// - Throws: `ResourceInUseException` if it exists; `ValidationException` for a name or key schema that the service
    ///   refuses.
    @discardableResult
    public func createTable(_ request: CreateTableRequest) throws -> TableDescription {
        try request.validate()
        return try changingTable(request.name) { try create(request) }
    }

    private func create(_ request: CreateTableRequest) throws -> TableDescription {
        guard existingTable(request.name) == nil else { throw TableError.tableExists(request.name) }
        let opened = try open(
            TableDefinition(
                name: request.name, keySchema: request.keySchema, indexes: request.indexes, creation: storage.clock.now)
        )
        return try storage.write(.synced) { transaction in
            var definition = opened.definition
            definition.creation = transaction.commitTime
            definition.stream = request.streamViewType.map {
                StreamDefinition(viewType: $0, start: transaction.sequence, creation: transaction.commitTime)
            }
            let table = opened.with(definition)
            // A crash may have left the contents of a deleted table of this name.
            try clear(table, in: transaction)
            try save(table, in: transaction)
            return table.description
        }
    }

    /// - Throws: `ResourceNotFoundException`.
    public func describeTable(_ name: String) throws -> TableDescription {
        guard let table = existingTable(name) else { throw TableError.tableNotFound(name) }
        return table.description
    }

    /// The names of the tables, in ascending order.
    public func listTables() -> [String] {
        openTables.map(\.name).sorted { $0.compareUTF8($1) < 0 }
    }

    /// Deletes a table with its items and its stream.
    ///
    /// - Throws: `ResourceNotFoundException`.
    @discardableResult
    public func deleteTable(_ name: String) throws -> TableDescription {
        try changingTable(name) {
            guard let table = existingTable(name) else { throw TableError.tableNotFound(name) }
            try storage.write(.synced) { transaction in
                try clear(table, in: transaction)
                try transaction.delete(catalog, Array(name.utf8).rawSpan)
                publish(nil, named: name, in: transaction)
            }
            // The table is gone; that its keyspaces are still there after a crash does no harm, since a table that is
            // made anew begins by clearing them.
            for keyspace in table.keyspaces { try storage.dropKeyspace(keyspace.name) }
            return table.description
        }
    }

    /// Turns a table's stream on with a view, or off with `nil`.
    ///
    /// The view of a stream never changes; a stream that is turned on again is another one.
    /// - Throws: `ResourceNotFoundException`; `ValidationException` if the stream is on, or off, already.
    @discardableResult
    public func updateTable(_ name: String, streamViewType: StreamViewType?) throws -> TableDescription {
        try change(name) { definition, transaction in
            if let streamViewType {
                guard definition.stream?.isEnabled != true else {
                    throw TableError.validation("Table already has an enabled stream: TableName: \(name)")
                }
                definition.stream = StreamDefinition(
                    viewType: streamViewType, start: transaction.sequence, creation: transaction.commitTime)
            } else {
                guard definition.stream?.isEnabled == true else {
                    throw TableError.validation("Table has no stream to disable: TableName: \(name)")
                }
                definition.stream?.end = transaction.sequence
            }
        }
    }

    /// Names the attribute by which items expire; `nil` turns expiry off. See ``deleteExpiredItems(in:limit:after:durability:)``.
    ///
    /// - Throws: `ResourceNotFoundException`; `ValidationException` if it is on, or off, already.
    @discardableResult
    public func updateTimeToLive(_ name: String, attribute: String?) throws -> TableDescription {
        try change(name) { definition, _ in
            guard (definition.timeToLiveAttribute == nil) != (attribute == nil) else {
                throw TableError.validation("TimeToLive is already \(attribute == nil ? "disabled" : "enabled")")
            }
            definition.timeToLiveAttribute = attribute
        }
    }

    private func change(
        _ name: String, _ body: (inout TableDefinition, WriteTransaction) throws -> Void
    ) throws -> TableDescription {
        try changingTable(name) {
            try storage.write(.synced) { transaction in
                guard let table = existingTable(name) else { throw TableError.tableNotFound(name) }
                var definition = table.definition
                try body(&definition, transaction)
                let changed = table.with(definition)
                try save(changed, in: transaction)
                return changed.description
            }
        }
    }

    private func save(_ table: Table, in transaction: WriteTransaction) throws {
        try transaction.put(catalog, Array(table.name.utf8).rawSpan, table.definition.encode().rawSpan)
        publish(table, named: table.name, in: transaction)
    }

    private func clear(_ table: Table, in transaction: WriteTransaction) throws {
        for keyspace in table.keyspaces { try transaction.deleteRange(keyspace, .all) }
        try transaction.delete(trimPoints, Array(table.name.utf8).rawSpan)
    }
}

extension Table {
    fileprivate var keyspaces: [Keyspace] { [keyspace, streamKeyspace] + indexes.map(\.keyspace) }

    var description: TableDescription {
        TableDescription(
            name: name, keySchema: schema, indexes: definition.indexes, creation: definition.creation,
            streamViewType: activeStream?.viewType,
            latestStreamARN: definition.stream.map { StreamName(table: name, stream: $0).arn },
            timeToLiveAttribute: definition.timeToLiveAttribute)
    }
}

extension TableError {
    static func tableExists(_ name: String) -> TableError {
        TableError(.resourceInUse, "Table already exists: \(name)")
    }
}
