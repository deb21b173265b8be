// RangeTombstoneView.swift — the range deletes of one source as one reader sees them.

/// The range deletes of a memtable or a table, up to one sequence.
struct RangeTombstoneView: Sendable {
    private enum Source: Sendable {
        case map(RangeTombstoneMap)
        case set(RangeTombstoneSet)
    }

    private let source: Source
    private let sequence: UInt64

    init(_ map: RangeTombstoneMap) {
        source = .map(map)
        sequence = .max
    }

    init(_ set: RangeTombstoneSet, atMost sequence: UInt64) {
        source = .set(set)
        self.sequence = sequence
    }

    var isEmpty: Bool {
        switch source {
        case .map(let map): map.isEmpty
        case .set(let set): set.isEmpty
        }
    }

    /// The newest range delete that covers `key`; 0 if none does.
    func newestSequence(covering key: UnsafeRawBufferPointer) -> UInt64 {
        switch source {
        case .map(let map): unsafe map.newestSequence(covering: key)
        case .set(let set): unsafe set.newestSequence(covering: key, atMost: sequence)
        }
    }

    /// The stretch around `key` that one range delete covers, the newest of those that cover `key`; nil if none does.
    func cover(of key: UnsafeRawBufferPointer) -> RangeTombstoneMap.Cover? {
        switch source {
        case .map(let map): unsafe map.cover(of: key)
        case .set(let set): unsafe set.cover(of: key, atMost: sequence)
        }
    }
}
