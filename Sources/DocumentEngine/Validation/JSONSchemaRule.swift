// JSONSchemaRule.swift — one keyword of a schema, and how a value meets it.

/// One keyword, or a pair that only means something together.
indirect enum JSONSchemaRule: Sendable {
    case allOf([JSONSchema])
    case anyOf([JSONSchema])
    case oneOf([JSONSchema])
    case not(JSONSchema)
    case enumeration([BSONOperand], written: BSONValue)
    case maximum(BSONOperand, exclusive: Bool)
    case minimum(BSONOperand, exclusive: Bool)
    case maxLength(Int)
    case minLength(Int)
    case pattern(PatternMatcher)
    case multipleOf(DecimalParts, written: BSONValue)
    case minItems(Int)
    case maxItems(Int)
    case uniqueItems
    case items(JSONSchema)
    case itemList([JSONSchema])
    /// Items beyond the `itemList` of this many; no schema means none are allowed.
    case additionalItems(after: Int, JSONSchema?)
    case properties([(String, JSONSchema)])
    case allowedProperties(AllowedProperties)
    case required([String])
    case minProperties(Int)
    case maxProperties(Int)
    case dependencies([(String, Dependency)])
    case type(BSONTypeSet, keyword: String, written: BSONValue)
    case encrypted

    enum Dependency: Sendable {
        case fields([String])
        case schema(JSONSchema)
    }

    /// `patternProperties` and `additionalProperties`.
    struct AllowedProperties: Sendable {
        enum Additional: Sendable {
            case allowed
            case refused
            case schema(JSONSchema)
        }

        let declared: [[UInt8]]
        let patterns: [(PatternMatcher, JSONSchema)]
        let additional: Additional

        func allows(_ name: RawSpan, _ value: BSONView) -> Bool {
            var isDeclared = isDeclared(name)
            for (pattern, schema) in patterns where pattern.matches(name) {
                isDeclared = true
                if !schema.matches(value) { return false }
            }
            if isDeclared { return true }
            switch additional {
            case .allowed: return true
            case .refused: return false
            case .schema(let schema): return schema.matches(value)
            }
        }

        /// Whether the name is no additional property, by declaration or by pattern.
        func covers(_ name: RawSpan) -> Bool {
            if isDeclared(name) { return true }
            for (pattern, _) in patterns where pattern.matches(name) { return true }
            return false
        }

        private func isDeclared(_ name: RawSpan) -> Bool {
            for declaredName in declared where declaredName.rawSpan.equals(name) { return true }
            return false
        }
    }

    var isType: Bool {
        if case .type = self { true } else { false }
    }
}

extension JSONSchemaRule {
    /// Whether the value meets the rule; a rule about another type than the value's holds.
    func matches(_ value: BSONView) -> Bool {
        switch self {
        case .allOf(let schemas): return Self.count(schemas, matching: value, atMost: schemas.count) == schemas.count
        case .anyOf(let schemas): return Self.count(schemas, matching: value, atMost: 1) == 1
        case .oneOf(let schemas): return Self.count(schemas, matching: value, atMost: 2) == 1
        case .not(let schema): return !schema.matches(value)
        case .enumeration(let values, _): return Self.contains(values, value)
        case .type(let types, _, _): return types.contains(value.type)
        case .encrypted: return value.type == .binary && value.binarySubtype == 6
        default: break
        }
        switch value.type {
        case .int32, .int64, .double, .decimal128: return matchesNumber(value)
        case .string, .symbol: return matchesText(value.text)
        case .array: return matchesArray(value)
        case .document: return matchesDocument(value)
        default: return true
        }
    }

    private static func count(_ schemas: [JSONSchema], matching value: BSONView, atMost limit: Int) -> Int {
        var count = 0
        for schema in schemas where schema.matches(value) {
            count += 1
            if count == limit { break }
        }
        return count
    }

    private static func contains(_ values: [BSONOperand], _ value: BSONView) -> Bool {
        for candidate in values where candidate.view.isEqualInAnyFieldOrder(value) { return true }
        return false
    }

    private func matchesNumber(_ value: BSONView) -> Bool {
        switch self {
        case .maximum(let bound, let exclusive):
            let comparison: ComparisonOperator = exclusive ? .less : .lessOrEqual
            return ValuePredicate.compare(comparison, bound).matches(value)
        case .minimum(let bound, let exclusive):
            let comparison: ComparisonOperator = exclusive ? .greater : .greaterOrEqual
            return ValuePredicate.compare(comparison, bound).matches(value)
        case .multipleOf(let divisor, _):
            return BSONNumber(value).flatMap { DecimalParts($0) }.map { $0.isMultiple(of: divisor) } ?? false
        default: return true
        }
    }

    private func matchesText(_ text: RawSpan) -> Bool {
        switch self {
        case .maxLength(let count): return text.codePointCount <= count
        case .minLength(let count): return text.codePointCount >= count
        case .pattern(let pattern): return pattern.matches(text)
        default: return true
        }
    }

    private func matchesArray(_ array: BSONView) -> Bool {
        switch self {
        case .minItems(let count): return array.elementCount >= count
        case .maxItems(let count): return array.elementCount <= count
        case .uniqueItems: return array.firstDuplicate == nil
        case .items(let schema):
            var elements = array.elements
            while let element = elements.next() {
                if !schema.matches(element.value) { return false }
            }
            return true
        case .itemList(let schemas):
            var elements = array.elements
            var index = 0
            while index < schemas.count, let element = elements.next() {
                if !schemas[index].matches(element.value) { return false }
                index += 1
            }
            return true
        case .additionalItems(let count, let schema):
            guard let schema else { return array.elementCount <= count }
            var elements = array.elements
            var index = 0
            while let element = elements.next() {
                if index >= count, !schema.matches(element.value) { return false }
                index += 1
            }
            return true
        default: return true
        }
    }

    private func matchesDocument(_ document: BSONView) -> Bool {
        switch self {
        case .properties(let properties):
            for (name, schema) in properties {
                if let value = document.field(Array(name.utf8).rawSpan), !schema.matches(value) { return false }
            }
            return true
        case .allowedProperties(let allowed):
            var elements = document.elements
            while let element = elements.next() {
                if !allowed.allows(element.name, element.value) { return false }
            }
            return true
        case .required(let names): return names.allSatisfy { document.hasField($0) }
        case .minProperties(let count): return document.elementCount >= count
        case .maxProperties(let count): return document.elementCount <= count
        case .dependencies(let dependencies):
            for (name, dependency) in dependencies where document.hasField(name) {
                switch dependency {
                case .fields(let names):
                    for name in names where !document.hasField(name) { return false }
                case .schema(let schema):
                    if !schema.matches(document) { return false }
                }
            }
            return true
        default: return true
        }
    }
}

extension BSONView {
    func hasField(_ name: String) -> Bool {
        field(Array(name.utf8).rawSpan) != nil
    }

    /// The index of the first element that equals an earlier one, whatever the order of its fields.
    var firstDuplicate: Int? {
        var sorted: [(operand: BSONOperand, index: Int)] = []
        var elements = elements
        while let element = elements.next() {
            sorted.append((BSONOperand(element.value.canonicalFieldOrder), sorted.count))
        }
        sorted.sort {
            let order = $0.operand.view.compare($1.operand.view)
            return order != 0 ? order < 0 : $0.index < $1.index
        }
        let later = zip(sorted, sorted.dropFirst()).filter { $0.operand.view.isEqual($1.operand.view) }
        return later.map(\.1.index).min()
    }
}

extension RawSpan {
    /// The number of code points in UTF-8 text.
    var codePointCount: Int {
        var count = 0
        for offset in 0..<byteCount where byte(at: offset) & 0xC0 != 0x80 { count += 1 }
        return count
    }
}

/// A finite number as a decimal integer and a power of ten, for exact division.
struct DecimalParts: Sendable {
    let significand: UInt128
    let exponent: Int

    init?(_ number: BSONNumber) {
        switch number {
        case .integer(let integer): (significand, exponent) = (UInt128(integer.magnitude), 0)
        // The shortest text that reads back as the double: 0.1 is one tenth here, as people mean it.
        case .double(let number):
            guard number.isFinite, let decimal = Decimal128(number.description) else { return nil }
            (significand, exponent) = (decimal.significand, decimal.exponent)
        case .decimal(let decimal):
            guard decimal.isFinite else { return nil }
            (significand, exponent) = (decimal.significand, decimal.exponent)
        }
    }

    /// The divisor is not zero.
    func isMultiple(of divisor: DecimalParts) -> Bool {
        guard significand != 0 else { return true }
        var (left, right) = (significand, divisor.significand)
        if exponent >= divisor.exponent {
            left %= right
            for _ in 0..<(exponent - divisor.exponent) where left != 0 { left = left * 10 % right }
            return left == 0
        }
        for _ in 0..<(divisor.exponent - exponent) {
            // A divisor beyond the dividend cannot divide it.
            guard right <= left else { return false }
            right *= 10
        }
        return left % right == 0
    }
}
