// Storage+Keyspaces.swift — creating, finding and dropping keyspaces.

internal import Synchronization

extension Storage {
    /// Opens the keyspace `name`, or creates it; durable before it returns. Not callable inside the body of a write.
    ///
    /// - Throws: `StorageError.invalidArgument` if it exists with another expiry policy, placement or merge operator, or
    ///   if the options contradict one another; `.notFound` in a read-only storage.
    public func keyspace(_ name: String, options: KeyspaceOptions = KeyspaceOptions()) throws -> Keyspace {
        lane.checkNotReentered()
        guard let manifest else { return try openReadOnly(name, options) }
        if options.expiry == .engine, options.mergeOperator != nil {
            throw StorageError.invalidArgument(
                "Keyspace \"\(name)\": a merged value has no single expiry; use the expiry policy .operator.")
        }
        if options.expiry == .operator, options.mergeOperator == nil {
            throw StorageError.invalidArgument(
                "Keyspace \"\(name)\": the expiry policy .operator needs a merge operator.")
        }
        if let existing = existingKeyspace(name), isSame(existing.options, options) { return existing }
        let refusal = refusal()
        if let refusal, refusal.code == .closed { throw refusal }
        // Giving an existing keyspace its operator writes nothing: reads go on where writes are refused.
        if let reopened = try reopen(name, options, manifest) { return reopened }
        if let refusal { throw refusal }
        return try manifest.edit { state in
            if state.keyspaces.values.contains(where: { $0.name == name }) {
                throw StorageError(.alreadyExists, "Keyspace \"\(name)\" is being created by someone else.")
            }
            return create(name, options, state)
        } commit: { (keyspace: Keyspace) in
            catalog.withLock { catalog in
                catalog.keyspaces[name] = keyspace
                catalog.trees[keyspace.tree.id] = keyspace.tree
            }
        }
    }

    /// The keyspace of that name, if there is one.
    public func existingKeyspace(_ name: String) -> Keyspace? {
        catalog.withLock { $0.keyspaces[name] }
    }

    /// The names of all keyspaces, sorted.
    public var keyspaceNames: [String] {
        catalog.withLock { $0.keyspaces.keys.sorted() }
    }

    /// Drops a keyspace with all it holds, at a cost that does not depend on how much that is. Durable before it
    /// returns. Not callable inside the body of a write. Later writes through its handles are refused with `.notFound`.
    /// - Throws: `StorageError.notFound`.
    public func dropKeyspace(_ name: String) throws {
        lane.checkNotReentered()
        // On a full disk dropping is how space comes back.
        if let refusal = refusal(), refusal.code != .diskFull { throw refusal }
        guard let manifest, let keyspace = existingKeyspace(name) else {
            throw StorageError(.notFound, "There is no keyspace \"\(name)\".")
        }
        let tree = keyspace.tree
        try manifest.edit { state in
            var edit = VersionEdit()
            edit.removedKeyspaces = [keyspace.id]
            if keyspace.options.isDedicated, state.trees[tree.id] != nil { edit.removedTrees = [tree.id] }
            return (edit, ())
        } commit: { _ in
            catalog.withLock { catalog in
                catalog.keyspaces[name] = nil
                keyspace.presence.drop()
                if keyspace.options.isDedicated { catalog.trees[tree.id] = nil }
            }
        }
        // In a shared tree its entries go with the next compaction, since ids are never used again.
        if keyspace.options.isDedicated {
            for table in tree.state.levels.all { table.markObsolete() }
        }
        // Whoever waits for room in it need not.
        background.madeProgress()
    }

    private func isSame(_ left: KeyspaceOptions, _ right: KeyspaceOptions) -> Bool {
        left.mergeOperator?.name == right.mergeOperator?.name && left.expiry == right.expiry
            && left.isVolatile == right.isVolatile && left.isDedicated == right.isDedicated
    }

    private func openReadOnly(_ name: String, _ options: KeyspaceOptions) throws -> Keyspace {
        guard let existing = existingKeyspace(name) else {
            throw StorageError(.notFound, "There is no keyspace \"\(name)\", and the storage is read-only.")
        }
        let keyspace = Keyspace(
            name: name, id: existing.id, options: options, tree: existing.tree, presence: existing.presence)
        catalog.withLock { $0.keyspaces[name] = keyspace }
        return keyspace
    }

    /// Gives an existing keyspace the options (and with them the merge operator) of this opening; nil if there is none.
    private func reopen(_ name: String, _ options: KeyspaceOptions, _ manifest: ManifestWriter) throws -> Keyspace? {
        try manifest.whileUnchanged { state in
            guard let record = state.keyspaces.values.first(where: { $0.name == name }),
                let existing = existingKeyspace(name)
            else { return nil }
            let keyspace = try reopen(record, existing, options)
            catalog.withLock { $0.keyspaces[name] = keyspace }
            return keyspace
        }
    }

    private func reopen(
        _ record: KeyspaceRecord, _ existing: Keyspace, _ options: KeyspaceOptions
    ) throws -> Keyspace {
        let operatorName = options.mergeOperator?.name ?? ""
        guard record.expiry == options.expiry, record.isDedicated == options.isDedicated,
            record.mergeOperator == operatorName, existing.tree.options.isVolatile == options.isVolatile
        else {
            throw StorageError.invalidArgument(
                "Keyspace \"\(record.name)\" was created with expiry \(record.expiry), merge operator "
                    + "\"\(record.mergeOperator)\" and other placement or volatility; open it with the same.")
        }
        return Keyspace(
            name: record.name, id: record.id, options: options, tree: existing.tree, presence: existing.presence)
    }

    private func create(
        _ name: String, _ options: KeyspaceOptions, _ state: ManifestState
    ) -> (VersionEdit, Keyspace) {
        let treeOptions = TreeOptions(
            isVolatile: options.isVolatile, compression: options.compression, filterBitsPerKey: options.filterBitsPerKey)
        var edit = VersionEdit()
        edit.nextKeyspaceID = state.nextKeyspaceID + 1
        let tree: Tree
        if !options.isDedicated, let shared = sharedTree(treeOptions, state) {
            tree = shared
        } else {
            tree = Tree(
                id: state.nextTreeID, options: treeOptions,
                state: TreeState(memtable: Memtable(seed: self.options.seed ^ UInt64(state.nextTreeID))))
            edit.nextTreeID = state.nextTreeID + 1
            edit.newTrees = [TreeRecord(id: tree.id, options: treeOptions)]
        }
        edit.newKeyspaces = [
            KeyspaceRecord(
                id: state.nextKeyspaceID, name: name, tree: tree.id, expiry: options.expiry,
                isDedicated: options.isDedicated, isArchived: options.isArchived,
                mergeOperator: options.mergeOperator?.name ?? "")
        ]
        return (edit, Keyspace(name: name, id: state.nextKeyspaceID, options: options, tree: tree))
    }

    /// The tree that keyspaces with these options share.
    private func sharedTree(_ options: TreeOptions, _ state: ManifestState) -> Tree? {
        let dedicated = Set(state.keyspaces.values.filter(\.isDedicated).map(\.tree))
        let shared = state.trees.values.filter { $0.options == options && !dedicated.contains($0.id) }.map(\.id).min()
        return shared.flatMap { id in catalog.withLock { $0.trees[id] } }
    }
}
