// SQLiteEngine+Keyspaces.swift — the rows of keyspaces that come, go, or start empty.

internal import Synchronization

extension SQLiteEngine {
    /// Adds a keyspace, durably. In the lane.
    func create(_ name: String, _ options: KeyspaceOptions) throws -> Keyspace {
        let id = try writing { connection in
            let id = try connection.integer("SELECT next_keyspace FROM meta")
            guard let id = UInt32(exactly: id), id < .max - 1 else {
                throw StorageError.corruption("The number of the next keyspace makes no sense.", file: path)
            }
            try connection.execute("UPDATE meta SET next_keyspace = \(id + 1)")
            var record = SQLiteKeyspaceRecord(id: id, name: name)
            record.expiry = options.expiry
            record.isVolatile = options.isVolatile
            record.isDedicated = options.isDedicated
            record.isArchived = options.isArchived
            record.mergeOperator = options.mergeOperator?.name ?? ""
            try connection.insert(record)
            return id
        }
        try syncCatalog()
        return Keyspace(
            name: name, id: id, options: options, tree: emptyTree,
            life: KeyspaceLife(mergeOperator: options.mergeOperator?.name ?? ""))
    }

    /// Takes a keyspace out of the catalog, durably; its rows go later, since ids are never used again. In the lane.
    func drop(_ keyspace: Keyspace) throws {
        try writing { try $0.execute("DELETE FROM keyspaces WHERE id = \(keyspace.id)") }
        removable.withLock { $0.append(keyspace.id) }
        try syncCatalog()
    }

    /// The catalog has no sequence that the gate could wait for.
    private func syncCatalog() throws {
        do {
            try sync()
        } catch {
            let failure = StorageError(wrapping: error)
            noteFailure(failure)
            throw StorageError(
                .commitOutcomeUnknown, "The sync of a change of the catalog failed.", file: path, cause: failure)
        }
    }

    /// At open: empties volatile keyspaces, and finds rows of keyspaces that were dropped.
    func removeLeftovers(of keyspaces: [Keyspace]) throws {
        for keyspace in keyspaces where keyspace.isVolatile {
            while try removeRows(of: keyspace.id, limit: 10_000) {}
        }
        let known = Set(keyspaces.map(\.id))
        let dropped = try writer.locked { try writer.keyspaceIDsWithRows() }.filter { !known.contains($0) }
        removable.withLock { $0 = dropped }
    }

    /// Removes some rows of dropped keyspaces; false if there are none left. In the lane.
    func removeDropped(limit: Int) throws -> Bool {
        guard let id = removable.withLock({ $0.first }) else { return false }
        if try !removeRows(of: id, limit: limit) {
            removable.withLock { removable in removable.removeAll { $0 == id } }
        }
        return true
    }

    /// Removes the first rows with a keyspace's prefix; false if that were all. In the lane.
    private func removeRows(of id: UInt32, limit: Int) throws -> Bool {
        try writing { connection in
            let statement = try connection.prepare(
                """
                DELETE FROM entries WHERE key IN
                    (SELECT key FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT \(limit))
                """)
            unsafe Keyspace.prefix(of: id).withUnsafeBytes { unsafe statement.bind(1, copying: $0) }
            unsafe Keyspace.prefix(of: id + 1).withUnsafeBytes { unsafe statement.bind(2, copying: $0) }
            while try statement.step() {}
            return connection.changeCount == limit
        }
    }
}

extension SQLiteConnection {
    /// Adds the row of a keyspace.
    func insert(_ keyspace: SQLiteKeyspaceRecord) throws {
        let statement = try prepare(
            """
            INSERT INTO keyspaces (id, name, expiry, is_volatile, is_dedicated, is_archived, merge_operator)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """)
        statement.bind(1, Int64(keyspace.id))
        statement.bind(2, keyspace.name)
        statement.bind(3, Int64(keyspace.expiry.rawValue))
        statement.bind(4, keyspace.isVolatile ? 1 : 0)
        statement.bind(5, keyspace.isDedicated ? 1 : 0)
        statement.bind(6, keyspace.isArchived ? 1 : 0)
        statement.bind(7, keyspace.mergeOperator)
        while try statement.step() {}
    }

    /// The keyspaces that have rows, ascending, found by skipping from one to the next.
    fileprivate func keyspaceIDsWithRows() throws -> [UInt32] {
        let statement = try prepare("SELECT key FROM entries WHERE key >= ?1 ORDER BY key LIMIT 1")
        var ids: [UInt32] = []
        var next: UInt32 = 0
        while true {
            statement.reset()
            unsafe Keyspace.prefix(of: next).withUnsafeBytes { unsafe statement.bind(1, copying: $0) }
            guard try statement.step() else { return ids }
            let key = unsafe Array(statement.bytes(0))
            guard key.count >= Keyspace.prefixByteCount else {
                throw StorageError.corruption("A row has a key that is too short.", file: path)
            }
            let id = Keyspace.id(ofTreeKey: key)
            ids.append(id)
            guard id < .max else { return ids }
            next = id + 1
        }
    }
}
