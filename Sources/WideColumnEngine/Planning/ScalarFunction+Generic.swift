// ScalarFunction+Generic.swift — functions that exist for many types: casts, JSON, collections, numbers, vectors
// ([CA] cql3/functions: CastFcts, ToJsonFct, FromJsonFct, CollectionFcts, MathFcts, VectorFcts).

extension ScalarFunction {
    /// The function of this name for arguments of these types, if it is one that fits many.
    ///
    /// - Throws: `InvalidRequest` where it takes more arguments or fewer.
    static func generic(_ name: String, _ arguments: [CQLType?], returning: CQLType?) throws -> ScalarFunction? {
        if let counts = maskingArgumentCounts[name] ?? genericArgumentCounts[name], !counts.contains(arguments.count) {
            throw CQLError.invalid("Invalid number of arguments for function system.\(name)")
        }
        switch name {
        case "to_json", "tojson":
            guard let type = arguments[0] else { return nil }
            return ScalarFunction(name, [type], .text, acceptsNull: true) { values, _ in
                .text(values[0].json(as: type).description)
            }
        case "from_json", "fromjson":
            guard let returning else {
                throw CQLError.invalid("\(name)() cannot be used in the selection clause of a SELECT statement")
            }
            return ScalarFunction(name, [.text], returning) { values, _ in try fromJSON(values[0], returning, name) }
        case "abs", "exp", "log", "log10", "round": return math(name, arguments, returning: returning)
        case "similarity_cosine", "similarity_euclidean", "similarity_dot_product": return similarity(name, arguments)
        default:
            if let masking = try masking(name, arguments) { return masking }
            guard let type = arguments.first ?? nil else { return nil }
            return collection(name, type)
        }
    }

    static let mathNames: Set<String> = ["abs", "exp", "log", "log10", "round"]
    static let genericNames: Set<String> = mathNames.union([
        "to_json", "tojson", "from_json", "fromjson", "similarity_cosine", "similarity_euclidean",
        "similarity_dot_product", "map_keys", "map_values", "collection_count", "collection_min", "collection_max",
        "collection_sum", "collection_avg",
    ])

    /// How many arguments they take. Those of numbers exist for each type, as far as errors go.
    private static let genericArgumentCounts: [String: ClosedRange<Int>] = {
        var counts: [String: ClosedRange<Int>] = [
            "similarity_cosine": 2...2, "similarity_euclidean": 2...2, "similarity_dot_product": 2...2,
        ]
        for name in genericNames.subtracting(mathNames) where counts[name] == nil { counts[name] = 1...1 }
        return counts
    }()

    private static func fromJSON(_ value: CQLValue, _ type: CQLType, _ name: String) throws -> CQLValue {
        guard case .text(let text) = value else { return .null }
        guard let json = JSONValue(text) else {
            throw CQLError.failure(of: name, .text, "Could not decode JSON string '\(text)'")
        }
        do { return try CQLValue(json, as: type) } catch let error as CQLError {
            throw CQLError.failure(of: name, .text, error.message)
        }
    }

    // MARK: CAST

    /// `CAST(… AS type)`.
    static func cast(_ type: CQLType, to target: CQLType) throws -> ScalarFunction {
        let name = "castas\(target)"
        if type == target { return ScalarFunction(name, [type], target) { values, _ in values[0] } }
        if type == .float || type == .double, target == .decimal {
            return ScalarFunction(name, [type], target) { values, _ in
                values[0].javaText.flatMap { CQLDecimal($0) }.map { .decimal($0) } ?? .null
            }
        }
        if type.isNumeric, target.isNumeric, target != .counter {
            return ScalarFunction(name, [type], target) { values, _ in values[0].number(as: target) ?? .null }
        }
        switch (type, target) {
        case (.timeuuid, .timestamp), (.timeuuid, .date), (.timestamp, .date), (.date, .timestamp):
            return try resolve(target == .date ? "to_date" : "to_timestamp", arguments: [type], returning: nil)
        case (_, .text) where hasText(type), (_, .ascii) where hasText(type):
            return ScalarFunction(name, [type], target) { values, _ in .text(values[0].castText) }
        default:
            throw CQLError.invalid("\(type) cannot be cast to \(target)")
        }
    }

    private static func hasText(_ type: CQLType) -> Bool {
        switch type {
        case .ascii, .boolean, .date, .time, .timestamp, .timeuuid, .uuid, .inet: true
        default: type.isNumeric
        }
    }

    // MARK: Numbers

    /// `-operand`: of the operand's type, whatever it is, where it wraps as Java's integers do ([CA] cql3/functions/
    /// OperationFcts.java).
    static func negation(_ type: CQLType, of operand: String) throws -> ScalarFunction {
        guard type.isNumeric else { throw CQLError.invalid("the '-' operation is not supported on \(operand)") }
        return ScalarFunction("_negate", [type], type == .counter ? .bigint : type) { values, _ in
            switch values[0] {
            case .tinyint(let number): .tinyint(0 &- number)
            case .smallint(let number): .smallint(0 &- number)
            case .int(let number): .int(0 &- number)
            case .bigint(let number): .bigint(0 &- number)
            case .varint(let number): .varint(-number)
            case .decimal(let number): .decimal(-number)
            case .float(let number): .float(-number)
            case .double(let number): .double(-number)
            default: .null
            }
        }
    }

    /// - Parameter returning: the type of an argument that has none of its own, since the result has the argument's.
    private static func math(_ name: String, _ arguments: [CQLType?], returning: CQLType?) -> ScalarFunction? {
        guard arguments.count == 1, let type = arguments[0] ?? (returning == .counter ? .bigint : returning),
            type.isNumeric
        else { return nil }
        return ScalarFunction(name, [type], type == .counter ? .bigint : type) { values, _ in
            let value = values[0]
            switch (name, value) {
            case ("abs", .decimal(let number)): return .decimal(number.unscaled.isNegative ? -number : number)
            case ("abs", .float(let number)): return .float(number.magnitude)
            case ("abs", .double(let number)): return .double(number.magnitude)
            case ("abs", _):
                guard let number = value.integer else { return .null }
                return CQLValue.varint(number.magnitude).number(as: type) ?? .null
            case ("round", .decimal(let number)): return .decimal(number.roundedToWhole)
            case ("round", .float), ("round", .double):
                guard let number = value.double else { return .null }
                return CQLValue.double(rounded(number)).number(as: type) ?? .null
            case ("round", _): return value
            case (_, .decimal(let number)): return .decimal(try number.applying(name, type))
            case (_, .varint(let number)):
                guard let whole = try CQLDecimal(unscaled: number).applying(name, type).integer else {
                    throw CQLError.failure(of: name, type, "the result has too many digits")
                }
                return .varint(whole)
            default:
                guard let number = value.double else { return .null }
                let result = RealFunctions.apply(name, number)
                return CQLValue.double(result).number(as: type) ?? .null
            }
        }
    }

    /// The nearest whole number, of two the greater, as Java's `Math.round` has it. A half is not added: the sum would be rounded,
    /// that of 0.49999999999999994 to 1.
    private static func rounded(_ number: Double) -> Double {
        let floor = number.rounded(.down)
        // There is no negative zero.
        return number - floor >= 0.5 ? floor + 1 : floor + 0
    }

    // MARK: Collections

    private static func collection(_ name: String, _ type: CQLType) -> ScalarFunction? {
        switch (name, type.bare) {
        case ("map_keys", .map(let key, _)):
            return ScalarFunction(name, [type], .set(key)) { values, _ in
                guard case .map(let entries) = values[0] else { return .null }
                return .set(entries.map(\.key))
            }
        case ("map_values", .map(_, let value)):
            return ScalarFunction(name, [type], .list(value)) { values, _ in
                guard case .map(let entries) = values[0] else { return .null }
                return .list(entries.map(\.value))
            }
        case ("collection_count", .list), ("collection_count", .set), ("collection_count", .map):
            return ScalarFunction(name, [type], .int) { values, _ in .int(Int32(clamping: values[0].elementCount)) }
        case ("collection_min", .list(let element)), ("collection_min", .set(let element)),
            ("collection_max", .list(let element)), ("collection_max", .set(let element)),
            ("collection_sum", .list(let element)), ("collection_sum", .set(let element)),
            ("collection_avg", .list(let element)), ("collection_avg", .set(let element)):
            let aggregate = String(name.dropFirst("collection_".count))
            guard let function = try? AggregateFunction(aggregate, element) else { return nil }
            return ScalarFunction(name, [type], function.resultType) { values, _ in
                guard case .list(let elements) = values[0].asList else { return .null }
                var state = AggregateState(function)
                for element in elements { try state.add(element) }
                return try state.result()
            }
        default: return nil
        }
    }

    // MARK: Vectors

    private static func similarity(_ name: String, _ arguments: [CQLType?]) -> ScalarFunction? {
        guard arguments.count == 2, let type = arguments[0] ?? arguments[1], case .vector(.float, _) = type,
            (arguments[1] ?? type) == (arguments[0] ?? type)
        else { return nil }
        return ScalarFunction(name, [type, type], .float) { values, _ in
            guard case .vector(let left) = values[0], case .vector(let right) = values[1] else { return .null }
            let pairs = zip(left, right).map { ($0.double ?? 0, $1.double ?? 0) }
            let dot = pairs.reduce(0) { $0 + $1.0 * $1.1 }
            switch name {
            case "similarity_dot_product": return .float(Float((1 + dot) / 2))
            case "similarity_euclidean":
                let distance = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                return .float(Float(1 / (1 + distance)))
            default:
                let norms = pairs.reduce((0, 0)) { ($0.0 + $1.0 * $1.0, $0.1 + $1.1 * $1.1) }
                guard norms.0 > 0, norms.1 > 0 else {
                    throw CQLError.invalid("Function system.similarity_cosine doesn't support all-zero vectors.")
                }
                return .float(Float((1 + dot / (norms.0 * norms.1).squareRoot()) / 2))
            }
        }
    }
}

extension CQLDecimal {
    /// exp, log or log10 of the number.
    fileprivate func applying(_ function: String, _ type: CQLType) throws -> CQLDecimal {
        switch function {
        case "exp":
            guard let result = exponential() else { throw CQLError.failure(of: function, type, "Overflow") }
            return result
        case "log":
            guard let result = logarithm() else {
                throw CQLError.failure(of: function, type, "Natural log of number zero or less")
            }
            return result
        default:
            guard let result = logarithm10() else {
                throw CQLError.failure(of: function, type, "Log10 of number zero or less")
            }
            return result
        }
    }
}

extension CQLError {
    /// The failure of a function of one argument.
    fileprivate static func failure(of function: String, _ type: CQLType, _ reason: String) -> CQLError {
        .functionFailure("execution of 'system.\(function)[\(type)]' failed: \(reason)", of: function, [type])
    }
}

extension CQLValue {
    /// What CAST gives as text.
    fileprivate var castText: String {
        switch self {
        case .text(let text): text
        case .timestamp(let milliseconds):
            CalendarText.jsonTimestamp(milliseconds: milliseconds)
                .replacing(" ", with: "T")
        case .date(let days): CalendarText.date(days: Int64(days))
        case .time(let nanoseconds): CalendarText.time(nanoseconds: nanoseconds)
        case .inet(let bytes): InternetAddress.text(bytes)
        case .float(let number): JavaNumberText.text(number)
        case .double(let number): JavaNumberText.text(number)
        default: description
        }
    }

    /// What Java reads a decimal from (`BigDecimal.valueOf`): 1.0E19 is 1.0 with an exponent, and 12345678 has no fraction.
    fileprivate var javaText: String? {
        switch self {
        case .float(let number): JavaNumberText.text(number)
        case .double(let number): JavaNumberText.text(number)
        default: nil
        }
    }

    fileprivate var elementCount: Int {
        switch self {
        case .list(let elements), .set(let elements), .vector(let elements): elements.count
        case .map(let entries): entries.count
        default: 0
        }
    }

    fileprivate var asList: CQLValue {
        if case .set(let elements) = self { return .list(elements) }
        return self
    }
}
