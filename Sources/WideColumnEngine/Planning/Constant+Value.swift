// Constant+Value.swift — constants of the text as values of the type they are used as.

extension Constant {
    /// The value of the constant as `type` ([CA] cql3/terms/Constants.java, `testAssignment`).
    func value(as type: CQLType, receiver: String = "value") throws -> CQLValue {
        switch (self, type.bare) {
        case (.null, _): return .null
        case (.string(let text), .text), (.string(let text), .ascii): return .text(text)
        case (.string(""), .timestamp), (.string(""), .inet): return .empty
        case (.string(let text), .timestamp):
            guard let value = CalendarText.milliseconds(text) else {
                throw CQLError.invalid("Unable to parse a date/time from '\(text)'")
            }
            return .timestamp(value)
        case (.string(let text), .date) where !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }:
            return try number(text, type, receiver)
        case (.string(let text), .date):
            guard let value = CalendarText.days(text) else {
                throw CQLError.invalid("Unable to coerce '\(text)' to a formatted date (long)")
            }
            return .date(value)
        case (.string(let text), .time):
            guard let value = CalendarText.nanoseconds(text) else {
                throw CQLError.invalid("(TimeType) Unable to coerce '\(text)' to a formatted time (long)")
            }
            return .time(value)
        case (.string(let text), .inet):
            guard let value = InternetAddress.bytes(text) else {
                throw CQLError.invalid("Unable to make inet address from '\(text)'")
            }
            return .inet(value)
        case (.integer(let text), .duration), (.duration(let text), .duration):
            return .duration(try CQLDuration(reading: text))
        case (.float(let digits), .decimal):
            guard let value = CQLDecimal(digits) else { throw mismatch(type, receiver) }
            return .decimal(value)
        case (.integer(let digits), _): return try number(digits, type, receiver)
        case (.float(let digits), .double), (.float(let digits), .float): return try real(digits, type, receiver)
        case (.uuid(let value), .timeuuid) where value.version != 1:
            throw CQLError.invalid("TimeUUID supports only version 1 UUIDs")
        case (.uuid(let value), .uuid), (.uuid(let value), .timeuuid): return .uuid(value)
        case (.boolean(let value), .boolean): return .boolean(value)
        case (.blob(let bytes), .blob): return .blob(bytes)
        default: throw mismatch(type, receiver)
        }
    }

    private func number(_ digits: String, _ type: CQLType, _ receiver: String) throws -> CQLValue {
        switch type {
        case .double, .float: return try real(digits, type, receiver)
        case .varint:
            guard let value = CQLInteger(digits) else {
                throw CQLError.invalid("Unable to make varint from '\(digits)'")
            }
            return .varint(value)
        case .decimal:
            guard let value = CQLDecimal(digits) else {
                throw CQLError.invalid("Unable to make decimal from '\(digits)'")
            }
            return .decimal(value)
        case .bigint, .counter: return .bigint(try whole(digits, "long"))
        case .int: return .int(try whole(digits, "int"))
        case .smallint: return .smallint(try whole(digits, "short"))
        case .tinyint: return .tinyint(try whole(digits, "byte"))
        case .timestamp:
            guard let value = Int64(digits) else {
                throw CQLError.invalid("Unable to make long (for date) from: '\(digits)'")
            }
            return .timestamp(value)
        case .date:
            // Days with 1970-01-01 at 2^31, as the binary format counts.
            guard let value = UInt32(digits) else {
                throw CQLError.invalid("Unable to make unsigned int (for date) from: '\(digits)'")
            }
            return .date(Int32(bitPattern: value ^ 0x8000_0000))
        case .time:
            guard let value = CalendarText.nanoseconds(digits) else {
                throw CQLError.invalid("Unable to make long (for time) from: '\(digits)'")
            }
            return .time(value)
        default: throw mismatch(type, receiver)
        }
    }

    /// A `float` is rounded once: the nearest double may lie just between two of them.
    private func real(_ digits: String, _ type: CQLType, _ receiver: String) throws -> CQLValue {
        let value = type.bare == .float ? Float(digits).map(CQLValue.float) : Double(digits).map(CQLValue.double)
        guard let value else { throw mismatch(type, receiver) }
        return value
    }

    /// - Parameter name: Java's, which Cassandra's messages have.
    private func whole<Number: FixedWidthInteger>(_ digits: String, _ name: String) throws -> Number {
        guard let value = Number(digits) else { throw CQLError.invalid("Unable to make \(name) from '\(digits)'") }
        return value
    }

    private func mismatch(_ type: CQLType, _ receiver: String) -> CQLError {
        CQLError.invalid("Invalid \(kindName) constant (\(bareText)) for \"\(receiver)\" of type \(type)")
    }

    private var bareText: String {
        if case .string(let text) = self { return text }
        return description
    }

    /// Whether a double is written so ([CA] cql3/terms/Constants.java, `getPreferedTypeFor`).
    private static func isDouble(_ digits: String) -> Bool {
        guard let exact = CQLDecimal(digits), let value = Double(digits) else { return true }
        return CQLDecimal(shortest: value)?.compare(exact) == 0
    }

    /// The type a constant has where nothing else tells.
    var naturalType: CQLType? {
        switch self {
        case .null: nil
        case .string: .text
        case .integer(let digits): Int32(digits) != nil ? .int : Int64(digits) != nil ? .bigint : .varint
        case .duration: .duration
        case .float(let digits): Self.isDouble(digits) ? .double : .decimal
        case .uuid: .uuid
        case .boolean: .boolean
        case .blob: .blob
        }
    }
}
