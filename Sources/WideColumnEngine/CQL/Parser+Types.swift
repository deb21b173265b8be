// Parser+Types.swift — the names of types. User-defined types are looked up later, in the statement's keyspace.

extension Parser {
    /// The type of a column as it was written.
    mutating func columnType() throws -> CQLType {
        // `frozen<…>` around something else counts with that: types are written with it at every level, and what was read
        // once has to be read again as it is written. At most every other level is one.
        guard current.kind == .name("frozen"), peek(1).kind == .symbol(.less), peek(2).kind != .name("frozen") else {
            return try nested { try $0.typeBody() }
        }
        return try typeBody()
    }

    private mutating func typeBody() throws -> CQLType {
        if case .string(let name) = current.kind {
            if let native = CQLType(className: name) {
                advance()
                return native
            }
            throw CQLError.invalid("Error setting type \(name): custom types are not supported")
        }
        guard case .name(let name) = current.kind else { return try userType() }
        guard peek(1).kind == .symbol(.less) else {
            if peek(1).kind != .symbol(.dot), let native = CQLType(nativeName: name) {
                advance()
                return native
            }
            return try userType()
        }
        switch name {
        case "frozen": return .frozen(try parameters { try $0.columnType() })
        case "list": return .list(try parameters { try $0.columnType() })
        case "set": return .set(try parameters { try $0.columnType() })
        case "map":
            return try parameters { parser in
                let key = try parser.columnType()
                try parser.expect(.comma)
                return .map(key, try parser.columnType())
            }
        case "tuple": return .tuple(try parameters { try $0.commaSeparated { try $0.columnType() } })
        case "vector":
            return try parameters { parser in
                let element = try parser.columnType()
                try parser.expect(.comma)
                return .vector(element, try parser.vectorDimension())
            }
        default: throw noViableAlternative()
        }
    }

    /// Largest number of elements of a vector ([CA] db/marshal/VectorType.java: none; here a value must fit memory).
    private static let maximumVectorDimension = 1 << 20

    private mutating func vectorDimension() throws -> Int {
        guard case .integer(let digits) = current.kind, let count = Int(digits), count <= Self.maximumVectorDimension
        else { throw noViableAlternative() }
        advance()
        return count
    }

    /// A name, not yet looked up: it has no fields.
    private mutating func userType() throws -> CQLType {
        let name = try tableName()
        return .userType(UserType(keyspace: name.keyspace ?? "", name: name.name, fields: []))
    }

    private mutating func parameters<Result>(_ body: (inout Parser) throws -> Result) throws -> Result {
        advance()
        try expect(.less)
        let result = try body(&self)
        try expect(.greater)
        return result
    }
}
