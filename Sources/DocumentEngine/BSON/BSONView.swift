// BSONView.swift — values where they lie: a type and the bytes of the value, borrowed from the document they are in.
//
// Invariant: reading never traps and never leaves the bytes of the view, whatever the bytes are. Documents are
// validated when they enter the engine; a walk over bytes that are not BSON simply ends early.
//
//     document := int32 byteCount   element*   0x00          (byteCount counts all of it)
//     element  := tag   name 0x00   value

/// A value inside a BSON document, not copied out of it.
struct BSONView: ~Escapable {
    let type: BSONType
    /// Exactly the bytes of the value, without tag and name.
    let bytes: RawSpan

    @_lifetime(copy bytes)
    init(type: BSONType, bytes: RawSpan) {
        self.type = type
        self.bytes = bytes
    }

    /// The value of a document: all its bytes.
    @_lifetime(copy bytes)
    init(document bytes: RawSpan) {
        self.init(type: .document, bytes: bytes)
    }
}

/// One element of a document or array.
struct BSONElement: ~Escapable {
    /// UTF-8, without the terminator.
    let name: RawSpan
    let value: BSONView

    @_lifetime(copy name, copy value)
    init(name: RawSpan, value: BSONView) {
        self.name = name
        self.value = value
    }
}

/// Walks the elements of a document or array in their order.
struct BSONElements: ~Escapable {
    private let bytes: RawSpan
    private var offset = 4

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    @_lifetime(copy self)
    mutating func next() -> BSONElement? {
        guard offset < bytes.byteCount, let type = BSONType(rawValue: bytes.byte(at: offset)) else { return nil }
        guard let nameEnd = bytes.offset(ofZeroFrom: offset + 1) else { return nil }
        let valueOffset = nameEnd + 1
        guard let byteCount = bytes.valueByteCount(type, at: valueOffset) else { return nil }
        let name = bytes.extracting((offset + 1)..<nameEnd)
        let value = bytes.extracting(valueOffset..<(valueOffset + byteCount))
        offset = valueOffset + byteCount
        return BSONElement(name: name, value: BSONView(type: type, bytes: value))
    }
}

extension BSONView {
    var isDocument: Bool { type == .document }
    var isArray: Bool { type == .array }

    /// The elements of a document or array; none for any other type.
    var elements: BSONElements {
        @_lifetime(copy self)
        get { isDocument || isArray ? BSONElements(bytes) : BSONElements(bytes.extracting(first: 0)) }
    }

    /// The field with this name, the first if there are several.
    @_lifetime(copy self)
    func field(_ name: RawSpan) -> BSONView? {
        var elements = elements
        while let element = elements.next() {
            if element.name.equals(name) { return element.value }
        }
        return nil
    }

    @_lifetime(copy self)
    func element(at index: Int) -> BSONView? {
        var elements = elements
        var position = 0
        while let element = elements.next() {
            if position == index { return element.value }
            position += 1
        }
        return nil
    }

    var elementCount: Int {
        var elements = elements
        var count = 0
        while elements.next() != nil { count += 1 }
        return count
    }

    // Scalars. Each reads its own type's bytes and answers zero for a value too short to hold them.

    var int32: Int32 { Int32(truncatingIfNeeded: bytes.littleEndian32(at: 0)) }
    var int64: Int64 { Int64(bitPattern: bytes.littleEndian64(at: 0)) }
    var double: Double { Double(bitPattern: bytes.littleEndian64(at: 0)) }
    var bool: Bool { bytes.byteCount > 0 && bytes.byte(at: 0) != 0 }
    var dateMilliseconds: Int64 { int64 }
    var timestamp: UInt64 { bytes.littleEndian64(at: 0) }

    var decimal128: Decimal128 {
        Decimal128(high: bytes.littleEndian64(at: 8), low: bytes.littleEndian64(at: 0))
    }

    /// The UTF-8 of a string, symbol or JavaScript code.
    var text: RawSpan {
        @_lifetime(copy self)
        get {
            bytes.extracting(
                Swift.min(4, bytes.byteCount)..<Swift.max(Swift.min(4, bytes.byteCount), bytes.byteCount - 1))
        }
    }

    var binarySubtype: UInt8 { bytes.byteCount > 4 ? bytes.byte(at: 4) : 0 }

    var binaryBytes: RawSpan {
        @_lifetime(copy self)
        get { bytes.extracting(Swift.min(5, bytes.byteCount)..<bytes.byteCount) }
    }
}

extension RawSpan {
    /// The caller has checked the bound.
    func byte(at offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    func littleEndian32(at offset: Int) -> UInt32 {
        guard offset >= 0, offset <= byteCount - 4 else { return 0 }
        return UInt32(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    func littleEndian64(at offset: Int) -> UInt64 {
        guard offset >= 0, offset <= byteCount - 8 else { return 0 }
        return UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    func offset(ofZeroFrom start: Int) -> Int? {
        var offset = start
        while offset < byteCount {
            if byte(at: offset) == 0 { return offset }
            offset += 1
        }
        return nil
    }

    /// How many bytes the value of this type at the offset takes; `nil` if it does not fit.
    func valueByteCount(_ type: BSONType, at offset: Int) -> Int? {
        let available = byteCount - offset
        guard available >= 0, let count = claimedByteCount(type, at: offset) else { return nil }
        return count >= 0 && count <= available ? count : nil
    }

    private func claimedByteCount(_ type: BSONType, at offset: Int) -> Int? {
        switch type {
        case .undefined, .null, .minKey, .maxKey: return 0
        case .bool: return 1
        case .int32: return 4
        case .double, .date, .timestamp, .int64: return 8
        case .objectID: return 12
        case .decimal128: return 16
        case .string, .javascript, .symbol: return prefixedByteCount(at: offset, plus: 4, least: 5)
        case .document, .array, .javascriptWithScope: return prefixedByteCount(at: offset, plus: 0, least: 5)
        case .binary: return prefixedByteCount(at: offset, plus: 5, least: 5)
        case .dbPointer: return prefixedByteCount(at: offset, plus: 16, least: 17)
        case .regex:
            guard let patternEnd = self.offset(ofZeroFrom: offset) else { return nil }
            guard let optionsEnd = self.offset(ofZeroFrom: patternEnd + 1) else { return nil }
            return optionsEnd + 1 - offset
        }
    }

    /// The 32-bit length at the offset and what comes on top of it; `nil` if it is not there or too small.
    private func prefixedByteCount(at offset: Int, plus extra: Int, least: Int) -> Int? {
        guard offset <= byteCount - 4 else { return nil }
        let count = Int(Int32(bitPattern: littleEndian32(at: offset))) + extra
        return count >= least ? count : nil
    }
}
