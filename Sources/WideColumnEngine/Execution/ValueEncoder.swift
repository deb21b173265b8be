// ValueEncoder.swift — `Encodable` values as a tree of what they encode; EncodedValue.swift makes CQL values of it.

/// What one value encoded, before the type of its column is known.
indirect enum EncodedValue {
    /// - Parameter isAlone: the value came as the only one of a type that encodes itself so: Foundation's `Date` is such a
    ///   number, its `UUID` such a text.
    case scalar(CQLValue, isAlone: Bool)
    case keyed([EncodedMember])
    case unkeyed([EncodedValue])

    init<Value: Encodable>(_ value: Value, path: [any CodingKey], isAlone: Bool = false) throws {
        if let convertible = value as? any CQLConvertible {
            self = .scalar(convertible.cqlValue, isAlone: isAlone)
            return
        }
        let node = EncodingNode()
        try value.encode(to: ValueEncoder(node: node, codingPath: path))
        self = node.value
    }
}

extension EncodedValue {
    /// For texts of errors.
    var plain: Any {
        switch self {
        case .scalar(let value, _): value
        case .keyed(let members): members.map { "\($0.key): \($0.value.plain)" }
        case .unkeyed(let values): values.map(\.plain)
        }
    }
}

struct EncodedMember {
    var key: String
    /// Where the key is one of a tuple.
    var position: Int?
    var value: EncodedValue
}

/// What a container is written into. Of one value, used by one encoding at a time.
private final class EncodingNode {
    enum Content {
        case nothing
        case scalar(CQLValue, isAlone: Bool)
        case keyed([(key: any CodingKey, item: Item)])
        case unkeyed([Item])
    }

    enum Item {
        case value(EncodedValue)
        /// A nested container, which is still being written into.
        case node(EncodingNode)

        var value: EncodedValue {
            switch self {
            case .value(let value): value
            case .node(let node): node.value
            }
        }
    }

    var content = Content.nothing

    var value: EncodedValue {
        switch content {
        case .nothing: .keyed([])
        case .scalar(let value, let isAlone): .scalar(value, isAlone: isAlone)
        case .keyed(let members):
            .keyed(
                members.map {
                    EncodedMember(key: $0.key.stringValue, position: $0.key.intValue, value: $0.item.value)
                })
        case .unkeyed(let items): .unkeyed(items.map(\.value))
        }
    }

    func add(_ item: Item, _ key: any CodingKey) {
        guard case .keyed(var members) = content else {
            content = .keyed([(key, item)])
            return
        }
        content = .nothing
        members.append((key, item))
        content = .keyed(members)
    }

    func add(_ item: Item) {
        guard case .unkeyed(var items) = content else {
            content = .unkeyed([item])
            return
        }
        content = .nothing
        items.append(item)
        content = .unkeyed(items)
    }

    var count: Int {
        if case .unkeyed(let items) = content { return items.count }
        return 0
    }
}

private struct ValueEncoder: Encoder {
    let node: EncodingNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        // A class and the one it is derived from may both ask for one.
        if case .keyed = node.content {} else { node.content = .keyed([]) }
        return KeyedEncodingContainer(KeyedEncoding<Key>(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .unkeyed = node.content {} else { node.content = .unkeyed([]) }
        return UnkeyedEncoding(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleEncoding(node: node, codingPath: codingPath)
    }
}

private struct SingleEncoding: SingleValueEncodingContainer {
    let node: EncodingNode
    let codingPath: [any CodingKey]

    func encodeNil() throws { node.content = .scalar(.null, isAlone: true) }

    func encode(_ value: Int128) throws { try set(value) }
    func encode(_ value: UInt128) throws { try set(value) }
    func encode<Value: Encodable>(_ value: Value) throws { try set(value) }

    private func set<Value: Encodable>(_ value: Value) throws {
        switch try EncodedValue(value, path: codingPath, isAlone: true) {
        case .scalar(let value, let isAlone): node.content = .scalar(value, isAlone: isAlone)
        case .keyed(let members):
            node.content = .keyed([])
            for member in members { node.add(.value(member.value), MemberKey(member)) }
        case .unkeyed(let values): node.content = .unkeyed(values.map { .value($0) })
        }
    }

    /// The key that a member was encoded by.
    private struct MemberKey: CodingKey {
        let stringValue: String
        let intValue: Int?

        init(_ member: EncodedMember) {
            stringValue = member.key
            intValue = member.position
        }

        init?(stringValue: String) { return nil }
        init?(intValue: Int) { return nil }
    }
}

private struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: EncodingNode
    let codingPath: [any CodingKey]

    func encodeNil(forKey key: Key) throws { node.add(.value(.scalar(.null, isAlone: false)), key) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        node.add(.value(try EncodedValue(value, path: codingPath + [key])), key)
    }

    /// Without a value a property is null, and not left out: a marker must have something to bind.
    private func add<Value: Encodable>(_ value: Value?, _ key: Key) throws {
        guard let value else { return try encodeNil(forKey: key) }
        node.add(.value(try EncodedValue(value, path: codingPath + [key])), key)
    }

    // The standard library has defaults for each of these types, which would leave a nil out or refuse the value.
    func encode(_ value: Int128, forKey key: Key) throws { try add(value, key) }
    func encode(_ value: UInt128, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: String?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Int128?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: UInt128?, forKey key: Key) throws { try add(value, key) }

    private func nested(_ key: any CodingKey) -> ValueEncoder {
        let inner = EncodingNode()
        node.add(.node(inner), key)
        return ValueEncoder(node: inner, codingPath: codingPath + [key])
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { nested(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { nested(key).unkeyedContainer() }

    /// The properties of a class that this one is derived from stand beside its own.
    func superEncoder() -> any Encoder { ValueEncoder(node: node, codingPath: codingPath) }
    func superEncoder(forKey key: Key) -> any Encoder { nested(key) }
}

private struct UnkeyedEncoding: UnkeyedEncodingContainer {
    let node: EncodingNode
    let codingPath: [any CodingKey]

    var count: Int { node.count }

    func encodeNil() throws { node.add(.value(.scalar(.null, isAlone: false))) }

    func encode(_ value: Int128) throws { try add(value) }
    func encode(_ value: UInt128) throws { try add(value) }
    func encode<Value: Encodable>(_ value: Value) throws { try add(value) }

    private func add<Value: Encodable>(_ value: Value) throws {
        node.add(.value(try EncodedValue(value, path: codingPath + [PositionKey(count)])))
    }

    private func nested() -> ValueEncoder {
        let path = codingPath + [PositionKey(count)]
        let inner = EncodingNode()
        node.add(.node(inner))
        return ValueEncoder(node: inner, codingPath: path)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        nested().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
    func superEncoder() -> any Encoder { nested() }
}
