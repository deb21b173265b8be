// ClusteringLayout.swift — what of a key says "when", and the bounds of it that a table keeps.
//
// Keys of many groups (sessions, users) lie side by side in a table, those of each group in an order of their own, such
// as that of time. The bounds of a table's keys say nothing of that order, since the group comes first. So a table keeps
// the bounds of the second part too: what was written this hour is not looked for in last week's tables.
//
// Bounds are of the first 16 bytes, zeros where there are fewer. That keeps the order (not strictly), so what lies
// outside is certainly absent.
//
// The group itself is in the table's filter, beside the whole keys: a scan within a group does not enter a table that has
// nothing of it, although others around it are there.

/// Where in a keyspace's keys the clustering begins: the part by which the entries of a group are ordered.
///
/// A key with a clustering is made of `fixedByteCount` bytes, a byte string as ``KeyEncoder`` writes it (ascending), the byte
/// `tag`, and then the clustering. Keys of other forms have none, and are found as without a layout.
///
/// Tables keep the bounds of their clusterings, so that a look-up or a scan within one group leaves out the tables that
/// have nothing of that time. Their filters know the groups too, those of keys with another tag included: a scan within
/// one group leaves out the tables that have nothing of it. Worth giving where there are many groups of many keys.
public struct ClusteringLayout: Sendable, Hashable {
    public var fixedByteCount: UInt8
    public var tag: UInt8

    public init(fixedByteCount: UInt8, tag: UInt8) {
        self.fixedByteCount = fixedByteCount
        self.tag = tag
    }

    /// Where the clustering of a tree key begins; nil if it has none.
    func offset(in key: UnsafeRawBufferPointer) -> Int? {
        guard let end = unsafe groupEnd(in: key), unsafe end < key.count && key[end] == tag else { return nil }
        return end + 1
    }

    /// Where the group of a tree key ends: behind the byte string; nil if the key has none.
    func groupEnd(in key: UnsafeRawBufferPointer) -> Int? {
        var offset = Keyspace.prefixByteCount + Int(fixedByteCount)
        while offset + 8 <= key.count {
            let word = unsafe UInt64(littleEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let position = firstPosition(of: 0, in: word)
            offset += position
            if position < 8, let end = unsafe end(of: key, atZero: &offset) { return end }
        }
        while offset + 1 < key.count {
            if unsafe key[offset] != 0 {
                offset += 1
            } else if let end = unsafe end(of: key, atZero: &offset) {
                return end
            }
        }
        return nil
    }

    /// Where the byte string ends, if it does at a zero; steps over one that is part of it.
    @inline(__always)
    private func end(of key: UnsafeRawBufferPointer, atZero offset: inout Int) -> Int? {
        guard offset + 1 < key.count else {
            offset += 2
            return nil
        }
        let isEscaped = unsafe key[offset + 1] == 0xFF
        offset += 2
        return isEscaped ? nil : offset
    }

    /// The clustering of a tree key, as far as bounds look at it; nil if it has none.
    @inline(__always)
    func clustering(of key: UnsafeRawBufferPointer) -> UInt128? {
        unsafe offset(in: key).map { unsafe leadingNumber(key, from: $0) }
    }

    /// The group that all keys in `lower..<upper` are of; nil if they need not be of one.
    func group(lower: [UInt8], upper: [UInt8]) -> ArraySlice<UInt8>? {
        guard let end = unsafe lower.withUnsafeBytes({ unsafe groupEnd(in: $0) }) else { return nil }
        let group = lower[..<end]
        return upper.starts(with: group) || reachesToEnd(of: Array(group), at: upper) ? group : nil
    }

    /// The clusterings that keys in `lower..<upper` may have, if these are all of one group and have one; nil if they need
    /// not be. `tagged` is what all of them begin with.
    func clusterings(lower: [UInt8], upper: [UInt8]) -> (tagged: [UInt8], range: ClosedRange<UInt128>)? {
        guard let offset = unsafe lower.withUnsafeBytes({ unsafe offset(in: $0) }) else { return nil }
        let tagged = Array(lower[..<offset])
        let first: UInt128 = leadingNumber(lower, from: offset)
        if upper.starts(with: tagged) {
            let last: UInt128 = leadingNumber(upper, from: offset)
            return first <= last ? (tagged, first...last) : nil
        }
        return reachesToEnd(of: tagged, at: upper) ? (tagged, first...UInt128.max) : nil
    }

    /// Whether no key below `upper` comes after those that begin with some bytes.
    private func reachesToEnd(of bytes: [UInt8], at upper: [UInt8]) -> Bool {
        upperBound(ofPrefix: bytes).map { compareBytes(upper, $0) <= 0 } ?? false
    }
}

/// A group of keys as filters are asked for it.
struct KeyGroup: Sendable {
    let bytes: [UInt8]
    /// Where its byte string begins, behind the keyspace's id.
    let offset: Int
    let hash: UInt64

    init(_ bytes: ArraySlice<UInt8>, by layout: ClusteringLayout) {
        self.bytes = Array(bytes)
        offset = Int(layout.fixedByteCount)
        hash = unsafe bytes.withUnsafeBytes { unsafe xxHash64($0) }
    }
}

/// The bounds of the clusterings of a table's point entries, those of them that have one, and whether all have.
struct ClusteringBounds: Equatable, Sendable {
    let layout: ClusteringLayout
    private(set) var lower = UInt128.max
    private(set) var upper = UInt128.min
    /// Whether there may be entries without a clustering.
    private(set) var hasOthers: Bool

    init(_ layout: ClusteringLayout, hasOthers: Bool = false) {
        self.layout = layout
        self.hasOthers = hasOthers
    }

    init(_ layout: ClusteringLayout, lower: UInt128, upper: UInt128, hasOthers: Bool) {
        self.init(layout, hasOthers: hasOthers)
        self.lower = lower
        self.upper = upper
    }

    @inline(__always)
    mutating func extend(to key: UnsafeRawBufferPointer) {
        unsafe extend(to: key, groupEnd: layout.groupEnd(in: key))
    }

    /// - Parameter groupEnd: Where the key's group ends, if it has one.
    @inline(__always)
    mutating func extend(to key: UnsafeRawBufferPointer, groupEnd: Int?) {
        guard let groupEnd, unsafe groupEnd < key.count && key[groupEnd] == layout.tag else {
            hasOthers = true
            return
        }
        let clustering: UInt128 = unsafe leadingNumber(key, from: groupEnd + 1)
        lower = min(lower, clustering)
        upper = max(upper, clustering)
    }

    /// Whether there may be an entry of this clustering, or one without where it is nil.
    @inline(__always)
    func mayContain(_ clustering: UInt128?) -> Bool {
        guard let clustering else { return hasOthers }
        return lower <= clustering && clustering <= upper
    }

    func overlaps(_ clusterings: ClosedRange<UInt128>) -> Bool {
        lower <= clusterings.upperBound && clusterings.lowerBound <= upper
    }

    /// Widens the bounds by those of another table.
    mutating func formUnion(_ other: ClusteringBounds) {
        lower = min(lower, other.lower)
        upper = max(upper, other.upper)
        hasOthers = hasOthers || other.hasOthers
    }

    /// What the bounds say of a group's keys.
    ///
    /// - Parameter tagged: What the tree keys of the group that have a clustering begin with.
    func keys(ofGroup tagged: [UInt8]) -> GroupKeys {
        // Zeros at the end may stand for bytes that are not there.
        let first = tagged + bytes(lower).trimmingTrailing(0)
        return GroupKeys(first: first, end: upper == .max ? nil : tagged + bytes(upper + 1))
    }

    private func bytes(_ clustering: UInt128) -> [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: clustering >> (120 - 8 * $0)) }
    }
}

/// The keys that some tables may have of one group.
struct GroupKeys: Sendable {
    /// None of them comes before it.
    let first: [UInt8]
    /// All of them come before it; nil where nothing is known.
    let end: [UInt8]?
}

extension [UInt8] {
    fileprivate func trimmingTrailing(_ byte: UInt8) -> [UInt8] {
        Array(prefix(upTo: (lastIndex { $0 != byte } ?? -1) + 1))
    }
}
