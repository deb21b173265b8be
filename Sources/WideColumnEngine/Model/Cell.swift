// Cell.swift — the smallest things that carry a timestamp, and which of two wins.
//
// The rules are Cassandra's ([CA] db/rows/Cells.java `resolveRegular`, db/LivenessInfo.java `supersedes`). Every
// resolution here is commutative, associative and idempotent: replaying or reordering writes changes nothing.

/// A deletion: everything it covers with a timestamp up to its own is gone.
struct DeletionTime: Hashable, Sendable {
    /// Microseconds, as the writer gave it.
    var timestamp: Int64
    /// Seconds since 1970 when the deletion was made; it is kept for the grace period after that.
    var localDeletionTime: Int64

    /// Deletes nothing. `Int64.min` is no timestamp a statement can carry.
    static let none = DeletionTime(timestamp: .min, localDeletionTime: .max)

    var isNone: Bool { timestamp == .min }

    func covers(_ other: Int64) -> Bool { other <= timestamp }

    /// The later one; of two at the same timestamp, the one kept longer.
    static func later(_ left: DeletionTime, _ right: DeletionTime) -> DeletionTime {
        if left.timestamp != right.timestamp { return left.timestamp > right.timestamp ? left : right }
        return left.localDeletionTime >= right.localDeletionTime ? left : right
    }
}

/// What INSERT leaves behind besides cells: the row exists even if all its columns are null.
struct RowMarker: Hashable, Sendable {
    var timestamp: Int64
    /// Seconds; 0 lives for ever.
    var timeToLive: Int32 = 0
    /// Seconds since 1970; `Int64.max` without a time to live.
    var expiry: Int64 = .max

    func isLive(at seconds: Int64) -> Bool { seconds < expiry }

    static func winner(_ left: RowMarker, _ right: RowMarker) -> RowMarker {
        if left.timestamp != right.timestamp { return left.timestamp > right.timestamp ? left : right }
        if (left.timeToLive != 0) != (right.timeToLive != 0) { return left.timeToLive != 0 ? left : right }
        if left.expiry != right.expiry { return left.expiry > right.expiry ? left : right }
        return left.timeToLive <= right.timeToLive ? left : right
    }
}

/// One cell. Its path (the element of a collection) and value are ranges of the bytes it was read from.
struct Cell: Hashable, Sendable {
    /// The first four are stored: do not renumber.
    enum Kind: UInt8, Hashable, Sendable {
        case live = 0
        case expiring = 1
        case tombstone = 2
        /// Deletes the elements of a collection with timestamps up to its own.
        case complexDeletion = 3
        /// An expiring cell whose time was over when a compaction met it: without its value, but with all that decides
        /// which of two wins.
        case expired = 4

        /// The order of rules 2 and 3 at equal timestamps.
        fileprivate var rank: UInt8 { self == .expired ? Kind.expiring.rawValue : rawValue }
    }

    var column: UInt16
    var kind: Kind
    var timestamp: Int64
    /// Seconds; 0 unless expiring or expired.
    var timeToLive: Int32 = 0
    /// Seconds since 1970: the expiry of an expiring or expired cell, the time of the deletion of a tombstone, else `Int64.max`.
    var localDeletionTime: Int64 = .max
    var path: Range<Int> = 0..<0
    var value: Range<Int> = 0..<0

    var isExpiring: Bool { kind == .expiring }

    func isLive(at seconds: Int64) -> Bool {
        switch kind {
        case .live: true
        case .expiring: seconds < localDeletionTime
        case .tombstone, .complexDeletion, .expired: false
        }
    }

    /// Whether this cell wins over `other`, which has the same column and path.
    ///
    /// 1. The higher timestamp. 2. Expiring or tombstone before plain live. 3. Tombstone before expiring.
    /// 4. The higher local deletion time. 5. The greater value. Last, so that order never matters, the shorter
    /// time to live. Expired cells keep to this as expiring ones, so that no answer changes by what a compaction has met
    /// (Cassandra's become tombstones, which win by rule 3 over cells that expire later).
    func wins(over other: Cell, values: RawSpan, otherValues: RawSpan) -> Bool {
        if timestamp != other.timestamp { return timestamp > other.timestamp }
        if kind.rank != other.kind.rank { return kind.rank > other.kind.rank }
        if localDeletionTime != other.localDeletionTime { return localDeletionTime > other.localDeletionTime }
        if kind != other.kind { return kind == .expired }
        let order = values.extracting(value).compare(otherValues.extracting(other.value))
        return order != 0 ? order > 0 : timeToLive <= other.timeToLive
    }
}
