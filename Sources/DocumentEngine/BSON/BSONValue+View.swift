// BSONValue+View.swift — from borrowed bytes to owned values and back.

extension BSONValue {
    /// A copy of the value where it lies.
    init(_ view: BSONView) {
        switch view.type {
        case .double: self = .double(view.double)
        case .string: self = .string(String(utf8: view.text))
        case .document: self = .document(Document(trusted: view.bytes.array()))
        case .array: self = .array(Self.elements(of: view))
        case .binary: self = .binary(BSONBinary(view.binaryBytes.array(), subtype: view.binarySubtype))
        case .undefined: self = .undefined
        case .objectID: self = .objectID(view.objectID)
        case .bool: self = .bool(view.bool)
        case .date: self = .date(BSONDate(milliseconds: view.dateMilliseconds))
        case .null: self = .null
        case .regex: self = .regex(view.regex)
        case .dbPointer: self = Self.dbPointer(of: view)
        case .javascript: self = .javascript(String(utf8: view.text))
        case .symbol: self = .symbol(String(utf8: view.text))
        case .javascriptWithScope: self = Self.javascriptWithScope(of: view)
        case .int32: self = .int32(view.int32)
        case .timestamp: self = .timestamp(BSONTimestamp(rawValue: view.timestamp))
        case .int64: self = .int64(view.int64)
        case .decimal128: self = .decimal128(view.decimal128)
        case .maxKey: self = .maxKey
        case .minKey: self = .minKey
        }
    }

    private static func elements(of view: BSONView) -> [BSONValue] {
        var values: [BSONValue] = []
        var elements = view.elements
        while let element = elements.next() { values.append(BSONValue(element.value)) }
        return values
    }

    private static func dbPointer(of view: BSONView) -> BSONValue {
        let end = Swift.max(view.bytes.byteCount - 12, 0)
        let namespace = BSONView(type: .string, bytes: view.bytes.extracting(0..<end))
        let id = BSONView(type: .objectID, bytes: view.bytes.extracting(end..<view.bytes.byteCount))
        return .dbPointer(namespace: String(utf8: namespace.text), id.objectID)
    }

    private static func javascriptWithScope(of view: BSONView) -> BSONValue {
        guard let codeCount = view.bytes.valueByteCount(.javascript, at: 4) else {
            return .javascriptWithScope("", Document())
        }
        let code = BSONView(type: .javascript, bytes: view.bytes.extracting(4..<(4 + codeCount)))
        let scope = view.bytes.extracting((4 + codeCount)..<view.bytes.byteCount)
        return .javascriptWithScope(String(utf8: code.text), Document(trusted: scope.array()))
    }
}

extension BSONView {
    var objectID: ObjectID {
        let high = bytes.littleEndian64(at: 0).byteSwapped
        return ObjectID(high: high, low: bytes.littleEndian32(at: 8).byteSwapped)
    }

    var regex: BSONRegex {
        guard let end = bytes.offset(ofZeroFrom: 0) else { return BSONRegex("") }
        let options = bytes.extracting((end + 1)..<Swift.max(end + 1, bytes.byteCount - 1))
        return BSONRegex(String(utf8: bytes.extracting(0..<end)), options: String(utf8: options))
    }
}

/// A value that owns its bytes and can be viewed: operands of queries and schemas, compiled once.
struct BSONOperand: Sendable, Hashable {
    let type: BSONType
    let bytes: [UInt8]

    init(_ value: BSONValue) {
        type = value.type
        bytes = BSONWriter.body(of: value)
    }

    init(_ view: BSONView) {
        type = view.type
        bytes = view.bytes.array()
    }

    var view: BSONView {
        @_lifetime(borrow self)
        get { BSONView(type: type, bytes: bytes.rawSpan) }
    }

    var value: BSONValue { BSONValue(view) }
}
