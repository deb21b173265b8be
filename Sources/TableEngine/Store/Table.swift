// Table.swift — an open table: its definition and the keyspaces that hold it.

internal import StorageCore

/// An open table. Immutable; a changed definition makes a new one.
final class Table: Sendable {
    let definition: TableDefinition
    let keyspace: Keyspace
    /// Records by position; see StreamRecordCodec.swift.
    let streamKeyspace: Keyspace
    let indexes: [TableIndex]

    init(definition: TableDefinition, keyspace: Keyspace, streamKeyspace: Keyspace, indexes: [TableIndex]) {
        self.definition = definition
        self.keyspace = keyspace
        self.streamKeyspace = streamKeyspace
        self.indexes = indexes
    }

    var name: String { definition.name }
    var schema: KeySchema { definition.keySchema }

    /// The stream, if changes are being recorded.
    var activeStream: StreamDefinition? {
        guard let stream = definition.stream, stream.isEnabled else { return nil }
        return stream
    }

    func with(_ definition: TableDefinition) -> Table {
        Table(definition: definition, keyspace: keyspace, streamKeyspace: streamKeyspace, indexes: indexes)
    }

    /// Table names have no slash, so no two tables share a keyspace.
    static func keyspaceName(_ table: String) -> String { "table/\(table)" }
    static func streamKeyspaceName(_ table: String) -> String { "table/\(table)/stream" }
    static func indexKeyspaceName(_ table: String, _ index: String) -> String { "table/\(table)/index/\(index)" }

    /// Whether a write has to know the item it replaces.
    var needsOldItems: Bool { activeStream != nil || !indexes.isEmpty }

    /// The item under a key.
    func item(_ key: [UInt8], in view: ReadView) throws -> Item? {
        try view.withValue(keyspace, key.rawSpan) { try ItemCodec.decode($0) }
    }
}
