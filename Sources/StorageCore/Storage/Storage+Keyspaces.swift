// Storage+Keyspaces.swift — creating, finding and dropping keyspaces.

internal import Synchronization

extension Storage {
    /// Opens the keyspace `name`, or creates it; durable before it returns.
    ///
    /// - Throws: `StorageError.invalidArgument` if it exists with another expiry policy or merge operator.
    public func keyspace(_ name: String, options: KeyspaceOptions = KeyspaceOptions()) throws -> Keyspace {
        lane.checkNotReentered()
        return catalog.withLock { catalog in
            if let existing = catalog.keyspaces[name] { return existing }
            let treeOptions = TreeOptions(
                isVolatile: options.isVolatile, compression: options.compression,
                filterBitsPerKey: options.filterBitsPerKey)
            let shared = catalog.trees.values.first { $0.options == treeOptions }
            let tree =
                (options.isDedicated ? nil : shared)
                ?? Tree(
                    id: catalog.nextTreeID, options: treeOptions,
                    state: TreeState(memtable: Memtable(firstSequence: 1, seed: self.options.seed), immutables: []))
            catalog.nextTreeID += 1
            if !options.isDedicated { catalog.trees[tree.id] = tree }
            let keyspace = Keyspace(name: name, id: catalog.nextKeyspaceID, options: options, tree: tree)
            catalog.nextKeyspaceID += 1
            catalog.keyspaces[name] = keyspace
            return keyspace
        }
    }

    public func existingKeyspace(_ name: String) -> Keyspace? {
        catalog.withLock { $0.keyspaces[name] }
    }

    public var keyspaceNames: [String] {
        catalog.withLock { $0.keyspaces.keys.sorted() }
    }

    public func dropKeyspace(_ name: String) throws {
        catalog.withLock { _ = $0.keyspaces.removeValue(forKey: name) }
    }
}
