// CreateTableRequest+Validation.swift — table and index definitions that the service refuses.

extension CreateTableRequest {
    private static let nameLengths = 3...255
    private static let globalIndexLimit = 20
    private static let localIndexLimit = 5

    /// - Throws: `ValidationException` with the service's text.
    func validate() throws {
        guard Self.nameLengths.contains(name.utf8.count) else {
            throw TableError.validation(
                "TableName must be at least 3 characters long and at most 255 characters long")
        }
        try Self.checkCharacters(of: name, at: "tableName")
        try checkAttributes()
        try Self.checkDistinct(keySchema)
        try checkIndexCounts()
        for index in indexes { try check(index) }
    }

    /// The types of all key attributes, and that no attribute has two of them.
    private func checkAttributes() throws {
        var types: [String: AttributeType] = [:]
        let attributes = keySchema.attributes + indexes.flatMap(\.keySchema.attributes)
        for (position, attribute) in attributes.enumerated() {
            guard attribute.type.isOrdered else {
                throw TableError.validation(
                    "1 validation error detected: Value '\(attribute.type.rawValue)' at "
                        + "'attributeDefinitions.\(position + 1).member.attributeType' failed to satisfy constraint: "
                        + "Member must satisfy enum value set: [B, N, S]")
            }
            guard types.updateValue(attribute.type, forKey: attribute.name) ?? attribute.type == attribute.type else {
                throw TableError.invalidParameter("Cannot have two attributes with the same name")
            }
        }
    }

    private func checkIndexCounts() throws {
        var names: Set<String> = []
        for index in indexes where !names.insert(index.name).inserted {
            throw TableError.invalidParameter("Duplicate index name: \(index.name)")
        }
        guard indexes.count(where: { $0.kind == .global }) <= Self.globalIndexLimit else {
            throw TableError.invalidParameter("GlobalSecondaryIndex count exceeds the per-table limit of 20")
        }
        guard indexes.count(where: { $0.kind == .local }) <= Self.localIndexLimit else {
            throw TableError.invalidParameter("Number of LocalSecondaryIndexes exceeds per-table limit of 5")
        }
    }

    private func check(_ index: SecondaryIndex) throws {
        try RequestConstraint.checkLength(of: index.name, Self.nameLengths, at: "indexName")
        try Self.checkCharacters(of: index.name, at: "indexName")
        try Self.checkDistinct(index.keySchema)
        guard index.kind == .local else { return }
        guard keySchema.sortKey != nil else {
            throw TableError.invalidParameter(
                "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
        }
        guard index.keySchema.sortKey != nil else {
            throw TableError.invalidParameter("Index KeySchema does not have a range key for index: \(index.name)")
        }
        guard index.keySchema.partitionKey == keySchema.partitionKey else {
            throw TableError.invalidParameter(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: \(index.name). "
                    + "index hash key: \(index.keySchema.partitionKey.name), "
                    + "table hash key: \(keySchema.partitionKey.name)")
        }
    }

    private static func checkDistinct(_ schema: KeySchema) throws {
        guard schema.sortKey?.name != schema.partitionKey.name else {
            throw TableError.validation(
                "Both the Hash Key and the Range Key element in the KeySchema have the same name")
        }
    }

    private static func checkCharacters(of name: String, at parameter: String) throws {
        let isAllowed = name.utf8.allSatisfy { byte in
            Lexer.isPart(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        }
        guard isAllowed else {
            throw TableError.validation(
                "1 validation error detected: Value '\(name)' at '\(parameter)' failed to satisfy constraint: "
                    + "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
        }
    }
}
