// BatchOrder.swift — the entries of an open transaction in key order, for its cursors.
//
// A trie with a version for each change of each entry, numbered in the order in which they were noted. A cursor looks at
// the numbers up to the one at its creation, so it sees the batch as it was then, and costs no copy of it. The order is
// made at the first cursor and takes over what has changed since at each later one.
//
// Invariant: a version that is a delete with a value stands for an entry that a range delete of the batch has removed.

/// Belongs to one transaction, so to one thread at a time.
@safe final class BatchOrder {
    private static let removed: [UInt8] = [0]

    @exclusivity(unchecked) private var writer = UnsafeTrieWriter()
    /// The number of the newest change that was taken over.
    private(set) var change: UInt64 = 0

    var trie: UnsafeTrie { unsafe writer.trie }

    /// Takes over what a batch has changed since the last call.
    func catchUp(with batch: inout WriteBatch) {
        for position in batch.takeChanges() {
            let entry = batch.entries[Int(position)]
            change += 1
            unsafe batch.withKey(of: Int(position)) { key in
                if entry.isLive {
                    unsafe batch.withValue(of: Int(position)) { unsafe insert(key, entry.kind, entry.expiry, $0) }
                } else {
                    unsafe Self.removed.withUnsafeBytes { unsafe insert(key, .delete, UnsafeEntry.noExpiry, $0) }
                }
            }
        }
    }

    private func insert(
        _ key: UnsafeRawBufferPointer, _ kind: EntryKind, _ expiry: Int64, _ value: UnsafeRawBufferPointer
    ) {
        unsafe writer.insert(UnsafeEntry(key: key, sequence: change, kind: kind, expiry: expiry, value: value))
    }
}
