// UnsafeByteBuilder.swift — the one growable buffer of the table layer: it owns its memory and frees it once.

/// Growable bytes in one allocation, reused from block to block and from key to key.
@safe
struct UnsafeByteBuilder: ~Copyable {
    private(set) var base: UnsafeMutableRawPointer
    private(set) var count = 0
    private(set) var capacity: Int

    init(capacity: Int = 256) {
        self.capacity = max(capacity, 64)
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 16)
    }

    /// Allocates with the first bytes that come.
    init(empty: Void) {
        capacity = 0
        unsafe base = Self.nothing
    }

    // Never freed, never written to: an address for builders that have no memory yet.
    private nonisolated(unsafe) static let nothing = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)

    deinit {
        if capacity > 0 { unsafe base.deallocate() }
    }

    /// Valid until the next change.
    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base, count: count)
    }

    mutating func removeAll() {
        count = 0
    }

    /// Sets the count. Bytes beyond the old count hold anything: the caller writes them.
    mutating func resize(to newCount: Int) {
        reserve(newCount)
        count = newCount
    }

    mutating func append(byte: UInt8) {
        reserve(count &+ 1)
        unsafe base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(count &+ bytes.count)
        unsafe (base + count).copyMemory(from: source, byteCount: bytes.count)
        count &+= bytes.count
    }

    mutating func append(varint value: UInt64) {
        reserve(count &+ 10)
        var rest = value
        while rest >= 0x80 {
            unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
            count &+= 1
            rest >>= 7
        }
        unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// Appends four varints, making room once.
    mutating func append(varints first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
        reserve(count &+ 40)
        store(varint: first)
        store(varint: second)
        store(varint: third)
        store(varint: fourth)
    }

    /// Writes a varint where there is room for ten bytes.
    @inline(__always)
    private mutating func store(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
            count &+= 1
            rest >>= 7
        }
        unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(littleEndian value: Value) {
        let byteCount = MemoryLayout<Value>.size
        reserve(count &+ byteCount)
        unsafe base.storeBytes(of: value.littleEndian, toByteOffset: count, as: Value.self)
        count &+= byteCount
    }

    /// Keeps the first `kept` bytes and replaces what follows.
    mutating func replace(after kept: Int, with bytes: UnsafeRawBufferPointer) {
        assert(kept <= count)
        count = kept
        unsafe append(bytes)
    }

    @inline(__always)
    private mutating func reserve(_ needed: Int) {
        if needed > capacity { grow(to: needed) }
    }

    private mutating func grow(to needed: Int) {
        let newCapacity = max(needed, capacity &* 2, 64)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
        unsafe larger.copyMemory(from: base, byteCount: count)
        if capacity > 0 { unsafe base.deallocate() }
        unsafe base = larger
        capacity = newCapacity
    }
}
