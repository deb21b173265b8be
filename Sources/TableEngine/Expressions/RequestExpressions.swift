// RequestExpressions.swift — the expressions of one request with the names and values they share.

/// Compiles and binds a request's expressions, then says which names and values none of them used.
struct RequestExpressions {
    private let cache: ExpressionCache
    private let names: [String: String]
    private let values: [String: AttributeValue]
    /// Of the expressions bound so far.
    private var scopes: [ExpressionScope] = []

    /// - Throws: `ValidationException` for a key that is no placeholder, or a value that can't be stored.
    init(_ cache: ExpressionCache, names: [String: String], values: [String: AttributeValue]) throws {
        self.cache = cache
        self.names = names
        self.values = try Self.checked(values)
        try Self.checkKeys(names.keys, mark: UInt8(ascii: "#"), parameter: "ExpressionAttributeNames")
        try Self.checkKeys(values.keys, mark: UInt8(ascii: ":"), parameter: "ExpressionAttributeValues")
    }

    mutating func condition(_ text: String?, kind: ExpressionKind = .condition) throws -> BoundCondition? {
        guard let text else { return nil }
        return try bind(kind) { cache, names, values throws(ExpressionError) in
            let bound = try BoundCondition(try cache.condition(text), names: names, values: values)
            return (bound, bound.expression.scope)
        }
    }

    mutating func update(_ text: String?) throws -> BoundUpdate? {
        guard let text else { return nil }
        return try bind(.update) { cache, names, values throws(ExpressionError) in
            let bound = try BoundUpdate(try cache.update(text), names: names, values: values)
            return (bound, bound.expression.scope)
        }
    }

    mutating func projection(_ text: String?) throws -> Projection? {
        guard let text else { return nil }
        return try bind(.projection) { cache, names, _ throws(ExpressionError) in
            let expression = try cache.projection(text)
            return (try expression.bind(names: names), expression.scope)
        }
    }

    /// - Parameter possible: the expressions that the request could have had, as the service names them.
    /// - Throws: `ValidationException` if a name or value was used by no expression.
    func finish(possible: ExpressionKind...) throws {
        // Everything an expression uses is defined, so equal counts mean that all of it is used.
        if scopes.count == 1, scopes[0].names.count == names.count, scopes[0].values.count == values.count { return }
        if scopes.isEmpty {
            if names.isEmpty, values.isEmpty { return }
            if !names.isEmpty {
                throw TableError.validation("ExpressionAttributeNames can only be specified when using expressions")
            }
            let list = possible.map(\.rawValue).joined(separator: " and ")
            throw TableError.validation(
                "ExpressionAttributeValues can only be specified when using expressions: \(list) "
                    + (possible.count == 1 ? "is null" : "are null"))
        }
        let usedNames = Set(scopes.flatMap(\.names))
        try Self.checkUsed(names.keys, usedNames, parameter: "ExpressionAttributeNames")
        let usedValues = Set(scopes.flatMap(\.values))
        try Self.checkUsed(values.keys, usedValues, parameter: "ExpressionAttributeValues")
    }

    private mutating func bind<Bound>(
        _ kind: ExpressionKind,
        _ body: (ExpressionCache, [String: String], [String: AttributeValue]) throws(ExpressionError) -> (
            Bound, ExpressionScope
        )
    ) throws -> Bound {
        do throws(ExpressionError) {
            let (bound, scope) = try body(cache, names, values)
            scopes.append(scope)
            return bound
        } catch {
            throw error.tableError(in: kind)
        }
    }

    private static func checked(_ values: [String: AttributeValue]) throws -> [String: AttributeValue] {
        guard values.contains(where: { !$0.value.isScalar }) else { return values }
        var result = values
        for (key, value) in values where !value.isScalar {
            do {
                result[key] = try value.storable()
            } catch let error as TableError {
                throw TableError.validation(
                    "ExpressionAttributeValues contains invalid value: \(error.message) for key \(key)")
            }
        }
        return result
    }

    private static func checkKeys(_ keys: some Sequence<String>, mark: UInt8, parameter: String) throws {
        for key in keys {
            let bytes = key.utf8
            let isPlaceholder = bytes.first == mark && bytes.count > 1 && bytes.dropFirst().allSatisfy(Lexer.isPart)
            guard isPlaceholder else {
                throw TableError.validation("\(parameter) contains invalid key: Syntax error; key: \"\(key)\"")
            }
        }
    }

    private static func checkUsed(_ keys: some Sequence<String>, _ used: Set<String>, parameter: String) throws {
        let unused = keys.filter { !used.contains($0) }.sorted()
        guard unused.isEmpty else {
            let list = unused.joined(separator: ", ")
            throw TableError.validation("Value provided in \(parameter) unused in expressions: keys: {\(list)}")
        }
    }
}
