// TableSeparator.swift — short index keys: at or after the last entry of a block, before the first of the next.

/// Writes the separator between a block that ends with (`last`, `lastSequence`) and one that begins with `next`, and returns
/// the separator's sequence.
func writeSeparator(
    last: UnsafeRawBufferPointer, lastSequence: UInt64, next: UnsafeRawBufferPointer,
    into output: inout UnsafeByteBuilder
) -> UInt64 {
    output.removeAll()
    if unsafe compareBytes(last, next) == 0 {
        unsafe output.append(last)
        return lastSequence
    }
    unsafe writeKey(atLeast: last, below: next, into: &output)
    return 0
}

/// Writes a key at or after `last`, for the last block of a table: the shortest, if there is one.
func writeFinalSeparator(last: UnsafeRawBufferPointer, into output: inout UnsafeByteBuilder) {
    output.removeAll()
    guard let index = unsafe last.firstIndex(where: { $0 != 0xFF }) else {
        return unsafe output.append(last)
    }
    unsafe output.append(UnsafeRawBufferPointer(rebasing: last[..<index]))
    unsafe output.append(byte: last[index] + 1)
}

private func writeKey(
    atLeast last: UnsafeRawBufferPointer, below next: UnsafeRawBufferPointer, into output: inout UnsafeByteBuilder
) {
    guard let left = last.baseAddress, let right = next.baseAddress else { return unsafe output.append(last) }
    let common = unsafe commonPrefixByteCount(left, right, min(last.count, next.count))
    // If one is a prefix of the other, that one is `last`: nothing shorter lies between.
    guard common < last.count, common < next.count else { return unsafe output.append(last) }
    assert(unsafe last[common] < next[common], "Keys must ascend.")
    if unsafe next[common] - last[common] > 1 {
        unsafe output.append(UnsafeRawBufferPointer(rebasing: last[..<common]))
        unsafe output.append(byte: last[common] + 1)
    } else if next.count > common + 1 {
        unsafe output.append(UnsafeRawBufferPointer(rebasing: next[...common]))
    } else {
        unsafe output.append(last)
    }
}
