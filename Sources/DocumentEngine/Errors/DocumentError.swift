// DocumentError.swift — the errors of the document model, with MongoDB's codes and texts.

/// What an operation on documents was refused for, as a MongoDB user knows it: code, name and message of the server.
public struct DocumentError: Error, Sendable, Hashable {
    /// The number of the error; its name is ``DocumentErrorCode/name``.
    public let code: DocumentErrorCode
    /// The text, as the server words it.
    public let errmsg: String
    /// Details, for failed document validation: `failingDocumentId` and `details`.
    public internal(set) var errInfo: Document?
    /// The key pattern of the violated unique index, for a duplicate key.
    public internal(set) var keyPattern: Document?
    /// The values that are already there, for a duplicate key.
    public internal(set) var keyValue: Document?

    public init(_ code: DocumentErrorCode, _ errmsg: String) {
        self.code = code
        self.errmsg = errmsg
    }

    /// The name of the code, such as `DuplicateKey`.
    public var codeName: String { code.name }
}

extension DocumentError: CustomStringConvertible {
    public var description: String { "\(errmsg) (\(code.rawValue) \(codeName))" }
}

extension DocumentError {
    static func tooLarge(byteCount: Int) -> DocumentError {
        DocumentError(
            .bsonObjectTooLarge,
            "object to insert too large. size in bytes: \(byteCount), max size: \(Document.maximumByteCount)")
    }

    static func badValue(_ message: String) -> DocumentError { DocumentError(.badValue, message) }
    static func failedToParse(_ message: String) -> DocumentError { DocumentError(.failedToParse, message) }
    static func typeMismatch(_ message: String) -> DocumentError { DocumentError(.typeMismatch, message) }
}

/// One refused write of a batch.
public struct WriteError: Error, Sendable, Hashable {
    /// Which of the documents, counted from zero.
    public let index: Int
    public let error: DocumentError

    public var code: DocumentErrorCode { error.code }
    public var codeName: String { error.codeName }
    public var errmsg: String { error.errmsg }
    public var errInfo: Document? { error.errInfo }
    public var keyPattern: Document? { error.keyPattern }
    public var keyValue: Document? { error.keyValue }
}

/// Some writes of a batch were refused; the others are in place, as `insertedIDs` tells.
public struct BulkWriteError: Error, Sendable, CustomStringConvertible {
    /// The `_id` of each document that was inserted, by its index in the batch.
    public let insertedIDs: [Int: BSONValue]
    public let writeErrors: [WriteError]

    public var description: String {
        let first = writeErrors.first.map { "\($0.error)" } ?? "no write error"
        return "\(writeErrors.count) of the batch's writes were refused, the first one: \(first)"
    }
}
