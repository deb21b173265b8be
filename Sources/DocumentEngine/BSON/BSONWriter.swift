// BSONWriter.swift — appends elements to a growing document; lengths are patched in when a document is closed.

/// Writes the bytes of one document.
struct BSONWriter {
    private(set) var bytes: [UInt8]
    /// Where each open document begins, outermost first.
    private var openOffsets: [Int]

    init(capacity: Int = 128) {
        bytes = []
        bytes.reserveCapacity(capacity)
        bytes.append(contentsOf: [0, 0, 0, 0])
        openOffsets = [0]
    }

    /// Closes the outermost document and gives its bytes.
    consuming func finish() -> [UInt8] {
        while !openOffsets.isEmpty { close() }
        return bytes
    }

    mutating func append(_ name: String, _ value: BSONValue) {
        appendHeader(value.type, name)
        appendBody(value)
    }

    mutating func append(_ name: RawSpan, _ value: BSONView) {
        bytes.append(value.type.rawValue)
        bytes.append(name)
        bytes.append(0)
        bytes.append(value.bytes)
    }

    mutating func append(_ name: String, _ value: BSONView) {
        appendHeader(value.type, name)
        bytes.append(value.bytes)
    }

    /// Opens a nested document or array; everything until `close()` goes into it.
    mutating func open(_ type: BSONType, _ name: String) {
        appendHeader(type, name)
        openHere()
    }

    mutating func close() {
        guard let offset = openOffsets.popLast() else { return }
        bytes.append(0)
        patch(at: offset, UInt32(truncatingIfNeeded: bytes.count - offset))
    }

    private mutating func openHere() {
        openOffsets.append(bytes.count)
        bytes.append(contentsOf: [0, 0, 0, 0])
    }

    private mutating func appendHeader(_ type: BSONType, _ name: String) {
        bytes.append(type.rawValue)
        appendCString(name)
    }

    // A name with a zero byte inside cannot be written; it is cut there, as the format has no escape.
    private mutating func appendCString(_ text: String) {
        bytes.append(contentsOf: text.utf8.prefix { $0 != 0 })
        bytes.append(0)
    }

    private mutating func appendText(_ text: String) {
        append(littleEndian: UInt32(truncatingIfNeeded: text.utf8.count + 1))
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
    }

    private mutating func append(littleEndian value: some FixedWidthInteger) {
        for index in 0..<(value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index)))
        }
    }

    private mutating func patch(at offset: Int, _ value: UInt32) {
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
    }

    private mutating func appendBody(_ value: BSONValue) {
        switch value {
        case .double(let number): append(littleEndian: number.bitPattern)
        case .string(let text), .javascript(let text), .symbol(let text): appendText(text)
        case .document(let document): bytes.append(contentsOf: document.bytes)
        case .array(let elements): appendArray(elements)
        case .binary(let binary):
            append(littleEndian: UInt32(truncatingIfNeeded: binary.bytes.count))
            bytes.append(binary.subtype)
            bytes.append(contentsOf: binary.bytes)
        case .undefined, .null, .minKey, .maxKey: break
        case .objectID(let id): bytes.append(contentsOf: id.bytes)
        case .bool(let flag): bytes.append(flag ? 1 : 0)
        case .date(let date): append(littleEndian: date.milliseconds)
        case .regex(let regex):
            appendCString(regex.pattern)
            appendCString(regex.options)
        case .dbPointer(let namespace, let id):
            appendText(namespace)
            bytes.append(contentsOf: id.bytes)
        case .javascriptWithScope(let code, let scope):
            let start = bytes.count
            append(littleEndian: UInt32(0))
            appendText(code)
            bytes.append(contentsOf: scope.bytes)
            patch(at: start, UInt32(truncatingIfNeeded: bytes.count - start))
        case .int32(let number): append(littleEndian: number)
        case .timestamp(let timestamp): append(littleEndian: timestamp.rawValue)
        case .int64(let number): append(littleEndian: number)
        case .decimal128(let number):
            append(littleEndian: number.low)
            append(littleEndian: number.high)
        }
    }

    private mutating func appendArray(_ elements: [BSONValue]) {
        openHere()
        for (index, element) in elements.enumerated() { append(String(index), element) }
        close()
    }

    /// The bytes of the value alone, without tag and name.
    static func body(of value: BSONValue) -> [UInt8] {
        if case .document(let document) = value { return document.bytes }
        var writer = BSONWriter(capacity: 32)
        writer.bytes.removeAll(keepingCapacity: true)
        writer.openOffsets.removeAll()
        writer.appendBody(value)
        return writer.bytes
    }
}
