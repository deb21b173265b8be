// ByteReader.swift — the counterpart of ByteWriter, for bytes that nobody vouches for.
//
// Invariant: no byte pattern traps. Whatever doesn't fit throws `.corruption` with the file's name and the offset of the
// field that was bad.

internal import StorageTypes

/// Reads little-endian fields from bytes of a file.
struct ByteReader: ~Escapable {
    private let bytes: RawSpan
    private let file: String
    private let base: Int64
    private var position = 0

    /// - Parameters:
    ///   - file: The file the bytes came from, for errors.
    ///   - offset: Where in that file they begin.
    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, file: String, offset: Int64 = 0) {
        self.bytes = bytes
        self.file = file
        self.base = offset
    }

    /// The offset of the next field in the bytes given.
    var offset: Int { position }

    /// How many bytes are left.
    var remainingByteCount: Int { bytes.byteCount - position }

    var isAtEnd: Bool { position == bytes.byteCount }

    /// The bytes not read yet.
    var remaining: RawSpan {
        @_lifetime(copy self)
        get { bytes.extracting(position...) }
    }

    mutating func u8() throws -> UInt8 {
        try fixed()
    }

    mutating func u16() throws -> UInt16 {
        try fixed()
    }

    mutating func u32() throws -> UInt32 {
        try fixed()
    }

    mutating func u64() throws -> UInt64 {
        try fixed()
    }

    mutating func i64() throws -> Int64 {
        Int64(bitPattern: try u64())
    }

    mutating func varint() throws -> UInt64 {
        let start = position
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.byteCount {
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
            position += 1
            // The tenth byte has room for the one bit that is left of 64.
            guard shift < 63 || byte <= 1 else { throw corruption("A number is too large", at: start) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw corruption("The bytes end inside a number", at: start)
    }

    /// A varint that counts something held in memory.
    mutating func count() throws -> Int {
        let start = position
        guard let count = Int(exactly: try varint()) else { throw corruption("A count is too large", at: start) }
        return count
    }

    /// The next `count` bytes.
    @_lifetime(copy self)
    mutating func raw(_ count: Int) throws -> RawSpan {
        guard count >= 0, count <= remainingByteCount else {
            throw corruption("A field of \(count) bytes does not fit into the \(remainingByteCount) left", at: position)
        }
        let field = bytes.extracting(position..<(position + count))
        position += count
        return field
    }

    /// Bytes with their number in front.
    @_lifetime(copy self)
    mutating func lengthPrefixed() throws -> RawSpan {
        try raw(count())
    }

    /// UTF-8 with its byte count in front.
    mutating func string() throws -> String {
        let start = position
        let field = try lengthPrefixed()
        guard let text = String(validUTF8: field) else { throw corruption("A text is not valid UTF-8", at: start) }
        return text
    }

    /// Refuses bytes that nobody read.
    func expectEnd() throws {
        guard isAtEnd else { throw corruption("\(remainingByteCount) bytes follow the last field", at: position) }
    }

    /// An error about the field at an offset in the bytes given.
    func corruption(_ message: String, at offset: Int) -> StorageError {
        .corruption("\(message).", file: file, offset: base &+ Int64(offset))
    }

    private mutating func fixed<Value: FixedWidthInteger & BitwiseCopyable>() throws -> Value {
        let byteCount = MemoryLayout<Value>.size
        guard byteCount <= remainingByteCount else {
            throw corruption("The bytes end inside a number of \(byteCount) bytes", at: position)
        }
        let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: Value.self)
        position += byteCount
        return Value(littleEndian: value)
    }
}
