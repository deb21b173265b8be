// JSONSchemaParser+Keywords.swift — the keywords of a schema, group by group, in the order of the server.

extension JSONSchemaParser {
    func parseLogical() throws(DocumentError) -> [JSONSchemaRule] {
        var rules: [JSONSchemaRule] = []
        if let schemas = try schemaList("allOf") { rules.append(.allOf(schemas)) }
        if let schemas = try schemaList("anyOf") { rules.append(.anyOf(schemas)) }
        if let schemas = try schemaList("oneOf") { rules.append(.oneOf(schemas)) }
        if let schema = try subschema("not") { rules.append(.not(schema)) }
        if let rule = try parseEnumeration() { rules.append(rule) }
        return rules
    }

    private func schemaList(_ keyword: String) throws(DocumentError) -> [JSONSchema]? {
        guard let elements = try value(keyword, "an array", { $0.arrayValue }) else { return nil }
        guard !elements.isEmpty else { throw .badValue("$jsonSchema keyword '\(keyword)' must be a non-empty array") }
        return try subschemas(keyword, elements)
    }

    private func parseEnumeration() throws(DocumentError) -> JSONSchemaRule? {
        guard let elements = try value("enum", "an array", { $0.arrayValue }) else { return nil }
        guard !elements.isEmpty else { throw .failedToParse("$jsonSchema keyword 'enum' cannot be an empty array") }
        let operands = elements.map { BSONOperand($0) }
        guard BSONOperand(.array(elements)).view.firstDuplicate == nil else {
            throw .failedToParse("$jsonSchema keyword 'enum' array cannot contain duplicate values")
        }
        return .enumeration(operands, written: .array(elements))
    }

    func parseScalar() throws(DocumentError) -> [JSONSchemaRule] {
        var rules: [JSONSchemaRule] = []
        if let (bound, exclusive) = try bound("maximum", "exclusiveMaximum") {
            rules.append(.maximum(bound, exclusive: exclusive))
        }
        if let (bound, exclusive) = try bound("minimum", "exclusiveMinimum") {
            rules.append(.minimum(bound, exclusive: exclusive))
        }
        if let count = try count("maxLength") { rules.append(.maxLength(count)) }
        if let count = try count("minLength") { rules.append(.minLength(count)) }
        if let pattern = try value("pattern", "a string", { $0.stringValue }) {
            rules.append(.pattern(try PatternMatcher(pattern)))
        }
        if let divisor = try number("multipleOf") {
            guard let number = BSONNumber(divisor), number.compare(.integer(0)) > 0, let parts = DecimalParts(number)
            else { throw .failedToParse("$jsonSchema keyword 'multipleOf' must have a positive value") }
            rules.append(.multipleOf(parts, written: divisor))
        }
        return rules
    }

    private func bound(_ keyword: String, _ exclusive: String) throws(DocumentError) -> (BSONOperand, Bool)? {
        let isExclusive = try flag(exclusive)
        guard let bound = try number(keyword) else {
            guard isExclusive == nil else {
                throw .failedToParse("$jsonSchema keyword '\(keyword)' must be a present if \(exclusive) is present")
            }
            return nil
        }
        return (BSONOperand(bound), isExclusive ?? false)
    }

    func parseArray() throws(DocumentError) -> [JSONSchemaRule] {
        var rules: [JSONSchemaRule] = []
        if let count = try count("minItems") { rules.append(.minItems(count)) }
        if let count = try count("maxItems") { rules.append(.maxItems(count)) }
        if try flag("uniqueItems") == true { rules.append(.uniqueItems) }
        let additional = try additionalItems()
        switch values["items"] {
        case .document(let document): rules.append(.items(try subschema(document)))
        case .array(let elements):
            let schemas = try subschemas("items", elements)
            rules.append(.itemList(schemas))
            if let additional { rules.append(.additionalItems(after: schemas.count, additional.schema)) }
        case nil: break
        default: throw .typeMismatch("$jsonSchema keyword 'items' must be an array or an object")
        }
        return rules
    }

    /// `nil` where further items are free.
    private func additionalItems() throws(DocumentError) -> (schema: JSONSchema?, Void)? {
        switch values["additionalItems"] {
        case .bool(let allowed): return allowed ? nil : (nil, ())
        case .document(let document): return (try subschema(document), ())
        case nil: return nil
        default: throw .typeMismatch("$jsonSchema keyword 'additionalItems' must be either an object or a boolean")
        }
    }

    func parseObject() throws(DocumentError) -> [JSONSchemaRule] {
        var rules: [JSONSchemaRule] = []
        let properties = try parseProperties()
        if let properties { rules.append(.properties(properties)) }
        if let allowed = try parseAllowedProperties(properties ?? []) { rules.append(.allowedProperties(allowed)) }
        if let elements = try value("required", "an array", { $0.arrayValue }) {
            rules.append(.required(try names("required", elements)))
        }
        if let count = try count("minProperties") { rules.append(.minProperties(count)) }
        if let count = try count("maxProperties") { rules.append(.maxProperties(count)) }
        if let document = try value("dependencies", "an object", { $0.documentValue }) {
            rules.append(.dependencies(try parseDependencies(document)))
        }
        if try value("encrypt", "an object", { $0.documentValue }) != nil { rules.append(.encrypted) }
        _ = try value("encryptMetadata", "an object", { $0.documentValue })
        return rules
    }

    private func parseProperties() throws(DocumentError) -> [(String, JSONSchema)]? {
        guard let document = try value("properties", "an object", { $0.documentValue }) else { return nil }
        var properties: [(String, JSONSchema)] = []
        for (name, value) in document.fields {
            guard case .document(let schema) = value else {
                throw .typeMismatch("Nested schema for $jsonSchema property '\(name)' must be an object")
            }
            properties.append((name, try subschema(schema)))
        }
        return properties
    }

    private func parseAllowedProperties(
        _ properties: [(String, JSONSchema)]
    ) throws(DocumentError) -> JSONSchemaRule.AllowedProperties? {
        let patterns = try value("patternProperties", "an object") { $0.documentValue }
        let additional: JSONSchemaRule.AllowedProperties.Additional
        switch values["additionalProperties"] {
        case .bool(let allowed): additional = allowed ? .allowed : .refused
        case .document(let document): additional = .schema(try subschema(document))
        case nil: additional = .allowed
        default: throw .typeMismatch("$jsonSchema keyword 'additionalProperties' must be an object or a boolean")
        }
        var compiled: [(PatternMatcher, JSONSchema)] = []
        for (pattern, value) in patterns?.fields ?? [] {
            guard case .document(let schema) = value else {
                throw .typeMismatch(
                    "$jsonSchema keyword 'patternProperties' has property '\(pattern)' which is not an object")
            }
            compiled.append((try PatternMatcher(pattern), try subschema(schema)))
        }
        if case .allowed = additional, compiled.isEmpty { return nil }
        let declared = properties.map { Array($0.0.utf8) }
        return JSONSchemaRule.AllowedProperties(declared: declared, patterns: compiled, additional: additional)
    }

    private func parseDependencies(
        _ document: Document
    ) throws(DocumentError) -> [(String, JSONSchemaRule.Dependency)] {
        var dependencies: [(String, JSONSchemaRule.Dependency)] = []
        for (name, value) in document.fields {
            switch value {
            case .document(let schema): dependencies.append((name, .schema(try subschema(schema))))
            case .array(let elements): dependencies.append((name, .fields(try names("dependencies", elements))))
            default:
                throw .typeMismatch("$jsonSchema keyword 'dependencies' must be an object or an array for '\(name)'")
            }
        }
        return dependencies
    }

    func parseType() throws(DocumentError) -> [JSONSchemaRule] {
        switch (values["type"], values["bsonType"]) {
        case (nil, nil): return []
        case (_?, _?):
            throw .failedToParse("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'")
        case (let written?, nil): return [.type(try jsonTypes(written), keyword: "type", written: written)]
        case (nil, let written?): return [.type(try bsonTypes(written), keyword: "bsonType", written: written)]
        }
    }

    private func aliases(_ keyword: String, _ written: BSONValue) throws(DocumentError) -> [String] {
        let elements: [BSONValue]
        switch written {
        case .string: elements = [written]
        case .array(let values): elements = values
        default:
            throw .typeMismatch(
                "$jsonSchema keyword '\(keyword)' must be either a string or an array of strings")
        }
        guard !elements.isEmpty else {
            throw .failedToParse("$jsonSchema keyword '\(keyword)' must name at least one type")
        }
        var aliases: [String] = []
        for element in elements {
            guard case .string(let alias) = element else {
                throw .typeMismatch("$jsonSchema keyword '\(keyword)' array elements must be strings")
            }
            guard !aliases.contains(alias) else {
                throw .failedToParse("$jsonSchema keyword '\(keyword)' has duplicate value: \(alias)")
            }
            aliases.append(alias)
        }
        return aliases
    }

    private func bsonTypes(_ written: BSONValue) throws(DocumentError) -> BSONTypeSet {
        var types = BSONTypeSet()
        for alias in try aliases("bsonType", written) {
            types.formUnion(try TypeArgument.parse(.string(alias), operatorName: "bsonType"))
        }
        return types
    }

    private func jsonTypes(_ written: BSONValue) throws(DocumentError) -> BSONTypeSet {
        var types = BSONTypeSet()
        for alias in try aliases("type", written) {
            switch alias {
            case "object": types.insert(.document)
            case "array": types.insert(.array)
            case "string": types.insert(.string)
            case "boolean": types.insert(.bool)
            case "null": types.insert(.null)
            case "number": types.formUnion(.numbers)
            case "integer": throw .failedToParse("$jsonSchema type 'integer' is not currently supported.")
            default: throw .badValue("Unknown type name alias: \(alias)")
            }
        }
        return types
    }
}
