// Storage+SQLiteCompaction.swift — what has expired leaves the database.

internal import Synchronization

extension Storage {
    /// Removes what has expired, as far as no snapshot sees it, and the rows of dropped keyspaces, then rewrites the
    /// file without its free pages.
    func compact(_ sqlite: SQLiteEngine) throws {
        try flush()
        while try maintain(sqlite) {}
        for keyspace in purgeableKeyspaces {
            var next: [UInt8]? = keyspace.prefix
            while let start = next {
                lane.enter()
                defer { lane.leave() }
                next = try purge(keyspace, from: start, in: sqlite)
            }
        }
        lane.enter()
        defer { lane.leave() }
        try sqlite.vacuum()
        try sqlite.copyLog()
    }

    /// Purges some rows where the last call ended; false if enough were looked at for now. In the lane.
    func purgeSome(_ sqlite: SQLiteEngine) throws -> Bool {
        let state = sqlite.purge.withLock { $0 }
        guard state.rowCount > 0 else { return false }
        // The keyspace of the position, or the next one.
        let prefix = Array(state.next.prefix(Keyspace.prefixByteCount))
        guard let keyspace = purgeableKeyspaces.first(where: { compareBytes($0.prefix, prefix) >= 0 }) else {
            sqlite.purge.withLock { $0 = SQLitePurge() }
            return false
        }
        let start = compareBytes(keyspace.prefix, state.next) > 0 ? keyspace.prefix : state.next
        let next = try purge(keyspace, from: start, in: sqlite)
        sqlite.purge.withLock {
            $0.rowCount -= Self.purgedRowCount
            $0.next = next ?? Keyspace.prefix(of: keyspace.id + 1)
        }
        return true
    }

    /// Keyspaces whose rows may go by themselves, in the order of their ids.
    private var purgeableKeyspaces: [Keyspace] {
        catalog.withLock { Array($0.keyspaces.values) }
            .filter { $0.options.expiry != .none || $0.options.mergeOperator != nil }.sorted { $0.id < $1.id }
    }

    /// Rows that are looked at in one transaction.
    private static let purgedRowCount = 1000

    /// Purges some rows of a keyspace in one transaction; the tree key to go on from, nil at its end. In the lane.
    private func purge(_ keyspace: Keyspace, from start: [UInt8], in sqlite: SQLiteEngine) throws -> [UInt8]? {
        let purgeTime = registry.horizon(purgeTime: purgeFloor.purgeTime(clock)) { commits.visibleSequence }.purgeTime
        return try sqlite.writing { try $0.purge(keyspace, from: start, purgeTime, limit: Self.purgedRowCount) }
    }
}

extension SQLiteEngine {
    /// Rewrites the database without free pages. In the lane.
    func vacuum() throws { try writer.locked { try writer.execute("VACUUM") } }
}

extension SQLiteConnection {
    fileprivate func purge(
        _ keyspace: Keyspace, from start: [UInt8], _ purgeTime: StorageInstant, limit: Int
    ) throws -> [UInt8]? {
        var changes: [(key: [UInt8], row: SQLiteRow?)] = []
        var next: [UInt8]?
        try with(.scan) { statement in
            unsafe start.withUnsafeBytes { unsafe statement.bind(1, copying: $0) }
            unsafe Keyspace.prefix(of: keyspace.id + 1).withUnsafeBytes { unsafe statement.bind(2, copying: $0) }
            for position in 0... {
                guard try statement.step() else { return }
                let key = unsafe Array(statement.bytes(0))
                if position == limit {
                    next = key
                    return
                }
                let row = unsafe SQLiteRow(bytes: Array(statement.bytes(1)), expiry: statement.expiry(2))
                switch keyspace.purge(key, row, purgeTime) {
                case .keep: break
                case .drop: changes.append((key, nil))
                case .replace(let bytes): changes.append((key, SQLiteRow(bytes: bytes, expiry: row.expiry)))
                }
            }
        }
        // With the rows: were it forgotten, a clock that is set back would show the rest of what expired with them.
        if !changes.isEmpty { try run(.setPurged) { $0.bind(1, purgeTime.microseconds) } }
        for (key, row) in changes {
            unsafe try key.withUnsafeBytes { key in
                if let row {
                    unsafe try row.bytes.withUnsafeBytes { unsafe try put(key, $0, row.expiry) }
                } else {
                    try run(.delete) { unsafe $0.bind(1, borrowing: key) }
                }
            }
        }
        return next
    }
}

extension Keyspace {
    /// What becomes of a row that nothing older lies below.
    fileprivate func purge(_ key: [UInt8], _ row: SQLiteRow, _ purgeTime: StorageInstant) -> PurgeDecision {
        if options.expiry != .none, row.expiry <= purgeTime.microseconds { return .drop }
        guard let mergeOperator = options.mergeOperator else { return .keep }
        return mergeOperator.purge(
            key: key.rawSpan.extracting(Keyspace.prefixByteCount...), value: row.bytes.rawSpan, now: purgeTime)
    }
}
