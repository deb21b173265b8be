// Expression.swift — the abstract syntax of expressions.
//
// The parser names variables; the binder replaces every `.variable` by the `.slot` of the row that holds it. The
// evaluator sees slots only.
//
// Operators of one precedence level form one flat `chain`, evaluated from the left: a text of a thousand additions
// is a tree of depth one, so that depth is bounded by the parser's nesting limit alone.

indirect enum Expression: Sendable {
    case literal(GraphValue)
    case parameter(String)
    case variable(String, SourcePosition)
    case slot(Int)
    case list([Expression])
    case map([(key: String, value: Expression)])
    case property(Expression, String)
    case index(Expression, Expression)
    case slice(Expression, from: Expression?, to: Expression?)
    case not(Expression)
    case negate(Expression)
    case plus(Expression)
    case chain(Expression, [(operation: BinaryOperator, operand: Expression)])
    case comparison(Expression, [(operation: ComparisonOperator, operand: Expression)])
    case isNull(Expression, negated: Bool)
    case hasLabels(Expression, LabelExpression)
    case conditional(CaseExpression)
    case function(FunctionCall)
    case aggregate(AggregateCall)
    case quantifier(Quantifier)
    case comprehension(ListComprehension)
    case reduce(Reduction)
    /// A pattern as a predicate, or `EXISTS { … }`: is there a match?
    case exists(PatternQuery)
    /// `[(a)-->(b) WHERE … | expression]`
    case patternComprehension(PatternQuery, projection: Expression)
    /// `COUNT { pattern }`
    case countMatches(PatternQuery)
}

enum BinaryOperator: Sendable {
    case or, xor, and
    case startsWith, endsWith, contains, regularExpression, `in`
    case add, subtract, concatenate, multiply, divide, remainder, power
}

enum ComparisonOperator: String, Sendable {
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
}

struct CaseExpression: Sendable {
    /// The value compared with each `WHEN`; without one each `WHEN` is a condition.
    var subject: Expression?
    var branches: [(when: Expression, then: Expression)]
    var otherwise: Expression?
}

struct FunctionCall: Sendable {
    /// In lower case, for look-up.
    var name: String
    var arguments: [Expression]
    var position: SourcePosition
    /// Resolved by the binder.
    var function: BuiltinFunction?
}

struct AggregateCall: Sendable {
    enum Function: String, Sendable, CaseIterable {
        case count, collect, sum, avg, min, max, stDev = "stdev", stDevP = "stdevp", percentileCont = "percentilecont"
        case percentileDisc = "percentiledisc"
    }

    var function: Function
    /// `count(*)` has none.
    var argument: Expression?
    var secondArgument: Expression?
    var isDistinct: Bool
    var position: SourcePosition
}

struct Quantifier: Sendable {
    enum Kind: String, Sendable { case all, any, none, single }

    var kind: Kind
    var variable: LocalVariable
    var list: Expression
    var predicate: Expression
}

struct ListComprehension: Sendable {
    var variable: LocalVariable
    var list: Expression
    var predicate: Expression?
    var projection: Expression?
}

struct Reduction: Sendable {
    var accumulator: LocalVariable
    var initial: Expression
    var variable: LocalVariable
    var list: Expression
    var expression: Expression
}

/// A variable visible inside one expression only.
struct LocalVariable: Sendable {
    var name: String
    /// Given by the binder.
    var slot = -1
}

/// A pattern matched from inside an expression.
struct PatternQuery: Sendable {
    var parts: [PatternPart]
    var predicate: Expression?
    var position: SourcePosition
    /// A pattern that stands for a truth value, without EXISTS: it may not introduce variables.
    var isBare = false
    /// Given by the binder.
    var plan: MatchPlan?
}
