// Tree+Lookup.swift — the value of one key, found from the newest source to the oldest.

extension Tree {
    /// Calls `body` with the value of `key` as of `sequence`; false if the key is absent.
    ///
    /// - Parameters:
    ///   - key: The tree key: keyspace prefix and user key.
    ///   - newer: Operands of the key that lie above this tree (an open transaction's), newest first.
    func withValue(
        of key: UnsafeRawBufferPointer, in keyspace: Keyspace, sequence: UInt64, readTime: StorageInstant,
        newer: [[UInt8]] = [], traceSink: (any AccessTraceSink)? = nil, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        let state = self.state
        guard keyspace.tree === self else {
            // It has moved since it was asked where it is, and this tree may have let go of it.
            return unsafe try keyspace.tree.withValue(
                of: key, in: keyspace, sequence: sequence, readTime: readTime, newer: newer, traceSink: traceSink, body)
        }
        var search = Search(
            keyspace: keyspace, readTime: readTime.microseconds, traceSink: traceSink, operands: newer)
        traceSink?.record(
            .memtables(count: (state.memtables + (state.inherited?.memtables ?? [])).count { !$0.isEmpty }))
        for memtable in state.memtables where !search.isDone && !memtable.isEmpty {
            unsafe try search.visit(memtable, key, sequence, body)
        }
        if search.isDone { return unsafe try search.finish(key, body) }
        unsafe try search.visit(state.fences, key, sequence, body)
        if !search.isDone, let inherited = state.inherited {
            for memtable in inherited.memtables where !search.isDone && !memtable.isEmpty {
                unsafe try search.visit(memtable, key, sequence, body)
            }
            unsafe try search.visit(inherited.fences, key, sequence, body)
        }
        counters.lookups.add(search.tally)
        return unsafe try search.finish(key, body)
    }
}

/// The state of a look-up on its way down.
private struct Search {
    let keyspace: Keyspace
    let readTime: Int64
    let traceSink: (any AccessTraceSink)?
    /// Newest first.
    var operands: [[UInt8]]
    /// The newest range delete met so far that covers the key.
    var tombstone: UInt64 = 0
    var hash: UInt64?
    var tally = LookupTally()
    var hasMetVersion = false
    var isDone = false
    var isFound = false

    mutating func cover(_ tombstones: RangeTombstoneView, _ key: UnsafeRawBufferPointer) {
        guard !tombstones.isEmpty else { return }
        tombstone = unsafe max(tombstone, tombstones.newestSequence(covering: key))
    }

    /// Ends the search after a source with a range delete of the key: whatever lies deeper is older than that.
    mutating func stopIfCovered() {
        if tombstone > 0 { isDone = true }
    }

    @inline(__always)
    mutating func visit(
        _ memtable: Memtable, _ key: UnsafeRawBufferPointer, _ sequence: UInt64,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        unsafe cover(memtable.rangeTombstones(atMost: sequence), key)
        unsafe try memtable.forEachVersion(of: key, maxSequence: sequence) { unsafe try visit($0, body) }
        stopIfCovered()
    }

    @inline(__always)
    mutating func visit(
        _ fences: TreeFences, _ key: UnsafeRawBufferPointer, _ sequence: UInt64,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        for level in fences.levels.indices where !isDone {
            unsafe try visit(fences.levels[level], isOrdered: level > 0, key, sequence, body)
        }
    }

    /// Visits the tables of a level that may hold the key.
    mutating func visit(
        _ fences: LevelFences, isOrdered: Bool, _ key: UnsafeRawBufferPointer, _ sequence: UInt64,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let number = unsafe fences.number(of: key) else { return }
        if isOrdered {
            guard let index = unsafe fences.index(holding: key, number) else { return }
            return unsafe try visit(fences.tables[index], key, sequence, body)
        }
        for index in fences.tables.indices where unsafe !isDone && fences.mayHold(index, key, number) {
            unsafe try visit(fences.tables[index], key, sequence, body)
        }
    }

    mutating func visit(
        _ table: TableFile, _ key: UnsafeRawBufferPointer, _ sequence: UInt64,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if table.hasRangeDeletes {
            unsafe cover(RangeTombstoneView(try table.rangeTombstones(), atMost: sequence), key)
        }
        defer { stopIfCovered() }
        let reader = try table.open(tracedBy: traceSink)
        guard unsafe mayBeIn(reader, key) else {
            tally.ruledOut += 1
            traceSink?.record(.tableRuledOut(number: table.number))
            return
        }
        tally.searched += 1
        hasMetVersion = false
        unsafe try reader.forEachUnfilteredVersion(of: key, maxSequence: sequence) { unsafe try visit($0, body) }
        if !hasMetVersion { tally.misled += 1 }
        traceSink?.record(.tableSearched(number: table.number, isFound: hasMetVersion))
    }

    /// Asks the filter; the key is hashed once for all tables.
    private mutating func mayBeIn(_ reader: TableReader, _ key: UnsafeRawBufferPointer) -> Bool {
        guard let filter = reader.filter else { return reader.properties.entryCount > 0 }
        let keyHash = unsafe hash ?? xxHash64(key)
        hash = keyHash
        return filter.mayContain(hash: keyHash)
    }

    /// Takes the next older version; false when the search is over.
    mutating func visit(_ entry: UnsafeEntry, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        hasMetVersion = true
        let isExpired = unsafe keyspace.options.expiry == .engine && entry.expiry <= readTime
        if unsafe entry.kind == .delete || entry.sequence < tombstone || isExpired {
            isDone = true
        } else if unsafe entry.kind == .merge {
            unsafe operands.append(Array(entry.value))
        } else {
            isDone = true
            isFound = true
            if operands.isEmpty {
                unsafe try body(entry.value)
            } else {
                unsafe operands.append(Array(entry.value))
            }
        }
        return !isDone
    }

    /// Folds what was collected; whether the key has a value.
    func finish(_ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        guard !operands.isEmpty else { return isFound }
        let merged = unsafe try keyspace.fold(operands: operands.reversed(), key: key)
        unsafe try merged.withUnsafeBytes { unsafe try body($0) }
        return true
    }
}

extension Keyspace {
    /// Merges versions of a key.
    /// - Parameters:
    ///   - operands: Oldest first, not empty.
    ///   - key: The tree key.
    func fold(operands: some Sequence<[UInt8]>, key: UnsafeRawBufferPointer) throws -> [UInt8] {
        let userKey = unsafe RawSpan(
            _unsafeBytes: UnsafeRawBufferPointer(rebasing: key.dropFirst(Keyspace.prefixByteCount)))
        var result: [UInt8]?
        for operand in operands {
            guard let older = result else {
                result = operand
                continue
            }
            guard let mergeOperator = options.mergeOperator else {
                throw StorageError.invalidArgument(
                    "Keyspace \"\(name)\" holds merged values and was opened without its merge operator.")
            }
            var merged: [UInt8] = []
            try mergeOperator.merge(key: userKey, older: older.rawSpan, newer: operand.rawSpan, into: &merged)
            result = merged
        }
        return result ?? []
    }
}
