// SchemaChange.swift — what a schema statement changed, as the native protocol tells drivers of it.

/// A change of the schema (native protocol v4 specification, §4.2.5.5).
public struct SchemaChange: Hashable, Sendable {
    /// Goes over the wire.
    public enum Kind: String, Hashable, Sendable {
        case created = "CREATED"
        case updated = "UPDATED"
        case dropped = "DROPPED"
    }

    /// Goes over the wire. Views and indexes are tables here: an index changes its table.
    public enum Target: String, Hashable, Sendable {
        case keyspace = "KEYSPACE"
        case table = "TABLE"
        case type = "TYPE"
    }

    public var kind: Kind
    public var target: Target
    public var keyspace: String
    /// The table's or type's name; `nil` for a keyspace.
    public var name: String?
}

extension Schema {
    /// What is worth a warning in a keyspace that was created or altered: more copies than there are nodes ([CA]
    /// locator/SimpleStrategy.java and NetworkTopologyStrategy.java, `maybeWarnOnOptions`).
    func warnings(of change: SchemaChange) -> [String] {
        guard change.target == .keyspace, let definition = keyspaces[change.keyspace] else { return [] }
        return [("replication_factor", ""), (SystemSchema.dataCenter, " for datacenter \(SystemSchema.dataCenter)")]
            .compactMap { option, place in
                guard let factor = definition.replication[option].flatMap({ Int($0) }), factor > 1 else { return nil }
                return "Your replication factor \(factor) for keyspace \(change.keyspace) is higher than the number of "
                    + "nodes 1\(place)"
            }
    }
}
