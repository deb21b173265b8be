// QueryParameters.swift — what QUERY and EXECUTE say beside the statement (v4 specification, §4.1.4; v5, §4.1.4).
//
//   ┌ consistency 2 ┬ flags 1 (v5: 4) ┬ values ┬ page size 4 ┬ paging state ┬ serial consistency 2 ┬ timestamp 8
//   ┬ keyspace (v5) ┬ now in seconds 4 (v5) ┐         each but the first two only if its flag is set

internal import WideColumnEngine

/// They go over the wire: do not renumber.
struct QueryFlags: OptionSet {
    var rawValue: UInt32

    static let values = QueryFlags(rawValue: 0x01)
    static let skipMetadata = QueryFlags(rawValue: 0x02)
    static let pageSize = QueryFlags(rawValue: 0x04)
    static let pagingState = QueryFlags(rawValue: 0x08)
    static let serialConsistency = QueryFlags(rawValue: 0x10)
    static let defaultTimestamp = QueryFlags(rawValue: 0x20)
    static let namedValues = QueryFlags(rawValue: 0x40)
    static let keyspace = QueryFlags(rawValue: 0x80)
    static let nowInSeconds = QueryFlags(rawValue: 0x100)
}

/// The values for a statement's markers.
enum BoundValues: Hashable, Sendable {
    case positional([WireValue])
    case named([String: WireValue])
}

/// The parameters of one execution.
struct QueryParameters: Hashable, Sendable {
    var consistency = Consistency.localOne
    var values = BoundValues.positional([])
    var skipsMetadata = false
    /// `nil`: all rows at once.
    var pageSize: Int?
    var pagingState: [UInt8]?
    var serialConsistency: Consistency?
    /// Microseconds.
    var timestamp: Int64?
    var keyspace: String?
    var nowInSeconds: Int32?

    init() {}

    init(_ reader: inout WireReader, _ version: ProtocolVersion) throws {
        consistency = try reader.consistency()
        let flags = try QueryFlags(&reader, version)
        if flags.contains(.values) { values = try Self.values(&reader, areNamed: flags.contains(.namedValues)) }
        skipsMetadata = flags.contains(.skipMetadata)
        if flags.contains(.pageSize) {
            let size = try reader.int()
            guard size != 0 else { throw WireReader.malformed("The page size cannot be 0") }
            // As in Cassandra, a negative number means no pages.
            pageSize = size > 0 ? Int(size) : nil
        }
        if flags.contains(.pagingState) { pagingState = try reader.optionalBytes() }
        try readLast(&reader, flags)
    }

    /// The part that BATCH has too.
    mutating func readLast(_ reader: inout WireReader, _ flags: QueryFlags) throws {
        if flags.contains(.serialConsistency) { serialConsistency = try reader.consistency() }
        if flags.contains(.defaultTimestamp) {
            let microseconds = try reader.long()
            guard microseconds != .min else {
                throw WireReader.malformed(
                    "Out of bound timestamp, must be in [\(Int64.min + 1), \(Int64.max)] (got \(microseconds))")
            }
            timestamp = microseconds
        }
        if flags.contains(.keyspace) { keyspace = try reader.string() }
        if flags.contains(.nowInSeconds) { nowInSeconds = try reader.int() }
    }

    /// Only what has conditions uses the level, and minds it ([CA] db/ConsistencyLevel.java, `validateForCas`).
    func checkSerialConsistency() throws {
        guard let serialConsistency, serialConsistency != .serial, serialConsistency != .localSerial else { return }
        throw CQLError(
            .invalidRequest, "Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL")
    }

    private static func values(_ reader: inout WireReader, areNamed: Bool) throws -> BoundValues {
        let count = try reader.short()
        guard areNamed else {
            var values: [WireValue] = []
            for _ in 0..<count { values.append(try reader.value()) }
            return .positional(values)
        }
        var values: [String: WireValue] = [:]
        for _ in 0..<count {
            let name = try reader.string()
            values[name] = try reader.value()
        }
        return .named(values)
    }
}

extension QueryFlags {
    /// Version 4 has a byte for them, and not those that came later.
    init(_ reader: inout WireReader, _ version: ProtocolVersion) throws {
        switch version {
        case .v4: self.init(rawValue: UInt32(try reader.byte()) & 0x7F)
        case .v5: self.init(rawValue: UInt32(bitPattern: try reader.int()))
        }
    }
}
