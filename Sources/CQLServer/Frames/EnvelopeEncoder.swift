// EnvelopeEncoder.swift — a response's message into an envelope. Envelope.swift draws it.

/// Makes envelopes as a connection agreed on them.
struct EnvelopeEncoder: Hashable, Sendable {
    var version: ProtocolVersion
    /// Version 4 only: version 5 compresses frames.
    var compressesBodies = false

    /// Smaller bodies gain nothing.
    private static let leastCompressedByteCount = 256

    /// The whole envelope.
    func envelope(_ response: Response, stream: Int16) -> [UInt8] {
        let message = response.encoded(version)
        var flags = message.flags
        var body = message.body
        if compressesBodies, body.count >= Self.leastCompressedByteCount, let block = LZ4Block.compressed(body) {
            var writer = WireWriter()
            writer.count(body.count)
            body = writer.bytes + block
            flags.insert(.compression)
        }
        return Self.header(
            version: version.rawValue, flags: flags, stream: stream, opcode: message.opcode, bodyByteCount: body.count)
            + body
    }

    /// An error in a version that may not be spoken here.
    static func protocolError(_ violation: FatalViolation) -> [UInt8] {
        let message = Response(.error(ErrorMessage(.protocolError, violation.message))).encoded(.v4)
        return header(
            version: violation.version, flags: [], stream: violation.stream, opcode: .error,
            bodyByteCount: message.body.count) + message.body
    }

    static func header(
        version: UInt8, flags: EnvelopeFlags, stream: Int16, opcode: Opcode, bodyByteCount: Int
    ) -> [UInt8] {
        var writer = WireWriter()
        writer.byte(version | ProtocolVersion.responseBit)
        writer.byte(flags.rawValue)
        // Versions 1 and 2 have streams of one byte.
        if version < 3 {
            writer.byte(UInt8(truncatingIfNeeded: stream))
        } else {
            writer.short(UInt16(bitPattern: stream))
        }
        writer.byte(opcode.rawValue)
        writer.count(bodyByteCount)
        return writer.bytes
    }
}
