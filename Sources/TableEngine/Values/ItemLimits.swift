// ItemLimits.swift — what the service refuses to store, and the form in which it keeps the rest.
//
// Source: Amazon DynamoDB Developer Guide, "Quotas in Amazon DynamoDB".

extension AttributeValue {
    /// Levels of lists and maps within one attribute.
    static let nestingLimit = 32

    /// The value as it is stored: sets in ascending order.
    ///
    /// - Throws: `ValidationException` for an empty set, duplicates in a set, or nesting beyond 32 levels.
    func storable(depth: Int = 1) throws -> AttributeValue {
        switch self {
        case .s, .n, .b, .bool, .null: return self
        case .ss, .ns, .bs: return try storableSet()
        case .l(let values):
            try Self.checkDepth(depth)
            return .l(try values.map { try $0.storable(depth: depth + 1) })
        case .m(let item):
            try Self.checkDepth(depth)
            return .m(try item.storable(depth: depth + 1))
        }
    }

    /// Whether the value is stored as it is, without a look inside.
    var isScalar: Bool {
        switch self {
        case .s, .n, .b, .bool, .null: true
        case .l, .m, .ss, .ns, .bs: false
        }
    }

    private static func checkDepth(_ depth: Int) throws {
        guard depth <= nestingLimit else {
            throw TableError.invalidParameter("Nesting Levels have exceeded supported limits")
        }
    }

    private func storableSet() throws -> AttributeValue {
        let sorted = withSortedElements
        switch (self, sorted) {
        case (.ss(let given), .ss(let values)):
            guard !values.isEmpty else { throw TableError.invalidParameter("An string set  may not be empty") }
            guard !values.hasAdjacent(where: { $0.equalsUTF8($1) }) else {
                throw TableError.invalidParameter(
                    "Input collection [\(given.joined(separator: ", "))] contains duplicates.")
            }
        case (.ns, .ns(let values)):
            guard !values.isEmpty else { throw TableError.invalidParameter("An number set  may not be empty") }
            guard !values.hasAdjacent(where: ==) else {
                throw TableError.validation("Input collection contains duplicates")
            }
        case (.bs(let given), .bs(let values)):
            guard !values.isEmpty else { throw TableError.invalidParameter("Binary sets should not be empty") }
            guard !values.hasAdjacent(where: ==) else {
                let texts = given.map(Base64.encode).joined(separator: ", ")
                throw TableError.invalidParameter("Input collection [\(texts)]of type BS contains duplicates.")
            }
        default: break
        }
        return sorted
    }
}

extension Item {
    /// Bytes of the largest item.
    static let sizeLimit = 409_600

    /// The item as it is stored; the same item, uncopied, where it holds only scalars.
    ///
    /// - Throws: `ValidationException` as ``AttributeValue/storable(depth:)``.
    func storable(depth: Int = 1) throws -> Item {
        guard contains(where: { !$0.value.isScalar }) else { return self }
        return Item(ordered: try map { Attribute(name: $0.name, value: try $0.value.storable(depth: depth)) })
    }

    /// - Throws: `ValidationException` if the item is larger than 400 KB.
    func checkSize(_ message: String = "Item size has exceeded the maximum allowed size") throws {
        guard sizeInBytes <= Self.sizeLimit else { throw TableError.validation(message) }
    }
}

extension Array {
    fileprivate func hasAdjacent(where areEqual: (Element, Element) -> Bool) -> Bool {
        zip(self, dropFirst()).contains(where: areEqual)
    }
}
