// Statement.swift — the syntax tree of CQL statements. Names are resolved and types known only after planning.

/// A parsed statement with its bound markers.
struct ParsedStatement: Sendable {
    var statement: Statement
    /// One for each marker in the order of the text: the name of `:name`, `nil` for `?`.
    var markers: [String?]
}

enum Statement: Sendable {
    case use(keyspace: String)
    case createKeyspace(CreateKeyspaceStatement)
    case dropKeyspace(name: String, ifExists: Bool)
    case createTable(CreateTableStatement)
    case dropTable(TableName, ifExists: Bool)
    case createView(CreateViewStatement)
    case dropView(TableName, ifExists: Bool)
    case truncate(TableName)
    case modification(ModificationStatement)
    case batch(BatchStatement)
    case select(SelectStatement)
}

/// A table or view, with its keyspace where the statement names one.
struct TableName: Hashable, Sendable {
    var keyspace: String?
    var name: String
}

// MARK: - Schema

struct CreateKeyspaceStatement: Sendable {
    var name: String
    var ifNotExists: Bool
    var properties: [Property]
}

/// `name = value` of a WITH clause.
struct Property: Hashable, Sendable {
    enum Value: Hashable, Sendable {
        case scalar(String)
        case map([String: String])
    }

    var name: String
    var value: Value
}

struct PrimaryKeyClause: Hashable, Sendable {
    var partitionKey: [String]
    var clustering: [String]
}

struct ClusteringOrderClause: Hashable, Sendable {
    var column: String
    var isDescending: Bool
}

struct CreateTableStatement: Sendable {
    struct Column: Sendable {
        var name: String
        var type: CQLType
        var isStatic: Bool
    }

    var table: TableName
    var ifNotExists: Bool
    var columns: [Column] = []
    /// More than one is an error that planning reports.
    var primaryKeys: [PrimaryKeyClause] = []
    var clusteringOrder: [ClusteringOrderClause] = []
    var properties: [Property] = []
}

struct CreateViewStatement: Sendable {
    var view: TableName
    var ifNotExists: Bool
    var selectors: [Selector]
    var source: TableName
    var relations: [Relation]
    var primaryKey: PrimaryKeyClause
    var clusteringOrder: [ClusteringOrderClause] = []
    var properties: [Property] = []
    var hasMarkers = false
}

// MARK: - Modifications

struct UsingClause: Hashable, Sendable {
    var timestamp: Term?
    var timeToLive: Term?
}

enum ConditionClause: Hashable, Sendable {
    case none
    case notExists
    case exists
    case columns([ColumnCondition])
}

struct ColumnCondition: Hashable, Sendable {
    var column: String
    var comparison: Comparison
    var terms: [Term]
}

struct Assignment: Hashable, Sendable {
    enum Operation: Hashable, Sendable {
        case set(Term)
        case setElement(key: Term, Term)
        /// `c = c + term`, `c = term + c`, `c = c - term`, `c += term`: collections and counters.
        case add(Term)
        case prepend(Term)
        case subtract(Term)
    }

    var column: String
    var operation: Operation
}

/// A cell or element that DELETE names.
struct Deletion: Hashable, Sendable {
    var column: String
    var element: Term?
}

struct ModificationStatement: Sendable {
    enum Kind: Sendable {
        case insert(columns: [String], values: [Term])
        case update([Assignment])
        /// Without columns the rows themselves are deleted.
        case delete([Deletion])
    }

    var kind: Kind
    var table: TableName
    var using = UsingClause()
    var relations: [Relation] = []
    var condition: ConditionClause = .none
}

struct BatchStatement: Sendable {
    enum Kind: Sendable {
        case logged, unlogged, counter
    }

    var kind: Kind
    var using: UsingClause
    var statements: [ModificationStatement]
}

// MARK: - Relations

enum Comparison: String, Hashable, Sendable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case `in` = "IN"
    case contains = "CONTAINS"
    case containsKey = "CONTAINS KEY"
    case isNotNull = "IS NOT NULL"

    var isSlice: Bool {
        switch self {
        case .less, .lessOrEqual, .greater, .greaterOrEqual: true
        default: false
        }
    }
}

/// One condition of a WHERE clause.
struct Relation: Hashable, Sendable {
    enum Target: Hashable, Sendable {
        case column(String)
        case columns([String])
        case token([String])
        case element(column: String, key: Term)
    }

    var target: Target
    var comparison: Comparison
    /// One term, or the members of an IN list.
    var terms: [Term]
    /// `IN ?`: the one term is the whole list.
    var isListMarker = false
}

// MARK: - Select

indirect enum SelectExpression: Hashable, Sendable {
    case column(String)
    case count
    case writetime(String)
    case timeToLive(String)
    case call(String, [SelectExpression])
    case term(Term)
}

struct Selector: Hashable, Sendable {
    var expression: SelectExpression
    var alias: String?
}

struct SelectStatement: Sendable {
    struct Ordering: Hashable, Sendable {
        var column: String
        var isDescending: Bool
    }

    var table: TableName
    var isDistinct = false
    /// Empty: `*`.
    var selectors: [Selector] = []
    var relations: [Relation] = []
    var orderings: [Ordering] = []
    var groupBy: [String] = []
    var perPartitionLimit: Term?
    var limit: Term?
    var allowsFiltering = false
}
