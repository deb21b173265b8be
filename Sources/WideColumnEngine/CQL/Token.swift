// Token.swift — what the lexer makes of CQL text.

/// One token, with the place it came from.
struct Token: Sendable {
    enum Kind: Hashable, Sendable {
        /// A name without quotes, in lower case; keywords are names too.
        case name(String)
        case quotedName(String)
        case string(String)
        case integer(String)
        case float(String)
        case uuid(CQLUUID)
        case blob([UInt8])
        case duration(String)
        case symbol(Symbol)
        case end
    }

    enum Symbol: String, Hashable, Sendable, CaseIterable {
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case leftBracket = "["
        case rightBracket = "]"
        case leftBrace = "{"
        case rightBrace = "}"
        case comma = ","
        case semicolon = ";"
        case colon = ":"
        case dot = "."
        case dots = ".."
        case questionMark = "?"
        case asterisk = "*"
        case plus = "+"
        case minus = "-"
        case slash = "/"
        case percent = "%"
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    var kind: Kind
    /// The token's bytes in the statement.
    var range: Range<Int>
    /// From 1.
    var line: Int
    /// Characters from the start of the line, from 0.
    var column: Int
}

/// Names that need quotes to be identifiers ([CA] doc cql/appendices.adoc, "CQL Keywords", reserved ones).
enum ReservedWord {
    static let all: Set<String> = [
        "add", "allow", "alter", "and", "apply", "asc", "authorize", "batch", "begin", "by", "columnfamily", "create",
        "default", "delete", "desc", "describe", "drop", "entries", "execute", "from", "full", "grant", "if", "in",
        "index", "infinity", "insert", "into", "is", "keyspace", "limit", "materialized", "mbean", "mbeans", "modify",
        "nan", "norecursive", "not", "null", "of", "on", "or", "order", "primary", "rename", "replace", "revoke",
        "schema", "select", "set", "table", "to", "token", "truncate", "unlogged", "unset", "update", "use", "using",
        "view", "where", "with",
    ]
}
