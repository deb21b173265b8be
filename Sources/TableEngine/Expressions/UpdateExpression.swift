// UpdateExpression.swift — update expressions as lists of actions.

/// A compiled update: its actions and what they refer to.
struct UpdateExpression: Sendable {
    var sets: [(path: Int, value: SetValue)] = []
    var removes: [Int] = []
    /// Paths with the slots of their values.
    var adds: [(path: Int, value: Int)] = []
    var deletes: [(path: Int, value: Int)] = []
    /// Slots of the paths that are written, in the order of the text.
    var targets: [Int] = []
    var scope = ExpressionScope()
    var checks: [UpdateCheck] = []
    /// A function with the wrong number of operands; reported after undefined placeholders and overlaps.
    var operandCountError: ExpressionError?
}

enum SetValue: Sendable {
    case operand(UpdateOperand)
    case sum(UpdateOperand, UpdateOperand)
    case difference(UpdateOperand, UpdateOperand)
}

indirect enum UpdateOperand: Sendable {
    case path(Int)
    case value(Int)
    /// The path's value, or else the operand's.
    case ifNotExists(Int, UpdateOperand)
    case listAppend(UpdateOperand, UpdateOperand)
    /// Stands where the text is wrong in a way that binding reports; never evaluated.
    case invalid
}

enum UpdateFunction: String, Sendable {
    case ifNotExists = "if_not_exists"
    case listAppend = "list_append"
}

/// What is checked of operands once a request's values are known.
enum UpdateCheck: Sendable {
    case pathRequired(UpdateFunction)
    /// A literal operand of `+`, `-` or a function must have this type.
    case operand(String, UpdateOperand, AttributeType)
    /// The literal of ADD or DELETE must be a set, or a number where that is allowed.
    case member(String, Int, allowsNumber: Bool)
}
