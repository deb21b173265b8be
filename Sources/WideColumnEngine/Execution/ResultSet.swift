// ResultSet.swift — what a statement answers.
//
// Rows stay in their binary format in one buffer, as the native protocol sends them; a value is decoded when it is
// asked for.

/// A column of a result.
public struct ResultColumn: Hashable, Sendable {
    public var name: String
    public var type: CQLType
    /// The keyspace and table that the statement reads; empty where it reads none.
    public var keyspace = ""
    public var table = ""

    public init(name: String, type: CQLType) {
        self.name = name
        self.type = type
    }

    init(name: String, type: CQLType, table: TableIdentifier) {
        self.name = name
        self.type = type
        keyspace = table.keyspace
        self.table = table.name
    }
}

/// The rows that a statement answers; empty, without columns, for statements that answer nothing.
public struct ResultSet: Sendable {
    let storage: RowStorage
    /// How the statement read.
    public let accessPath: AccessPath
    /// Where the next page begins; `nil` after the last one.
    public var pagingState: PagingState?
    /// What a schema statement changed; `nil` for others and where it changed nothing.
    public var schemaChange: SchemaChange?
    /// What Cassandra would warn of.
    public var warnings: [String] = []

    init(_ storage: RowStorage, accessPath: AccessPath = .none, pagingState: PagingState? = nil) {
        self.storage = storage
        self.accessPath = accessPath
        self.pagingState = pagingState
    }

    /// The keyspace that USE chose.
    public var currentKeyspace: String?
    /// What the statement did and when, where it was traced.
    public var statementTrace: StatementTrace?

    init(currentKeyspace: String) {
        self = .void
        self.currentKeyspace = currentKeyspace
    }

    init(schemaChange: SchemaChange?) {
        self = .void
        self.schemaChange = schemaChange
    }

    init(warnings: [String]) {
        self = .void
        self.warnings = warnings
    }

    static let void = ResultSet(RowStorage(ResultLayout([]), UnsafeRows(width: 0)))

    public var columns: [ResultColumn] { storage.layout.columns }

    /// Whether a conditional statement was applied; `true` for statements without a condition.
    public var wasApplied: Bool {
        guard let first, first.columns.first?.name == Self.appliedColumn else { return true }
        return first[0] == .boolean(true)
    }

    static let appliedColumn = "[applied]"

    /// Whether the read touched exactly one partition.
    public var wasSinglePartition: Bool {
        if case .singlePartition = accessPath { return true }
        return false
    }

    /// What Cassandra's tracing says of such a read.
    public var trace: [String] { accessPath.trace }

    /// How a statement read.
    public enum AccessPath: Hashable, Sendable {
        case none
        case singlePartition(table: String)
        case partitions(table: String, count: Int)
        case index(table: String, index: String)
        case scan(table: String)

        var trace: [String] {
            switch self {
            case .none: []
            case .singlePartition(let table): ["Executing single-partition query on \(table)"]
            case .partitions(let table, let count):
                Array(repeating: "Executing single-partition query on \(table)", count: count)
            case .index(let table, let index):
                ["Executing read on \(table) using index \(index)"]
            case .scan(let table):
                [
                    "Executing seq scan across sstables for (min(-9223372036854775808), "
                        + "max(-9223372036854775808)] on \(table)"
                ]
            }
        }
    }
}

extension ResultSet: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { storage.rows.count }

    public subscript(position: Int) -> Row {
        precondition(indices.contains(position), "Row \(position) is out of bounds: the result has \(count) rows.")
        return Row(storage: storage, index: position)
    }

    /// The rows, in order.
    public var rows: ResultSet { self }
}

/// One row of a result.
public struct Row: Sendable {
    let storage: RowStorage
    let index: Int

    public var columns: [ResultColumn] { storage.layout.columns }

    /// The value of a column; `.null` where it has none or the result has no such column.
    public subscript(name: String) -> CQLValue {
        guard let column = storage.index(of: name) else { return .null }
        return self[column]
    }

    public subscript(column: Int) -> CQLValue { storage.value(row: index, column: column) }

    /// The value of a column as a Swift type; `nil` where it is null or of another type.
    public subscript<Value: CQLConvertible>(name: String, as type: Value.Type) -> Value? {
        Value(cqlValue: self[name])
    }

    /// Every value, in the order of the columns.
    public var values: [CQLValue] { columns.indices.map { self[$0] } }
}

extension Row: CustomStringConvertible {
    public var description: String {
        "(\(columns.indices.map { "\(columns[$0].name): \(self[$0])" }.joined(separator: ", ")))"
    }
}
