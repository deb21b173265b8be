// ConditionExpression.swift — conditions, filters and key conditions as trees.

/// A compiled condition: its tree, what it refers to, and what is to be checked once its operands are known.
struct ConditionExpression: Sendable {
    let root: Condition
    let scope: ExpressionScope
    let checks: [OperandCheck]
    /// A function with the wrong number of operands; reported after undefined placeholders.
    let operandCountError: ExpressionError?
}

indirect enum Condition: Sendable {
    case comparison(Comparator, Operand, Operand)
    case between(Operand, lower: Operand, upper: Operand)
    case membership(Operand, [Operand])
    case function(ConditionFunction, [Operand])
    /// AND of two or more.
    case all([Condition])
    /// OR of two or more.
    case any([Condition])
    case not(Condition)
}

enum Comparator: String, Sendable {
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    init?(_ symbol: Token.Symbol) {
        self.init(rawValue: symbol.rawValue)
    }

    /// The comparator with its sides exchanged.
    var flipped: Comparator {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        case .equal, .notEqual: self
        }
    }
}

enum ConditionFunction: String, Sendable, CaseIterable {
    case attributeExists = "attribute_exists"
    case attributeNotExists = "attribute_not_exists"
    case attributeType = "attribute_type"
    case beginsWith = "begins_with"
    case contains = "contains"
    case size = "size"

    var operandCount: Int {
        switch self {
        case .attributeExists, .attributeNotExists, .size: 1
        case .attributeType, .beginsWith, .contains: 2
        }
    }
}

indirect enum Operand: Sendable {
    /// Slot in the scope's paths.
    case path(Int)
    /// Slot in the scope's values.
    case value(Int)
    case size(Operand)
    /// Stands where the text is wrong in a way that binding reports; never evaluated.
    case invalid
}

/// What is checked of operands once a request's values are known, in the order of the text.
enum OperandCheck: Sendable {
    /// Two paths that must not be the same.
    case distinct(String, Int, Int)
    case pathRequired(ConditionFunction)
    /// The type of a literal operand, or of `size`, must be one of these.
    case functionOperand(ConditionFunction, Operand, [AttributeType])
    case comparisonOperand(String, Operand)
    case attributeTypeName(Operand)
    case bounds(Operand, Operand)
}
