import StorageTypes
import Testing

@testable import CQLServer
@testable import WideColumnEngine

@Suite("Nothing traps on any bytes")
struct FuzzTests {
    private static let samples: [[UInt8]] = {
        let values = RequestBytes().longString("INSERT INTO ks.t (a, v) VALUES (?, ?)").short(1)
        let batch = RequestBytes().byte(0).short(1).byte(0).longString("INSERT INTO ks.t (a) VALUES (?)").short(1)
            .value([0, 0, 0, 1]).short(1).byte(0x30).short(9).long(5)
        return [
            RequestBytes.startup(), RequestBytes.startup(compression: "lz4"), RequestBytes().envelope(5),
            RequestBytes.query("SELECT * FROM ks.t WHERE a = 1"), RequestBytes.query("USE ks", flags: 2),
            values.byte(0x01).short(2).value([0, 0, 0, 1]).value(nil).envelope(7),
            values.byte(0x41).short(2).string("a").value([0, 0, 0, 1]).string("v").int(-2).envelope(7),
            RequestBytes().longString("SELECT * FROM ks.t").short(1).byte(0x0C).int(2).value([1, 2, 3]).envelope(7),
            RequestBytes().longString("SELECT * FROM ks.t WHERE a = ?").envelope(9),
            RequestBytes().shortBytes([1, 2, 3]).short(1).byte(0).envelope(0x0A), batch.envelope(0x0D),
            RequestBytes().short(1).string("SCHEMA_CHANGE").envelope(0x0B), RequestBytes.plain("ann", "x"),
        ]
    }()

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

    /// Every request is answered once, and what is sent is whole envelopes.
    private func run(_ messages: [[UInt8]], _ driver: inout StateDriver, isFramed: Bool, _ note: Comment) {
        for message in messages {
            driver.receive(message)
            driver.answerAll()
        }
        let envelopes = isFramed ? ClientFrames.payloads(driver.sent).payload : driver.sent
        let responses = ResponseBytes.all(envelopes)
        let byteCount = responses.reduce(0) { $0 + 9 + $1.body.count }
        // An answer to versions 1 and 2 has a shorter header, and is the last one.
        #expect(byteCount == envelopes.count || driver.isClosed, note)
    }

    @Test("changed messages end in answers, in version 4", arguments: [1, 2, 3])
    func version4(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for round in 0..<400 {
            var limits = ConnectionLimits()
            limits.requestBodyByteCount = 1 << 20
            limits.answerBodyByteCount = 1 << 20
            var driver = try Self.driver(limits)
            let isCompressed = Bool.random(using: &random)
            driver.receive(RequestBytes.startup(compression: isCompressed ? "lz4" : nil))
            let messages = (0..<6).map { _ in mutated(Self.samples.randomElement(using: &random) ?? [], &random) }
            run(messages, &driver, isFramed: false, "seed \(seed), round \(round)")
        }
    }

    @Test("changed messages in sound frames, and changed frames, end in answers", arguments: [4, 5])
    func version5(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for round in 0..<400 {
            var driver = try Self.driver(ConnectionLimits())
            driver.receive(RequestBytes.startup(version: 5))
            driver.sent = []
            let messages = (0..<6).map { _ -> [UInt8] in
                var message = Self.samples.randomElement(using: &random) ?? []
                message[0] = 5
                let frame = ClientFrames.plain(mutated(message, &random))
                return Int.random(in: 0..<10, using: &random) == 0 ? mutated(frame, &random) : frame
            }
            run(messages, &driver, isFramed: true, "seed \(seed), round \(round)")
        }
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
            run(messages, &driver, isFramed: false, "seed \(seed), round \(round)")
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
}
