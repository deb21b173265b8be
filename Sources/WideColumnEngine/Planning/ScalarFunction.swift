// ScalarFunction.swift — the functions of CQL ([CA] doc cql/functions.adoc), old and new names alike.

struct ScalarFunction: Sendable {
    var name: String
    var argumentTypes: [CQLType]
    var returnType: CQLType
    /// Whether the function sees nulls; others give null for them.
    private var acceptsNull: Bool
    private let body: @Sendable ([CQLValue], ExecutionContext) throws -> CQLValue

    init(
        _ name: String, _ argumentTypes: [CQLType], _ returnType: CQLType, acceptsNull: Bool = false,
        _ body: @escaping @Sendable ([CQLValue], ExecutionContext) throws -> CQLValue
    ) {
        self.name = name
        self.argumentTypes = argumentTypes
        self.returnType = returnType
        self.acceptsNull = acceptsNull
        self.body = body
    }

    /// `null` in, `null` out.
    func call(_ arguments: [CQLValue], _ context: ExecutionContext) throws -> CQLValue {
        if !acceptsNull, arguments.contains(where: { $0.isNull || $0 == .unset || $0 == .empty }) { return .null }
        return try body(arguments, context)
    }

    /// The function of this name that takes arguments of these types; an unknown type fits everything.
    ///
    /// - Parameters:
    ///   - written: the arguments as the statement has them.
    ///   - receiver: what has the result, as messages say it.
    static func resolve(
        _ name: String, arguments: [CQLType?], written: [String] = [], returning: CQLType?, to receiver: String? = nil
    ) throws -> ScalarFunction {
        let named = all.filter { $0.name == name } + conversions(name, arguments)
        if named.isEmpty, let function = try generic(name, arguments, returning: returning) {
            return try function.returning(returning, to: receiver)
        }
        guard !named.isEmpty else { throw unfitting(name) }
        if named.count == 1, named[0].argumentTypes.count != arguments.count {
            throw CQLError.invalid(
                "Invalid number of arguments in call to function system.\(name): \(named[0].argumentTypes.count) required "
                    + "but \(arguments.count) provided")
        }
        let fitting = named.filter { function in
            function.argumentTypes.count == arguments.count
                && zip(function.argumentTypes, arguments).allSatisfy { $0.isArgumentType(of: $1) }
        }
        // Where arguments are of unknown types, what the result is for tells.
        guard let function = fitting.first(where: { (try? $0.returning(returning)) != nil }) ?? fitting.first else {
            let misfit = zip(named[0].argumentTypes, arguments).enumerated().first { !$1.0.isArgumentType(of: $1.1) }
            if named.count == 1, let misfit, misfit.offset < written.count {
                throw CQLError.invalid(
                    "Type error: \(written[misfit.offset]) cannot be passed as argument \(misfit.offset) of function "
                        + "system.\(name) of type \(misfit.element.0)")
            }
            throw CQLError.invalid(
                "Invalid call to function \(name), none of its type signatures match (known type signatures: "
                    + named.map(\.signature).joined(separator: ", ") + ")")
        }
        return try function.returning(returning, to: receiver)
    }

    /// Why there is no function of this name that takes the arguments.
    private static func unfitting(_ name: String) -> CQLError {
        if mathNames.contains(name) {
            let types: [CQLType] = [.tinyint, .smallint, .int, .bigint, .float, .double, .decimal, .varint, .counter]
            let signatures = types.map { "system.\(name) : (\($0)) -> \($0 == .counter ? .bigint : $0)" }
            return .invalid(
                "Invalid call to function \(name), none of its type signatures match (known type signatures: "
                    + signatures.joined(separator: ", ") + ")")
        }
        return .invalid(
            genericNames.contains(name)
                ? "Invalid call to function \(name), none of its type signatures match" : "Unknown function '\(name)'")
    }

    /// Whether there is a function of this name.
    static func isKnown(_ name: String) -> Bool {
        all.contains { $0.name == name } || AggregateFunction.isName(name) || maskingArgumentCounts[name] != nil
            || genericNames.contains(name) || !conversions(name, []).isEmpty
    }

    /// The function, if its result may become a value of this type.
    ///
    /// - Parameter receiver: what has the result, as messages say it.
    func returning(_ type: CQLType?, to receiver: String? = nil) throws -> ScalarFunction {
        if let type, !type.takes(returnType) {
            throw CQLError.invalid(
                "Type error: cannot assign result of function system.\(name) (type \(returnType)) to "
                    + (receiver.map { "\($0) (type \(type))" } ?? "a value of type \(type)"))
        }
        return self
    }

    private var signature: String {
        "system.\(name) : (\(argumentTypes.map(\.description).joined(separator: ", "))) -> \(returnType)"
    }
}

extension CQLType {
    /// Whether an argument of this type takes a value of the other; an unknown type fits everything.
    fileprivate func isArgumentType(of other: CQLType?) -> Bool {
        other == nil || form == other?.form || self == .text && other == .ascii
    }
}

// MARK: - The functions

extension ScalarFunction {
    private static let all: [ScalarFunction] = generators + fromTimes + bounds + floors

    private static let generators: [ScalarFunction] =
        [
            ScalarFunction("uuid", [], .uuid) { _, context in .uuid(context.generators.randomUUID()) }
        ]
        + ["now", "current_timeuuid", "currenttimeuuid"].map { name in
            ScalarFunction(name, [], .timeuuid) { _, context in
                .uuid(context.generators.timeUUIDs.next(at: context.now))
            }
        }
        + ["current_timestamp", "currenttimestamp"].map { name in
            ScalarFunction(name, [], .timestamp) { _, context in .timestamp(context.now.milliseconds) }
        }
        + ["current_date", "currentdate"].map { name in
            ScalarFunction(name, [], .date) { _, context in .date(day(ofMilliseconds: context.now.milliseconds)) }
        }
        + ["current_time", "currenttime"].map { name in
            ScalarFunction(name, [], .time) { _, context in
                let milliseconds = context.now.milliseconds
                let day = Int64(day(ofMilliseconds: milliseconds))
                return .time((milliseconds - day * CalendarText.millisecondsPerDay) * 1_000_000)
            }
        }

    private static let fromTimes: [ScalarFunction] =
        ["totimestamp", "to_timestamp"].flatMap { name in times(name, .timestamp) { .timestamp($0) } }
        + times("dateof", of: [.timeuuid], .timestamp) { .timestamp($0) }
        + ["todate", "to_date"].flatMap { name in times(name, .date) { .date(day(ofMilliseconds: $0)) } }
        + ["tounixtimestamp", "to_unix_timestamp"].flatMap { name in times(name, .bigint) { .bigint($0) } }
        + times("unixtimestampof", of: [.timeuuid], .bigint) { .bigint($0) }

    /// A function of a point in time, whichever of three types gives it.
    private static func times(
        _ name: String, of types: [CQLType] = [.timeuuid, .timestamp, .date], _ returnType: CQLType,
        _ body: @escaping @Sendable (Int64) -> CQLValue
    ) -> [ScalarFunction] {
        types.filter { $0 != returnType }.map { type in
            ScalarFunction(name, [type], returnType) { arguments, _ in
                guard let milliseconds = milliseconds(arguments[0]) else { return .null }
                return body(milliseconds)
            }
        }
    }

    private static func milliseconds(_ value: CQLValue) -> Int64? {
        switch value {
        case .uuid(let uuid): uuid.unixMilliseconds
        case .timestamp(let milliseconds): milliseconds
        case .date(let days): Int64(days) * CalendarText.millisecondsPerDay
        default: nil
        }
    }

    private static func day(ofMilliseconds milliseconds: Int64) -> Int32 {
        Int32(truncatingIfNeeded: CalendarText.floorDivide(milliseconds, CalendarText.millisecondsPerDay))
    }

    /// The least and the greatest timeuuid of a millisecond ([CA] utils/TimeUUID.java).
    private static let bounds: [ScalarFunction] =
        ["mintimeuuid", "min_timeuuid"].map { bound($0, offset: 0, clockAndNode: 0x8080_8080_8080_8080) }
        + ["maxtimeuuid", "max_timeuuid"].map { bound($0, offset: 9_999, clockAndNode: 0x7F7F_7F7F_7F7F_7F7F) }

    private static func bound(_ name: String, offset: Int64, clockAndNode: UInt64) -> ScalarFunction {
        ScalarFunction(name, [.timestamp], .timeuuid) { arguments, _ in
            guard case .timestamp(let milliseconds) = arguments[0] else { return .null }
            let (scaled, overflow) = milliseconds.multipliedReportingOverflow(by: 10_000)
            let (intervals, tooLate) = scaled.addingReportingOverflow(CQLUUID.intervalsBefore1970 + offset)
            guard !overflow, !tooLate, intervals >= 0 else {
                throw CQLError.invalid("The timestamp \(milliseconds) is out of the range of timeuuid")
            }
            return .uuid(CQLUUID(intervals: intervals, clockAndNode: clockAndNode))
        }
    }

    /// `typeAsBlob` and `blobAsType`, and their names with underscores.
    private static func conversions(_ name: String, _ arguments: [CQLType?]) -> [ScalarFunction] {
        for (suffix, prefix) in [("asblob", "blobas"), ("_as_blob", "blob_as_")] {
            if name.hasSuffix(suffix), let type = CQLType(nativeName: String(name.dropLast(suffix.count))) {
                return [
                    ScalarFunction(name, [type], .blob) { arguments, _ in
                        .blob(try arguments[0].serialized(as: type))
                    }
                ]
            }
            if name.hasPrefix(prefix), let type = CQLType(nativeName: String(name.dropFirst(prefix.count))) {
                return [
                    ScalarFunction(name, [.blob], type) { arguments, _ in
                        guard case .blob(let bytes) = arguments[0], let value = try? CQLValue(bytes.rawSpan, type: type)
                        else {
                            throw CQLError.invalid(
                                "In call to function \(name), value is not a valid binary representation for type \(type)"
                            )
                        }
                        return value
                    }
                ]
            }
        }
        return []
    }

    /// `token(…)` of a partition key.
    static func token(_ types: [CQLType], argumentCount: Int) throws -> ScalarFunction {
        guard argumentCount == types.count else {
            throw CQLError.invalid(
                "Invalid number of arguments in call to function system.token: \(types.count) required but "
                    + "\(argumentCount) provided")
        }
        return ScalarFunction("token", types, .bigint) { values, _ in
            var key: [UInt8] = []
            PartitionKeyCodec.append(try zip(values, types).map { try $0.serialized(as: $1) }, to: &key)
            return .bigint(Murmur3.token(key.rawSpan))
        }
    }
}
