import StorageTypes
import Testing

@testable import CQLServer
@testable import WideColumnEngine

@Suite("Requests and responses")
struct MessageTests {
    private func request(_ opcode: UInt8, _ body: RequestBytes, _ version: ProtocolVersion = .v4) throws -> Request {
        var reader = WireReader(body.bytes)
        let request = try Request(opcode, &reader, version)
        #expect(reader.remainingByteCount == 0)
        return request
    }

    @Test("QUERY has all parameters that its flags announce, in version 4")
    func query() throws {
        let body = RequestBytes().longString("SELECT").short(6).byte(0x7F)
            .short(3).string("a").value([1]).string("b").value(nil).string("c").int(-2)
            .int(50).value([9, 9]).short(9).long(77)
        guard case .query("SELECT", let parameters) = try request(7, body) else {
            Issue.record("no query")
            return
        }
        #expect(parameters.consistency == .localQuorum)
        #expect(parameters.values == .named(["a": .bytes([1]), "b": .null, "c": .unset]))
        #expect(parameters.skipsMetadata && parameters.pageSize == 50 && parameters.pagingState == [9, 9])
        #expect(parameters.serialConsistency == .localSerial && parameters.timestamp == 77)
        #expect(parameters.keyspace == nil && parameters.nowInSeconds == nil)
    }

    @Test("version 5 adds the keyspace and the time")
    func queryInVersion5() throws {
        let body = RequestBytes().longString("SELECT").short(1).int(0x181).short(1).value([5]).string("ks").int(1234)
        guard case .query("SELECT", let parameters) = try request(7, body, .v5) else {
            Issue.record("no query")
            return
        }
        #expect(parameters.values == .positional([.bytes([5])]))
        #expect(parameters.keyspace == "ks" && parameters.nowInSeconds == 1234)
    }

    @Test("EXECUTE, PREPARE, BATCH, REGISTER and AUTH_RESPONSE are read in both versions")
    func others() throws {
        let short = RequestBytes().short(1)
        #expect(
            try request(0x0A, RequestBytes().shortBytes([1, 2]).short(1).byte(0))
                == .execute(id: [1, 2], resultMetadataID: nil, parameters(.one)))
        #expect(
            try request(0x0A, RequestBytes().shortBytes([1, 2]).shortBytes([3]).short(1).int(0), .v5)
                == .execute(id: [1, 2], resultMetadataID: [3], parameters(.one)))
        #expect(try request(0x09, RequestBytes().longString("x")) == .prepare("x", keyspace: nil))
        #expect(
            try request(0x09, RequestBytes().longString("x").int(1).string("ks"), .v5) == .prepare("x", keyspace: "ks"))
        #expect(try request(0x0B, short.string("SCHEMA_CHANGE")) == .register(["SCHEMA_CHANGE"]))
        #expect(try request(0x0F, RequestBytes().value(nil)) == .authResponse(nil))
        let statements = RequestBytes().byte(2).short(2).byte(0).longString("q").short(1).value([1])
            .byte(1).shortBytes([7]).short(0)
        guard case .batch(let batch) = try request(0x0D, statements.short(1).byte(0x20).long(5)) else {
            Issue.record("no batch")
            return
        }
        #expect(batch.kind == .counter && batch.parameters.timestamp == 5)
        #expect(batch.statements.map(\.text) == [.query("q"), .prepared(id: [7])])
        #expect(try batch.statements.map { try $0.values.read() } == [[.bytes([1])], []])
        #expect(batch.statements.map(\.values.count) == [1, 0])
        #expect(throws: CQLError.self) { try request(0x0D, RequestBytes().byte(3)) }
    }

    @Test("a BATCH has fields for what means nothing to it, which are read and forgotten; those behind them count")
    func batchFlags() throws {
        let start = RequestBytes().byte(0).short(0).short(1)
        for (flags, fields) in [
            (0x40, RequestBytes()), (0x02, RequestBytes()), (0x04, RequestBytes().int(5)),
            (0x01, RequestBytes().short(2).value([1]).value(nil)), (0x08, RequestBytes().value([1, 2])),
            (0x4E, RequestBytes().int(5).value([1, 2])), (0x0F, RequestBytes().short(0).int(5).value([1, 2])),
        ] as [(UInt8, RequestBytes)] {
            var expected = parameters(.one)
            #expect(try batch(RequestBytes(bytes: start.byte(flags).bytes + fields.bytes)).parameters == expected)
            expected.serialConsistency = .localSerial
            expected.timestamp = 77
            let all = RequestBytes(bytes: start.byte(flags | 0x30).bytes + fields.bytes).short(9).long(77)
            #expect(try batch(all).parameters == expected)
            expected.keyspace = "ks"
            expected.nowInSeconds = 3
            let later = RequestBytes(bytes: start.int(Int(flags) | 0x1B0).bytes + fields.bytes).short(9).long(77)
            #expect(try batch(later.string("ks").int(3), .v5).parameters == expected)
        }
    }

    private func batch(_ body: RequestBytes, _ version: ProtocolVersion = .v4) throws -> BatchRequest {
        guard case .batch(let batch) = try request(0x0D, body, version) else {
            throw CQLError(.serverError, "no batch")
        }
        return batch
    }

    @Test("a size of pages of 0, or below, means none", arguments: [0, -1, Int(Int32.min)])
    func unpaged(_ size: Int) throws {
        let pages = RequestBytes().longString("q").short(1).byte(0x04)
        #expect(try request(0x07, pages.int(size)) == .query("q", parameters(.one)))
    }

    private func parameters(_ consistency: Consistency) -> QueryParameters {
        var parameters = QueryParameters()
        parameters.consistency = consistency
        return parameters
    }

    @Test("what is malformed is a protocol error that says what is wrong")
    func malformed() {
        func message(_ opcode: UInt8, _ body: RequestBytes) -> String? {
            let error = #expect(throws: CQLError.self) { try request(opcode, body) }
            #expect(error?.code == .protocolError || error?.code == .invalidRequest)
            return error?.message
        }
        #expect(message(0x44, RequestBytes()) == "Unknown opcode 68")
        #expect(
            message(0x08, RequestBytes())
                == "Wrong protocol direction (expected RESPONSE, got REQUEST) for opcode 8 (RESULT)")
        #expect(
            message(0x00, RequestBytes())
                == "Wrong protocol direction (expected RESPONSE, got REQUEST) for opcode 0 (ERROR)")
        #expect(message(0x07, RequestBytes().longString("q").short(99)) == "Unknown code 99 for a consistency level")
        #expect(message(0x01, RequestBytes().short(1).shortBytes([0xFF])) == "Cannot decode string as UTF8")
        #expect(message(0x07, RequestBytes().int(-5)) != nil)
        #expect(message(0x07, RequestBytes().int(1_000_000)) != nil)
        #expect(message(0x07, RequestBytes().longString("q").short(1).byte(1).short(1).int(-3)) != nil)
        #expect(message(0x07, RequestBytes().longString("q").short(1).byte(0x20).long(.min)) != nil)
    }

    /// In version 4: what is refused, and with which text.
    private static let refusals: [(opcode: UInt8, body: RequestBytes, message: String)] = [
        (0x0D, RequestBytes().byte(3), "Invalid BATCH message type 3"),
        (
            0x0D, RequestBytes().byte(0).short(1).byte(2),
            "Invalid query kind in BATCH messages. Must be 0 or 1 but got 2"
        ),
        (
            0x0D, RequestBytes().byte(1).short(0).short(1).byte(0x41).short(1).string("a").value([1]),
            "Named values are not supported in BATCH messages"
        ),
        (
            0x0D, RequestBytes().byte(1).short(0).short(1).byte(0x41).short(0),
            "Named values are not supported in BATCH messages"
        ),
        (
            0x0D, RequestBytes().byte(1).short(0).short(1).byte(0x04),
            "Not enough bytes to read a message: 4 expected, 0 left"
        ),
        (
            0x0D, RequestBytes().byte(0).short(1).byte(0).longString("q").short(2).value([1]).int(-3),
            "Invalid ByteBuf length -3"
        ),
        (
            0x0D, RequestBytes().byte(0).short(1).byte(0).longString("q").short(2).value([1]).int(9).byte(1),
            "Not enough bytes to read a message: 9 expected, 1 left"
        ),
        (
            0x07, RequestBytes().longString("q").short(1).byte(1).short(1).int(Int(Int32.min)),
            "Invalid ByteBuf length -2147483648"
        ),
        (0x07, RequestBytes().int(5).byte(0x41), "Not enough bytes to read a message: 5 expected, 1 left"),
        (0x07, RequestBytes().int(-1), "Not enough bytes to read a message: -1 expected, 0 left"),
        (0x09, RequestBytes().byte(0), "Not enough bytes to read a message: 4 expected, 1 left"),
        (0x0A, RequestBytes().short(2).byte(0), "Not enough bytes to read a message: 2 expected, 1 left"),
        (0x0B, RequestBytes().short(1), "Not enough bytes to read a message: 2 expected, 0 left"),
    ]

    @Test("each kind of malformed body is refused with its text, as a protocol error", arguments: refusals.indices)
    func refusal(_ index: Int) {
        let (opcode, body, message) = Self.refusals[index]
        let error = #expect(throws: CQLError.self) { try request(opcode, body) }
        #expect(error?.code == .protocolError && error?.message == message)
    }

    @Test("a compressed body is refused where none was agreed on, or where it has no length")
    func compressedBodies() throws {
        let header = EnvelopeHeader(version: .v4, flags: .compression, stream: 1, opcode: 7, bodyByteCount: 3)
        let envelope = Envelope(header: header, body: [0, 0, 0])
        for (isAgreed, message) in [
            (false, "A compressed message came where no compression was agreed on"),
            (true, "Not enough bytes to read a message: 4 expected, 3 left"),
        ] {
            let compression = BodyCompression(isAgreed: isAgreed, largestByteCount: 100)
            let error = #expect(throws: CQLError.self) { try Request(envelope, compression: compression) }
            #expect(error?.code == .protocolError && error?.message == message)
        }
    }

    private func body(_ message: Response.Message, _ version: ProtocolVersion = .v4) -> [UInt8] {
        var writer = WireWriter()
        _ = Response(message).write(to: &writer, version)
        return writer.bytes
    }

    @Test("every error goes out with the fields that drivers read behind its text")
    func errors() {
        func fields(_ code: ErrorMessage.Code, _ version: ProtocolVersion = .v4) -> [UInt8] {
            let bytes = body(.error(ErrorMessage(code, "m")), version)
            #expect(Array(bytes.prefix(7)) == RequestBytes().int(Int(code.number)).string("m").bytes)
            return Array(bytes.dropFirst(7))
        }
        let replicas = ErrorMessage.Replicas(consistency: .quorum, received: 1, required: 2)
        let three = RequestBytes().short(4).int(1).int(2)
        #expect(fields(.unavailable(.quorum, required: 2, alive: 1)) == RequestBytes().short(4).int(2).int(1).bytes)
        #expect(fields(.writeTimeout(replicas, writeType: .batch)) == three.string("BATCH").bytes)
        #expect(fields(.writeTimeout(replicas, writeType: .compareAndSet), .v5) == three.string("CAS").short(0).bytes)
        #expect(fields(.readTimeout(replicas, isDataPresent: true)) == three.byte(1).bytes)
        let failures = [ErrorMessage.Failure(address: [127, 0, 0, 1], reason: 2)]
        #expect(fields(.readFailure(replicas, failures: failures, isDataPresent: false)) == three.int(1).byte(0).bytes)
        let reasons = three.int(1).byte(4).byte(127).byte(0).byte(0).byte(1).short(2)
        #expect(fields(.readFailure(replicas, failures: failures, isDataPresent: false), .v5) == reasons.byte(0).bytes)
        #expect(
            fields(.writeFailure(replicas, failures: failures, writeType: .simple), .v5)
                == reasons.string("SIMPLE").bytes)
        #expect(
            fields(.functionFailure(keyspace: "k", function: "f", argumentTypes: ["int"]))
                == RequestBytes().string("k").string("f").short(1).string("int").bytes)
        #expect(fields(.conditionOutcomeUnknown(replicas), .v5) == three.bytes)
        #expect(fields(.alreadyExists(keyspace: "k", table: "t")) == RequestBytes().string("k").string("t").bytes)
        #expect(fields(.unprepared(id: [1, 2])) == RequestBytes().shortBytes([1, 2]).bytes)
        for code: ErrorMessage.Code in [
            .serverError, .protocolError, .badCredentials, .overloaded, .isBootstrapping, .truncateError, .syntaxError,
            .unauthorized, .invalid, .configurationError, .changeDataCaptureFailure,
        ] {
            #expect(fields(code) == [])
        }
    }

    @Test("every error of the engine has its own code on the wire, and what is unknown is a write's time-out")
    func engineErrors() {
        for code in CQLError.Code.allCases {
            #expect(ErrorMessage(CQLError(code, "m")).code.number == code.rawValue)
        }
        #expect(ErrorMessage(StorageError(.commitOutcomeUnknown, "m"), writeType: .batch).code.number == 0x1100)
        let unknown = ErrorMessage(
            StorageError(.commitOutcomeUnknown, "m"), consistency: .quorum, serialConsistency: .localSerial,
            writeType: .compareAndSet)
        // Of a condition, at the level of conditions. Version 4 has no such code.
        #expect(unknown.code == .conditionOutcomeUnknown(ErrorMessage.Replicas(consistency: .localSerial)))
        let replicas = RequestBytes().string(unknown.message).short(9).int(0).int(1).bytes
        #expect(body(.error(unknown), .v5) == RequestBytes().int(0x1700).bytes + replicas)
        let type = RequestBytes().string("CAS").bytes
        #expect(body(.error(unknown)) == RequestBytes().int(0x1100).bytes + replicas + type)
        for code in [CQLError.Code.writeTimeout, .writeFailure] {
            let failed = body(.error(ErrorMessage(CQLError(code, "m"), writeType: .counter)))
            #expect(Array(failed.suffix(9)) == RequestBytes().string("COUNTER").bytes)
        }
        #expect(ErrorMessage(StorageError(.diskFull, "m")).code.number == 0x1001)
        #expect(ErrorMessage(StorageError(.poisoned, "m")).code.number == 0)
    }

    @Test("types are told by number, and by Cassandra's class where a version has none")
    func types() {
        func option(_ type: CQLType, _ version: ProtocolVersion) -> [UInt8] {
            var writer = WireWriter()
            type.write(to: &writer, version)
            return writer.bytes
        }
        let package = "org.apache.cassandra.db.marshal."
        #expect(option(.frozen(.map(.text, .list(.int))), .v4) == [0, 0x21, 0, 0x0D, 0, 0x20, 0, 0x09])
        #expect(option(.tuple([.int, .set(.uuid)]), .v4) == [0, 0x31, 0, 2, 0, 9, 0, 0x22, 0, 0x0C])
        #expect(option(.duration, .v5) == [0, 0x15])
        #expect(option(.duration, .v4) == RequestBytes().short(0).string("\(package)DurationType").bytes)
        #expect(
            option(.vector(.float, 3), .v5)
                == RequestBytes().short(0).string("\(package)VectorType(\(package)FloatType , 3)").bytes)
        let type = UserType(keyspace: "ks", name: "ab", fields: [.init(name: "x", type: .int)])
        #expect(
            option(.userType(type), .v4)
                == RequestBytes().short(0x30).string("ks").string("ab").short(1).string("x").short(9).bytes)
        #expect(
            CQLType.vector(.frozen(.userType(type)), 2).className
                == "\(package)VectorType(\(package)UserType(ks,6162,78:\(package)Int32Type) , 2)")
    }

    @Test("the tracing id, then the warnings, stand before the body, and flags say so")
    func prefix() {
        var response = Response(.void)
        response.tracingID = CQLUUID(mostSignificantBits: 1, leastSignificantBits: 2)
        response.warnings = ["w"]
        let body = RequestBytes().long(1).long(2).short(1).string("w").int(1)
        var writer = WireWriter()
        #expect(response.write(to: &writer, .v4) == [.tracing, .warning])
        #expect(writer.bytes == body.bytes)
        // As an envelope: a response, with tracing and warnings.
        let envelope = RequestBytes().byte(0x84).byte(0x0A).short(7).byte(8).int(body.bytes.count).bytes + body.bytes
        #expect(EnvelopeEncoder(version: .v4).envelope(response, stream: 7) == envelope)
    }

    private func makeStore() throws -> WideColumnStore {
        let store = try WideColumnStore(storage: .inMemory())
        try store.execute(
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE ks.t (a int, b int, v text, PRIMARY KEY ((b, a)))")
        for a in 1...2 { try store.execute("INSERT INTO ks.t (a, b) VALUES (?, 0)", [.int(Int32(a))]) }
        return store
    }

    @Test("RESULT Rows: flags, columns, paging state, the new number of the metadata, then the columns and the rows")
    func rows() throws {
        let page = try makeStore().prepare("SELECT b, v FROM ks.t").execute(pageSize: 1)
        let state = try #require(page.pagingState?.bytes)
        let columns = RequestBytes().string("ks").string("t").string("b").short(9).string("v").short(0x0D).bytes
        let rows = RequestBytes().int(1).value([0, 0, 0, 0]).value(nil).bytes
        let start = RequestBytes().int(2)
        #expect(body(.rows(RowsMessage(result: page))) == start.int(0x03).int(2).value(state).bytes + columns + rows)
        // The columns are counted where they are left out.
        let skipping = RowsMessage(result: page, skipsMetadata: true)
        #expect(body(.rows(skipping)) == start.int(0x06).int(2).value(state).bytes + rows)
        let changed = RowsMessage(result: page, skipsMetadata: true, changedMetadataID: [7, 8])
        #expect(
            body(.rows(changed), .v5) == start.int(0x0B).int(2).value(state).shortBytes([7, 8]).bytes + columns + rows)
    }

    @Test("RESULT Prepared: its ids, the markers with those of the partition key, and the columns, if there are any")
    func prepared() throws {
        let store = try makeStore()
        func message(_ text: String) throws -> PreparedMessage {
            let statement = try store.prepare(text)
            return PreparedMessage(
                id: [1, 2], resultMetadataID: [3], markers: statement.markers,
                partitionKeyMarkers: statement.partitionKeyMarkers, resultColumns: statement.resultColumns)
        }
        let insert = try message("INSERT INTO ks.t (v, a, b) VALUES (?, ?, ?)")
        let markers = RequestBytes().int(1).int(3).int(2).short(2).short(1).string("ks").string("t")
            .string("v").short(0x0D).string("a").short(9).string("b").short(9)
        // Without a result there are no columns: flag 4.
        #expect(
            body(.prepared(insert)) == RequestBytes().int(4).shortBytes([1, 2]).bytes + markers.int(4).int(0).bytes)
        #expect(
            body(.prepared(insert), .v5)
                == RequestBytes().int(4).shortBytes([1, 2]).shortBytes([3]).bytes + markers.int(4).int(0).bytes)
        let select = try message("SELECT v FROM ks.t")
        let columns = RequestBytes().int(1).int(1).string("ks").string("t").string("v").short(0x0D)
        #expect(
            body(.prepared(select))
                == RequestBytes().int(4).shortBytes([1, 2]).int(0).int(0).int(0).bytes + columns.bytes)
    }

    @Test("changes of the schema, keyspaces and SUPPORTED have their bytes")
    func small() {
        let change = SchemaChange(kind: .updated, target: .table, keyspace: "k", name: "t")
        let bytes = RequestBytes().string("UPDATED").string("TABLE").string("k").string("t").bytes
        #expect(body(.schemaChange(change)) == [0, 0, 0, 5] + bytes)
        #expect(body(.schemaChangeEvent(change)) == RequestBytes().string("SCHEMA_CHANGE").bytes + bytes)
        let keyspace = SchemaChange(kind: .dropped, target: .keyspace, keyspace: "k")
        #expect(
            body(.schemaChange(keyspace))
                == RequestBytes().int(5).string("DROPPED").string("KEYSPACE").string("k").bytes)
        #expect(body(.setKeyspace("k")) == RequestBytes().int(3).string("k").bytes)
        #expect(
            body(.supported([("A", ["x", "y"])]))
                == RequestBytes().short(1).string("A").short(2).string("x").string("y").bytes)
        #expect(body(.authenticate(className: "c")) == RequestBytes().string("c").bytes)
        #expect(body(.authSuccess) == [0xFF, 0xFF, 0xFF, 0xFF])
    }

    @Test("a text beyond 65,535 bytes is cut at the end of a character")
    func longText() {
        var writer = WireWriter()
        writer.string(String(repeating: "é", count: 40_000))
        #expect(writer.bytes.count == 2 + 65_534)
        var reader = WireReader(writer.bytes)
        #expect(throws: Never.self) { try reader.string() }
    }
}
