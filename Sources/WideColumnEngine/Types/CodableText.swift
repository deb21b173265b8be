// CodableText.swift — numbers and durations that Swift has no types for, coded as their texts.

extension CQLInteger: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.parsed { CQLInteger($0) } }
    public func encode(to encoder: any Encoder) throws { try encoder.encode(text: description) }
}

extension CQLDecimal: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.parsed { CQLDecimal($0) } }
    public func encode(to encoder: any Encoder) throws { try encoder.encode(text: description) }
}

extension CQLDuration: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.parsed { CQLDuration($0) } }
    public func encode(to encoder: any Encoder) throws { try encoder.encode(text: description) }
}

extension Decoder {
    fileprivate func parsed<Value>(_ parse: (String) -> Value?) throws -> Value {
        let container = try singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = parse(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is not a \(Value.self).")
        }
        return value
    }
}

extension Encoder {
    fileprivate func encode(text: String) throws {
        var container = singleValueContainer()
        try container.encode(text)
    }
}
