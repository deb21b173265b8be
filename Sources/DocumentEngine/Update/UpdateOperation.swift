// UpdateOperation.swift — what an update does to the value at one path.

/// One operation of an update on one field.
enum UpdateOperation: Sendable {
    case set(BSONValue)
    case setOnInsert(BSONValue)
    case unset
    case increment(BSONValue)
    case multiply(BSONValue)
    case minimum(BSONValue)
    case maximum(BSONValue)
    case currentDate(isTimestamp: Bool)
    case rename(to: FieldPath)
    case push(ArrayPush)
    case addToSet([BSONValue])
    case pop(first: Bool)
    case pull(PullCondition)

    /// Whether the operation makes a field that is not there, and the documents on the way to it.
    var createsField: Bool {
        switch self {
        case .unset, .pop, .pull, .rename: false
        default: true
        }
    }
}

/// What an operation leaves at its path.
enum UpdateOutcome {
    case unchanged
    case value(BSONValue)
    case removed
}

/// What surrounds an update: the document's `_id` for messages, the time, and whether the document is being inserted.
struct UpdateContext {
    let id: BSONValue?
    let now: StorageInstant
    let isInsert: Bool

    /// `{_id: 1}`, as the server names the document in messages.
    var documentText: String { id.map { "{_id: \($0.shellText)}" } ?? "{no id}" }
}

extension UpdateOperation {
    /// What becomes of the value; `nil` is a missing field. `rename` is done by the caller.
    func apply(to current: BSONValue?, path: FieldPath, _ context: UpdateContext) throws(DocumentError) -> UpdateOutcome
    {
        switch self {
        case .set(let value): return .value(value)
        case .setOnInsert(let value): return context.isInsert ? .value(value) : .unchanged
        case .unset: return current == nil ? .unchanged : .removed
        case .increment(let amount): return .value(try UpdateArithmetic(path, context, .add).apply(current, amount))
        case .multiply(let factor): return .value(try UpdateArithmetic(path, context, .multiply).apply(current, factor))
        case .minimum(let bound): return Self.replace(current, with: bound) { $0 < 0 }
        case .maximum(let bound): return Self.replace(current, with: bound) { $0 > 0 }
        case .currentDate(let isTimestamp): return .value(Self.currentDate(context.now, isTimestamp: isTimestamp))
        case .push(let push): return .value(try push.apply(to: current, path: path, context))
        case .addToSet(let values): return try Self.addToSet(values, current, path)
        case .pop(let first): return try Self.pop(current, path, first: first)
        case .pull(let condition): return try condition.apply(to: current)
        case .rename: return .unchanged
        }
    }

    private static func replace(_ current: BSONValue?, with bound: BSONValue, if test: (Int) -> Bool) -> UpdateOutcome {
        guard let current else { return .value(bound) }
        return test(bound.compare(current)) ? .value(bound) : .unchanged
    }

    private static func currentDate(_ now: StorageInstant, isTimestamp: Bool) -> BSONValue {
        guard isTimestamp else { return .date(now) }
        let fraction = UInt32(truncatingIfNeeded: now.microseconds - now.seconds * 1_000_000)
        return .timestamp(BSONTimestamp(seconds: UInt32(truncatingIfNeeded: now.seconds), increment: fraction + 1))
    }

    private static func addToSet(
        _ values: [BSONValue], _ current: BSONValue?, _ path: FieldPath
    ) throws(DocumentError) -> UpdateOutcome {
        var elements: [BSONValue]
        switch current {
        case nil: elements = []
        case .array(let existing): elements = existing
        case let other?:
            throw .badValue(
                "Cannot apply $addToSet to non-array field. Field named '\(path.lastName)' has non-array type "
                    + other.type.alias)
        }
        let countBefore = elements.count
        for value in values where !elements.contains(where: { $0.isEqual(to: value) }) { elements.append(value) }
        return elements.count == countBefore && current != nil ? .unchanged : .value(.array(elements))
    }

    private static func pop(
        _ current: BSONValue?, _ path: FieldPath, first: Bool
    ) throws(DocumentError) -> UpdateOutcome {
        guard let current else { return .unchanged }
        guard case .array(var elements) = current else {
            throw .typeMismatch("Path '\(path.text)' contains an element of non-array type '\(current.type.alias)'")
        }
        guard !elements.isEmpty else { return .unchanged }
        elements.remove(at: first ? 0 : elements.count - 1)
        return .value(.array(elements))
    }
}

extension FieldPath {
    var lastName: String { components.last?.name ?? "" }
}
