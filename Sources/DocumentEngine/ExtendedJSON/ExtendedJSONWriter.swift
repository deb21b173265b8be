// ExtendedJSONWriter.swift — BSON values as Extended JSON text.

struct ExtendedJSONWriter {
    let isRelaxed: Bool
    private var output: [UInt8] = []

    init(isRelaxed: Bool) {
        self.isRelaxed = isRelaxed
    }

    var text: String { String(decoding: output, as: UTF8.self) }

    mutating func write(_ value: BSONValue) {
        switch value {
        case .double(let number): write(number)
        case .string(let text): writeString(text)
        case .document(let document): write(document.fields.map { ($0.name, $0.value) })
        case .array(let elements): write(elements)
        case .binary(let binary):
            let fields = [("base64", Base64.text(binary.bytes)), ("subType", Hexadecimal.text([binary.subtype]))]
            wrap("$binary", fields.map { ($0.0, .string($0.1)) })
        case .undefined: write([("$undefined", .bool(true))])
        case .objectID(let id): write([("$oid", .string(id.hex))])
        case .bool(let flag): append(flag ? "true" : "false")
        case .date(let date): write(date)
        case .null: append("null")
        case .regex(let regex):
            let fields: [(String, BSONValue)] = [
                ("pattern", .string(regex.pattern)), ("options", .string(regex.options)),
            ]
            wrap("$regularExpression", fields)
        case .dbPointer(let namespace, let id):
            wrap("$dbPointer", [("$ref", .string(namespace)), ("$id", .objectID(id))])
        case .javascript(let code): write([("$code", .string(code))])
        case .symbol(let text): write([("$symbol", .string(text))])
        case .javascriptWithScope(let code, let scope): write([("$code", .string(code)), ("$scope", .document(scope))])
        case .int32(let number): writeInteger("$numberInt", String(number))
        case .timestamp(let timestamp): write(timestamp)
        case .int64(let number): writeInteger("$numberLong", String(number))
        case .decimal128(let number): write([("$numberDecimal", .string(number.description))])
        case .maxKey: writeOne("$maxKey")
        case .minKey: writeOne("$minKey")
        }
    }

    private mutating func write(_ fields: [(String, BSONValue)]) {
        append("{")
        for (index, field) in fields.enumerated() {
            if index > 0 { append(",") }
            writeString(field.0)
            append(":")
            write(field.1)
        }
        append("}")
    }

    private mutating func write(_ elements: [BSONValue]) {
        append("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { append(",") }
            write(element)
        }
        append("]")
    }

    private mutating func wrap(_ name: String, _ fields: [(String, BSONValue)]) {
        append("{\"\(name)\":")
        write(fields)
        append("}")
    }

    private mutating func writeOne(_ name: String) {
        append("{\"\(name)\":1}")
    }

    private mutating func writeInteger(_ name: String, _ digits: String) {
        if isRelaxed { append(digits) } else { write([(name, .string(digits))]) }
    }

    private mutating func write(_ number: Double) {
        let text = Self.text(number)
        if isRelaxed, number.isFinite { append(text) } else { write([("$numberDouble", .string(text))]) }
    }

    static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        return String(number.description.map { $0 == "e" ? "E" : $0 })
    }

    private mutating func write(_ date: BSONDate) {
        // 253402300800000 is the first millisecond of the year 10000.
        if isRelaxed, (0..<253_402_300_800_000).contains(date.milliseconds),
            let text = ISO8601.text(milliseconds: date.milliseconds)
        {
            write([("$date", .string(text))])
        } else {
            append("{\"$date\":{\"$numberLong\":\"\(date.milliseconds)\"}}")
        }
    }

    // The parts are plain JSON numbers in both forms.
    private mutating func write(_ timestamp: BSONTimestamp) {
        append("{\"$timestamp\":{\"t\":\(timestamp.seconds),\"i\":\(timestamp.increment)}}")
    }

    private mutating func append(_ text: String) {
        output.append(contentsOf: text.utf8)
    }

    private mutating func writeString(_ text: String) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x08: append("\\b")
            case 0x09: append("\\t")
            case 0x0A: append("\\n")
            case 0x0C: append("\\f")
            case 0x0D: append("\\r")
            case 0..<0x20: append("\\u00" + Hexadecimal.text([byte]))
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
