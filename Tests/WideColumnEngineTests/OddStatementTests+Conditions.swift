// OddStatementTests+Conditions.swift — see OddStatementTests.swift.

extension OddStatementTests {
    /// IF.
    static let conditions: StatementTable = [
        ("INSERT INTO t (k, c, d, s) VALUES (9, 1, 1, 5)", "ok"),
        (
            "INSERT INTO t (k, c, d, v) VALUES (9, 1, 1, 2) IF NOT EXISTS",
            "false 9 1 1 null null null null null null null null null"
        ),
        (
            "INSERT INTO t (k, c, d, s) VALUES (9, 1, 1, 2) IF NOT EXISTS",
            "false 9 1 1 5 null null null null null null null null"
        ),
        ("DELETE FROM t WHERE k = 9", "ok"),
        ("DELETE st[null] FROM t WHERE k = 1 AND c = 1 AND d = 1", "invalidRequest: Invalid null set element"),
        ("CREATE TYPE span (a int, d duration)", "ok"),
        (
            "CREATE TABLE spans (k int PRIMARY KEY, l list<duration>, t tuple<int, duration>, u frozen<span>, x span)",
            "ok"
        ),
        (
            "UPDATE spans SET l = [] WHERE k = 1 IF l > [1m]",
            "invalidRequest: Slice conditions are not supported on collections containing durations"
        ),
        (
            "UPDATE spans SET l = [] WHERE k = 1 IF t > (1, 1m)",
            "invalidRequest: Slice conditions are not supported on tuples containing durations"
        ),
        (
            "UPDATE spans SET l = [] WHERE k = 1 IF u > {a: 1}",
            "invalidRequest: Slice conditions are not supported on UDTs containing durations"
        ),
        (
            "UPDATE spans SET l = [] WHERE k = 1 IF l[0] > 1m",
            "invalidRequest: Slice conditions are not supported on durations"
        ),
        ("UPDATE spans SET l = [] WHERE k = 1 IF x.a > 1", "false"),
        // A test of static columns alone tells a partition with rows from one that is not there.
        ("UPDATE t SET v = 1 WHERE k = 70 AND c = 9 AND d = 9 IF s = 5", "false"),
        ("INSERT INTO t (k, c, d, v) VALUES (70, 0, 0, 0)", "ok"),
        ("UPDATE t SET v = 1 WHERE k = 70 AND c = 9 AND d = 9 IF s = 5", "false null"),
        ("UPDATE t SET v = 1 WHERE k = 70 AND c = 0 AND d = 0 IF s = 5", "false null"),
        ("UPDATE t SET v = 1 WHERE k = 70 AND c = 9 AND d = 9 IF s = 5 AND v = 1", "false"),
        ("UPDATE t SET v = 1 WHERE k = 70 AND c = 9 AND d = 9 IF s = null", "true"),
        ("SELECT c, v FROM t WHERE k = 70", "0 0; 9 1"),
        ("INSERT INTO simple (k, v) VALUES ('z', 1) IF NOT EXISTS", "true"),
        ("INSERT INTO simple (k, v) VALUES ('z', 1) IF NOT EXISTS", "false 'z' 1"),
        ("UPDATE simple SET v = 2 WHERE k = 'z' IF v = null", "false 1"),
        ("UPDATE simple SET v = 2 WHERE k = 'z' IF v != null", "true"),
        (
            "UPDATE simple SET v = 2 WHERE k = 'z' IF v > null",
            #"invalidRequest: Invalid comparison with null for operator ">""#
        ),
        ("UPDATE simple SET v = 2 WHERE k = 'nosuch' IF v > 1", "false"),
        ("UPDATE simple SET v = 2 WHERE k = 'nosuch' IF v != 1", "true"),
        ("UPDATE simple SET v = 2 WHERE k = 'nosuch2' IF v IN (1, null)", "true"),
        ("UPDATE simple SET v = 2 WHERE k = 'z' IF v IN ()", "false 2"),
        ("UPDATE simple SET v = 2 WHERE k = 'z' IF v IN (1, 2) AND v >= 2", "true"),
        (
            "UPDATE simple SET v = 2 WHERE k = 'z' IF k = 'z'",
            "invalidRequest: PRIMARY KEY column 'k' cannot have IF conditions"
        ),
        (
            "UPDATE simple SET v = 2 WHERE k = 'z' IF nosuch = 1",
            "invalidRequest: Undefined column name nosuch in table ks.simple"
        ),
        (
            "UPDATE simple SET v = 2 WHERE k = 'z' IF v = 'a'",
            #"invalidRequest: Invalid STRING constant (a) for "v" of type int"#
        ),
        (
            "UPDATE simple SET v = 2 WHERE k = 'z' IF v LIKE 'a'",
            "syntaxException: line 1:43 no viable alternative at input 'LIKE' (...k = 'z' IF v [LIKE]...)"
        ),
        (
            "UPDATE simple SET v = 2 WHERE k = 'z' IF v CONTAINS 1",
            "invalidRequest: Cannot use CONTAINS on non-collection column v"
        ),
        ("UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF l CONTAINS 2", "false"),
        ("UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF m CONTAINS KEY 'a'", "false"),
        (
            "UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF v[1] = 1",
            "invalidRequest: Invalid element access syntax for non-collection column v"
        ),
        (
            "UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF st[1] = 1",
            "invalidRequest: Invalid element access syntax for set column st"
        ),
        (
            "UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF m[null] = 1",
            "invalidRequest: Invalid null value for map element access"
        ),
        ("UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF l[0] = 2", "false"),
        ("UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF l[100] = null", "true"),
        (
            "UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF l[-1] = null",
            "invalidRequest: Invalid negative list index -1"
        ),
        ("UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF x.a = 1", "false null"),
        (
            "UPDATE t SET v = 1 WHERE k = 9 AND c = 1 AND d = 1 IF x.nosuch = 1",
            "invalidRequest: Unknown field nosuch for column x"
        ),
        ("UPDATE t SET v = 1 WHERE k = 9 AND c = 1 IF v = 1", "invalidRequest: Some clustering keys are missing: d"),
        ("UPDATE t SET s = 1 WHERE k = 9 IF v = 1", "invalidRequest: Some clustering keys are missing: c, d"),
        ("UPDATE t SET s = 1 WHERE k = 9 IF s = null", "true"),
        ("UPDATE t SET s = 1 WHERE k = 9 IF EXISTS", "true"),
        (
            "DELETE FROM t WHERE k = 9 IF EXISTS",
            "invalidRequest: DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to delete non static columns"
        ),
        ("DELETE s FROM t WHERE k = 9 IF s = 1", "true"),
        (
            "DELETE FROM t WHERE k = 9 IF s = 1",
            "invalidRequest: DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to delete non static columns"
        ),
        (
            "DELETE FROM t WHERE k = 9 AND c = 1 AND d > 1 IF v = 1",
            "invalidRequest: DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to delete non static columns"
        ),
        (
            "DELETE v FROM t WHERE k = 9 AND c = 1 IF EXISTS",
            "invalidRequest: DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to delete non static columns"
        ),
        ("INSERT INTO t (k, s) VALUES (8, 1) IF NOT EXISTS", "true"),
        (
            "INSERT INTO t (k, s) VALUES (8, 1) IF NOT EXISTS",
            "false 8 null null 1 null null null null null null null null"
        ),
        (#"INSERT INTO t JSON '{"k": 8, "c": 1, "d": 1}' IF NOT EXISTS"#, "true"),
    ]

    /// BATCH.
    static let batches: StatementTable = [
        ("BEGIN BATCH APPLY BATCH", "ok"),
        ("BEGIN BATCH", "syntaxException: line 1:11 no viable alternative at input '<EOF>' (BEGIN BATCH)"),
        (
            "BEGIN BATCH SELECT * FROM t APPLY BATCH",
            "syntaxException: line 1:12 no viable alternative at input 'SELECT' (BEGIN BATCH [SELECT]...)"
        ),
        (
            "BEGIN BATCH TRUNCATE t APPLY BATCH",
            "syntaxException: line 1:12 no viable alternative at input 'TRUNCATE' (BEGIN BATCH [TRUNCATE]...)"
        ),
        (
            "BEGIN BATCH BEGIN BATCH APPLY BATCH; APPLY BATCH",
            "syntaxException: line 1:12 no viable alternative at input 'BEGIN' (BEGIN BATCH [BEGIN]...)"
        ),
        ("BEGIN UNLOGGED BATCH INSERT INTO simple (k, v) VALUES ('q', 1) APPLY BATCH;", "ok"),
        (
            "BEGIN BATCH INSERT INTO simple (k, v) VALUES ('q', 1);; APPLY BATCH",
            "syntaxException: line 1:54 no viable alternative at input ';' (...'q', 1);[;]...)"
        ),
        (
            "BEGIN BATCH USING TIMESTAMP null INSERT INTO simple (k, v) VALUES ('q', 1) APPLY BATCH",
            "syntaxException: line 1:28 no viable alternative at input 'null' (BEGIN BATCH USING TIMESTAMP [null]...)"
        ),
        (
            "BEGIN BATCH USING TIMESTAMP 'a' INSERT INTO simple (k, v) VALUES ('q', 1) APPLY BATCH",
            "syntaxException: line 1:28 no viable alternative at input ''a'' (BEGIN BATCH USING TIMESTAMP ['a']...)"
        ),
        ("BEGIN COUNTER BATCH APPLY BATCH", "ok"),
        (
            "BEGIN LOGGED BATCH INSERT INTO simple (k, v) VALUES ('q', 1) APPLY BATCH",
            "syntaxException: line 1:6 mismatched input 'LOGGED' expecting K_BATCH (BEGIN [LOGGED]...)"
        ),
        (
            "BEGIN BATCH INSERT INTO simple (k, v) VALUES ('q', 1) IF NOT EXISTS; UPDATE simple SET v = 2 WHERE k = 'q'; APPLY BATCH",
            "false 'q' 1"
        ),
        (
            "BEGIN BATCH INSERT INTO simple (k, v) VALUES ('q2', 1) IF NOT EXISTS; UPDATE simple SET v = 2 WHERE k = 'q2' IF v = 1; APPLY BATCH",
            "invalidRequest: Cannot mix IF conditions and IF [NOT] EXISTS for the same row"
        ),
        (
            "BEGIN BATCH INSERT INTO simple (k, v) VALUES ('q2', 1) IF NOT EXISTS; UPDATE simple SET v = 2 WHERE k = 'q2' IF EXISTS; APPLY BATCH",
            "invalidRequest: Cannot mix IF EXISTS and IF NOT EXISTS conditions for the same row"
        ),
        (
            "BEGIN BATCH INSERT INTO simple (k, v) VALUES ('q2', 1) IF NOT EXISTS; DELETE FROM simple WHERE k = 'q2' IF EXISTS; APPLY BATCH",
            "invalidRequest: Cannot mix IF EXISTS and IF NOT EXISTS conditions for the same row"
        ),
        ("BEGIN BATCH DELETE FROM simple WHERE k = 'q'; INSERT INTO simple (k, v) VALUES ('q', 1); APPLY BATCH", "ok"),
        ("SELECT * FROM simple WHERE k = 'q'", "nothing"),
        ("SELECT * FROM mv WHERE v = 1", "nothing"),
        (
            "BEGIN BATCH UPDATE simple SET v = 5 WHERE k = 'r'; UPDATE simple SET v = 9 WHERE k = 'r'; UPDATE simple SET v = 7 WHERE k = 'r'; APPLY BATCH",
            "ok"
        ),
        ("SELECT * FROM simple WHERE k = 'r'", "'r' 9"),
    ]

    /// JSON.
    static let documents: StatementTable = [
        (#"INSERT INTO simple JSON '{"k": "j", "v": "5"}'"#, "ok"),
        (
            #"INSERT INTO simple JSON '{"k": "j", "v": 5.5}'"#,
            "invalidRequest: Error decoding JSON value for v: Expected an int value, but got a Double: 5.5"
        ),
        (
            #"INSERT INTO simple JSON '{"k": "j", "nosuch": 5}'"#,
            "invalidRequest: JSON values map contains unrecognized column: nosuch"
        ),
        (#"INSERT INTO simple JSON '{"v": 5}'"#, "invalidRequest: Invalid null value for column k"),
        (#"INSERT INTO simple JSON '{"k": null, "v": 5}'"#, "invalidRequest: Invalid null value for column k"),
        ("INSERT INTO simple JSON '[]'", "invalidRequest: Could not decode JSON string as a map: []"),
        ("INSERT INTO simple JSON 'nonsense'", "invalidRequest: Could not decode JSON string as a map: nonsense"),
        ("INSERT INTO simple JSON null", "invalidRequest: Got null for INSERT JSON values"),
        (#"INSERT INTO simple JSON '{"K": "j"}'"#, "ok"),
        (#"INSERT INTO simple JSON '{"\"k\"": "j"}'"#, "ok"),
        (#"INSERT INTO simple JSON '{"k": "j", "k": "i"}'"#, "ok"),
        ("INSERT INTO simple JSON '{}'", "invalidRequest: Invalid null value for column k"),
        ("INSERT INTO simple JSON ''", "invalidRequest: Could not decode JSON string as a map: "),
        (
            #"INSERT INTO ty JSON '{"k": 5, "bl": "0xff", "bo": "true", "da": "2025-01-01", "dou": "NaN", "ine": "1.1.1.1", "ts": 5, "uu": "99999999-9999-9999-9999-999999999999", "vec": [1, 2, 3], "tup": [1]}'"#,
            "invalidRequest: Error decoding JSON value for tup: Tuple is missing items (expected 2): [1]"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "bl": "ff"}'"#,
            "invalidRequest: Error decoding JSON value for bl: Value 'ff' is not a valid blob representation: String representation of blob is missing 0x prefix: ff"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "bl": "0xf"}'"#,
            "invalidRequest: Error decoding JSON value for bl: Value '0xf' is not a valid blob representation: String representation of blob is missing 0x prefix: 0xf"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "bo": 1}'"#,
            "invalidRequest: Error decoding JSON value for bo: Expected a boolean value, but got a Integer: 1"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "te": 1}'"#,
            "invalidRequest: Error decoding JSON value for te: Expected a UTF-8 string, but got a Integer: 1"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "tin": 128}'"#,
            "invalidRequest: Error decoding JSON value for tin: Unable to make byte from '128'"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "tup": [1, "a", 2]}'"#,
            #"invalidRequest: Error decoding JSON value for tup: Tuple contains extra items (expected 2): [1, "a", 2]"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "vec": [1, 2]}'"#,
            "invalidRequest: Error decoding JSON value for vec: Invalid vector literal for value of type vector<float, 3>; expected 3 elements, but given 2"
        ),
        ("SELECT JSON * FROM ty WHERE k = 5", "nothing"),
        ("SELECT JSON DISTINCT k FROM t", "nothing"),
        (#"SELECT JSON k AS "K" FROM t WHERE k = 8"#, "nothing"),
        (
            "SELECT to_json(m), from_json('1') FROM t",
            "invalidRequest: from_json() cannot be used in the selection clause of a SELECT statement"
        ),
    ]

    /// Functions, static columns, late writes.
    static let others: StatementTable = [
        ("INSERT INTO ty (k, ts) VALUES (3, '2025-01-01T00:00:00.123456Z')", "ok"),
        ("SELECT ts FROM ty WHERE k = 3", "'2025-01-01 00:00:00.123+0000'"),
        ("INSERT INTO ty (k, ts) VALUES (3, '')", "ok"),
        ("SELECT ts FROM ty WHERE k = 3", "''"),
        ("INSERT INTO ty (k, da) VALUES (3, '2147483649')", "ok"),
        ("SELECT da FROM ty WHERE k = 3", "'1970-01-02'"),
        (
            "SELECT s FROM t WHERE k = 1 AND c = 1",
            "invalidRequest: Cannot restrict clustering columns when selecting only static columns"
        ),
        (
            "SELECT k, s FROM t WHERE k = 1 AND c = 1",
            "invalidRequest: Cannot restrict clustering columns when selecting only static columns"
        ),
        ("SELECT s, v FROM t WHERE k = 1 AND c = 1", "nothing"),
        ("SELECT s FROM t WHERE k = 1", "nothing"),
        ("SELECT DISTINCT s FROM t WHERE k = 1", "nothing"),
        ("SELECT DISTINCT a FROM two WHERE a = 1 AND b = 2", "nothing"),
        (
            "SELECT DISTINCT k, s FROM t WHERE k = 1 AND c = 1",
            "invalidRequest: SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns."
        ),
        (
            "UPDATE t SET s = 1 WHERE k = 1 AND c = 1 AND d = 1",
            "invalidRequest: Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns"
        ),
        ("UPDATE t SET s = 1 WHERE k = 1 AND c = 1 AND d = 1 IF v = 1", "false"),
        (
            "DELETE s FROM t WHERE k = 1 AND c = 1 AND d = 1",
            "invalidRequest: Invalid restrictions on clustering columns since the DELETE statement modifies only static columns"
        ),
        (
            "DELETE s FROM t WHERE k = 1 IF v = 1",
            "invalidRequest: DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to use IF condition on non static columns"
        ),
        ("DELETE s FROM t WHERE k = 1 IF s = 1", "false"),
        (
            "SELECT * FROM t WHERE k = 1 AND c IN (1, 2) AND c = 1",
            "invalidRequest: c cannot be restricted by more than one relation if it includes a IN"
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND c IN (1, 2) AND c > 1",
            "invalidRequest: c cannot be restricted by more than one relation if it includes a IN"
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND c > 1 AND c IN (1, 2)",
            #"invalidRequest: Column "c" cannot be restricted by both an equality and an inequality relation"#
        ),
        (
            "SELECT cast(now() AS text), cast(v AS nosuch) FROM t",
            "syntaxException: line 1:38 no viable alternative at input 'nosuch' (..., cast(v AS [nosuch]...)"
        ),
        (
            "SELECT token(1, 2) FROM t",
            "invalidRequest: Invalid number of arguments in call to function system.token: 1 required but 2 provided"
        ),
        ("SELECT now() - 1 FROM t", "invalidRequest: the '-' operation is not supported between system.now() and 1"),
        (
            "SELECT to_date(1) FROM t",
            #"invalidRequest: Invalid INTEGER constant (1) for "[selection]" of type timeuuid"#
        ),
        (
            "SELECT to_date('x') FROM t",
            #"invalidRequest: Invalid STRING constant (x) for "[selection]" of type timeuuid"#
        ),
        (
            "SELECT abs(w) FROM t",
            "invalidRequest: Invalid call to function abs, none of its type signatures match (known type signatures: system.abs : (tinyint) -> tinyint, system.abs : (smallint) -> smallint, system.abs : (int) -> int, system.abs : (bigint) -> bigint, system.abs : (float) -> float, system.abs : (double) -> double, system.abs : (decimal) -> decimal, system.abs : (varint) -> varint, system.abs : (counter) -> bigint)"
        ),
        (
            "SELECT floor(w, 1h) FROM t",
            "invalidRequest: Invalid call to function floor, none of its type signatures match (known type signatures: system.floor : (timestamp, duration) -> timestamp, system.floor : (timestamp, duration, timestamp) -> timestamp, system.floor : (timeuuid, duration) -> timestamp, system.floor : (timeuuid, duration, timestamp) -> timestamp, system.floor : (date, duration) -> date, system.floor : (date, duration, date) -> date, system.floor : (time, duration) -> time)"
        ),
        (
            "SELECT map_keys(l) FROM t",
            "invalidRequest: Invalid call to function map_keys, none of its type signatures match"
        ),
        ("SELECT minTimeuuid('2025-01-01') FROM t", "nothing"),
        ("SELECT intAsBlob(1), blobAsInt(0x00000001), blobAsInt(0x01) FROM t", "nothing"),
        ("SELECT blobAsInt(0x01) FROM t", "nothing"),
        ("SELECT varintAsBlob(1), textAsBlob('a') FROM t", "nothing"),
        (
            "SELECT from_json(w) FROM t",
            "invalidRequest: from_json() cannot be used in the selection clause of a SELECT statement"
        ),
        (
            "SELECT similarity_cosine([1, 2], [1, 2, 3]) FROM ty",
            "invalidRequest: Invalid call to function similarity_cosine, none of its type signatures match"
        ),
        (#"SELECT "k" FROM t WHERE "k" = 1 LIMIT 1 ALLOW FILTERING;;;"#, "nothing"),
        (
            "UPDATE ty SET i = i + 1 WHERE k = 1",
            "invalidRequest: Invalid operation (i = i + 1) for non counter column i"
        ),
        (
            "UPDATE ty SET te = te + 'x' WHERE k = 1",
            "invalidRequest: Invalid operation (te = te + 'x') for non counter column te"
        ),
        (
            "UPDATE ty SET tup = tup + (1, 'x') WHERE k = 1",
            "invalidRequest: Invalid operation (tup = tup + (1, 'x')) for tuple column tup"
        ),
        ("UPDATE ty SET i += 1 WHERE k = 1", "invalidRequest: Invalid operation (i = i + 1) for non counter column i"),
        ("UPDATE t SET l = [0] + l WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        (
            "UPDATE t SET f = [0] + f WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid operation (f = [0] + f) for frozen list column f"
        ),
        (
            "UPDATE t SET v = 1 + v WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid operation (v = 1 + v) for non list column v"
        ),
        ("INSERT INTO ty (k, i) VALUES (1, 5 % 0)", "functionFailure: the operation 'int % int' failed: / by zero"),
        (
            "INSERT INTO ty (k, va) VALUES (1, (varint) 5 / (varint) 0)",
            "functionFailure: the operation 'varint / varint' failed: BigInteger divide by zero"
        ),
        (
            "INSERT INTO ty (k, de) VALUES (1, (decimal) 5 / (decimal) 0)",
            "functionFailure: the operation 'decimal / decimal' failed: Division by zero"
        ),
        ("INSERT INTO ty (k, dou) VALUES (1, 5.0 / 0)", "ok"),
        ("SELECT dou FROM ty WHERE k = 1", "Infinity"),
        ("INSERT INTO ty (k, i) VALUES (1, 5) USING TTL 5 AND TIMESTAMP 5", "ok"),
        (
            "INSERT INTO ty (k, i) VALUES (1, 1a)",
            "syntaxException: line 1:34 mismatched input 'a' expecting ')' (...VALUES (1, 1[a]...)"
        ),
        ("SELECT 1d FROM ty", "1d; 1d"),
        ("CREATE TYPE byte (a int)", "syntaxException: Invalid (reserved) user type name byte"),
        (#"CREATE TYPE "text" (a int)"#, "ok"),
        (
            "CREATE TYPE ks.int (a int)",
            "syntaxException: line 1:15 no viable alternative at input 'int' (CREATE TYPE ks.[int]...)"
        ),
        (#"CREATE TABLE ut (k int PRIMARY KEY, v frozen<"text">)"#, "ok"),
        ("CREATE TABLE idt (k int PRIMARY KEY) WITH ID = 12345", "configurationException: Invalid table id"),
        (
            "ALTER TABLE two WITH ID = 11111111-2222-3333-4444-555555555555",
            "configurationException: Cannot alter table id."
        ),
        (
            "CREATE KEYSPACE kb WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND durable_writes = 5",
            "syntaxException: Invalid boolean value 5 for 'durable_writes'"
        ),
        (
            "CREATE KEYSPACE kb WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND durable_writes = 'yes'",
            "ok"
        ),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT * FROM simple WHERE token(k) > 1 PRIMARY KEY (k)",
            "invalidRequest: Cannot use token relation when defining a materialized view"
        ),
        (
            "ALTER MATERIALIZED VIEW simple WITH comment = 'a'",
            "invalidRequest: Materialized view 'ks.simple' doesn't exist"
        ),
        ("ALTER MATERIALIZED VIEW IF EXISTS simple WITH comment = 'a'", "ok"),
        ("DROP MATERIALIZED VIEW simple", "invalidRequest: Materialized view 'ks.simple' doesn't exist"),
        ("DROP MATERIALIZED VIEW IF EXISTS simple", "ok"),
        (
            #"INSERT INTO ty JSON '{"k": 5, "i": 5000000000}'"#,
            "invalidRequest: Error decoding JSON value for i: Expected an int value, but got a Long: 5000000000"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "i": true}'"#,
            "invalidRequest: Error decoding JSON value for i: Expected an int value, but got a Boolean: true"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "i": "x"}'"#,
            "invalidRequest: Error decoding JSON value for i: Unable to make int from 'x'"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "te": [1]}'"#,
            "invalidRequest: Error decoding JSON value for te: Expected a UTF-8 string, but got a ArrayList: [1]"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "uu": 5}'"#,
            "invalidRequest: Error decoding JSON value for uu: Expected a string representation of a uuid, but got a Integer: 5"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "ts": "x"}'"#,
            "invalidRequest: Error decoding JSON value for ts: Unable to parse a date/time from 'x'"
        ),
        (
            #"INSERT INTO ty JSON '{"k": 5, "bi": 5.5}'"#,
            "invalidRequest: Error decoding JSON value for bi: Expected a bigint value, but got a Double: 5.5"
        ),
        (
            #"INSERT INTO t JSON '{"k": 5, "c": 1, "d": 1, "l": [null]}'"#,
            "invalidRequest: Error decoding JSON value for l: Invalid null element in list"
        ),
        (
            #"INSERT INTO t JSON '{"k": 5, "c": 1, "d": 1, "m": {"a": null}}'"#,
            "invalidRequest: Error decoding JSON value for m: Invalid null value in map"
        ),
        (
            #"INSERT INTO t JSON '{"k": 5, "c": 1, "d": 1, "st": 5}'"#,
            "invalidRequest: Error decoding JSON value for st: Expected a list (representing a set), but got a Integer: 5"
        ),
        (
            #"INSERT INTO t JSON '{"k": 5, "c": 1, "d": 1, "x": {"nosuch": 5}}'"#,
            "invalidRequest: Error decoding JSON value for x: JSON values map contains values for undefined fields of user type u: nosuch"
        ),
        (
            "BEGIN BATCH INSERT INTO simple (k, v) VALUES ('q2', 1) IF NOT EXISTS; UPDATE simple SET v = 2 WHERE k = 'q2' IF v = 1; APPLY BATCH",
            "invalidRequest: Cannot mix IF conditions and IF [NOT] EXISTS for the same row"
        ),
        (
            "BEGIN BATCH UPDATE t SET s = 1 WHERE k = 1 IF s = null; UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 IF EXISTS; APPLY BATCH",
            "false"
        ),
        (
            "BEGIN BATCH USING TIMESTAMP 10 DELETE FROM simple WHERE k = 'b'; UPDATE simple SET v = 1 WHERE k = 'b'; APPLY BATCH",
            "ok"
        ),
        ("SELECT * FROM simple WHERE k = 'b'", "nothing"),
        (
            "BEGIN BATCH UPDATE simple USING TIMESTAMP 20 SET v = 2 WHERE k = 'b'; UPDATE simple USING TIMESTAMP 30 SET v = 1 WHERE k = 'b'; DELETE FROM simple USING TIMESTAMP 25 WHERE k = 'b'; APPLY BATCH",
            "ok"
        ),
        ("SELECT v, writetime(v) FROM simple WHERE k = 'b'", "1 30"),
        ("SELECT * FROM mv WHERE v = 1", "1 'b'"),
        (
            "BEGIN BATCH UPDATE simple USING TIMESTAMP 40 SET v = 5 WHERE k = 'b'; UPDATE simple USING TIMESTAMP 40 SET v = -5 WHERE k = 'b'; APPLY BATCH",
            "ok"
        ),
        ("SELECT v FROM simple WHERE k = 'b'", "-5"),
        ("SELECT v FROM mv", "-5"),
        ("UPDATE simple USING TIMESTAMP 40 AND TTL 1000 SET v = -6 WHERE k = 'b'", "ok"),
        ("SELECT v, k FROM mv", "-6 'b'"),
        ("DELETE v FROM simple USING TIMESTAMP 40 WHERE k = 'b'", "ok"),
        ("SELECT * FROM mv", "nothing"),
        ("TRUNCATE simple", "ok"),
        ("UPDATE simple USING TIMESTAMP 1 SET v = 3 WHERE k = 'b'", "ok"),
        ("SELECT * FROM mv", "3 'b'"),
    ]
}
