// Pattern.swift — the abstract syntax of patterns.

/// `p = (a)-[r]->(b)-[s]->(c)`: nodes and the hops between them.
struct PatternPart: Sendable {
    /// The path's variable.
    var variable: String?
    var start: NodePattern
    var hops: [(relationship: RelationshipPattern, node: NodePattern)]
    var position: SourcePosition

    var nodes: [NodePattern] { [start] + hops.map(\.node) }
}

struct NodePattern: Sendable {
    var variable: String?
    var labels: LabelExpression?
    /// A map or a parameter.
    var properties: Expression?
    var predicate: Expression?
    var position: SourcePosition
}

struct RelationshipPattern: Sendable {
    var variable: String?
    /// Any of these; all types if empty.
    var types: [String]
    var properties: Expression?
    var predicate: Expression?
    var direction: PatternDirection
    /// Number of hops of a variable-length relationship.
    var length: VariableLength?
    var position: SourcePosition
}

enum PatternDirection: Sendable {
    case outgoing, incoming, both

    var reversed: PatternDirection {
        switch self {
        case .outgoing: .incoming
        case .incoming: .outgoing
        case .both: .both
        }
    }
}

struct VariableLength: Sendable {
    var minimum: Int
    /// nil: as far as the graph goes.
    var maximum: Int?
}

/// `:A`, `:A:B`, `:A&B`, `:A|B`, `:!A`, `:%`
indirect enum LabelExpression: Sendable {
    case label(String)
    case all([LabelExpression])
    case any([LabelExpression])
    case not(LabelExpression)
    case wildcard

    /// The labels, if the expression is a conjunction of names: the only form that can be created.
    var conjunction: [String]? {
        switch self {
        case .label(let name): return [name]
        case .all(let parts):
            var names: [String] = []
            for part in parts {
                guard let inner = part.conjunction else { return nil }
                names += inner
            }
            return names
        default: return nil
        }
    }

    /// Labels that every matching node has.
    var required: [String] {
        switch self {
        case .label(let name): [name]
        case .all(let parts): parts.flatMap(\.required)
        default: []
        }
    }

    func matches(_ labels: some Collection<String>) -> Bool {
        switch self {
        case .label(let name): labels.contains(name)
        case .all(let parts): parts.allSatisfy { $0.matches(labels) }
        case .any(let parts): parts.contains { $0.matches(labels) }
        case .not(let part): !part.matches(labels)
        case .wildcard: !labels.isEmpty
        }
    }
}
