// ScalarType.swift — the types whose values go into rows and keys byte by byte, without anything in between.
//
// Invariant: for every value that it takes, a scalar type appends what `CQLValue.serialize` and `OrderedComponent.append`
// do. It takes the common forms only; where it gives up, the caller goes that longer way, which has the error texts too.

/// The types that ``RowEncoder`` knows.
enum ScalarType: Sendable {
    case text, blob, boolean, int, bigint, timestamp, uuid, timeuuid, double

    init?(_ type: CQLType) {
        switch type {
        case .text: self = .text
        case .blob: self = .blob
        case .boolean: self = .boolean
        case .int: self = .int
        case .bigint: self = .bigint
        case .timestamp: self = .timestamp
        case .uuid: self = .uuid
        case .timeuuid: self = .timeuuid
        case .double: self = .double
        default: return nil
        }
    }

    private static let signBits: UInt64 = 0x8080_8080_8080_8080

    /// Appends the value's binary format, behind its length where `isSized`; false, and nothing of use, where it has none.
    @inline(__always)
    func append(_ value: CQLValue, isSized: Bool, to buffer: inout UnsafeRowBuffer) -> Bool {
        switch (self, value) {
        case (.text, .text(let text)):
            let appended: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
                if isSized { buffer.appendVarint(bytes.count) }
                unsafe buffer.append(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes)))
            }
            return appended != nil
        case (.blob, .blob(let bytes)):
            if isSized { buffer.appendVarint(bytes.count) }
            buffer.append(bytes.rawSpan)
        case (.boolean, .boolean(let value)):
            if isSized { buffer.append(1) }
            buffer.append(value ? 1 : 0)
        case (.int, .int(let value)):
            if isSized { buffer.append(4) }
            buffer.appendBigEndian(value)
        case (.int, .bigint(let value)):
            guard let value = Int32(exactly: value) else { return false }
            if isSized { buffer.append(4) }
            buffer.appendBigEndian(value)
        case (.bigint, .bigint(let value)), (.timestamp, .timestamp(let value)), (.timestamp, .bigint(let value)):
            if isSized { buffer.append(8) }
            buffer.appendBigEndian(value)
        case (.uuid, .uuid(let value)): appendUUID(value, isSized, &buffer)
        case (.timeuuid, .uuid(let value)):
            guard value.version == 1 else { return false }
            appendUUID(value, isSized, &buffer)
        case (.double, .double(let value)):
            if isSized { buffer.append(8) }
            buffer.appendBigEndian(value.bitPattern)
        default: return false
        }
        return true
    }

    private func appendUUID(_ value: CQLUUID, _ isSized: Bool, _ buffer: inout UnsafeRowBuffer) {
        if isSized { buffer.append(16) }
        buffer.appendBigEndian(value.mostSignificantBits)
        buffer.appendBigEndian(value.leastSignificantBits)
    }

    /// Appends the value as a component of a clustering key; false where it has none that is known here.
    @inline(__always)
    func appendOrdered(_ value: CQLValue, descending: Bool, to buffer: inout UnsafeRowBuffer) -> Bool {
        let start = buffer.count
        switch (self, value) {
        case (.text, .text(let text)):
            let appended: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
                unsafe buffer.appendEscaped(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes)))
            }
            guard appended != nil else { return false }
        case (.blob, .blob(let bytes)): buffer.appendEscaped(bytes.rawSpan)
        case (.boolean, .boolean(let value)): buffer.append(value ? 1 : 0)
        case (.int, .int(let value)): buffer.appendBigEndian(UInt32(bitPattern: value) ^ 0x8000_0000)
        case (.int, .bigint(let value)):
            guard let value = Int32(exactly: value) else { return false }
            buffer.appendBigEndian(UInt32(bitPattern: value) ^ 0x8000_0000)
        case (.bigint, .bigint(let value)), (.timestamp, .timestamp(let value)), (.timestamp, .bigint(let value)):
            buffer.appendBigEndian(UInt64(bitPattern: value) ^ 1 << 63)
        case (.uuid, .uuid(let value)):
            buffer.appendBigEndian(value.orderedHigh)
            buffer.appendBigEndian(value.leastSignificantBits)
        case (.timeuuid, .uuid(let value)):
            guard value.version == 1 else { return false }
            buffer.appendBigEndian(value.orderedHigh)
            buffer.appendBigEndian(value.leastSignificantBits ^ Self.signBits)
        case (.double, .double(let value)):
            // A key forgets a NaN's payload, so what is made of the key may differ from what is made of the value.
            guard !value.isNaN else { return false }
            let bits = value.bitPattern
            buffer.appendBigEndian(bits >> 63 == 1 ? ~bits : bits ^ 1 << 63)
        default: return false
        }
        endOrdered(start, descending, &buffer)
        return true
    }

    /// Appends the value whose binary format lies in the buffer as a component of a clustering key; false where that is
    /// not of the type's length.
    func copyOrdered(_ range: Range<Int>, descending: Bool, in buffer: inout UnsafeRowBuffer) -> Bool {
        let start = buffer.count
        switch self {
        case .text, .blob: buffer.copyEscaped(range)
        case .boolean:
            guard range.count == 1 else { return false }
            buffer.copy(range)
        case .int:
            guard range.count == 4 else { return false }
            buffer.appendBigEndian(buffer.bigEndian(UInt32.self, at: range.lowerBound) ^ 0x8000_0000)
        case .bigint, .timestamp:
            guard range.count == 8 else { return false }
            buffer.appendBigEndian(buffer.bigEndian(UInt64.self, at: range.lowerBound) ^ 1 << 63)
        case .uuid, .timeuuid:
            guard range.count == 16 else { return false }
            let value = CQLUUID(
                mostSignificantBits: buffer.bigEndian(UInt64.self, at: range.lowerBound),
                leastSignificantBits: buffer.bigEndian(UInt64.self, at: range.lowerBound + 8))
            buffer.appendBigEndian(value.orderedHigh)
            buffer.appendBigEndian(value.leastSignificantBits ^ (self == .timeuuid ? Self.signBits : 0))
        case .double:
            guard range.count == 8 else { return false }
            let number = Double(bitPattern: buffer.bigEndian(UInt64.self, at: range.lowerBound))
            let bits = (number.isNaN ? .nan : number).bitPattern
            buffer.appendBigEndian(bits >> 63 == 1 ? ~bits : bits ^ 1 << 63)
        }
        endOrdered(start, descending, &buffer)
        return true
    }

    @inline(__always)
    private func endOrdered(_ start: Int, _ descending: Bool, _ buffer: inout UnsafeRowBuffer) {
        // The one value that looks like the empty one; see OrderedComponent.
        if self != .text, self != .blob, buffer.isZero(from: start) { buffer.append(1) }
        if descending { buffer.invert(from: start) }
    }
}
