#if Servers

    import Dispatch
    import NIOCore
    import NIOPosix
    import NIOSSL
    import StorageCore
    import StorageTypes
    import Testing

    @testable import CQLServer
    @testable import WideColumnEngine

    @Suite("A server on the loopback", .serialized, .timeLimit(.minutes(20)))
    struct ListenerTests {
        let store: WideColumnStore
        private let clock = HaltingClock()

        init() throws {
            store = try WideColumnStore(storage: .inMemory(clock: clock))
            try store.execute(
                "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
            try store.execute("CREATE TABLE ks.t (a int PRIMARY KEY, v text)")
        }

        func start(_ change: (inout CQLListenerOptions) -> Void = { _ in }) async throws -> CQLListener {
            var options = CQLListenerOptions()
            options.port = 0
            // The clients share their threads with all other tests.
            options.handshakeTimeout = .seconds(3600)
            change(&options)
            return try await CQLListener.start(serving: store, options: options)
        }

        @Test("a thousand pipelined inserts are answered, each on its stream, in both versions", arguments: [4, 5])
        func inserts(_ version: UInt8) async throws {
            let listener = try await start()
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(version)
                let count = 1000
                for index in 0..<count {
                    let text = "INSERT INTO ks.t (a, v) VALUES (\(index), 'x')"
                    try await client.send(RequestBytes.query(text, version: version, stream: index))
                }
                var streams: Set<Int> = []
                for _ in 0..<count {
                    let response = try await client.next()
                    #expect(response?.resultKind == 1)
                    streams.insert(response?.stream ?? -1)
                }
                #expect(streams == Set(0..<count))
            }
            #expect(try store.execute("SELECT count(*) FROM ks.t").first?[0] == .bigint(1000))
            try await listener.shutDown()
        }

        @Test("results of more than a megabyte go through frames to a slow reader")
        func largeResult() async throws {
            let insert = try store.prepare("INSERT INTO ks.t (a, v) VALUES (?, ?)")
            for index in 0..<12 {
                try insert.execute([.int(Int32(index)), .text(String(repeating: "row \(index) ", count: 20_000))])
            }
            let listener = try await start()
            for version: UInt8 in [4, 5] {
                try await LoopbackClient.run(port: listener.port) { client in
                    try await client.startUp(version)
                    for stream in 0..<5 {
                        try await client.send(
                            RequestBytes.query("SELECT * FROM ks.t", version: version, stream: stream))
                    }
                    for _ in 0..<5 {
                        let response = try await client.next()
                        #expect(response?.resultKind == 2)
                        #expect(response?.body.count ?? 0 > 1_400_000)
                    }
                }
            }
            try await listener.shutDown()
        }

        private func insertLargeRows() throws {
            let insert = try store.prepare("INSERT INTO ks.t (a, v) VALUES (?, ?)")
            for index in 0..<40 {
                try insert.execute([.int(Int32(index)), .text(String(repeating: "x", count: 250_000))])
            }
        }

        private func wait(until condition: () async throws -> Bool) async throws {
            let deadline = ContinuousClock.now.advanced(by: .seconds(60))
            while try await !condition() {
                try #require(ContinuousClock.now < deadline)
                try await Task.sleep(for: .milliseconds(10))
            }
        }

        /// Waits until the listener has no connection any more.
        private func waitUntilEmpty(_ listener: CQLListener) async throws {
            try await wait { listener.connectionCount == 0 }
        }

        @Test("a peer that takes nothing of its answers is closed after a while, and sooner where the server stops")
        func stalledPeers() async throws {
            try insertLargeRows()
            for isStopping in [false, true] {
                let listener = try await start {
                    $0.writeStallTimeout = isStopping ? .seconds(3600) : .milliseconds(500)
                    $0.progressInterval = .milliseconds(50)
                    $0.closeTimeout = .milliseconds(200)
                }
                try await LoopbackClient.run(port: listener.port) { client in
                    try await client.startUp(4)
                    for stream in 0..<4 {
                        try await client.send(RequestBytes.query("SELECT * FROM ks.t", stream: stream))
                    }
                    if isStopping { try await listener.shutDown(within: .seconds(3600)) }
                    try await waitUntilEmpty(listener)
                }
                try await listener.shutDown()
            }
        }

        @Test("a peer that takes nothing is closed without its end of TLS")
        func stalledTLS() async throws {
            try insertLargeRows()
            let files = try TLSFixture()
            defer { files.remove() }
            let listener = try await start {
                $0.tls = .init(certificate: files.certificate, key: files.key)
                $0.writeStallTimeout = .milliseconds(500)
                $0.progressInterval = .milliseconds(50)
                $0.closeTimeout = .seconds(3600)
            }
            try await LoopbackClient.run(port: listener.port, tls: files.clientContext()) { client in
                try await client.startUp(4)
                for stream in 0..<4 {
                    try await client.send(RequestBytes.query("SELECT * FROM ks.t", stream: stream))
                }
                try await waitUntilEmpty(listener)
                #expect(try await unsentByteCount(listener) == 0)
            }
            try await listener.shutDown()
        }

        /// What the server has handed to connections and peers have not taken.
        private func unsentByteCount(_ listener: CQLListener) async throws -> Int {
            let shared = listener.server.shared
            return try await shared.eventLoop.submit { shared.value.unsentByteCount }.get()
        }

        @Test("requests of a connection that is gone are not carried out")
        func abandonedRequests() async throws {
            let listener = try await start { $0.threadCount = 1 }
            let gate = DispatchSemaphore(value: 0)
            listener.server.threads.submit { _ in gate.wait() }
            try await LoopbackClient.run(port: listener.port, resets: true) { client in
                try await client.startUp(4)
                for stream in 0..<50 {
                    try await client.send(RequestBytes.query("INSERT INTO ks.t (a) VALUES (1)", stream: stream))
                }
                // The server has met all of them when it answers this.
                try await client.send(RequestBytes().envelope(5))
                #expect(try await client.next()?.opcode == 6)
            }
            try await waitUntilEmpty(listener)
            gate.signal()
            try await listener.shutDown()
            #expect(try store.execute("SELECT count(*) FROM ks.t").first?[0] == .bigint(0))
        }

        @Test("a SELECT stops reading once its client is gone or the server has no patience", arguments: [false, true])
        func stoppedReads(_ isStopping: Bool) async throws {
            let insert = try store.prepare("INSERT INTO ks.t (a) VALUES (?)")
            for a in 0..<4 * ReadWatch.interval { try insert.execute([.int(Int32(a))]) }
            let listener = try await start { $0.readTimeout = .seconds(3600) }
            let clock = clock
            // Those looks before the first row, and one after a thousand.
            clock.halt(after: 3)
            try await LoopbackClient.run(port: listener.port, resets: true) { client in
                try await client.startUp(4)
                try await client.send(RequestBytes.query("SELECT * FROM ks.t"))
                try await wait { clock.haltedCount == 1 }
                guard isStopping else { return }
                async let isDown: Void = listener.shutDown(within: .zero)
                try await waitUntilEmpty(listener)
                clock.goOn()
                try await isDown
            }
            try await waitUntilEmpty(listener)
            clock.goOn()
            try await listener.shutDown()
            #expect(clock.lookCount == 4)
        }

        @Test("a SELECT that reads for too long is answered with a time-out, and its connection goes on")
        func readTimeout() async throws {
            let listener = try await start { $0.readTimeout = .nanoseconds(1) }
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                try await client.send(RequestBytes.query("SELECT * FROM ks.t"))
                #expect(try await client.next()?.errorCode == 0x1200)
                try await client.send(RequestBytes.query("INSERT INTO ks.t (a) VALUES (1)"))
                #expect(try await client.next()?.resultKind == 1)
            }
            try await listener.shutDown()
        }

        @Test("statements of one connection that take long leave a thread to the others")
        func freeThread() async throws {
            let listener = try await start {
                $0.threadCount = 2
                $0.readTimeout = .seconds(3600)
            }
            let clock = clock
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                clock.halt(after: 0)
                for stream in 0..<3 {
                    try await client.send(RequestBytes.query("SELECT * FROM ks.t", stream: stream))
                }
                try await client.send(RequestBytes().envelope(5))
                #expect(try await client.next()?.opcode == 6)
                try await LoopbackClient.run(port: listener.port) { second in
                    try await second.startUp(4)
                    try await second.send(RequestBytes.query("INSERT INTO ks.t (a) VALUES (1)"))
                    #expect(try await second.next()?.resultKind == 1)
                }
                try await wait { clock.haltedCount == 1 }
                clock.goOn()
                for _ in 0..<3 { #expect(try await client.next()?.resultKind == 2) }
            }
            try await listener.shutDown()
        }

        @Test("a request that comes too slowly for the room it holds ends its connection; who waited has its turn")
        func slowRequests() async throws {
            let listener = try await start {
                $0.requestByteCount = 1 << 20
                $0.receiveGrace = .milliseconds(500)
                $0.progressInterval = .milliseconds(50)
            }
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                let query = RequestBytes.query("SELECT * FROM ks.t" + String(repeating: " ", count: 2 << 20))
                try await client.send(Array(query.prefix(1000)))
                try await LoopbackClient.run(port: listener.port) { second in
                    try await second.startUp(4)
                    try await second.send(RequestBytes.query("SELECT * FROM ks.t"))
                    // It does not fit beside the first one, so it waits until that is gone.
                    #expect(try await second.next()?.resultKind == 2)
                    #expect(listener.connectionCount == 1)
                }
            }
            try await listener.shutDown()
        }

        @Test("a peer that takes too little for the room of its requests is closed; who waited has its turn")
        func heldRoom() async throws {
            try insertLargeRows()
            let listener = try await start {
                $0.requestByteCount = 1 << 20
                $0.threadCount = 1
                $0.receiveGrace = .milliseconds(500)
                $0.progressInterval = .milliseconds(50)
                $0.writeStallTimeout = .seconds(3600)
            }
            let gate = DispatchSemaphore(value: 0)
            listener.server.threads.submit { _ in gate.wait() }
            let large = RequestBytes.query("SELECT a FROM ks.t" + String(repeating: " ", count: 200_000))
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                for stream in 0..<4 {
                    try await client.send(RequestBytes.query("SELECT * FROM ks.t", stream: stream))
                }
                try await client.send(large + RequestBytes().envelope(5))
                // The server has met all of them when it answers the last one.
                #expect(try await client.next()?.opcode == 6)
                gate.signal()
                try await LoopbackClient.run(port: listener.port) { second in
                    try await second.startUp(4)
                    try await second.send(large)
                    #expect(try await second.next()?.resultKind == 2)
                    #expect(listener.connectionCount == 1)
                }
            }
            try await listener.shutDown()
        }

        @Test("beyond the bound on unsent answers the connection with most of them is closed, and no other")
        func unsentAnswers() async throws {
            try insertLargeRows()
            let listener = try await start { $0.answerByteCount = 12 << 20 }
            try await LoopbackClient.run(port: listener.port) { reader in
                try await reader.startUp(5)
                try await LoopbackClient.run(port: listener.port) { client in
                    try await client.startUp(4)
                    for stream in 0..<8 {
                        try await client.send(RequestBytes.query("SELECT * FROM ks.t", stream: stream))
                    }
                    let deadline = ContinuousClock.now.advanced(by: .seconds(60))
                    while listener.connectionCount > 1 {
                        try #require(ContinuousClock.now < deadline)
                        try await Task.sleep(for: .milliseconds(10))
                    }
                }
                try await reader.send(RequestBytes.query("SELECT a FROM ks.t", version: 5))
                #expect(try await reader.next()?.resultKind == 2)
            }
            try await listener.shutDown()
        }

        @Test("shutting down answers what is under way and closes the connections")
        func shutDown() async throws {
            let listener = try await start { $0.threadCount = 1 }
            let gate = DispatchSemaphore(value: 0)
            listener.server.threads.submit { _ in gate.wait() }
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                for stream in 0..<50 {
                    try await client.send(
                        RequestBytes.query("INSERT INTO ks.t (a) VALUES (\(stream))", stream: stream))
                }
                // The server has met all of them when it answers this.
                try await client.send(RequestBytes().envelope(5))
                #expect(try await client.next()?.opcode == 6)
                async let isDown: Void = listener.shutDown(within: .seconds(3600))
                async let isDownToo = shutDownAgain(listener)
                // Nobody is let in any more.
                try await wait {
                    do { try await LoopbackClient.run(port: listener.port) { try await $0.startUp(4) } } catch {
                        return true
                    }
                    return false
                }
                gate.signal()
                var streams: [Int] = []
                while let response = try await client.next() {
                    #expect(response.resultKind == 1)
                    streams.append(response.stream)
                }
                #expect(streams.sorted() == Array(0..<50))
                try await isDown
                #expect(try await isDownToo == 0)
            }
            #expect(try store.execute("SELECT count(*) FROM ks.t").first?[0] == .bigint(50))
            #expect(listener.connectionCount == 0)
            await #expect(throws: (any Error).self) {
                try await LoopbackClient.run(port: listener.port) { try await $0.startUp(4) }
            }
            try await listener.shutDown()
        }

        /// How many connections there are when a call that is not the first returns.
        private func shutDownAgain(_ listener: CQLListener) async throws -> Int {
            try await listener.shutDown()
            return listener.connectionCount
        }

        @Test("a connection with many requests does not keep those of others waiting")
        func fairness() async throws {
            let listener = try await start { $0.threadCount = 1 }
            let gate = DispatchSemaphore(value: 0)
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                try await LoopbackClient.run(port: listener.port) { second in
                    try await second.startUp(4)
                    listener.server.threads.submit { _ in gate.wait() }
                    for stream in 0..<100 {
                        let text = "INSERT INTO ks.t (a) VALUES (\(stream))"
                        try await client.send(RequestBytes.query(text, stream: stream))
                    }
                    try await client.send(RequestBytes().envelope(5))
                    #expect(try await client.next()?.opcode == 6)
                    try await second.send(RequestBytes.query("SELECT count(*) FROM ks.t"))
                    try await second.send(RequestBytes().envelope(5))
                    #expect(try await second.next()?.opcode == 6)
                    gate.signal()
                    // Two of the others were with the threads before it, and one took its turn.
                    let count = try #require(try await second.next()?.body.last)
                    #expect(count <= 3)
                }
                for _ in 0..<100 { #expect(try await client.next()?.resultKind == 1) }
            }
            try await listener.shutDown()
        }

        @Test("a change of the schema is told to those who registered, whoever made it")
        func events() async throws {
            let listener = try await start()
            let store = store
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                try await client.send(RequestBytes().short(1).string("SCHEMA_CHANGE").envelope(0x0B))
                #expect(try await client.next()?.opcode == 2)
                try store.execute("CREATE TABLE ks.u (a int PRIMARY KEY)")
                let event = try await client.next()
                #expect(event?.opcode == 0x0C && event?.stream == -1)
            }
            try await listener.shutDown()
        }

        @Test("an event waits behind answers that a reader takes slowly")
        func slowReaderOfEvents() async throws {
            try insertLargeRows()
            let (listener, store) = (try await start(), store)
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                try await client.send(RequestBytes().short(1).string("SCHEMA_CHANGE").envelope(0x0B))
                #expect(try await client.next()?.opcode == 2)
                for stream in 0..<2 {
                    try await client.send(RequestBytes.query("SELECT * FROM ks.t", stream: stream))
                }
                let deadline = ContinuousClock.now.advanced(by: .seconds(60))
                while try await unsentByteCount(listener) < 1 << 20 {
                    try #require(ContinuousClock.now < deadline)
                    try await Task.sleep(for: .milliseconds(10))
                }
                try store.execute("CREATE TABLE ks.u (a int PRIMARY KEY)")
                var opcodes: [UInt8] = []
                for _ in 0..<3 { opcodes.append(try await client.next()?.opcode ?? 0) }
                #expect(opcodes.sorted() == [8, 8, 0x0C])
            }
            try await listener.shutDown()
        }

        @Test("who registered for events and does not read is closed when there are too many")
        func unreadEvents() async throws {
            try insertLargeRows()
            let (listener, store) = (try await start { $0.unreadEventByteCount = 1000 }, store)
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                try await client.send(RequestBytes().short(1).string("SCHEMA_CHANGE").envelope(0x0B))
                #expect(try await client.next()?.opcode == 2)
                for stream in 0..<4 {
                    try await client.send(RequestBytes.query("SELECT * FROM ks.t", stream: stream))
                }
                // Before the answers are there an event only waits behind them.
                for number in 0..<500 where listener.connectionCount > 0 {
                    try store.execute("CREATE TABLE ks.u\(number) (a int PRIMARY KEY)")
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(listener.connectionCount == 0)
            }
            try await listener.shutDown()
        }

        @Test("connections beyond the limit are closed")
        func limit() async throws {
            let listener = try await start { $0.connectionCount = 1 }
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                try await LoopbackClient.run(port: listener.port) { second in
                    // Closed by a reset or in peace.
                    do { try await second.startUp(4) } catch { return }
                    Issue.record("a second connection")
                }
                // The first one is not touched by it.
                try await client.send(RequestBytes.query("SELECT * FROM ks.t"))
                #expect(try await client.next()?.resultKind == 2)
                #expect(listener.connectionCount == 1)
            }
            try await waitUntilEmpty(listener)
            try await LoopbackClient.run(port: listener.port) { try await $0.startUp(4) }
            try await listener.shutDown()
        }

        @Test("connections that stay silent are closed")
        func silence() async throws {
            let listener = try await start { $0.idleTimeout = .milliseconds(500) }
            let start = ContinuousClock.now
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                #expect(try await client.next() == nil)
            }
            #expect(ContinuousClock.now - start >= .milliseconds(500))
            try await listener.shutDown()
        }

        @Test("a bound on the bytes of all requests holds connections back, and all are answered")
        func admission() async throws {
            let listener = try await start {
                $0.requestByteCount = 1
                $0.threadCount = 1
            }
            let gate = DispatchSemaphore(value: 0)
            listener.server.threads.submit { _ in gate.wait() }
            let shared = listener.server.shared
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.startUp(4)
                for stream in 0..<200 {
                    try await client.send(RequestBytes.query("INSERT INTO ks.t (a) VALUES (1)", stream: stream))
                }
                // One has the room, and the next waits for it unread.
                try await wait { try await shared.eventLoop.submit { shared.value.waitingCount }.get() == 1 }
                #expect(try await shared.eventLoop.submit { shared.value.startedCount }.get() == 1)
                gate.signal()
                for stream in 0..<200 { #expect(try await client.next()?.stream == stream) }
            }
            try await listener.shutDown()
        }

        @Test("passwords are checked beside requests, and wait in line, however many there are")
        func passwords() async throws {
            let users = CQLUsers(["ann": PasswordHash(password: "x", iterationCount: 1)])
            let listener = try await start {
                $0.users = users
                $0.threadCount = 1
            }
            // Two of them, since a signal may go to one that came after it.
            let (gate, passwordGate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            listener.server.threads.submit { _ in gate.wait() }
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.send(RequestBytes.startup() + RequestBytes.plain("ann", "x"))
                #expect(try await client.next()?.opcode == 3)
                #expect(try await client.next()?.opcode == 0x10)
            }
            gate.signal()
            for _ in 0..<2 { listener.server.passwordThreads.submit { _ in passwordGate.wait() } }
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.send(RequestBytes.startup() + RequestBytes.plain("ann", "x"))
                #expect(try await client.next()?.opcode == 3)
                try await LoopbackClient.run(port: listener.port) { second in
                    try await second.send(RequestBytes.startup() + RequestBytes.plain("ann", "y"))
                    #expect(try await second.next()?.opcode == 3)
                    for _ in 0..<2 { passwordGate.signal() }
                    #expect(try await second.next()?.errorCode == 0x0100)
                }
                #expect(try await client.next()?.opcode == 0x10)
            }
            try await listener.shutDown()
        }

        @Test("who is in line with its password when its time is over is closed without an error, and checked no more")
        func latePasswords() async throws {
            let users = CQLUsers(["ann": PasswordHash(password: "x", iterationCount: 1)])
            let listener = try await start { $0.users = users }
            let gate = DispatchSemaphore(value: 0)
            for _ in 0..<2 { listener.server.passwordThreads.submit { _ in gate.wait() } }
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.send(RequestBytes.startup() + RequestBytes.plain("ann", "x"))
                #expect(try await client.next()?.opcode == 3)
                // As when the time is over.
                listener.connections.forEach { $0.handshakeTimedOut() }
                #expect(try await client.next() == nil)
            }
            try await waitUntilEmpty(listener)
            for _ in 0..<2 { gate.signal() }
            try await listener.shutDown()
        }

        @Test("an address beyond the loopback needs users")
        func strangers() async throws {
            let error = await #expect(throws: StorageError.self) { _ = try await start { $0.host = "0.0.0.0" } }
            #expect(error?.code == .invalidArgument)
            let users = CQLUsers(["ann": PasswordHash(password: "x", iterationCount: 1)])
            let listener = try await start {
                $0.host = "0.0.0.0"
                $0.users = users
            }
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.send(RequestBytes.startup())
                #expect(try await client.next()?.opcode == 3)
                try await client.send(RequestBytes.plain("ann", "x"))
                #expect(try await client.next()?.opcode == 0x10)
            }
            try await listener.shutDown()
        }

        @Test("an address that can't be had is refused with a sentence that names it, and why")
        func unavailableAddresses() async throws {
            let listener = try await start()
            let port = listener.port
            for (host, port, code, text) in [
                ("127.0.0.1", port, .addressUnavailable, "Cannot listen on 127.0.0.1:\(port): Address already in use"),
                // Of a network that no machine is in (RFC 5737).
                ("192.0.2.1", 9042, .addressUnavailable, "Cannot listen on 192.0.2.1:9042: "),
                // No name has an empty part, so none is looked up.
                ("a..b", 9042, .unknownHost, "Cannot listen on a..b:9042: unknown host"),
                ("a..b::", 9042, .unknownHost, "Cannot listen on [a..b::]:9042: unknown host"),
            ] as [(String, Int, CQLListenerError.Code, String)] {
                let error = await #expect(throws: CQLListenerError.self) {
                    _ = try await start {
                        $0.host = host
                        $0.port = port
                        $0.allowsRemoteStrangers = true
                    }
                }
                #expect(error?.code == code && error?.host == host && error?.port == port)
                #expect(error.map { "\($0)".hasPrefix(text) } == true, "\(String(describing: error))")
            }
            try await listener.shutDown()
        }

        @Test("clients that come before the server is announced wait until it lets them in")
        func accepting() async throws {
            var options = CQLListenerOptions()
            options.port = 0
            let listener = try await CQLListener.bind(serving: store, options: options)
            #expect(
                try store.execute("SELECT rpc_port FROM system.local")[0].values == [.int(Int32(listener.port))])
            try await LoopbackClient.run(port: listener.port) { client in
                try await client.send(RequestBytes().envelope(5))
                try await Task.sleep(for: .milliseconds(100))
                #expect(listener.connectionCount == 0)
                try await listener.accept()
                #expect(try await client.next()?.opcode == 6)
            }
            try await listener.shutDown()
        }

        @Test("bounds below 1 are refused")
        func bounds() async throws {
            let changes: [(inout CQLListenerOptions) -> Void] = [
                { $0.connectionCount = 0 }, { $0.requestCountPerConnection = 0 }, { $0.requestByteCount = -1 },
                { $0.answerByteCount = 0 }, { $0.largestRequestByteCount = 0 }, { $0.largestAnswerByteCount = 0 },
                { $0.threadCount = 0 }, { $0.handshakeTimeout = .zero }, { $0.idleTimeout = .zero },
                { $0.readTimeout = .zero }, { $0.port = -1 }, { $0.port = 65536 },
                { $0.advertisedAddress = "0.0.0.0" }, { $0.advertisedAddress = "0::0" },
                { $0.advertisedAddress = "somewhere" },
            ]
            for change in changes {
                let error = await #expect(throws: StorageError.self) { _ = try await start(change) }
                #expect(error?.code == .invalidArgument)
            }
        }

        @Test("TLS encrypts the connection; files that are none are refused")
        func tls() async throws {
            let files = try TLSFixture()
            defer { files.remove() }
            let listener = try await start { $0.tls = .init(certificate: files.certificate, key: files.key) }
            try await LoopbackClient.run(port: listener.port, tls: files.clientContext()) { client in
                try await client.startUp(5)
                try await client.send(RequestBytes.query("SELECT * FROM ks.t", version: 5))
                #expect(try await client.next()?.resultKind == 2)
            }
            let old = try files.clientContext(newest: .tlsv11)
            // Told by TLS, or by the connection that is gone.
            await #expect(throws: (any Error).self) {
                try await LoopbackClient.run(port: listener.port, tls: old) { client in
                    try await client.startUp(5)
                }
            }
            try await LoopbackClient.run(port: listener.port, tls: files.clientContext(newest: .tlsv12)) { client in
                try await client.startUp(5)
            }
            try await listener.shutDown()
            await #expect(throws: StorageError.self) {
                _ = try await start { $0.tls = .init(certificate: files.key, key: files.key) }
            }
        }
    }

#endif
