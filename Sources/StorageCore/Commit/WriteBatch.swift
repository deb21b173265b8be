// WriteBatch.swift — changes that commit together, kept normalised as they are added.
//
// Invariants:
// (1) At most one live entry for each (keyspace, key): later operations are folded into earlier ones.
// (2) Range deletes come first: an entry they cover that was added before them is gone, one added after them stays.
// (3) `bytes` holds every key (with its keyspace prefix) and value; entries are slices of it.
// (4) `index` maps the hash of a key to its entry once there are more than `linearLimit` of them.

internal import CStorage

/// Changes to any number of keyspaces that commit atomically, with one sequence number.
///
/// Operations apply in the order in which they are added. A batch holds at most 64 MiB.
public struct WriteBatch: Sendable {
    struct Entry: Sendable {
        var keyOffset: Int
        var keyByteCount: Int
        var valueOffset: Int
        var valueByteCount: Int
        var expiry: Int64
        var kind: EntryKind
        var keyspace: UInt32  // its slot
        var isLive: Bool

        /// Makes the entry live; whether it was.
        @inline(__always)
        mutating func setValue(_ kind: EntryKind, _ offset: Int, _ byteCount: Int, _ expiry: Int64) -> Bool {
            defer { isLive = true }
            self.kind = kind
            valueOffset = offset
            valueByteCount = byteCount
            self.expiry = expiry
            return isLive
        }
    }

    struct RangeDelete: Sendable {
        var keyspace: UInt32
        var lower: [UInt8]
        var upper: [UInt8]
    }

    static let maximumByteCount = 64 << 20
    static let maximumKeyByteCount = 256 << 10
    static let maximumValueByteCount = 32 << 20
    private static let linearLimit = 8
    private static let keptEntryCount = 16 << 10

    private(set) var bytes: [UInt8] = []
    private(set) var entries: [Entry] = []
    private(set) var rangeDeletes: [RangeDelete] = []
    private(set) var slots = UnsafeKeyspaceSlots()
    /// Entries that no later range delete of the batch has removed.
    private(set) var liveCount = 0
    private var rangeDeleteByteCount = 0
    /// What the range deletes cover together, once there are many.
    private var coverage = RangeTombstoneMap()
    private var random = SeededRandom(seed: 1)
    /// Entries that changed since `takeChanges` was first called; nil before.
    private var changes: [Int32]?
    private var index: [Int32] = []
    private var indexMask = 0

    public init() {}

    public var isEmpty: Bool { entries.isEmpty && rangeDeletes.isEmpty }

    /// Keys, values and bounds added so far, in bytes; what was overwritten or merged counts on.
    public var byteCount: Int { bytes.count + rangeDeleteByteCount }

    /// Keys, values and bounds without the prefixes of their keyspaces.
    var userByteCount: Int { byteCount - (entries.count + 2 * rangeDeletes.count) * Keyspace.prefixByteCount }

    /// About what the batch takes in memtables.
    var memtableByteCount: Int { byteCount + entries.count * 56 + rangeDeletes.count * 1024 }

    mutating func removeAll() {
        // The batch is used again; one that was large once does not keep its memory.
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
        if entries.capacity <= Self.keptEntryCount { entries.clear() } else { entries = [] }
        if !rangeDeletes.isEmpty {
            rangeDeletes.removeAll()
            coverage = RangeTombstoneMap()
        }
        liveCount = 0
        changes = nil
        rangeDeleteByteCount = 0
        slots.removeAll()
        if !index.isEmpty { index.removeAll(keepingCapacity: index.capacity <= 4 * Self.keptEntryCount) }
        indexMask = 0
    }

    // MARK: Operations

    /// Sets the value of `key`.
    /// - Throws: `StorageError`: `.keyTooLarge` over 256 KiB, `.valueTooLarge` over 32 MiB, `.batchTooLarge` over 64 MiB,
    ///   `.invalidArgument` for an expiry where the keyspace has no expiry policy.
    public mutating func put(
        _ keyspace: Keyspace, _ key: RawSpan, _ value: RawSpan, expiry: StorageInstant? = nil
    ) throws {
        try check(keyspace, key, value, expiry)
        let position = claimEntry(keyspace, key)
        setValue(of: position, kind: .put, value, expiry)
    }

    /// Removes `key`; nothing happens if it is absent.
    public mutating func delete(_ keyspace: Keyspace, _ key: RawSpan) throws {
        try checkSizes(key, valueByteCount: 0)
        let position = claimEntry(keyspace, key)
        entries[position].kind = .delete
        entries[position].valueByteCount = 0
        entries[position].expiry = unsafe UnsafeEntry.noExpiry
        changes?.append(Int32(truncatingIfNeeded: position))
    }

    /// Removes every key in `range`, at a cost that does not depend on how many there are.
    public mutating func deleteRange(_ keyspace: Keyspace, _ range: KeyRange) throws {
        let (lower, upper) = keyspace.treeRange(range)
        guard compareBytes(lower, upper) < 0 else { return }
        try checkBounds(lower, upper)
        rangeDeleteByteCount += lower.count + upper.count
        for position in entries.indices where entries[position].isLive {
            if unsafe withKey(of: position, { unsafe compareBytes(lower, $0) <= 0 && compareBytes(upper, $0) > 0 }) {
                entries[position].isLive = false
                liveCount -= 1
                changes?.append(Int32(truncatingIfNeeded: position))
            }
        }
        rangeDeletes.append(RangeDelete(keyspace: slots.slot(of: keyspace), lower: lower, upper: upper))
        guard rangeDeletes.count > Self.linearLimit else { return }
        for added in coverage.isEmpty ? rangeDeletes[...] : rangeDeletes.suffix(1) {
            let tombstone = RangeTombstone(lower: added.lower, upper: added.upper, sequence: 1)
            coverage = coverage.inserting(tombstone, random: &random)
        }
    }

    /// Combines `operand` with the value of `key` by the keyspace's merge operator, without reading it.
    public mutating func merge(
        _ keyspace: Keyspace, _ key: RawSpan, _ operand: RawSpan, expiry: StorageInstant? = nil
    ) throws {
        guard let mergeOperator = keyspace.options.mergeOperator else {
            throw StorageError.invalidArgument("Keyspace \"\(keyspace.name)\" has no merge operator; use put.")
        }
        try check(keyspace, key, operand, expiry)
        let count = entries.count
        let position = claimEntry(keyspace, key)
        let entry = entries[position]
        if position == count || !entry.isLive {
            let isCovered = isCoveredByRangeDelete(position)
            setValue(of: position, kind: isCovered ? .put : .merge, operand, expiry)
        } else if entry.kind == .delete {
            setValue(of: position, kind: .put, operand, expiry)
        } else {
            let older = Array(bytes[entry.valueOffset..<entry.valueOffset + entry.valueByteCount])
            var merged: [UInt8] = []
            try mergeOperator.merge(key: key, older: older.rawSpan, newer: operand, into: &merged)
            try checkSizes(key, valueByteCount: merged.count)
            let bound = mergeOperator.droppableAfter(
                merged: merged.rawSpan, older: StorageInstant(entryExpiry: entry.expiry), newer: expiry)
            setValue(of: position, kind: entry.kind, merged.rawSpan, bound)
        }
    }

    // MARK: Looking up

    /// What the batch says of a key.
    enum Finding {
        /// Nothing: look below.
        case nothing
        /// Nothing, but a range delete of the batch hides what lies below.
        case covered
        case entry(Int)
    }

    /// `key` with its keyspace prefix.
    func find(_ key: UnsafeRawBufferPointer) -> Finding {
        if let position = unsafe position(of: key), entries[position].isLive { return .entry(position) }
        return unsafe isCoveredByRangeDelete(key) ? .covered : .nothing
    }

    func isVolatile(_ keyspace: UInt32) -> Bool { slots.withKeyspace(keyspace) { $0.isVolatile } }

    /// Calls `body` with every live entry, its position, its tree key and its value, in the order in which they came.
    @inline(__always)
    func forEachLiveEntry(
        _ body: (_ position: Int, Entry, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) rethrows {
        unsafe try bytes.withUnsafeBytes { bytes in
            for position in entries.indices where entries[position].isLive {
                let entry = entries[position]
                let key = unsafe UnsafeRawBufferPointer(
                    rebasing: bytes[entry.keyOffset..<entry.keyOffset + entry.keyByteCount])
                let value = unsafe UnsafeRawBufferPointer(
                    rebasing: bytes[entry.valueOffset..<entry.valueOffset + entry.valueByteCount])
                unsafe try body(position, entry, key, value)
            }
        }
    }

    func withKey<R>(of position: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let entry = entries[position]
        return unsafe try bytes.withUnsafeBytes {
            unsafe try body(
                UnsafeRawBufferPointer(rebasing: $0[entry.keyOffset..<entry.keyOffset + entry.keyByteCount]))
        }
    }

    func withValue<R>(of position: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let entry = entries[position]
        let range = entry.valueOffset..<entry.valueOffset + entry.valueByteCount
        return unsafe try bytes.withUnsafeBytes { unsafe try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    private func isCoveredByRangeDelete(_ position: Int) -> Bool {
        unsafe withKey(of: position) { unsafe isCoveredByRangeDelete($0) }
    }

    private func isCoveredByRangeDelete(_ key: UnsafeRawBufferPointer) -> Bool {
        guard rangeDeletes.count <= Self.linearLimit else { return unsafe coverage.newestSequence(covering: key) > 0 }
        return rangeDeletes.contains { unsafe compareBytes($0.lower, key) <= 0 && compareBytes($0.upper, key) > 0 }
    }

    // MARK: Entries

    /// The entry of `key`, a new one if there is none. A new entry is live and has no value yet.
    private mutating func claimEntry(_ keyspace: Keyspace, _ key: RawSpan) -> Int {
        let keyOffset = bytes.count
        unsafe withUnsafeBytes(of: keyspace.id.bigEndian) { unsafe bytes.append(contentsOf: $0) }
        bytes.append(key)
        let keyByteCount = bytes.count - keyOffset
        if !entries.isEmpty, let existing = position(of: bytes, from: keyOffset) {
            bytes.removeSubrange(keyOffset...)
            return existing
        }
        liveCount += 1
        unsafe entries.append(
            Entry(
                keyOffset: keyOffset, keyByteCount: keyByteCount, valueOffset: bytes.count, valueByteCount: 0,
                expiry: UnsafeEntry.noExpiry, kind: .delete, keyspace: slots.slot(of: keyspace), isLive: true))
        addToIndex(entries.count - 1)
        return entries.count - 1
    }

    private mutating func setValue(of position: Int, kind: EntryKind, _ value: RawSpan, _ expiry: StorageInstant?) {
        let wasLive = unsafe entries[position].setValue(
            kind, bytes.count, value.byteCount, expiry?.microseconds ?? UnsafeEntry.noExpiry)
        if !wasLive { liveCount += 1 }
        bytes.append(value)
        changes?.append(Int32(truncatingIfNeeded: position))
    }

    /// The positions of entries that changed since the last call, all of them at the first; from then on changes are noted.
    mutating func takeChanges() -> [Int32] {
        defer { changes = [] }
        return changes ?? entries.indices.map { Int32(truncatingIfNeeded: $0) }
    }

    // MARK: Index

    private func position(of bytes: [UInt8], from offset: Int) -> Int? {
        unsafe bytes.withUnsafeBytes { unsafe position(of: UnsafeRawBufferPointer(rebasing: $0[offset...])) }
    }

    private func position(of key: UnsafeRawBufferPointer) -> Int? {
        if index.isEmpty {
            for position in entries.indices {
                if unsafe withKey(of: position, { unsafe compareBytes($0, key) == 0 }) { return position }
            }
            return nil
        }
        var slot = unsafe Int(truncatingIfNeeded: hashBytes(key)) & indexMask
        while index[slot] >= 0 {
            let position = Int(index[slot])
            if unsafe withKey(of: position, { unsafe compareBytes($0, key) == 0 }) { return position }
            slot = (slot + 1) & indexMask
        }
        return nil
    }

    private mutating func addToIndex(_ position: Int) {
        guard entries.count > Self.linearLimit else { return }
        if entries.count * 2 > index.count {
            let capacity = max(64, index.count * 2)
            index = Array(repeating: -1, count: capacity)
            indexMask = capacity - 1
            for position in entries.indices { link(position) }
        } else {
            link(position)
        }
    }

    private mutating func link(_ position: Int) {
        var slot = unsafe withKey(of: position) { unsafe Int(truncatingIfNeeded: hashBytes($0)) } & indexMask
        while index[slot] >= 0 { slot = (slot + 1) & indexMask }
        index[slot] = Int32(position)
    }

    // MARK: Checks

    private func check(_ keyspace: Keyspace, _ key: RawSpan, _ value: RawSpan, _ expiry: StorageInstant?) throws {
        if expiry != nil, keyspace.options.expiry == .none {
            throw StorageError.invalidArgument(
                "Keyspace \"\(keyspace.name)\" was created without an expiry policy; an entry in it can't expire.")
        }
        try checkSizes(key, valueByteCount: value.byteCount)
    }

    private func checkSizes(_ key: RawSpan, valueByteCount: Int) throws {
        guard key.byteCount + Keyspace.prefixByteCount <= Self.maximumKeyByteCount else {
            throw StorageError(.keyTooLarge, "A key of \(key.byteCount) bytes is over the limit of 256 KiB.")
        }
        guard valueByteCount <= Self.maximumValueByteCount else {
            throw StorageError(.valueTooLarge, "A value of \(valueByteCount) bytes is over the limit of 32 MiB.")
        }
        try checkRoom(key.byteCount + valueByteCount)
    }

    private func checkBounds(_ lower: [UInt8], _ upper: [UInt8]) throws {
        guard max(lower.count, upper.count) <= Self.maximumKeyByteCount else {
            throw StorageError(.keyTooLarge, "A bound of a range is over the limit of 256 KiB.")
        }
        try checkRoom(lower.count + upper.count)
    }

    private func checkRoom(_ count: Int) throws {
        guard byteCount + count <= Self.maximumByteCount else {
            throw StorageError(.batchTooLarge, "A batch holds at most 64 MiB; commit in several batches.")
        }
    }
}

extension StorageInstant {
    /// An entry's expiry field; nil where it says that there is none.
    init?(entryExpiry: Int64) {
        guard unsafe entryExpiry != UnsafeEntry.noExpiry else { return nil }
        self.init(microseconds: entryExpiry)
    }
}

/// A hash for tables in memory; never stored.
func hashBytes(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
    var offset = 0
    while offset + 8 <= bytes.count {
        hash = unsafe (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0xBF58_476D_1CE4_E5B9
        hash ^= hash >> 32
        offset += 8
    }
    while offset < bytes.count {
        hash = unsafe (hash ^ UInt64(bytes[offset])) &* 0x94D0_49BB_1331_11EB
        offset += 1
    }
    return hash ^ (hash >> 29)
}
