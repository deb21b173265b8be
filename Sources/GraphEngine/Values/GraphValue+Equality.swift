// GraphValue+Equality.swift — Cypher's `=` and `<`: three-valued (CIP2016-06-14 "Comparability and equality").

extension GraphValue {
    /// Cypher's `=`: nil where the answer is unknown because a null takes part and nothing else decides.
    ///
    /// Values of different types differ, numbers are compared as if they had unlimited precision, lists and maps
    /// element by element.
    public func isEqual(to other: GraphValue) -> Bool? {
        switch (self, other) {
        case (.null, _), (_, .null): nil
        case (.boolean(let left), .boolean(let right)): left == right
        case (.string(let left), .string(let right)): left.isSameText(as: right)
        case (.integer, .integer), (.integer, .float), (.float, .integer), (.float, .float):
            compareNumbers(self, other) == .equal
        case (.list(let left), .list(let right)): Self.areEqual(left, right)
        case (.map(let left), .map(let right)): Self.areEqual(left, right)
        case (.node(let left), .node(let right)): left == right
        case (.relationship(let left), .relationship(let right)): left == right
        case (.path(let left), .path(let right)): left == right
        default: false
        }
    }

    private static func areEqual(_ left: [GraphValue], _ right: [GraphValue]) -> Bool? {
        guard left.count == right.count else { return false }
        var isDecided = true
        for (a, b) in zip(left, right) {
            switch a.isEqual(to: b) {
            case false?: return false
            case nil: isDecided = false
            case true?: break
            }
        }
        return isDecided ? true : nil
    }

    private static func areEqual(_ left: [String: GraphValue], _ right: [String: GraphValue]) -> Bool? {
        guard left.count == right.count else { return false }
        var isDecided = true
        for (key, a) in left {
            guard let b = right[key] else { return false }
            switch a.isEqual(to: b) {
            case false?: return false
            case nil: isDecided = false
            case true?: break
            }
        }
        return isDecided ? true : nil
    }

    /// The order of two values of comparable types: nil where they can't be compared or a null takes part.
    ///
    /// `.unordered` is the answer of NaN: every comparison with it is false, not unknown.
    func compare(to other: GraphValue) -> PartialOrder? {
        switch (self, other) {
        case (.boolean(let left), .boolean(let right)):
            PartialOrder(left ? 1 : 0, right ? 1 : 0)
        case (.string(let left), .string(let right)):
            PartialOrder(left.compareCodePoints(to: right), 0)
        case (.integer, .integer), (.integer, .float), (.float, .integer), (.float, .float):
            compareNumbers(self, other)
        case (.list(let left), .list(let right)):
            Self.compare(left, right)
        default:
            nil
        }
    }

    private static func compare(_ left: [GraphValue], _ right: [GraphValue]) -> PartialOrder? {
        for (a, b) in zip(left, right) {
            guard let order = a.compare(to: b) else { return nil }
            if order != .equal { return order }
        }
        return PartialOrder(left.count, right.count)
    }
}

/// The outcome of comparing two values of one type.
enum PartialOrder: Sendable {
    case less, equal, greater, unordered

    init<Value: Comparable>(_ left: Value, _ right: Value) {
        self = left < right ? .less : left == right ? .equal : .greater
    }

    var reversed: PartialOrder {
        switch self {
        case .less: .greater
        case .greater: .less
        case .equal, .unordered: self
        }
    }
}

/// Compares two numbers as if both were decimals of unlimited precision. Not numbers: `.unordered`.
func compareNumbers(_ left: GraphValue, _ right: GraphValue) -> PartialOrder {
    switch (left, right) {
    case (.integer(let a), .integer(let b)): PartialOrder(a, b)
    case (.float(let a), .float(let b)): a.isNaN || b.isNaN ? .unordered : PartialOrder(a, b)
    case (.integer(let a), .float(let b)): compare(a, b)
    case (.float(let a), .integer(let b)): compare(b, a).reversed
    default: .unordered
    }
}

/// Exact: a 64-bit integer has more significant bits than a double holds.
private func compare(_ integer: Int64, _ double: Double) -> PartialOrder {
    if double.isNaN { return .unordered }
    if double >= 0x1p63 { return .less }
    if double < -0x1p63 { return .greater }
    let whole = Int64(double.rounded(.towardZero))
    if integer != whole { return PartialOrder(integer, whole) }
    return PartialOrder(0, double - double.rounded(.towardZero))
}

extension String {
    /// Equality of code points: Cypher does not normalise, Swift's `==` does.
    func isSameText(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }

    /// Negative, zero or positive. UTF-8 preserves the order of code points.
    func compareCodePoints(to other: String) -> Int {
        var left = utf8.makeIterator()
        var right = other.utf8.makeIterator()
        while true {
            switch (left.next(), right.next()) {
            case (nil, nil): return 0
            case (nil, _): return -1
            case (_, nil): return 1
            case (let a?, let b?): if a != b { return a < b ? -1 : 1 }
            }
        }
    }
}
