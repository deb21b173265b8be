// RecordCodec.swift — the records of nodes and relationships.
//
//     node record          │ format 1 │ count v │ label v … │ count v │ (key v, value) … │
//     relationship record  │ format 1 │ type v │ start v │ end v │ count v │ (key v, value) … │
//
//     v is a little-endian base-128 number (LEB128); label, type and key are tokens of the catalog.
//     value  │ 01 │ false        │ 03 │ v zigzag integer      │ 05 │ v byte count │ UTF-8 │
//            │ 02 │ true         │ 04 │ float, 8 bytes LE     │ 06 │ v count │ value …     │
//
// A record is valid if: its format byte is known; every count fits into what is left; tags are known; texts are valid
// UTF-8; lists hold no lists; nothing follows the last property. Keys are in ascending order. Tags are on disk: do not
// renumber.

struct NodeRecord: Sendable {
    /// Ascending.
    var labels: [UInt32] = []
    var properties = PropertyList()
}

struct RelationshipRecord: Sendable {
    var type: UInt32
    var start: NodeID
    var end: NodeID
    var properties = PropertyList()
}

/// Properties by key token, ascending.
struct PropertyList: Sendable {
    private(set) var entries: [(key: UInt32, value: GraphValue)] = []

    var count: Int { entries.count }

    subscript(key: UInt32) -> GraphValue? {
        get { entries.first { $0.key == key }?.value }
        set {
            let index = entries.firstIndex { $0.key >= key } ?? entries.endIndex
            let exists = index < entries.endIndex && entries[index].key == key
            switch (exists, newValue) {
            case (true, let value?): entries[index].value = value
            case (true, nil): entries.remove(at: index)
            case (false, let value?): entries.insert((key, value), at: index)
            case (false, nil): break
            }
        }
    }
}

struct RecordWriter {
    private(set) var bytes: [UInt8] = []

    static let format: UInt8 = 1

    static func encode(_ record: NodeRecord) -> [UInt8] {
        var writer = RecordWriter()
        writer.bytes.append(format)
        writer.append(varint: UInt64(record.labels.count))
        for label in record.labels { writer.append(varint: UInt64(label)) }
        writer.append(record.properties)
        return writer.bytes
    }

    static func encode(_ record: RelationshipRecord) -> [UInt8] {
        var writer = RecordWriter()
        writer.bytes.append(format)
        writer.append(varint: UInt64(record.type))
        writer.append(varint: UInt64(record.start.rawValue))
        writer.append(varint: UInt64(record.end.rawValue))
        writer.append(record.properties)
        return writer.bytes
    }

    /// One form for all values that are equal: a float that is a whole number is written as the integer.
    static func canonicalKey(_ value: GraphValue) -> [UInt8] {
        var writer = RecordWriter()
        writer.append(value.canonicalNumber)
        return writer.bytes
    }

    private mutating func append(_ properties: PropertyList) {
        append(varint: UInt64(properties.count))
        for (key, value) in properties.entries {
            append(varint: UInt64(key))
            append(value)
        }
    }

    mutating func append(varint number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(_ value: GraphValue) {
        switch value {
        case .boolean(let value): bytes.append(value ? 2 : 1)
        case .integer(let value):
            bytes.append(3)
            append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
        case .float(let value):
            bytes.append(4)
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
            }
        case .string(let text):
            bytes.append(5)
            append(varint: UInt64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        case .list(let elements):
            bytes.append(6)
            append(varint: UInt64(elements.count))
            for element in elements { append(element) }
        case .null, .map, .node, .relationship, .path:
            assertionFailure("Only storable values reach the codec.")
        }
    }
}

extension GraphValue {
    fileprivate var canonicalNumber: GraphValue {
        switch self {
        case .float(let value): Int64(exactly: value).map { .integer($0) } ?? self
        case .list(let elements): .list(elements.map(\.canonicalNumber))
        default: self
        }
    }

    /// Whether the value can be a property: a scalar or a list of scalars without null.
    var isStorable: Bool {
        switch self {
        case .boolean, .integer, .float, .string: true
        case .list(let elements):
            elements.allSatisfy { element in
                if case .list = element { false } else { element.isStorable }
            }
        case .null, .map, .node, .relationship, .path: false
        }
    }
}
