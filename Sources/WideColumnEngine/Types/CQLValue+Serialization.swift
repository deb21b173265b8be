// CQLValue+Serialization.swift — the native protocol's binary format of values (v4 specification, §6).
//
//   collection of n elements   ┌ n: int32 ┬ length: int32 ┬ bytes … ┬ length ┬ bytes … ┐   map: key, value, key, …
//
// Numbers are big-endian. A set is in the order of its elements, without duplicates; a map in the order of its keys.

extension CQLValue {
    /// Appends the value's bytes as a value of `type`.
    ///
    /// - Throws: `InvalidRequest` where the value does not fit the type; `null` and `unset` have no bytes and are the
    ///   caller's business.
    func serialize(as type: CQLType, into bytes: inout [UInt8]) throws {
        switch (type, self) {
        case (.text, .text(let value)): bytes.append(contentsOf: value.utf8)
        case (.ascii, .text(let value)):
            guard value.utf8.allSatisfy({ $0 < 0x80 }) else {
                throw CQLError.invalid("Invalid ASCII character in string literal")
            }
            bytes.append(contentsOf: value.utf8)
        case (.blob, .blob(let value)): bytes.append(contentsOf: value)
        case (.boolean, .boolean(let value)): bytes.append(value ? 1 : 0)
        case (.uuid, .uuid(let value)): bytes.append(value)
        case (.timeuuid, .uuid(let value)):
            guard value.version == 1 else { throw CQLError.invalid("Invalid version for TimeUUID type.") }
            bytes.append(value)
        case (.timestamp, .timestamp(let value)): bytes.appendBigEndian(value)
        case (.date, .date(let value)): bytes.appendBigEndian(UInt32(bitPattern: value) ^ 0x8000_0000)
        case (.time, .time(let value)):
            guard (0..<CalendarText.nanosecondsPerDay).contains(value) else {
                throw CQLError.invalid("Input long out of bounds: \(value)")
            }
            bytes.appendBigEndian(value)
        case (.inet, .inet(let value)):
            guard value.count == 4 || value.count == 16 else { throw mismatch(type) }
            bytes.append(contentsOf: value)
        case (.float, .float(let value)): bytes.appendBigEndian(value.bitPattern)
        case (.float, .double(let value)): bytes.appendBigEndian(Float(value).bitPattern)
        case (.double, .double(let value)): bytes.appendBigEndian(value.bitPattern)
        case (.double, .float(let value)): bytes.appendBigEndian(Double(value).bitPattern)
        case (.frozen(let inner), _): try serialize(as: inner, into: &bytes)
        case (_, .empty):
            guard type.allowsEmpty else { throw mismatch(type) }
        case (.list(let element), .list(let values)): try Self.serialize(values, of: element, into: &bytes)
        case (.set(let element), .set(let values)), (.set(let element), .list(let values)):
            try Self.serialize(Self.sortedUnique(values, of: element), of: element, into: &bytes)
        case (.map(let key, let value), .map(let entries)):
            try Self.serialize(entries, keys: key, values: value, into: &bytes)
        case (.varint, .varint(let value)): bytes.append(contentsOf: try Self.checked(value).twosComplement)
        case (.decimal, .decimal(let value)):
            _ = try Self.checked(value.unscaled)
            value.append(to: &bytes)
        case (.decimal, .varint(let value)): CQLDecimal(unscaled: try Self.checked(value)).append(to: &bytes)
        case (.decimal, .double(let value)):
            guard let decimal = CQLDecimal(shortest: value) else { throw mismatch(type) }
            decimal.append(to: &bytes)
        case (.duration, .duration(let value)):
            guard value.isValid else {
                throw CQLError.invalid(
                    "The duration months, days and nanoseconds must be all of the same sign "
                        + "(\(value.months), \(value.days), \(value.nanoseconds))")
            }
            value.append(to: &bytes)
        case (.map, .set(let values)) where values.isEmpty: bytes.appendBigEndian(Int32(0))
        case (.tuple, _), (.userType, _), (.vector, _): try serializeFields(as: type, into: &bytes)
        default: try serializeNumber(as: type, into: &bytes)
        }
    }

    func serialized(as type: CQLType) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try serialize(as: type, into: &bytes)
        return bytes
    }

    /// What is longer could be written, but a key with it could not be read.
    private static func checked(_ number: CQLInteger) throws -> CQLInteger {
        guard number.hasAllowedLength else {
            throw CQLError.invalid("Numbers of more than \(CQLInteger.maximumDigitCount) digits are not supported")
        }
        return number
    }

    /// Any integer value goes into any number type whose range it is in.
    private func serializeNumber(as type: CQLType, into bytes: inout [UInt8]) throws {
        guard let number = wholeNumber else { throw mismatch(type) }
        switch type {
        case .varint: bytes.append(contentsOf: CQLInteger(number).twosComplement)
        case .decimal: CQLDecimal(number).append(to: &bytes)
        case .bigint, .counter, .timestamp: bytes.appendBigEndian(number)
        case .int: bytes.appendBigEndian(try exactly(number, type) as Int32)
        case .smallint: bytes.appendBigEndian(try exactly(number, type) as Int16)
        case .tinyint: bytes.appendBigEndian(try exactly(number, type) as Int8)
        case .double: bytes.appendBigEndian(Double(number).bitPattern)
        case .float: bytes.appendBigEndian(Float(number).bitPattern)
        default: throw mismatch(type)
        }
    }

    private var wholeNumber: Int64? {
        switch self {
        case .tinyint(let value): Int64(value)
        case .smallint(let value): Int64(value)
        case .int(let value): Int64(value)
        case .bigint(let value): value
        case .varint(let value): value.int64
        default: nil
        }
    }

    private func exactly<Integer: FixedWidthInteger>(_ number: Int64, _ type: CQLType) throws -> Integer {
        guard let value = Integer(exactly: number) else {
            throw CQLError.invalid("Unable to make \(type) from '\(number)'")
        }
        return value
    }

    func mismatch(_ type: CQLType) -> CQLError {
        CQLError.invalid("Invalid value \(self) for type \(type)")
    }

    // MARK: Collections

    private static func serialize(_ values: [CQLValue], of element: CQLType, into bytes: inout [UInt8]) throws {
        bytes.appendBigEndian(Int32(truncatingIfNeeded: values.count))
        for value in values { try value.serializeElement(as: element, into: &bytes) }
    }

    private static func serialize(
        _ entries: [Entry], keys: CQLType, values: CQLType, into bytes: inout [UInt8]
    ) throws {
        var sorted: [(order: [UInt8], entry: Entry)] = []
        for entry in entries { sorted.append((try orderedBytes(entry.key, keys), entry)) }
        sorted.sort { $0.order.lexicographicallyPrecedes($1.order) }
        // Of entries with one key the last one written counts.
        let unique = sorted.indices.filter { $0 + 1 == sorted.count || sorted[$0].order != sorted[$0 + 1].order }
        bytes.appendBigEndian(Int32(truncatingIfNeeded: unique.count))
        for index in unique {
            try sorted[index].entry.key.serializeElement(as: keys, into: &bytes)
            try sorted[index].entry.value.serializeElement(as: values, into: &bytes)
        }
    }

    private static func sortedUnique(_ values: [CQLValue], of element: CQLType) throws -> [CQLValue] {
        var sorted: [(order: [UInt8], value: CQLValue)] = []
        for value in values { sorted.append((try orderedBytes(value, element), value)) }
        sorted.sort { $0.order.lexicographicallyPrecedes($1.order) }
        return sorted.indices.filter { $0 == 0 || sorted[$0].order != sorted[$0 - 1].order }.map { sorted[$0].value }
    }

    private static func orderedBytes(_ value: CQLValue, _ type: CQLType) throws -> [UInt8] {
        guard value != .null, value != .unset else {
            throw CQLError.invalid("null is not supported inside collections")
        }
        var ordered: [UInt8] = []
        let bytes = try value.serialized(as: type)
        try OrderedComponent.append(bytes.rawSpan, type, to: &ordered)
        return ordered
    }

    func serializeElement(as type: CQLType, into bytes: inout [UInt8]) throws {
        guard self != .null, self != .unset else { throw CQLError.invalid("null is not supported inside collections") }
        let lengthOffset = bytes.count
        bytes.appendBigEndian(Int32(0))
        try serialize(as: type, into: &bytes)
        let count = UInt32(truncatingIfNeeded: bytes.count - lengthOffset - 4)
        for index in 0..<4 { bytes[lengthOffset + index] = UInt8(truncatingIfNeeded: count >> (24 - index * 8)) }
    }
}

extension Array where Element == UInt8 {
    fileprivate mutating func append(_ uuid: CQLUUID) {
        appendBigEndian(uuid.mostSignificantBits)
        appendBigEndian(uuid.leastSignificantBits)
    }
}
