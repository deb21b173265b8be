// KeyDecoder.swift — the counterpart of KeyEncoder, whose head describes the bytes.
//
// Invariants: no byte pattern traps, and what decodes encodes to the same bytes again.

public import StorageTypes

/// Reads the components of a key in the order they were appended.
///
/// Each call throws `StorageError.Code.corruption` if the bytes are not what `KeyEncoder` writes for such a component; the
/// decoder's position is unspecified then.
public struct KeyDecoder: ~Escapable {
    @usableFromInline var rest: RawSpan

    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        rest = bytes
    }

    /// The bytes not read yet.
    public var remaining: RawSpan {
        @_lifetime(copy self)
        @inlinable
        get { rest }
    }

    @inlinable
    public var isAtEnd: Bool { rest.byteCount == 0 }

    @inlinable
    public mutating func uint8(descending: Bool = false) throws -> UInt8 {
        let value: UInt8 = try bigEndian()
        return descending ? ~value : value
    }

    @inlinable
    public mutating func uint16(descending: Bool = false) throws -> UInt16 {
        let value: UInt16 = try bigEndian()
        return descending ? ~value : value
    }

    @inlinable
    public mutating func uint32(descending: Bool = false) throws -> UInt32 {
        let value: UInt32 = try bigEndian()
        return descending ? ~value : value
    }

    @inlinable
    public mutating func uint64(descending: Bool = false) throws -> UInt64 {
        let value: UInt64 = try bigEndian()
        return descending ? ~value : value
    }

    @inlinable
    public mutating func int32(descending: Bool = false) throws -> Int32 {
        Int32(bitPattern: try uint32(descending: descending) ^ (1 << 31))
    }

    @inlinable
    public mutating func int64(descending: Bool = false) throws -> Int64 {
        Int64(bitPattern: try uint64(descending: descending) ^ (1 << 63))
    }

    @inlinable
    public mutating func double(descending: Bool = false) throws -> Double {
        let ordered = try uint64(descending: descending)
        if ordered == 0 { return .nan }
        let value = Double(bitPattern: ordered >> 63 == 1 ? ordered & ~(1 << 63) : ~ordered)
        guard KeyEncoder.orderedBits(of: value) == ordered else {
            throw Self.corruption("A key holds a double in a form that is never written.")
        }
        return value
    }

    @inlinable
    public mutating func string(descending: Bool = false) throws -> String {
        let bytes = try bytes(descending: descending)
        guard let text = String(validUTF8: bytes.rawSpan) else {
            throw Self.corruption("A key holds a string that is not valid UTF-8.")
        }
        return text
    }

    @inlinable
    public mutating func bytes(descending: Bool = false) throws -> [UInt8] {
        let mask: UInt8 = descending ? 0xFF : 0
        var value: [UInt8] = []
        while true {
            let plain = plainByteCount(mask: mask)
            guard plain + 1 < rest.byteCount else {
                throw Self.corruption("A key ends inside a string or a byte sequence.")
            }
            value.append(rest.extracting(first: plain))
            let escape = byte(at: plain + 1) ^ mask
            rest = rest.extracting((plain + 2)...)
            if escape == 0 { break }
            guard escape == 0xFF else { throw Self.corruption("A key holds an escape that is never written.") }
            value.append(mask)
        }
        if descending {
            for index in value.indices { value[index] = ~value[index] }
        }
        return value
    }

    /// The number of bytes before the next one that begins an escape or the terminator.
    @inlinable
    func plainByteCount(mask: UInt8) -> Int {
        var index = 0
        while index < rest.byteCount, byte(at: index) != mask { index += 1 }
        return index
    }

    @inlinable
    func byte(at index: Int) -> UInt8 {
        unsafe rest.unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }

    @inlinable
    mutating func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>() throws -> Value {
        let byteCount = MemoryLayout<Value>.size
        guard rest.byteCount >= byteCount else {
            throw Self.truncatedNumber(byteCount)
        }
        let value = unsafe rest.unsafeLoadUnaligned(as: Value.self)
        rest = rest.extracting(byteCount...)
        return Value(bigEndian: value)
    }

    // The texts stay out of line: inlined, they would be most of the code.
    @usableFromInline
    static func truncatedNumber(_ byteCount: Int) -> StorageError {
        corruption("A key ends inside a number of \(byteCount) bytes.")
    }

    @usableFromInline
    static func corruption(_ message: String) -> StorageError {
        .corruption(message)
    }
}
