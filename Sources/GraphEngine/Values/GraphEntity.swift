// GraphEntity.swift — nodes, relationships and paths as values.
//
// Inside a running statement an entity is a *reference*: an identity whose labels and properties are read from the
// store each time they are asked for, so that every clause sees what earlier clauses changed. Entities in a result
// are *materialised*: they carry their content and stay valid after the statement, the transaction and the store.

/// The identity of a node: dense, given in order of creation, never used again.
public struct NodeID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public static func < (left: NodeID, right: NodeID) -> Bool { left.rawValue < right.rawValue }

    public var description: String { String(rawValue) }
}

/// The identity of a relationship: dense, given in order of creation, never used again.
public struct RelationshipID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public static func < (left: RelationshipID, right: RelationshipID) -> Bool { left.rawValue < right.rawValue }

    public var description: String { String(rawValue) }
}

/// A node: an identity, a set of labels and a map of properties. Two nodes are equal if their identities are.
public struct GraphNode: Sendable, Hashable {
    public let id: NodeID
    private let content: Content?

    private final class Content: Sendable {
        let labels: [String]
        let properties: [String: GraphValue]

        init(labels: [String], properties: [String: GraphValue]) {
            self.labels = labels
            self.properties = properties
        }
    }

    /// A reference: identity only.
    init(id: NodeID) {
        self.id = id
        content = nil
    }

    init(id: NodeID, labels: [String], properties: [String: GraphValue]) {
        self.id = id
        content = Content(labels: labels, properties: properties)
    }

    /// In the order in which the labels were first used in this graph.
    public var labels: [String] { content?.labels ?? [] }

    public var properties: [String: GraphValue] { content?.properties ?? [:] }

    /// The property's value, null where it is absent.
    public subscript(key: String) -> GraphValue { properties[key] ?? .null }

    public static func == (left: GraphNode, right: GraphNode) -> Bool { left.id == right.id }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// A relationship: directed, of exactly one type, with properties. Two are equal if their identities are.
public struct GraphRelationship: Sendable, Hashable {
    public let id: RelationshipID
    private let content: Content

    private final class Content: Sendable {
        let type: String
        let start: NodeID
        let end: NodeID
        let properties: [String: GraphValue]

        init(type: String, start: NodeID, end: NodeID, properties: [String: GraphValue]) {
            self.type = type
            self.start = start
            self.end = end
            self.properties = properties
        }
    }

    /// With no properties given it is a reference.
    init(id: RelationshipID, type: String, start: NodeID, end: NodeID, properties: [String: GraphValue] = [:]) {
        self.id = id
        content = Content(type: type, start: start, end: end, properties: properties)
    }

    public var type: String { content.type }
    public var start: NodeID { content.start }
    public var end: NodeID { content.end }
    public var properties: [String: GraphValue] { content.properties }

    /// The property's value, null where it is absent.
    public subscript(key: String) -> GraphValue { properties[key] ?? .null }

    public static func == (left: GraphRelationship, right: GraphRelationship) -> Bool { left.id == right.id }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// A walk through the graph: nodes and the relationships between them, in order; one node more than relationships.
public struct GraphPath: Sendable, Hashable {
    public let nodes: [GraphNode]
    public let relationships: [GraphRelationship]

    /// The number of relationships.
    public var length: Int { relationships.count }

    init(nodes: [GraphNode], relationships: [GraphRelationship]) {
        assert(nodes.count == relationships.count + 1, "A path has one node more than relationships.")
        self.nodes = nodes
        self.relationships = relationships
    }
}
