// Request.swift — what a client asks, decoded from an envelope's body (v4 and v5 specifications, §4.1).

internal import WideColumnEngine

/// A request.
enum Request: Hashable, Sendable {
    case startup([String: String])
    case options
    case authResponse([UInt8]?)
    case query(String, QueryParameters)
    case prepare(String, keyspace: String?)
    /// Version 5 tells which metadata of the result the client knows.
    case execute(id: [UInt8], resultMetadataID: [UInt8]?, QueryParameters)
    case batch(BatchRequest)
    case register([String])

    /// The request in an envelope.
    init(_ envelope: Envelope, compression: BodyCompression) throws {
        let header = envelope.header
        var reader = WireReader(try compression.body(of: envelope))
        if header.flags.contains(.customPayload) { try reader.skipBytesMap() }
        try self.init(header.opcode, &reader, header.version)
    }

    /// The request in a body, which is not compressed any more and begins behind the custom payload.
    init(_ opcode: UInt8, _ reader: inout WireReader, _ version: ProtocolVersion) throws {
        switch Opcode(rawValue: opcode) {
        case .startup: self = .startup(try reader.stringMap())
        case .options: self = .options
        case .authResponse: self = .authResponse(try reader.optionalBytes())
        case .query: self = .query(try reader.longString(), try QueryParameters(&reader, version))
        case .prepare: self = try Self.prepare(&reader, version)
        case .execute:
            let id = try reader.shortBytes()
            let resultMetadataID = version == .v5 ? try reader.shortBytes() : nil
            self = .execute(
                id: id, resultMetadataID: resultMetadataID, try QueryParameters(&reader, version))
        case .batch: self = .batch(try BatchRequest(&reader, version))
        case .register: self = .register(try reader.stringList())
        case let response?: throw WireReader.malformed(response.wrongDirection(isResponse: false))
        case nil: throw WireReader.malformed("Unknown opcode \(opcode)")
        }
    }

    private static func prepare(_ reader: inout WireReader, _ version: ProtocolVersion) throws -> Request {
        let text = try reader.longString()
        guard version == .v5 else { return .prepare(text, keyspace: nil) }
        // Unlike those of QUERY, the only flag of PREPARE is 1.
        let flags = try reader.int()
        return .prepare(text, keyspace: flags & 0x01 != 0 ? try reader.string() : nil)
    }

    var opcode: Opcode {
        switch self {
        case .startup: .startup
        case .options: .options
        case .authResponse: .authResponse
        case .query: .query
        case .prepare: .prepare
        case .execute: .execute
        case .batch: .batch
        case .register: .register
        }
    }
}

extension Request {
    /// Of a request that executes something.
    var parameters: QueryParameters? {
        switch self {
        case .query(_, let parameters), .execute(_, _, let parameters): parameters
        case .batch(let batch): batch.parameters
        case .prepare, .startup, .options, .authResponse, .register: nil
        }
    }

    /// What the request says; the usual one where it says nothing.
    var consistency: Consistency { parameters?.consistency ?? .localOne }

    /// Of conditions; the usual one where the request says nothing.
    var serialConsistency: Consistency { parameters?.serialConsistency ?? .serial }
}

/// How a connection's bodies are compressed, one by one: in version 4.
struct BodyCompression: Hashable, Sendable {
    /// Of the length in front of a block: that behind decompression.
    static let lengthByteCount = 4

    var isAgreed = false
    /// After decompression.
    var largestByteCount: Int

    func body(of envelope: Envelope) throws -> [UInt8] {
        guard envelope.header.flags.contains(.compression), envelope.header.version == .v4, !envelope.body.isEmpty
        else { return envelope.body }
        guard isAgreed else {
            throw CQLError(.protocolError, "A compressed message came where no compression was agreed on")
        }
        var reader = WireReader(envelope.body)
        let byteCount = Int(try reader.int())
        guard byteCount <= largestByteCount else {
            throw CQLError(
                .invalidRequest,
                "Request is too big: length \(byteCount) exceeds maximum allowed length \(largestByteCount).")
        }
        return try LZ4Block.decompressed(Array(envelope.body[reader.offset...]), byteCount: byteCount)
    }
}

/// Statements that commit together.
struct BatchRequest: Hashable, Sendable {
    /// They go over the wire: do not renumber.
    enum Kind: UInt8, Sendable {
        case logged = 0
        case unlogged = 1
        case counter = 2
    }

    enum Text: Hashable, Sendable {
        case query(String)
        case prepared(id: [UInt8])
    }

    struct Statement: Hashable, Sendable {
        var text: Text
        var values: Values
    }

    /// A statement's values as they came. They are read where they are used: one of few bytes takes many in memory.
    struct Values: Hashable, Sendable {
        let count: Int
        /// At the first one.
        private let reader: WireReader

        fileprivate init(_ reader: inout WireReader) throws {
            count = Int(try reader.short())
            self.reader = reader
            for _ in 0..<count { try reader.skipValue() }
        }

        func read() throws -> [WireValue] {
            var reader = reader
            return try (0..<count).map { _ in try reader.value() }
        }
    }

    var kind: Kind
    var statements: [Statement]
    /// Of these only what means something in BATCH: consistencies, timestamp, keyspace, the time.
    var parameters: QueryParameters

    init(_ reader: inout WireReader, _ version: ProtocolVersion) throws {
        let code = try reader.byte()
        guard let kind = Kind(rawValue: code) else { throw WireReader.malformed("Invalid BATCH message type \(code)") }
        self.kind = kind
        statements = []
        for _ in 0..<(try reader.short()) {
            let text: Text
            switch try reader.byte() {
            case 0: text = .query(try reader.longString())
            case 1: text = .prepared(id: try reader.shortBytes())
            case let kind:
                // [CA] transport/messages/BatchMessage.java.
                throw WireReader.malformed("Invalid query kind in BATCH messages. Must be 0 or 1 but got \(kind)")
            }
            statements.append(Statement(text: text, values: try Values(&reader)))
        }
        parameters = try QueryParameters(&reader, version)
        // Names would have to come before values whose place depends on the flag behind them: the specification itself
        // calls it broken (§4.1.7), and no server takes it.
        if case .named = parameters.values {
            throw WireReader.malformed("Named values are not supported in BATCH messages")
        }
        parameters.forgetWhatBatchesLack()
    }
}
