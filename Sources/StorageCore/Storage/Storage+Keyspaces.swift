// Storage+Keyspaces.swift — creating, finding and dropping keyspaces.

internal import Synchronization

extension Storage {
    /// Opens the keyspace `name`, or creates it; durable before it returns. Not callable inside the body of a write.
    ///
    /// Options of an existing keyspace that differ from what it had take effect, see ``KeyspaceOptions``; handles that were
    /// got before go on showing the old ones. In a read-only storage, and where writes are refused, they are not stored.
    /// The first merge operator that a keyspace is opened with in a run stays its operator until the storage is closed.
    ///
    /// - Parameter options: Nil for those that an existing keyspace has, or the defaults for a new one.
    /// - Throws: `StorageError.invalidArgument` if it exists with another expiry policy, volatility or merge operator, or
    ///   if the options contradict one another; `.notFound` in a read-only storage.
    public func keyspace(_ name: String, options wanted: KeyspaceOptions? = nil) throws -> Keyspace {
        try checkProcess()
        let options = wanted ?? existingKeyspace(name)?.options ?? KeyspaceOptions()
        lane.checkNotReentered()
        guard manifest != nil || sqlite != nil && !self.options.isReadOnly else {
            return try openReadOnly(name, options)
        }
        if wanted?.expiry == .engine, wanted?.mergeOperator != nil {
            throw StorageError.invalidArgument(
                "Keyspace \"\(name)\": a merged value has no single expiry; use the expiry policy .operator.")
        }
        if wanted?.expiry == .operator, wanted?.mergeOperator == nil {
            throw StorageError.invalidArgument(
                "Keyspace \"\(name)\": the expiry policy .operator needs a merge operator.")
        }
        if let existing = existingKeyspace(name), isOpen(existing, with: options) { return existing }
        let refusal = refusal()
        if let refusal, refusal.code == .closed { throw refusal }
        if let sqlite { return try openOrCreate(name, options, in: sqlite) }
        guard let manifest else { return try openReadOnly(name, options) }
        while true {
            // Giving an existing keyspace its operator writes nothing: reads go on where writes are refused.
            if let reopened = try reopen(name, options, manifest) { return reopened }
            if let refusal { throw refusal }
            if let created = try create(name, options, manifest) {
                trace(.keyspaceCreated(name: created.name, id: created.id))
                return created
            }
            // Someone else created it in between.
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
        try checkProcess()
        lane.checkNotReentered()
        // On a full disk dropping is how space comes back.
        if let refusal = refusal(), refusal.code != .diskFull { throw refusal }
        if let sqlite { return try drop(name, in: sqlite) }
        guard let manifest else { throw refusal() ?? StorageError(.diskFull, "The storage has no room yet.") }
        let dropped = try manifest.edit { state in
            guard let keyspace = existingKeyspace(name), let record = state.keyspaces[keyspace.id] else {
                throw StorageError(.notFound, "There is no keyspace \"\(name)\".")
            }
            var edit = VersionEdit()
            edit.removedKeyspaces = [keyspace.id]
            if record.isDedicated { edit.removedTrees = [record.tree] }
            return (edit, (keyspace, record))
        } commit: { (keyspace: Keyspace, record: KeyspaceRecord) in
            let own = catalog.withLock { catalog in
                catalog.keyspaces[name] = nil
                return record.isDedicated ? catalog.trees.removeValue(forKey: record.tree) : nil
            }
            keyspace.life.isDropped.store(true, ordering: .releasing)
            // In a shared tree its entries go with the next compaction, since ids are never used again.
            if let own { empty(own) }
        }.0
        trace(.keyspaceDropped(name: dropped.name, id: dropped.id))
        // Writers that waited for room in the tree have nothing to wait for any more.
        surveyMemtables()
        background.madeProgress()
        background.request(.compaction)
    }

    /// Lets go of what a dropped tree holds, for as far as nobody reads it.
    private func empty(_ tree: Tree) {
        tree.isDropped.store(true, ordering: .releasing)
        for table in tree.state.levels.all { table.markObsolete() }
        tree.update { _ in TreeState(memtable: Memtable()) }
    }

    /// Whether `options` are those that the keyspace was opened with already, as far as they mean anything here.
    private func isOpen(_ keyspace: Keyspace, with options: KeyspaceOptions) -> Bool {
        keyspace.life.mergeOperator == options.mergeOperator?.name ?? ""
            && keyspace.options.mergeOperator?.name == options.mergeOperator?.name
            && keyspace.options.expiry == options.expiry && keyspace.options.isVolatile == options.isVolatile
            && keyspace.options.isDedicated == options.isDedicated && keyspace.options.isArchived == options.isArchived
            && keyspace.options.clusteringLayout == options.clusteringLayout
            && TreeOptions(keyspace.options) == TreeOptions(options)
    }

    private func openReadOnly(_ name: String, _ options: KeyspaceOptions) throws -> Keyspace {
        guard let existing = existingKeyspace(name) else {
            if !self.options.isReadOnly, let refusal = refusal() { throw refusal }
            throw StorageError(.notFound, "There is no keyspace \"\(name)\", and the storage is read-only.")
        }
        let keyspace = try reopen(existing, options)
        catalog.withLock { $0.keyspaces[name] = keyspace }
        return keyspace
    }

    func reopen(_ existing: Keyspace, _ options: KeyspaceOptions) throws -> Keyspace {
        guard existing.options.expiry == options.expiry,
            existing.life.mergeOperator == options.mergeOperator?.name ?? "",
            existing.options.isVolatile == options.isVolatile
        else {
            throw StorageError.invalidArgument(
                "Keyspace \"\(existing.name)\" was created with expiry \(existing.options.expiry), merge operator "
                    + "\"\(existing.life.mergeOperator)\", \(existing.options.isVolatile ? "" : "not ")volatile; open it with the same."
            )
        }
        var options = options
        // It may know what has been written so far.
        options.mergeOperator = existing.options.mergeOperator ?? options.mergeOperator
        return Keyspace(
            name: existing.name, id: existing.id, options: options, tree: existing.tree, life: existing.life)
    }

    /// Creates a keyspace; nil if there is one of that name.
    private func create(
        _ name: String, _ options: KeyspaceOptions, _ manifest: ManifestWriter
    ) throws -> Keyspace? {
        struct Exists: Error {}
        do {
            return try manifest.edit { state in
                if state.keyspaces.values.contains(where: { $0.name == name }) { throw Exists() }
                return create(name, options, state)
            } commit: { (keyspace: Keyspace) in
                catalog.withLock { catalog in
                    catalog.keyspaces[name] = keyspace
                    catalog.trees[keyspace.tree.id] = keyspace.tree
                }
            }
        } catch is Exists {
            return nil
        }
    }

    private func create(
        _ name: String, _ options: KeyspaceOptions, _ state: ManifestState
    ) -> (VersionEdit, Keyspace) {
        let treeOptions = TreeOptions(options)
        var edit = VersionEdit()
        edit.nextKeyspaceID = state.nextKeyspaceID + 1
        let tree: Tree
        if !options.isDedicated, let shared = sharedTree(treeOptions, state) {
            tree = shared
        } else {
            tree = Tree(
                id: state.nextTreeID, options: treeOptions,
                state: TreeState(memtable: Memtable()), sections: tableCache.sections)
            edit.nextTreeID = state.nextTreeID + 1
            edit.newTrees = [TreeRecord(id: tree.id, options: treeOptions)]
        }
        edit.newKeyspaces = [
            KeyspaceRecord(
                id: state.nextKeyspaceID, name: name, tree: tree.id, expiry: options.expiry,
                isDedicated: options.isDedicated, isArchived: options.isArchived,
                mergeOperator: options.mergeOperator?.name ?? "")
        ]
        let life = KeyspaceLife(mergeOperator: options.mergeOperator?.name ?? "")
        return (edit, Keyspace(name: name, id: state.nextKeyspaceID, options: options, tree: tree, life: life))
    }

    /// The tree that keyspaces with these options share.
    private func sharedTree(_ options: TreeOptions, _ state: ManifestState) -> Tree? {
        let dedicated = Set(state.keyspaces.values.filter(\.isDedicated).map(\.tree))
        let shared = state.trees.values.filter { $0.options == options && !dedicated.contains($0.id) }.map(\.id).min()
        return shared.flatMap { id in catalog.withLock { $0.trees[id] } }
    }
}
