// DocumentErrorCode.swift — the server's error numbers that this engine answers with, and their names.

/// An error number of MongoDB 8.
public struct DocumentErrorCode: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int

    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    private init(_ rawValue: Int) {
        self.rawValue = rawValue
    }

    public static let badValue = DocumentErrorCode(2)
    public static let failedToParse = DocumentErrorCode(9)
    public static let typeMismatch = DocumentErrorCode(14)
    public static let illegalOperation = DocumentErrorCode(20)
    public static let invalidBSON = DocumentErrorCode(22)
    public static let namespaceNotFound = DocumentErrorCode(26)
    public static let indexNotFound = DocumentErrorCode(27)
    public static let pathNotViable = DocumentErrorCode(28)
    public static let conflictingUpdateOperators = DocumentErrorCode(40)
    public static let namespaceExists = DocumentErrorCode(48)
    public static let dollarPrefixedFieldName = DocumentErrorCode(52)
    public static let invalidIdField = DocumentErrorCode(53)
    public static let emptyFieldName = DocumentErrorCode(56)
    public static let immutableField = DocumentErrorCode(66)
    public static let cannotCreateIndex = DocumentErrorCode(67)
    public static let invalidOptions = DocumentErrorCode(72)
    public static let invalidNamespace = DocumentErrorCode(73)
    public static let indexOptionsConflict = DocumentErrorCode(85)
    public static let indexKeySpecsConflict = DocumentErrorCode(86)
    public static let documentValidationFailure = DocumentErrorCode(121)
    public static let cannotIndexParallelArrays = DocumentErrorCode(171)
    public static let invalidIndexSpecificationOption = DocumentErrorCode(197)
    public static let queryFeatureNotAllowed = DocumentErrorCode(224)
    public static let operationNotSupportedInTransaction = DocumentErrorCode(263)
    public static let bsonObjectTooLarge = DocumentErrorCode(10334)
    public static let duplicateKey = DocumentErrorCode(11000)
    public static let invalidRegex = DocumentErrorCode(51091)
    public static let regexOptionsConflict = DocumentErrorCode(51074)
    public static let regexBadOption = DocumentErrorCode(51108)
    public static let projectionCollision = DocumentErrorCode(31249)
    public static let projectionCollisionBelow = DocumentErrorCode(31250)
    public static let inclusionInExclusion = DocumentErrorCode(31253)
    public static let exclusionInInclusion = DocumentErrorCode(31254)
    public static let unknownProjectionExpression = DocumentErrorCode(31325)
    public static let negativeSkip = DocumentErrorCode(51024)

    /// The name of the code; codes without one of their own are called `Location<number>`, as by the server.
    public var name: String { Self.names[rawValue] ?? "Location\(rawValue)" }

    private static let names: [Int: String] = [
        2: "BadValue", 9: "FailedToParse", 14: "TypeMismatch", 15: "Overflow", 20: "IllegalOperation",
        22: "InvalidBSON",
        26: "NamespaceNotFound", 27: "IndexNotFound", 28: "PathNotViable", 40: "ConflictingUpdateOperators",
        48: "NamespaceExists", 54: "NotSingleValueField", 52: "DollarPrefixedFieldName", 53: "InvalidIdField",
        56: "EmptyFieldName",
        66: "ImmutableField", 67: "CannotCreateIndex", 72: "InvalidOptions", 73: "InvalidNamespace",
        85: "IndexOptionsConflict", 86: "IndexKeySpecsConflict", 121: "DocumentValidationFailure",
        171: "CannotIndexParallelArrays", 197: "InvalidIndexSpecificationOption", 224: "QueryFeatureNotAllowed",
        263: "OperationNotSupportedInTransaction", 292: "QueryExceededMemoryLimitNoDiskUse",
        10334: "BSONObjectTooLarge", 11000: "DuplicateKey",
    ]
}
