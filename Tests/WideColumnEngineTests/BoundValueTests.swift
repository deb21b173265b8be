// BoundValueTests.swift — null, unset and odd values for the markers of every clause ([CA] cql3/Attributes.java, Validation,
// terms, restrictions: what `bindAndGet` is followed by).

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Conformance: values of markers")
struct BoundValueTests {
    private let clock = ManualClock()

    private func makeTables() throws -> WideColumnStore {
        let store = try makeStore(clock)
        for cql in [
            "CREATE TABLE t (k int, c int, d int, v int, l list<int>, m map<text, int>, st set<int>, PRIMARY KEY (k, c, d))",
            "CREATE TABLE n (k int PRIMARY KEY, n counter)",
            "CREATE TABLE e (k int PRIMARY KEY, v int) WITH default_time_to_live = 100",
            "INSERT INTO t (k, c, d, v, l, m, st) VALUES (1, 1, 1, 1, [1, 2], {'a': 1}, {1})",
            "CREATE TABLE o (k int PRIMARY KEY, u timeuuid, d duration)",
            "INSERT INTO t (k, c, d, v) VALUES (1, 1, 2, 2)", "UPDATE n SET n = n + 1 WHERE k = 1",
        ] { try store.execute(cql) }
        return store
    }

    @Test(
        "refusals have Cassandra's words",
        arguments: [
            ("SELECT * FROM t WHERE k = ?", [.null], "Invalid null value for column k"),
            ("SELECT * FROM t WHERE k = ?", [.unset], "Invalid unset value for column k"),
            ("SELECT * FROM t WHERE k IN ?", [.null], "Invalid null value for column k"),
            ("SELECT * FROM t WHERE k IN ?", [.unset], "Invalid unset value for column k"),
            ("SELECT * FROM t WHERE k IN ?", [.list([.int(1), .null])], "Invalid null value for column k"),
            ("SELECT * FROM t WHERE k IN (?, ?)", [.int(1), .unset], "Invalid unset value for column k"),
            ("SELECT * FROM t WHERE k = 1 AND c > ?", [.null], "Invalid null value for column c"),
            ("SELECT * FROM t WHERE k = 1 AND c > ?", [.unset], "Invalid unset value for column c"),
            (
                "SELECT * FROM t WHERE k = 1 AND (c, d) = ?", [.tuple([.int(1), .null])],
                "Invalid null value for column d"
            ),
            ("SELECT * FROM t WHERE k = 1 AND (c, d) IN ?", [.null], "Invalid null value for column c"),
            ("SELECT * FROM t WHERE v = ? ALLOW FILTERING", [.null], "Unsupported null value for column v"),
            ("SELECT * FROM t WHERE v = ? ALLOW FILTERING", [.unset], "Unsupported unset value for column v"),
            ("SELECT * FROM t WHERE token(k) > ?", [.null], "Invalid null token value"),
            ("SELECT * FROM t LIMIT ?", [.null], "Invalid null value of limit"),
            ("SELECT * FROM t LIMIT ?", [.int(0)], "LIMIT must be strictly positive"),
            ("SELECT * FROM t LIMIT ?", [.int(-1)], "LIMIT must be strictly positive"),
            ("SELECT * FROM t PER PARTITION LIMIT ?", [.null], "Invalid null value of limit"),
            ("INSERT INTO t (k, c, d) VALUES (?, 1, 1)", [.null], "Invalid null value for column k"),
            ("INSERT INTO t (k, c, d) VALUES (?, 1, 1)", [.unset], "Invalid unset value for column k"),
            ("INSERT INTO t (k, c, d) VALUES (1, ?, 1)", [.unset], "Invalid unset value for column c"),
            ("UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = ?", [.null], "Invalid null value for column d"),
            ("DELETE FROM t WHERE k = 1 AND c = ?", [.unset], "Invalid unset value for column c"),
            ("INSERT INTO e (k) VALUES (1) USING TIMESTAMP ?", [.null], "Invalid null value of timestamp"),
            (
                "INSERT INTO e (k) VALUES (1) USING TIMESTAMP ?", [.bigint(.min)],
                "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807]"
            ),
            ("UPDATE e USING TIMESTAMP ? SET v = 1 WHERE k = 1", [.null], "Invalid null value of timestamp"),
            ("DELETE FROM e USING TIMESTAMP ? WHERE k = 1", [.null], "Invalid null value of timestamp"),
            (
                "BEGIN BATCH USING TIMESTAMP ? INSERT INTO e (k) VALUES (1); APPLY BATCH", [.null],
                "Invalid null value of timestamp"
            ),
            ("INSERT INTO e (k) VALUES (1) USING TTL ?", [.int(-1)], "A TTL must be greater or equal to 0, but was -1"),
            (
                "INSERT INTO e (k) VALUES (1) USING TTL ?", [.int(630_720_001)],
                "ttl is too large. requested (630720001) maximum (630720000)"
            ),
            ("UPDATE n SET n = n + ? WHERE k = 1", [.null], "Invalid null value for counter increment"),
            ("UPDATE t SET m[?] = 1 WHERE k = 1 AND c = 1 AND d = 1", [.null], "Invalid null map key"),
            ("UPDATE t SET m[?] = 1 WHERE k = 1 AND c = 1 AND d = 1", [.unset], "Invalid unset map key"),
            ("UPDATE t SET l[?] = 1 WHERE k = 1 AND c = 1 AND d = 1", [.null], "Invalid null value for list index"),
            ("UPDATE t SET l[?] = 1 WHERE k = 1 AND c = 1 AND d = 1", [.unset], "Invalid unset value for list index"),
            (
                "UPDATE t SET l[?] = 1 WHERE k = 1 AND c = 1 AND d = 1", [.int(2)],
                "List index 2 out of bound, list has size 2"
            ),
            (
                "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 IF v = ?", [.unset],
                "Invalid 'unset' value in condition"
            ),
            (
                "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 IF v > ?", [.null],
                "Invalid comparison with null for operator \">\""
            ),
            (
                "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 IF l CONTAINS ?", [.null],
                "Invalid comparison with null for operator \"CONTAINS\""
            ),
            (
                "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 IF m[?] = 1", [.null],
                "Invalid null value for map element access"
            ),
            (
                "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 IF l[?] = 1", [.int(-2)],
                "Invalid negative list index -2"
            ),
            (
                "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 IF v IN ?", [.null],
                "Invalid null list in IN condition"
            ),
            (
                "INSERT INTO o (k, u) VALUES (1, ?)",
                [.uuid(CQLUUID(mostSignificantBits: 0x4000, leastSignificantBits: 1 << 63))],
                "Invalid version for TimeUUID type."
            ),
            (
                "INSERT INTO o (k, d) VALUES (1, ?)", [.duration(CQLDuration(months: 1, days: -2, nanoseconds: 3))],
                "The duration months, days and nanoseconds must be all of the same sign (1, -2, 3)"
            ),
        ] as [(String, [CQLValue], String)])
    func refusals(cql: String, values: [CQLValue], message: String) throws {
        let store = try makeTables()
        expectInvalid(message) { try store.execute(cql, values) }
    }

    @Test("null elements of a collection's value are refused, wherever it goes", arguments: ["l", "st", "m"])
    func nullElements(column: String) throws {
        let store = try makeTables()
        let value: CQLValue =
            column == "m"
            ? .map([.init(key: .text("a"), value: .null)]) : column == "l" ? .list([.null]) : .set([.null])
        for cql in [
            "UPDATE t SET \(column) = ? WHERE k = 1 AND c = 1 AND d = 1",
            "UPDATE t SET \(column) = \(column) + ? WHERE k = 1 AND c = 1 AND d = 1",
        ] {
            let error = #expect(throws: CQLError.self) { try store.execute(cql, [value]) }
            #expect(error?.code == .invalidRequest)
        }
        #expect(try store.lines("SELECT l, st, m FROM t WHERE k = 1 AND c = 1 AND d = 1") == ["[1, 2] {1} {'a': 1}"])
    }

    @Test(
        "bytes of a length that no value has are refused with the words of Cassandra's serializers",
        arguments: [
            (.int, 3, "Expected 4 or 0 byte int (3)"), (.bigint, 4, "Expected 8 or 0 byte long (4)"),
            (.counter, 9, "Expected 8 or 0 byte long (9)"), (.boolean, 2, "Expected 1 or 0 byte value (2)"),
            (.smallint, 0, "Expected 2 bytes for a smallint (0)"), (.tinyint, 0, "Expected 1 byte for a tinyint (0)"),
            (.float, 8, "Expected 4 or 0 byte value for a float (8)"),
            (.double, 4, "Expected 8 or 0 byte value for a double (4)"),
            (.timestamp, 1, "Expected 8 or 0 byte long for date (1)"), (.date, 0, "Expected 4 byte long for date (0)"),
            (.time, 0, "Expected 8 byte long for time (0)"), (.uuid, 15, "UUID should be 16 or 0 bytes (15)"),
            (.timeuuid, 17, "UUID should be 16 or 0 bytes (17)"), (.decimal, 3, "Expected 0 or at least 4 bytes (3)"),
            (.duration, 2, "Expected at least 3 bytes for a duration (2)"),
            (.duration, 5, "Invalid value for type duration: 0x0707070707"),
            (.list(.int), 3, "Invalid value for type list<int>: 0x070707"),
        ] as [(CQLType, Int, String)])
    func lengths(type: CQLType, byteCount: Int, message: String) {
        expectInvalid(message) { _ = try CQLValue(wire: [UInt8](repeating: 7, count: byteCount), type: type) }
    }

    @Test("unset stands for a clause that is not there")
    func unset() throws {
        let store = try makeTables()
        #expect(try store.execute("SELECT * FROM t LIMIT ?", [.unset]).count == 2)
        #expect(try store.execute("SELECT * FROM t PER PARTITION LIMIT ?", [.unset]).count == 2)
        try store.execute("INSERT INTO e (k, v) VALUES (1, 1) USING TTL ?", [.unset])
        try store.execute("INSERT INTO e (k, v) VALUES (2, 1) USING TTL ?", [.null])
        try store.execute("INSERT INTO e (k, v) VALUES (3, 1) USING TTL ?", [.int(0)])
        #expect(try Set(store.lines("SELECT k, ttl(v) FROM e")) == ["1 100", "2 null", "3 null"])
        try store.execute("INSERT INTO e (k, v) VALUES (1, 5) USING TIMESTAMP ?", [.unset])
        #expect(try store.lines("SELECT v FROM e WHERE k = 1") == ["5"])
        try store.execute("UPDATE n SET n = n + ? WHERE k = 1", [.unset])
        #expect(try store.lines("SELECT n FROM n") == ["1"])
        try store.execute(
            "UPDATE t SET v = ?, l = ?, m = m + ? WHERE k = 1 AND c = 1 AND d = 1", [.unset, .unset, .unset])
        try store.execute("UPDATE t SET l[0] = ?, m['a'] = ? WHERE k = 1 AND c = 1 AND d = 1", [.unset, .unset])
        #expect(try store.lines("SELECT v, l, m FROM t WHERE k = 1 AND d = 1 AND c = 1") == ["1 [1, 2] {'a': 1}"])
        // An insert of unset values alone still makes the row.
        try store.execute("INSERT INTO t (k, c, d, v) VALUES (2, 1, 1, ?)", [.unset])
        #expect(try store.lines("SELECT v FROM t WHERE k = 2") == ["null"])
        // An update of unset values alone is nothing.
        try store.execute("UPDATE t SET v = ? WHERE k = 3 AND c = 1 AND d = 1", [.unset])
        #expect(try store.execute("SELECT v FROM t WHERE k = 3").isEmpty)
    }

    @Test("an unset value within a term deletes nothing")
    func unsetMembers() throws {
        let store = try makeTables()
        try store.execute("CREATE TYPE u (a int, b text)")
        try store.execute(
            """
            CREATE TABLE x (k int PRIMARY KEY, l list<int>, st set<int>, m map<text, int>, n int, tu tuple<int, text>,
            f frozen<u>, o u, fl frozen<list<frozen<list<int>>>>, w vector<int, 2>)
            """)
        try store.execute(
            """
            INSERT INTO x (k, l, st, m, n, tu, f, o, fl, w)
            VALUES (1, [1], {1}, {'a': 1}, 1, (1, 'a'), {a: 1}, {a: 1}, [[1]], [1, 2])
            """)
        for (assignment, message) in [
            ("tu = (1, ?)", "Invalid unset value for tuple field number 1"),
            ("tu = (?, 'a')", "Invalid unset value for tuple field number 0"),
            ("f = {a: ?}", "Invalid unset value for field 'a' of user defined type u"),
            ("o = {b: ?}", "Invalid unset value for field 'b' of user defined type u"),
            ("n = 1 + ?", "Invalid unset value for argument in call to function _add"),
            ("n = -(int) ?", "Invalid unset value for argument in call to function _negate"),
            ("n = blobAsInt(?)", "Invalid unset value for argument in call to function blobasint"),
            ("m = {?: 1}", "Invalid unset map key"), ("m = m + {?: 1}", "Invalid unset map key"),
        ] {
            expectInvalid(message) { try store.execute("UPDATE x SET \(assignment) WHERE k = 1", [.unset]) }
        }
        for assignment in [
            "l = [?]", "l = [1, ?]", "l = l + [2, ?]", "l = [?] + l", "l = l - [?]", "st = {?}", "st = st + {2, ?}",
            "st = st - {?}", "m = {'b': ?}", "m = m + {'a': ?}", "m = m - {?}", "fl = [[1], [2, ?]]", "w = [2, ?]",
        ] { try store.execute("UPDATE x SET \(assignment) WHERE k = 1", [.unset]) }
        #expect(
            try store.lines("SELECT l, st, m, n, tu, f, o, fl, w FROM x")
                == ["[1] {1} {'a': 1} 1 (1, 'a') {a: 1, b: null} {a: 1, b: null} [[1]] [1, 2]"])
        expectInvalid("Invalid unset value for column c") {
            try store.execute("SELECT * FROM t WHERE k = 1 AND (c, d) = ?", [.unset])
        }
    }

    @Test("a marker of a SELECT list that needs a value is refused without one, whether or not there are rows")
    func selections() throws {
        let store = try makeTables()
        try store.execute("CREATE TABLE none (k int PRIMARY KEY, v int, at timestamp, m map<text, int>)")
        let argument = "Invalid unset value for argument in call to function"
        for (selector, value, message) in [
            ("blobAsInt(?)", .unset, "\(argument) blobasint"), ("v + ?", .unset, "\(argument) _add"),
            ("? % v", .unset, "\(argument) _modulo"), ("-(int) ?", .unset, "\(argument) _negate"),
            ("CAST(? AS text)", .unset, "\(argument) castastext"), ("sum(v * ?)", .unset, "\(argument) _multiply"),
            ("floor(at, ?)", .unset, "\(argument) floor"), ("to_json([v, ?])", .unset, "\(argument) to_json"),
            ("abs(abs((int) ?))", .unset, "\(argument) abs"), ("(int) ?", .unset, "Invalid unset value for selection"),
            ("m[?]", .unset, "Invalid unset value for element selection on m"),
            ("m[?]", .null, "Invalid null value for element selection on m"),
            ("writetime(m[?])", .unset, "Invalid unset value for element selection on m"),
            ("m[?..]", .null, "Invalid null value for slice selection on m"),
            ("m['a'..?]", .null, "Invalid null value for slice selection on m"),
        ] as [(String, CQLValue, String)] {
            expectInvalid(message) { try store.execute("SELECT \(selector) FROM none", [value]) }
        }
        // So is the literal null where it is to find something.
        for (selector, part) in [
            ("m[null]", "element"), ("ttl(m[null])", "element"), ("m[null..]", "slice"), ("m['a'..null]", "slice"),
        ] {
            expectInvalid("Invalid null value for \(part) selection on m") {
                try store.execute("SELECT \(selector) FROM none")
            }
        }
        try store.execute("INSERT INTO none (k, v, m) VALUES (1, 1, {'a': 1, 'b': 2})")
        for (selector, value, line) in [
            ("v + ?", .null, "null"), ("abs((int) ?)", .null, "null"), ("(int) ?", .null, "null"),
            ("m[?]", .text("b"), "2"), ("m[?..'a']", .unset, "{'a': 1}"), ("m['b'..?]", .unset, "{'b': 2}"),
        ] as [(String, CQLValue, String)] {
            #expect(try store.execute("SELECT \(selector) FROM none", [value]).map { "\($0[0])" } == [line])
        }
    }

    @Test("IF c CONTAINS looks into collections, frozen ones too")
    func contains() throws {
        let store = try makeTables()
        let update = "UPDATE t SET v = 9 WHERE k = 1 AND c = 1 AND d = 1 IF"
        #expect(try store.execute("\(update) l CONTAINS 2").wasApplied)
        #expect(try store.lines("\(update) l CONTAINS 3") == ["false [1, 2]"])
        #expect(try store.execute("\(update) st CONTAINS ?", [.int(1)]).wasApplied)
        #expect(try store.execute("\(update) m CONTAINS 1 AND m CONTAINS KEY 'a'").wasApplied)
        #expect(try !store.execute("\(update) m CONTAINS KEY 'b'").wasApplied)
        #expect(try !store.execute("UPDATE t SET v = 9 WHERE k = 7 AND c = 1 AND d = 1 IF l CONTAINS 2").wasApplied)
        expectInvalid("Cannot use CONTAINS on non-collection column v") { try store.execute("\(update) v CONTAINS 2") }
        expectInvalid("Cannot use CONTAINS KEY on non-map column l") { try store.execute("\(update) l CONTAINS KEY 2") }
        try store.execute("CREATE TABLE f (k int PRIMARY KEY, v int, f frozen<map<int, text>>)")
        try store.execute("INSERT INTO f (k, f) VALUES (1, {1: 'x'})")
        #expect(try store.execute("UPDATE f SET v = 1 WHERE k = 1 IF f CONTAINS 'x' AND f CONTAINS KEY 1").wasApplied)
        #expect(try !store.execute("UPDATE f SET v = 1 WHERE k = 1 IF f CONTAINS KEY 2").wasApplied)
    }

    @Test("a key may change by ALTER TYPE where it orders rows, not where it is hashed")
    func keysOfUserTypes() throws {
        let store = try makeTables()
        try store.execute("CREATE TYPE inner (a int)")
        try store.execute("CREATE TYPE u (i frozen<inner>, b int)")
        try store.execute("CREATE TABLE p (k frozen<u> PRIMARY KEY)")
        try store.execute("CREATE TABLE q (k int, c frozen<inner>, v int, PRIMARY KEY (k, c))")
        for type in ["u", "inner"] {
            expectInvalid(
                "Cannot add new field z of type int to user type ks.\(type) as the type is being used in partition key by "
                    + "the following tables: ks.p"
            ) { try store.execute("ALTER TYPE \(type) ADD z int") }
        }
        try store.execute("INSERT INTO q (k, c, v) VALUES (1, {a: 1}, 1)")
        try store.execute("INSERT INTO q (k, c, v) VALUES (1, {a: 2}, 2)")
        try store.execute("DROP TABLE p")
        try store.execute("ALTER TYPE inner ADD z int")
        #expect(try store.lines("SELECT c, v FROM q") == ["{a: 1, z: null} 1", "{a: 2, z: null} 2"])
        #expect(try store.lines("SELECT v FROM q WHERE k = 1 AND c = {a: 1}") == ["1"])
        #expect(try store.lines("SELECT v FROM q WHERE k = 1 AND c >= {a: 1}") == ["1", "2"])
        try store.execute("INSERT INTO q (k, c, v) VALUES (1, {a: 1}, 10)")
        try store.execute("INSERT INTO q (k, c, v) VALUES (1, {a: 1, z: 5}, 3)")
        #expect(try store.lines("SELECT v FROM q WHERE k = 1") == ["10", "3", "2"])
        try store.execute("DELETE FROM q WHERE k = 1 AND c = {a: 1}")
        #expect(try store.lines("SELECT v FROM q WHERE k = 1") == ["3", "2"])
    }

    @Test("clustering values of more than 65,535 bytes are refused, whichever way they are written")
    func longClustering() throws {
        let store = try makeTables()
        try store.execute("CREATE TABLE long (k int, c text, d blob, v int, l list<int>, PRIMARY KEY (k, c, d))")
        let (most, more) = (CQLValue.text(String(repeating: "x", count: 65_534)), CQLValue.blob([0, 0]))
        for cql in [
            "INSERT INTO long (k, c, d, v) VALUES (1, ?, ?, 1)", "INSERT INTO long (k, c, d, v) VALUES (1, ?, ?, null)",
            "UPDATE long SET v = 1 WHERE k = 1 AND c = ? AND d = ?",
            "UPDATE long SET l = l - [1] WHERE k = 1 AND c = ? AND d = ?",
        ] {
            expectInvalid("The sum of all clustering columns is too long (65536 > 65535)") {
                try store.execute(cql, [most, more])
            }
            try store.execute(cql, [most, .blob([0])])
        }
        let insert = try store.prepare("INSERT INTO long (k, c, d, v) VALUES (?, ?, ?, ?)")
        expectInvalid("The sum of all clustering columns is too long (65536 > 65535)") {
            try insert.execute([.int(2), most, more, .int(1)])
        }
        try insert.execute([.int(2), most, .blob([0]), .int(1)])
        #expect(try store.execute("SELECT k FROM long WHERE k = 2").count == 1)
    }

    @Test("what decimals can't write out is an error that says so")
    func decimals() throws {
        let store = try makeTables()
        try store.execute("CREATE TABLE de (k int PRIMARY KEY, v decimal)")
        try store.execute("INSERT INTO de (k, v) VALUES (1, 1e1000000000)")
        for operation in ["/", "%"] {
            expectInvalid(
                "the operation 'decimal \(operation) int' failed: the result has too many digits", .functionFailure
            ) { try store.execute("SELECT v \(operation) 3 FROM de") }
            expectInvalid("the operation 'decimal \(operation) int' failed: Division by zero", .functionFailure) {
                try store.execute("SELECT v \(operation) 0 FROM de")
            }
        }
    }

    @Test("WITH ID gives a table its identity, and ALTER TABLE can't change it")
    func identity() throws {
        let store = try makeTables()
        let id = "11111111-2222-3333-4444-555555555555"
        try store.execute("CREATE TABLE i (k int PRIMARY KEY, v int) WITH ID = \(id) AND comment = 'x'")
        try store.execute(
            "CREATE MATERIALIZED VIEW iv AS SELECT * FROM i WHERE k IS NOT NULL PRIMARY KEY (k) WITH ID = '\(id.replacing("1", with: "9"))'"
        )
        #expect(
            try store.lines("SELECT id FROM system_schema.tables WHERE keyspace_name = 'ks' AND table_name = 'i'") == [
                id
            ])
        let described = try #require(
            store.execute("DESCRIBE TABLE i WITH INTERNALS")[0]["create_statement", as: String.self])
        #expect(described.contains("ID = \(id)"))
        let plain = try #require(store.execute("DESCRIBE TABLE i")[0]["create_statement", as: String.self])
        #expect(!plain.lowercased().contains("id = "))
        expectInvalid("Cannot alter table id.", .configurationException) {
            try store.execute("ALTER TABLE i WITH ID = \(id)")
        }
        expectInvalid("Invalid table id", .configurationException) {
            try store.execute("CREATE TABLE j (k int PRIMARY KEY) WITH ID = 5")
        }
        try store.execute("DROP MATERIALIZED VIEW iv")
        try store.execute("DROP TABLE i")
        try store.execute(described)
        #expect(
            try store.lines("SELECT id FROM system_schema.tables WHERE keyspace_name = 'ks' AND table_name = 'i'") == [
                id
            ])
    }
}
