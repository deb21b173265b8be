// PatternMatcher.swift — a compiled regular expression with MongoDB's options.

internal import Synchronization

/// A regular expression, compiled once and used from any thread.
final class PatternMatcher: Sendable {
    let pattern: String
    let options: String
    private let simple: SimplePattern?
    /// Matching mutates caches inside a Regex, hence the lock.
    private let regex: Mutex<Regex<AnyRegexOutput>>

    /// - Throws: 51108 for an unknown option, 51091 for an invalid pattern, 2 for a null byte.
    init(_ pattern: String, options: String = "") throws(DocumentError) {
        guard !pattern.utf8.contains(0) else {
            throw .badValue("Regular expression cannot contain an embedded null byte")
        }
        if let unknown = options.first(where: { !"imsxu".contains($0) }) {
            throw DocumentError(.regexBadOption, "invalid flag in regex options: \(unknown)")
        }
        guard pattern.utf8.count <= Self.maximumByteCount, Self.nesting(of: pattern) <= Self.maximumNesting else {
            throw DocumentError(.invalidRegex, "Regular expression is invalid: regular expression is too large")
        }
        self.pattern = pattern
        self.options = String(options.sorted())
        simple = options.isEmpty ? SimplePattern(pattern) : nil
        do {
            regex = Mutex(try Self.compile(pattern, options))
        } catch {
            throw DocumentError(.invalidRegex, "Regular expression is invalid: \(error)")
        }
    }

    /// The server's limit (BSONObj::MaxRegexPatternLength).
    private static let maximumByteCount = 32764
    /// PCRE2's limit for parentheses; brackets count here too.
    private static let maximumNesting = 250

    private static func nesting(of pattern: String) -> Int {
        var (depth, deepest) = (0, 0)
        for byte in pattern.utf8 {
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            deepest = max(deepest, depth)
        }
        return deepest
    }

    // MongoDB's PCRE2 matches code points, and its classes \d \w \s are ASCII.
    private static func compile(_ pattern: String, _ options: String) throws -> sending Regex<AnyRegexOutput> {
        var regex = try Regex(options.contains("x") ? "(?x)" + pattern : pattern)
            .matchingSemantics(.unicodeScalar).asciiOnlyCharacterClasses()
        if options.contains("i") { regex = regex.ignoresCase() }
        if options.contains("m") { regex = regex.anchorsMatchLineEndings() }
        if options.contains("s") { regex = regex.dotMatchesNewlines() }
        return regex
    }

    func matches(_ text: RawSpan) -> Bool {
        if let simple {
            switch simple.matches(text) {
            case .yes: return true
            case .no: return false
            case .tooCostly: break
            }
        }
        let text = String(utf8: text)
        return regex.withLock { (try? $0.firstMatch(in: text)) ?? nil } != nil
    }
}
