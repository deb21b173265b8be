// DocumentValidator.swift — a collection's validator with its level and action, and the error document of a failure.

internal import Logging

/// What happens to a write that fails validation.
public enum ValidationAction: String, Sendable, Hashable {
    /// It is refused with error 121.
    case error
    /// It is done, and a warning with id 20294 is logged.
    case warn
    /// It is refused and logged.
    case errorAndLog
}

/// Which writes are validated.
public enum ValidationLevel: String, Sendable, Hashable {
    case off
    /// Inserts, and updates of documents that were valid before.
    case moderate
    case strict
}

/// A collection's validator, compiled.
struct DocumentValidator: Sendable {
    let filter: Document
    let expression: MatchExpression
    let level: ValidationLevel
    let action: ValidationAction

    init(_ filter: Document, level: ValidationLevel, action: ValidationAction) throws(DocumentError) {
        self.filter = filter
        self.level = level
        self.action = action
        expression = filter.isEmpty ? .matchesEverything : try FilterParser.parse(filter)
    }

    /// Checks the document that a write leaves behind; `previous` is what an update replaces.
    /// - Throws: ``DocumentError`` 121 with `errInfo`, where the action refuses.
    func validate(
        _ document: BSONView, replacing previous: BSONView?, namespace: String, logger: Logger
    ) throws(DocumentError) {
        guard level != .off, !expression.matches(document) else { return }
        if level == .moderate, let previous, !expression.matches(previous) { return }
        let error = failure(of: document)
        if action != .error { log(error, namespace, logger) }
        if action != .warn { throw error }
    }

    private func log(_ error: DocumentError, _ namespace: String, _ logger: Logger) {
        logger.warning(
            "Document would fail validation",
            metadata: [
                "id": "20294", "namespace": "\(namespace)", "errInfo": "\(error.errInfo ?? Document())",
            ])
    }

    private func failure(of document: BSONView) -> DocumentError {
        var error = DocumentError(.documentValidationFailure, "Document failed validation")
        error.errInfo = errInfo(of: document)
        return error
    }

    /// The full explanation if it can be stored in a document, a shorter one without the values otherwise.
    private func errInfo(of document: BSONView) -> Document {
        for isFull in [true, false] {
            let details = FilterExplanation(isFull: isFull).details(expression, document)
            let truncated: [(String, BSONValue)] = isFull ? [] : [("truncated", .bool(true))]
            let info = Document(identity(of: document) + truncated + [("details", .document(details))])
            if info.bytes.count <= Document.maximumByteCount / 2 { return info }
        }
        return Document(identity(of: document) + [("note", "detailed error was too large")])
    }

    private func identity(of document: BSONView) -> [(String, BSONValue)] {
        let name = Array("_id".utf8)
        guard let id = document.field(name.rawSpan) else { return [] }
        return [("failingDocumentId", BSONValue(id))]
    }
}
