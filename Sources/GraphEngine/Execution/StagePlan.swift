// StagePlan.swift — a compiled statement: the stages that rows pass through, from the first to the last.

enum StagePlan: Sendable {
    case match(MatchPlan, isOptional: Bool)
    case unwind(Expression, slot: Int)
    case project([(slot: Int, expression: Expression)])
    case aggregate(AggregatePlan)
    /// The compiled form of expand, expand, count, top k; see `CoOccurrencePlan`.
    case coOccurrence(CoOccurrencePlan)
    case filter(Expression)
    case distinct([Int])
    /// Keeps only the first `limit` rows if the statement says that no more are wanted.
    case sort([SortKey], limit: Expression?)
    case skip(Expression)
    case limit(Expression)
    case create(CreatePlan)
    case merge(MergePlan)
    case set([BoundSetItem])
    case remove([BoundRemoveItem])
    case delete([Expression], detach: Bool)
}

struct SortKey: Sendable {
    var expression: Expression
    var isDescending: Bool
}

struct AggregatePlan: Sendable {
    /// The grouping keys: equal for all rows of a group.
    var keys: [Expression]
    var calls: [(slot: Int, call: AggregateCall)]
    /// Computed for each group from its first row and the results of the calls.
    var outputs: [(slot: Int, expression: Expression)]
}

struct CreatePlan: Sendable {
    var elements: [CreateElement]
    var paths: [(slot: Int, PathTemplate)]
}

enum CreateElement: Sendable {
    case node(slot: Int, labels: [String], properties: Expression?)
    case relationship(slot: Int, type: String, from: Int, to: Int, properties: Expression?)
}

struct MergePlan: Sendable {
    var match: MatchPlan
    var create: CreatePlan
    /// The property maps of the pattern: none of their values may be null.
    var onCreate: [BoundSetItem]
    var onMatch: [BoundSetItem]
}

enum BoundSetItem: Sendable {
    case property(Expression, String, Expression)
    case replace(Int, Expression)
    case merge(Int, Expression)
    case labels(Int, [String])
}

enum BoundRemoveItem: Sendable {
    case property(Expression, String)
    case labels(Int, [String])
}

/// One query of a union, ready to run. Immutable, so that it can be shared by all who run the same text.
struct CompiledQuery: Sendable {
    var stages: [StagePlan]
    var slotCount: Int
    /// Empty for a statement without RETURN.
    var columns: [String]
    var columnSlots: [Int]
}

/// A statement ready to run.
final class CompiledStatement: Sendable {
    let queries: [CompiledQuery]
    let keepsDuplicates: Bool
    let isUpdating: Bool
    /// The constraints that the plan relies on; a statement compiled under others is compiled again.
    let schemaVersion: UInt64

    init(queries: [CompiledQuery], keepsDuplicates: Bool, isUpdating: Bool, schemaVersion: UInt64) {
        self.queries = queries
        self.keepsDuplicates = keepsDuplicates
        self.isUpdating = isUpdating
        self.schemaVersion = schemaVersion
    }
}
