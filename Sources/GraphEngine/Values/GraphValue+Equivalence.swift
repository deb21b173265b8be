// GraphValue+Equivalence.swift — equivalence, the relation of DISTINCT, grouping and set membership.
//
// Invariant: equivalent values have equal hashes; so integers and floats hash through one form.

extension GraphValue: Hashable {
    /// Equivalence: as `=`, but null is equivalent to null and NaN to NaN, and the answer is never unknown.
    public static func == (left: GraphValue, right: GraphValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.boolean(let a), .boolean(let b)): a == b
        case (.string(let a), .string(let b)): a.isSameText(as: b)
        case (.integer(let a), .integer(let b)): a == b
        case (.float(let a), .float(let b)): a == b || (a.isNaN && b.isNaN)
        case (.integer, .float), (.float, .integer): compareNumbers(left, right) == .equal
        case (.list(let a), .list(let b)): a == b
        case (.map(let a), .map(let b)): a == b
        case (.node(let a), .node(let b)): a == b
        case (.relationship(let a), .relationship(let b)): a == b
        case (.path(let a), .path(let b)): a == b
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .boolean(let value): hasher.combine(value)
        case .string(let value): for byte in value.utf8 { hasher.combine(byte) }
        case .integer(let value): hasher.combine(value)
        case .float(let value): Self.hash(value, into: &hasher)
        case .list(let value): hasher.combine(value)
        case .map(let value): hasher.combine(value)
        case .node(let value): hasher.combine(value)
        case .relationship(let value): hasher.combine(value)
        case .path(let value): hasher.combine(value)
        }
    }

    private static func hash(_ value: Double, into hasher: inout Hasher) {
        if let whole = Int64(exactly: value) {
            hasher.combine(whole)
        } else {
            hasher.combine(value.isNaN ? Double.nan.bitPattern : value.bitPattern)
        }
    }
}
