// GraphValue+Description.swift — values as Cypher text.

extension GraphValue: CustomStringConvertible {
    /// The value as a Cypher literal; entities in the notation of patterns.
    public var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .float(let value): value.cypherText
        case .string(let value): "'\(value.escapedForCypher)'"
        case .list(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        case .map(let values): Self.describe(values)
        case .node(let node): node.description
        case .relationship(let relationship): "[\(relationship.interior)]"
        case .path(let path): path.description
        }
    }

    /// Keys in code-point order, so that equal maps have equal texts.
    static func describe(_ map: [String: GraphValue]) -> String {
        let entries = map.sorted { $0.key.compareCodePoints(to: $1.key) < 0 }
        return "{" + entries.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
    }
}

extension GraphNode: CustomStringConvertible {
    public var description: String {
        let text = labels.map { ":\($0)" }.joined()
        guard !properties.isEmpty else { return "(\(text))" }
        return "(\(text)\(text.isEmpty ? "" : " ")\(GraphValue.describe(properties)))"
    }
}

extension GraphRelationship: CustomStringConvertible {
    public var description: String { "[\(interior)]" }

    fileprivate var interior: String {
        properties.isEmpty ? ":\(type)" : ":\(type) \(GraphValue.describe(properties))"
    }
}

extension GraphPath: CustomStringConvertible {
    public var description: String {
        var text = "<\(nodes.first?.description ?? "")"
        for (index, relationship) in relationships.enumerated() {
            let isForward = relationship.start == nodes[index].id
            text += isForward ? "-\(relationship)->" : "<-\(relationship)-"
            text += nodes[index + 1].description
        }
        return text + ">"
    }
}

extension Double {
    /// The shortest text that reads back as the same number, as Cypher prints floats.
    var cypherText: String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Infinity" : "Infinity" }
        let text = description
        guard let marker = text.firstIndex(of: "e") else { return text }
        let mantissa = text[..<marker]
        let exponent = text[text.index(after: marker)...].drop { $0 == "+" }
        return "\(mantissa)\(mantissa.contains(".") ? "" : ".0")E\(exponent)"
    }
}

extension String {
    var escapedForCypher: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "'": result += "\\'"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
