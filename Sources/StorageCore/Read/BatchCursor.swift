// BatchCursor.swift — the entries of an open transaction as a source of a cursor.

/// A sorted copy of the entries that a batch holds in a key range, as of the cursor's creation.
@safe final class BatchCursor {
    private struct Slice {
        var key: Range<Int>
        var value: Range<Int>
        var kind: EntryKind
        var expiry: Int64
    }

    private let bytes: UnsafeMutableRawBufferPointer
    private let slices: [Slice]
    private let sequence: UInt64
    private var position = -1

    /// - Parameters:
    ///   - lower: The first tree key that belongs to the range.
    ///   - upper: The first tree key after the range.
    ///   - sequence: The sequence that the batch will carry.
    init(_ batch: WriteBatch, lower: [UInt8], upper: [UInt8], sequence: UInt64) {
        let chosen = batch.entries.indices.filter { position in
            unsafe batch.entries[position].isLive
                && batch.withKey(of: position) { unsafe compareBytes(lower, $0) <= 0 && compareBytes(upper, $0) > 0 }
        }
        let byteCount = chosen.reduce(0) { $0 + batch.entries[$1].keyByteCount + batch.entries[$1].valueByteCount }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: 1)
        var slices: [Slice] = []
        slices.reserveCapacity(chosen.count)
        var end = 0
        func append(_ source: UnsafeRawBufferPointer) -> Range<Int> {
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[end...]).copyMemory(from: source)
            defer { end += source.count }
            return end..<end + source.count
        }
        for position in chosen {
            let key = unsafe batch.withKey(of: position) { unsafe append($0) }
            let value = unsafe batch.withValue(of: position) { unsafe append($0) }
            let entry = batch.entries[position]
            slices.append(Slice(key: key, value: value, kind: entry.kind, expiry: entry.expiry))
        }
        slices.sort { left, right in
            unsafe compareBytes(
                UnsafeRawBufferPointer(rebasing: buffer[left.key]), UnsafeRawBufferPointer(rebasing: buffer[right.key]))
                < 0
        }
        unsafe bytes = buffer
        self.slices = slices
        self.sequence = sequence
    }

    deinit { unsafe bytes.deallocate() }

    var isEmpty: Bool { slices.isEmpty }

    var isValid: Bool { slices.indices.contains(position) }

    var entry: UnsafeEntry {
        let slice = slices[position]
        return unsafe UnsafeEntry(
            key: UnsafeRawBufferPointer(rebasing: bytes[slice.key]), sequence: sequence, kind: slice.kind,
            expiry: slice.expiry, value: UnsafeRawBufferPointer(rebasing: bytes[slice.value]))
    }

    func seekToFirst() { position = 0 }
    func seekToLast() { position = slices.count - 1 }

    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) {
        position = unsafe firstPosition { unsafe compareEntries($0, self.sequence, key, sequence) >= 0 }
    }

    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) {
        position = unsafe firstPosition { unsafe compareEntries($0, self.sequence, key, sequence) > 0 } - 1
    }

    func next() { position += 1 }
    func previous() { position -= 1 }

    /// The first position whose key satisfies a predicate that is false below some key and true from it on.
    private func firstPosition(where predicate: (UnsafeRawBufferPointer) -> Bool) -> Int {
        var low = 0
        var high = slices.count
        while low < high {
            let middle = (low + high) / 2
            if unsafe predicate(UnsafeRawBufferPointer(rebasing: bytes[slices[middle].key])) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }
}
