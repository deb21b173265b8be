// UnsafeRowBuffer.swift — reusable memory in which the keys and fragments of a row are put together.
//
// Invariant: the first `count` bytes of `memory` are initialised; nothing keeps a pointer into it across a change.

/// Bytes that are appended to, handed out as spans, and overwritten by the next row.
// Sendable: it alone owns its memory, and there are no copies of it.
@safe struct UnsafeRowBuffer: ByteSink, ~Copyable, @unchecked Sendable {
    private var memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    private static let initialByteCount = 1 << 10
    /// What is kept from one row to the next.
    private static let keptByteCount = 1 << 16

    init() {
        unsafe memory = .allocate(byteCount: Self.initialByteCount, alignment: 8)
    }

    deinit { unsafe memory.deallocate() }

    mutating func removeAll() {
        count = 0
        guard unsafe memory.count > Self.keptByteCount else { return }
        unsafe memory.deallocate()
        unsafe memory = .allocate(byteCount: Self.initialByteCount, alignment: 8)
    }

    /// Good until the next change.
    @_lifetime(borrow self)
    func span(_ range: Range<Int>) -> RawSpan {
        precondition(range.upperBound <= count, "A span lies inside of what was appended.")
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[range])
        return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
    }

    /// Everything up to `end`.
    @_lifetime(borrow self)
    func span(upTo end: Int) -> RawSpan { span(0..<end) }

    /// A number that was appended.
    func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type, at offset: Int) -> Integer {
        precondition(offset + MemoryLayout<Integer>.size <= count, "A number lies inside of what was appended.")
        return unsafe Integer(bigEndian: memory.loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }

    // MARK: Appending

    /// Makes room and moves the end; tells where the new bytes begin.
    @inline(__always)
    private mutating func extend(by byteCount: Int) -> UnsafeMutableRawPointer {
        if unsafe byteCount > memory.count - count { grow(by: byteCount) }
        defer { count += byteCount }
        // It was allocated, so it has an address.
        return unsafe memory.baseAddress.unsafelyUnwrapped + count
    }

    private mutating func grow(by byteCount: Int) {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(count + byteCount, memory.count * 2), alignment: 8)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        unsafe memory.deallocate()
        unsafe memory = larger
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        unsafe extend(by: 1).storeBytes(of: byte, as: UInt8.self)
    }

    @inline(__always)
    mutating func appendBigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) {
        unsafe extend(by: MemoryLayout<Integer>.size).storeBytes(of: value.bigEndian, as: Integer.self)
    }

    @inline(__always)
    mutating func append(_ bytes: RawSpan) {
        let byteCount = bytes.byteCount
        let target = unsafe extend(by: byteCount)
        unsafe bytes.withUnsafeBytes { source in
            if let address = source.baseAddress { unsafe target.copyMemory(from: address, byteCount: byteCount) }
        }
    }

    /// As `OrderedComponent.appendEscaped`, of bytes that are not in this buffer.
    @inline(__always)
    mutating func appendEscaped(_ bytes: RawSpan) {
        let byteCount = bytes.byteCount
        let start = count
        append(bytes)
        if isZeroIn(start..<count) {
            count = start
            for offset in 0..<byteCount {
                let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
                append(byte)
                if byte == 0 { append(0xFF) }
            }
        }
        appendBigEndian(UInt16(0))
    }

    /// Appends bytes of this buffer once more.
    mutating func copy(_ range: Range<Int>) {
        precondition(range.upperBound <= count, "Only what was appended is copied.")
        let target = unsafe extend(by: range.count)
        unsafe target.copyMemory(
            from: memory.baseAddress.unsafelyUnwrapped + range.lowerBound, byteCount: range.count)
    }

    /// Appends bytes of this buffer as `OrderedComponent.appendEscaped` does.
    mutating func copyEscaped(_ range: Range<Int>) {
        if isZeroIn(range) {
            for offset in range {
                let byte = unsafe memory[offset]
                append(byte)
                if byte == 0 { append(0xFF) }
            }
        } else {
            copy(range)
        }
        appendBigEndian(UInt16(0))
    }

    private func isZeroIn(_ range: Range<Int>) -> Bool {
        for offset in range where unsafe memory[offset] == 0 { return true }
        return false
    }

    /// Whether all bytes from `start` on are 00.
    func isZero(from start: Int) -> Bool {
        for offset in start..<count where unsafe memory[offset] != 0 { return false }
        return true
    }

    /// Inverts all bytes from `start` on.
    mutating func invert(from start: Int) {
        for offset in start..<count { unsafe memory[offset] = ~memory[offset] }
    }

    /// Overwrites bytes that were appended.
    mutating func replace(at offset: Int, with value: UInt16) {
        precondition(offset + 2 <= count, "Only what was appended is replaced.")
        unsafe memory.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }
}
