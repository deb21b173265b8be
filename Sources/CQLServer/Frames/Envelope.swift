// Envelope.swift — a message with its header, the unit of both versions of the protocol.
//
//   ┌ version 1 ┬ flags 1 ┬ stream 2 ┬ opcode 1 ┬ length 4 ┬ body … ┐         numbers are big-endian
//
// The top bit of the version is set in responses. Version 4 puts envelopes on the wire one after another, with the body
// compressed if its flag says so; version 5 puts them into frames once STARTUP was answered (Frame.swift).
//
// A request's envelope is valid if
//   1. its version is one that the server speaks, and the one of the connection once there is one,
//   2. the top bit of the version is not set,
//   3. its length is not negative. One beyond the limit is read past, and answered with an error.

/// The versions of the native protocol that are spoken here.
enum ProtocolVersion: UInt8, Sendable, CaseIterable {
    case v4 = 4
    case v5 = 5

    static let responseBit: UInt8 = 0x80

    /// As Cassandra names it.
    var name: String { "\(rawValue)/v\(rawValue)" }
}

/// The flags of an envelope. They go over the wire: do not renumber.
struct EnvelopeFlags: OptionSet, Hashable, Sendable {
    var rawValue: UInt8

    static let compression = EnvelopeFlags(rawValue: 0x01)
    static let tracing = EnvelopeFlags(rawValue: 0x02)
    static let customPayload = EnvelopeFlags(rawValue: 0x04)
    static let warning = EnvelopeFlags(rawValue: 0x08)
    static let beta = EnvelopeFlags(rawValue: 0x10)
}

/// The kinds of messages. They go over the wire: do not renumber.
enum Opcode: UInt8, Sendable, CaseIterable {
    case error = 0x00
    case startup = 0x01
    case ready = 0x02
    case authenticate = 0x03
    case options = 0x05
    case supported = 0x06
    case query = 0x07
    case result = 0x08
    case prepare = 0x09
    case execute = 0x0A
    case register = 0x0B
    case event = 0x0C
    case batch = 0x0D
    case authChallenge = 0x0E
    case authResponse = 0x0F
    case authSuccess = 0x10

    /// Whether clients send it; the others are the server's.
    var isRequest: Bool {
        switch self {
        case .startup, .options, .query, .prepare, .execute, .register, .batch, .authResponse: true
        case .error, .ready, .authenticate, .supported, .result, .event, .authChallenge, .authSuccess: false
        }
    }

    /// What is wrong with it under the header of a request, or under that of a response, if the other one is expected
    /// ([CA] transport/Message.java, `Type.fromOpcode`).
    func wrongDirection(isResponse: Bool) -> String {
        let (expected, got) = isResponse ? ("REQUEST", "RESPONSE") : ("RESPONSE", "REQUEST")
        return "Wrong protocol direction (expected \(expected), got \(got)) for opcode \(rawValue) (\(name))"
    }

    /// Whether it is a request for the engine.
    var isOfStatements: Bool { self == .query || self == .prepare || self == .execute || self == .batch }

    /// As Cassandra's messages name it.
    var name: String {
        switch self {
        case .error: "ERROR"
        case .startup: "STARTUP"
        case .ready: "READY"
        case .authenticate: "AUTHENTICATE"
        case .options: "OPTIONS"
        case .supported: "SUPPORTED"
        case .query: "QUERY"
        case .result: "RESULT"
        case .prepare: "PREPARE"
        case .execute: "EXECUTE"
        case .register: "REGISTER"
        case .event: "EVENT"
        case .batch: "BATCH"
        case .authChallenge: "AUTH_CHALLENGE"
        case .authResponse: "AUTH_RESPONSE"
        case .authSuccess: "AUTH_SUCCESS"
        }
    }
}

/// The header of an envelope.
struct EnvelopeHeader: Hashable, Sendable {
    static let byteCount = 9

    var version: ProtocolVersion
    var flags: EnvelopeFlags
    var stream: Int16
    /// Not checked yet.
    var opcode: UInt8
    var bodyByteCount: Int

    /// Whether it is of a request for the engine.
    var isOfStatements: Bool { Opcode(rawValue: opcode)?.isOfStatements == true }
}

/// A request as it came from the wire.
struct Envelope: Hashable, Sendable {
    var header: EnvelopeHeader
    /// As it came: compressed if the flag says so.
    var body: [UInt8]
}
