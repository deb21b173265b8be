// CanonicalText.swift — expected and actual values as texts that are equal if the values are.

import GraphEngine

/// Rewrites the kit's notation of a value: labels and keys sorted, white space dropped, numbers in one form.
struct ExpectedValue {
    private var rest: Substring
    private let sortsLists: Bool

    static func canonical(_ text: String, sortingLists: Bool) -> String {
        var parser = ExpectedValue(rest: text[...], sortsLists: sortingLists)
        return parser.value()
    }

    private init(rest: Substring, sortsLists: Bool) {
        self.rest = rest
        self.sortsLists = sortsLists
    }

    private mutating func skipSpace() { rest = rest.drop { $0 == " " } }

    private mutating func accept(_ text: String) -> Bool {
        skipSpace()
        guard rest.hasPrefix(text) else { return false }
        rest = rest.dropFirst(text.count)
        return true
    }

    private mutating func value() -> String {
        skipSpace()
        switch rest.first {
        case "[": return bracketed()
        case "{": return map()
        case "(": return node()
        case "<": return path()
        case "'": return string()
        default: return scalar()
        }
    }

    private mutating func scalar() -> String {
        let text = rest.prefix { !",]})|> ".contains($0) }
        rest = rest.dropFirst(text.count)
        if Int64(text) == nil, let number = Double(text) { return "\(number)" }
        return String(text)
    }

    private mutating func string() -> String {
        rest.removeFirst()
        var result = ""
        while let character = rest.popFirst(), character != "'" {
            guard character == "\\", let escaped = rest.popFirst() else {
                result.append(character)
                continue
            }
            switch escaped {
            case "n": result += "\n"
            case "t": result += "\t"
            case "r": result += "\r"
            default: result.append(escaped)
            }
        }
        return "'\(result)'"
    }

    private mutating func bracketed() -> String {
        if rest.hasPrefix("[:") { return relationship() }
        rest.removeFirst()
        var elements: [String] = []
        while !accept("]"), !rest.isEmpty {
            elements.append(value())
            _ = accept(",")
        }
        return "[\((sortsLists ? elements.sorted() : elements).joined(separator: ", "))]"
    }

    private mutating func map() -> String {
        rest.removeFirst()
        var entries: [String] = []
        while !accept("}"), !rest.isEmpty {
            skipSpace()
            let key = rest.prefix { $0 != ":" }
            rest = rest.dropFirst(key.count + 1)
            entries.append("\(key.replacing("`", with: "").replacing(" ", with: "")): \(value())")
            _ = accept(",")
        }
        return "{\(entries.sorted().joined(separator: ", "))}"
    }

    private mutating func labels() -> [String] {
        var labels: [String] = []
        while accept(":") {
            let name = rest.prefix { !":{)] ".contains($0) }
            rest = rest.dropFirst(name.count)
            labels.append(String(name))
        }
        return labels.sorted()
    }

    private mutating func properties() -> String {
        skipSpace()
        return rest.first == "{" ? map() : "{}"
    }

    private mutating func node() -> String {
        rest.removeFirst()
        let labels = labels()
        let properties = properties()
        _ = accept(")")
        return "(\(labels.map { ":\($0)" }.joined())\(properties))"
    }

    private mutating func relationship() -> String {
        rest.removeFirst()
        let type = labels()
        let properties = properties()
        _ = accept("]")
        return "[:\(type.joined())\(properties)]"
    }

    private mutating func path() -> String {
        rest.removeFirst()
        var text = "<\(node())"
        while !accept(">"), !rest.isEmpty {
            let isIncoming = accept("<-")
            if !isIncoming { _ = accept("-") }
            skipSpace()
            let relationship = relationship()
            if isIncoming { _ = accept("-") } else { _ = accept("->") }
            skipSpace()
            text += isIncoming ? "<-\(relationship)-" : "-\(relationship)->"
            text += node()
        }
        return text + ">"
    }
}

extension GraphValue {
    func canonical(sortingLists: Bool) -> String {
        switch self {
        case .null: return "null"
        case .boolean(let value): return "\(value)"
        case .integer(let value): return "\(value)"
        case .float(let value): return value.isNaN ? "nan" : value == 0 ? "0.0" : "\(value)"
        case .string(let value): return "'\(value)'"
        case .list(let values):
            let texts = values.map { $0.canonical(sortingLists: sortingLists) }
            return "[\((sortingLists ? texts.sorted() : texts).joined(separator: ", "))]"
        case .map(let map): return Self.canonical(map)
        case .node(let node): return node.canonical
        case .relationship(let relationship): return relationship.canonical
        case .path(let path): return path.canonical
        }
    }

    static func canonical(_ map: [String: GraphValue]) -> String {
        let entries = map.map { "\($0.key): \($0.value.canonical(sortingLists: false))" }
        return "{\(entries.sorted().joined(separator: ", "))}"
    }
}

extension GraphNode {
    fileprivate var canonical: String {
        "(\(labels.sorted().map { ":\($0)" }.joined())\(GraphValue.canonical(properties)))"
    }
}

extension GraphRelationship {
    fileprivate var canonical: String { "[:\(type)\(GraphValue.canonical(properties))]" }
}

extension GraphPath {
    fileprivate var canonical: String {
        var text = "<\(nodes[0].canonical)"
        for (index, relationship) in relationships.enumerated() {
            let isForward = relationship.start == nodes[index].id
            text += isForward ? "-\(relationship.canonical)->" : "<-\(relationship.canonical)-"
            text += nodes[index + 1].canonical
        }
        return text + ">"
    }
}
