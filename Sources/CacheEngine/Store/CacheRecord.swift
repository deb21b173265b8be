// CacheRecord.swift — an entry as the keyspace `cache/<name>` keeps it; the cache's key is the storage key as it is.
//
//   byte 0   format version, 1
//   byte 1   kind: 1 string, 2 hash, 3 list, 4 set — do not renumber
//   byte 2   expiry, milliseconds since 1970, 8 bytes little-endian; 0 = none
//   byte 10  string: the bytes to the end
//            list, set: each element as length (4 bytes little-endian) and bytes, to the end
//            hash: field and value alternating, each like an element
//
// A record is valid if version and kind are known, the expiry is not negative, the lengths end exactly at the end, and
// a hash has as many values as fields.

struct CacheRecord: Sendable {
    var object: CacheObject
    var expiry: Int64

    private static let version: UInt8 = 1
    private static let headerByteCount = 10

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = [Self.version, kindByte]
        Self.append(UInt64(bitPattern: expiry), byteCount: 8, to: &bytes)
        switch object {
        case .string(let value):
            bytes.append(contentsOf: value)
        case .hash(let map):
            for (field, value) in zip(map.keys, map.values) {
                Self.append(field, to: &bytes)
                Self.append(value, to: &bytes)
            }
        case .list(let list):
            for element in list.elements(in: 0..<list.count) { Self.append(element, to: &bytes) }
        case .set(let map):
            for member in map.keys { Self.append(member, to: &bytes) }
        }
        return bytes
    }

    init(object: CacheObject, expiry: Int64) {
        self.object = object
        self.expiry = expiry
    }

    init(decoding bytes: [UInt8], keyspace: String) throws {
        guard bytes.count >= Self.headerByteCount else { throw Self.corruption("is too short", keyspace) }
        guard bytes[0] == Self.version else {
            throw StorageError(
                .unsupportedFormat,
                "A record of keyspace \"\(keyspace)\" has format version \(bytes[0]); this is version 1.")
        }
        expiry = Int64(bitPattern: Self.integer(bytes[2..<Self.headerByteCount]))
        guard expiry >= 0 else { throw Self.corruption("has a negative expiry", keyspace) }
        let payload = bytes[Self.headerByteCount...]
        switch bytes[1] {
        case 1: object = .string(Array(payload))
        case 2: object = try Self.hash(Self.elements(payload, keyspace), keyspace)
        case 3: object = .list(Self.list(try Self.elements(payload, keyspace)))
        case 4: object = .set(Self.set(try Self.elements(payload, keyspace)))
        default: throw Self.corruption("has the unknown kind \(bytes[1])", keyspace)
        }
    }

    private var kindByte: UInt8 {
        switch object {
        case .string: 1
        case .hash: 2
        case .list: 3
        case .set: 4
        }
    }

    private static func hash(_ elements: [[UInt8]], _ keyspace: String) throws -> CacheObject {
        guard elements.count % 2 == 0 else { throw corruption("has a field without a value", keyspace) }
        var map = ByteMap()
        for position in stride(from: 0, to: elements.count, by: 2) {
            let field = elements[position]
            map.set(field.rawSpan, elements[position + 1])
        }
        return .hash(map)
    }

    private static func list(_ elements: [[UInt8]]) -> ByteList {
        var list = ByteList()
        for element in elements { list.append(element) }
        return list
    }

    private static func set(_ elements: [[UInt8]]) -> ByteMap {
        var map = ByteMap()
        for element in elements { map.set(element.rawSpan, []) }
        return map
    }

    private static func elements(_ payload: ArraySlice<UInt8>, _ keyspace: String) throws -> [[UInt8]] {
        var elements: [[UInt8]] = []
        var rest = payload
        while !rest.isEmpty {
            guard rest.count >= 4 else { throw corruption("ends inside a length", keyspace) }
            let byteCount = Int(integer(rest.prefix(4)))
            rest = rest.dropFirst(4)
            guard byteCount <= rest.count else { throw corruption("ends inside an element", keyspace) }
            elements.append(Array(rest.prefix(byteCount)))
            rest = rest.dropFirst(byteCount)
        }
        return elements
    }

    private static func append(_ element: [UInt8], to bytes: inout [UInt8]) {
        append(UInt64(element.count), byteCount: 4, to: &bytes)
        bytes.append(contentsOf: element)
    }

    private static func append(_ value: UInt64, byteCount: Int, to bytes: inout [UInt8]) {
        for position in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * position))) }
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func corruption(_ problem: String, _ keyspace: String) -> StorageError {
        StorageError.corruption("A record of keyspace \"\(keyspace)\" \(problem).")
    }
}
