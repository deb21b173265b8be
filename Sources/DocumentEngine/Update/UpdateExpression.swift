// UpdateExpression.swift — a compiled update: operators or a whole replacement, and the rules about `_id` and size.

/// A compiled update.
struct UpdateExpression: Sendable {
    private enum Form: Sendable {
        /// Sorted by path, so that new fields appear in that order whatever the order of the operators.
        case modifiers([UpdateModifier])
        case replacement(Document)
    }

    private let form: Form

    /// An update by operators.
    /// - Throws: 9 (FailedToParse) if the document holds no operators, and what the operators are refused for.
    init(operators: Document) throws(DocumentError) {
        guard operators.fieldNames.first?.hasPrefix("$") == true else {
            throw .failedToParse("the update operation document must contain atomic operators beginning with '$'")
        }
        try operators.checkNesting()
        form = .modifiers(try UpdateParser.parse(operators).sorted { Self.precedes($0.path, $1.path) })
    }

    /// A replacement of everything but `_id`.
    init(replacement: Document) throws(DocumentError) {
        guard replacement.fieldNames.first?.hasPrefix("$") != true else {
            throw .failedToParse("the replace operation document must not contain atomic operators")
        }
        form = .replacement(replacement)
    }

    /// Names by their bytes, array indexes by their value.
    private static func precedes(_ left: FieldPath, _ right: FieldPath) -> Bool {
        for (left, right) in zip(left.components, right.components) where left.name != right.name {
            if let leftIndex = left.arrayIndex, let rightIndex = right.arrayIndex { return leftIndex < rightIndex }
            return left.bytes.lexicographicallyPrecedes(right.bytes)
        }
        return left.components.count < right.components.count
    }

    /// The document after the update.
    /// - Throws: 66 if `_id` would change, 28 if a path leads through a scalar, 14 and 2 as the operators say.
    func apply(to document: Document, now: StorageInstant) throws(DocumentError) -> Document {
        let id = document["_id"]
        let changed: Document
        switch form {
        case .modifiers(let modifiers):
            changed = try apply(modifiers, document, UpdateContext(id: id, now: now, isInsert: false))
        case .replacement(let replacement): changed = try replace(id, with: replacement)
        }
        try checkID(id, changed["_id"])
        try checkSize(changed)
        return changed
    }

    /// The document that an upsert inserts when nothing matches the filter.
    func documentToInsert(for filter: MatchExpression, now: StorageInstant) throws(DocumentError) -> Document {
        let seed = try UpsertSeed.document(for: filter)
        switch form {
        case .modifiers(let modifiers):
            let context = UpdateContext(id: seed["_id"], now: now, isInsert: true)
            let document = try apply(modifiers, seed, context)
            if let id = seed["_id"] { try checkID(id, document["_id"]) }
            return document
        case .replacement(let replacement): return try replace(seed["_id"], with: replacement)
        }
    }

    private func apply(
        _ modifiers: [UpdateModifier], _ document: Document, _ context: UpdateContext
    ) throws(DocumentError) -> Document {
        var document = document
        for modifier in modifiers { document = try modifier.apply(to: document, context) }
        return document
    }

    private func replace(_ id: BSONValue?, with replacement: Document) throws(DocumentError) -> Document {
        guard let id else { return replacement }
        if let other = replacement["_id"] {
            guard other.isEqual(to: id) else {
                throw DocumentError(
                    .immutableField,
                    "After applying the update, the (immutable) field '_id' was found to have been altered to _id: "
                        + other.shellText)
            }
            return replacement
        }
        return Document([("_id", id)] + replacement.fields.map { ($0.name, $0.value) })
    }

    private func checkID(_ before: BSONValue?, _ after: BSONValue?) throws(DocumentError) {
        guard let before else { return }
        guard let after, after.isEqual(to: before) else {
            throw DocumentError(
                .immutableField,
                "Performing an update on the path '_id' would modify the immutable field '_id'")
        }
    }

    private func checkSize(_ document: Document) throws(DocumentError) {
        guard document.bytes.count <= Document.maximumByteCount else {
            throw DocumentError(
                DocumentErrorCode(rawValue: 17419),
                "Resulting document after update is larger than \(Document.maximumByteCount)")
        }
    }
}

/// The fields that an upsert takes from its filter: those that must equal one value.
enum UpsertSeed {
    /// - Throws: 54 (NotSingleValueField) if the filter asks one path for two values.
    static func document(for filter: MatchExpression) throws(DocumentError) -> Document {
        var seeds: [(FieldPath, BSONValue)] = []
        for clause in filter.conjuncts {
            guard let seed = equality(clause) else { continue }
            if seeds.contains(where: { $0.0.overlaps(seed.0) }) {
                throw DocumentError(
                    DocumentErrorCode(rawValue: 54),
                    "cannot infer query fields to set, path '\(seed.0.text)' is matched twice")
            }
            seeds.append(seed)
        }
        var document = Document()
        let context = UpdateContext(id: nil, now: StorageInstant(microseconds: 0), isInsert: true)
        for (path, value) in seeds {
            document = try UpdateModifier(path: path, operation: .set(value)).apply(to: document, context)
        }
        return document
    }

    private static func equality(_ clause: MatchExpression) -> (FieldPath, BSONValue)? {
        switch clause {
        case .leaf(let path, .compare(.equal, let operand)): (path, operand.value)
        case .leaf(let path, .inList(let list)) where list.operands.count == 1 && list.patterns.isEmpty:
            (path, list.operands[0].value)
        case .all(_, let clauses, _) where clauses.count == 1: equality(clauses[0])
        case .or(let clauses) where clauses.count == 1: equality(clauses[0])
        default: nil
        }
    }
}
