// SimplePattern.swift — regular expressions without groups, matched on UTF-8 in place.
//
// Most patterns of schemas and queries are a row of characters, classes and quantifiers between anchors
// (`^.+@.+\..+$`). Those are matched here by plain backtracking without touching a String; every other pattern goes to
// Swift's Regex. Invariant: `SimplePattern(pattern)` is nil unless it matches exactly what PCRE2 would match.

/// A regular expression that is one row of quantified single-character atoms.
struct SimplePattern: Sendable {
    enum Match { case yes, no, tooCostly }

    private enum Atom: Sendable {
        case byte(UInt8)
        /// Any character but a line feed.
        case any
        /// A set of ASCII characters; `negated` also holds every character beyond ASCII.
        case ascii(low: UInt64, high: UInt64, negated: Bool)
    }

    private struct Item: Sendable {
        var atom: Atom
        var least = 1
        var most = 1
    }

    private var items: [Item] = []
    private var isAnchoredAtStart = false
    private var isAnchoredAtEnd = false

    /// The most steps of one match: beyond it the pattern is left to the general engine.
    private static let stepLimit = 20_000

    init?(_ pattern: String) {
        var rest = Array(pattern.utf8)[...]
        guard rest.allSatisfy({ $0 < 0x80 && $0 != 0 }) else { return nil }
        if rest.first == UInt8(ascii: "^") {
            isAnchoredAtStart = true
            rest.removeFirst()
        }
        while let character = rest.first {
            if character == UInt8(ascii: "$"), rest.count == 1 {
                isAnchoredAtEnd = true
                return
            }
            guard let atom = Self.parseAtom(&rest), let item = Self.parseQuantifier(atom, &rest) else { return nil }
            items.append(item)
            // Matching nests once for each item.
            guard items.count <= 200 else { return nil }
        }
    }

    private static func parseAtom(_ rest: inout ArraySlice<UInt8>) -> Atom? {
        guard let character = rest.popFirst() else { return nil }
        switch character {
        case UInt8(ascii: "."): return .any
        case UInt8(ascii: "["): return parseClass(&rest)
        case UInt8(ascii: "\\"): return rest.popFirst().flatMap { escaped($0) }
        case UInt8(ascii: "^"), UInt8(ascii: "$"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "|"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"), UInt8(ascii: "}"),
            UInt8(ascii: "]"):
            return nil
        default: return .byte(character)
        }
    }

    private static func escaped(_ character: UInt8) -> Atom? {
        switch character {
        case UInt8(ascii: "d"): digits
        case UInt8(ascii: "w"): words
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            nil
        default: .byte(character)
        }
    }

    private static let digits = set(["0"..."9"])
    private static let words = set(["0"..."9", "A"..."Z", "a"..."z", "_"..."_"])

    private static func set(_ ranges: [ClosedRange<Unicode.Scalar>]) -> Atom {
        var (low, high): (UInt64, UInt64) = (0, 0)
        for range in ranges {
            for value in range.lowerBound.value...range.upperBound.value {
                if value < 64 { low |= 1 << UInt64(value) } else { high |= 1 << UInt64(value - 64) }
            }
        }
        return .ascii(low: low, high: high, negated: false)
    }

    private static func parseClass(_ rest: inout ArraySlice<UInt8>) -> Atom? {
        var negated = false
        if rest.first == UInt8(ascii: "^") {
            negated = true
            rest.removeFirst()
        }
        var (low, high): (UInt64, UInt64) = (0, 0)
        var isFirst = true
        while let character = rest.popFirst() {
            if character == UInt8(ascii: "]"), !isFirst { return .ascii(low: low, high: high, negated: negated) }
            isFirst = false
            // Escapes, nested brackets and named classes are left to the general engine.
            guard character != UInt8(ascii: "\\"), character != UInt8(ascii: "["), character != UInt8(ascii: "]") else {
                return nil
            }
            var last = character
            if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first, end != UInt8(ascii: "]") {
                guard end >= character, end != UInt8(ascii: "\\"), end != UInt8(ascii: "[") else { return nil }
                last = end
                rest.removeFirst(2)
            }
            for value in character...last {
                if value < 64 { low |= 1 << UInt64(value) } else { high |= 1 << UInt64(value - 64) }
            }
        }
        return nil
    }

    private static func parseQuantifier(_ atom: Atom, _ rest: inout ArraySlice<UInt8>) -> Item? {
        var item = Item(atom: atom)
        switch rest.first {
        case UInt8(ascii: "*"): (item.least, item.most) = (0, .max)
        case UInt8(ascii: "+"): (item.least, item.most) = (1, .max)
        case UInt8(ascii: "?"): (item.least, item.most) = (0, 1)
        case UInt8(ascii: "{"):
            rest.removeFirst()
            return parseBounds(item, &rest)
        default: return item
        }
        rest.removeFirst()
        return isPlain(rest) ? item : nil
    }

    // {n}, {n,} and {n,m}
    private static func parseBounds(_ item: Item, _ rest: inout ArraySlice<UInt8>) -> Item? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
        let text = String(decoding: rest[..<end], as: UTF8.self)
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        rest = rest[(end + 1)...]
        guard let least = parts.first.flatMap({ Int($0) }), least >= 0, least <= 1000, isPlain(rest) else { return nil }
        var item = item
        item.least = least
        switch parts.count {
        case 1: item.most = least
        case 2 where parts[1].isEmpty: item.most = .max
        case 2:
            guard let most = Int(parts[1]), most >= least, most <= 1000 else { return nil }
            item.most = most
        default: return nil
        }
        return item
    }

    /// Not followed by a sign that makes a quantifier lazy or possessive.
    private static func isPlain(_ rest: ArraySlice<UInt8>) -> Bool {
        rest.first != UInt8(ascii: "?") && rest.first != UInt8(ascii: "+") && rest.first != UInt8(ascii: "*")
            && rest.first != UInt8(ascii: "{")
    }

    func matches(_ text: RawSpan) -> Match {
        var steps = 0
        var start = 0
        while true {
            if match(0, text, at: start, &steps) { return .yes }
            if steps > Self.stepLimit { return .tooCostly }
            if isAnchoredAtStart || start >= text.byteCount { return .no }
            start += Self.characterByteCount(text, at: start)
        }
    }

    private func match(_ index: Int, _ text: RawSpan, at offset: Int, _ steps: inout Int) -> Bool {
        steps += 1
        guard steps <= Self.stepLimit else { return false }
        guard index < items.count else { return !isAnchoredAtEnd || isAtEnd(text, offset) }
        let item = items[index]
        // Greedy: as many as possible, then fewer, one character at a time.
        var (count, position) = (0, offset)
        while count < item.most, let width = width(item.atom, text, at: position) {
            (count, position) = (count + 1, position + width)
            steps += 1
        }
        while count >= item.least {
            if match(index + 1, text, at: position, &steps) { return true }
            guard count > 0 else { return false }
            count -= 1
            position -= 1
            while position > offset, text.byte(at: position) & 0xC0 == 0x80 { position -= 1 }
        }
        return false
    }

    /// `$` also matches before a line feed that ends the text.
    private func isAtEnd(_ text: RawSpan, _ offset: Int) -> Bool {
        offset == text.byteCount || (offset == text.byteCount - 1 && text.byte(at: offset) == UInt8(ascii: "\n"))
    }

    /// How many bytes of the text the atom takes, if it matches there.
    private func width(_ atom: Atom, _ text: RawSpan, at offset: Int) -> Int? {
        guard offset < text.byteCount else { return nil }
        let byte = text.byte(at: offset)
        switch atom {
        case .byte(let wanted): return byte == wanted ? 1 : nil
        case .any: return byte == UInt8(ascii: "\n") ? nil : Self.characterByteCount(text, at: offset)
        case .ascii(let low, let high, let negated):
            guard byte < 0x80 else { return negated ? Self.characterByteCount(text, at: offset) : nil }
            let isMember = (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte - 64)) & 1 == 1
            return isMember != negated ? 1 : nil
        }
    }

    private static func characterByteCount(_ text: RawSpan, at offset: Int) -> Int {
        var end = offset + 1
        while end < text.byteCount, text.byte(at: end) & 0xC0 == 0x80 { end += 1 }
        return end - offset
    }
}
