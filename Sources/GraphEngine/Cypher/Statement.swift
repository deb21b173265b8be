// Statement.swift — the abstract syntax of statements and clauses.

enum Statement: Sendable {
    case query(Query)
    case createConstraint(ConstraintDefinition, ifNotExists: Bool)
    case dropConstraint(name: String, ifExists: Bool)
    case showConstraints
}

/// `CREATE CONSTRAINT name FOR (n:Label) REQUIRE n.property IS UNIQUE`
struct ConstraintDefinition: Sendable, Hashable {
    /// Generated where the statement gives none.
    var name: String?
    var label: String
    var property: String
}

/// Single queries joined by `UNION`.
struct Query: Sendable {
    var parts: [SingleQuery]
    /// `UNION` removes duplicates, `UNION ALL` keeps them.
    var keepsDuplicates: Bool
}

struct SingleQuery: Sendable {
    var clauses: [Clause]
}

enum Clause: Sendable {
    case match(MatchClause)
    case unwind(Expression, variable: String, SourcePosition)
    case with(Projection, predicate: Expression?)
    case `return`(Projection)
    case create([PatternPart])
    case merge(MergeClause)
    case set([SetItem])
    case remove([RemoveItem])
    case delete([Expression], detach: Bool, SourcePosition)
}

struct MatchClause: Sendable {
    var isOptional: Bool
    var parts: [PatternPart]
    var predicate: Expression?
    var position: SourcePosition
}

struct MergeClause: Sendable {
    var part: PatternPart
    var onCreate: [SetItem]
    var onMatch: [SetItem]
}

struct Projection: Sendable {
    var isDistinct: Bool
    /// `*`: every variable in scope, besides the items.
    var includesAll: Bool
    var items: [ProjectionItem]
    var orderBy: [SortItem]
    var skip: Expression?
    var limit: Expression?
    var position: SourcePosition
}

struct ProjectionItem: Sendable {
    var expression: Expression
    /// The alias, or the expression's own text.
    var name: String
    var hasAlias: Bool
    var position: SourcePosition
}

struct SortItem: Sendable {
    var expression: Expression
    var isDescending: Bool
}

enum SetItem: Sendable {
    /// `SET n.p = e`
    case property(Expression, String, Expression)
    /// `SET n = map`
    case replace(String, Expression, SourcePosition)
    /// `SET n += map`
    case merge(String, Expression, SourcePosition)
    /// `SET n:A:B`
    case labels(String, [String], SourcePosition)
}

enum RemoveItem: Sendable {
    case property(Expression, String)
    case labels(String, [String], SourcePosition)
}
