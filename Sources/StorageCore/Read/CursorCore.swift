// CursorCore.swift — the visible entries of one keyspace, both ways.
//
// Invariants:
// (1) Forwards, the merged stream stands on a version of the current key, or past all of those that were looked at.
// (2) Backwards, the merged stream stands before every version of the current key, and the value is a copy.
// (3) `key` is a copy always, so it stays good while the sources move; a value that needed no merge is not copied
//     forwards.

@safe struct CursorCore: ~Copyable {
    private enum Direction { case forward, backward }

    private var merged: UnsafeSourceMerge
    private let tombstones: [SourceTombstones]
    private let keyspace: Keyspace
    private let lower: [UInt8]
    private let upper: [UInt8]
    /// The first eight bytes of the bounds, to decide by most of the time.
    private let lowerNumber: UInt64
    private let upperNumber: UInt64
    private let sequence: UInt64
    private let readTime: Int64
    private let judgesExpiry: Bool
    /// Keeps what the sources read from alive.
    private let state: TreeState
    private let snapshot: Snapshot?

    private var direction = Direction.forward
    private(set) var isValid = false
    private var keyBuffer = UnsafeByteBuffer()
    private var valueBuffer = UnsafeByteBuffer()
    private var foreignValue: UnsafeRawBufferPointer?
    private var operands: [[UInt8]] = []
    /// Whether a range delete covers the current key.
    private var isCovered = false

    init(
        keyspace: Keyspace, range: KeyRange, sequence: UInt64, readTime: StorageInstant, batch: WriteBatch? = nil,
        order: BatchOrder? = nil, batchSequence: UInt64 = 0, snapshot: Snapshot? = nil, reader: SQLiteReader? = nil,
        traceSink: (any AccessTraceSink)? = nil
    ) throws {
        self.keyspace = keyspace
        (lower, upper) = keyspace.treeRange(range)
        lowerNumber = leadingNumber(lower)
        upperNumber = leadingNumber(upper)
        self.sequence = max(sequence, batchSequence)
        self.readTime = readTime.microseconds
        judgesExpiry = keyspace.judgesExpiry
        self.snapshot = snapshot
        state = keyspace.treeState
        // After the state: one that was taken before the drop holds everything, for as long as the cursor is there.
        try keyspace.checkNotDropped()

        var sources: [EntrySource] = []
        var tombstones: [SourceTombstones] = []
        if let batch {
            if let order { sources.append(.batch(BatchCursor(order, sequence: batchSequence))) }
            if !batch.rangeDeletes.isEmpty {
                let set = RangeTombstoneSet(
                    batch.rangeDeletes.map {
                        RangeTombstone(lower: $0.lower, upper: $0.upper, sequence: batchSequence)
                    })
                tombstones.append(
                    SourceTombstones(
                        .view(RangeTombstoneView(set, atMost: batchSequence)), firstOlderSource: sources.count))
            }
        }
        if let reader {
            traceSink?.record(.database)
            if !reader.isHidden(keyspace) { sources.append(.sqlite(SQLiteCursor(reader, lower: lower, upper: upper))) }
        } else {
            try state.appendSources(
                to: &sources, tombstones: &tombstones, lower: lower, upper: upper, sequence: self.sequence,
                layout: keyspace.clusteringLayout, traceSink: traceSink)
        }
        merged = UnsafeSourceMerge(sources)
        self.tombstones = tombstones
    }

    // MARK: What it shows

    /// The user key, without the keyspace prefix. Valid until the cursor moves.
    var key: UnsafeRawBufferPointer {
        let treeKey = unsafe keyBuffer.bytes
        return unsafe UnsafeRawBufferPointer(
            start: treeKey.baseAddress.map { unsafe $0 + Keyspace.prefixByteCount },
            count: treeKey.count &- Keyspace.prefixByteCount)
    }

    var value: UnsafeRawBufferPointer { unsafe foreignValue ?? valueBuffer.bytes }

    // MARK: Moving

    mutating func seekToFirst() throws {
        try snapshot?.checkOpen()
        beginMove(.forward)
        let lower = lower
        unsafe try lower.withUnsafeBytes { unsafe try merged.seek(key: $0, sequence: SequenceNumber.max.rawValue) }
        try findForward()
    }

    mutating func seekToLast() throws {
        try snapshot?.checkOpen()
        beginMove(.backward)
        let upper = upper
        unsafe try upper.withUnsafeBytes {
            unsafe try merged.seekBackward(key: $0, sequence: SequenceNumber.max.rawValue)
        }
        try findBackward()
    }

    mutating func seek(_ key: RawSpan) throws {
        let keyspace = keyspace
        unsafe try keyspace.withTreeKey(key) { unsafe try seek(treeKey: $0) }
    }

    private mutating func seek(treeKey: UnsafeRawBufferPointer) throws {
        guard unsafe compareBytes(lower, treeKey) < 0 else { return try seekToFirst() }
        try snapshot?.checkOpen()
        beginMove(.forward)
        unsafe try merged.seek(key: treeKey, sequence: sequence)
        try findForward()
    }

    mutating func seekBackward(_ key: RawSpan) throws {
        let keyspace = keyspace
        unsafe try keyspace.withTreeKey(key) { unsafe try seekBackward(treeKey: $0) }
    }

    private mutating func seekBackward(treeKey: UnsafeRawBufferPointer) throws {
        guard unsafe isInFrontOfUpper(treeKey) else { return try seekToLast() }
        try snapshot?.checkOpen()
        beginMove(.backward)
        unsafe try merged.seekBackward(key: treeKey, sequence: 0)
        try findBackward()
    }

    mutating func next() throws {
        precondition(isValid, "A cursor moves only from an entry; seek first.")
        try snapshot?.checkOpen()
        // A value that is shown where it lies is that of the entry on which the stream stands.
        let standsOnKey = unsafe foreignValue != nil
        let turns = direction == .backward
        beginMove(.forward)
        if turns {
            unsafe try merged.seek(key: keyBuffer.bytes, sequence: 0)
        } else if standsOnKey {
            try merged.next()
        }
        try skipCurrentKey()
        try findForward()
    }

    mutating func previous() throws {
        precondition(isValid, "A cursor moves only from an entry; seek first.")
        try snapshot?.checkOpen()
        if direction == .forward {
            beginMove(.backward)
            unsafe try merged.seekBackward(key: keyBuffer.bytes, sequence: SequenceNumber.max.rawValue)
        } else {
            beginMove(.backward)
        }
        try findBackward()
    }

    /// Leaves the entry shown: after an error there is none.
    @inline(__always)
    private mutating func beginMove(_ newDirection: Direction) {
        direction = newDirection
        isValid = false
        unsafe foreignValue = nil
    }

    /// Whether a tree key lies in front of the upper bound.
    @inline(__always)
    private func isInFrontOfUpper(_ key: UnsafeRawBufferPointer) -> Bool {
        let number: UInt64 = unsafe leadingNumber(key)
        return unsafe number == upperNumber ? compareBytes(upper, key) > 0 : number < upperNumber
    }

    /// Whether a tree key lies before the lower bound.
    @inline(__always)
    private func isBeforeLower(_ key: UnsafeRawBufferPointer) -> Bool {
        let number: UInt64 = unsafe leadingNumber(key)
        return unsafe number == lowerNumber ? compareBytes(lower, key) > 0 : number < lowerNumber
    }

    // MARK: Forwards

    private mutating func findForward() throws {
        var coveredCount = 0
        while merged.isValid {
            let entry = unsafe merged.entry
            guard unsafe isInFrontOfUpper(entry.key) else { return }
            if unsafe entry.sequence > sequence {
                try skipNewerVersions()
                continue
            }
            unsafe keyBuffer.replace(with: entry.key)
            if try resolveForward() {
                isValid = true
                return
            }
            try skipCurrentKey()
            if isCovered {
                coveredCount += 1
                if coveredCount % Self.stepsBeforeSeek == 0 { try skipCovered() }
            }
        }
    }

    /// Makes the value of the key on whose newest visible version the stream stands; false if it has none.
    private mutating func resolveForward() throws -> Bool {
        let tombstone = tombstones.isEmpty ? 0 : try newestTombstone()
        if !operands.isEmpty { operands.removeAll(keepingCapacity: true) }
        var isFirst = true
        // Most keys have one version. An operand is gathered only once a second version is met; until then the buffer that
        // the value is shown from holds it.
        var hasLoneOperand = false
        while merged.isValid {
            let entry = unsafe merged.entry
            // The first is the entry that the key was copied from.
            guard unsafe isFirst || compareBytes(entry.key, keyBuffer.bytes) == 0, unsafe !isHidden(entry, tombstone)
            else { break }
            if isFirst {
                isFirst = false
                if unsafe entry.kind == .put {
                    unsafe foreignValue = entry.value
                    return true
                }
                unsafe valueBuffer.replace(with: entry.value)
                hasLoneOperand = true
            } else {
                if hasLoneOperand { unsafe operands.append(Array(valueBuffer.bytes)) }
                hasLoneOperand = false
                unsafe operands.append(Array(entry.value))
                if unsafe entry.kind == .put { break }
            }
            try merged.next()
        }
        if hasLoneOperand { return true }
        guard !operands.isEmpty else { return false }
        try setMergedValue(operands.reversed())
        return true
    }

    @inline(__always)
    private mutating func skipCurrentKey() throws { try skipVersions(newerThan: 0) }

    /// Leaves the versions of a key that are too new to be seen; the stream stands on one.
    private mutating func skipNewerVersions() throws {
        unsafe keyBuffer.replace(with: merged.entry.key)
        try skipVersions(newerThan: sequence)
    }

    /// Leaves the versions of the current key that are newer than one; all are newer than 0.
    @inline(__always)
    private mutating func skipVersions(newerThan sequence: UInt64) throws {
        var count = 0
        while merged.isValid, unsafe compareBytes(merged.entry.key, keyBuffer.bytes) == 0,
            unsafe merged.entry.sequence > sequence
        {
            count += 1
            if count == Self.stepsBeforeSeek {
                unsafe try merged.skipVersions(of: keyBuffer.bytes, newerThan: sequence)
            } else {
                try merged.next()
            }
        }
    }

    // MARK: Backwards

    private mutating func findBackward() throws {
        var coveredCount = 0
        while merged.isValid {
            if unsafe isBeforeLower(merged.entry.key) { return }
            unsafe keyBuffer.replace(with: merged.entry.key)
            if try resolveBackward() {
                isValid = true
                return
            }
            if isCovered {
                coveredCount += 1
                if coveredCount % Self.stepsBeforeSeek == 0 { try skipCoveredBackward() }
            }
        }
    }

    /// Walks the versions of the key from the oldest to the newest and keeps what is visible; false if nothing is. Of many, it
    /// looks for the newest that is visible.
    private mutating func resolveBackward() throws -> Bool {
        let tombstone = tombstones.isEmpty ? 0 : try newestTombstone()
        var hasValue = false
        var count = 0
        if !operands.isEmpty { operands.removeAll(keepingCapacity: true) }
        while merged.isValid {
            let entry = unsafe merged.entry
            // The first is the entry that the key was copied from.
            guard unsafe count == 0 || compareBytes(entry.key, keyBuffer.bytes) == 0 else { break }
            count += 1
            if count > Self.stepsBeforeSeek { return try resolveFromNewest() }
            if unsafe entry.sequence > sequence {
                // Too new to be seen.
            } else if unsafe isHidden(entry, tombstone) {
                hasValue = false
                operands.removeAll(keepingCapacity: true)
            } else if unsafe entry.kind == .put {
                unsafe valueBuffer.replace(with: entry.value)
                hasValue = true
                if !operands.isEmpty { operands.removeAll(keepingCapacity: true) }
            } else {
                unsafe operands.append(Array(entry.value))
            }
            try merged.previous()
        }
        guard !operands.isEmpty else { return hasValue }
        let base = hasValue ? unsafe [Array(valueBuffer.bytes)] : []
        try setMergedValue(base + operands)
        return true
    }

    /// The same from the newest visible version of the key on; the stream is back before all of them then.
    private mutating func resolveFromNewest() throws -> Bool {
        unsafe try merged.seek(key: keyBuffer.bytes, sequence: sequence)
        var hasValue = false
        if merged.isValid, unsafe compareBytes(merged.entry.key, keyBuffer.bytes) == 0 {
            hasValue = try resolveForward()
            if let value = unsafe foreignValue { unsafe valueBuffer.replace(with: value) }
            unsafe foreignValue = nil
        }
        unsafe try merged.seekBackward(key: keyBuffer.bytes, sequence: SequenceNumber.max.rawValue)
        return hasValue
    }

    // MARK: Both

    private mutating func newestTombstone() throws -> UInt64 {
        var newest: UInt64 = 0
        for source in tombstones {
            newest = max(newest, unsafe try source.newestSequence(covering: keyBuffer.bytes))
        }
        isCovered = newest > 0
        return newest
    }

    /// Stepping over a few keys or versions costs less than a seek of several sources.
    private static let stepsBeforeSeek = 8

    /// Lets the sources that are older than a range delete of the current key go on where that ends.
    private mutating func skipCovered() throws {
        for source in tombstones {
            guard let cover = unsafe try source.cover(of: keyBuffer.bytes) else { continue }
            unsafe try cover.upper.withUnsafeBytes {
                unsafe try merged.skip(to: $0, sourcesFrom: source.firstOlderSource)
            }
        }
    }

    private mutating func skipCoveredBackward() throws {
        for source in tombstones {
            guard let cover = unsafe try source.cover(of: keyBuffer.bytes) else { continue }
            unsafe try cover.lower.withUnsafeBytes {
                unsafe try merged.skipBackward(to: $0, sourcesFrom: source.firstOlderSource)
            }
        }
    }

    private func isHidden(_ entry: UnsafeEntry, _ tombstone: UInt64) -> Bool {
        unsafe entry.kind == .delete || entry.sequence < tombstone
            || (judgesExpiry && entry.expiry <= readTime)
    }

    /// - Parameter versions: Oldest first.
    private mutating func setMergedValue(_ versions: [[UInt8]]) throws {
        let folded = unsafe try keyspace.fold(operands: versions, key: keyBuffer.bytes)
        unsafe folded.withUnsafeBytes { unsafe valueBuffer.replace(with: $0) }
    }
}

/// The range deletes of a source of a cursor.
struct SourceTombstones {
    enum Source {
        case view(RangeTombstoneView)
        case level(LevelTombstones)
    }

    private let source: Source
    /// Sources from this one on hold nothing, of the keys that are covered, that is not older than the range delete.
    let firstOlderSource: Int

    init(_ source: Source, firstOlderSource: Int) {
        self.source = source
        self.firstOlderSource = firstOlderSource
    }

    /// The newest range delete that covers `key`; 0 if none does.
    func newestSequence(covering key: UnsafeRawBufferPointer) throws -> UInt64 {
        switch source {
        case .view(let view): unsafe view.newestSequence(covering: key)
        case .level(let level): unsafe try level.view(of: key)?.newestSequence(covering: key) ?? 0
        }
    }

    /// The stretch around `key` that one range delete covers; nil if none does.
    func cover(of key: UnsafeRawBufferPointer) throws -> RangeTombstoneMap.Cover? {
        switch source {
        case .view(let view): unsafe view.cover(of: key)
        case .level(let level): unsafe try level.view(of: key)?.cover(of: key)
        }
    }
}

extension TreeState {
    /// Adds cursors over everything that may hold keys in `lower..<upper`, newest first, and the range deletes that a reader
    /// at `sequence` sees.
    /// - Parameter layout: That of the keyspace.
    func appendSources(
        to sources: inout [EntrySource], tombstones: inout [SourceTombstones], lower: [UInt8], upper: [UInt8],
        sequence: UInt64, layout: ClusteringLayout? = nil, traceSink: (any AccessTraceSink)? = nil
    ) throws {
        traceSink?.record(.memtables(count: filledMemtableCount))
        var search = TableSearch(lower: lower, upper: upper, traceSink: traceSink)
        if let layout { search.narrow(by: layout) }
        try appendOwnSources(to: &sources, tombstones: &tombstones, search, sequence: sequence)
        try inherited?.appendOwnSources(to: &sources, tombstones: &tombstones, search, sequence: sequence)
    }

    private func appendOwnSources(
        to sources: inout [EntrySource], tombstones: inout [SourceTombstones], _ search: TableSearch, sequence: UInt64
    ) throws {
        func append(_ view: RangeTombstoneView) {
            if !view.isEmpty { tombstones.append(SourceTombstones(.view(view), firstOlderSource: sources.count)) }
        }
        for memtable in memtables where !memtable.isEmpty {
            sources.append(.memtable(memtable.makeCursor()))
            if memtable.hasRangeDeletes { append(memtable.rangeTombstones(atMost: sequence)) }
        }
        for table in levels.overlapping(0, lower: search.bounds.lower, upper: search.bounds.upper) {
            if try search.mayFind(in: table) { sources.append(try search.source(in: [table])) }
            if table.hasRangeDeletes { append(RangeTombstoneView(try table.rangeTombstones(), atMost: sequence)) }
        }
        for level in 1..<Levels.count {
            let tables = levels.overlapping(level, lower: search.bounds.lower, upper: search.bounds.upper)
            let searched = try search.isNarrow ? tables.filter(search.mayFind) : tables
            if !searched.isEmpty { sources.append(try search.source(in: Array(searched), isLevel: true)) }
            let withRangeDeletes = tables.filter(\.hasRangeDeletes)
            if !withRangeDeletes.isEmpty {
                let level = LevelTombstones(withRangeDeletes, atMost: sequence)
                tombstones.append(SourceTombstones(.level(level), firstOlderSource: sources.count))
            }
        }
    }
}

/// What a cursor looks for in tables.
private struct TableSearch {
    let bounds: TreeKeyBounds
    /// That which all keys are of; nil where they need not be of one.
    private var group: KeyGroup?
    /// Those that the keys may have, and what these keys begin with; nil where that says nothing.
    private var clusterings: (layout: ClusteringLayout, tagged: [UInt8], range: ClosedRange<UInt128>)?
    var traceSink: (any AccessTraceSink)?

    init(lower: [UInt8], upper: [UInt8], traceSink: (any AccessTraceSink)?) {
        bounds = TreeKeyBounds(lower: lower, upper: upper)
        self.traceSink = traceSink
    }

    mutating func narrow(by layout: ClusteringLayout) {
        guard let group = layout.group(lower: bounds.lower, upper: bounds.upper) else { return }
        self.group = KeyGroup(group, by: layout)
        if let (tagged, range) = layout.clusterings(lower: bounds.lower, upper: bounds.upper) {
            clusterings = (layout, tagged, range)
        }
    }

    /// The tables' entries as a source of a merge; they are in key order and share no key.
    /// - Parameter isLevel: Whether they are all there is of a level: each is opened when the walk comes there.
    func source(in tables: [TableFile], isLevel: Bool = false) throws -> EntrySource {
        let groupKeys = try groupKeys(in: tables)
        if !isLevel, tables.count == 1, groupKeys == nil {
            traceSink?.record(.tableEntered(number: tables[0].number))
            return .table(try tables[0].open(tracedBy: traceSink).makeCursor(bounds: bounds))
        }
        return .level(LevelCursor(tables, bounds: bounds, groupKeys: groupKeys, traceSink: traceSink))
    }

    /// What tables may have of the group that is looked for; nil where not all of them know.
    private func groupKeys(in tables: [TableFile]) throws -> GroupKeys? {
        guard let clusterings else { return nil }
        var union = ClusteringBounds(clusterings.layout)
        for table in tables {
            guard let bounds = try table.open().clusteringBounds(by: clusterings.layout) else { return nil }
            union.formUnion(bounds)
        }
        return union.keys(ofGroup: clusterings.tagged)
    }

    /// Whether some tables need not be entered although their keys lie around those looked for.
    var isNarrow: Bool { group != nil }

    func mayFind(in table: TableFile) throws -> Bool {
        guard let group else { return true }
        // A table that begins with the group has it: of many of them, each is opened only when the walk comes there.
        let isInside = table.begins(with: group)
        if isInside, clusterings == nil { return true }
        let reader = try table.open()
        var mayFind = true
        if let clusterings, let bounds = reader.clusteringBounds(by: clusterings.layout) {
            mayFind = bounds.overlaps(clusterings.range)
        }
        if mayFind, try isInside || reader.mayContain(group) { return true }
        traceSink?.record(.tableRuledOut(number: table.number))
        return false
    }
}
