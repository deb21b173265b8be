// IndexBounds.swift — what a predicate asks of one component of an index key, as byte intervals.

/// The values of one index component that can satisfy the predicates on its path.
enum ComponentBounds: Sendable {
    /// Ascending encodings of single values.
    case points([[UInt8]])
    /// Ascending: at or after `lower`, before `upper`.
    case range(lower: [UInt8], upper: [UInt8])

    /// More points than this in all components together are not worth seeking one by one.
    static let maximumPointCount = 1000

    /// The bounds that the query's conjuncts put on a path; `nil` if they put none that an index can use.
    ///
    /// In a multikey index two range predicates may be met by different elements of an array, so only one of them
    /// counts.
    init?(_ conjuncts: [MatchExpression], on path: FieldPath, isMultikey: Bool, isSparse: Bool) {
        var range: (lower: [UInt8], upper: [UInt8])?
        for case .leaf(path, let predicate) in conjuncts {
            if let points = Self.points(predicate, isSparse: isSparse) {
                self = .points(points)
                return
            }
            guard let next = Self.range(predicate) else { continue }
            guard let current = range else {
                range = next
                continue
            }
            if !isMultikey, Self.haveSameRank(current, next) {
                range = (Self.later(current.lower, next.lower), Self.earlier(current.upper, next.upper))
            }
        }
        guard let range else { return nil }
        self = .range(lower: range.lower, upper: range.upper)
    }

    private static func points(_ predicate: ValuePredicate, isSparse: Bool) -> [[UInt8]]? {
        switch predicate {
        case .compare(.equal, let operand):
            return isUsable(operand, isSparse: isSparse) ? [IndexKeyEncoder.bytes(of: operand.view)] : nil
        case .inList(let list):
            guard list.patterns.isEmpty, list.operands.count <= maximumPointCount,
                list.operands.allSatisfy({ isUsable($0, isSparse: isSparse) })
            else { return nil }
            return list.operands.map { IndexKeyEncoder.bytes(of: $0.view) }
        default: return nil
        }
    }

    /// Arrays are indexed by their elements, and a sparse index lacks what null also matches: missing fields.
    private static func isUsable(_ operand: BSONOperand, isSparse: Bool) -> Bool {
        operand.type != .array && operand.type != .undefined && !(isSparse && operand.type == .null)
    }

    private static func range(_ predicate: ValuePredicate) -> (lower: [UInt8], upper: [UInt8])? {
        guard case .compare(let comparison, let operand) = predicate, comparison != .equal else { return nil }
        guard ![.array, .undefined, .null, .minKey, .maxKey].contains(operand.type) else { return nil }
        if let number = BSONNumber(operand.view), number.isNaN { return nil }
        let rank = IndexKeyEncoder.rankByte(operand.type)
        let (first, end) = ([rank], [rank + 1])
        let bytes = IndexKeyEncoder.bytes(of: operand.view)
        switch comparison {
        case .less: return (first, bytes)
        case .lessOrEqual: return (first, successor(of: bytes) ?? end)
        case .greater: return (successor(of: bytes) ?? end, end)
        default: return (bytes, end)
        }
    }

    /// Ranges over different types only meet in arrays; they are not intersected.
    private static func haveSameRank(
        _ left: (lower: [UInt8], upper: [UInt8]), _ right: (lower: [UInt8], upper: [UInt8])
    ) -> Bool {
        left.lower.first == right.lower.first
    }

    private static func later(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        left.lexicographicallyPrecedes(right) ? right : left
    }

    private static func earlier(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        left.lexicographicallyPrecedes(right) ? left : right
    }

    /// The first bytes after everything that begins with these; `nil` if there are none.
    static func successor(of bytes: [UInt8]) -> [UInt8]? {
        guard let index = bytes.lastIndex(where: { $0 != 0xFF }) else { return nil }
        var result = Array(bytes[...index])
        result[index] += 1
        return result
    }
}

extension ComponentBounds {
    /// The key ranges below each prefix. A descending component is stored inverted, so its bounds swap ends.
    func ranges(below prefixes: [[UInt8]], isDescending: Bool) -> [KeyRange] {
        switch self {
        case .points: return extended(prefixes, isDescending: isDescending).map { KeyRange.prefix($0) }
        case .range(let lower, let upper):
            // Contradicting predicates leave nothing to scan.
            guard lower.lexicographicallyPrecedes(upper) else { return [] }
            return prefixes.map { prefix in
                guard isDescending else { return KeyRange(lower: prefix + lower, upper: prefix + upper) }
                let first = Self.successor(of: prefix + Self.inverted(upper))
                let end = Self.successor(of: prefix + Self.inverted(lower))
                return KeyRange(lower: first, upper: end)
            }
        }
    }

    /// The prefixes that go on with each point.
    func extended(_ prefixes: [[UInt8]], isDescending: Bool) -> [[UInt8]] {
        guard case .points(let points) = self else { return prefixes }
        let stored = isDescending ? points.map { Self.inverted($0) } : points
        return prefixes.flatMap { prefix in stored.map { prefix + $0 } }
    }

    private static func inverted(_ bytes: [UInt8]) -> [UInt8] { bytes.map { ~$0 } }
}
