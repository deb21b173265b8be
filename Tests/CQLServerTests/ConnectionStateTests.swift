import StorageTypes
import Testing

@testable import CQLServer
@testable import WideColumnEngine

@Suite("The state of a connection")
struct ConnectionStateTests {
    @Test("OPTIONS is answered before STARTUP, STARTUP with READY, a query with its result")
    func begins() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes().envelope(5, stream: 3) + RequestBytes.startup(stream: 4))
        let first = driver.responses()
        #expect(first.map(\.opcode) == [6, 2])
        #expect(first.map(\.stream) == [3, 4])
        #expect(first.map(\.version) == [0x84, 0x84])
        #expect(driver.query("SELECT key FROM system.local")?.resultKind == 2)
    }

    @Test("messages that are not expected are refused with Cassandra's texts, and the connection goes on")
    func order() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.query("SELECT"))
        #expect(
            driver.responses().first?.errorMessage == "Unexpected message QUERY, expecting STARTUP or OPTIONS")
        driver.receive(RequestBytes.startup())
        driver.receive(RequestBytes.startup())
        let responses = driver.responses()
        #expect(responses.map(\.opcode) == [2, 0])
        #expect(responses.last?.errorCode == 0x000A)
        #expect(
            responses.last?.errorMessage == "Unexpected message STARTUP, the connection is already initialized")
        driver.receive(RequestBytes().envelope(0x44))
        #expect(driver.responses().first?.errorMessage == "Unknown opcode 68")
        driver.receive(RequestBytes.query("SELECT", stream: -2))
        #expect(driver.responses().first?.errorCode == 0x000A)
        driver.receive(RequestBytes().envelope(5))
        #expect(driver.responses().map(\.opcode) == [6])
        #expect(!driver.isClosed)
    }

    @Test("STARTUP needs a version of CQL, and a compression that is known")
    func startup() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes().map([]).envelope(1))
        driver.receive(RequestBytes.startup(compression: "snappy"))
        driver.receive(RequestBytes.startup(compression: ""))
        #expect(
            driver.responses().map(\.errorMessage) == [
                "Missing value CQL_VERSION in STARTUP message", "Unknown compression algorithm: snappy",
                "Unknown compression algorithm: ",
            ])
        for (version, message) in [
            ("x", "Invalid version value: x"), ("3", "Invalid version value: 3"),
            ("3.x", "Invalid version value: 3.x"), ("+3.0", "Invalid version value: +3.0"),
            ("3.0x", "Invalid version value: 3.0x"),
            ("1.0.0", "CQL version 1.0.0 is not supported by the binary protocol (supported version are >= 3.0.0)"),
            ("2.98.9", "CQL version 2.98.9 is not supported by the binary protocol (supported version are >= 3.0.0)"),
        ] {
            driver.receive(RequestBytes().map([("CQL_VERSION", version)]).envelope(1))
            let response = driver.responses().first
            #expect(response?.errorCode == 0x000A && response?.errorMessage == message)
        }
        driver.receive(RequestBytes.startup(compression: "LZ4"))
        #expect(driver.responses().map(\.opcode) == [2])
        for version in ["3.4.7", "3.0", "4.0.0-beta", "3.4.7-SNAPSHOT+1"] {
            driver = try StateDriver()
            driver.receive(RequestBytes().map([("CQL_VERSION", version)]).envelope(1))
            #expect(driver.responses().map(\.opcode) == [2])
        }
    }

    @Test("a request for the engine is handed out as it came, and read where it is carried out")
    func unread() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup() + RequestBytes().int(1_000_000).envelope(7, stream: 3))
        _ = driver.responses()
        #expect(driver.waiting.map(\.envelope.body) == [[0, 0x0F, 0x42, 0x40]])
        driver.answerAll()
        let response = driver.responses().first
        #expect(response?.errorCode == 0x000A && response?.stream == 3)
    }

    @Test("answers go out in the order in which they come, each with its stream")
    func streams() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup())
        for stream in 1...3 { driver.receive(RequestBytes.query("SELECT key FROM system.local", stream: stream)) }
        driver.answer(2)
        driver.answer(0)
        driver.answer(0)
        #expect(driver.responses().map(\.stream) == [0, 3, 1, 2])
    }

    @Test("a connection with as many requests as it may have is not read until one is answered")
    func backPressure() throws {
        var limits = ConnectionLimits()
        limits.requestCount = 2
        var driver = try StateDriver(limits: limits)
        driver.receive(RequestBytes.startup())
        driver.receive((1...5).flatMap { RequestBytes.query("SELECT key FROM system.local", stream: $0) })
        #expect(driver.waiting.count == 2)
        #expect(!driver.isReading)
        driver.answer()
        #expect(driver.waiting.map(\.envelope.header.stream) == [2, 3])
        driver.answerAll()
        #expect(driver.isReading)
        #expect(driver.responses().map(\.stream) == [0, 1, 2, 3, 4, 5])
    }

    @Test("no request begins while there is no room for all of it or the peer does not read")
    func held() throws {
        var driver = try StateDriver()
        driver.setBudget(RequestBudget(largestByteCount: 1000, connectionCount: 1 << 20))
        let other = driver.budget.add(address: "10.0.0.1")
        let reserved = driver.budget.reserve(900, for: other)
        let charge = try #require(reserved)
        driver.receive(RequestBytes.startup() + RequestBytes().envelope(5, stream: 7))
        #expect(driver.responses().map(\.stream) == [0, 7])
        let query = RequestBytes.query("SELECT", stream: 1)
        driver.receive(query + query)
        #expect(driver.waiting.isEmpty && !driver.isReading)
        driver.release(charge)
        #expect(driver.waiting.count == 1 && !driver.isReading)
        driver.answerAll()
        #expect(driver.isReading && driver.budget.byteCount == 0)
        driver.state.setWritable(false)
        driver.act()
        driver.receive(query)
        #expect(driver.waiting.isEmpty && !driver.isReading && driver.budget.byteCount == 0)
        driver.state.setWritable(true)
        driver.act()
        #expect(driver.waiting.count == 1 && driver.isReading)
    }

    @Test("a request that was begun is taken whole, whatever the peer reads, and its room is given back once")
    func begunRequests() throws {
        var limits = ConnectionLimits()
        limits.requestCount = 1
        var driver = try StateDriver(limits: limits)
        driver.receive(RequestBytes.startup())
        let query = RequestBytes.query("SELECT key FROM system.local" + String(repeating: " ", count: 100_000))
        driver.receive(Array(query.prefix(70_000)))
        driver.state.setWritable(false)
        driver.act()
        #expect(driver.isReading && driver.state.bufferedByteCount == 70_000 - 9)
        driver.receive(Array(query.dropFirst(70_000)) + query.prefix(10))
        #expect(driver.waiting.count == 1 && !driver.isReading)
        let charge = try #require(driver.waiting.first?.charge)
        #expect(charge.byteCount == query.count + RequestWork.overheadByteCount)
        driver.state.setWritable(true)
        driver.answerAll()
        #expect(driver.isReading && driver.state.bufferedByteCount == 1)
        // The connection ends within the second one.
        driver.state.drain()
        driver.act()
        #expect(driver.isClosed && driver.state.bufferedByteCount == 0)
        #expect(driver.state.abandon() == nil)
    }

    @Test("who asks for it is told of an overload at once, and goes on")
    func overload() throws {
        var driver = try StateDriver()
        driver.setBudget(RequestBudget(largestByteCount: 4000, connectionCount: 1 << 20))
        let other = driver.budget.add(address: "10.0.0.1")
        let reserved = driver.budget.reserve(3800, for: other)
        let charge = try #require(reserved)
        let options = RequestBytes().map([("CQL_VERSION", "3.0.0"), ("THROW_ON_OVERLOAD", "1")])
        driver.receive(options.envelope(1) + RequestBytes.query("SELECT key FROM system.local"))
        let responses = driver.responses()
        #expect(responses.map(\.errorCode) == [nil, 0x1001])
        #expect(
            responses.last?.errorMessage
                == "Request breached limit(s) on bytes in flight (Endpoint: 0/1000 bytes, Global: 3800/4000 bytes.)")
        #expect(driver.isReading && driver.budget.waitingCount == 0)
        driver.release(charge)
        #expect(driver.query("SELECT key FROM system.local")?.resultKind == 2)
    }

    @Test("what needs no engine is answered in turns, and no further than the peer takes it", arguments: [4, 5])
    func turns(_ version: UInt8) throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup(version: version))
        let options = RequestBytes().envelope(5, version: version)
        let many = Array(repeating: options, count: 5000).flatMap(\.self)
        let bytes = version == 4 ? many : ClientFrames.plain(many)
        _ = driver.responses()
        driver.receive(version == 4 ? options : ClientFrames.plain(options))
        let answer = driver.sent.count
        driver.sent = []
        driver.proceedsAtOnce = false
        driver.receive(bytes)
        #expect(driver.isYielding && !driver.isReading)
        #expect(driver.sent.count > 10_000 && driver.sent.count <= ConnectionState.largestTurn * answer)
        driver.room = 200_000
        driver.proceedsAtOnce = true
        driver.state.proceed()
        driver.act()
        #expect(!driver.isReading && driver.waiting.isEmpty)
        #expect(driver.sent.count < 200_000 + 2 * ConnectionState.fullOutputByteCount)
        driver.room = nil
        driver.state.setWritable(true)
        driver.act()
        #expect(driver.isReading)
        let responses = version == 4 ? driver.responses() : driver.framedResponses()
        #expect(responses.count == 5000)
    }

    @Test("after a violation the answers under way go out, then the connection closes")
    func violation() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup())
        driver.receive(RequestBytes.query("SELECT key FROM system.local", stream: 5) + [9, 0, 0, 6, 7, 0, 0, 0, 0])
        #expect(driver.responses().map(\.opcode) == [2, 0])
        #expect(!driver.isClosed)
        driver.receive(RequestBytes.query("SELECT", stream: 7))
        #expect(driver.waiting.count == 1)
        driver.answer()
        #expect(driver.responses().map(\.stream) == [5])
        #expect(driver.isClosed)
        #expect(driver.state.phase == .closed)
    }

    @Test("a drained connection answers what it has, takes nothing more, and closes")
    func drain() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup() + RequestBytes.query("SELECT key FROM system.local"))
        driver.state.drain()
        driver.receive(RequestBytes.query("SELECT", stream: 8))
        #expect(!driver.isClosed && driver.waiting.count == 1)
        driver.answer()
        #expect(driver.isClosed)
        #expect(driver.responses().map(\.opcode) == [2, 8])
    }

    @Test("what arrived is not kept once nothing more is read", arguments: [4, 5])
    func unreadBytes(_ version: UInt8) throws {
        var limits = ConnectionLimits()
        limits.requestCount = 1
        let query = RequestBytes.query("SELECT key FROM system.local", version: version)
        let many = Array(repeating: query, count: 1000).flatMap(\.self)
        for ending in 0..<3 {
            var driver = try StateDriver(limits: limits)
            driver.receive(RequestBytes.startup(version: version))
            driver.receive(version == 4 ? many : ClientFrames.plain(many))
            #expect(driver.waiting.count == 1 && driver.state.bufferedByteCount > 10_000)
            switch ending {
            case 0: driver.state.drain()
            case 1: _ = driver.state.abandon()
            default:
                // A version that is not spoken, where the next message should begin.
                driver = try StateDriver()
                driver.receive(RequestBytes.startup() + [9, 0, 0, 6, 7, 0, 0, 0, 0] + many)
            }
            driver.act()
            #expect(driver.state.bufferedByteCount == 0)
        }
    }

    @Test("silence and a handshake that takes too long close a connection that owes nothing")
    func idle() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup() + RequestBytes.query("SELECT key FROM system.local"))
        driver.state.handshakeTimedOut()
        driver.state.idle()
        driver.act()
        #expect(!driver.isClosed)
        driver.answer()
        driver.state.idle()
        driver.act()
        #expect(driver.isClosed)
        // Here it is the server that does not read.
        var paused = try StateDriver()
        paused.receive(RequestBytes.startup())
        paused.state.setWritable(false)
        paused.act()
        paused.state.idle()
        paused.act()
        #expect(!paused.isReading && !paused.isClosed)
        // One that is not ready has time until the handshake has to be over.
        var late = try StateDriver()
        late.state.idle()
        late.act()
        #expect(!late.isClosed)
        late.state.handshakeTimedOut()
        late.act()
        #expect(late.isClosed)
    }

    @Test("where users are configured nothing is done before the right password")
    func authentication() throws {
        let users = CQLUsers(["ann": PasswordHash(password: "secret", iterationCount: 2)])
        var driver = try StateDriver(users: users)
        driver.receive(RequestBytes.startup())
        #expect(driver.responses().first?.string(0) == "org.apache.cassandra.auth.PasswordAuthenticator")
        driver.receive(RequestBytes.query("SELECT"))
        #expect(driver.responses().first?.errorMessage == "Unexpected message QUERY, expecting SASL_RESPONSE")
        driver.receive(RequestBytes().envelope(5))
        #expect(driver.responses().first?.errorMessage == "Unexpected message OPTIONS, expecting SASL_RESPONSE")
        for (name, password) in [("ann", "Secret"), ("bob", "secret")] {
            driver.receive(RequestBytes.plain(name, password))
            let response = driver.responses().first
            #expect(response?.errorCode == 0x0100)
            #expect(response?.errorMessage == "Provided username \(name) and/or password are incorrect")
        }
        driver.receive(RequestBytes.plain("ann", "secret"))
        #expect(driver.responses().map(\.opcode) == [0x10])
        #expect(driver.query("SELECT key FROM system.local")?.resultKind == 2)
    }

    @Test("credentials that wait to be checked when the time is over are not answered, and the connection closes")
    func lateCredentials() throws {
        var driver = try StateDriver(users: CQLUsers(["ann": PasswordHash(password: "x", iterationCount: 1)]))
        driver.checksPasswords = false
        driver.receive(RequestBytes.startup() + RequestBytes.plain("ann", "x"))
        #expect(driver.responses().map(\.opcode) == [3] && !driver.isReading)
        driver.state.idle()
        driver.act()
        #expect(!driver.isClosed)
        driver.state.handshakeTimedOut()
        driver.act()
        #expect(driver.isClosed && driver.sent.isEmpty)
        driver.state.finishAuthentication(nil, stream: 1)
        driver.act()
        #expect(driver.sent.isEmpty && driver.state.phase == .closed)
    }

    @Test("a connection has three guesses")
    func guesses() throws {
        let users = CQLUsers(["ann": PasswordHash(password: "secret", iterationCount: 2)])
        var driver = try StateDriver(users: users)
        driver.receive(RequestBytes.startup())
        for response in [RequestBytes.plain("ann", ""), RequestBytes().value([1, 2]).envelope(0x0F)] {
            driver.receive(response)
            #expect(driver.responses().last?.errorCode == 0x0100 && !driver.isClosed)
        }
        driver.receive(RequestBytes.plain("ann", "Secret") + RequestBytes.plain("ann", "secret"))
        #expect(driver.responses().map(\.errorCode) == [0x0100])
        #expect(driver.isClosed)
    }

    @Test("who registered is told of changes of the schema; every kind of event may be registered, and no other")
    func events() throws {
        var driver = try StateDriver()
        let change = SchemaChange(kind: .created, target: .keyspace, keyspace: "ks")
        driver.receive(RequestBytes.startup())
        driver.receive(RequestBytes().short(2).string("SCHEMA_CHANGE").string("RAIN").envelope(0x0B))
        #expect(driver.responses().map(\.opcode) == [2, 0])
        #expect(driver.state.schemaChanged(change) == 0)
        driver.act()
        let kinds = ["TOPOLOGY_CHANGE", "status_change", "Schema_Change"]
        driver.receive(kinds.reduce(RequestBytes().short(3)) { $0.string($1) }.envelope(0x0B))
        let byteCount = driver.state.schemaChanged(change)
        driver.receive(RequestBytes().short(1).string("Rain").envelope(0x0B))
        let responses = driver.responses()
        #expect(responses.map(\.opcode) == [2, 0x0C, 0])
        #expect(responses[1].stream == -1 && responses[1].body.count + 9 == byteCount)
        #expect(responses[1].string(0) == "SCHEMA_CHANGE")
        #expect(responses[2].errorMessage == "Invalid value 'Rain' for org.apache.cassandra.transport.Event$Type")
    }

    @Test("version 5 answers STARTUP without a frame and all else in frames")
    func frames() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup(version: 5))
        #expect(driver.responses().map(\.opcode) == [2])
        driver.receive(ClientFrames.plain(RequestBytes.query("SELECT key FROM system.local", version: 5)))
        driver.answer()
        let responses = driver.framedResponses()
        #expect(responses.map(\.resultKind) == [2])
        #expect(responses.map(\.version) == [0x85])
    }

    @Test("version 5 takes and sends compressed frames once that is agreed, stored ones too")
    func compressedFrames() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup(version: 5, compression: "lz4"))
        let ready = driver.responses()
        #expect(ready.map(\.opcode) == [2] && ready.map(\.flags) == [0])
        let small = RequestBytes.query("SELECT key FROM system.local", version: 5, stream: 1)
        let large = RequestBytes.query(
            "SELECT * FROM system_schema.columns" + String(repeating: " ", count: 5000), version: 5, stream: 2)
        driver.receive(ClientFrames.stored(small))
        driver.receive(try ClientFrames.compressed(large + small))
        #expect(driver.waiting.count == 3)
        driver.answerAll()
        let byteCount = driver.sent.count
        let responses = try driver.compressedResponses()
        #expect(responses.map(\.stream) == [1, 2, 1] && responses.map(\.resultKind) == [2, 2, 2])
        // The frames are compressed, and not the bodies in them.
        #expect(responses.allSatisfy { $0.flags == 0 } && responses[1].body.count > 2 * byteCount)
        driver.receive(ClientFrames.plain(small))
        #expect(try driver.compressedResponses().map(\.errorCode) == [0x000A])
        #expect(driver.isClosed)
    }

    @Test("a large answer has frames of its own, made where it was made, and keeps its place among the others")
    func largeAnswers() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup(version: 5))
        _ = driver.responses()
        let texts = ["SELECT key FROM system.local", "SELECT * FROM system_schema.columns"]
        for stream in 1...6 {
            driver.receive(ClientFrames.plain(RequestBytes.query(texts[stream / 2 % 2], version: 5, stream: stream)))
        }
        let answers = driver.waiting.map { $0.answer(by: driver.executor) }
        #expect(answers.map(\.isFramed) == [false, true, true, false, false, true])
        // All of them before the connection gets round to sending.
        for answer in answers { driver.state.finish(answer) }
        driver.waiting = []
        driver.act()
        let responses = driver.framedResponses()
        #expect(responses.map(\.stream) == [1, 2, 3, 4, 5, 6])
        #expect(responses.allSatisfy { $0.resultKind == 2 })
    }

    @Test("answers that are ready together go out together while they are small, a large one alone")
    func sends() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup())
        driver.receive((1...8).flatMap { RequestBytes.query("SELECT", stream: $0) })
        driver.sizesOfSends = []
        for byteCount in [10, 20, 100_000, 70_000, 30, 40_000, 40_000, 50] {
            driver.state.finish(Answer(bytes: [UInt8](repeating: 0, count: byteCount)))
        }
        driver.waiting = []
        driver.act()
        #expect(driver.sizesOfSends == [30, 100_000, 70_000, 40_030, 40_050])
    }

    @Test("before a connection is ready its messages are small")
    func handshakeLimit() throws {
        var driver = try StateDriver()
        let large = RequestBytes.query(String(repeating: " ", count: 70_000) + "SELECT key FROM system.local")
        driver.receive(large)
        #expect(
            driver.responses().first?.errorMessage
                == "Request is too big: length 70035 exceeds maximum allowed length 65536.")
        driver.receive(RequestBytes.startup() + large)
        driver.answerAll()
        #expect(driver.responses().map(\.opcode) == [2, 8])
    }

    @Test("an envelope of version 5 may come in several frames")
    func parts() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup(version: 5))
        _ = driver.responses()
        let request = RequestBytes.query("SELECT key FROM system.local", version: 5)
        for byte in request { driver.receive(ClientFrames.plain([byte], isSelfContained: false)) }
        driver.answer()
        #expect(driver.framedResponses().map(\.resultKind) == [2])
        driver.receive(ClientFrames.plain(request + request))
        #expect(driver.waiting.count == 2)
    }

    @Test("a damaged frame ends the connection with an error")
    func damage() throws {
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup(version: 5))
        _ = driver.responses()
        var frame = ClientFrames.plain(RequestBytes().envelope(5, version: 5))
        frame[8] ^= 1
        driver.receive(frame)
        let responses = driver.framedResponses()
        #expect(responses.map(\.errorCode) == [0x000A])
        #expect(driver.isClosed)
    }

    @Test("version 4 compresses bodies both ways once that is agreed, and takes uncompressed ones too")
    func compression() throws {
        let text = "SELECT key FROM system.local WHERE key = 'local' " + String(repeating: " ", count: 600)
        let body = RequestBytes().longString(text).short(1).byte(0)
        let block = try #require(LZ4Block.compressed(body.bytes))
        let compressed = RequestBytes(bytes: RequestBytes().int(body.bytes.count).bytes + block).envelope(7, flags: 1)
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup())
        driver.receive(compressed)
        driver.answerAll()
        #expect(driver.responses().last?.errorCode == 0x000A)

        driver = try StateDriver()
        driver.receive(RequestBytes.startup(compression: "lz4") + compressed + body.envelope(7))
        driver.answerAll()
        #expect(driver.responses().map(\.opcode) == [2, 8, 8])
        driver.receive(RequestBytes.query("SELECT * FROM system_schema.columns"))
        driver.answerAll()
        let response = try #require(driver.responses().first)
        #expect(response.flags == 1)
        let bytes = try LZ4Block.decompressed(Array(response.body[4...]), byteCount: response.int(0))
        #expect(bytes.prefix(4) == [0, 0, 0, 2])
        // What claims to be larger than a message may be is refused before anything is allocated.
        driver.receive(RequestBytes(bytes: RequestBytes().int(.max).bytes + block).envelope(7, flags: 1))
        driver.answerAll()
        #expect(driver.responses().first?.errorCode != nil)
    }

    /// A query whose body is a block of lz4.
    private func compressedQuery(_ text: String, stream: Int = 1) throws -> (bytes: [UInt8], original: Int) {
        let body = RequestBytes().longString(text).short(1).byte(0)
        let block = try #require(LZ4Block.compressed(body.bytes))
        let bytes = RequestBytes(bytes: RequestBytes().int(body.bytes.count).bytes + block)
        return (bytes.envelope(7, flags: 1, stream: stream), body.bytes.count)
    }

    @Test("room for a compressed request is that of its body and of what decompression makes of it")
    func compressedRoom() throws {
        let text = "SELECT key FROM system.local" + String(repeating: " ", count: 200_000)
        let (query, original) = try compressedQuery(text)
        var driver = try StateDriver()
        driver.receive(RequestBytes.startup(compression: "lz4"))
        // Its length before compression has not come whole.
        driver.receive(Array(query.prefix(12)))
        #expect(driver.state.incompleteCharge == nil && driver.state.bufferedByteCount == 12)
        driver.receive(Array(query.dropFirst(12)))
        #expect(
            driver.waiting.first?.charge?.byteCount == RequestWork.overheadByteCount + query.count + original)
        driver.answerAll()
        #expect(driver.responses().map(\.opcode) == [2, 8] && driver.budget.byteCount == 0)
        // Where that does not fit the request waits, small as it is on the wire.
        driver = try StateDriver()
        driver.setBudget(RequestBudget(largestByteCount: 100_000, connectionCount: 1 << 20))
        let other = driver.budget.add(address: "10.0.0.1")
        let reserved = driver.budget.reserve(1000, for: other)
        let charge = try #require(reserved)
        driver.receive(RequestBytes.startup(compression: "lz4") + query)
        #expect(query.count < 2000 && driver.waiting.isEmpty && driver.budget.waitingCount == 1)
        driver.release(charge)
        driver.answerAll()
        #expect(driver.responses().map(\.opcode) == [2, 8] && driver.budget.byteCount == 0)
    }

    @Test("a compressed request that is too large behind decompression is read past, and the connection goes on")
    func oversizedBlock() throws {
        var limits = ConnectionLimits()
        limits.requestBodyByteCount = 10_000
        var driver = try StateDriver(limits: limits)
        let (large, original) = try compressedQuery(String(repeating: " ", count: 20_000), stream: 3)
        let (small, _) = try compressedQuery("SELECT key FROM system.local" + String(repeating: " ", count: 1000))
        driver.receive(RequestBytes.startup(compression: "lz4") + large + small)
        #expect(driver.waiting.count == 1)
        driver.answerAll()
        let responses = driver.responses()
        #expect(responses.map(\.stream) == [0, 3, 1] && responses.map(\.opcode) == [2, 0, 8])
        #expect(
            responses[1].errorMessage
                == "Request is too big: length \(original) exceeds maximum allowed length 10000.")
        // A length that no block of this size can have claims no room.
        let lie = RequestBytes(bytes: RequestBytes().int(9000).bytes + [1, 2, 3]).envelope(7, flags: 1)
        driver.receive(lie)
        #expect(driver.waiting.first?.charge?.byteCount == RequestWork.overheadByteCount + lie.count)
        driver.answerAll()
        #expect(driver.responses().first?.errorMessage == "Cannot decompress a message: no valid lz4 block")
    }

    @Test("a request beyond the limit is refused, and the connection goes on")
    func oversized() throws {
        var limits = ConnectionLimits()
        limits.requestBodyByteCount = 1000
        limits.answerBodyByteCount = 1000
        var driver = try StateDriver(limits: limits)
        driver.receive(RequestBytes.startup())
        driver.receive(RequestBytes.query(String(repeating: " ", count: 2000)))
        driver.receive(RequestBytes().envelope(5))
        let responses = driver.responses()
        #expect(responses.map(\.opcode) == [2, 0, 6])
        #expect(responses[1].errorCode == 0x2200)
        #expect(
            responses[1].errorMessage == "Request is too big: length 2007 exceeds maximum allowed length 1000.")
        let large = driver.query("SELECT * FROM system_schema.columns")
        #expect(large?.errorCode == 0x2200)
        #expect(large?.errorMessage.hasPrefix("Response is too big") == true)
    }

    @Test("an answer that is too large by its columns alone is refused too, and keeps its trace")
    func oversizedColumns() throws {
        var limits = ConnectionLimits()
        limits.answerBodyByteCount = 20
        var driver = try StateDriver(limits: limits)
        driver.receive(RequestBytes.startup())
        let last = driver.query("SELECT key FROM system.local", flags: 2)
        let answer = try #require(last)
        #expect(answer.opcode == 0 && answer.flags == 2 && answer.int(16) == 0x2200)
        // The trace's id, kind and flags, the table, the column and its type, and a row of nine bytes.
        let byteCount = 16 + 4 + 4 + 4 + 8 + 7 + 5 + 2 + 4 + 9
        #expect(
            answer.string(20)
                == "Response is too big: length \(byteCount) exceeds maximum allowed length 20. Use paging or LIMIT.")
    }
}
