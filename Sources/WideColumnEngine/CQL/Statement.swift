// Statement.swift — the syntax tree of CQL statements. Names are resolved and types known only after planning.

/// A parsed statement with its bound markers.
struct ParsedStatement: Sendable {
    var statement: Statement
    /// One for each marker in the order of the text: the name of `:name`, `nil` for `?`.
    var markers: [String?]
    /// Whether a table or a type is named without its keyspace.
    var hasUnqualifiedName = false
}

enum Statement: Sendable {
    case use(keyspace: String)
    case createKeyspace(CreateKeyspaceStatement)
    case dropKeyspace(name: String, ifExists: Bool)
    case createTable(CreateTableStatement)
    case dropTable(TableName, ifExists: Bool)
    case createView(CreateViewStatement)
    case dropView(TableName, ifExists: Bool)
    case createType(CreateTypeStatement)
    case dropType(TableName, ifExists: Bool)
    case alterType(AlterTypeStatement)
    case alterKeyspace(name: String, ifExists: Bool, properties: [Property])
    case alterTable(AlterTableStatement)
    case alterView(TableName, ifExists: Bool, properties: [Property])
    case createIndex(CreateIndexStatement)
    case dropIndex(TableName, ifExists: Bool)
    case truncate(TableName)
    case describe(DescribeStatement)
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
        var mask: ColumnMask?
    }

    var table: TableName
    var ifNotExists: Bool
    var columns: [Column] = []
    /// More than one is an error that planning reports.
    var primaryKeys: [PrimaryKeyClause] = []
    var clusteringOrder: [ClusteringOrderClause] = []
    var properties: [Property] = []
}

struct CreateTypeStatement: Sendable {
    var type: TableName
    var ifNotExists: Bool
    var fields: [UserType.Field]
}

struct AlterTypeStatement: Sendable {
    enum Change: Sendable {
        case add(field: UserType.Field, ifNotExists: Bool)
        case rename([NameChange], ifExists: Bool)
        case alterField
    }

    var type: TableName
    var ifExists: Bool
    var change: Change
}

/// `old TO new`.
struct NameChange: Hashable, Sendable {
    var from: String
    var to: String
}

struct AlterTableStatement: Sendable {
    enum Change: Sendable {
        case add([CreateTableStatement.Column], ifNotExists: Bool)
        case drop([String], ifExists: Bool, timestamp: Int64?)
        case rename([NameChange], ifExists: Bool)
        case with([Property])
        case alterColumn
        /// MASKED WITH or, where there is no mask, DROP MASKED.
        case mask(column: String, ColumnMask?, ifExists: Bool)
        case dropCompactStorage
    }

    var table: TableName
    var ifExists: Bool
    var change: Change
}

struct CreateIndexStatement: Sendable {
    struct Target: Hashable, Sendable {
        var column: String
        /// `nil`: none was written.
        var kind: IndexDefinition.Kind?
    }

    var name: String?
    var ifNotExists: Bool
    var table: TableName
    var targets: [Target]
    var isCustom: Bool
    var className: String?
    var options: [String: String] = [:]
}

/// DESCRIBE, whose answers are rows of CREATE statements.
struct DescribeStatement: Sendable {
    enum Target: Sendable {
        case cluster
        case schema(isFull: Bool)
        case keyspaces, tables, types, functions, aggregates
        case keyspace(String?, only: Bool)
        case table(TableName)
        case view(TableName)
        case type(TableName)
        case index(TableName)
        case function(TableName)
        case aggregate(TableName)
        /// Whatever has the name.
        case any(TableName)
    }

    var target: Target
    var withInternals = false
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
    /// `c[element]`.
    var element: Term?
    /// `c.field`.
    var field: String?
    var comparison: Comparison
    var terms: [Term]
    /// `IN ?`: the one term is the whole list.
    var isListMarker = false
}

struct Assignment: Hashable, Sendable {
    enum Operation: Hashable, Sendable {
        case set(Term)
        case setElement(key: Term, Term)
        case setField(String, Term)
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
    var field: String?
}

struct ModificationStatement: Sendable {
    enum Kind: Sendable {
        case insert(columns: [String], values: [Term])
        /// INSERT JSON; the flag is DEFAULT UNSET.
        case insertJSON(Term, keepsMissing: Bool)
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
    var kind: StatementBatch.Kind
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

        /// The columns that the relation is about.
        var columns: [String] {
            switch self {
            case .column(let name), .element(let name, _): [name]
            case .columns(let names), .token(let names): names
            }
        }
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
    case writetime(SelectExpression)
    case maxWritetime(SelectExpression)
    case timeToLive(SelectExpression)
    case call(String, [SelectExpression])
    /// `CAST(… AS type)`.
    case cast(SelectExpression, CQLType)
    /// `(type) …`.
    case typeHint(CQLType, SelectExpression)
    case binary(ArithmeticOperator, SelectExpression, SelectExpression)
    /// `-…`.
    case negation(SelectExpression)
    case element(SelectExpression, Term)
    case slice(SelectExpression, from: Term?, to: Term?)
    case field(SelectExpression, String)
    /// A literal with expressions in it.
    case list([SelectExpression])
    case set([SelectExpression])
    case map([SelectExpression])
    case tuple([SelectExpression])
    /// `{street: s, zip: 1}`.
    case userDefined([Field])
    case term(Term)

    struct Field: Hashable, Sendable {
        var name: String
        var value: SelectExpression
    }
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
    var isJSON = false
    /// Empty: `*`.
    var selectors: [Selector] = []
    var relations: [Relation] = []
    var orderings: [Ordering] = []
    var groupBy: [SelectExpression] = []
    var perPartitionLimit: Term?
    var limit: Term?
    var allowsFiltering = false
}
