// JSONSchemaParser.swift — schema documents to rules, with the server's refusals.
//
// Source: the server's json_schema_parser.cpp for structure, codes and texts; the order of the rules is its order.

struct JSONSchemaParser {
    let schema: Document
    let depth: Int
    var values: [String: BSONValue] = [:]

    private static let supported: Set<String> = [
        "additionalItems", "additionalProperties", "allOf", "anyOf", "bsonType", "dependencies", "description",
        "encrypt", "encryptMetadata", "enum", "exclusiveMaximum", "exclusiveMinimum", "items", "maxItems", "maxLength",
        "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "not", "oneOf",
        "pattern", "patternProperties", "properties", "required", "title", "type", "uniqueItems",
    ]
    private static let unsupported: Set<String> = ["$ref", "$schema", "default", "definitions", "format", "id"]

    init(_ schema: Document, depth: Int) throws(DocumentError) {
        guard depth <= Document.maximumDepth else { throw .failedToParse("$jsonSchema is nested too deeply") }
        self.schema = schema
        self.depth = depth
        for (name, value) in schema.fields {
            guard !Self.unsupported.contains(name) else {
                throw .failedToParse("$jsonSchema keyword '\(name)' is not currently supported")
            }
            guard Self.supported.contains(name) else { throw .failedToParse("Unknown $jsonSchema keyword: \(name)") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .failedToParse("Duplicate $jsonSchema keyword: \(name)")
            }
        }
    }

    mutating func parse() throws(DocumentError) -> [JSONSchemaRule] {
        try parseLogical() + parseScalar() + parseArray() + parseObject() + parseType()
    }

    /// An annotation: a string that says nothing about values.
    func text(_ keyword: String) throws(DocumentError) -> String? {
        try value(keyword, "a string") { $0.stringValue }
    }
}

// Operands.
extension JSONSchemaParser {
    /// The keyword's operand, if it is there, as the type it must have.
    func value<Result>(
        _ keyword: String, _ expected: String, _ convert: (BSONValue) -> Result?
    ) throws(DocumentError) -> Result? {
        guard let value = values[keyword] else { return nil }
        guard let result = convert(value) else {
            throw .typeMismatch("$jsonSchema keyword '\(keyword)' must be \(expected)")
        }
        return result
    }

    func number(_ keyword: String) throws(DocumentError) -> BSONValue? {
        try value(keyword, "a number") { $0.type.isNumber ? Optional.some($0) : Optional.none }
    }

    func flag(_ keyword: String) throws(DocumentError) -> Bool? {
        try value(keyword, "a boolean") { $0.boolValue }
    }

    /// A length or count.
    func count(_ keyword: String) throws(DocumentError) -> Int? {
        guard let number = try number(keyword) else { return nil }
        guard let count = number.intValue else {
            throw .failedToParse("Expected an integer: \(keyword): \(number.shellText)")
        }
        guard count >= 0 else {
            throw .failedToParse("Expected a non-negative number in: \(keyword): \(number.shellText)")
        }
        return count
    }

    func subschema(_ document: Document) throws(DocumentError) -> JSONSchema {
        try JSONSchema(document, depth: depth + 1)
    }

    func subschema(_ keyword: String) throws(DocumentError) -> JSONSchema? {
        guard let document = try value(keyword, "an object", { $0.documentValue }) else { return nil }
        return try subschema(document)
    }

    func subschemas(_ keyword: String, _ elements: [BSONValue]) throws(DocumentError) -> [JSONSchema] {
        var schemas: [JSONSchema] = []
        for element in elements {
            guard case .document(let document) = element else {
                throw .typeMismatch("$jsonSchema keyword '\(keyword)' must be an array of objects")
            }
            schemas.append(try subschema(document))
        }
        return schemas
    }

    func names(_ keyword: String, _ elements: [BSONValue]) throws(DocumentError) -> [String] {
        guard !elements.isEmpty else {
            throw .failedToParse("$jsonSchema keyword '\(keyword)' cannot be an empty array")
        }
        var names: [String] = []
        for element in elements {
            guard case .string(let name) = element else {
                throw .typeMismatch(
                    "$jsonSchema keyword '\(keyword)' must be an array of strings, but found an element of type "
                        + element.type.alias)
            }
            guard !names.contains(name) else {
                throw .failedToParse("$jsonSchema keyword '\(keyword)' array cannot contain duplicate values")
            }
            names.append(name)
        }
        return names
    }
}
