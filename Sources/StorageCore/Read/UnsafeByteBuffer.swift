// UnsafeByteBuffer.swift — reusable memory for the bytes that a cursor shows.

/// A growing buffer whose memory is reused from one entry to the next.
@safe struct UnsafeByteBuffer: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
    private(set) var count = 0

    deinit { unsafe memory.deallocate() }

    /// Valid until the next change.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    mutating func replace(with bytes: UnsafeRawBufferPointer) {
        if unsafe bytes.count > memory.count {
            unsafe memory.deallocate()
            unsafe memory = .allocate(byteCount: max(bytes.count, memory.count * 2), alignment: 1)
        }
        unsafe memory.copyMemory(from: bytes)
        count = bytes.count
    }
}
