// MatchExpression.swift — a compiled filter.
//
// Invariant: leaves are positive; every negation is a `not` above them, because `$ne`, `$nin` and `$not` mean "no value
// at the path matches". Evaluation reads the bytes of the document and allocates nothing.

/// A filter, compiled once and evaluated against the bytes of documents.
indirect enum MatchExpression: Sendable {
    case and([MatchExpression])
    case or([MatchExpression])
    case nor([MatchExpression])
    /// A negation, with the operator it was written as: `$not`, `$ne`, `$nin` or `$exists`.
    case not(MatchExpression, writtenAs: String)
    /// Some value at the path satisfies the predicate.
    case leaf(FieldPath, ValuePredicate)
    /// All the values of `$all`, each a leaf.
    case all(FieldPath, [MatchExpression], written: BSONValue)
    case schema(JSONSchema)

    static let matchesEverything = MatchExpression.and([])

    /// Whether the document (or, below `$elemMatch`, the value) matches.
    func matches(_ value: BSONView) -> Bool {
        switch self {
        case .and(let clauses), .all(_, let clauses, _):
            for clause in clauses where !clause.matches(value) { return false }
            return true
        case .or(let clauses): return Self.any(clauses, match: value)
        case .nor(let clauses): return !Self.any(clauses, match: value)
        case .not(let clause, _): return !clause.matches(value)
        case .leaf(let path, let predicate):
            if path.isRoot { return predicate.matches(value) }
            return value.anyValue(at: path, expandingLeaf: predicate.expandsLeafArrays) { predicate.matches($0) }
        case .schema(let schema): return schema.matches(value)
        }
    }

    private static func any(_ clauses: [MatchExpression], match value: BSONView) -> Bool {
        for clause in clauses where clause.matches(value) { return true }
        return false
    }

    /// The clauses that all must hold, with nested conjunctions unfolded.
    var conjuncts: [MatchExpression] {
        guard case .and(let clauses) = self else { return [self] }
        return clauses.flatMap(\.conjuncts)
    }
}
