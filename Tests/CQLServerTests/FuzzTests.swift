import StorageTypes
import Testing

@testable import CQLServer
@testable import WideColumnEngine

@Suite("Nothing traps on any bytes")
struct FuzzTests {
    /// Sound messages of a version.
    ///
    /// - Parameter ids: of a SELECT and an INSERT that are prepared, each with one marker.
    private static func samples(_ version: UInt8, prepared ids: (select: [UInt8], insert: [UInt8])) -> [[UInt8]] {
        func flags(_ bytes: RequestBytes, _ flags: Int) -> RequestBytes {
            version == 4 ? bytes.byte(UInt8(flags)) : bytes.int(flags)
        }
        func execute(_ id: [UInt8], _ value: [UInt8]?) -> [UInt8] {
            let start = RequestBytes().shortBytes(id)
            let known = version == 4 ? start : start.shortBytes([1, 2])
            return flags(known.short(1), 0x03).short(1).value(value).envelope(0x0A, version: version)
        }
        let values = RequestBytes().longString("INSERT INTO ks.t (a, v) VALUES (?, ?)").short(1)
        let prepare = RequestBytes().longString("SELECT * FROM ks.t WHERE a = ?")
        let inBatch = RequestBytes().byte(0).short(2).byte(0).longString("INSERT INTO ks.t (a) VALUES (?)").short(1)
            .value([0, 0, 0, 1]).byte(1).shortBytes(ids.insert).short(1).value([0, 0, 0, 1])
        let paged = flags(RequestBytes().longString("SELECT * FROM ks.t").short(1), 0x0C)
        let bodies: [(UInt8, RequestBytes)] = [
            (7, flags(values, 0x01).short(2).value([0, 0, 0, 1]).value(nil)),
            (7, flags(values, 0x41).short(2).string("a").value([0, 0, 0, 1]).string("v").int(-2)),
            (7, paged.int(2).value([1, 2, 3])), (9, version == 4 ? prepare : prepare.int(0)),
            (0x0D, flags(inBatch.short(1), 0x30).short(9).long(5)), (5, RequestBytes()),
            (0x0B, RequestBytes().short(1).string("SCHEMA_CHANGE")),
        ]
        return bodies.map { $1.envelope($0, version: version) } + [
            execute([1, 2, 3], nil), execute(ids.select, [0, 0, 0, 1]), execute(ids.select, [0, 0]),
            execute(ids.insert, [0, 0, 0, 1]),
            RequestBytes.startup(version: version), RequestBytes.startup(version: version, compression: "lz4"),
            RequestBytes.query("SELECT * FROM ks.t WHERE a = 1", version: version),
            RequestBytes.query("USE ks", version: version, flags: 2), RequestBytes.plain("ann", "x", version: version),
        ]
    }

    private func mutated(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: index)
            case 3: bytes.remove(at: index)
            default: bytes[index] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            }
        }
        return bytes
    }

    /// How a connection's messages are wrapped.
    enum Wrapping: CaseIterable {
        case none, plain, compressed

        func wrap(_ message: [UInt8], _ random: inout SeededRandom) throws -> [UInt8] {
            switch self {
            case .none: message
            case .plain: ClientFrames.plain(message)
            case .compressed:
                Bool.random(using: &random) ? ClientFrames.stored(message) : try ClientFrames.compressed(message)
            }
        }

        func unwrap(_ bytes: [UInt8]) throws -> [UInt8] {
            switch self {
            case .none: bytes
            case .plain: ClientFrames.payloads(bytes).payload
            case .compressed: try ClientFrames.compressedPayloads(bytes)
            }
        }
    }

    /// Every request is answered once, what is sent is whole envelopes, and no room is kept.
    private func run(
        _ messages: [[UInt8]], _ driver: inout StateDriver, _ wrapping: Wrapping, _ note: Comment
    ) throws {
        driver.sent = []
        let earlierCount = driver.state.requestCount
        for message in messages {
            driver.receive(message)
            driver.answerAll()
        }
        let envelopes = try wrapping.unwrap(driver.sent)
        let responses = ResponseBytes.all(envelopes)
        let byteCount = responses.reduce(0) { $0 + ($1.version & 0x7F < 3 ? 8 : 9) + $1.body.count }
        #expect(byteCount == envelopes.count, note)
        let unanswered = responses.reduce(into: driver.startedStreams) { streams, response in
            if let index = streams.firstIndex(of: response.stream) { streams.remove(at: index) }
        }
        #expect(unanswered.isEmpty, note)
        // What is too large is answered and no request yet; a violation is answered, and closes.
        let largest = responses.count { $0.errorMessage.hasPrefix("Request is too big") } + (driver.isClosed ? 1 : 0)
        let surplus = responses.count - Int(driver.state.requestCount - earlierCount)
        #expect((0...largest).contains(surplus), note)
        driver.state.drain()
        driver.act()
        #expect(driver.holdsNothing() && driver.isClosed, note)
    }

    @Test("changed messages end in answers, in version 4", arguments: [1, 2, 3])
    func version4(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for round in 0..<400 {
            var limits = ConnectionLimits()
            limits.requestBodyByteCount = 1 << 20
            limits.answerBodyByteCount = 1 << 20
            var driver = try Self.driver(limits)
            let samples = Self.samples(4, prepared: Self.prepare(driver))
            let isCompressed = Bool.random(using: &random)
            driver.receive(RequestBytes.startup(compression: isCompressed ? "lz4" : nil))
            let messages = (0..<6).map { _ in mutated(samples.randomElement(using: &random) ?? [], &random) }
            try run(messages, &driver, .none, "seed \(seed), round \(round)")
        }
    }

    @Test("changed messages in sound frames of both forms, and changed frames, end in answers", arguments: [4, 5])
    func version5(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for round in 0..<400 {
            var driver = try Self.driver(ConnectionLimits())
            // Nothing is free in it.
            if round % 2 == 0 { driver.setBudget(RequestBudget(largestByteCount: 1 << 30, connectionCount: 1 << 30)) }
            let samples = Self.samples(5, prepared: Self.prepare(driver))
            let wrapping = Bool.random(using: &random) ? Wrapping.plain : .compressed
            driver.receive(RequestBytes.startup(version: 5, compression: wrapping == .plain ? nil : "lz4"))
            let messages = try (0..<6).map { _ -> [UInt8] in
                let message = mutated(samples.randomElement(using: &random) ?? [], &random)
                let frame = try wrapping.wrap(message, &random)
                return Int.random(in: 0..<10, using: &random) == 0 ? mutated(frame, &random) : frame
            }
            try run(messages, &driver, wrapping, "seed \(seed), round \(round)")
        }
    }

    @Test("the samples are sound: each is answered with what it asks for", arguments: Wrapping.allCases)
    func soundSamples(_ wrapping: Wrapping) throws {
        var random = SeededRandom(seed: 1)
        var driver = try Self.driver(ConnectionLimits())
        let version: UInt8 = wrapping == .none ? 4 : 5
        let samples = Self.samples(version, prepared: Self.prepare(driver))
        driver.receive(RequestBytes.startup(version: version, compression: wrapping == .compressed ? "lz4" : nil))
        driver.sent = []
        for sample in samples { driver.receive(try wrapping.wrap(sample, &random)) }
        driver.answerAll()
        let responses = ResponseBytes.all(try wrapping.unwrap(driver.sent))
        let codes = responses.compactMap(\.errorCode)
        // A second STARTUP twice and a password that nobody asked for, a paging state, an id and a value that are none.
        #expect(codes.sorted() == [0x0A, 0x0A, 0x0A, 0x0A, 0x2200, 0x2500] && responses.count == samples.count)
    }

    @Test("noise ends in an error or in waiting", arguments: [6, 7])
    func noise(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for round in 0..<400 {
            var driver = try Self.driver(ConnectionLimits())
            var messages = (0..<4).map { _ in
                (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random)
                }
            }
            if round % 2 == 0 { messages[0] = [4, 0, 0, 1] + messages[0] }
            try run(messages, &driver, .none, "seed \(seed), round \(round)")
        }
    }

    @Test("bodies of noise for every opcode are read or refused, in both versions")
    func bodies() {
        let seed: UInt64 = 8
        var random = SeededRandom(seed: seed)
        for _ in 0..<20_000 {
            let body = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                // Small numbers are lengths that fit.
                Bool.random(using: &random)
                    ? UInt8.random(in: 0...3, using: &random) : .random(in: .min ... .max, using: &random)
            }
            for version in ProtocolVersion.allCases {
                var reader = WireReader(body)
                do { _ = try Request(UInt8.random(in: 0...0x12, using: &random), &reader, version) } catch {
                    #expect(error is CQLError, "seed \(seed): \(error)")
                }
            }
        }
    }

    private static func driver(_ limits: ConnectionLimits) throws -> StateDriver {
        let driver = try StateDriver(limits: limits)
        try driver.store.execute(
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try driver.store.execute("CREATE TABLE ks.t (a int PRIMARY KEY, v text)")
        return driver
    }

    /// Prepares statements, whose ids a client knows.
    private static func prepare(_ driver: StateDriver) -> (select: [UInt8], insert: [UInt8]) {
        func id(_ text: String) -> [UInt8] {
            let response = driver.executor.respond(to: .init(request: .prepare(text, keyspace: nil)))
            if case .prepared(let message) = response.message { return message.id }
            return []
        }
        return (id("SELECT * FROM ks.t WHERE a = ?"), id("INSERT INTO ks.t (a) VALUES (?)"))
    }
}
