// ArithmeticOperation.swift — + - * / % on numbers, + - of durations on times, + of texts ([CA] doc cql/operators.adoc).

enum ArithmeticOperator: String, Hashable, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"

    /// The type of a right operand that has none of its own: what moves a time is a duration.
    func operandType(besides left: CQLType) -> CQLType {
        let moves = self == .add || self == .subtract
        return moves && (left == .timestamp || left == .date) ? .duration : left
    }

    /// What Cassandra calls the function that the operator stands for ([CA] cql3/functions/OperationFcts.java).
    var functionName: String {
        switch self {
        case .add: "_add"
        case .subtract: "_substract"
        case .multiply: "_multiply"
        case .divide: "_divide"
        case .remainder: "_modulo"
        }
    }
}

/// An operator with the types of its operands and of its result.
struct ArithmeticOperation: Hashable, Sendable {
    var `operator`: ArithmeticOperator
    var left: CQLType
    var right: CQLType
    var result: CQLType

    /// - Parameter operands: as they were written.
    /// - Throws: `InvalidRequest` where there is no such operation.
    init(
        _ operation: ArithmeticOperator, _ left: CQLType, _ right: CQLType, of operands: (left: String, right: String)
    ) throws {
        self.operator = operation
        self.left = left
        self.right = right
        let isMoving = right == .duration && (operation == .add || operation == .subtract)
        if let number = Self.promoted(left, right) {
            result = number
        } else if isMoving, left == .timestamp || left == .date {
            result = left
        } else if operation == .add, left.isText, right.isText {
            result = left == .ascii && right == .ascii ? .ascii : .text
        } else {
            throw CQLError.invalid(
                "the '\(operation.rawValue)' operation is not supported between \(operands.left) and \(operands.right)")
        }
    }

    /// The type of an operation on two numbers.
    static func promoted(_ left: CQLType, _ right: CQLType) -> CQLType? {
        guard left.isNumeric, right.isNumeric else { return nil }
        let types: Set<CQLType> = [left == .counter ? .bigint : left, right == .counter ? .bigint : right]
        if types.contains(.decimal) { return .decimal }
        let hasFloat = types.contains(.float) || types.contains(.double)
        if types.contains(.varint) { return hasFloat ? .decimal : .varint }
        if types.contains(.double) { return .double }
        if types.contains(.float) { return types.contains(.bigint) ? .double : .float }
        return [.bigint, .int, .smallint].first { types.contains($0) } ?? .tinyint
    }

    /// - Throws: `functionFailure` for a division by zero.
    func apply(_ left: CQLValue, _ right: CQLValue) throws -> CQLValue {
        if left.isNull || right.isNull || left == .unset || right == .unset { return .null }
        if left == .empty || right == .empty { return .null }
        switch result {
        case .text, .ascii:
            guard case .text(let left) = left, case .text(let right) = right else { return .null }
            return .text(left + right)
        case .timestamp, .date: return try moved(left, right)
        case .decimal:
            guard let left = left.decimal, let right = right.decimal else { return .null }
            return try decimal(left, right)
        case .varint:
            guard let left = left.integer, let right = right.integer else { return .null }
            return .varint(try integer(left, right))
        case .double, .float:
            guard let left = left.double, let right = right.double else { return .null }
            return result == .double
                ? .double(floating(left, right)) : .float(floating(Float(left), Float(right)))
        default:
            guard let left = left.integer?.int64, let right = right.integer?.int64 else { return .null }
            switch result {
            case .tinyint: return .tinyint(Int8(truncatingIfNeeded: try whole(left, right)))
            case .smallint: return .smallint(Int16(truncatingIfNeeded: try whole(left, right)))
            case .int: return .int(Int32(truncatingIfNeeded: try whole(left, right)))
            default: return .bigint(try whole(left, right))
            }
        }
    }

    /// A quotient whose digits are too many to be written out.
    private func failure(dividingBy divisor: CQLDecimal) -> CQLError {
        guard divisor.unscaled != .zero else { return failure }
        return failure(because: "the result has too many digits")
    }

    /// A division by zero, in the words of Java's number types.
    private var failure: CQLError {
        let reason =
            switch result {
            case .decimal: "Division by zero"
            case .varint: "BigInteger divide by zero"
            default: "/ by zero"
            }
        return failure(because: reason)
    }

    private func failure(because reason: String) -> CQLError {
        .functionFailure(
            "the operation '\(left) \(self.operator.rawValue) \(right)' failed: \(reason)",
            of: self.operator.functionName, [left, right])
    }

    /// Overflows wrap, as Java's integers do.
    private func whole(_ left: Int64, _ right: Int64) throws -> Int64 {
        switch self.operator {
        case .add: return left &+ right
        case .subtract: return left &- right
        case .multiply: return left &* right
        case .divide:
            guard right != 0 else { throw failure }
            return right == -1 ? 0 &- left : left / right
        case .remainder:
            guard right != 0 else { throw failure }
            return right == -1 ? 0 : left % right
        }
    }

    private func floating<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number) -> Number {
        switch self.operator {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        case .remainder: left.truncatingRemainder(dividingBy: right)
        }
    }

    private func integer(_ left: CQLInteger, _ right: CQLInteger) throws -> CQLInteger {
        switch self.operator {
        case .add: return try checked(left + right)
        case .subtract: return try checked(left - right)
        case .multiply: return try checked(left * right)
        case .divide, .remainder:
            guard let division = left.dividedReportingRemainder(by: right) else { throw failure }
            return self.operator == .divide ? division.quotient : division.remainder
        }
    }

    /// What is not allowed in the end is not allowed on the way: each operation might double the digits.
    private func checked(_ number: CQLInteger) throws -> CQLInteger {
        guard number.hasAllowedLength else {
            throw CQLError.invalid("Numbers of more than \(CQLInteger.maximumDigitCount) digits are not supported")
        }
        return number
    }

    private func decimal(_ left: CQLDecimal, _ right: CQLDecimal) throws -> CQLValue {
        switch self.operator {
        case .add: return .decimal(left + right)
        case .subtract: return .decimal(left + -right)
        case .multiply: return .decimal(left * right)
        case .divide:
            guard let quotient = left.divided(by: right) else { throw failure(dividingBy: right) }
            return .decimal(quotient)
        case .remainder:
            guard let remainder = left.remainder(dividingBy: right) else { throw failure(dividingBy: right) }
            _ = try checked(remainder.unscaled)
            return .decimal(remainder)
        }
    }

    /// A time moved by a duration.
    private func moved(_ time: CQLValue, _ amount: CQLValue) throws -> CQLValue {
        guard case .duration(let duration) = amount else { return .null }
        let sign: Int64 = self.operator == .add ? 1 : -1
        let months = Int64(duration.months) * sign
        let days = Int64(duration.days) * sign
        switch time {
        case .timestamp(let milliseconds):
            let day = CalendarText.floorDivide(milliseconds, CalendarText.millisecondsPerDay)
            let rest = milliseconds &- day &* CalendarText.millisecondsPerDay
            let moved = CalendarText.addingMonths(months, toDay: day) &+ days
            return .timestamp(
                moved &* CalendarText.millisecondsPerDay &+ rest &+ duration.nanoseconds / 1_000_000 &* sign)
        case .date(let day):
            guard duration.nanoseconds == 0 else {
                throw CQLError.invalid(
                    "The duration must have a day precision. Was: \(duration)")
            }
            return .date(Int32(clamping: CalendarText.addingMonths(months, toDay: Int64(day)) + days))
        default: return .null
        }
    }
}

// MARK: - Numbers of every kind

extension CQLValue {
    var integer: CQLInteger? {
        switch self {
        case .tinyint(let value): CQLInteger(Int64(value))
        case .smallint(let value): CQLInteger(Int64(value))
        case .int(let value): CQLInteger(Int64(value))
        case .bigint(let value): CQLInteger(value)
        case .varint(let value): value
        default: nil
        }
    }

    var decimal: CQLDecimal? {
        switch self {
        case .decimal(let value): value
        case .float(let value): CQLDecimal("\(value)")
        case .double(let value): CQLDecimal(shortest: value)
        default: integer.map { CQLDecimal(unscaled: $0) }
        }
    }

    var double: Double? {
        switch self {
        case .float(let value): Double(value)
        case .double(let value): value
        case .decimal(let value): value.double
        default: integer?.double
        }
    }

    /// A number as one of another type, narrowed as Java does it; `nil` where it has none.
    func number(as type: CQLType) -> CQLValue? {
        let whole: CQLInteger? =
            switch self {
            case .float(let value): Self.whole(Double(value), as: type)
            case .double(let value): Self.whole(value, as: type)
            case .decimal(let value): value.integer
            default: integer
            }
        switch type {
        case .tinyint: return whole.map { .tinyint(Int8(truncatingIfNeeded: $0.truncated)) }
        case .smallint: return whole.map { .smallint(Int16(truncatingIfNeeded: $0.truncated)) }
        case .int: return whole.map { .int(Int32(truncatingIfNeeded: $0.truncated)) }
        case .bigint, .counter: return whole.map { .bigint($0.truncated) }
        case .varint: return whole.map { .varint($0) }
        case .float: return double.map { .float(Float($0)) }
        case .double: return double.map { .double($0) }
        case .decimal: return decimal.map { .decimal($0) }
        default: return nil
        }
    }

    /// A floating-point number as Java narrows it: to the nearest `int`, from which the shorter types are cut, or `long`
    /// (JLS 5.1.3).
    private static func whole(_ value: Double, as type: CQLType) -> CQLInteger {
        let whole = CQLInteger(truncating: value)
        let nearest = (value.isInfinite ? nil : whole.int64) ?? (value < 0 ? .min : .max)
        return switch type {
        case .tinyint, .smallint, .int: CQLInteger(Int64(Int32(clamping: nearest)))
        case .bigint, .counter: CQLInteger(nearest)
        default: whole
        }
    }
}
