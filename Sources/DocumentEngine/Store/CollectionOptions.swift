// CollectionOptions.swift — how a collection checks what is written to it, and what is told about a collection.

/// How a collection is made.
public struct CollectionOptions: Sendable, Hashable {
    /// A filter that every document must match; `{$jsonSchema: …}` most of the time.
    public var validator: Document?
    public var validationLevel: ValidationLevel
    public var validationAction: ValidationAction

    public init(
        validator: Document? = nil, validationLevel: ValidationLevel = .strict,
        validationAction: ValidationAction = .error
    ) {
        self.validator = validator
        self.validationLevel = validationLevel
        self.validationAction = validationAction
    }

    func compiled() throws(DocumentError) -> DocumentValidator? {
        guard let validator, !validator.isEmpty else { return nil }
        return try DocumentValidator(validator, level: validationLevel, action: validationAction)
    }
}

/// What `collMod` changes; `nil` leaves a setting as it is.
public struct CollectionModification: Sendable, Hashable {
    public var validator: Document?
    public var validationLevel: ValidationLevel?
    public var validationAction: ValidationAction?

    public init(
        validator: Document? = nil, validationLevel: ValidationLevel? = nil, validationAction: ValidationAction? = nil
    ) {
        self.validator = validator
        self.validationLevel = validationLevel
        self.validationAction = validationAction
    }
}

/// One line of `listCollections`.
public struct CollectionInfo: Sendable, Hashable {
    public let name: String
    public let options: CollectionOptions
}
