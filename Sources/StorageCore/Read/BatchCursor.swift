// BatchCursor.swift — the entries of an open transaction as a source of a cursor.

/// The entries that a batch held at the cursor's creation, in key order, one for each key.
@safe final class BatchCursor {
    private let order: BatchOrder
    /// The newest change that is seen.
    private let change: UInt64
    /// The sequence that the batch will carry.
    private let sequence: UInt64
    @exclusivity(unchecked) private var path: UnsafeTriePath

    init(_ order: BatchOrder, sequence: UInt64) {
        self.order = order
        self.sequence = sequence
        change = order.change
        unsafe path = UnsafeTriePath(order.trie)
    }

    var isValid: Bool { unsafe !path.link.isNone }

    /// Valid while the transaction lives.
    var entry: UnsafeEntry {
        var entry = unsafe path.link.entry
        unsafe entry.sequence = sequence
        return unsafe entry
    }

    func seekToFirst() {
        unsafe path.seekToFirst()
        skipForward()
    }

    func seekToLast() {
        unsafe path.seekToLast()
        skipBackward()
    }

    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) {
        // Below the batch's own sequence the key's entry lies before the place that is asked for.
        unsafe path.seek(key, sequence >= self.sequence ? .max : 0)
        skipForward()
    }

    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) {
        unsafe path.seekBackward(key, sequence <= self.sequence ? 0 : .max)
        skipBackward()
    }

    func next() {
        unsafe path.nextKey()
        skipForward()
    }

    func previous() {
        unsafe path.previousKey()
        skipBackward()
    }

    /// From any version of a key to the one that is seen, or to that of the first key after it that has one.
    private func skipForward() {
        while isValid, unsafe !path.moveToVersion(atMost: change) || isRemoved { unsafe path.nextKey() }
    }

    private func skipBackward() {
        while isValid, unsafe !path.moveToVersion(atMost: change) || isRemoved { unsafe path.previousKey() }
    }

    private var isRemoved: Bool {
        let entry = unsafe path.link.entry
        return unsafe entry.kind == .delete && !entry.value.isEmpty
    }
}
