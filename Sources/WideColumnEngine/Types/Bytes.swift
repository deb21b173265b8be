// Bytes.swift — big-endian numbers and hexadecimal digits, as the native protocol and CQL literals write them.

/// What bytes are appended to.
protocol ByteSink: ~Copyable {
    mutating func append(_ byte: UInt8)
    mutating func append(_ bytes: RawSpan)
    mutating func appendBigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer)
}

extension ByteSink where Self: ~Copyable {
    /// LEB128: seven bits a byte, the low ones first, the top bit set on all but the last.
    @inline(__always)
    mutating func appendVarint(_ value: Int) {
        var rest = UInt(bitPattern: value)
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

extension Array: ByteSink where Element == UInt8 {
    @inline(__always)
    mutating func appendBigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }
}

/// Reads numbers and byte runs from the front of a span; anything short or malformed is a corruption error.
struct ByteReader: ~Escapable {
    private let bytes: RawSpan
    private(set) var offset: Int

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var isAtEnd: Bool { offset == bytes.byteCount }
    var remainingCount: Int { bytes.byteCount - offset }

    /// Moves past `count` bytes and gives the range they had.
    @_lifetime(self: copy self)
    mutating func skip(_ count: Int) throws -> Range<Int> {
        guard count >= 0, count <= bytes.byteCount - offset else { throw Self.tooShort }
        let start = offset
        offset += count
        return start..<offset
    }

    @_lifetime(self: copy self)
    mutating func uint8() throws -> UInt8 {
        let range = try skip(1)
        return unsafe bytes.unsafeLoad(fromByteOffset: range.lowerBound, as: UInt8.self)
    }

    @_lifetime(self: copy self)
    mutating func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type) throws -> Integer {
        let range = try skip(MemoryLayout<Integer>.size)
        let loaded = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound, as: Integer.self)
        return Integer(bigEndian: loaded)
    }

    @_lifetime(self: copy self)
    mutating func varint() throws -> Int {
        var result: UInt = 0
        var shift: UInt = 0
        while true {
            let byte = try uint8()
            guard shift < 63 else { throw Self.tooShort }
            result |= UInt(byte & 0x7F) << shift
            if byte < 0x80 { return Int(bitPattern: result) }
            shift += 7
        }
    }

    static var tooShort: StorageError { StorageError.corruption("A stored row, key or schema entry is malformed.") }
}

extension Array where Element == UInt8 {
    /// `0x` and two digits a byte: how CQL writes a blob.
    var cqlHexadecimal: String { "0x" + Hexadecimal.text(self) }
}

extension String {
    /// Whether the texts are the same bytes. Those that `==` holds to be equal may be others: é is one scalar or two.
    func hasSameBytes(as other: String) -> Bool {
        let isSame = unsafe utf8.withContiguousStorageIfAvailable { bytes in
            unsafe other.utf8.withContiguousStorageIfAvailable { others in
                unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes))
                    .equals(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(others)))
            }
        }
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }

    /// Texts of the same bytes have the same hash, however they are stored.
    func hashBytes(into hasher: inout Hasher) {
        let isHashed: Void? = unsafe utf8.withContiguousStorageIfAvailable { bytes in
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        guard isHashed == nil else { return }
        var copy = self
        copy.makeContiguousUTF8()
        copy.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
