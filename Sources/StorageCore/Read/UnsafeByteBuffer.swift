// UnsafeByteBuffer.swift — reusable memory for the bytes that a cursor shows.

/// A growing buffer whose memory is reused from one entry to the next.
@safe struct UnsafeByteBuffer: ~Copyable {
    private var memory = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var count = 0

    deinit { unsafe memory.deallocate() }

    /// Valid until the next change.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: memory.baseAddress, count: count) }

    @inline(__always)
    mutating func replace(with bytes: UnsafeRawBufferPointer) {
        if unsafe bytes.count > memory.count {
            unsafe memory.deallocate()
            unsafe memory = .allocate(byteCount: max(bytes.count, memory.count * 2, 64), alignment: 8)
        }
        if let target = unsafe memory.baseAddress, let source = bytes.baseAddress {
            unsafe target.copyMemory(from: source, byteCount: bytes.count)
        }
        count = bytes.count
    }
}
