// Token.swift — what the lexer hands to the parser.

/// A place in the text of a statement. Lines and columns count from 1, the offset from 0; all count code points.
struct SourcePosition: Sendable, Hashable, CustomStringConvertible {
    var line: Int
    var column: Int
    var offset: Int

    /// As Neo4j prints it.
    var description: String { "(line \(line), column \(column) (offset: \(offset)))" }
}

struct Token: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// A name or a keyword: Cypher's keywords are not reserved, so the parser decides.
        case name
        /// A name in backticks: never a keyword.
        case quotedName
        case string
        /// Decimal, hexadecimal or octal digits, without a sign.
        case integer
        case float
        case parameter
        case symbol
        case end
    }

    var kind: Kind
    /// The token's meaning: a name without its backticks, a string without its quotes and escapes.
    var text: String
    /// The text in capital letters if the token may be a keyword, otherwise empty.
    var keyword: String
    var position: SourcePosition
    /// The code point after the token's last one.
    var endOffset: Int
    /// The token as written, for error messages.
    var source: String
}
