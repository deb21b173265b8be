// AggregateFunction.swift — count, min, max, sum, avg ([CA] cql3/functions/AggregateFcts.java).

/// An aggregate with the type it is of.
struct AggregateFunction: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable {
        case count, min, max, sum, avg
    }

    var kind: Kind
    /// `nil`: `count(*)`.
    var argumentType: CQLType?

    init(_ name: String, _ type: CQLType?) throws {
        guard let kind = Kind(rawValue: name) else { throw CQLError.invalid("Unknown function '\(name)'") }
        self.kind = kind
        argumentType = type
        guard let type, kind != .count else { return }
        if kind == .sum || kind == .avg, !type.isNumeric {
            throw CQLError.invalid(
                "Invalid call to function \(name), none of its type signatures match "
                    + "(known type signatures: system.\(name) : (tinyint) -> tinyint, system.\(name) : (smallint) -> smallint, "
                    + "system.\(name) : (int) -> int, system.\(name) : (bigint) -> bigint, system.\(name) : (float) -> float, "
                    + "system.\(name) : (double) -> double, system.\(name) : (decimal) -> decimal, "
                    + "system.\(name) : (varint) -> varint, system.\(name) : (counter) -> bigint)")
        }
        if type.contains({ $0 == .duration }) {
            throw CQLError.invalid("Invalid call to function \(name): durations have no order")
        }
    }

    static func isName(_ name: String) -> Bool { Kind(rawValue: name) != nil }

    var resultType: CQLType {
        guard kind != .count, let argumentType else { return .bigint }
        return argumentType == .counter ? .bigint : argumentType
    }
}

/// An aggregate over the values seen so far.
struct AggregateState {
    private let function: AggregateFunction
    private var count: Int64 = 0
    private var whole: CQLInteger = .zero
    private var floating = 0.0
    /// What Kahan's summation still has to add.
    private var compensation = 0.0
    private var plainFloating = 0.0
    private var decimal = CQLDecimal(0)
    private var extreme: (ordered: [UInt8], value: CQLValue)?

    init(_ function: AggregateFunction) {
        self.function = function
    }

    /// Nulls don't count; `count(*)` counts every call.
    mutating func add(_ value: CQLValue) throws {
        if function.argumentType != nil, value.isNull || value == .empty { return }
        count += 1
        switch function.kind {
        case .count: return
        case .min, .max: try compare(value)
        case .sum, .avg:
            switch value {
            case .float, .double: addFloating(value.double ?? 0)
            case .decimal(let number):
                guard let sum = decimal.exactSum(number), sum.unscaled.hasAllowedLength else {
                    throw CQLError.functionFailure(
                        "the sum of decimals has too many digits", of: function.kind.rawValue, [.decimal])
                }
                decimal = sum
            default: whole = whole + (value.integer ?? .zero)
            }
        }
    }

    private mutating func addFloating(_ value: Double) {
        plainFloating += value
        let corrected = value - compensation
        let sum = floating + corrected
        compensation = (sum - floating) - corrected
        floating = sum
    }

    private mutating func compare(_ value: CQLValue) throws {
        guard let type = function.argumentType else { return }
        let ordered = try value.orderedBytes(type)
        if let extreme {
            let isLess = ordered.lexicographicallyPrecedes(extreme.ordered)
            let isGreater = extreme.ordered.lexicographicallyPrecedes(ordered)
            guard function.kind == .min ? isLess : isGreater else { return }
        }
        extreme = (ordered, value)
    }

    /// Of integers sums keep the type, and averages are truncated to it.
    func result() throws -> CQLValue {
        switch function.kind {
        case .count: return .bigint(count)
        case .min, .max: return extreme?.value ?? .null
        case .sum: return sum
        case .avg:
            guard count > 0 else { return zero }
            switch function.resultType {
            case .float, .double:
                return CQLValue.double(total / Double(count)).number(as: function.resultType) ?? .null
            case .decimal:
                return decimal.quotient(CQLDecimal(count), scale: decimal.scale, halfToEven: true).map { .decimal($0) }
                    ?? .null
            default:
                let quotient = whole.dividedReportingRemainder(by: CQLInteger(count))?.quotient ?? .zero
                return CQLValue.varint(quotient).number(as: function.resultType) ?? .null
            }
        }
    }

    private var zero: CQLValue { CQLValue.int(0).number(as: function.resultType) ?? .null }

    /// The compensated sum is not a number once an infinity was added; the plain one is right then.
    private var total: Double { floating.isNaN ? plainFloating : floating }

    private var sum: CQLValue {
        switch function.resultType {
        case .float, .double: CQLValue.double(total).number(as: function.resultType) ?? .null
        case .decimal: .decimal(decimal)
        default: CQLValue.varint(whole).number(as: function.resultType) ?? .null
        }
    }
}
