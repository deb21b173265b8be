// GraphKeys.swift — the keys of the graph's keyspaces. Numbers are big-endian, so that keys order as the numbers do.
//
//     graph/catalog        see TokenCatalog.swift
//     graph/nodes          node u32                                                         → node record
//     graph/relationships  relationship u64                                                 → relationship record
//     graph/adjacency      node u32 | direction u8 | type u32 | neighbour u32 | rel. u64    → (empty)
//     graph/labels         label u32 | node u32                                             → (empty)
//     graph/unique         constraint u32 | canonical value                                 → node u32
//
// Every relationship has two adjacency entries: `outgoing` under its start, `incoming` under its end. Within a node
// they are grouped by direction and type and sorted by neighbour: a hop is one range, all relationships between two
// nodes are a sub-range of it.

/// The side from which a relationship is seen. Raw values are on disk: do not renumber.
enum Side: UInt8, Sendable, CaseIterable {
    case outgoing = 0
    case incoming = 1

    var opposite: Side { self == .outgoing ? .incoming : .outgoing }
}

/// A relationship as one of its ends sees it.
struct AdjacencyEntry: Sendable, Hashable {
    var node: UInt32
    var side: Side
    var type: UInt32
    var neighbour: UInt32
    var relationship: UInt64
}

enum GraphKeys {
    static func node(_ id: NodeID) -> [UInt8] { bytes(of: id.rawValue) }

    static func relationship(_ id: RelationshipID) -> [UInt8] { bytes(of: id.rawValue) }

    static func label(_ label: UInt32, _ node: NodeID) -> [UInt8] { bytes(of: label) + bytes(of: node.rawValue) }

    static func labelPrefix(_ label: UInt32) -> [UInt8] { bytes(of: label) }

    static let adjacencyByteCount = 21

    static func adjacency(_ entry: AdjacencyEntry) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(adjacencyByteCount)
        append(entry.node, to: &key)
        key.append(entry.side.rawValue)
        append(entry.type, to: &key)
        append(entry.neighbour, to: &key)
        append(entry.relationship, to: &key)
        return key
    }

    /// The prefix of a node's relationships; the more is given, the fewer they are.
    static func adjacencyPrefix(
        _ node: NodeID, _ side: Side? = nil, type: UInt32? = nil, neighbour: NodeID? = nil
    ) -> [UInt8] {
        var key = bytes(of: node.rawValue)
        guard let side else { return key }
        key.append(side.rawValue)
        guard let type else { return key }
        append(type, to: &key)
        guard let neighbour else { return key }
        append(neighbour.rawValue, to: &key)
        return key
    }

    /// - Throws: ``StorageError`` `corruption` if the key is not one of the adjacency keyspace.
    static func adjacencyEntry(of key: RawSpan) throws -> AdjacencyEntry {
        guard key.byteCount == adjacencyByteCount, let side = Side(rawValue: byte(of: key, at: 4)) else {
            throw StorageError.corruption("A key of graph/adjacency has \(key.byteCount) bytes or an unknown direction")
        }
        return AdjacencyEntry(
            node: number(of: key, at: 0), side: side, type: number(of: key, at: 5), neighbour: number(of: key, at: 9),
            relationship: number(of: key, at: 13))
    }

    static func nodeID(of bytes: RawSpan, at offset: Int = 0) throws -> NodeID {
        guard bytes.byteCount == offset + 4 else {
            throw StorageError.corruption("A node identity in the graph has \(bytes.byteCount - offset) bytes, not 4")
        }
        return NodeID(rawValue: number(of: bytes, at: offset))
    }

    static func relationshipID(of bytes: RawSpan) throws -> RelationshipID {
        guard bytes.byteCount == 8 else {
            throw StorageError.corruption("A relationship identity has \(bytes.byteCount) bytes, not 8")
        }
        return RelationshipID(rawValue: number(of: bytes, at: 0))
    }

    static func bytes<Number: FixedWidthInteger>(of number: Number) -> [UInt8] {
        var result: [UInt8] = []
        append(number, to: &result)
        return result
    }

    static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        var shift = Number.bitWidth - 8
        while shift >= 0 {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            shift -= 8
        }
    }

    private static func byte(of bytes: RawSpan, at offset: Int) -> UInt8 {
        unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The caller has checked that the bytes are there; the load is bounds-checked all the same.
    private static func number<Number: FixedWidthInteger & BitwiseCopyable>(of bytes: RawSpan, at offset: Int) -> Number
    {
        Number(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}
