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
        self.pattern = pattern
        self.options = String(options.sorted())
        simple = options.isEmpty ? SimplePattern(pattern) : nil
        do {
            regex = Mutex(try Self.compile(pattern, options))
        } catch {
            throw DocumentError(.invalidRegex, "Regular expression is invalid: \(error)")
        }
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
