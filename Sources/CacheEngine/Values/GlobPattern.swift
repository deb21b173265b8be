// GlobPattern.swift — the patterns of KEYS and SCAN MATCH.

/// `*`, `?`, `[abc]`, `[^a]`, `[a-z]` and `\` as in Redis' `stringmatchlen` (`src/util.c`).
///
/// Matching takes at most pattern length × text length steps: only the last `*` is ever retried.
struct GlobPattern {
    private let pattern: [UInt8]

    init(_ pattern: [UInt8]) {
        self.pattern = pattern
    }

    func matches(_ text: [UInt8]) -> Bool {
        var position = 0
        var index = 0
        var retry: (position: Int, index: Int)?
        while index < text.count {
            if position < pattern.count, pattern[position] == UInt8(ascii: "*") {
                position += 1
                retry = (position, index)
            } else if let next = matchOne(at: position, text[index]) {
                position = next
                index += 1
            } else if let last = retry {
                position = last.position
                index = last.index + 1
                retry = (last.position, index)
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// The position behind the element at `position` if that matches `byte`.
    private func matchOne(at position: Int, _ byte: UInt8) -> Int? {
        guard position < pattern.count else { return nil }
        switch pattern[position] {
        case UInt8(ascii: "?"):
            return position + 1
        case UInt8(ascii: "["):
            return matchClass(at: position + 1, byte)
        case UInt8(ascii: "\\") where position + 1 < pattern.count:
            return pattern[position + 1] == byte ? position + 2 : nil
        case let literal:
            return literal == byte ? position + 1 : nil
        }
    }

    /// A class that is never closed ends with the pattern.
    private func matchClass(at start: Int, _ byte: UInt8) -> Int? {
        var position = start
        let isNegated = position < pattern.count && pattern[position] == UInt8(ascii: "^")
        if isNegated { position += 1 }
        var found = false
        while position < pattern.count, pattern[position] != UInt8(ascii: "]") {
            let (range, next) = classMember(at: position)
            if range.contains(byte) { found = true }
            position = next
        }
        let end = min(position + 1, pattern.count)
        return found != isNegated ? end : nil
    }

    private func classMember(at position: Int) -> (ClosedRange<UInt8>, next: Int) {
        if pattern[position] == UInt8(ascii: "\\"), position + 1 < pattern.count {
            return (pattern[position + 1]...pattern[position + 1], position + 2)
        }
        if position + 2 < pattern.count, pattern[position + 1] == UInt8(ascii: "-") {
            let (low, high) = (pattern[position], pattern[position + 2])
            return (min(low, high)...max(low, high), position + 3)
        }
        return (pattern[position]...pattern[position], position + 1)
    }
}
