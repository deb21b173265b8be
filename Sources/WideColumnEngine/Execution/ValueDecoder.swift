// ValueDecoder.swift — one value as a `Decodable` type: the fields of a user-defined type, the members of a collection.
//
// Foundation's types are met in the form in which they decode themselves, since nothing here imports it: `UUID` asks for a
// single text, `Date` for a single number of seconds since 2001, `Data` for one byte after another.

/// Where in a row a value is, for the texts of errors.
struct DecodingPlace {
    var path: [any CodingKey]
    var column: ResultColumn

    func context(_ problem: String) -> DecodingError.Context {
        .init(codingPath: path, debugDescription: "Column \(column.name) of type \(column.type): \(problem)")
    }

    func appending(_ key: any CodingKey) -> DecodingPlace { DecodingPlace(path: path + [key], column: column) }

    /// What null means in a column of a collection that is not frozen: there is nothing in it.
    var emptyCollection: CQLValue? {
        switch column.type {
        case .list: .list([])
        case .set: .set([])
        case .map: .map([])
        default: nil
        }
    }
}

/// A member of something without names.
struct PositionKey: CodingKey {
    let position: Int

    var stringValue: String { "\(position)" }
    var intValue: Int? { position }

    init(_ position: Int) { self.position = position }
    init?(intValue: Int) { position = intValue }
    init?(stringValue: String) {
        guard let position = Int(stringValue) else { return nil }
        self.position = position
    }
}

extension CQLValue {
    /// - Parameter isAlone: the value is asked for by a type that decodes itself from it, not by a property.
    func decode<Value: Decodable>(
        _ type: Value.Type, at place: DecodingPlace, isAlone: Bool = false
    ) throws -> Value {
        if isNull, !(type is any ExpressibleByNilLiteral.Type) {
            throw DecodingError.valueNotFound(type, place.context("It is null, and no \(type)."))
        }
        if let convertible = type as? any CQLConvertible.Type, let value = convertible.init(cqlValue: self) as? Value {
            return value
        }
        if let value = uncommon(type, isAlone: isAlone) { return value }
        // What these ask for is what was tried.
        if type is any BinaryInteger.Type || type is any BinaryFloatingPoint.Type || type is Bool.Type
            || type is String.Type
        {
            throw DecodingError.typeMismatch(type, place.context("\(self) is no \(type)."))
        }
        return try Value(from: ValueDecoder(value: self, place: place))
    }

    /// The other forms of a type's values.
    private func uncommon<Value>(_ type: Value.Type, isAlone: Bool) -> Value? {
        if type is String.Type { return text as? Value }
        if isAlone, type is Double.Type { return secondsSince2001 as? Value }
        guard let integer = type as? any FixedWidthInteger.Type, let number = count else { return nil }
        return integer.init(exactly: number) as? Value
    }

    /// Milliseconds, days or nanoseconds.
    private var count: Int64? {
        switch self {
        case .timestamp(let milliseconds): milliseconds
        case .date(let days): Int64(days)
        case .time(let nanoseconds): nanoseconds
        default: nil
        }
    }

    /// The text of a value whose literal is one, without quotes.
    private var text: String? {
        switch self {
        case .uuid(let value): value.description
        case .timestamp(let milliseconds): CalendarText.timestamp(milliseconds: milliseconds)
        case .date(let days): CalendarText.date(days: Int64(days))
        case .time(let nanoseconds): CalendarText.time(nanoseconds: nanoseconds)
        case .inet(let bytes): InternetAddress.text(bytes)
        default: nil
        }
    }

    /// From 1970 to 2001-01-01, where Foundation's `Date` counts from.
    static let secondsUntil2001: Double = 978_307_200

    private var secondsSince2001: Double? {
        switch self {
        case .timestamp(let milliseconds): Double(milliseconds) / 1000 - Self.secondsUntil2001
        case .date(let days): Double(days) * 86_400 - Self.secondsUntil2001
        default: nil
        }
    }

    /// A map's key as a coding key.
    var codingKey: String {
        switch self {
        case .text(let text): text
        default: text ?? description
        }
    }

    /// The members of what has any, in order; keys and values of a map in turn.
    fileprivate var unkeyedMembers: [CQLValue]? {
        switch self {
        case .list(let members), .set(let members), .vector(let members), .tuple(let members): members
        case .map(let entries): entries.flatMap { [$0.key, $0.value] }
        case .userDefined(let fields): fields.map(\.value)
        case .blob(let bytes), .inet(let bytes): bytes.map { .smallint(Int16($0)) }
        default: nil
        }
    }

    /// The members that have names, or numbers.
    fileprivate var keyedMembers: [(key: String, value: CQLValue)]? {
        switch self {
        case .userDefined(let fields): fields.map { ($0.name, $0.value) }
        case .map(let entries): entries.map { ($0.key.codingKey, $0.value) }
        case .tuple(let members): members.enumerated().map { ("\($0.offset)", $0.element) }
        default: nil
        }
    }
}

struct ValueDecoder: Decoder {
    let value: CQLValue
    let place: DecodingPlace

    var codingPath: [any CodingKey] { place.path }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let members = value.keyedMembers else {
            throw DecodingError.typeMismatch([String: Any].self, place.context("\(value) has no named members."))
        }
        let isTuple = if case .tuple = value { true } else { false }
        return KeyedDecodingContainer(KeyedValues<Key>(members: members, isTuple: isTuple, place: place))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let members = value.unkeyedMembers else {
            throw DecodingError.typeMismatch([Any].self, place.context("\(value) has no members."))
        }
        return UnkeyedValues(members: members, place: place)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleValue(decoder: self) }
}

private struct SingleValue: SingleValueDecodingContainer {
    let decoder: ValueDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.value.isNull }

    // The standard library has defaults for these two, which refuse them.
    func decode(_ type: Int128.Type) throws -> Int128 { try value(type) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try value(type) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try value(type) }

    private func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try decoder.value.decode(type, at: decoder.place, isAlone: true)
    }
}

private struct KeyedValues<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let members: [(key: String, value: CQLValue)]
    /// Its members are found by the integers of coding keys.
    let isTuple: Bool
    let place: DecodingPlace

    var codingPath: [any CodingKey] { place.path }
    var allKeys: [Key] {
        members.compactMap { member in
            isTuple ? Int(member.key).flatMap { Key(intValue: $0) } : Key(stringValue: member.key)
        }
    }

    private func member(_ key: any CodingKey) -> CQLValue? {
        guard isTuple else { return members.first { $0.key == key.stringValue }?.value }
        guard let position = key.intValue, members.indices.contains(position) else { return nil }
        return members[position].value
    }

    func contains(_ key: Key) -> Bool { member(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { member(key)?.isNull ?? true }

    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try value(type, key) }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try value(type, key) }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try value(type, key) }

    private func value<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value {
        let decoder = try decoder(key)
        return try decoder.value.decode(type, at: decoder.place)
    }

    private func decoder(_ key: any CodingKey) throws -> ValueDecoder {
        guard let value = member(key) else {
            throw DecodingError.keyNotFound(key, place.context("There is no \(key.stringValue) in it."))
        }
        return ValueDecoder(value: value, place: place.appending(key))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try decoder(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        let fields = members.map { CQLValue.Field($0.key, $0.value) }
        return ValueDecoder(value: isTuple ? .tuple(fields.map(\.value)) : .userDefined(fields), place: place)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}

private struct UnkeyedValues: UnkeyedDecodingContainer {
    let members: [CQLValue]
    let place: DecodingPlace
    private(set) var currentIndex = 0

    init(members: [CQLValue], place: DecodingPlace) {
        self.members = members
        self.place = place
    }

    var codingPath: [any CodingKey] { place.path }
    var count: Int? { members.count }
    var isAtEnd: Bool { currentIndex >= members.count }

    /// The decoder of the member that comes next.
    private func next(_ type: Any.Type) throws -> ValueDecoder {
        let place = place.appending(PositionKey(currentIndex))
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(type, place.context("It has no more than \(currentIndex) members."))
        }
        return ValueDecoder(value: members[currentIndex], place: place)
    }

    mutating func decodeNil() throws -> Bool {
        guard try next(Any?.self).value.isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode(_ type: Int128.Type) throws -> Int128 { try value(type) }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try value(type) }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try value(type) }

    private mutating func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let decoder = try next(type)
        let value = try decoder.value.decode(type, at: decoder.place)
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try next([String: Any].self).container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try next([Any].self).unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try next(Any.self)
        currentIndex += 1
        return decoder
    }
}
