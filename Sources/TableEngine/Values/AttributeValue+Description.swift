// AttributeValue+Description.swift — values as text: the wire's JSON form, with set elements and bytes readable.

extension AttributeValue: CustomStringConvertible {
    /// The form of the wire, such as `{"S": "prod_001"}`; binaries in base 64.
    public var description: String {
        "{\"\(type.rawValue)\": \(payloadText)}"
    }

    private var payloadText: String {
        switch self {
        case .s(let value): JSONText.quoted(value)
        case .n(let value): JSONText.quoted(value.description)
        case .b(let value): JSONText.quoted(Base64.encode(value))
        case .bool(let value): value ? "true" : "false"
        case .null: "true"
        case .l(let values): JSONText.array(values.map(\.description))
        case .m(let item): item.description
        case .ss(let values): JSONText.array(values.map(JSONText.quoted))
        case .ns(let values): JSONText.array(values.map { JSONText.quoted($0.description) })
        case .bs(let values): JSONText.array(values.map { JSONText.quoted(Base64.encode($0)) })
        }
    }
}

extension Item: CustomStringConvertible {
    /// The form of the wire: `{"name": {"S": "…"}, …}`.
    public var description: String {
        "{" + map { "\(JSONText.quoted($0.name)): \($0.value)" }.joined(separator: ", ") + "}"
    }
}

private enum JSONText {
    static func array(_ elements: [String]) -> String {
        "[" + elements.joined(separator: ", ") + "]"
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Base 64 with padding (RFC 4648, section 4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for byte in group { bits = bits << 8 | UInt32(byte) }
            bits <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let symbol = Int(bits >> UInt32(18 - 6 * place) & 0x3F)
                text.append(place <= group.count ? alphabet[symbol] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
