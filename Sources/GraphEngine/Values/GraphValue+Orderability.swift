// GraphValue+Orderability.swift — the total order of ORDER BY, min and max (CIP2016-06-14 "Orderability").
//
//     MAP < NODE < RELATIONSHIP < LIST < PATH < (temporal types) < STRING < BOOLEAN < NUMBER (NaN last) < null

extension GraphValue {
    /// The order in which `ORDER BY` places two values: negative, zero or positive.
    public func order(against other: GraphValue) -> Int {
        let ranks = (orderRank, other.orderRank)
        guard ranks.0 == ranks.1 else { return ranks.0 - ranks.1 }
        switch (self, other) {
        case (.boolean(let left), .boolean(let right)): return (left ? 1 : 0) - (right ? 1 : 0)
        case (.string(let left), .string(let right)): return left.compareCodePoints(to: right)
        case (.list(let left), .list(let right)): return Self.order(left, right)
        case (.map(let left), .map(let right)): return Self.order(left, right)
        case (.node(let left), .node(let right)): return Self.order(left.id, right.id)
        case (.relationship(let left), .relationship(let right)): return Self.order(left.id, right.id)
        case (.path(let left), .path(let right)): return Self.order(left, right)
        default: return Self.orderNumbers(self, other)
        }
    }

    private var orderRank: Int {
        switch self {
        case .map: 0
        case .node: 1
        case .relationship: 2
        case .list: 3
        case .path: 4
        case .string: 20
        case .boolean: 21
        case .integer, .float: 22
        case .null: 23
        }
    }

    private static func orderNumbers(_ left: GraphValue, _ right: GraphValue) -> Int {
        switch compareNumbers(left, right) {
        case .less: return -1
        case .equal: return 0
        case .greater: return 1
        case .unordered: return (left.isNaN ? 1 : 0) - (right.isNaN ? 1 : 0)
        }
    }

    var isNaN: Bool {
        if case .float(let value) = self { value.isNaN } else { false }
    }

    private static func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
        left < right ? -1 : left == right ? 0 : 1
    }

    private static func order(_ left: [GraphValue], _ right: [GraphValue]) -> Int {
        for (a, b) in zip(left, right) {
            let order = a.order(against: b)
            if order != 0 { return order }
        }
        return left.count - right.count
    }

    /// Maps: by the sorted keys first, then by the values of those keys.
    private static func order(_ left: [String: GraphValue], _ right: [String: GraphValue]) -> Int {
        let keys = (left.keys.sorted(by: codePointOrder), right.keys.sorted(by: codePointOrder))
        for (a, b) in zip(keys.0, keys.1) {
            let order = a.compareCodePoints(to: b)
            if order != 0 { return order }
        }
        if keys.0.count != keys.1.count { return keys.0.count - keys.1.count }
        for key in keys.0 {
            let order = (left[key] ?? .null).order(against: right[key] ?? .null)
            if order != 0 { return order }
        }
        return 0
    }

    private static func codePointOrder(_ left: String, _ right: String) -> Bool {
        left.compareCodePoints(to: right) < 0
    }

    /// Paths: as the alternating lists of their nodes and relationships.
    private static func order(_ left: GraphPath, _ right: GraphPath) -> Int {
        for (a, b) in zip(left.relationships, right.relationships) {
            let byRelationship = order(a.id, b.id)
            if byRelationship != 0 { return byRelationship }
        }
        for (a, b) in zip(left.nodes, right.nodes) {
            let byNode = order(a.id, b.id)
            if byNode != 0 { return byNode }
        }
        return left.length - right.length
    }
}
