// ConformanceErrorTests.swift — each refusal that Cassandra's documentation and statement classes name, word by word and
// with its code ([CA] doc/native_protocol_v4.spec section 9; cql3/restrictions, cql3/statements, cql3/Attributes.java).

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Conformance: refusals")
struct ConformanceErrorTests {
    private func makeSchema() throws -> WideColumnStore {
        let store = try makeStore()
        for cql in [
            "CREATE TYPE u (a int, b text)",
            """
            CREATE TABLE t (k int, c int, d int, s int STATIC, v int, w text, l list<int>, m map<text, int>, st set<int>,
            f frozen<list<int>>, fm frozen<map<text, int>>, x u, PRIMARY KEY (k, c, d))
            """,
            "CREATE TABLE two (a int, b int, c int, v int, PRIMARY KEY ((a, b), c))",
            "CREATE TABLE n (k int, c int, n counter, o counter, PRIMARY KEY (k, c))",
            "CREATE TABLE simple (k text PRIMARY KEY, v int)",
            "CREATE TABLE dur (k int PRIMARY KEY, d duration)",
            "CREATE MATERIALIZED VIEW mv AS SELECT * FROM simple WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, k)",
        ] { try store.execute(cql) }
        return store
    }

    private func expect(_ cql: String, _ message: String, _ code: CQLError.Code = .invalidRequest) throws {
        let store = try makeSchema()
        do {
            try store.execute(cql)
            Issue.record("\(cql) was accepted, not refused: \(message)")
        } catch let error as CQLError {
            #expect((error.code, error.message) == (code, message), "\(cql)")
        }
    }

    private static let filtering =
        "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. "
        + "If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING"

    @Test(
        "restrictions",
        arguments: [
            ("SELECT * FROM t WHERE v = 1", filtering),
            ("SELECT * FROM t WHERE c = 1", filtering),
            ("SELECT * FROM two WHERE a = 1", filtering),
            ("SELECT * FROM t WHERE k = 1 AND v = 1", filtering),
            ("SELECT * FROM t WHERE m CONTAINS 1", filtering),
            ("SELECT * FROM t WHERE m CONTAINS KEY 'a'", filtering),
            ("SELECT * FROM t WHERE m['a'] = 1", filtering),
            (
                "SELECT * FROM t WHERE k > 1",
                "Only EQ and IN relation are supported on the partition key (unless you use the token() function)"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND d = 1",
                "PRIMARY KEY column \"d\" cannot be restricted as preceding column \"c\" is not restricted"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND c > 1 AND d = 1",
                "Clustering column \"d\" cannot be restricted (preceding column \"c\" is restricted by a non-EQ relation)"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND k = 2",
                "k cannot be restricted by more than one relation if it includes an Equal"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND c > 1 AND c >= 2",
                "More than one restriction was found for the start bound on c"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND c < 1 AND c <= 2",
                "More than one restriction was found for the end bound on c"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND (c, v) = (1, 1)",
                "Multi-column relations can only be applied to clustering columns but was applied to: v"
            ),
            (
                "SELECT * FROM t WHERE (k) = (1)",
                "Multi-column relations can only be applied to clustering columns but was applied to: k"
            ),
            (
                "SELECT * FROM two WHERE token(a) > 1",
                "The token() function must be applied to all partition key components or none of them"
            ),
            (
                "SELECT * FROM two WHERE token(b, a) > 1",
                "The token function arguments must be in the partition key order: a, b"
            ),
            ("SELECT * FROM t WHERE nosuch = 1", "Undefined column name nosuch in table ks.t"),
            ("SELECT nosuch FROM t", "Undefined column name nosuch in table ks.t"),
            ("INSERT INTO t (k, c, d, nosuch) VALUES (1, 1, 1, 1)", "Undefined column name nosuch in table ks.t"),
            ("SELECT * FROM t WHERE k = null", "Invalid null value for column k"),
            ("SELECT * FROM t WHERE k = 1 AND c = null", "Invalid null value for column c"),
            ("INSERT INTO t (k, c, d) VALUES (1, null, 1)", "Invalid null value for column c"),
            ("INSERT INTO simple (k) VALUES ('')", "Key may not be empty"),
            (
                "SELECT * FROM t WHERE l = [1]",
                "Collection column 'l' (list<int>) cannot be restricted by a '=' relation"
            ),
            ("SELECT * FROM t WHERE v CONTAINS 1", "Cannot use CONTAINS on non-collection column v"),
            ("SELECT * FROM t WHERE l CONTAINS KEY 1", "Cannot use CONTAINS KEY on non-map column l"),
            (
                "SELECT * FROM dur WHERE d > 1d ALLOW FILTERING",
                "Slice restrictions are not supported on duration columns"
            ),
            (
                "SELECT * FROM t WHERE v LIKE 'a%'",
                "LIKE restriction is only supported on properly indexed columns. v LIKE 'a%' is not valid."
            ),
            (
                "SELECT * FROM t WHERE fm['a'] = 1 ALLOW FILTERING",
                "Map-entry equality predicates on frozen map column fm are not supported"
            ),
            ("SELECT * FROM t WHERE x = {a: 1}", "Non-frozen UDT column 'x' (u) cannot be restricted by any relation"),
        ])
    func restrictions(cql: String, message: String) throws { try expect(cql, message) }

    @Test(
        "modifications",
        arguments: [
            ("INSERT INTO t (c, d) VALUES (1, 1)", "Some partition key parts are missing: k"),
            ("UPDATE two SET v = 1 WHERE a = 1 AND c = 1", "Some partition key parts are missing: b"),
            ("INSERT INTO t (k, c, v) VALUES (1, 1, 1)", "Some clustering keys are missing: d"),
            ("UPDATE t SET v = 1 WHERE k = 1", "Some clustering keys are missing: c, d"),
            ("UPDATE t SET v = 1 WHERE k = 1 AND d = 1", "Some clustering keys are missing: c"),
            ("UPDATE t SET v = 1 WHERE k = 1 AND (d) IN ((1))", "Some clustering keys are missing: c"),
            (
                "DELETE FROM t WHERE k = 1 AND d = 1",
                "PRIMARY KEY column \"d\" cannot be restricted as preceding column \"c\" is not restricted"
            ),
            (
                "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 AND w = 'a'",
                "Non PRIMARY KEY columns found in where clause: w "
            ),
            ("DELETE FROM t WHERE k = 1 AND w = 'a'", "Non PRIMARY KEY columns found in where clause: w "),
            (
                "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d > 1",
                "Slice restrictions are not supported on the clustering columns in UPDATE statements"
            ),
            ("DELETE v FROM t WHERE k = 1 AND c > 1", "Range deletions are not supported for specific columns"),
            ("DELETE v FROM t WHERE k = 1", "Range deletions are not supported for specific columns"),
            ("UPDATE t SET c = 1 WHERE k = 1 AND c = 1 AND d = 1", "PRIMARY KEY part c found in SET part"),
            (
                "DELETE c FROM t WHERE k = 1",
                "Invalid identifier c for deletion (should not be a PRIMARY KEY part)"
            ),
            ("INSERT INTO t (k, c) VALUES (1, 1, 1)", "Unmatched column names/values"),
            ("INSERT INTO t (k, c, d, v, v) VALUES (1, 1, 1, 1, 1)", "The column names contains duplicates"),
            (
                "INSERT INTO n (k, c, n) VALUES (1, 1, 1)",
                "INSERT statements are not allowed on counter tables, use UPDATE instead"
            ),
            (
                "UPDATE t SET v = v + 1 WHERE k = 1 AND c = 1 AND d = 1",
                "Invalid operation (v = v + 1) for non counter column v"
            ),
            (
                "UPDATE n SET n = 1 WHERE k = 1 AND c = 1",
                "Cannot set the value of counter column n (counters can only be incremented/decremented, not set)"
            ),
            (
                "UPDATE n USING TTL 5 SET n = n + 1 WHERE k = 1 AND c = 1",
                "Cannot provide custom TTL for counter updates"
            ),
            (
                "UPDATE n USING TIMESTAMP 5 SET n = n + 1 WHERE k = 1 AND c = 1",
                "Cannot provide custom timestamp for counter updates"
            ),
            (
                "UPDATE n SET n = n + 1 WHERE k = 1 AND c = 1 IF n = 1",
                "Conditional updates are not supported on counter tables"
            ),
            (
                "INSERT INTO t (k, c, d) VALUES (1, 1, 1) IF NOT EXISTS USING TIMESTAMP 5",
                "Cannot provide custom timestamp for conditional updates"
            ),
            (
                "UPDATE t SET v = 1 WHERE k = 1 AND c IN (1, 2) AND d = 1 IF v = 1",
                "IN on the clustering key columns is not supported with conditional updates"
            ),
            (
                "DELETE FROM t WHERE k = 1 AND c IN (1, 2) AND d = 1 IF EXISTS",
                "IN on the clustering key columns is not supported with conditional deletions"
            ),
            (
                "UPDATE t SET v = 1 WHERE k IN (1, 2) AND c = 1 AND d = 1 IF v = 1",
                "IN on the partition key is not supported with conditional updates"
            ),
            (
                "DELETE FROM t WHERE k = 1 AND c = 1 IF EXISTS",
                "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to delete non static columns"
            ),
            (
                "INSERT INTO t (k, c, d) VALUES (1, 1, 1) USING TTL -1",
                "A TTL must be greater or equal to 0, but was -1"
            ),
            (
                "INSERT INTO t (k, c, d) VALUES (1, 1, 1) USING TTL 630720001",
                "ttl is too large. requested (630720001) maximum (630720000)"
            ),
            (
                "INSERT INTO t (k, c, d) VALUES (1, 1, 1) USING TIMESTAMP -9223372036854775808",
                "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807]"
            ),
            ("UPDATE mv SET v = 1 WHERE v = 1 AND k = 'a'", "Cannot directly modify a materialized view"),
            ("INSERT INTO mv (k, v) VALUES ('a', 1)", "Cannot directly modify a materialized view"),
            ("DELETE FROM mv WHERE v = 1", "Cannot directly modify a materialized view"),
            ("TRUNCATE mv", "Cannot TRUNCATE materialized view directly; must truncate base table instead"),
            (
                "UPDATE t SET l[0] = 1 WHERE k = 1 AND c = 1 AND d = 1",
                "Attempted to set an element on a list which is null"
            ),
            (
                "DELETE l[0] FROM t WHERE k = 1 AND c = 1 AND d = 1",
                "Attempted to delete an element from a list which is null"
            ),
            ("UPDATE t SET m[null] = 1 WHERE k = 1 AND c = 1 AND d = 1", "Invalid null map key"),
            (
                "UPDATE t SET f = f + [1] WHERE k = 1 AND c = 1 AND d = 1",
                "Invalid operation (f = f + [1]) for frozen collection column f"
            ),
            (
                "UPDATE t SET v['a'] = 1 WHERE k = 1 AND c = 1 AND d = 1",
                "Invalid operation (v['a'] = 1) for non collection column v"
            ),
            (
                "DELETE v['a'] FROM t WHERE k = 1 AND c = 1 AND d = 1",
                "Invalid deletion operation for non collection column v"
            ),
            ("INSERT INTO t (k, c, d, v) VALUES (1, 1, 1, 'a')", "Invalid STRING constant (a) for \"v\" of type int"),
            ("INSERT INTO t (k, c, d, w) VALUES (1, 1, 1, 5)", "Invalid INTEGER constant (5) for \"w\" of type text"),
            ("INSERT INTO nosuch (k) VALUES (1)", "table nosuch does not exist"),
            ("INSERT INTO nosuch.t (k) VALUES (1)", "keyspace nosuch does not exist"),
        ])
    func modifications(cql: String, message: String) throws { try expect(cql, message) }

    @Test(
        "batches",
        arguments: [
            (
                "BEGIN BATCH INSERT INTO simple (k, v) VALUES ('a', 1) IF NOT EXISTS; INSERT INTO simple (k, v) VALUES ('b', 1); APPLY BATCH",
                "Batch with conditions cannot span multiple partitions"
            ),
            (
                "BEGIN BATCH INSERT INTO simple (k, v) VALUES ('a', 1) IF NOT EXISTS; INSERT INTO dur (k) VALUES (1); APPLY BATCH",
                "Batch with conditions cannot span multiple tables"
            ),
            (
                "BEGIN BATCH UPDATE n SET n = n + 1 WHERE k = 1 AND c = 1; APPLY BATCH",
                "Cannot include a counter statement in a logged batch"
            ),
            (
                "BEGIN COUNTER BATCH INSERT INTO simple (k, v) VALUES ('a', 1); APPLY BATCH",
                "Cannot include non-counter statement in a counter batch"
            ),
            (
                "BEGIN UNLOGGED BATCH INSERT INTO simple (k, v) VALUES ('a', 1); UPDATE n SET n = n + 1 WHERE k = 1 AND c = 1; APPLY BATCH",
                "Counter and non-counter mutations cannot exist in the same batch"
            ),
            (
                "BEGIN BATCH USING TTL 5 INSERT INTO simple (k, v) VALUES ('a', 1); APPLY BATCH",
                "Global TTL on the BATCH statement is not supported."
            ),
            (
                "BEGIN BATCH USING TIMESTAMP 1 INSERT INTO simple (k, v) VALUES ('a', 1) USING TIMESTAMP 2; APPLY BATCH",
                "Timestamp must be set either on BATCH or individual statements"
            ),
            (
                "BEGIN BATCH USING TIMESTAMP 1 INSERT INTO simple (k, v) VALUES ('a', 1) IF NOT EXISTS; APPLY BATCH",
                "Cannot provide custom timestamp for conditional BATCH"
            ),
            (
                "BEGIN COUNTER BATCH USING TIMESTAMP 1 UPDATE n SET n = n + 1 WHERE k = 1 AND c = 1; APPLY BATCH",
                "Cannot provide custom timestamp for counter BATCH"
            ),
        ])
    func batches(cql: String, message: String) throws { try expect(cql, message) }

    @Test(
        "selections",
        arguments: [
            (
                "SELECT * FROM t ORDER BY c",
                "ORDER BY is only supported when the partition key is restricted by an EQ or an IN."
            ),
            (
                "SELECT * FROM t WHERE k = 1 ORDER BY v",
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got v"
            ),
            (
                "SELECT * FROM t WHERE k = 1 ORDER BY d",
                "Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY"
            ),
            (
                "SELECT * FROM t WHERE k = 1 ORDER BY c ASC, d DESC",
                "Unsupported order by relation"
            ),
            ("SELECT * FROM t LIMIT 0", "LIMIT must be strictly positive"),
            ("SELECT * FROM t LIMIT -5", "LIMIT must be strictly positive"),
            ("SELECT * FROM t PER PARTITION LIMIT 0", "LIMIT must be strictly positive"),
            (
                "SELECT count(*) FROM t PER PARTITION LIMIT 5",
                "PER PARTITION LIMIT is not allowed with aggregate queries."
            ),
            (
                "SELECT DISTINCT k FROM t PER PARTITION LIMIT 5",
                "PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries"
            ),
            (
                "SELECT DISTINCT k, c FROM t",
                "SELECT DISTINCT queries must only request partition key columns and/or static columns (not c)"
            ),
            (
                "SELECT DISTINCT a FROM two",
                "SELECT DISTINCT queries must request all the partition key columns (missing b)"
            ),
            (
                "SELECT DISTINCT k FROM t WHERE k = 1 AND c = 1",
                "SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns."
            ),
            (
                "SELECT k, count(*) FROM t GROUP BY d",
                "Group by currently only support groups of columns following their declared order in the PRIMARY KEY"
            ),
            (
                "SELECT k FROM t GROUP BY v",
                "Group by is currently only supported on the columns of the PRIMARY KEY, got v"
            ),
            ("SELECT count(*) FROM two GROUP BY a", "Group by is not supported on only a part of the partition key"),
            ("SELECT writetime(k) FROM t", "Cannot use selection function writetime on PRIMARY KEY part k"),
            ("SELECT ttl(c) FROM t", "Cannot use selection function ttl on PRIMARY KEY part c"),
            ("SELECT nosuch(k) FROM t", "Unknown function 'nosuch'"),
            ("SELECT * FROM nosuch", "table nosuch does not exist"),
            ("SELECT * FROM t WHERE k = 1 ORDER BY nosuch", "Undefined column name nosuch in table ks.t"),
            ("SELECT cast(l AS int) FROM t", "list<int> cannot be cast to int"),
            (
                "SELECT DISTINCT k FROM t GROUP BY k, c",
                "Grouping on clustering columns is not allowed for SELECT DISTINCT queries"
            ),
            ("SELECT l[1..2] FROM t", "Slice selection is only allowed on sets and maps, but l is a list"),
            ("SELECT v[1..2] FROM t", "Invalid slice selection: v of type int is not a collection"),
            ("SELECT m[null..'b'] FROM t", "Invalid null value for slice selection on m"),
        ])
    func selections(cql: String, message: String) throws { try expect(cql, message) }

    @Test(
        "definitions",
        arguments: [
            ("CREATE TABLE y (a int)", "No PRIMARY KEY specifed for table 'y' (exactly one required)"),
            (
                "CREATE TABLE y (a int PRIMARY KEY, b int, PRIMARY KEY (a, b))",
                "Multiple PRIMARY KEYs specified for table 'y' (exactly one required)"
            ),
            (
                "CREATE TABLE y (a int PRIMARY KEY, s int STATIC)",
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column"
            ),
            (
                "CREATE TABLE y (a int PRIMARY KEY, n counter, v int)",
                "Cannot mix counter and non counter columns in the same table"
            ),
            (
                "CREATE TABLE y (a list<int> PRIMARY KEY)",
                "Invalid non-frozen collection type list<int> for PRIMARY KEY column 'a'"
            ),
            (
                "CREATE TABLE y (a int, b counter, PRIMARY KEY (a, b))",
                "counter type is not supported for PRIMARY KEY column 'b'"
            ),
            ("CREATE TABLE y (a duration PRIMARY KEY)", "duration type is not supported for PRIMARY KEY column 'a'"),
            (
                "CREATE TABLE y (a int, b int, c int, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (c ASC)",
                "Only clustering key columns can be defined in CLUSTERING ORDER directive: [c] are not clustering columns"
            ),
            (
                "CREATE TABLE y (a int, PRIMARY KEY (a, nosuch))",
                "Unknown column 'nosuch' referenced in PRIMARY KEY for table 'y'"
            ),
            ("ALTER TABLE t DROP c", "Cannot drop PRIMARY KEY column c"),
            ("ALTER TABLE simple DROP v", "Cannot drop column v on base table simple with materialized views"),
            (
                "ALTER TABLE mv ADD z int",
                "Cannot use ALTER TABLE on a materialized view; use ALTER MATERIALIZED VIEW instead"
            ),
            (
                "DROP TABLE mv",
                "Cannot use DROP TABLE on a materialized view. Please use DROP MATERIALIZED VIEW instead."
            ),
            ("DROP TABLE simple", "Cannot drop a table when materialized views still depend on it (mv)"),
            ("DROP TABLE nosuch", "Table 'ks.nosuch' doesn't exist"),
            ("DROP KEYSPACE nosuch", "Keyspace 'nosuch' doesn't exist"),
            ("CREATE TABLE nosuch.y (a int PRIMARY KEY)", "Keyspace 'nosuch' doesn't exist"),
            ("CREATE TABLE y (a nosuch PRIMARY KEY)", "Unknown type ks.nosuch"),
            ("USE nosuch", "Keyspace 'nosuch' does not exist"),
            ("CREATE INDEX ON simple ()", "Only CUSTOM indexes can be created without specifying a target column"),
            ("CREATE INDEX ON t (x)", "Cannot create index on non-frozen UDT column x"),
            ("CREATE INDEX ON t (entries(st))", "Cannot create index on entries of column st with non-map type"),
            ("ALTER TABLE n ADD v int", "Cannot have a non counter column (\"v\") in a counter table"),
            ("CREATE TABLE y (a int PRIMARY KEY, b tuple<int, counter>)", "Counters are not allowed inside tuples"),
            ("CREATE TABLE y (a int PRIMARY KEY, b vector<counter, 3>)", "counters are not supported inside vectors"),
            (
                "CREATE TABLE y (a int PRIMARY KEY, b other.u)",
                "Statement on keyspace ks cannot refer to a user type in keyspace other; "
                    + "user types can only be used in the keyspace they are defined in"
            ),
            ("DESCRIBE FUNCTION f", "User defined function 'f' not found in 'ks'"),
            ("DESCRIBE AGGREGATE other.f", "User defined aggregate 'f' not found in 'other'"),
            ("DESCRIBE TYPE nosuch", "User defined type 'nosuch' not found in 'ks'"),
        ])
    func definitions(cql: String, message: String) throws { try expect(cql, message) }

    @Test("more columns or fields than there are numbers for are refused")
    func counts() throws {
        func list(_ count: Int) -> String { (0..<count).map { "c\($0) int" }.joined(separator: ", ") }
        try expect("CREATE TYPE y (\(list(32_768)))", "Too many fields")
        try expect("CREATE TABLE y (k int PRIMARY KEY, \(list(65_535)))", "Too many columns")
    }

    @Test(
        "what exists already has its own code",
        arguments: [
            ("CREATE TABLE t (k int PRIMARY KEY)", "Cannot add already existing table \"t\" to keyspace \"ks\""),
            (
                "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
                "Cannot add existing keyspace \"ks\""
            ),
            (
                "CREATE MATERIALIZED VIEW mv AS SELECT * FROM simple WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, k)",
                "Cannot add already existing table \"mv\" to keyspace \"ks\""
            ),
        ])
    func existing(cql: String, message: String) throws { try expect(cql, message, .alreadyExists) }

    @Test(
        "views",
        arguments: [
            (
                "CREATE MATERIALIZED VIEW y AS SELECT * FROM two WHERE a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL PRIMARY KEY (a, b)",
                "Cannot create materialized view 'y' without primary key columns c from base table 'two'"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT k, c, d, v, w FROM t WHERE k IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL AND v IS NOT NULL AND w IS NOT NULL PRIMARY KEY (v, w, k, c, d)",
                "Cannot include more than one non-primary key column in materialized view primary key (got v, w)"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT * FROM two WHERE a IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, a, b)",
                "Primary key columns b must be restricted with 'IS NOT NULL' or otherwise"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT * FROM two WHERE a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL AND v = 5 PRIMARY KEY (c, a, b)",
                "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: v restricted illegally)"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT k, c, d, s FROM t WHERE k IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL PRIMARY KEY (c, d, k)",
                "Cannot include static column 's' in materialized view 'y'"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT * FROM n WHERE k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, k)",
                "Materialized views are not supported on counter tables"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT * FROM mv WHERE k IS NOT NULL AND v IS NOT NULL PRIMARY KEY (k, v)",
                "Materialized views cannot be created against other materialized views"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT * FROM two WHERE a = ? AND b IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, a, b)",
                "Bind variables are not allowed in CREATE MATERIALIZED VIEW statements"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT * FROM dur WHERE k IS NOT NULL AND d IS NOT NULL PRIMARY KEY (d, k)",
                "duration type is not supported for PRIMARY KEY column 'd'"
            ),
            (
                "CREATE MATERIALIZED VIEW other.y AS SELECT * FROM ks.simple WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, k)",
                "Cannot create a materialized view on a table in a different keyspace"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT * FROM two WHERE a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, a, b, a)",
                "Duplicate column 'a' in PRIMARY KEY clause for materialized view 'y'"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT k, c, d FROM t WHERE k IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL PRIMARY KEY (s, k, c, d)",
                "Cannot include static column 's' in materialized view 'y'"
            ),
            (
                "CREATE MATERIALIZED VIEW y AS SELECT k, c, d, l FROM t WHERE k IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL AND l IS NOT NULL PRIMARY KEY (l, k, c, d)",
                "Cannot use MultiCell column 'l' in PRIMARY KEY of materialized view"
            ),
        ])
    func views(cql: String, message: String) throws { try expect(cql, message) }

    @Test(
        "options, with their own codes",
        arguments: [
            ("CREATE TABLE y (a int PRIMARY KEY) WITH nosuch = 1", "Unknown property 'nosuch'", .syntaxException),
            (
                "CREATE TABLE y (a int PRIMARY KEY) WITH compaction = {'class': 'nosuch'}",
                "Unable to find compaction strategy class 'org.apache.cassandra.db.compaction.nosuch'",
                .configurationException
            ),
            (
                "CREATE TABLE y (a int PRIMARY KEY) WITH gc_grace_seconds = -1",
                "gc_grace_seconds must be greater than or equal to 0 (got -1)", .configurationException
            ),
            (
                "CREATE TABLE y (a int PRIMARY KEY) WITH default_time_to_live = -1",
                "default_time_to_live must be greater than or equal to 0 (got -1)", .configurationException
            ),
            (
                "CREATE TABLE y (a int PRIMARY KEY) WITH bloom_filter_fp_chance = 2",
                "bloom_filter_fp_chance must be larger than 6.71E-5 and less than or equal to 1.0 (got 2.0)",
                .configurationException
            ),
            (
                "CREATE KEYSPACE y WITH replication = {'class': 'SimpleStrategy'}",
                "SimpleStrategy requires a replication_factor strategy option.", .configurationException
            ),
            ("CREATE KEYSPACE y WITH durable_writes = true", "Missing mandatory option 'replication'", .invalidRequest),
            (
                "CREATE KEYSPACE y WITH replication = {'replication_factor': 1}", "Missing replication strategy class",
                .configurationException
            ),
        ] as [(String, String, CQLError.Code)])
    func configuration(cql: String, message: String, code: CQLError.Code) throws { try expect(cql, message, code) }

    @Test(
        "syntax errors tell line and column, what was met and what was expected",
        arguments: [
            ("SELEC * FROM t", "line 1:0 no viable alternative at input 'SELEC' ([SELEC]...)"),
            ("SELECT * FORM t", "line 1:9 mismatched input 'FORM' expecting K_FROM (SELECT * [FORM]...)"),
            ("SELECT * FROM t WHERE", "line 1:21 no viable alternative at input '<EOF>' (SELECT * FROM t WHERE)"),
            (
                "INSERT INTO t (k) VALUS (1)",
                "line 1:18 mismatched input 'VALUS' expecting K_VALUES (...INTO t (k) [VALUS]...)"
            ),
            (
                "SELECT * FROM t; SELECT",
                "line 1:17 mismatched input 'SELECT' expecting EOF (SELECT * FROM t; [SELECT])"
            ),
            ("DROP t", "line 1:5 no viable alternative at input 't' (DROP [t])"),
            (
                "SELECT *\nFROM t\n  WHERE ) = 1",
                "line 3:8 no viable alternative at input ')' (SELECT *\nFROM t\n  WHERE [)]...)"
            ),
        ])
    func syntax(cql: String, message: String) throws { try expect(cql, message, .syntaxException) }
}
