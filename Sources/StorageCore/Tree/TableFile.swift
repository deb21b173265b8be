// TableFile.swift — a table as the tree knows it: what the manifest says of it, and its reader, opened when needed.

internal import Synchronization

/// What the manifest records of a table.
struct TableMetadata: Sendable, Equatable {
    var number: UInt64
    var byteCount: Int64
    var smallestKey: [UInt8]
    var largestKey: [UInt8]
    /// Whether `largestKey` is only the exclusive end of a range delete.
    var largestKeyIsExclusive: Bool
    var smallestSequence: UInt64
    var largestSequence: UInt64
    var entryCount: Int
    var deleteCount: Int
    var mergeCount: Int
    var rangeTombstoneCount: Int
    var expiringCount: Int
    /// The most deletes among 128 consecutive entries.
    var densestDeleteCount: Int
    /// Keys and values before coding.
    var rawByteCount: Int
    var earliestExpiry: Int64
    var latestExpiry: Int64
    /// Bounds of the commit times, in microseconds since 1970; `Int64.min` and `.max` where nothing is known.
    var earliestTime: Int64
    var latestTime: Int64
    var compression: TableCompression
    var checksum: UInt32

    /// What the table says of when its commits were made.
    var commitTimes: CommitTimes {
        CommitTimes(
            notBefore: earliestTime == .min ? [] : [.init(sequence: smallestSequence, time: earliestTime)],
            notAfter: latestTime == .max ? [] : [.init(sequence: largestSequence, time: latestTime)])
    }

    /// Whether the table may hold something in `lower..<upper`.
    func overlaps(lower: [UInt8], upper: [UInt8]) -> Bool {
        guard compareBytes(smallestKey, upper) < 0 else { return false }
        let order = compareBytes(largestKey, lower)
        return largestKeyIsExclusive ? order > 0 : order >= 0
    }

    /// Whether the table may hold something of what `other` spans.
    func overlaps(_ other: TableMetadata) -> Bool {
        let order = compareBytes(smallestKey, other.largestKey)
        guard other.largestKeyIsExclusive ? order < 0 : order <= 0 else { return false }
        let reverse = compareBytes(other.smallestKey, largestKey)
        return largestKeyIsExclusive ? reverse < 0 : reverse <= 0
    }

    /// Whether every key of the table is below `key`.
    func isBelow(_ key: UnsafeRawBufferPointer) -> Bool {
        let order = unsafe compareBytes(largestKey, key)
        return largestKeyIsExclusive ? order <= 0 : order < 0
    }
}

extension TableMetadata {
    init(number: UInt64, properties: TableProperties) {
        self.init(
            number: number, byteCount: Int64(properties.fileByteCount), smallestKey: properties.smallestKey,
            largestKey: properties.largestKey, largestKeyIsExclusive: properties.largestKeyIsExclusive,
            smallestSequence: properties.smallestSequence, largestSequence: properties.largestSequence,
            entryCount: properties.entryCount, deleteCount: properties.deleteCount, mergeCount: properties.mergeCount,
            rangeTombstoneCount: properties.rangeTombstoneCount, expiringCount: properties.expiringCount,
            densestDeleteCount: properties.densestDeleteCount,
            rawByteCount: Int(clamping: Int128(properties.rawKeyByteCount) + Int128(properties.rawValueByteCount)),
            earliestExpiry: properties.earliestExpiry, latestExpiry: properties.latestExpiry,
            earliestTime: properties.earliestTime, latestTime: properties.latestTime,
            compression: properties.compression, checksum: properties.fileChecksum)
    }
}

/// A table of a tree. Who holds a reference can read it; the file is removed with the last one once it is obsolete.
@safe final class TableFile: Sendable {
    let metadata: TableMetadata
    private let cache: TableCache
    private let reader = Mutex<TableReader?>(nil)
    /// The same, for those who read inside a section.
    private let current = unsafe Atomic<Unmanaged<TableReader>?>(nil)
    private let rangeTombstoneSet = Mutex<RangeTombstoneSet?>(nil)
    private let isObsolete = Atomic<Bool>(false)
    /// When the reader was last used, in the table cache's ticks.
    let lastUse = Atomic<UInt64>(0)

    init(_ metadata: TableMetadata, cache: TableCache) {
        self.metadata = metadata
        smallestKey = metadata.smallestKey
        largestKey = metadata.largestKey
        largestKeyIsExclusive = metadata.largestKeyIsExclusive
        hasRangeDeletes = metadata.rangeTombstoneCount > 0
        self.cache = cache
    }

    deinit {
        if isObsolete.load(ordering: .relaxed) { cache.retireFile(of: metadata.number) }
    }

    var number: UInt64 { metadata.number }

    // The bounds once more, so that comparing with them does not copy all that is known of the table.
    private let smallestKey: [UInt8]
    private let largestKey: [UInt8]
    private let largestKeyIsExclusive: Bool
    let hasRangeDeletes: Bool

    /// Whether the table's first key is of a group.
    func begins(with group: KeyGroup) -> Bool { smallestKey.starts(with: group.bytes) }

    /// Whether every key of the table is below `key`.
    func isBelow(_ key: UnsafeRawBufferPointer) -> Bool {
        let order = unsafe compareBytes(largestKey, key)
        return largestKeyIsExclusive ? order <= 0 : order < 0
    }

    /// Whether every key of the table is above `key`.
    func isAbove(_ key: UnsafeRawBufferPointer) -> Bool { unsafe compareBytes(smallestKey, key) > 0 }

    /// Whether the table's bounds begin below `key`.
    func begins(before key: UnsafeRawBufferPointer) -> Bool { unsafe compareBytes(smallestKey, key) < 0 }

    func mayHold(_ key: UnsafeRawBufferPointer) -> Bool { unsafe !isAbove(key) && !isBelow(key) }

    var path: String { cache.path(of: number) }

    func markObsolete() { isObsolete.store(true, ordering: .relaxed) }

    /// The table's reader, inside a section of the storage's: good until that ends. Opens the file if it is not open.
    @inline(__always)
    func openInSection() throws -> Unmanaged<TableReader> {
        noteUse()
        if let open = unsafe current.load(ordering: .sequentiallyConsistent) { return unsafe open }
        return unsafe try openAnew()
    }

    @inline(never)
    private func openAnew() throws -> Unmanaged<TableReader> {
        let opened = try open()
        // Where many tables compete for little memory it may be closed again by now. Retired in a section, it is kept until
        // the section ends.
        cache.sections.retire(opened)
        return unsafe Unmanaged.passUnretained(opened)
    }

    @inline(__always)
    private func noteUse() {
        let now = cache.tick
        if lastUse.load(ordering: .relaxed) != now { lastUse.store(now, ordering: .relaxed) }
    }

    /// The table's reader; opens the file if it is not open.
    func open() throws -> TableReader {
        noteUse()
        if let open = reader.withLock({ $0 }) { return open }
        let opened = try cache.open(number: number, expected: metadata)
        let (kept, isNew) = reader.withLock { current in
            if let current { return (current, false) }
            current = opened
            unsafe self.current.store(Unmanaged.passUnretained(opened), ordering: .sequentiallyConsistent)
            return (opened, true)
        }
        if isNew { cache.didOpen(self, opened) }
        return kept
    }

    var isOpen: Bool { reader.withLock { $0 != nil } }

    /// Lets go of the reader; those who use it finish first.
    func closeReader() {
        let closed = reader.withLock { current in
            let closed = current.take()
            unsafe self.current.store(nil, ordering: .sequentiallyConsistent)
            return closed
        }
        if let closed { cache.sections.retire(closed) }
    }

    /// The table's range deletes; read once and kept.
    func rangeTombstones() throws -> RangeTombstoneSet {
        guard hasRangeDeletes else { return .empty }
        if let set = rangeTombstoneSet.withLock({ $0 }) { return set }
        let set = RangeTombstoneSet(try open().rangeTombstones)
        rangeTombstoneSet.withLock { $0 = set }
        return set
    }
}
