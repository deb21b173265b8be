// DocumentCollection+Indexes.swift — createIndex, dropIndex, listIndexes.

extension DocumentCollection {
    /// Makes an index and fills it from the documents that are there; gives its name. The same definition again
    /// changes nothing.
    ///
    /// Writers keep the index from the moment it exists; readers use it once it is complete. Building commits in
    /// chunks.
    /// - Throws: ``DocumentError`` 67 for keys or a filter an index can't have, 85 if the same index exists under
    ///   another name, 86 if the name is taken by another index, 11000 if documents violate a unique one: then it is
    ///   gone again.
    @discardableResult
    public func createIndex(
        _ keys: Document, options: IndexOptions = IndexOptions(), durability: Durability = .buffered
    ) throws -> String {
        let specification = try IndexSpecification(keys, options)
        try ensureExists(durability)
        try store.createIndex(specification, on: namespace, durability)
        return specification.name
    }

    /// Drops an index by name, durably.
    /// - Throws: 27 (IndexNotFound), 26 (NamespaceNotFound), 72 (InvalidOptions) for the index on `_id`.
    public func dropIndex(_ name: String) throws {
        try store.dropIndex(named: name, on: namespace)
    }

    /// The complete indexes, the one on `_id` first, as `listIndexes` describes them.
    /// - Throws: 26 (NamespaceNotFound).
    public func listIndexes() throws -> [Document] {
        guard let state = store.state(namespace) else {
            throw DocumentError(.namespaceNotFound, "ns does not exist: \(namespace)")
        }
        return state.indexes.filter { $0.readySequence != nil }.map(\.specification.document)
    }
}
