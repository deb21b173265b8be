// TableDefinition.swift — what the catalog knows of keyspaces, tables and views.

/// A keyspace: a name space of tables. Replication is accepted and kept, since there is one replica.
struct KeyspaceDefinition: Hashable, Sendable {
    var name: String
    var replication: [String: String]
    var durableWrites: Bool
}

/// The qualified name of a table or view.
struct TableIdentifier: Hashable, Sendable, CustomStringConvertible {
    var keyspace: String
    var name: String

    var description: String { "\(keyspace).\(name)" }

    /// The name of the table's keyspace in the storage.
    var storageName: String { "wide/\(keyspace).\(name)" }
}

struct ColumnDefinition: Hashable, Sendable {
    /// Stored in the catalog: do not renumber.
    enum Kind: UInt8, Hashable, Sendable {
        case partitionKey = 0
        case clustering = 1
        case `static` = 2
        case regular = 3
    }

    var name: String
    var type: CQLType
    var kind: Kind
    /// A clustering column whose rows are stored in descending order.
    var isDescending = false
    /// The number that cells carry. A view's columns have the numbers of the table's.
    var id: UInt16
    /// Its index among the table's columns of the same kind.
    var position = 0

    /// Whether the column has a cell for each element.
    var isMultiCell: Bool { type.isMultiCell }

    var isPrimaryKey: Bool { kind == .partitionKey || kind == .clustering }
}

/// A table, or the table behind a view.
struct TableDefinition: Hashable, Sendable {
    struct ViewClause: Hashable, Sendable {
        /// The table that the view is of, in the same keyspace.
        var source: String
        var selectsAllColumns: Bool
        /// The WHERE clause as CQL text.
        var whereText: String
        /// Until its first complete build a view lacks rows of the table.
        var isBuilt: Bool
    }

    var identifier: TableIdentifier
    var partitionKey: [ColumnDefinition]
    var clustering: [ColumnDefinition]
    /// In the order of their names, as the regular ones: the order of `SELECT *`.
    var staticColumns: [ColumnDefinition]
    var regularColumns: [ColumnDefinition]
    var options: TableOptions
    var view: ViewClause?
    /// Columns that were dropped and whose cells may still be stored.
    var droppedColumns: [DroppedColumn] = []
    /// By name.
    var indexes: [IndexDefinition] = []
    /// By the number of the column; a view has those of its table.
    var masks: [UInt16: ColumnMask] = [:]
    /// The table's identity: another one for each table of the same name.
    var id: CQLUUID

    /// With each column's position set.
    func numbered() -> TableDefinition {
        func numbered(_ columns: [ColumnDefinition]) -> [ColumnDefinition] {
            columns.enumerated().map { index, column in
                var column = column
                column.position = index
                return column
            }
        }
        var definition = self
        definition.partitionKey = numbered(partitionKey)
        definition.clustering = numbered(clustering)
        definition.staticColumns = numbered(staticColumns)
        definition.regularColumns = numbered(regularColumns)
        return definition
    }

    /// Every column, in the order of `SELECT *`.
    var columns: [ColumnDefinition] { partitionKey + clustering + staticColumns + regularColumns }

    /// Whether the columns that are no keys are counters, or were: a table whose counters were all dropped has room for
    /// nothing else.
    var isCounter: Bool {
        let columns = staticColumns + regularColumns
        return columns.isEmpty
            ? droppedColumns.contains { $0.type == .counter } : columns.contains { $0.type == .counter }
    }

    /// For each name of dropped columns, by name, the last one that had it.
    var lastDrops: [DroppedColumn] {
        Dictionary(droppedColumns.map { ($0.name, $0) }, uniquingKeysWith: { $1 }).values.sorted { $0.name < $1.name }
    }

    /// Whether rows with a greater value of the first clustering column come before those with a smaller one.
    var isClusteringDescending: Bool { clustering.first?.isDescending ?? false }

    /// Changes every column.
    mutating func updateColumns(_ body: (inout ColumnDefinition) throws -> Void) rethrows {
        for index in partitionKey.indices { try body(&partitionKey[index]) }
        for index in clustering.indices { try body(&clustering[index]) }
        for index in staticColumns.indices { try body(&staticColumns[index]) }
        for index in regularColumns.indices { try body(&regularColumns[index]) }
    }
}

/// A column that was dropped. Its number is never used again, so its cells stay dead also when a column of the same name
/// is added.
struct DroppedColumn: Hashable, Sendable {
    var name: String
    var type: CQLType
    var kind: ColumnDefinition.Kind
    var id: UInt16
    /// Microseconds.
    var timestamp: Int64
}

/// A secondary index of a table.
struct IndexDefinition: Hashable, Sendable {
    /// What of the column is indexed. Stored in the catalog: do not renumber.
    enum Kind: UInt8, Hashable, Sendable {
        /// The value, or each value of a collection.
        case values = 0
        case keys = 1
        case entries = 2
        /// A frozen collection as one value.
        case full = 3

        init?(cqlName: String) {
            switch cqlName {
            case "values": self = .values
            case "keys": self = .keys
            case "entries": self = .entries
            case "full": self = .full
            default: return nil
            }
        }

        var cqlName: String {
            switch self {
            case .values: "values"
            case .keys: "keys"
            case .entries: "entries"
            case .full: "full"
            }
        }
    }

    var name: String
    var column: String
    var kind: Kind
    /// Until its first complete build an index lacks rows, and reads do not use it.
    var isBuilt: Bool
}

/// A table's properties. All of Cassandra's are accepted and checked; those named here have an effect.
struct TableOptions: Hashable, Sendable {
    static let defaultGraceSeconds: Int64 = 864_000

    /// Seconds; 0: rows live for ever.
    var defaultTimeToLive: Int32 = 0
    /// How long deletions are kept.
    var graceSeconds: Int64 = defaultGraceSeconds
    var comment = ""
    /// The others, as they were written.
    var properties: [Property] = []
}
