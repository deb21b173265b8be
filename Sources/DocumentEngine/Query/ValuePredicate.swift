// ValuePredicate.swift — what a query asks of one value; `nil` stands for a missing field.

/// The comparison operators.
enum ComparisonOperator: String, Sendable, CaseIterable {
    case equal = "$eq"
    case less = "$lt"
    case lessOrEqual = "$lte"
    case greater = "$gt"
    case greaterOrEqual = "$gte"

    var includesEqual: Bool { self != .less && self != .greater }

    func accepts(_ order: Int) -> Bool {
        switch self {
        case .equal: order == 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

/// A test of a single value.
indirect enum ValuePredicate: Sendable {
    case compare(ComparisonOperator, BSONOperand)
    case inList(InList)
    case exists
    case type(BSONTypeSet, written: BSONValue)
    case regex(PatternMatcher)
    case size(Int)
    case mod(divisor: Int64, remainder: Int64)
    /// Some element is a document (or array) that matches.
    case elementMatchesObject(MatchExpression, written: BSONValue)
    /// Some element matches as a value; the expression's leaves have the root path.
    case elementMatchesValue(MatchExpression, written: BSONValue)

    /// Whether the predicate is asked of the elements of an array too, or of the array alone.
    var expandsLeafArrays: Bool {
        switch self {
        case .size, .elementMatchesObject, .elementMatchesValue: false
        default: true
        }
    }

    func matches(_ value: BSONView?) -> Bool {
        guard let value else { return matchesMissing }
        switch self {
        case .compare(let comparison, let operand): return Self.compare(value, comparison, operand)
        case .inList(let list): return list.contains(value)
        case .exists: return true
        case .type(let types, _): return types.contains(value.type)
        case .regex(let pattern): return Self.matches(value, pattern)
        case .size(let count): return value.isArray && value.elementCount == count
        case .mod(let divisor, let remainder): return Self.matches(value, divisor, remainder)
        case .elementMatchesObject(let expression, _):
            return Self.anyElement(of: value, matches: expression, asObject: true)
        case .elementMatchesValue(let expression, _):
            return Self.anyElement(of: value, matches: expression, asObject: false)
        }
    }

    /// A missing field equals null, and nothing else.
    private var matchesMissing: Bool {
        switch self {
        case .compare(let comparison, let operand):
            switch operand.type {
            case .null: comparison.includesEqual
            case .minKey, .maxKey: comparison != .equal
            default: false
            }
        case .inList(let list): list.containsNull
        default: false
        }
    }

    /// Range operators see only values of the operand's type class; the two key bounds compare with everything.
    private static func compare(_ value: BSONView, _ comparison: ComparisonOperator, _ operand: BSONOperand) -> Bool {
        guard value.type.canonicalRank == operand.type.canonicalRank else {
            return (operand.type == .minKey || operand.type == .maxKey) && comparison != .equal
        }
        let right = operand.view
        if value.type.isNumber, let left = BSONNumber(value), let number = BSONNumber(right), left.isNaN || number.isNaN
        {
            return comparison.includesEqual && left.isNaN && number.isNaN
        }
        return comparison.accepts(value.compareWithinRank(right))
    }

    private static func matches(_ value: BSONView, _ pattern: PatternMatcher) -> Bool {
        switch value.type {
        case .string, .symbol: return pattern.matches(value.text)
        case .regex:
            let regex = value.regex
            return regex.pattern == pattern.pattern && regex.options == pattern.options
        default: return false
        }
    }

    private static func matches(_ value: BSONView, _ divisor: Int64, _ remainder: Int64) -> Bool {
        guard let number = BSONNumber(value)?.truncatedInteger else { return false }
        // The most negative number divided by -1 overflows; its remainder is zero.
        return (divisor == -1 ? 0 : number % divisor) == remainder
    }

    private static func anyElement(
        of value: BSONView, matches expression: MatchExpression, asObject: Bool
    ) -> Bool {
        guard value.isArray else { return false }
        var elements = value.elements
        while let element = elements.next() {
            if asObject, !element.value.isDocument, !element.value.isArray { continue }
            if expression.matches(element.value) { return true }
        }
        return false
    }
}

/// The operand of `$in`: values in their order and patterns.
struct InList: Sendable {
    /// As written, for messages and for the planner.
    let written: [BSONValue]
    /// Sorted and without repetitions.
    let operands: [BSONOperand]
    let patterns: [PatternMatcher]
    let containsNull: Bool

    /// - Throws: 2 if an element is an operator expression; what a pattern is refused for.
    init(_ values: [BSONValue]) throws(DocumentError) {
        var operands: [BSONOperand] = []
        var patterns: [PatternMatcher] = []
        for value in values {
            if case .regex(let regex) = value {
                patterns.append(try PatternMatcher(regex.pattern, options: regex.options))
            } else if case .document(let document) = value, document.fieldNames.first?.hasPrefix("$") == true {
                throw .badValue("cannot nest $ under $in")
            } else {
                operands.append(BSONOperand(value))
            }
        }
        operands.sort { $0.view.compare($1.view) < 0 }
        var unique: [BSONOperand] = []
        for operand in operands where unique.last.map({ $0.view.isEqual(operand.view) }) != true {
            unique.append(operand)
        }
        written = values
        self.operands = unique
        self.patterns = patterns
        containsNull = unique.contains { $0.type == .null }
    }

    func contains(_ value: BSONView) -> Bool {
        if containsOperand(value) { return true }
        return patterns.contains { ValuePredicate.regex($0).matches(value) }
    }

    private func containsOperand(_ value: BSONView) -> Bool {
        var (low, high) = (0, operands.count)
        while low < high {
            let middle = (low + high) / 2
            let operand = operands[middle]
            let order = operand.view.compare(value)
            if order == 0 { return true }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
