// CQLConvertible.swift — Swift types that columns can be read as.

/// A Swift type that CQL values convert to and from.
public protocol CQLConvertible {
    /// The value as this type; `nil` where it is null or of another type.
    init?(cqlValue: CQLValue)
    var cqlValue: CQLValue { get }
}

extension String: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard case .text(let value) = cqlValue else { return nil }
        self = value
    }

    public var cqlValue: CQLValue { .text(self) }
}

extension Bool: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard case .boolean(let value) = cqlValue else { return nil }
        self = value
    }

    public var cqlValue: CQLValue { .boolean(self) }
}

extension FixedWidthInteger {
    fileprivate init?(exactlyIn value: CQLValue) {
        switch value {
        case .tinyint(let number): self.init(exactly: number)
        case .smallint(let number): self.init(exactly: number)
        case .int(let number): self.init(exactly: number)
        case .bigint(let number): self.init(exactly: number)
        case .varint(let number):
            // Some types hold more than 64 bits do.
            guard let small = number.int64 else {
                self.init(number.description)
                return
            }
            self.init(exactly: small)
        default: return nil
        }
    }
}

extension Int: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { .bigint(Int64(self)) }
}

extension Int64: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { .bigint(self) }
}

extension Int32: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { .int(self) }
}

extension Int16: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { .smallint(self) }
}

extension Int8: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { .tinyint(self) }
}

extension Int128: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { CQLInteger(description).map { .varint($0) } ?? .null }
}

extension UInt128: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { CQLInteger(description).map { .varint($0) } ?? .null }
}

extension UInt64: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { Int64(exactly: self).map { .bigint($0) } ?? UInt128(self).cqlValue }
}

extension UInt: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { UInt64(self).cqlValue }
}

extension UInt32: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { .bigint(Int64(self)) }
}

extension UInt16: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { .int(Int32(self)) }
}

extension Double: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        switch cqlValue {
        case .double(let value): self = value
        case .float(let value): self = Double(value)
        default: return nil
        }
    }

    public var cqlValue: CQLValue { .double(self) }
}

extension Float: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard case .float(let value) = cqlValue else { return nil }
        self = value
    }

    public var cqlValue: CQLValue { .float(self) }
}

extension CQLUUID: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard case .uuid(let value) = cqlValue else { return nil }
        self = value
    }

    public var cqlValue: CQLValue { .uuid(self) }
}

extension StorageInstant: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard case .timestamp(let milliseconds) = cqlValue else { return nil }
        self.init(milliseconds: milliseconds)
    }

    public var cqlValue: CQLValue { .timestamp(milliseconds) }
}

extension CQLValue: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        if cqlValue.isNull { return nil }
        self = cqlValue
    }

    public var cqlValue: CQLValue { self }
}

/// A blob as bytes, any other collection as its members.
extension Array: CQLConvertible where Element: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        if case .blob(let bytes) = cqlValue, let bytes = bytes as? [Element] {
            self = bytes
            return
        }
        guard let members = cqlValue.members else { return nil }
        let converted = members.compactMap(Element.init(cqlValue:))
        guard converted.count == members.count else { return nil }
        self = converted
    }

    public var cqlValue: CQLValue {
        if let bytes = self as? [UInt8] { return .blob(bytes) }
        return .list(map(\.cqlValue))
    }
}

extension UInt8: CQLConvertible {
    public init?(cqlValue: CQLValue) { self.init(exactlyIn: cqlValue) }
    public var cqlValue: CQLValue { .smallint(Int16(self)) }
}

extension CQLValue {
    fileprivate var members: [CQLValue]? {
        switch self {
        case .list(let members), .set(let members), .vector(let members): members
        default: nil
        }
    }
}

/// A map by its keys; of keys that are equal in Swift, as texts of other characters that Unicode holds to be the same, the last
/// counts.
extension Dictionary: CQLConvertible where Key: CQLConvertible, Value: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard case .map(let entries) = cqlValue else { return nil }
        self = [:]
        for entry in entries {
            guard let key = Key(cqlValue: entry.key), let value = Value(cqlValue: entry.value) else { return nil }
            self[key] = value
        }
    }

    public var cqlValue: CQLValue { .map(map { CQLValue.Entry(key: $0.key.cqlValue, value: $0.value.cqlValue) }) }
}

extension Set: CQLConvertible where Element: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard let elements = [Element](cqlValue: cqlValue) else { return nil }
        self = Set(elements)
    }

    public var cqlValue: CQLValue { .set(map(\.cqlValue)) }
}

extension CQLInteger: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard let value = cqlValue.integer else { return nil }
        self = value
    }

    public var cqlValue: CQLValue { .varint(self) }
}

extension CQLDecimal: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard case .decimal(let value) = cqlValue else { return nil }
        self = value
    }

    public var cqlValue: CQLValue { .decimal(self) }
}

extension CQLDuration: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard case .duration(let value) = cqlValue else { return nil }
        self = value
    }

    public var cqlValue: CQLValue { .duration(self) }
}

/// A `time`: what has passed since midnight.
extension Duration: CQLConvertible {
    public init?(cqlValue: CQLValue) {
        guard case .time(let nanoseconds) = cqlValue else { return nil }
        self = .nanoseconds(nanoseconds)
    }

    public var cqlValue: CQLValue {
        let (seconds, attoseconds) = components
        // What is out of a day is refused when it is bound.
        guard (0..<86_400).contains(seconds), attoseconds >= 0 else { return .time(-1) }
        return .time(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
