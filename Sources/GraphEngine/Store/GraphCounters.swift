// GraphCounters.swift — what a statement changed: the counters of Neo4j's result summary.

/// The changes that a statement made.
public struct GraphCounters: Sendable, Hashable {
    public var nodesCreated = 0
    public var nodesDeleted = 0
    public var relationshipsCreated = 0
    public var relationshipsDeleted = 0
    /// Properties set or removed, those of created entities included.
    public var propertiesSet = 0
    public var labelsAdded = 0
    public var labelsRemoved = 0
    public var constraintsAdded = 0
    public var constraintsRemoved = 0

    public init() {}

    public var containsUpdates: Bool { self != GraphCounters() }
}
