// QueryParameters.swift — what QUERY and EXECUTE say beside the statement (v4 specification, §4.1.4; v5, §4.1.4), and BATCH
// behind its statements: there as well every field comes if its flag is set ([CA] transport/messages/BatchMessage.java).
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

    /// Those for a statement's markers: a name that no marker has is passed over, one that is missing is missed.
    func ordered(by markers: [BoundMarker]) -> [WireValue] {
        switch self {
        case .positional(let values): values
        case .named(let values): markers.compactMap { values[$0.name] }
        }
    }
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
            // As in Cassandra, 0 and negative numbers mean no pages.
            pageSize = size > 0 ? Int(size) : nil
        }
        if flags.contains(.pagingState) { pagingState = try reader.optionalBytes() }
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

    /// Leaves what means something to a BATCH: its values come with its statements, and it has no pages.
    mutating func forgetWhatBatchesLack() {
        values = .positional([])
        skipsMetadata = false
        pageSize = nil
        pagingState = nil
    }

    /// Refuses levels that the statement can't have ([CA] db/ConsistencyLevel.java, and statements/SelectStatement.java,
    /// ModificationStatement.java). Schema changes and batches without conditions mind none.
    func checkConsistency(of statement: PreparedStatement) throws {
        let message: String
        switch consistency {
        case _ where statement.isConditional: return try checkConditionalConsistency()
        case .any where !statement.resultColumns.isEmpty: message = "ANY ConsistencyLevel is only supported for writes"
        case .any:
            guard statement.isOfCounters, let table = statement.modifiedTableName else { return }
            message = "Consistency level ANY is not yet supported for counter table \(table)"
        case .serial, .localSerial:
            guard statement.modifiedTableName != nil else { return }
            message =
                statement.isOfCounters
                ? "Counter operations are inherently non-serializable"
                : "You must use conditional updates for serializable writes"
        default: return
        }
        throw CQLError(.invalidRequest, message)
    }

    /// Of both levels that a statement with conditions has ([CA] db/ConsistencyLevel.java, `validateForCas` and
    /// `validateForCasCommit`).
    func checkConditionalConsistency() throws {
        if let serialConsistency, !serialConsistency.isSerial {
            throw CQLError(
                .invalidRequest, "Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL")
        }
        guard consistency.isSerial else { return }
        throw CQLError(
            .invalidRequest,
            "\(consistency.name) is not supported as conditional update commit consistency. Use ANY if you mean \"make sure "
                + "it is accepted but I don't care how many replicas commit it for non-SERIAL reads\"")
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
