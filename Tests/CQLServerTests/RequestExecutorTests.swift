import StorageTypes
import Testing

@testable import CQLServer
@testable import WideColumnEngine

@Suite("Requests on the engine")
struct RequestExecutorTests {
    private let store: WideColumnStore
    private let prepared = PreparedStatements()
    private let executor: RequestExecutor

    init() throws {
        store = try WideColumnStore(storage: .inMemory())
        executor = try RequestExecutor(store, prepared, durability: .buffered)
        try store.execute(
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE ks.t (a int, b int, v text, PRIMARY KEY (a, b))")
    }

    private func call(_ request: Request, isTracing: Bool = false) -> RequestExecutor.Call {
        RequestExecutor.Call(request: request, isTracing: isTracing)
    }

    private func query(_ text: String, _ change: (inout QueryParameters) -> Void = { _ in }) -> Response {
        var parameters = QueryParameters()
        change(&parameters)
        return executor.respond(to: call(.query(text, parameters)))
    }

    private func error(_ response: Response) -> ErrorMessage? {
        if case .error(let error) = response.message { return error }
        return nil
    }

    private func rows(_ response: Response) -> RowsMessage? {
        if case .rows(let rows) = response.message { return rows }
        Issue.record("no rows: \(response.message)")
        return nil
    }

    private func prepare(_ text: String, keyspace: String? = nil) throws -> PreparedMessage {
        let response = executor.respond(to: call(.prepare(text, keyspace: keyspace)))
        guard case .prepared(let message) = response.message else {
            throw error(response) ?? ErrorMessage(.serverError, "not prepared")
        }
        return message
    }

    private func execute(
        _ id: [UInt8], metadataID: [UInt8]?, _ values: [WireValue] = [], skips: Bool = true
    ) -> Response {
        var parameters = QueryParameters()
        parameters.values = .positional(values)
        parameters.skipsMetadata = skips
        return executor.respond(to: call(.execute(id: id, resultMetadataID: metadataID, parameters)))
    }

    private func int(_ value: Int32) -> WireValue { .bytes(RequestBytes().int(Int(value)).bytes) }

    @Test("values come by position or by name, each of them, though one may be unset")
    func values() throws {
        _ = query("INSERT INTO ks.t (a, b, v) VALUES (?, ?, ?)") {
            $0.values = .positional([self.int(1), self.int(2), .bytes(Array("x".utf8))])
        }
        _ = query("INSERT INTO ks.t (a, b, v) VALUES (:a, :b, :v)") {
            $0.values = .named(["a": self.int(1), "b": self.int(2), "v": .unset, "V": .null])
        }
        _ = query("INSERT INTO ks.t (a, b, v) VALUES (?, ?, ?)") {
            $0.values = .positional([self.int(1), self.int(2), .unset])
        }
        #expect(try store.execute("SELECT v FROM ks.t WHERE a = 1").first?["v"] == .text("x"))
        _ = query("INSERT INTO ks.t (a, b, v) VALUES (?, ?, ?)") {
            $0.values = .positional([self.int(1), self.int(2), .null])
        }
        #expect(try store.execute("SELECT v FROM ks.t WHERE a = 1").first?["v"] == .null)
        let few = error(query("SELECT * FROM ks.t WHERE a = ?"))
        #expect(few?.code == .invalid)
        #expect(few?.message == "Invalid amount of bind variables")
        let unnamed = error(
            query("INSERT INTO ks.t (a, b, v) VALUES (:a, :b, :v)") {
                $0.values = .named(["a": self.int(1), "b": self.int(2), "V": .null])
            })
        #expect(unnamed?.message == "Invalid amount of bind variables")
        let id = try prepare("INSERT INTO ks.t (a, b, v) VALUES (:a, :b, :v)").id
        var parameters = QueryParameters()
        for values in [.named(["a": int(1), "v": .null, "w": .null]), BoundValues.positional([int(1), int(2)])] {
            parameters.values = values
            let failure = error(executor.respond(to: call(.execute(id: id, resultMetadataID: nil, parameters))))
            #expect(failure?.message == "there were 3 markers(?) in CQL but 2 bound variables")
            #expect(failure?.code == .invalid)
        }
        let wrong = query("SELECT * FROM ks.t WHERE a = ?") { $0.values = .positional([.bytes([1, 2])]) }
        #expect(error(wrong)?.code == .invalid)
    }

    @Test("USE is answered with the keyspace, which later statements are in; version 5 may name one for a statement")
    func keyspaces() throws {
        #expect(error(query("SELECT * FROM t"))?.code == .invalid)
        #expect(rows(query("SELECT * FROM t") { $0.keyspace = "ks" })?.result.count == 0)
        guard case .setKeyspace("ks") = query("USE ks").message else {
            Issue.record("no keyspace")
            return
        }
        #expect(rows(query("SELECT * FROM t"))?.result.count == 0)
        #expect(error(query("USE nowhere"))?.message == "Keyspace 'nowhere' does not exist")
        #expect(try prepare("SELECT * FROM t", keyspace: "ks").resultColumns.count == 3)
    }

    @Test("a prepared statement tells its markers, those of the partition key, and its columns")
    func preparing() throws {
        let message = try prepare("INSERT INTO ks.t (v, b, a) VALUES (?, ?, ?)")
        #expect(message.markers.map(\.name) == ["v", "b", "a"])
        #expect(message.partitionKeyMarkers == [2])
        #expect(message.resultColumns.isEmpty)
        #expect(try prepare("INSERT INTO ks.t (v, b, a) VALUES (?, ?, ?)").id == message.id)
        #expect(prepared.count == 1)
        guard case .void = execute(message.id, metadataID: nil, [.unset, int(1), int(1)]).message else {
            Issue.record("not inserted")
            return
        }
        let select = try prepare("SELECT * FROM ks.t WHERE a = ?")
        #expect(select.resultColumns.map(\.name) == ["a", "b", "v"])
        #expect(throws: ErrorMessage.self) { try prepare("SELECT nothing FROM ks.t") }
        let unknown = error(execute([1, 2], metadataID: nil))
        #expect(unknown?.code == .unprepared(id: [1, 2]))
        #expect(unknown?.message.hasPrefix("Prepared query with ID 0102 not found") == true)
    }

    @Test("the id of a prepared statement depends on the keyspace only where that decides what is named")
    func ids() throws {
        let qualified = [
            "SELECT * FROM ks.t", "SELECT CAST(b AS text) FROM ks.t WHERE a = ?",
            "UPDATE ks.t SET v = ? WHERE a = 1 AND b = 1",
            "BEGIN BATCH DELETE FROM ks.t WHERE a = 1; DELETE FROM ks.t WHERE a = 2; APPLY BATCH",
        ]
        let others = [
            "SELECT * FROM t", "BEGIN BATCH DELETE FROM ks.t WHERE a = 1; DELETE FROM t WHERE a = 2; APPLY BATCH",
        ]
        let session = try store.session(keyspace: "ks")
        let elsewhere = try store.session(keyspace: "system")
        for text in qualified {
            let ids = try [store.prepare(text), session.prepare(text), elsewhere.prepare(text)]
                .map(PreparedStatements.id)
            #expect(Set(ids).count == 1, "\(text)")
        }
        try store.execute(
            "CREATE KEYSPACE k2 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE k2.t (a int, b int, PRIMARY KEY (a, b))")
        let second = try store.session(keyspace: "k2")
        for text in others {
            let ids = try [session.prepare(text), second.prepare(text)].map(PreparedStatements.id)
            #expect(Set(ids).count == 2, "\(text)")
        }
    }

    private static let commitMessage =
        " is not supported as conditional update commit consistency. Use ANY if you mean \"make sure it is accepted but I "
        + "don't care how many replicas commit it for non-SERIAL reads\""

    private static let levels: [(text: String, level: Consistency, message: String?)] = [
        ("SELECT * FROM ks.t", .any, "ANY ConsistencyLevel is only supported for writes"),
        ("SELECT * FROM ks.t", .serial, nil), ("SELECT * FROM ks.t", .localSerial, nil),
        ("INSERT INTO ks.t (a, b) VALUES (1, 1)", .any, nil),
        ("INSERT INTO ks.t (a, b) VALUES (1, 1)", .serial, "You must use conditional updates for serializable writes"),
        ("DELETE FROM ks.t WHERE a = 1", .localSerial, "You must use conditional updates for serializable writes"),
        ("INSERT INTO ks.t (a, b) VALUES (1, 1) IF NOT EXISTS", .any, nil),
        ("INSERT INTO ks.t (a, b) VALUES (1, 1) IF NOT EXISTS", .serial, "SERIAL\(commitMessage)"),
        ("INSERT INTO ks.t (a, b) VALUES (1, 1) IF NOT EXISTS", .localSerial, "LOCAL_SERIAL\(commitMessage)"),
        (
            "BEGIN BATCH INSERT INTO ks.t (a, b) VALUES (1, 1) IF NOT EXISTS APPLY BATCH", .serial,
            "SERIAL\(commitMessage)"
        ),
        ("BEGIN BATCH INSERT INTO ks.t (a, b) VALUES (1, 1) APPLY BATCH", .serial, nil),
        (
            "UPDATE ks.n SET n = n + 1 WHERE a = 1", .any,
            "Consistency level ANY is not yet supported for counter table n"
        ),
        ("UPDATE ks.n SET n = n + 1 WHERE a = 1", .serial, "Counter operations are inherently non-serializable"),
        ("UPDATE ks.n SET n = n + 1 WHERE a = 1", .quorum, nil),
        ("CREATE TABLE ks.u (a int PRIMARY KEY)", .serial, nil), ("USE ks", .any, nil),
    ]

    @Test("levels that a statement can't have are refused with Cassandra's texts")
    func consistency() throws {
        try store.execute("CREATE TABLE ks.n (a int PRIMARY KEY, n counter)")
        for (text, level, message) in Self.levels {
            let answer = error(query(text) { $0.consistency = level })
            #expect(answer?.message == message && (answer == nil || answer?.code == .invalid), "\(text) \(level)")
            var parameters = QueryParameters()
            parameters.consistency = level
            let prepared = Request.execute(id: try prepare(text).id, resultMetadataID: nil, parameters)
            let isCreated = text.hasPrefix("CREATE")
            #expect(error(executor.respond(to: call(prepared)))?.message == message || isCreated, "\(text) \(level)")
        }
    }

    @Test("both levels of a condition are minded in batches, too; without one neither is")
    func conditionalConsistency() throws {
        let insert = "INSERT INTO ks.t (a, b) VALUES (1, 1)"
        let message = "Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL"
        for (level, isAllowed) in [(Consistency.serial, true), (.localSerial, true), (.one, false)] {
            #expect(error(query(insert) { $0.serialConsistency = level }) == nil)
            let answer = error(query("\(insert) IF NOT EXISTS") { $0.serialConsistency = level })
            #expect(answer?.message == (isAllowed ? nil : message))
            for (text, isAllowed) in [(insert, true), ("\(insert) IF NOT EXISTS", isAllowed)] {
                let start = RequestBytes().byte(0).short(1).byte(0).longString(text).short(0).short(1)
                var reader = WireReader(start.int(0x10).short(Int(level.rawValue)).bytes)
                let batch = try BatchRequest(&reader, .v5)
                #expect(error(executor.respond(to: call(.batch(batch))))?.message == (isAllowed ? nil : message))
            }
        }
        for (text, expected) in [(insert, nil), ("\(insert) IF NOT EXISTS", "SERIAL\(Self.commitMessage)")] {
            let start = RequestBytes().byte(0).short(1).byte(0).longString(text).short(0).short(8).int(0)
            var reader = WireReader(start.bytes)
            let batch = try BatchRequest(&reader, .v5)
            #expect(error(executor.respond(to: call(.batch(batch))))?.message == expected)
        }
    }

    @Test("a statement of more markers than sixteen bits count is not prepared")
    func markers() throws {
        try RequestExecutor.checkMarkers(65_535)
        let failure = #expect(throws: CQLError.self) { try RequestExecutor.checkMarkers(65_536) }
        #expect(failure?.message == "Too many markers(?). 65536 markers exceed the allowed maximum of 65535")
    }

    @Test("metadata is left out only while the client knows it, in both versions, across a change of the table")
    func metadata() throws {
        let message = try prepare("SELECT * FROM ks.t")
        let known = message.resultMetadataID
        #expect(rows(execute(message.id, metadataID: known))?.skipsMetadata == true)
        #expect(rows(execute(message.id, metadataID: known, skips: false))?.skipsMetadata == false)
        #expect(rows(execute(message.id, metadataID: nil))?.skipsMetadata == true)
        try store.execute("ALTER TABLE ks.t ADD w int")
        let changed = rows(execute(message.id, metadataID: known))
        #expect(changed?.skipsMetadata == false)
        let current = try #require(changed?.changedMetadataID)
        #expect(current != known)
        #expect(changed?.result.columns.map(\.name) == ["a", "b", "v", "w"])
        let again = rows(execute(message.id, metadataID: current))
        #expect(again?.skipsMetadata == true && again?.changedMetadataID == nil)
        // Version 4 can't say what it knows.
        #expect(rows(execute(message.id, metadataID: nil))?.skipsMetadata == false)
        #expect(try prepare("SELECT * FROM ks.t").resultMetadataID == current)
        // One client knows three columns, and the other four.
        try store.execute("ALTER TABLE ks.t DROP w")
        #expect(rows(execute(message.id, metadataID: nil))?.skipsMetadata == false)
        #expect(rows(execute(message.id, metadataID: known))?.skipsMetadata == true)
    }

    @Test("what a client was told of a statement counts, and not what the statement says when it is kept")
    func changeWhilePreparing() throws {
        let statement = try store.prepare("SELECT * FROM ks.t")
        let told = try prepare("SELECT * FROM ks.t")
        try store.execute("ALTER TABLE ks.t ADD w int")
        try statement.refresh()
        let others = PreparedStatements()
        try others.keep(statement, told)
        #expect(try others.entry(told.id).announcedColumns == told.resultColumns)
        let executor = try RequestExecutor(store, others, durability: .buffered)
        var parameters = QueryParameters()
        parameters.skipsMetadata = true
        for known in [nil, told.resultMetadataID] {
            let answer = executor.respond(to: call(.execute(id: told.id, resultMetadataID: known, parameters)))
            #expect(rows(answer)?.skipsMetadata == false)
        }
    }

    @Test("the result of a condition always tells its columns")
    func conditions() throws {
        let message = try prepare("INSERT INTO ks.t (a, b) VALUES (1, 1) IF NOT EXISTS")
        for count in [1, 4] {
            let result = rows(execute(message.id, metadataID: message.resultMetadataID))
            #expect(result?.skipsMetadata == false && result?.changedMetadataID == nil)
            #expect(result?.result.columns.count == count)
        }
    }

    @Test("pages end with a state that brings the next one; another state is a protocol error")
    func paging() throws {
        for index in 0..<25 { try store.execute("INSERT INTO ks.t (a, b) VALUES (1, \(index))") }
        var state: [UInt8]?
        var counts: [Int] = []
        repeat {
            let page = rows(
                query("SELECT * FROM ks.t") {
                    $0.pageSize = 10; $0.pagingState = state
                })
            counts.append(page?.result.count ?? -1)
            state = page?.result.pagingState?.bytes
        } while state != nil && counts.count < 10
        #expect(counts == [10, 10, 5])
        #expect(error(query("SELECT * FROM ks.t") { $0.pagingState = [1, 2, 3] })?.code == .protocolError)
    }

    @Test("a batch of texts and prepared statements commits with one timestamp, the client's if it gives one")
    func batches() throws {
        let insert = try prepare("INSERT INTO ks.t (a, b, v) VALUES (?, ?, 'p')")
        var reader = WireReader(
            RequestBytes().byte(0).short(2).byte(1).shortBytes(insert.id).short(2).value([0, 0, 0, 1])
                .value([0, 0, 0, 1]).byte(0).longString("INSERT INTO ks.t (a, b, v) VALUES (1, 2, 'q')").short(0)
                .short(1).int(0x20).long(77).bytes)
        let request = Request.batch(try BatchRequest(&reader, .v5))
        let response = executor.respond(to: call(request, isTracing: true))
        guard case .void = response.message else {
            Issue.record("\(response.message)")
            return
        }
        let times = try store.execute("SELECT writetime(v) AS w FROM ks.t")
        #expect(times.map { $0["w"] } == [.bigint(77), .bigint(77)])
        let id = try #require(response.tracingID)
        let session = try store.execute("SELECT * FROM system_traces.sessions WHERE session_id = ?", [.uuid(id)])
        #expect(session.count == 1)
    }

    @Test("a batch's values are as many as its statements' markers, and each is of its type")
    func batchValues() throws {
        let insert = try prepare("INSERT INTO ks.t (a, b) VALUES (?, ?)")
        let start = RequestBytes().byte(0).short(1).byte(1).shortBytes(insert.id)
        // Of what is of another type the engine has the text.
        for (values, message) in [
            (start.short(1).value([0, 0, 0, 1]), "There were 2 markers(?) in CQL but 1 bound variables"),
            (
                start.short(3).value([0, 0, 0, 1]).value(nil).int(-2),
                "There were 2 markers(?) in CQL but 3 bound variables"
            ),
            (start.short(2).value([0, 0, 0, 1]).value([7]), "Expected 4 or 0 byte int (1)"),
        ] {
            var reader = WireReader(values.short(1).int(0).bytes)
            let failure = error(executor.respond(to: call(.batch(try BatchRequest(&reader, .v5)))))
            #expect(failure?.code == .invalid && failure?.message == message)
        }
    }

    @Test("a read that takes too long is a time-out of the one replica, at the request's level")
    func readTimeout() throws {
        let executor = try RequestExecutor(store, prepared, durability: .buffered, readTimeout: .nanoseconds(1))
        var parameters = QueryParameters()
        parameters.consistency = .quorum
        let failure = error(executor.respond(to: call(.query("SELECT * FROM ks.t", parameters))))
        var writer = WireWriter()
        try #require(failure).write(to: &writer, .v5)
        let start = RequestBytes().int(0x1200).string("Operation timed out - received only 0 responses.")
        // QUORUM, none of one answered, no data.
        #expect(writer.bytes == start.short(4).int(0).int(1).byte(0).bytes)
        let insert = executor.respond(to: call(.query("INSERT INTO ks.t (a, b) VALUES (1, 1)", parameters)))
        #expect(error(insert) == nil)
    }

    @Test("a function that fails is named, with its keyspace and the types of its arguments")
    func failedFunctions() throws {
        try store.execute("INSERT INTO ks.t (a, b) VALUES (1, 0)")
        let failure = error(query("SELECT a / b FROM ks.t"))
        #expect(
            failure?.code
                == .functionFailure(keyspace: "system", function: "_divide", argumentTypes: ["int", "int"]))
    }

    @Test("an error of unknown outcome says what was written: a condition, a batch, counters, or one statement")
    func writeTypes() throws {
        try store.execute("CREATE TABLE ks.n (a int PRIMARY KEY, n counter)")
        let insert = "INSERT INTO ks.t (a, b, v) VALUES (1, 1, 'v')"
        let condition = "UPDATE ks.t SET v = 'w' WHERE a = 1 AND b = 1 IF v = 'v'"
        let count = "UPDATE ks.n SET n = n + 1 WHERE a = 1"
        let texts: [(String, ErrorMessage.WriteType)] = [
            (insert, .simple), (condition, .compareAndSet), (count, .counter),
            ("BEGIN BATCH \(insert) APPLY BATCH", .batch),
            ("BEGIN UNLOGGED BATCH \(insert) APPLY BATCH", .unloggedBatch),
            ("BEGIN BATCH \(insert); \(condition) APPLY BATCH", .compareAndSet),
            ("BEGIN COUNTER BATCH \(count) APPLY BATCH", .counter), ("SELECT * FROM ks.t", .simple),
            ("nonsense", .simple),
        ]
        for (text, type) in texts {
            #expect(executor.writeType(of: .query(text, QueryParameters())) == type, "\(text)")
            guard text != "nonsense" else { continue }
            let execute = Request.execute(
                id: try prepare(text).id, resultMetadataID: nil, QueryParameters())
            #expect(executor.writeType(of: execute) == type, "\(text)")
        }
        let batches: [(UInt8, String, ErrorMessage.WriteType)] = [
            (0, insert, .batch), (1, insert, .unloggedBatch), (2, count, .counter), (1, count, .counter),
            (0, condition, .compareAndSet),
        ]
        for (kind, text, type) in batches {
            var reader = WireReader(
                RequestBytes().byte(kind).short(1).byte(0).longString(text).short(0).short(1).int(0).bytes)
            let request = Request.batch(try BatchRequest(&reader, .v5))
            #expect(executor.writeType(of: request) == type, "\(kind) \(text)")
        }
    }

    @Test("now_in_seconds is the time by which times to live begin and end")
    func now() throws {
        let now: Int32 = 1_000_000
        _ = query("INSERT INTO ks.t (a, b, v) VALUES (1, 1, 'x') USING TTL 100") { $0.nowInSeconds = now }
        #expect(rows(query("SELECT * FROM ks.t") { $0.nowInSeconds = now + 99 })?.result.count == 1)
        #expect(rows(query("SELECT * FROM ks.t") { $0.nowInSeconds = now + 100 })?.result.count == 0)
        #expect(rows(query("SELECT * FROM ks.t"))?.result.count == 0)
    }

    /// A batch of one statement, given as text.
    private func batch(_ text: String) throws -> Request {
        var reader = WireReader(RequestBytes().byte(0).short(1).byte(0).longString(text).short(0).short(1).int(0).bytes)
        return .batch(try BatchRequest(&reader, .v5))
    }

    /// What `system_traces` says that a traced request was, and of which CQL.
    private func session(of response: Response) throws -> [CQLValue] {
        let id = try #require(response.tracingID)
        let sessions = try store.execute(
            "SELECT request, parameters['query'] FROM system_traces.sessions WHERE session_id = ?", [.uuid(id)])
        try #require(sessions.count == 1)
        return [sessions[0][0], sessions[0][1]]
    }

    @Test("tracing gives an id whose session is in the system tables, whatever was asked for")
    func tracing() throws {
        let insert = try prepare("INSERT INTO ks.t (a, b, v) VALUES (1, 2, 'p')")
        for (request, kind, text) in [
            (.query("SELECT * FROM ks.t", QueryParameters()), "Execute CQL3 query", "SELECT * FROM ks.t"),
            (.prepare("SELECT a FROM ks.t", keyspace: nil), "Preparing CQL3 query", "SELECT a FROM ks.t"),
            (
                .execute(id: insert.id, resultMetadataID: nil, QueryParameters()), "Execute CQL3 prepared query",
                "INSERT INTO ks.t (a, b, v) VALUES (1, 2, 'p')"
            ),
            (try batch("DELETE FROM ks.t WHERE a = 1"), "Execute batch of CQL3 queries", nil),
        ] as [(Request, String, String?)] {
            #expect(executor.respond(to: call(request)).tracingID == nil)
            let response = executor.respond(to: call(request, isTracing: true))
            #expect(error(response) == nil)
            #expect(try session(of: response) == [.text(kind), text.map { .text($0) } ?? .null])
            let events = try store.execute(
                "SELECT * FROM system_traces.events WHERE session_id = ?", [.uuid(try #require(response.tracingID))])
            #expect(!events.isEmpty)
        }
        // What fails while it is carried out has one too.
        let text = "SELECT * FROM ks.t WHERE a = 1 LIMIT 0"
        let failure = executor.respond(to: call(.query(text, QueryParameters()), isTracing: true))
        #expect(error(failure) != nil)
        #expect(try session(of: failure) == [.text("Execute CQL3 query"), .text(text)])
    }

    @Test("a trace says whose request it was, at which levels, and of which pages")
    func traceParameters() throws {
        executor.setClientAddress("10.0.0.7")
        func session(_ request: Request) throws -> String {
            let id = try #require(executor.respond(to: call(request, isTracing: true)).tracingID)
            let rows = try store.execute(
                "SELECT client, parameters FROM system_traces.sessions WHERE session_id = ?", [.uuid(id)])
            return rows.map { $0.values.map(\.description).joined(separator: " ") }.joined()
        }
        var paged = QueryParameters()
        paged.consistency = .quorum
        paged.pageSize = 50
        var conditional = QueryParameters()
        conditional.serialConsistency = .localSerial
        let insert = "INSERT INTO ks.t (a, b) VALUES (1, 1) IF NOT EXISTS"
        let id = try prepare(insert).id
        for (request, levels, pageSize, text, serial) in [
            (.query("SELECT a FROM ks.t", paged), "QUORUM", "'page_size': '50', ", "SELECT a FROM ks.t", "SERIAL"),
            (.query("SELEC", paged), "QUORUM", "'page_size': '50', ", "SELEC", "SERIAL"),
            (.execute(id: id, resultMetadataID: nil, conditional), "LOCAL_ONE", "", insert, "LOCAL_SERIAL"),
            (try batch("DELETE FROM ks.t WHERE a = 1"), "ONE", "", nil, "SERIAL"),
        ] as [(Request, String, String, String?, String)] {
            let query = text.map { "'query': '\($0)', " } ?? ""
            #expect(
                try session(request) == "'10.0.0.7' {'consistency_level': '\(levels)', \(pageSize)\(query)"
                    + "'serial_consistency_level': '\(serial)'}")
        }
        #expect(
            try session(.prepare("SELECT a FROM ks.t", keyspace: nil)) == "'10.0.0.7' {'query': 'SELECT a FROM ks.t'}")
    }

    /// What a traced request's session says of the values bound to its markers.
    private func boundValues(_ response: Response) throws -> [String: String] {
        let id = try #require(response.tracingID)
        let rows = try store.execute("SELECT parameters FROM system_traces.sessions WHERE session_id = ?", [.uuid(id)])
        guard case .map(let entries) = try #require(rows.first)[0] else { return [:] }
        var texts: [String: String] = [:]
        for case (.text(let key), .text(let value)) in entries.map({ ($0.key, $0.value) })
        where key.hasPrefix("bound_var_") {
            texts[key] = value
        }
        return texts
    }

    @Test("the trace of a prepared statement has its values, as literals, by number and name of their markers")
    func boundValuesOfTraces() throws {
        try store.execute("CREATE TABLE ks.w (a int PRIMARY KEY, t text, b blob, l list<int>, d date)")
        let insert = try prepare("INSERT INTO ks.w (a, t, b, l, d) VALUES (?, ?, ?, ?, ?)").id
        let list = WireValue.bytes(RequestBytes().int(2).value([0, 0, 0, 1]).value([0, 0, 0, 2]).bytes)
        let long = String(repeating: "x", count: 998)
        for (values, texts) in [
            (
                [int(1), .bytes(Array("it's".utf8)), .bytes([0xCA, 0xFE]), list, .bytes([0x80, 0, 0, 0])],
                ["1", "'it''s'", "0xcafe", "[1, 2]", "'1970-01-01'"]
            ),
            ([int(1), .null, .null, .null, .null], ["1", "null", "null", "null", "null"]),
            ([int(1), .unset, .unset, .unset, .unset], ["1", "''", "0x", "null", "null"]),
            (
                [int(1), .bytes(Array(long.utf8)), .bytes([UInt8](repeating: 1, count: 500)), .null, .null],
                ["1", "'\(long)'", "0x" + String(repeating: "01", count: 499) + "...'", "null", "null"]
            ),
            // The quote in front is one of the thousand.
            ([int(1), .bytes(Array((long + "xy").utf8))], ["1", "'\(long)x...'"]),
            // What is refused is told as it came.
            ([.bytes([7]), .bytes([0xFF])], ["0x07", "0xff"]),
        ] as [([WireValue], [String])] {
            var parameters = QueryParameters()
            parameters.values = .positional(values)
            let request = Request.execute(id: insert, resultMetadataID: nil, parameters)
            let response = executor.respond(to: call(request, isTracing: true))
            #expect((error(response) == nil) == (values.count == 5))
            let names = ["0_a", "1_t", "2_b", "3_l", "4_d"].map { "bound_var_\($0)" }
            #expect(try boundValues(response) == Dictionary(uniqueKeysWithValues: zip(names, texts)))
        }
    }

    @Test("values of a trace are named as their markers are, whichever order they come in; those of QUERY it lacks")
    func namedValuesOfTraces() throws {
        let text = "SELECT * FROM ks.t WHERE a = :key AND b IN (:x, ?) LIMIT ?"
        let select = try prepare(text).id
        var parameters = QueryParameters()
        parameters.values = .named([
            "key": int(1), "x": int(2), "b": int(3), "[limit]": int(4), "in(b)": int(3), "nosuch": int(5),
        ])
        let response = executor.respond(
            to: call(.execute(id: select, resultMetadataID: nil, parameters), isTracing: true))
        let names = try store.prepare(text).markers.map(\.name)
        #expect(error(response) == nil && names.first == "key" && names.last == "[limit]")
        let texts = ["1", "2", "3", "4"].enumerated().map { ("bound_var_\($0.offset)_\(names[$0.offset])", $0.element) }
        #expect(try boundValues(response) == Dictionary(uniqueKeysWithValues: texts))
        let query = executor.respond(to: call(.query(text, parameters), isTracing: true))
        #expect(try boundValues(query) == [:])
    }

    @Test("what is refused before it is executed has a trace too, where one was asked for")
    func tracesOfRefusals() throws {
        let insert = try prepare("INSERT INTO ks.t (a, b, v) VALUES (?, ?, 'p')")
        for (request, kind, text) in [
            (.query("SELEC * FROM ks.t", QueryParameters()), "Execute CQL3 query", "SELEC * FROM ks.t"),
            (.query("SELECT * FROM ks.nosuch", QueryParameters()), "Execute CQL3 query", "SELECT * FROM ks.nosuch"),
            (
                .query("SELECT * FROM ks.t WHERE a = ?", QueryParameters()), "Execute CQL3 query",
                "SELECT * FROM ks.t WHERE a = ?"
            ),
            (.prepare("SELEC * FROM ks.t", keyspace: nil), "Preparing CQL3 query", "SELEC * FROM ks.t"),
            (
                .execute(id: insert.id, resultMetadataID: nil, QueryParameters()), "Execute CQL3 prepared query",
                "INSERT INTO ks.t (a, b, v) VALUES (?, ?, 'p')"
            ),
            (.execute(id: [1, 2], resultMetadataID: nil, QueryParameters()), "Execute CQL3 prepared query", ""),
            (try batch("INSERT INTO ks.nosuch (a) VALUES (1)"), "Execute batch of CQL3 queries", nil),
        ] as [(Request, String, String?)] {
            let untraced = executor.respond(to: call(request))
            #expect(error(untraced) != nil && untraced.tracingID == nil)
            let response = executor.respond(to: call(request, isTracing: true))
            #expect(error(response) == error(untraced))
            #expect(try session(of: response) == [.text(kind), text.map { .text($0) } ?? .null])
        }
    }

    @Test("a read that passes too many tombstones is a failure of the one replica, with the reason in version 5")
    func tombstones() throws {
        var limits = StatementLimits()
        limits.tombstoneWarningCount = 1
        limits.tombstoneFailureCount = 2
        let store = try WideColumnStore(storage: .inMemory(), limits: limits)
        try store.execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE ks.t (a int PRIMARY KEY)")
        let executor = try RequestExecutor(store, PreparedStatements(), durability: .buffered)
        func select() -> Response {
            executor.respond(to: call(.query("SELECT * FROM ks.t", QueryParameters())))
        }
        for a in 1...2 { try store.execute("DELETE FROM ks.t WHERE a = ?", [.int(Int32(a))]) }
        #expect(
            select().warnings.map { $0.hasPrefix("Read 0 live rows and 2 tombstone cells for query SELECT") } == [true])
        try store.execute("DELETE FROM ks.t WHERE a = 3")
        let failure = try #require(error(select()))
        #expect(failure.message.hasPrefix("Scanned over 3 tombstones during query 'SELECT * FROM ks.t' (last scanned"))
        var writer = WireWriter()
        failure.write(to: &writer, .v5)
        // Code, message, consistency LOCAL_ONE, none of one answered; one failure, at 127.0.0.1, by tombstones; no data.
        let expected = RequestBytes().int(0x1300).string(failure.message).short(0x0A).int(0).int(1)
        #expect(writer.bytes == expected.int(1).byte(4).byte(127).byte(0).byte(0).byte(1).short(1).byte(0).bytes)
        writer = WireWriter()
        failure.write(to: &writer, .v4)
        #expect(writer.bytes == expected.int(1).byte(0).bytes)
        var parameters = QueryParameters()
        parameters.consistency = .quorum
        let other = error(executor.respond(to: call(.query("SELECT * FROM ks.t", parameters))))
        guard case .readFailure(let replicas, _, _) = other?.code else {
            Issue.record("no failure")
            return
        }
        #expect(replicas == ErrorMessage.Replicas(consistency: .quorum, received: 0, required: 1))
    }

    @Test("schema statements answer with the change, and what exists is named")
    func schema() throws {
        guard case .schemaChange(let change) = query("CREATE TYPE ks.p (x int)").message else {
            Issue.record("no change")
            return
        }
        #expect(change == SchemaChange(kind: .created, target: .type, keyspace: "ks", name: "p"))
        guard case .void = query("CREATE TABLE IF NOT EXISTS ks.t (a int PRIMARY KEY)").message else {
            Issue.record("a change where nothing changed")
            return
        }
        #expect(
            error(query("CREATE TABLE ks.t (a int PRIMARY KEY)"))?.code == .alreadyExists(keyspace: "ks", table: "t"))
        #expect(
            error(query("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"))?
                .code == .alreadyExists(keyspace: "ks", table: ""))
        #expect(error(query("SELEKT"))?.code == .syntaxError)
    }

    @Test("a user for whom columns are masked sees masks, in texts, prepared statements and batches")
    func masks() throws {
        try store.execute("ALTER TABLE ks.t ALTER v MASKED WITH DEFAULT")
        try store.execute("INSERT INTO ks.t (a, b, v) VALUES (1, 1, 'secret')")
        let select = "SELECT v FROM ks.t WHERE a = 1"
        let statement = try prepare(select)
        #expect(rows(query(select))?.result.first?[0] == .text("secret"))
        executor.maskColumns(for: "clerk")
        #expect(rows(query(select))?.result.first?[0] == .text("****"))
        let executed = execute(statement.id, metadataID: statement.resultMetadataID)
        #expect(rows(executed)?.result.first?[0] == .text("****"))
        let condition = "UPDATE ks.t SET v = 'x' WHERE a = 1 AND b = 1 IF v = 'y'"
        #expect(rows(query(condition))?.result.first?["v"] == .text("****"))
        #expect(error(query("SELECT a FROM ks.t WHERE v = 'x' ALLOW FILTERING"))?.code == .unauthorized)
        let drop = "ALTER TABLE ks.t ALTER v DROP MASKED"
        let failures = [error(query(drop)), error(execute(try prepare(drop).id, metadataID: nil))]
        for failure in failures {
            #expect(failure?.code == .unauthorized)
            #expect(
                failure?.message == "User clerk has no ALTER permission on <table ks.t> or any of its parents")
        }
        #expect(rows(query(select))?.result.first?[0] == .text("****"))
    }

    @Test("rows have each value with its length in front, null as -1")
    func wireRows() throws {
        try store.execute("INSERT INTO ks.t (a, b, v) VALUES (1, 2, 'é')")
        try store.execute("INSERT INTO ks.t (a, b) VALUES (1, 3)")
        var bytes: [UInt8] = []
        try store.execute("SELECT * FROM ks.t").appendWireRows(to: &bytes)
        let first = RequestBytes().value([0, 0, 0, 1]).value([0, 0, 0, 2]).value(Array("é".utf8))
        #expect(bytes == first.value([0, 0, 0, 1]).value([0, 0, 0, 3]).value(nil).bytes)
    }

    @Test("a result that is too large is refused while it is made, whatever it is selected by")
    func largeResults() throws {
        try store.execute("CREATE TABLE ks.w (a int, b int, v blob, l list<int>, PRIMARY KEY (a, b))")
        for b in 0..<100 {
            try store.execute("INSERT INTO ks.w (a, b, v) VALUES (1, ?, ?)", [.int(Int32(b)), .blob([1, 2, 3])])
        }
        // Four lengths of four bytes, two numbers, three bytes; a prefix of the key is there once.
        let texts = [
            "SELECT * FROM ks.w", "SELECT a, b FROM ks.w", "SELECT l, l, l FROM ks.w",
            "SELECT b, v FROM ks.w WHERE v > 0x00 ALLOW FILTERING", "SELECT writetime(v), v FROM ks.w",
        ]
        for text in texts {
            let statement = try store.prepare(text)
            var options = ExecutionOptions()
            options.maximumResultByteCount = 700
            let error = #expect(throws: CQLError.self, "\(text)") { try statement.execute([], options: options) }
            let message = error?.message ?? ""
            #expect(message.hasPrefix("Response is too big: length 7"), "\(text) \(message)")
            options.maximumResultByteCount = 10_000
            #expect(try statement.execute([], options: options).count == 100)
        }
    }

    @Test("beyond the capacity the statements that were used last stay")
    func eviction() throws {
        let few = PreparedStatements(capacity: 4)
        let ids = try (0..<4).map { try few.keep(store.prepare("SELECT * FROM ks.t LIMIT \($0 + 1)")) }
        _ = try few.entry(ids[0])
        let last = try few.keep(store.prepare("SELECT * FROM ks.t LIMIT 9"))
        #expect(throws: Never.self) { try few.entry(ids[0]) }
        #expect(throws: Never.self) { try few.entry(last) }
        #expect(throws: ErrorMessage.self) { try few.entry(ids[1]) }
        #expect(few.count <= 4)
    }

    @Test("prepared statements are bounded in bytes, and one that needs more than all may is refused")
    func preparedBytes() throws {
        func text(_ number: Int, _ byteCount: Int) -> String {
            "SELECT * FROM ks.t LIMIT \(number) /*\(String(repeating: "x", count: byteCount))*/"
        }
        let few = PreparedStatements(byteCapacity: 1 << 20)
        var ids: [[UInt8]] = []
        for number in 1...100 {
            ids.append(try few.keep(store.prepare(text(number, 1000))))
            #expect(few.byteCount <= 1 << 20)
            #expect(throws: Never.self) { try few.entry(ids[0]) }
        }
        #expect(few.count > 20 && few.count < 70)
        #expect(throws: ErrorMessage.self) { try few.entry(ids[1]) }
        #expect(throws: Never.self) { try few.entry(ids[99]) }
        // A large one takes the room of many.
        let large = try few.keep(store.prepare(text(7, 60_000)))
        #expect(throws: Never.self) { try few.entry(large) }
        #expect(few.byteCount <= 1 << 20)
        let error = #expect(throws: CQLError.self) { try few.keep(store.prepare(text(8, 70_000))) }
        #expect(error?.code == .invalidRequest)
        #expect(
            error?.message.hasPrefix("Prepared statement of size 1121") == true
                && error?.message.contains("bytes is larger than allowed maximum of 1 MB: SELECT * FROM ks.t") == true)
        #expect(throws: Never.self) { try few.entry(large) }
    }

    @Test("texts of other characters that Unicode holds to be the same are prepared as two statements")
    func preparedCharacters() throws {
        let texts = ["\u{e9}", "e\u{301}"].map { "SELECT * FROM ks.t WHERE v = '\($0)' ALLOW FILTERING" }
        let ids = try texts.map { try prepared.keep(store.prepare($0)) }
        #expect(ids[0] != ids[1])
        for (id, text) in zip(ids, texts) {
            #expect(try prepared.entry(id).statement.cql.utf8.elementsEqual(text.utf8))
        }
    }
}

extension PreparedStatements {
    /// Keeps a statement of which a client is told what it says.
    fileprivate func keep(_ statement: PreparedStatement) throws -> [UInt8] {
        let id = Self.id(statement)
        let columns = statement.resultColumns
        try keep(
            statement,
            PreparedMessage(
                id: id, resultMetadataID: columns.metadataID, markers: statement.markers,
                partitionKeyMarkers: statement.partitionKeyMarkers, resultColumns: columns))
        return id
    }
}
