// EnvelopeDecoder.swift — requests out of a run of bytes that arrives in pieces. Envelope.swift draws them.

/// What ends a connection: after it nobody knows where the next message begins, or in which version to read it.
struct FatalViolation: Error, Hashable {
    var message: String
    /// The stream and version of the answer that tells the client.
    var stream: Int16 = 0
    var version: UInt8 = ProtocolVersion.v5.rawValue
}

/// Cuts envelopes out of bytes.
struct EnvelopeDecoder {
    enum Element: Hashable {
        case envelope(Envelope)
        /// A request for the engine begins: its body is not taken before `admit`, or is read past after `skip`. It needs so
        /// many bytes with what decompression makes of it.
        case header(EnvelopeHeader, byteCount: Int)
        /// An envelope beyond the limit, by its length on the wire or that behind decompression. Its body is read past and
        /// never held.
        case oversized(EnvelopeHeader, byteCount: Int)
    }

    /// A body that is larger is read past.
    let largestBodyByteCount: Int
    /// Of requests for the engine, once there may be any; they have to be admitted then.
    var largestStatementByteCount: Int?
    /// Version 4: whether bodies may be compressed.
    var decompressesBodies = false
    private var queue = ByteQueue()
    /// Of the message whose body is to come.
    private var header: EnvelopeHeader?
    private var isAdmitted = false
    /// What came of a large body. It grows with what comes, and never beyond the length that the header says.
    private var body: [UInt8] = []
    /// How much of an oversized body is still to come.
    private var skippedByteCount = 0
    /// Set once the connection has one: no other is accepted then.
    var version: ProtocolVersion?

    /// A larger body does not wait in the queue until it is whole.
    private static let largestQueuedBodyByteCount = 64 * 1024

    init(largestBodyByteCount: Int) {
        self.largestBodyByteCount = largestBodyByteCount
    }

    var bufferedByteCount: Int { body.count + queue.count }
    /// How much memory is held for what was not taken yet.
    var capacity: Int { body.capacity + queue.capacity }

    mutating func append(_ bytes: some Collection<UInt8>) {
        guard queue.count == 0 else { return queue.append(bytes) }
        // These need not pass through the queue.
        let skipped = min(skippedByteCount, bytes.count)
        skippedByteCount -= skipped
        var rest = bytes.dropFirst(skipped)
        if let header, header.bodyByteCount > Self.largestQueuedBodyByteCount {
            let part = rest.prefix(header.bodyByteCount - body.count)
            reserveBody(part.count, header)
            body.append(contentsOf: part)
            rest = rest.dropFirst(part.count)
        }
        queue.append(rest)
    }

    /// Whether a message was begun that is to be taken.
    var isInMessage: Bool { header != nil && isAdmitted }

    mutating func admit() { isAdmitted = true }

    /// The body of the message that begins is read past.
    mutating func skip() {
        skippedByteCount = header?.bodyByteCount ?? 0
        header = nil
    }

    /// What a message's body may have.
    func largestBodyByteCount(of header: EnvelopeHeader) -> Int {
        header.isOfStatements ? largestStatementByteCount ?? largestBodyByteCount : largestBodyByteCount
    }

    /// What arrived behind the last envelope; the decoder forgets it.
    mutating func takeRest() -> [UInt8] { queue.take(queue.count) }

    /// The next envelope, or `nil` until more bytes arrive.
    mutating func next() throws(FatalViolation) -> Element? {
        let skipped = min(skippedByteCount, queue.count)
        queue.drop(skipped)
        skippedByteCount -= skipped
        guard skippedByteCount == 0 else { return nil }
        if header == nil {
            guard let next = try nextHeader(), let originalByteCount = originalByteCount(next) else { return nil }
            queue.drop(EnvelopeHeader.byteCount)
            let byteCount = max(next.bodyByteCount, originalByteCount)
            guard byteCount <= largestBodyByteCount(of: next) else {
                skippedByteCount = next.bodyByteCount
                return .oversized(next, byteCount: byteCount)
            }
            header = next
            isAdmitted = !next.isOfStatements || largestStatementByteCount == nil
            if !isAdmitted {
                return .header(next, byteCount: EnvelopeHeader.byteCount + next.bodyByteCount + originalByteCount)
            }
        }
        guard isAdmitted, let header, let body = takeBody(header) else { return nil }
        self.header = nil
        return .envelope(Envelope(header: header, body: body))
    }

    /// What decompression makes of the body that begins behind its header, by the body's first four bytes; 0 for one that is
    /// not compressed. `nil` until they have arrived.
    private func originalByteCount(_ header: EnvelopeHeader) -> Int? {
        let start = EnvelopeHeader.byteCount
        guard decompressesBodies, header.flags.contains(.compression),
            header.bodyByteCount >= BodyCompression.lengthByteCount
        else { return 0 }
        guard queue.count >= start + BodyCompression.lengthByteCount else { return nil }
        let claimed = Int(
            Int32(truncatingIfNeeded: queue.bigEndian(at: start, byteCount: BodyCompression.lengthByteCount)))
        // What no block of this length can hold is refused when it is decompressed.
        let blockByteCount = header.bodyByteCount - BodyCompression.lengthByteCount
        return claimed > blockByteCount * LZ4Block.largestGrowth ? 0 : max(0, claimed)
    }

    private mutating func takeBody(_ header: EnvelopeHeader) -> [UInt8]? {
        guard header.bodyByteCount > Self.largestQueuedBodyByteCount else {
            return queue.count < header.bodyByteCount ? nil : queue.take(header.bodyByteCount)
        }
        let count = min(queue.count, header.bodyByteCount - body.count)
        reserveBody(count, header)
        queue.move(count, to: &body)
        guard body.count == header.bodyByteCount else { return nil }
        defer { body = [] }
        return body
    }

    private mutating func reserveBody(_ additionalByteCount: Int, _ header: EnvelopeHeader) {
        let needed = body.count + additionalByteCount
        guard needed > body.capacity else { return }
        body.reserveCapacity(min(header.bodyByteCount, max(needed, 2 * body.capacity)))
    }

    private func nextHeader() throws(FatalViolation) -> EnvelopeHeader? {
        guard queue.count > 0 else { return nil }
        let number = queue[0] & ~ProtocolVersion.responseBit
        // The header of versions 1 and 2 has a stream of one byte.
        let byteCount = number < 3 ? EnvelopeHeader.byteCount - 1 : EnvelopeHeader.byteCount
        guard queue.count >= byteCount else { return nil }
        let stream =
            number < 3
            ? Int16(Int8(bitPattern: queue[2])) : Int16(truncatingIfNeeded: queue.bigEndian(at: 2, byteCount: 2))
        guard let version = ProtocolVersion(rawValue: number) else { throw Self.unsupported(number, stream) }
        if let expected = self.version, version != expected {
            throw FatalViolation(
                message: "Invalid message version. Got \(version.name) but previous messages on this connection had "
                    + "version \(expected.name)", stream: stream, version: expected.rawValue)
        }
        let length = Int32(truncatingIfNeeded: queue.bigEndian(at: 5, byteCount: 4))
        guard queue[0] & ProtocolVersion.responseBit == 0 else {
            throw FatalViolation(message: Self.textOfResponse(queue[4]), stream: stream, version: number)
        }
        guard length >= 0 else {
            throw FatalViolation(message: "Invalid frame body length: \(length)", stream: stream, version: number)
        }
        return EnvelopeHeader(
            version: version, flags: EnvelopeFlags(rawValue: queue[1]), stream: stream, opcode: queue[4],
            bodyByteCount: Int(length))
    }

    /// What is wrong with an envelope whose version says that it is a response ([CA] transport/Message.java, `Type.fromOpcode`
    /// and `RequestDecoder`).
    private static func textOfResponse(_ code: UInt8) -> String {
        guard let opcode = Opcode(rawValue: code) else { return "Unknown opcode \(code)" }
        return opcode.isRequest
            ? opcode.wrongDirection(isResponse: true)
            : "Unexpected RESPONSE message \(opcode.name), expecting REQUEST"
    }

    /// What drivers look for when they negotiate. An older client is answered in its own version, a newer one in the
    /// highest that is spoken here ([CA] transport/ProtocolVersion.java, `decode`).
    private static func unsupported(_ number: UInt8, _ stream: Int16) -> FatalViolation {
        let names = ProtocolVersion.allCases.map(\.name).joined(separator: ", ")
        return FatalViolation(
            message: "Invalid or unsupported protocol version (\(number)); supported versions are (\(names))",
            stream: stream, version: (1...3).contains(number) ? number : ProtocolVersion.v5.rawValue)
    }
}
