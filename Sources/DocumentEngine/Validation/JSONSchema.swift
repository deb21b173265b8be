// JSONSchema.swift — a compiled `$jsonSchema`: pass or fail over the bytes of a document.
//
// Invariant: `matches` and `failures(of:)` (JSONSchema+Explanation.swift) agree: a value matches if and only if it has
// no failures. The first runs on every write and allocates nothing; the second runs only for the error document.
// Source: the MongoDB manual, reference/operator/query/jsonSchema: draft 4 without $ref, $schema, default, definitions,
// format, id and the type "integer", with bsonType.

/// A compiled JSON schema (MongoDB's dialect of draft 4).
final class JSONSchema: Sendable {
    let title: String?
    let schemaDescription: String?
    /// Every keyword that can fail, in the order in which the server reports them.
    let rules: [JSONSchemaRule]
    /// The types of the value, checked first because it is cheapest.
    private let types: BSONTypeSet?
    /// The rules about fields, gathered so that one walk over the document checks them all.
    private let object: JSONSchemaObject?
    /// What is left for `matches` after types and fields.
    private let otherRules: [JSONSchemaRule]

    /// - Throws: 9 (FailedToParse) for a keyword that is unknown, not supported or out of range, 14 (TypeMismatch) for
    ///   a
    ///   keyword whose operand has the wrong type.
    convenience init(_ schema: Document) throws(DocumentError) {
        try self.init(schema, depth: 0)
    }

    init(_ schema: Document, depth: Int) throws(DocumentError) {
        var parser = try JSONSchemaParser(schema, depth: depth)
        rules = try parser.parse()
        title = try parser.text("title")
        schemaDescription = try parser.text("description")
        types = rules.lazy.compactMap { if case .type(let types, _, _) = $0 { types } else { nil } }.first
        object = JSONSchemaObject(rules)
        otherRules = rules.filter { !$0.isType && !(JSONSchemaObject.covers($0)) }
    }

    func matches(_ value: BSONView) -> Bool {
        if let types, !types.contains(value.type) { return false }
        for rule in otherRules where !rule.matches(value) { return false }
        guard let object, value.isDocument else { return true }
        return object.matches(value)
    }
}

/// `properties`, `required`, `patternProperties` and `additionalProperties` of one schema, checked in one walk.
struct JSONSchemaObject: Sendable {
    private struct Property: Sendable {
        let name: [UInt8]
        let schema: JSONSchema?
        let requiredBit: UInt64
    }

    private var properties: [Property] = []
    private var requiredBits: UInt64 = 0
    private var closing: JSONSchemaRule.AllowedProperties?

    /// Which rules this type takes over: all about fields, but lists of more than 64 required ones.
    static func covers(_ rule: JSONSchemaRule) -> Bool {
        switch rule {
        case .properties, .allowedProperties: true
        case .required(let names): names.count <= 64
        default: false
        }
    }

    init?(_ rules: [JSONSchemaRule]) {
        var schemas: [(String, JSONSchema)] = []
        var required: [String] = []
        for rule in rules where Self.covers(rule) {
            switch rule {
            case .properties(let properties): schemas = properties
            case .required(let names): required = names
            case .allowedProperties(let allowed): closing = allowed
            default: break
            }
        }
        if schemas.isEmpty, required.isEmpty, closing == nil { return nil }
        for (name, schema) in schemas {
            let bit: UInt64 = required.firstIndex(of: name).map { 1 << UInt64($0) } ?? 0
            properties.append(Property(name: Array(name.utf8), schema: schema, requiredBit: bit))
        }
        for (index, name) in required.enumerated() {
            requiredBits |= 1 << UInt64(index)
            if schemas.contains(where: { $0.0 == name }) { continue }
            properties.append(Property(name: Array(name.utf8), schema: nil, requiredBit: 1 << UInt64(index)))
        }
    }

    func matches(_ document: BSONView) -> Bool {
        var missing = requiredBits
        var elements = document.elements
        while let element = elements.next() {
            if let property = property(named: element.name) {
                missing &= ~property.requiredBit
                if let schema = property.schema, !schema.matches(element.value) { return false }
            }
            if let closing, !closing.allows(element.name, element.value) { return false }
        }
        return missing == 0
    }

    private func property(named name: RawSpan) -> Property? {
        for property in properties where property.name.count == name.byteCount {
            if property.name.rawSpan.equals(name) { return property }
        }
        return nil
    }
}
