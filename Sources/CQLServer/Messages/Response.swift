// Response.swift — what the server answers, and its bytes (v4 and v5 specifications, §4.2).

internal import WideColumnEngine

/// A response with what may come before its body.
struct Response: Sendable {
    var message: Message
    var tracingID: CQLUUID?
    var warnings: [String] = []

    enum Message: Sendable {
        case error(ErrorMessage)
        case ready
        case authenticate(className: String)
        case authSuccess
        case supported([(key: String, values: [String])])
        case void
        case rows(RowsMessage)
        case setKeyspace(String)
        case prepared(PreparedMessage)
        case schemaChange(SchemaChange)
        case schemaChangeEvent(SchemaChange)
    }

    init(_ message: Message) {
        self.message = message
    }

    /// The answer to a request that failed.
    init(_ error: any Error) {
        self.init(.error(ErrorMessage(error)))
    }

    /// Appends the body, with the tracing id and the warnings in front.
    ///
    /// - Returns: the flags that say so.
    func write(to writer: inout WireWriter, _ version: ProtocolVersion) -> EnvelopeFlags {
        var flags: EnvelopeFlags = []
        if let tracingID {
            flags.insert(.tracing)
            writer.long(Int64(bitPattern: tracingID.mostSignificantBits))
            writer.long(Int64(bitPattern: tracingID.leastSignificantBits))
        }
        if !warnings.isEmpty {
            flags.insert(.warning)
            writer.stringList(warnings)
        }
        message.write(to: &writer, version)
        return flags
    }
}

/// The kinds of results. They go over the wire: do not renumber.
private enum ResultKind: Int32 {
    case void = 1
    case rows = 2
    case setKeyspace = 3
    case prepared = 4
    case schemaChange = 5
}

extension Response.Message {
    var opcode: Opcode {
        switch self {
        case .error: .error
        case .ready: .ready
        case .authenticate: .authenticate
        case .authSuccess: .authSuccess
        case .supported: .supported
        case .void, .rows, .setKeyspace, .prepared, .schemaChange: .result
        case .schemaChangeEvent: .event
        }
    }

    func write(to writer: inout WireWriter, _ version: ProtocolVersion) {
        switch self {
        case .error(let error): error.write(to: &writer, version)
        case .ready: break
        case .authenticate(let className): writer.string(className)
        case .authSuccess: writer.optionalBytes(nil)
        case .supported(let options): writer.stringMultimap(options)
        case .void: writer.int(ResultKind.void.rawValue)
        case .rows(let rows):
            writer.int(ResultKind.rows.rawValue)
            rows.write(to: &writer, version)
        case .setKeyspace(let name):
            writer.int(ResultKind.setKeyspace.rawValue)
            writer.string(name)
        case .prepared(let prepared):
            writer.int(ResultKind.prepared.rawValue)
            prepared.write(to: &writer, version)
        case .schemaChange(let change):
            writer.int(ResultKind.schemaChange.rawValue)
            Self.write(change, to: &writer)
        case .schemaChangeEvent(let change):
            writer.string("SCHEMA_CHANGE")
            Self.write(change, to: &writer)
        }
    }

    private static func write(_ change: SchemaChange, to writer: inout WireWriter) {
        writer.string(change.kind.rawValue)
        writer.string(change.target.rawValue)
        writer.string(change.keyspace)
        if change.target != .keyspace { writer.string(change.name ?? "") }
    }
}
