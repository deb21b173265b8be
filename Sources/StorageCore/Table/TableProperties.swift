// TableProperties.swift — what is known of a table without reading its entries. Names and coding: Docs/FORMATS.md, "Properties".

internal import StorageTypes

/// Counts, bounds and checksum of one table.
struct TableProperties: Equatable, Sendable {
    /// Point entries of all kinds.
    var entryCount = 0
    var deleteCount = 0
    var mergeCount = 0
    var rangeTombstoneCount = 0
    /// Point entries with an expiry.
    var expiringCount = 0
    /// The most deletes among 128 consecutive point entries: where a scan has to step over many. See `DeleteDensity`.
    var densestDeleteCount = 0
    /// Keys of the point entries, before prefix compression.
    var rawKeyByteCount = 0
    var rawValueByteCount = 0
    /// Data blocks as stored.
    var dataByteCount = 0
    /// Contents of the data blocks before compression.
    var uncompressedByteCount = 0
    /// The whole file. Not stored among the properties: the footer has it.
    var fileByteCount = 0

    /// Over point entries and range tombstones; empty if there are neither.
    var smallestKey: [UInt8] = []
    var largestKey: [UInt8] = []
    /// Whether `largestKey` is only the exclusive end of a range tombstone.
    var largestKeyIsExclusive = false

    /// Over point entries and range tombstones; 0 if there are neither.
    var smallestSequence: UInt64 = 0
    var largestSequence: UInt64 = 0

    /// The first expiry of a point entry; `Int64.max` if none expires.
    var earliestExpiry = Int64.max
    /// When the last point entry expires; `Int64.max` if one never does, or if there are no point entries.
    var latestExpiry = Int64.max

    /// Bounds of the commit times of what the table holds, in microseconds since 1970; `Int64.min` and `.max` where
    /// nothing is known.
    var earliestTime = Int64.min
    var latestTime = Int64.max

    /// Over point entries with a clustering; nil if nobody looked for it.
    var clustering: ClusteringBounds?

    /// `fixedByteCount` of the layout whose groups the filter knows; nil if it knows none.
    var groupOffset: Int?

    /// The compression asked for; single blocks may be stored without.
    var compression = TableCompression.none

    /// CRC-32C of the file up to the properties block. The blocks behind it have their own checksums.
    var fileChecksum: UInt32 = 0
}

extension TableProperties {
    /// Keys and values before coding.
    var rawByteCount: Int { Int(clamping: Int128(rawKeyByteCount) + Int128(rawValueByteCount)) }

    /// Takes in a point entry's kind, sequence, expiry and sizes; keys are bounded separately, at the ends.
    mutating func count(kind: EntryKind, sequence: UInt64, expiry: Int64, keyByteCount: Int, valueByteCount: Int) {
        let isFirst = entryCount == 0
        entryCount += 1
        switch kind {
        case .delete: deleteCount += 1
        case .merge: mergeCount += 1
        case .put: break
        }
        if expiry != TableFormat.noExpiry { expiringCount += 1 }
        rawKeyByteCount += keyByteCount
        rawValueByteCount += valueByteCount
        earliestExpiry = min(earliestExpiry, expiry)
        latestExpiry = isFirst ? expiry : max(latestExpiry, expiry)
        smallestSequence = isFirst ? sequence : min(smallestSequence, sequence)
        largestSequence = max(largestSequence, sequence)
    }

    /// Takes in the range tombstones, after all point entries and their bounds.
    mutating func count(_ tombstones: [RangeTombstone]) {
        for tombstone in tombstones {
            let isFirst = entryCount == 0 && rangeTombstoneCount == 0
            rangeTombstoneCount += 1
            smallestSequence = isFirst ? tombstone.sequence : min(smallestSequence, tombstone.sequence)
            largestSequence = max(largestSequence, tombstone.sequence)
            if isFirst || tombstone.lower.lexicographicallyPrecedes(smallestKey) { smallestKey = tombstone.lower }
            if isFirst || largestKey.lexicographicallyPrecedes(tombstone.upper) {
                largestKey = tombstone.upper
                largestKeyIsExclusive = true
            }
        }
    }
}

/// Finds where a table's deletes lie densest, in windows of 128 point entries that begin at multiples of 128.
struct DeleteDensity: Sendable {
    static let windowEntryCount = 128

    private var entryCount = 0
    private var deleteCount = 0
    /// The most deletes in any window so far.
    private(set) var densest = 0

    mutating func count(isDelete: Bool) {
        if entryCount == Self.windowEntryCount {
            entryCount = 0
            deleteCount = 0
        }
        entryCount += 1
        guard isDelete else { return }
        deleteCount += 1
        densest = max(densest, deleteCount)
    }
}

/// What is known of when commits were made. Commit times never fall from one commit to the next.
struct CommitTimes: Sendable, Equatable {
    /// A commit, and a bound of its time in microseconds since 1970.
    struct Point: Sendable, Equatable {
        var sequence: UInt64
        var time: Int64
    }

    /// Commits that were made at these times or later.
    var notBefore: [Point] = []
    /// Commits that were made at these times or earlier.
    var notAfter: [Point] = []

    static let unknown = CommitTimes()

    /// The bounds of the times of all commits between two; `Int64.min` and `.max` where nothing is known.
    func bounds(from smallest: UInt64, through largest: UInt64) -> (earliest: Int64, latest: Int64) {
        (
            notBefore.filter { $0.sequence <= smallest }.map(\.time).max() ?? .min,
            notAfter.filter { $0.sequence >= largest }.map(\.time).min() ?? .max
        )
    }

    mutating func formUnion(_ other: CommitTimes) {
        notBefore += other.notBefore
        notAfter += other.notAfter
    }
}

extension TableProperties {
    /// Bounds the commit times of what the table holds.
    mutating func bound(by times: CommitTimes) {
        guard entryCount > 0 || rangeTombstoneCount > 0 else { return }
        (earliestTime, latestTime) = times.bounds(from: smallestSequence, through: largestSequence)
    }
}
