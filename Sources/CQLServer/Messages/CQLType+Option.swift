// CQLType+Option.swift — types as metadata tells them: a number, and what it is made of (v4 specification, §4.2.5.2).
//
// A type without a number of its own in that version is custom: the name of its class in Cassandra stands for it. Of
// those there are `vector` in both versions and `duration` in version 4.

internal import StorageTypes
internal import WideColumnEngine

extension CQLType {
    func write(to writer: inout WireWriter, _ version: ProtocolVersion) {
        switch self {
        case .frozen(let type): type.write(to: &writer, version)
        case .list(let element):
            writer.short(0x20)
            element.write(to: &writer, version)
        case .map(let key, let value):
            writer.short(0x21)
            key.write(to: &writer, version)
            value.write(to: &writer, version)
        case .set(let element):
            writer.short(0x22)
            element.write(to: &writer, version)
        case .userType(let type):
            writer.short(0x30)
            writer.string(type.keyspace)
            writer.string(type.name)
            writer.short(UInt16(clamping: type.fields.count))
            for field in type.fields {
                writer.string(field.name)
                field.type.write(to: &writer, version)
            }
        case .tuple(let elements):
            writer.short(0x31)
            writer.short(UInt16(clamping: elements.count))
            for element in elements { element.write(to: &writer, version) }
        case .duration where version == .v4, .vector:
            writer.short(0x00)
            writer.string(className)
        default: writer.short(nativeCode)
        }
    }

    /// The numbers of the types without parts. They go over the wire: do not renumber.
    private var nativeCode: UInt16 {
        switch self {
        case .ascii: 0x01
        case .bigint: 0x02
        case .blob: 0x03
        case .boolean: 0x04
        case .counter: 0x05
        case .decimal: 0x06
        case .double: 0x07
        case .float: 0x08
        case .int: 0x09
        case .timestamp: 0x0B
        case .uuid: 0x0C
        case .text: 0x0D
        case .varint: 0x0E
        case .timeuuid: 0x0F
        case .inet: 0x10
        case .date: 0x11
        case .time: 0x12
        case .smallint: 0x13
        case .tinyint: 0x14
        case .duration: 0x15
        case .list, .map, .set, .tuple, .userType, .vector, .frozen: 0x00
        }
    }

    /// The type as Cassandra's class names write it ([CA] db/marshal/TypeParser.java).
    var className: String {
        let package = "org.apache.cassandra.db.marshal."
        func parts(_ types: [CQLType]) -> String { types.map(\.className).joined(separator: ",") }
        return switch self {
        case .list(let element): "\(package)ListType(\(element.className))"
        case .set(let element): "\(package)SetType(\(element.className))"
        case .map(let key, let value): "\(package)MapType(\(parts([key, value])))"
        case .tuple(let elements): "\(package)TupleType(\(parts(elements)))"
        case .vector(let element, let count): "\(package)VectorType(\(element.className) , \(count))"
        case .frozen(let type) where isCollection(type): "\(package)FrozenType(\(type.className))"
        case .frozen(let type): type.className
        case .userType(let type): "\(package)UserType(\(type.className))"
        default: package + (nativeClassName ?? "BytesType")
        }
    }

    private func isCollection(_ type: CQLType) -> Bool {
        switch type {
        case .list, .set, .map: true
        default: false
        }
    }
}

extension UserType {
    /// What stands in the brackets of its class: the keyspace, the name and the fields' names in hexadecimal.
    fileprivate var className: String {
        let fields = fields.map { "\(Hexadecimal.text($0.name.utf8)):\($0.type.className)" }
        return ([keyspace, Hexadecimal.text(name.utf8)] + fields).joined(separator: ",")
    }
}
