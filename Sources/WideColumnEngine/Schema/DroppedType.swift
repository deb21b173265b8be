// DroppedType.swift — the type of a dropped column, read from the catalog.
//
// User-defined types are written out in it as tuples, so it may have many more levels than the parser, which calls itself for
// each, takes in a statement. This one keeps the levels that are open in an array.

/// Reads a type without user-defined types as `CQLType.description` writes it.
struct DroppedTypeReader {
    /// As many levels as types have, with all that they are made of: more are none of this engine's.
    private static let maximumDepth = 256

    private struct Part {
        var type: CQLType
        var depth: Int
    }

    private struct Level {
        var name: String
        var parts: [Part] = []
        var dimension: Int?
    }

    private var open: [Level] = []
    private var whole: Part?

    /// The type; `nil` where the text is none.
    static func type(_ text: String) -> CQLType? {
        var reader = DroppedTypeReader()
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            let start = offset
            while offset < bytes.count, isNamePart(bytes[offset]) { offset += 1 }
            if offset > start {
                let isOpening = offset < bytes.count && bytes[offset] == UInt8(ascii: "<")
                guard reader.read(String(decoding: bytes[start..<offset], as: UTF8.self), isOpening) else { return nil }
                offset += isOpening ? 1 : 0
                continue
            }
            switch bytes[offset] {
            case UInt8(ascii: ">"): guard reader.close() else { return nil }
            case UInt8(ascii: ","), UInt8(ascii: " "): break
            default: return nil
            }
            offset += 1
        }
        return reader.open.isEmpty ? reader.whole?.type : nil
    }

    private static func isNamePart(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...122).contains(byte) }

    private mutating func read(_ word: String, _ isOpening: Bool) -> Bool {
        if isOpening {
            open.append(Level(name: word))
            return true
        }
        if let type = CQLType(nativeName: word) { return add(Part(type: type, depth: 1)) }
        guard let dimension = Int(word), open.last?.name == "vector" else { return false }
        open[open.count - 1].dimension = dimension
        return true
    }

    private mutating func add(_ part: Part) -> Bool {
        guard part.depth <= Self.maximumDepth, whole == nil else { return false }
        if open.isEmpty { whole = part } else { open[open.count - 1].parts.append(part) }
        return true
    }

    private mutating func close() -> Bool {
        guard let level = open.popLast(), let type = Self.type(level) else { return false }
        let depth = level.parts.map(\.depth).max() ?? 0
        return add(Part(type: type, depth: level.name == "frozen" ? depth : depth + 1))
    }

    private static func type(_ level: Level) -> CQLType? {
        let types = level.parts.map(\.type)
        switch (level.name, types.count, level.dimension) {
        case ("list", 1, nil): return .list(types[0])
        case ("set", 1, nil): return .set(types[0])
        case ("map", 2, nil): return .map(types[0], types[1])
        case ("tuple", 1..., nil): return .tuple(types)
        case ("vector", 1, let dimension?): return .vector(types[0], dimension)
        // Earlier versions wrote it around tuples once more with each change of the table.
        case ("frozen", 1, nil): return types[0].isMultiCell ? .frozen(types[0]) : types[0]
        default: return nil
        }
    }
}
