// IndexSpecification.swift — what an index is: its keys and options, as the user gives them and as the catalog keeps
// them.

/// How an index is made.
public struct IndexOptions: Sendable, Hashable {
    /// Defaults to the keys' names and directions: `email_1`.
    public var name: String?
    /// No two documents of the index may have the same key.
    public var isUnique: Bool
    /// Documents that have none of the fields are left out.
    public var isSparse: Bool
    /// Only documents that match are in the index, and only they are constrained by `isUnique`.
    public var partialFilterExpression: Document?

    public init(
        unique: Bool = false, partialFilterExpression: Document? = nil, name: String? = nil, sparse: Bool = false
    ) {
        self.name = name
        isUnique = unique
        isSparse = sparse
        self.partialFilterExpression = partialFilterExpression
    }
}

/// A valid index definition.
struct IndexSpecification: Sendable {
    struct Key: Sendable, Hashable {
        let path: FieldPath
        let isDescending: Bool
    }

    let name: String
    /// As written: `{email: 1}`.
    let keyPattern: Document
    let keys: [Key]
    let isUnique: Bool
    let isSparse: Bool
    let partialFilter: Document?
    let partialExpression: MatchExpression?

    static let identityName = "_id_"
    static let maximumKeyCount = 32

    var isIdentity: Bool { name == Self.identityName }

    /// - Throws: 67 (CannotCreateIndex) for bad keys or a filter that an index can't have, 197 for options of `_id`.
    init(_ keyPattern: Document, _ options: IndexOptions) throws(DocumentError) {
        keys = try Self.keys(of: keyPattern)
        self.keyPattern = keyPattern
        isUnique = options.isUnique
        isSparse = options.isSparse
        partialFilter = options.partialFilterExpression
        partialExpression = try options.partialFilterExpression.map { (filter) throws(DocumentError) in
            try PartialFilter.parse(filter)
        }
        let isIdentity = keys.count == 1 && keys[0].path.text == "_id" && !keys[0].isDescending
        name = isIdentity ? Self.identityName : options.name ?? Self.defaultName(keyPattern)
        guard !name.isEmpty else { throw DocumentError(.cannotCreateIndex, "index name cannot be empty") }
        guard isIdentity || name != Self.identityName else {
            throw DocumentError(
                .badValue,
                "The index name '_id_' is reserved for the _id index, which must have key pattern {_id: 1}, "
                    + "found key: \(keyPattern.shellText)")
        }
        if isSparse, partialFilter != nil {
            throw DocumentError(
                .cannotCreateIndex, "cannot mix \"partialFilterExpression\" and \"sparse\" options")
        }
        if isIdentity, partialFilter != nil || isSparse {
            let option = partialFilter != nil ? "partialFilterExpression" : "sparse"
            throw DocumentError(
                .invalidIndexSpecificationOption, "The field '\(option)' is not valid for an _id index specification.")
        }
    }

    static func identity() throws(DocumentError) -> IndexSpecification {
        try IndexSpecification(["_id": 1], IndexOptions(unique: true))
    }

    private static func keys(of pattern: Document) throws(DocumentError) -> [Key] {
        guard !pattern.isEmpty else { throw DocumentError(.cannotCreateIndex, "Index keys cannot be empty.") }
        guard pattern.count <= maximumKeyCount else {
            throw DocumentError(DocumentErrorCode(rawValue: 13103), "too many compound keys for index")
        }
        var keys: [Key] = []
        for (name, value) in pattern.fields {
            try checkName(name)
            let path = FieldPath(name)
            guard !keys.contains(where: { $0.path == path }) else {
                throw DocumentError(.badValue, "The field '\(name)' appears multiple times in the index key pattern")
            }
            keys.append(Key(path: path, isDescending: try isDescending(value)))
        }
        return keys
    }

    private static func checkName(_ name: String) throws(DocumentError) {
        let components = name.split(separator: ".", omittingEmptySubsequences: false)
        guard !name.isEmpty, components.allSatisfy({ !$0.isEmpty }) else {
            throw DocumentError(.cannotCreateIndex, "Index keys cannot contain an empty field.")
        }
        if components.contains(where: { $0.utf8.first == UInt8(ascii: "$") }) {
            throw DocumentError(
                .cannotCreateIndex, "Index key contains an illegal field name: field name starts with '$'.")
        }
    }

    private static func isDescending(_ value: BSONValue) throws(DocumentError) -> Bool {
        if case .string(let plugin) = value {
            throw DocumentError(.cannotCreateIndex, "Unknown index plugin '\(plugin)'")
        }
        guard let direction = value.doubleValue else {
            throw DocumentError(
                .cannotCreateIndex,
                "Values in v:2 index key pattern cannot be of type \(value.type.alias). Only numbers > 0, numbers < 0, "
                    + "and strings are allowed.")
        }
        guard !direction.isNaN, direction != 0 else {
            throw DocumentError(.cannotCreateIndex, "Values in the index key pattern cannot be 0.")
        }
        return direction < 0
    }

    private static func defaultName(_ pattern: Document) -> String {
        pattern.fields.map { "\($0.name)_\($0.value.intValue.map { String($0) } ?? $0.value.shellText)" }
            .joined(separator: "_")
    }

    /// Whether the definition asks for the same index, whatever its name.
    func isEquivalent(to other: IndexSpecification) -> Bool {
        hasSameSignature(as: other) && isUnique == other.isUnique && isSparse == other.isSparse
    }

    /// Whether the two can't both exist under different names: the same keys over the same documents.
    func hasSameSignature(as other: IndexSpecification) -> Bool {
        keys == other.keys && PartialFilter.areEquivalent(partialFilter, other.partialFilter)
    }

    /// The document of `listIndexes`.
    var document: Document {
        var document: Document = ["v": 2, "key": .document(keyPattern), "name": .string(name)]
        if isUnique, !isIdentity { document["unique"] = true }
        if isSparse { document["sparse"] = true }
        if let partialFilter { document["partialFilterExpression"] = .document(partialFilter) }
        return document
    }

    /// What the catalog keeps.
    init(catalogEntry document: Document) throws {
        guard let keyPattern = document["key"]?.documentValue, let name = document["name"]?.stringValue else {
            throw StorageError.corruption("The document catalog holds an index without key or name: \(document)")
        }
        let options = IndexOptions(
            unique: document["unique"]?.boolValue ?? (name == Self.identityName),
            partialFilterExpression: document["partialFilterExpression"]?.documentValue, name: name,
            sparse: document["sparse"]?.boolValue ?? false)
        try self.init(keyPattern, options)
    }
}
