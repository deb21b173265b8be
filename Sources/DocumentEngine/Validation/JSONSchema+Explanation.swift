// JSONSchema+Explanation.swift — why a value does not match a schema: the second walk, only for the error document.
//
// Source: the server's doc_validation_error.cpp; the shapes are those of jstests/core/doc_validation.

/// Builds the parts of `errInfo.details`.
struct SchemaExplanation {
    /// Whether `specifiedAs` and the considered values are included; the second attempt at a large error leaves them
    /// out.
    let isFull: Bool

    /// One document for each rule of the schema that the value breaks.
    func failures(of value: BSONView, under schema: JSONSchema) -> [BSONValue] {
        var failures: [BSONValue] = []
        for rule in schema.rules where !rule.matches(value) {
            failures += failure(of: value, under: rule).map { .document($0) }
        }
        return failures
    }

    /// The fields that tell which schema is meant.
    func annotations(of schema: JSONSchema) -> [(String, BSONValue)] {
        var fields: [(String, BSONValue)] = []
        if let title = schema.title { fields.append(("title", .string(title))) }
        if let description = schema.schemaDescription { fields.append(("description", .string(description))) }
        return fields
    }

    private func failure(of value: BSONView, under rule: JSONSchemaRule) -> [Document] {
        switch rule {
        case .allOf(let schemas): return [combined("allOf", schemas, value)]
        case .anyOf(let schemas): return [combined("anyOf", schemas, value)]
        case .oneOf(let schemas): return [oneOf(schemas, value)]
        case .not: return [operatorDocument("not", [("reason", "child expression matched")])]
        case .items(let schema): return [items("items", schema, value, from: 0, "At least one item")]
        case .itemList(let schemas): return [itemList(schemas, value)]
        case .additionalItems(let count, let schema): return [additionalItems(schema, value, from: count)]
        case .properties(let properties): return [propertiesNotSatisfied(properties, value)]
        case .allowedProperties(let allowed): return notAllowed(allowed, value)
        case .required(let names): return [required(names, value)]
        case .dependencies(let dependencies): return [failingDependencies(dependencies, value)]
        default: return [leaf(rule, value)]
        }
    }

    private func operatorDocument(_ name: String, _ fields: [(String, BSONValue)]) -> Document {
        Document([("operatorName", .string(name))] + fields)
    }

    private func specified(_ keyword: String, _ value: BSONValue) -> [(String, BSONValue)] {
        isFull ? [("specifiedAs", .document(Document([(keyword, value)])))] : []
    }

    private func considered(_ value: BSONView) -> [(String, BSONValue)] {
        isFull ? [("consideredValue", BSONValue(value))] : []
    }
}

// Leaves.
extension SchemaExplanation {
    private func leaf(_ rule: JSONSchemaRule, _ value: BSONView) -> Document {
        switch rule {
        case .type(_, let keyword, let written):
            let type: [(String, BSONValue)] = [("consideredType", .string(value.type.alias))]
            return reason(keyword, written, "type did not match", value, type)
        case .enumeration(_, let written): return reason("enum", written, "value was not found in enum", value)
        case .maximum(let bound, let exclusive):
            return comparison("maximum", bound.value, exclusive ? "exclusiveMaximum" : nil, value)
        case .minimum(let bound, let exclusive):
            return comparison("minimum", bound.value, exclusive ? "exclusiveMinimum" : nil, value)
        case .maxLength(let count):
            return reason("maxLength", .int(count), "specified string length was not satisfied", value)
        case .minLength(let count):
            return reason("minLength", .int(count), "specified string length was not satisfied", value)
        case .pattern(let pattern):
            return reason("pattern", .string(pattern.pattern), "regular expression did not match", value)
        case .multipleOf(_, let written):
            let text = "considered value is not a multiple of the specified value"
            return reason("multipleOf", written, text, value)
        case .minItems(let count): return arrayLength("minItems", count, value)
        case .maxItems(let count): return arrayLength("maxItems", count, value)
        case .uniqueItems: return duplicate(value)
        case .minProperties(let count): return propertyCount("minProperties", count, value)
        case .maxProperties(let count): return propertyCount("maxProperties", count, value)
        default: return operatorDocument("encrypt", [("reason", "value was not encrypted")])
        }
    }

    private func reason(
        _ keyword: String, _ written: BSONValue, _ text: String, _ value: BSONView, _ more: [(String, BSONValue)] = []
    ) -> Document {
        let fields = specified(keyword, written) + [("reason", .string(text))] + considered(value) + more
        return operatorDocument(keyword, fields)
    }

    private func comparison(_ keyword: String, _ bound: BSONValue, _ exclusive: String?, _ value: BSONView) -> Document
    {
        var specifiedAs = [(keyword, bound)]
        if let exclusive { specifiedAs.append((exclusive, .bool(true))) }
        let fields: [(String, BSONValue)] = isFull ? [("specifiedAs", .document(Document(specifiedAs)))] : []
        return operatorDocument(keyword, fields + [("reason", "comparison failed")] + considered(value))
    }

    private func arrayLength(_ keyword: String, _ count: Int, _ value: BSONView) -> Document {
        let number: [(String, BSONValue)] = [("numberOfItems", .int(value.elementCount))]
        return reason(keyword, .int(count), "array did not match specified length", value, number)
    }

    private func propertyCount(_ keyword: String, _ count: Int, _ value: BSONView) -> Document {
        let number: [(String, BSONValue)] = [("numberOfProperties", .int(value.elementCount))]
        let text = "specified number of properties was not satisfied"
        return reason(keyword, .int(count), text, value, number)
    }

    private func duplicate(_ value: BSONView) -> Document {
        var duplicated: BSONValue = .null
        if let index = value.firstDuplicate, let element = value.element(at: index) { duplicated = BSONValue(element) }
        let more: [(String, BSONValue)] = isFull ? [("duplicatedValue", duplicated)] : []
        return reason("uniqueItems", .bool(true), "found a duplicate item", value, more)
    }
}

// Combinations and arrays.
extension SchemaExplanation {
    private func combined(_ keyword: String, _ schemas: [JSONSchema], _ value: BSONView) -> Document {
        operatorDocument(keyword, [("schemasNotSatisfied", .array(notSatisfied(schemas, value)))])
    }

    private func notSatisfied(_ schemas: [JSONSchema], _ value: BSONView) -> [BSONValue] {
        var entries: [BSONValue] = []
        for (index, schema) in schemas.enumerated() where !schema.matches(value) {
            let details = BSONValue.array(failures(of: value, under: schema))
            entries.append(
                .document(Document([("index", .int(index))] + annotations(of: schema) + [("details", details)])))
        }
        return entries
    }

    private func oneOf(_ schemas: [JSONSchema], _ value: BSONView) -> Document {
        var matching: [BSONValue] = []
        for (index, schema) in schemas.enumerated() where schema.matches(value) { matching.append(.int(index)) }
        guard !matching.isEmpty else { return combined("oneOf", schemas, value) }
        let fields: [(String, BSONValue)] = [
            ("reason", "more than one subschema matched"), ("matchingSchemaIndexes", .array(matching)),
        ]
        return operatorDocument("oneOf", fields)
    }

    /// The first item from `start` on that breaks the schema.
    private func items(
        _ keyword: String, _ schema: JSONSchema, _ value: BSONView, from start: Int, _ subject: String
    ) -> Document {
        var fields: [(String, BSONValue)] = [("reason", .string("\(subject) did not match the sub-schema"))]
        var elements = value.elements
        var index = 0
        while let element = elements.next() {
            if index >= start, !schema.matches(element.value) {
                fields.append(("itemIndex", .int(index)))
                fields.append(("details", .array(failures(of: element.value, under: schema))))
                break
            }
            index += 1
        }
        return operatorDocument(keyword, fields)
    }

    private func itemList(_ schemas: [JSONSchema], _ value: BSONView) -> Document {
        var details: [BSONValue] = []
        var elements = value.elements
        var index = 0
        while index < schemas.count, let element = elements.next() {
            if !schemas[index].matches(element.value) {
                let failures = BSONValue.array(failures(of: element.value, under: schemas[index]))
                details.append(["itemIndex": .int(index), "details": failures])
            }
            index += 1
        }
        return operatorDocument("items", [("details", .array(details))])
    }

    private func additionalItems(_ schema: JSONSchema?, _ value: BSONView, from start: Int) -> Document {
        if let schema { return items("additionalItems", schema, value, from: start, "At least one additional item") }
        var found: [BSONValue] = []
        var elements = value.elements
        var index = 0
        while let element = elements.next() {
            if index >= start { found.append(BSONValue(element.value)) }
            index += 1
        }
        let fields = specified("additionalItems", .bool(false)) + [("reason", "found additional items")]
        return operatorDocument("additionalItems", fields + (isFull ? [("additionalItems", .array(found))] : []))
    }
}

// Objects.
extension SchemaExplanation {
    private func propertiesNotSatisfied(_ properties: [(String, JSONSchema)], _ value: BSONView) -> Document {
        var entries: [BSONValue] = []
        for (name, schema) in properties {
            guard let field = value.field(Array(name.utf8).rawSpan), !schema.matches(field) else { continue }
            let details = BSONValue.array(failures(of: field, under: schema))
            let entry = [("propertyName", .string(name))] + annotations(of: schema) + [("details", details)]
            entries.append(.document(Document(entry)))
        }
        return operatorDocument("properties", [("propertiesNotSatisfied", .array(entries))])
    }

    private func required(_ names: [String], _ value: BSONView) -> Document {
        let missing = names.filter { !value.hasField($0) }.map { BSONValue.string($0) }
        let written = BSONValue.array(names.map { .string($0) })
        return operatorDocument("required", specified("required", written) + [("missingProperties", .array(missing))])
    }

    private func notAllowed(_ allowed: JSONSchemaRule.AllowedProperties, _ value: BSONView) -> [Document] {
        var documents: [Document] = []
        let patternFailures = patternFailures(allowed, value)
        if !patternFailures.isEmpty {
            documents.append(operatorDocument("patternProperties", [("details", .array(patternFailures))]))
        }
        switch allowed.additional {
        case .allowed: break
        case .refused:
            let names = additionalNames(allowed, value)
            if !names.isEmpty {
                let fields = specified("additionalProperties", .bool(false)) + [("additionalProperties", .array(names))]
                documents.append(operatorDocument("additionalProperties", fields))
            }
        case .schema(let schema):
            if let document = failingAdditional(allowed, schema, value) { documents.append(document) }
        }
        return documents
    }

    private func patternFailures(_ allowed: JSONSchemaRule.AllowedProperties, _ value: BSONView) -> [BSONValue] {
        var entries: [BSONValue] = []
        for (pattern, schema) in allowed.patterns {
            var elements = value.elements
            while let element = elements.next() {
                guard pattern.matches(element.name), !schema.matches(element.value) else { continue }
                entries.append([
                    "propertyName": .string(String(utf8: element.name)), "regexMatched": .string(pattern.pattern),
                    "details": .array(failures(of: element.value, under: schema)),
                ])
            }
        }
        return entries
    }

    private func additionalNames(_ allowed: JSONSchemaRule.AllowedProperties, _ value: BSONView) -> [BSONValue] {
        var names: [BSONValue] = []
        var elements = value.elements
        while let element = elements.next() {
            if !allowed.covers(element.name) { names.append(.string(String(utf8: element.name))) }
        }
        return names
    }

    private func failingAdditional(
        _ allowed: JSONSchemaRule.AllowedProperties, _ schema: JSONSchema, _ value: BSONView
    ) -> Document? {
        var elements = value.elements
        while let element = elements.next() {
            guard !allowed.covers(element.name), !schema.matches(element.value) else { continue }
            return operatorDocument(
                "additionalProperties",
                [
                    ("reason", "at least one additional property did not match the subschema"),
                    ("failingProperty", .string(String(utf8: element.name))),
                    ("details", .array(failures(of: element.value, under: schema))),
                ])
        }
        return nil
    }

    private func failingDependencies(
        _ dependencies: [(String, JSONSchemaRule.Dependency)], _ value: BSONView
    ) -> Document {
        var entries: [BSONValue] = []
        for (name, dependency) in dependencies where value.hasField(name) {
            switch dependency {
            case .fields(let names):
                let missing = names.filter { !value.hasField($0) }.map { BSONValue.string($0) }
                if missing.isEmpty { continue }
                entries.append(["conditionalProperty": .string(name), "missingProperties": .array(missing)])
            case .schema(let schema):
                if schema.matches(value) { continue }
                let details = BSONValue.array(failures(of: value, under: schema))
                entries.append(["conditionalProperty": .string(name), "details": details])
            }
        }
        return operatorDocument("dependencies", [("failingDependencies", .array(entries))])
    }
}
