// RangeTombstoneSet.swift — range deletes, cut into fragments that do not overlap.
//
// Invariants of `RangeTombstoneSet`:
// (1) Fragments are in key order and do not overlap; neighbours may touch.
// (2) Each fragment names the sequences of all tombstones that cover it, newest first.
// So whether a version is covered is one binary search.

/// Range deletes of one source, or of several, ready for look-ups.
final class RangeTombstoneSet: Sendable {
    struct Fragment: Sendable {
        var lower: [UInt8]
        var upper: [UInt8]
        /// Newest first.
        var sequences: [UInt64]

        /// The newest of them that is not newer than `sequence`; 0 if there is none.
        func newestSequence(atMost sequence: UInt64) -> UInt64 {
            // Nearly always there is one, or the first will do.
            if let first = sequences.first, first <= sequence { return first }
            let index = sequences.partitioningIndex { $0 <= sequence }
            return index < sequences.count ? sequences[index] : 0
        }
    }

    let fragments: [Fragment]

    static let empty = RangeTombstoneSet([])

    init(_ tombstones: [RangeTombstone]) {
        fragments = Self.fragment(tombstones)
    }

    var isEmpty: Bool { fragments.isEmpty }

    /// The newest tombstone, not newer than `sequence`, that covers `key`; 0 if none does.
    func newestSequence(covering key: UnsafeRawBufferPointer, atMost sequence: UInt64) -> UInt64 {
        unsafe fragment(containing: key)?.newestSequence(atMost: sequence) ?? 0
    }

    /// The fragment of `key`, as far as a reader at `sequence` sees it covered; nil if it does not.
    func cover(of key: UnsafeRawBufferPointer, atMost sequence: UInt64) -> RangeTombstoneMap.Cover? {
        guard let fragment = unsafe fragment(containing: key) else { return nil }
        let newest = fragment.newestSequence(atMost: sequence)
        guard newest > 0 else { return nil }
        return RangeTombstoneMap.Cover(sequence: newest, lower: fragment.lower, upper: fragment.upper)
    }

    /// Every tombstone sequence that covers `key`, newest first.
    func sequences(covering key: UnsafeRawBufferPointer) -> [UInt64] {
        unsafe fragment(containing: key)?.sequences ?? []
    }

    private func fragment(containing key: UnsafeRawBufferPointer) -> Fragment? {
        let index = unsafe firstFragment(endingAbove: key)
        guard index < fragments.count, unsafe compareBytes(fragments[index].lower, key) <= 0 else { return nil }
        return fragments[index]
    }

    /// The fragments that cover something from `key` on.
    func fragments(from key: [UInt8]) -> ArraySlice<Fragment> {
        unsafe key.withUnsafeBytes { unsafe fragments[firstFragment(endingAbove: $0)...] }
    }

    /// The index of the first fragment whose upper bound lies above a key.
    private func firstFragment(endingAbove key: UnsafeRawBufferPointer) -> Int {
        fragments.partitioningIndex { unsafe compareBytes($0.upper, key) > 0 }
    }

    /// The tombstones again, one for each fragment and sequence.
    var tombstones: [RangeTombstone] {
        fragments.flatMap { fragment in
            fragment.sequences.map { RangeTombstone(lower: fragment.lower, upper: fragment.upper, sequence: $0) }
        }
    }

    private static func fragment(_ tombstones: [RangeTombstone]) -> [Fragment] {
        let tombstones = tombstones.filter { compareBytes($0.lower, $0.upper) < 0 }
        guard !tombstones.isEmpty else { return [] }
        var bounds = tombstones.flatMap { [$0.lower, $0.upper] }
        bounds.sort { compareBytes($0, $1) < 0 }
        bounds.removeConsecutiveDuplicates()
        let starts = tombstones.sorted { compareBytes($0.lower, $1.lower) < 0 }

        var fragments: [Fragment] = []
        var active: [RangeTombstone] = []
        var nextStart = 0
        for (lower, upper) in zip(bounds, bounds.dropFirst()) {
            active.removeAll { compareBytes(lower, $0.upper) >= 0 }
            while nextStart < starts.count, starts[nextStart].lower == lower {
                active.append(starts[nextStart])
                nextStart += 1
            }
            guard !active.isEmpty else { continue }
            var sequences = active.map(\.sequence).sorted(by: >)
            sequences.removeConsecutiveDuplicates()
            fragments.append(Fragment(lower: lower, upper: upper, sequences: sequences))
        }
        return fragments
    }
}

extension Array where Element: Equatable {
    fileprivate mutating func removeConsecutiveDuplicates() {
        var kept: [Element] = []
        kept.reserveCapacity(count)
        for element in self where kept.last != element { kept.append(element) }
        self = kept
    }
}
