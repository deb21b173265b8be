// GraphStore.swift — a property graph in a storage.

internal import Synchronization

/// A property graph: nodes with labels, directed relationships of one type each, properties on both; queried and
/// changed with Cypher as Neo4j 5 understands it, or from Swift.
///
/// Each statement is one transaction: all of its changes happen or none, it never sees another's unfinished changes,
/// and a read sees one moment of the graph. Every change also has a form that takes an open transaction of the storage,
/// so that it commits together with changes of other engines.
///
/// One graph lives in a storage, in the keyspaces `graph/…`. Opening reads all relationships into memory. Open it once
/// for each open storage: a second instance would not learn of the first one's commits.
public final class GraphStore: Sendable {
    public let storage: Storage
    let nodes: Keyspace
    let relationships: Keyspace
    let adjacency: Keyspace
    let labels: Keyspace
    let unique: Keyspace
    let tokens: TokenCatalog
    let constraints: ConstraintCatalog
    let index: AdjacencyIndex
    let statements = StatementCache()
    let counterPool = CounterPool()

    /// Opens the graph of a storage, empty at first.
    public init(storage: Storage) throws {
        self.storage = storage
        let catalog = try storage.keyspace("graph/catalog")
        nodes = try storage.keyspace("graph/nodes")
        relationships = try storage.keyspace("graph/relationships")
        adjacency = try storage.keyspace("graph/adjacency")
        labels = try storage.keyspace("graph/labels")
        unique = try storage.keyspace("graph/unique")
        let snapshot = storage.snapshot()
        tokens = try TokenCatalog(keyspace: catalog, view: snapshot.view)
        constraints = try ConstraintCatalog(tokens: tokens, view: snapshot.view)
        index = try AdjacencyIndex(
            adjacency: adjacency, labels: labels, unique: unique,
            nodeBound: try tokens.value(of: .node, in: snapshot.view), view: snapshot.view)
        storage.registerCrossCheck("graph") { [weak self] snapshot in
            try self.map { try GraphCrossCheck(store: $0, view: snapshot.view).run() } ?? []
        }
    }

    /// A reader of the newest commit.
    func read<Result>(_ body: (GraphReader) throws -> Result) throws -> Result {
        let (snapshot, view) = index.matchingView { storage.snapshot() }
        return try body(GraphReader(store: self, view: snapshot.view, adjacency: view))
    }
}
