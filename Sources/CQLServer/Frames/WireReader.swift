// WireReader.swift — the native protocol's notations, from the bytes of a message's body (v4 specification, §3).
//
// Bytes come from the network: whatever is short or malformed is a protocol error, and nothing is read past the end.

internal import WideColumnEngine

/// Reads a message's body from its front.
struct WireReader: Hashable, Sendable {
    private let bytes: [UInt8]
    private(set) var offset: Int

    init(_ bytes: [UInt8], at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var remainingByteCount: Int { bytes.count - offset }

    static func malformed(_ message: String) -> CQLError { CQLError(.protocolError, message) }

    // MARK: Numbers

    private mutating func skip(_ count: Int) throws -> Range<Int> {
        guard count >= 0, count <= remainingByteCount else {
            throw Self.malformed("Not enough bytes to read a message: \(count) expected, \(remainingByteCount) left")
        }
        let start = offset
        offset += count
        return start..<offset
    }

    private mutating func bigEndian<Integer: FixedWidthInteger>(_: Integer.Type) throws -> Integer {
        var value: Integer = 0
        for index in try skip(MemoryLayout<Integer>.size) {
            value = Integer(truncatingIfNeeded: UInt64(truncatingIfNeeded: value) << 8 | UInt64(bytes[index]))
        }
        return value
    }

    mutating func byte() throws -> UInt8 { try bigEndian(UInt8.self) }
    mutating func short() throws -> UInt16 { try bigEndian(UInt16.self) }
    mutating func int() throws -> Int32 { try bigEndian(Int32.self) }
    mutating func long() throws -> Int64 { try bigEndian(Int64.self) }

    mutating func consistency() throws -> Consistency {
        let code = try short()
        guard let consistency = Consistency(rawValue: code) else {
            throw Self.malformed("Unknown code \(code) for a consistency level")
        }
        return consistency
    }

    // MARK: Runs of bytes

    private mutating func text(_ count: Int) throws -> String {
        let range = try skip(count)
        guard let text = String(validUTF8: bytes.rawSpan.extracting(range)) else {
            throw Self.malformed("Cannot decode string as UTF8")
        }
        return text
    }

    mutating func string() throws -> String { try text(Int(try short())) }

    mutating func longString() throws -> String { try text(Int(try int())) }

    mutating func shortBytes() throws -> [UInt8] { Array(bytes[try skip(Int(try short()))]) }

    /// `nil` for a negative length.
    mutating func optionalBytes() throws -> [UInt8]? {
        let count = try int()
        return count < 0 ? nil : Array(bytes[try skip(Int(count))])
    }

    mutating func value() throws -> WireValue {
        switch try int() {
        case -1: return .null
        case -2: return .unset
        case let count: return .bytes(Array(bytes[try skipValue(Int(count))]))
        }
    }

    /// Reads past a value.
    mutating func skipValue() throws {
        let count = try int()
        if count != -1, count != -2 { _ = try skipValue(Int(count)) }
    }

    private mutating func skipValue(_ count: Int) throws -> Range<Int> {
        guard count >= 0 else { throw Self.malformed("Invalid ByteBuf length \(count)") }
        return try skip(count)
    }

    // MARK: Lists and maps

    mutating func stringList() throws -> [String] {
        var list: [String] = []
        for _ in 0..<(try short()) { list.append(try string()) }
        return list
    }

    /// Of two entries with one key the later one counts.
    mutating func stringMap() throws -> [String: String] {
        var map: [String: String] = [:]
        for _ in 0..<(try short()) {
            let key = try string()
            map[key] = try string()
        }
        return map
    }

    /// Reads past a custom payload: no part of it means anything here.
    mutating func skipBytesMap() throws {
        for _ in 0..<(try short()) {
            _ = try string()
            _ = try optionalBytes()
        }
    }
}

/// A bound value as a request brings it.
enum WireValue: Hashable, Sendable {
    case null
    case unset
    case bytes([UInt8])
}

/// How many replicas a request would have to reach. There is one; the levels are read and answered, and decide nothing but
/// which statements may have them.
/// They go over the wire: do not renumber.
enum Consistency: UInt16, Sendable, CaseIterable {
    case any = 0
    case one = 1
    case two = 2
    case three = 3
    case quorum = 4
    case all = 5
    case localQuorum = 6
    case eachQuorum = 7
    case serial = 8
    case localSerial = 9
    case localOne = 10
    case nodeLocal = 11

    var isSerial: Bool { self == .serial || self == .localSerial }

    /// As Cassandra's messages name it.
    var name: String {
        switch self {
        case .any: "ANY"
        case .one: "ONE"
        case .two: "TWO"
        case .three: "THREE"
        case .quorum: "QUORUM"
        case .all: "ALL"
        case .localQuorum: "LOCAL_QUORUM"
        case .eachQuorum: "EACH_QUORUM"
        case .serial: "SERIAL"
        case .localSerial: "LOCAL_SERIAL"
        case .localOne: "LOCAL_ONE"
        case .nodeLocal: "NODE_LOCAL"
        }
    }
}
