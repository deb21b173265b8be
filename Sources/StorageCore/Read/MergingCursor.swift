// MergingCursor.swift — a merge of sources as an object, for flushes and compactions.

/// Merges sources that have no entry (key and sequence) in common; see `UnsafeSourceMerge`.
///
/// The direction is set by a seek and kept until the next: `next` follows `seek` and `seekToFirst`, `previous` follows
/// `seekBackward` and `seekToLast`.
final class MergingCursor {
    // Asked and moved for each entry, by its owner alone.
    @exclusivity(unchecked) private var merge: UnsafeSourceMerge

    init(_ sources: [EntrySource]) {
        unsafe merge = UnsafeSourceMerge(sources)
    }

    var isValid: Bool { unsafe merge.isValid }

    /// Valid until the cursor moves.
    var entry: UnsafeEntry { unsafe merge.entry }

    func seekToFirst() throws { unsafe try merge.seekToFirst() }

    func seekToLast() throws { unsafe try merge.seekToLast() }

    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        unsafe try merge.seek(key: key, sequence: sequence)
    }

    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        unsafe try merge.seekBackward(key: key, sequence: sequence)
    }

    func next() throws { unsafe try merge.next() }

    func previous() throws { unsafe try merge.previous() }
}
