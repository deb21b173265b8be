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
        // The header takes its place in front of the body when this is known: a large one is not copied.
        var writer = WireWriter(bytes: [UInt8](repeating: 0, count: EnvelopeHeader.byteCount))
        var flags = response.write(to: &writer, version)
        let bodyByteCount = writer.bytes.count - EnvelopeHeader.byteCount
        func header(_ bodyByteCount: Int) -> [UInt8] {
            Self.header(
                version: version.rawValue, flags: flags, stream: stream, opcode: response.message.opcode,
                bodyByteCount: bodyByteCount)
        }
        if compressesBodies, bodyByteCount >= Self.leastCompressedByteCount,
            let block = LZ4Block.compressed(writer.bytes[EnvelopeHeader.byteCount...])
        {
            flags.insert(.compression)
            var compressed = WireWriter(bytes: header(4 + block.count))
            compressed.count(bodyByteCount)
            return compressed.bytes + block
        }
        writer.bytes.replaceSubrange(..<EnvelopeHeader.byteCount, with: header(bodyByteCount))
        return writer.bytes
    }

    /// An error in a version that may not be spoken here.
    static func protocolError(_ violation: FatalViolation) -> [UInt8] {
        var writer = WireWriter()
        let flags = Response(.error(ErrorMessage(.protocolError, violation.message))).write(to: &writer, .v4)
        return header(
            version: violation.version, flags: flags, stream: violation.stream, opcode: .error,
            bodyByteCount: writer.bytes.count) + writer.bytes
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
