// ConnectionState.swift — what a connection of the native protocol does next: events in, actions out, no I/O.
//
// Whoever owns it reports what happened (bytes came, a request was answered, the schema changed), then calls `next()` and
// carries out each action until there is none. It owns these invariants:
//
//   1. A request is handed out only after STARTUP and, where users are configured, after AUTH_RESPONSE succeeded.
//   2. At most `limits.requestCount` requests are handed out and unanswered at a time, and none is begun while the peer does
//      not read its answers, or before the owner has room for all of it. What arrived meanwhile waits unparsed, and reading
//      pauses. One that was begun is taken whole.
//   3. Every request is answered exactly once, with its stream's number; the order is that of the answers.
//   4. After a violation of the framing nothing more is read; the answers under way go out, then the connection closes.
//   5. No more than `largestTurn` messages and frames are taken before the owner had a chance to do something else, and
//      none while `fullOutputByteCount` of answers wait for it to send them.
//   6. What arrived is not kept once nothing more is read.

internal import WideColumnEngine

/// The bounds of one connection.
struct ConnectionLimits: Hashable, Sendable {
    /// Of a request's body, compressed or not. A batch holds 64 MiB at most.
    var requestBodyByteCount = 64 * 1024 * 1024 + 64 * 1024
    /// Of an answer's body.
    var answerBodyByteCount = 64 * 1024 * 1024
    /// The same before the connection is ready: nobody knows yet whose it is.
    var handshakeMessageByteCount = 64 * 1024
    /// Requests handed out and not answered yet.
    var requestCount = 128
}

/// The state of one connection.
struct ConnectionState {
    enum Phase: Hashable {
        case established
        case authenticating
        case ready
        /// Nothing more is read; answers under way still go out.
        case closing
        case closed
    }

    enum Action {
        /// Check a response of SASL's PLAIN, and call `finishAuthentication`.
        case authenticate([UInt8], stream: Int16)
        /// A request of so many bytes begins: call `admit` once there is room for it, or `refuse`. Nothing is taken before.
        case reserve(byteCount: Int)
        /// The room is not needed any more.
        case release(RequestBudget.Charge)
        /// Execute the request, and call `finish`.
        case perform(RequestWork)
        case send([UInt8])
        case pauseReading
        case resumeReading
        /// Much came at once: let others have their turn, then call `proceed`. Nothing is taken before.
        case yield
        case close
    }

    /// Messages and frames that are taken in one go.
    static let largestTurn = 256
    /// Guesses at a password, after which the connection closes.
    static let largestFailureCount = 3
    /// Answers of so many bytes are sent before more requests are taken.
    static let fullOutputByteCount = 64 * 1024

    private(set) var phase = Phase.established {
        didSet { if phase == .ready { envelopes.largestStatementByteCount = limits.requestBodyByteCount } }
    }
    private let limits: ConnectionLimits
    private let requiresAuthentication: Bool

    private var envelopes: EnvelopeDecoder
    /// Version 5, once STARTUP was answered.
    private var frames: FrameDecoder?
    private var frameEncoder: FrameEncoder?
    /// What STARTUP said, names in upper case.
    private(set) var startupOptions: [String: String] = [:]
    /// The requests that came, those that need no engine too.
    private(set) var requestCount: Int64 = 0
    /// How answers are encoded.
    private(set) var encoder = EnvelopeEncoder(version: .v5)

    private var output: [Answer] = []
    private var outputByteCount = 0
    private var requestsUnderWay = 0
    private var isAuthenticating = false
    /// Credentials that were wrong.
    private var failureCount = 0
    private(set) var observesSchema = false
    /// Of a request that begins, before it was admitted.
    private var awaitedHeader: EnvelopeHeader?
    /// Of a request that was begun.
    private var charge: RequestBudget.Charge?
    private var isWritable = true
    private var isPaused = false
    private var isYielding = false
    /// What was taken since the owner last had nothing to do.
    private var takenCount = 0

    init(limits: ConnectionLimits = ConnectionLimits(), requiresAuthentication: Bool) {
        self.limits = limits
        self.requiresAuthentication = requiresAuthentication
        envelopes = EnvelopeDecoder(
            largestBodyByteCount: min(limits.handshakeMessageByteCount, limits.requestBodyByteCount))
    }

    // MARK: Events

    /// Bytes came.
    mutating func receive(_ bytes: some Collection<UInt8>) {
        guard phase != .closing, phase != .closed else { return }
        if frames != nil { frames?.append(bytes) } else { envelopes.append(bytes) }
    }

    /// A request was answered.
    mutating func finish(_ answer: Answer) {
        assert(requestsUnderWay > 0, "More answers than requests.")
        requestsUnderWay -= 1
        append(answer)
    }

    /// The credentials were checked.
    mutating func finishAuthentication(_ error: (any Error)?, stream: Int16) {
        // The time for it may have been over before.
        guard isAuthenticating else { return }
        isAuthenticating = false
        if let error {
            answer(Response(error), stream)
            failureCount += 1
            if failureCount == Self.largestFailureCount { drain() }
        } else {
            if phase == .authenticating { phase = .ready }
            answer(Response(.authSuccess), stream)
        }
    }

    /// The schema changed.
    ///
    /// - Returns: the bytes of the event that tells it.
    @discardableResult
    mutating func schemaChanged(_ change: SchemaChange) -> Int {
        guard observesSchema, phase == .ready else { return 0 }
        let byteCount = outputByteCount
        answer(Response(.schemaChangeEvent(change)), -1)
        return outputByteCount - byteCount
    }

    /// There is room for the request that begins.
    mutating func admit(_ charge: RequestBudget.Charge) {
        assert(self.charge == nil, "One request begins at a time.")
        self.charge = charge
        guard awaitedHeader != nil else { return }
        awaitedHeader = nil
        envelopes.admit()
    }

    /// There is no room for the request that begins, and its client does not want to wait.
    mutating func refuse(_ error: any Error) {
        guard let header = awaitedHeader else { return }
        awaitedHeader = nil
        envelopes.skip()
        encoder.version = header.version
        answer(Response(error), header.stream)
    }

    /// The connection is gone.
    ///
    /// - Returns: what is to be released.
    mutating func abandon() -> RequestBudget.Charge? {
        drain()
        phase = .closed
        defer { charge = nil }
        return charge
    }

    /// Whether the peer takes what is sent.
    mutating func setWritable(_ isWritable: Bool) { self.isWritable = isWritable }

    /// Others had their turn.
    mutating func proceed() {
        isYielding = false
        takenCount = 0
    }

    /// Nothing more is to be read: the server stops, or the peer has closed its side.
    mutating func drain() {
        guard phase != .closed else { return }
        phase = .closing
        awaitedHeader = nil
        envelopes = EnvelopeDecoder(largestBodyByteCount: 0)
        frames = frames.map { FrameDecoder($0.format) }
    }

    /// Time went by without a byte in or out: a ready connection closes if it owes no answer and what is silent is the peer.
    /// One that is not ready has `handshakeTimedOut`.
    mutating func idle() {
        if phase == .ready, requestsUnderWay == 0, !isPaused { drain() }
    }

    /// The time for STARTUP and authentication is over. Credentials that wait to be checked are not answered: clients take
    /// an error for the wrong password and give up, but after a connection that ended they try again.
    mutating func handshakeTimedOut() {
        guard phase == .established || phase == .authenticating else { return }
        isAuthenticating = false
        drain()
    }

    /// Whether requests are to be refused where they would wait for room.
    var throwsOnOverload: Bool { startupOptions["THROW_ON_OVERLOAD"] == "1" }

    /// How many bytes have come of a request that was begun.
    var bufferedByteCount: Int { envelopes.bufferedByteCount + (frames?.bufferedByteCount ?? 0) }

    /// The room of a request that has not come whole.
    var incompleteCharge: RequestBudget.Charge? { envelopes.isInMessage ? charge : nil }

    // MARK: Actions

    /// What to do next; `nil` until something happens.
    mutating func next() -> Action? {
        if isOver, let charge {
            self.charge = nil
            return .release(charge)
        }
        while mayGoOn {
            guard takenCount < Self.largestTurn else {
                isYielding = true
                return .yield
            }
            takenCount += 1
            do {
                if let element = try envelopes.next() {
                    if let action = take(element) { return action }
                } else if let payload = try frames?.next() {
                    envelopes.append(payload)
                } else {
                    break
                }
            } catch {
                append(Answer(bytes: EnvelopeEncoder.protocolError(error)))
                drain()
            }
        }
        if !output.isEmpty { return .send(takeOutput()) }
        if phase == .closing, requestsUnderWay == 0, !isAuthenticating {
            phase = .closed
            return .close
        }
        let shouldPause = !isOver && !mayGoOn
        guard shouldPause != isPaused else {
            takenCount = 0
            return nil
        }
        isPaused = shouldPause
        return shouldPause ? .pauseReading : .resumeReading
    }

    private var isOver: Bool { phase == .closing || phase == .closed }

    private var mayGoOn: Bool {
        guard !isOver, !isYielding else { return false }
        // Once a request has room it is taken: room that waits for the peer would be missing to others.
        if envelopes.isInMessage { return true }
        return awaitedHeader == nil && !isAuthenticating && isWritable && requestsUnderWay < limits.requestCount
            && outputByteCount < Self.fullOutputByteCount
    }

    /// The first answer as it is where it is a large one, else the small ones up to the next that is.
    private mutating func takeOutput() -> [UInt8] {
        var count = 0
        var byteCount = 0
        while count < output.count, byteCount + output[count].bytes.count <= Self.fullOutputByteCount {
            byteCount += output[count].bytes.count
            count += 1
        }
        let answers = Array(output.prefix(max(1, count)))
        output.removeFirst(answers.count)
        outputByteCount -= answers.reduce(0) { $0 + $1.bytes.count }
        // A copy of a large one would take as much memory again.
        if answers.count == 1, answers[0].isFramed || frameEncoder == nil { return answers[0].bytes }
        var bytes: [UInt8] = []
        var envelopes: [[UInt8]] = []
        for answer in answers {
            guard answer.isFramed else {
                envelopes.append(answer.bytes)
                continue
            }
            frame(&envelopes, into: &bytes)
            bytes.append(contentsOf: answer.bytes)
        }
        frame(&envelopes, into: &bytes)
        return bytes
    }

    /// Appends the frames of envelopes, in version 4 the envelopes themselves.
    private func frame(_ envelopes: inout [[UInt8]], into bytes: inout [UInt8]) {
        if envelopes.isEmpty { return }
        if let frameEncoder {
            bytes.append(contentsOf: frameEncoder.frames(envelopes))
        } else {
            for envelope in envelopes { bytes.append(contentsOf: envelope) }
        }
        envelopes.removeAll()
    }

    private mutating func answer(_ response: Response, _ stream: Int16) {
        append(Answer(bytes: encoder.envelope(response, stream: stream)))
    }

    private mutating func append(_ answer: Answer) {
        output.append(answer)
        outputByteCount += answer.bytes.count
    }
}

// MARK: - Requests

extension ConnectionState {
    /// Answers what needs no engine; hands out the rest.
    private mutating func take(_ element: EnvelopeDecoder.Element) -> Action? {
        switch element {
        case .header(let header, let byteCount):
            awaitedHeader = header
            return .reserve(byteCount: RequestWork.overheadByteCount + byteCount)
        case .oversized(let header, let byteCount):
            encoder.version = header.version
            let message =
                "Request is too big: length \(byteCount) exceeds maximum allowed length "
                + "\(envelopes.largestBodyByteCount(of: header))."
            answer(Response(CQLError(.invalidRequest, message)), header.stream)
            return nil
        case .envelope(let envelope):
            encoder.version = envelope.header.version
            do { return try take(envelope) } catch {
                answer(Response(error), envelope.header.stream)
                defer { charge = nil }
                return charge.map { .release($0) }
            }
        }
    }

    private mutating func take(_ envelope: Envelope) throws -> Action? {
        let header = envelope.header
        requestCount += 1
        guard header.stream >= 0 else {
            throw CQLError(.protocolError, "Invalid stream \(header.stream): those of requests are not negative")
        }
        if let opcode = Opcode(rawValue: header.opcode), opcode.isOfStatements {
            try checkIsExpected(opcode)
            return perform(envelope)
        }
        let request = try Request(envelope, compression: compression(of: header))
        try checkIsExpected(request.opcode)
        switch request {
        case .startup(let options): try start(options, header)
        case .options: answer(Response(.supported(Self.supportedOptions)), header.stream)
        case .register(let kinds):
            try register(kinds)
            answer(Response(.ready), header.stream)
        case .authResponse(let token):
            isAuthenticating = true
            return .authenticate(token ?? [], stream: header.stream)
        case .query, .prepare, .execute, .batch: break
        }
        return nil
    }

    /// Hands a request out as it came: it may be large, so it is not read here.
    private mutating func perform(_ envelope: Envelope) -> Action {
        requestsUnderWay += 1
        defer { charge = nil }
        return .perform(
            RequestWork(
                envelope: envelope, compression: compression(of: envelope.header), charge: charge, encoder: encoder,
                largestBodyByteCount: limits.answerBodyByteCount, frameEncoder: frameEncoder))
    }

    private func compression(of header: EnvelopeHeader) -> BodyCompression {
        BodyCompression(
            isAgreed: envelopes.decompressesBodies, largestByteCount: envelopes.largestBodyByteCount(of: header))
    }

    /// The texts are Cassandra's ([CA] transport/ServerConnection.java, `validateNewMessage`).
    private func checkIsExpected(_ opcode: Opcode) throws {
        let name = opcode.name
        switch phase {
        case .established:
            guard opcode != .startup, opcode != .options else { return }
            throw CQLError(.protocolError, "Unexpected message \(name), expecting STARTUP or OPTIONS")
        case .authenticating:
            guard opcode != .authResponse else { return }
            throw CQLError(.protocolError, "Unexpected message \(name), expecting SASL_RESPONSE")
        default:
            guard opcode == .startup || opcode == .authResponse else { return }
            throw CQLError(
                .protocolError, "Unexpected message \(name), the connection is already initialized")
        }
    }

    // MARK: STARTUP

    static let supportedOptions: [(key: String, values: [String])] = [
        ("PROTOCOL_VERSIONS", ProtocolVersion.allCases.map(\.name)),
        ("COMPRESSION", ["lz4"]),
        ("CQL_VERSION", ["3.4.7"]),
    ]

    private mutating func start(_ options: [String: String], _ header: EnvelopeHeader) throws {
        let options = Dictionary(options.map { ($0.key.uppercased(), $0.value) }) { $1 }
        try Self.checkCQLVersion(options["CQL_VERSION"])
        let compresses: Bool
        switch options["COMPRESSION"]?.lowercased() {
        case nil: compresses = false
        case "lz4": compresses = true
        case let name?: throw CQLError(.protocolError, "Unknown compression algorithm: \(name)")
        }
        startupOptions = options
        phase = requiresAuthentication ? .authenticating : .ready
        let className = "org.apache.cassandra.auth.PasswordAuthenticator"
        // The answer to STARTUP is never compressed, and in version 5 the last one without a frame.
        answer(Response(requiresAuthentication ? .authenticate(className: className) : .ready), header.stream)
        envelopes.version = header.version
        switch header.version {
        case .v4:
            envelopes.decompressesBodies = compresses
            encoder.compressesBodies = compresses
        case .v5: switchToFrames(compresses ? .compressed : .plain)
        }
    }

    /// [CA] transport/messages/StartupMessage.java.
    private static func checkCQLVersion(_ version: String?) throws {
        guard let version else {
            throw CQLError(.protocolError, "Missing value CQL_VERSION in STARTUP message")
        }
        // Two numbers; of what may follow only the beginning is looked at.
        let parts = version.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let digits = parts.map { $0.prefix { $0.isASCII && $0.isNumber } }
        guard parts.count == 2, digits[0] == parts[0], let major = Int(digits[0]), let minor = Int(digits[1]),
            parts[1].dropFirst(digits[1].count).first.map({ ".+-".contains($0) }) ?? true
        else { throw CQLError(.protocolError, "Invalid version value: \(version)") }
        guard (major, minor) >= (2, 99) else {
            throw CQLError(
                .protocolError,
                "CQL version \(version) is not supported by the binary protocol (supported version are >= 3.0.0)")
        }
    }

    private mutating func switchToFrames(_ format: FrameFormat) {
        var decoder = FrameDecoder(format)
        decoder.append(envelopes.takeRest())
        frames = decoder
        // What waits to be sent was made before there were frames, and goes out without.
        for index in output.indices { output[index].isFramed = true }
        frameEncoder = FrameEncoder(format)
    }

    // MARK: REGISTER

    private mutating func register(_ kinds: [String]) throws {
        let names = kinds.map { $0.uppercased() }
        // All are known before any counts ([CA] transport/CBUtil.java, `readEnumValue`, whose text names a class of Java).
        for (kind, name) in zip(kinds, names) where !Self.eventNames.contains(name) {
            throw CQLError(
                .protocolError, "Invalid value '\(kind)' for org.apache.cassandra.transport.Event$Type")
        }
        if names.contains("SCHEMA_CHANGE") { observesSchema = true }
    }

    /// The first two never happen: the server is alone.
    private static let eventNames = ["TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"]
}
