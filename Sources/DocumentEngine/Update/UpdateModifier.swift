// UpdateModifier.swift — one operation at one path, applied to a document.

/// One operation of an update and where it applies.
struct UpdateModifier: Sendable {
    let path: FieldPath
    let operation: UpdateOperation

    /// The paths that the operation reads or writes, for conflicts.
    var touchedPaths: [FieldPath] {
        if case .rename(let target) = operation { return [path, target] }
        return [path]
    }

    func apply(to document: Document, _ context: UpdateContext) throws(DocumentError) -> Document {
        if case .rename(let target) = operation { return try rename(to: target, document, context) }
        guard case .document(let changed) = try apply(to: .document(document), at: 0, context) else { return document }
        return changed
    }

    /// The container with the operation done below it; `nil` if that changes nothing.
    private func apply(
        to container: BSONValue, at index: Int, _ context: UpdateContext
    ) throws(DocumentError) -> BSONValue? {
        switch container {
        case .document(let document): return try apply(to: document, at: index, context).map { .document($0) }
        case .array(let elements): return try apply(to: elements, at: index, context).map { .array($0) }
        default: return nil
        }
    }

    private func apply(
        to document: Document, at index: Int, _ context: UpdateContext
    ) throws(DocumentError) -> Document? {
        let name = path.components[index].name
        let current = document[name]
        switch try outcome(for: current, at: index, context) {
        case .unchanged: return nil
        case .removed:
            var changed = document
            changed[name] = nil
            return changed
        case .value(let value):
            var changed = document
            changed[name] = value
            return changed
        }
    }

    /// The most nulls that a write beyond the end of an array adds.
    private static let backfillLimit = 1_500_000

    private func apply(
        to elements: [BSONValue], at index: Int, _ context: UpdateContext
    ) throws(DocumentError) -> [BSONValue]? {
        guard let position = path.components[index].arrayIndex else {
            guard operation.createsField else { return nil }
            throw notViable(index, .array(elements))
        }
        let current = position < elements.count ? elements[position] : nil
        var elements = elements
        switch try outcome(for: current, at: index, context) {
        case .unchanged: return nil
        case .removed: elements[position] = .null
        case .value(let value):
            guard position - elements.count <= Self.backfillLimit else {
                throw .badValue("can't backfill more than \(Self.backfillLimit) elements")
            }
            while elements.count <= position { elements.append(.null) }
            elements[position] = value
        }
        return elements
    }

    /// What becomes of the value at component `index`: the operation's result at the end of the path, else the changed
    /// container.
    private func outcome(
        for current: BSONValue?, at index: Int, _ context: UpdateContext
    ) throws(DocumentError) -> UpdateOutcome {
        if index == path.components.count - 1 { return try operation.apply(to: current, path: path, context) }
        switch current {
        case nil:
            guard operation.createsField, let child = try apply(to: .document(Document()), at: index + 1, context)
            else {
                return .unchanged
            }
            return .value(child)
        case .document, .array:
            guard let current, let changed = try apply(to: current, at: index + 1, context) else { return .unchanged }
            return .value(changed)
        case let scalar?:
            guard operation.createsField else { return .unchanged }
            throw notViable(index + 1, scalar)
        }
    }

    /// `index` is the component that cannot be made inside `container`.
    private func notViable(_ index: Int, _ container: BSONValue) -> DocumentError {
        let parent = index > 0 ? path.components[index - 1].name : ""
        return DocumentError(
            .pathNotViable,
            "Cannot create field '\(path.components[index].name)' in element {\(parent): \(container.shellText)}")
    }
}

// $rename: the source goes, its value is set at the target; neither path may lead through an array.
extension UpdateModifier {
    private func rename(
        to target: FieldPath, _ document: Document, _ context: UpdateContext
    ) throws(DocumentError) -> Document {
        try refuseArrays(on: path, "source", document, context)
        try refuseArrays(on: target, "destination", document, context)
        guard let value = document.value(at: path.text) else { return document }
        let removed = try UpdateModifier(path: path, operation: .unset).apply(to: document, context)
        return try UpdateModifier(path: target, operation: .set(value)).apply(to: removed, context)
    }

    private func refuseArrays(
        on path: FieldPath, _ role: String, _ document: Document, _ context: UpdateContext
    ) throws(DocumentError) {
        var current = BSONValue.document(document)
        var previousName = ""
        for component in path.components {
            if case .array = current {
                throw .badValue(
                    "The \(role) field cannot be an array element, '\(path.text)' in doc with "
                        + "_id: \(context.id?.shellText ?? "no id") has an array field called '\(previousName)'")
            }
            guard let next = current.documentValue?[component.name] else { return }
            current = next
            previousName = component.name
        }
    }
}
