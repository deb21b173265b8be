// UpdateArithmetic.swift — $inc and $mul: the result has the wider type of the two, 32 bits grow to 64, 64 bits
// overflow as an error.

struct UpdateArithmetic {
    enum Operation: String {
        case add = "$inc"
        case multiply = "$mul"
    }

    let path: FieldPath
    let context: UpdateContext
    let operation: Operation

    init(_ path: FieldPath, _ context: UpdateContext, _ operation: Operation) {
        self.path = path
        self.context = context
        self.operation = operation
    }

    /// - Throws: 14 if the field is not a number, 2 if the result does not fit.
    func apply(_ current: BSONValue?, _ operand: BSONValue) throws(DocumentError) -> BSONValue {
        guard let current else { return operation == .add ? operand : try combine(.int32(0), operand) }
        guard current.type.isNumber else {
            throw .typeMismatch(
                "Cannot apply \(operation.rawValue) to a value of non-numeric type. \(context.documentText) has the "
                    + "field '\(path.lastName)' of non-numeric type \(current.type.alias)")
        }
        return try combine(current, operand)
    }

    private func combine(_ left: BSONValue, _ right: BSONValue) throws(DocumentError) -> BSONValue {
        switch (left, right) {
        case (.int32(let left), .int32(let right)):
            let result = try integer(Int64(left), Int64(right), left: .int32(left))
            return Int32(exactly: result).map { .int32($0) } ?? .int64(result)
        case (.int32(let number), .int64(let other)): return .int64(try integer(Int64(number), other, left: left))
        case (.int64(let number), .int32(let other)): return .int64(try integer(number, Int64(other), left: left))
        case (.int64(let number), .int64(let other)): return .int64(try integer(number, other, left: left))
        case (.decimal128, _), (_, .decimal128): return .decimal128(try decimal(left, right))
        default:
            guard let left = left.doubleValue, let right = right.doubleValue else { throw overflow(left) }
            return .double(operation == .add ? left + right : left * right)
        }
    }

    private func integer(_ left: Int64, _ right: Int64, left written: BSONValue) throws(DocumentError) -> Int64 {
        let (result, overflow) =
            operation == .add ? left.addingReportingOverflow(right) : left.multipliedReportingOverflow(by: right)
        guard !overflow else { throw self.overflow(written) }
        return result
    }

    private func decimal(_ left: BSONValue, _ right: BSONValue) throws(DocumentError) -> Decimal128 {
        guard let first = Decimal128(exactly: left), let second = Decimal128(exactly: right),
            let result = operation == .add ? first.adding(second) : first.multiplied(by: second)
        else { throw overflow(left) }
        return result
    }

    private func overflow(_ current: BSONValue) -> DocumentError {
        .badValue(
            "Failed to apply \(operation.rawValue) operations to current value ((\(current.type.arithmeticName))"
                + "\(current.shellText)) for document \(context.documentText)")
    }
}

extension BSONType {
    fileprivate var arithmeticName: String {
        switch self {
        case .int32: "NumberInt"
        case .int64: "NumberLong"
        case .decimal128: "NumberDecimal"
        default: "NumberDouble"
        }
    }
}

// Exact decimal arithmetic: `nil` where the result has more than 34 digits.
extension Decimal128 {
    init?(exactly value: BSONValue) {
        switch value {
        case .int32(let number): self.init(Int64(number))
        case .int64(let number): self.init(number)
        case .double(let number): self.init(number.description)
        case .decimal128(let number): self = number
        default: return nil
        }
    }

    func adding(_ other: Decimal128) -> Decimal128? {
        guard isFinite, other.isFinite else { return Self.addingSpecial(self, other) }
        let exponent = Swift.min(exponent, other.exponent)
        guard let left = scaled(to: exponent), let right = other.scaled(to: exponent) else { return nil }
        let sum = (isNegative ? -left : left) + (other.isNegative ? -right : right)
        return Decimal128(isNegative: sum < 0, significand: sum.magnitude, exponent: exponent)
    }

    func multiplied(by other: Decimal128) -> Decimal128? {
        guard isFinite, other.isFinite else {
            let isUndefined = isNaN || other.isNaN || signum == 0 || other.signum == 0
            return isUndefined ? .nan : isNegative == other.isNegative ? .infinity : .negativeInfinity
        }
        let (product, overflow) = significand.multipliedReportingOverflow(by: other.significand)
        guard !overflow else { return nil }
        let isNegative = isNegative != other.isNegative
        return Decimal128(isNegative: isNegative, significand: product, exponent: exponent + other.exponent)
    }

    /// The significand at a smaller exponent, if it still has at most 34 digits.
    private func scaled(to smaller: Int) -> Int128? {
        let shift = exponent - smaller
        guard significand != 0 else { return 0 }
        guard shift <= 34 - Self.digitCount(significand) else { return nil }
        return Int128(significand * Self.power(shift))
    }

    private static func addingSpecial(_ left: Decimal128, _ right: Decimal128) -> Decimal128 {
        if left.isNaN || right.isNaN { return .nan }
        if left.isInfinite, right.isInfinite, left.isNegative != right.isNegative { return .nan }
        return left.isInfinite ? left : right
    }
}
