// MatchPlan.swift — how a MATCH finds its rows: a sequence of steps, each of which binds slots or rejects the row.
//
// Invariant: when a step runs, every slot it reads was bound by the input row or by an earlier step.

struct MatchPlan: Sendable {
    var steps: [MatchStep]
    /// Slots that the match binds: null in the row of an OPTIONAL MATCH without a match.
    var newSlots: [Int]
    /// With fewer than two relationships in the clause there is nothing to tell apart.
    var checksUniqueness: Bool
}

enum MatchStep: Sendable {
    /// A node of the input row: rejects null.
    case boundNode(slot: Int)
    case nodeByUniqueKey(slot: Int, constraint: UniqueConstraint, value: Expression)
    case nodesByLabel(slot: Int, label: String)
    case allNodes(slot: Int)
    /// A relationship of the input row: binds its ends.
    case boundRelationship(ExpandStep)
    case expand(ExpandStep)
    case filter(Expression)
    case path(slot: Int, PathTemplate)
}

/// From a bound node along relationships to another node.
struct ExpandStep: Sendable {
    var from: Int
    var to: Int
    /// Expand(Into): both ends are bound, only the relationships between them are visited.
    var toIsBound: Bool
    /// Where the relationship, or the list of a variable-length one, goes; nil if nobody asks for it.
    var relationship: Int?
    /// The list to equal, for a variable-length relationship that the input row already binds.
    var boundList: Int?
    var types: [String]
    var direction: PatternDirection
    /// As written in the pattern: the list of a variable-length relationship follows the pattern, not the plan.
    var isReversed: Bool
    var length: VariableLength?
    /// Conditions on each relationship of a variable-length one.
    var hopProperties: [(key: String, value: Expression)]
}

/// The slots that make up a named path.
struct PathTemplate: Sendable {
    var start: Int
    var hops: [(relationship: Int, node: Int, isVariableLength: Bool)]
}

/// The constraint that at most one node with a label has a given value of a property.
struct UniqueConstraint: Sendable, Hashable {
    var id: UInt32
    var name: String
    var label: String
    var property: String

    /// As Neo4j prints a schema.
    var schemaText: String { "(:\(label) {\(property)})" }
}
