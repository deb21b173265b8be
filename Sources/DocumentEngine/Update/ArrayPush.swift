// ArrayPush.swift — $push with $each, $position, $sort and $slice, applied in that order.

struct ArrayPush: Sendable {
    var values: [BSONValue]
    /// Where the values go in; negative counts from the end.
    var position: Int?
    /// How many elements stay; negative keeps the last ones.
    var slice: Int?
    var sort: ArraySort?

    func apply(to current: BSONValue?, path: FieldPath, _ context: UpdateContext) throws(DocumentError) -> BSONValue {
        var elements: [BSONValue]
        switch current {
        case nil: elements = []
        case .array(let existing): elements = existing
        case let other?:
            throw .badValue(
                "The field '\(path.text)' must be an array but is of type \(other.type.alias) in document "
                    + context.documentText)
        }
        elements.insert(contentsOf: values, at: insertionIndex(in: elements.count))
        if let sort { elements = sort.sorted(elements) }
        return .array(sliced(elements))
    }

    private func insertionIndex(in count: Int) -> Int {
        guard let position else { return count }
        return position >= 0 ? min(position, count) : max(count - Int(min(position.magnitude, UInt(count))), 0)
    }

    private func sliced(_ elements: [BSONValue]) -> [BSONValue] {
        guard let slice else { return elements }
        if slice >= 0 { return Array(elements.prefix(slice)) }
        return Array(elements.suffix(Int(min(slice.magnitude, UInt(elements.count)))))
    }
}

/// The `$sort` of a `$push`: whole elements, or by fields of documents.
enum ArraySort: Sendable {
    case elements(descending: Bool)
    case fields([(FieldPath, descending: Bool)])

    func sorted(_ elements: [BSONValue]) -> [BSONValue] {
        elements.enumerated().sorted { left, right in
            let order = compare(left.element, right.element)
            return order != 0 ? order < 0 : left.offset < right.offset
        }.map(\.element)
    }

    private func compare(_ left: BSONValue, _ right: BSONValue) -> Int {
        switch self {
        case .elements(let descending): return descending ? right.compare(left) : left.compare(right)
        case .fields(let fields):
            for (path, descending) in fields {
                let order = Self.value(of: left, at: path).compare(Self.value(of: right, at: path))
                if order != 0 { return descending ? -order : order }
            }
            return 0
        }
    }

    private static func value(of element: BSONValue, at path: FieldPath) -> BSONValue {
        element.documentValue?.value(at: path.text) ?? .null
    }
}

/// The operand of `$pull` and `$pullAll`.
enum PullCondition: Sendable {
    /// Elements that match as values, by operators or a pattern.
    case values(MatchExpression)
    /// Elements that are documents and match.
    case documents(MatchExpression)
    /// Elements equal to one of these.
    case equal([BSONOperand], isPullAll: Bool)

    func apply(to current: BSONValue?) throws(DocumentError) -> UpdateOutcome {
        guard let current else { return .unchanged }
        guard case .array(let elements) = current else {
            if case .equal(_, isPullAll: true) = self {
                throw .badValue("Cannot apply $pullAll to a non-array value")
            }
            throw .badValue("Cannot apply $pull to a non-array value")
        }
        let remaining = elements.filter { !matches(BSONOperand($0)) }
        return remaining.count == elements.count ? .unchanged : .value(.array(remaining))
    }

    private func matches(_ element: BSONOperand) -> Bool {
        switch self {
        case .values(let expression): expression.matches(element.view)
        case .documents(let expression): element.type == .document && expression.matches(element.view)
        case .equal(let operands, _): operands.contains { $0.view.isEqual(element.view) }
        }
    }
}
