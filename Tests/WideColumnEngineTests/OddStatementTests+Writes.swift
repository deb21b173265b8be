// OddStatementTests+Writes.swift — see OddStatementTests.swift.

extension OddStatementTests {
    /// Counters.
    static let counters: StatementTable = [
        ("UPDATE n SET n = n + 1 WHERE k = 1 AND c = 1", "ok"),
        ("UPDATE n SET n = n + null WHERE k = 1 AND c = 1", "invalidRequest: Invalid null value for counter increment"),
        (
            "UPDATE n SET n = n + 'a' WHERE k = 1 AND c = 1",
            #"invalidRequest: Invalid STRING constant (a) for "n" of type counter"#
        ),
        (
            "UPDATE n SET n = n + 1.5 WHERE k = 1 AND c = 1",
            #"invalidRequest: Invalid FLOAT constant (1.5) for "n" of type counter"#
        ),
        (
            "UPDATE n SET n = n * 2 WHERE k = 1 AND c = 1",
            "syntaxException: line 1:19 mismatched input '*' expecting '-' (...n SET n = n [*]...)"
        ),
        (
            "UPDATE n SET n = 5 + n WHERE k = 1 AND c = 1",
            "invalidRequest: Invalid operation (n = 5 + n) for non list column n"
        ),
        (
            "UPDATE n SET n = o + 1 WHERE k = 1 AND c = 1",
            "syntaxException: line 1:17 no viable alternative at input 'o' (UPDATE n SET n = [o]...)"
        ),
        ("UPDATE n SET n += 1, o -= 2 WHERE k = 1 AND c = 1", "ok"),
        ("UPDATE n SET n = n - -1 WHERE k = 1 AND c = 1", "ok"),
        ("UPDATE n SET n = n + 9223372036854775807 WHERE k = 1 AND c = 1", "ok"),
        ("SELECT n, o FROM n", "-9223372036854775806 -2"),
        (
            "UPDATE n SET n = n + 9223372036854775808 WHERE k = 1 AND c = 1",
            "invalidRequest: Unable to make long from '9223372036854775808'"
        ),
        ("UPDATE n SET n = n + 1 WHERE k = 1", "invalidRequest: Some clustering keys are missing: c"),
        ("UPDATE n SET n = n + 1 WHERE k = 1 AND c IN (1, 2)", "ok"),
        ("DELETE n FROM n WHERE k = 1 AND c = 1", "ok"),
        (
            "DELETE n FROM n USING TIMESTAMP 5 WHERE k = 1 AND c = 1",
            "invalidRequest: Cannot provide custom timestamp for counter updates"
        ),
        (
            "DELETE FROM n WHERE k = 1 AND c = 1 IF EXISTS",
            "invalidRequest: Conditional updates are not supported on counter tables"
        ),
        ("SELECT ttl(n) FROM n", "null; null"),
        ("SELECT sum(n), avg(n) FROM n", "1 1"),
        ("SELECT cast(n AS text) FROM n", "null; '1'"),
        (
            "SELECT * FROM n WHERE n = 1",
            "invalidRequest: Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING"
        ),
        ("SELECT * FROM n WHERE n > 1 ALLOW FILTERING", "nothing"),
        (
            "INSERT INTO n (k, c) VALUES (1, 1)",
            "invalidRequest: INSERT statements are not allowed on counter tables, use UPDATE instead"
        ),
        ("ALTER TABLE n ADD z int", #"invalidRequest: Cannot have a non counter column ("z") in a counter table"#),
        ("ALTER TABLE n ADD z counter", "ok"),
        ("ALTER TABLE n DROP z", "ok"),
        ("ALTER TABLE n ADD z counter", "invalidRequest: Cannot re-add previously dropped counter column z"),
        (
            "ALTER TABLE n WITH default_time_to_live = 5",
            "invalidRequest: Cannot set default_time_to_live on a table with counters"
        ),
        (
            "CREATE TABLE nc (k int PRIMARY KEY, c counter) WITH default_time_to_live = 5",
            "invalidRequest: Cannot set default_time_to_live on a table with counters"
        ),
        ("CREATE INDEX ON n (n)", "invalidRequest: Secondary indexes on counter tables aren't supported"),
        (
            "CREATE TABLE nl (k int PRIMARY KEY, l list<counter>)",
            "invalidRequest: Counters are not allowed inside collections: list<counter>"
        ),
        (
            "CREATE TABLE nl (k int PRIMARY KEY, l frozen<map<int, counter>>)",
            "invalidRequest: Counters are not allowed inside collections: map<int, counter>"
        ),
        (
            "CREATE TABLE nl (k counter PRIMARY KEY)",
            "invalidRequest: counter type is not supported for PRIMARY KEY column 'k'"
        ),
        (
            "CREATE TABLE nl (k int PRIMARY KEY, n counter STATIC)",
            "invalidRequest: Static columns are only useful (and thus allowed) if the table has at least one clustering column"
        ),
    ]

    /// Collections, tuples, vectors and user-defined types.
    static let collections: StatementTable = [
        ("UPDATE t SET l = [1, 2, 3] WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        (
            "UPDATE t SET l[5] = 1 WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: List index 5 out of bound, list has size 3"
        ),
        (
            "UPDATE t SET l[-1] = 1 WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: List index -1 out of bound, list has size 3"
        ),
        (
            "UPDATE t SET l['a'] = 1 WHERE k = 9 AND c = 1 AND d = 1",
            #"invalidRequest: Invalid STRING constant (a) for "idx(l)" of type int"#
        ),
        (
            "UPDATE t SET l[null] = 1 WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid null value for list index"
        ),
        ("UPDATE t SET l[0] = null WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        ("SELECT l FROM t WHERE k = 9", "[2, 3]"),
        (
            "UPDATE t SET l = l + [null] WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: null is not supported inside collections"
        ),
        (
            "UPDATE t SET l = [1, null] WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: null is not supported inside collections"
        ),
        (
            "UPDATE t SET st = {null} WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: null is not supported inside collections"
        ),
        (
            "UPDATE t SET m = {null: 1} WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: null is not supported inside collections"
        ),
        (
            "UPDATE t SET m = {'a': null} WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: null is not supported inside collections"
        ),
        ("UPDATE t SET m = {'a': 1, 'a': 2} WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        ("SELECT m FROM t WHERE k = 9", "{'a': 2}"),
        ("UPDATE t SET m['b'] = null WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        (
            "UPDATE t SET m = m - {'a': 1} WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid map literal for m of type set<text>"
        ),
        ("UPDATE t SET m = m - {'a'} WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        ("UPDATE t SET m = m + {} WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        (
            "UPDATE t SET m = m + {'x'} WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid set literal for m of type map<text, int>"
        ),
        ("UPDATE t SET m = {} WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        ("SELECT m FROM t WHERE k = 9", "null"),
        (
            "UPDATE t SET st = {1, 2}, st = st + {3} WHERE k = 9 AND c = 1 AND d = 1",
            "syntaxException: Multiple incompatible setting of column st"
        ),
        (
            "UPDATE t SET st = [1] WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid list literal for st of type set<int>"
        ),
        (
            "UPDATE t SET l = {1} WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid set literal for l of type list<int>"
        ),
        (
            "UPDATE t SET l = {} WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid set literal for l of type list<int>"
        ),
        ("UPDATE t SET st = {} WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        (
            "UPDATE t SET st = {1: 2} WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid map literal for st of type set<int>"
        ),
        (
            "UPDATE t SET st = st + 1 WHERE k = 9 AND c = 1 AND d = 1",
            #"invalidRequest: Invalid INTEGER constant (1) for "st" of type set<int>"#
        ),
        (
            "UPDATE t SET st = {1} + st WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid operation (st = {1} + st) for non list column st"
        ),
        (
            "UPDATE t SET st[1] = 1 WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid operation (st[1] = 1) for set column st"
        ),
        ("UPDATE t SET f = [] WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        ("SELECT f FROM t WHERE k = 9", "[]"),
        (
            "UPDATE t SET f[0] = 1 WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid operation (f[0] = 1) for frozen collection column f"
        ),
        (
            "DELETE f[0] FROM t WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid deletion operation for frozen collection column f"
        ),
        ("DELETE st[1], m['a'] FROM t WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        (
            "DELETE l[7] FROM t WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: List index 7 out of bound, list has size 2"
        ),
        (
            "UPDATE t SET x = {a: 1, b: 'x', nosuch: 2} WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Unknown field 'nosuch' in value of user defined type u"
        ),
        (
            "UPDATE t SET x = {a: 'x'} WHERE k = 9 AND c = 1 AND d = 1",
            #"invalidRequest: Invalid STRING constant (x) for "x.a" of type int"#
        ),
        (
            "UPDATE t SET x = (1, 'a') WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid tuple type literal for x of type u"
        ),
        ("UPDATE t SET x = {} WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        ("UPDATE t SET x = {a: null, b: null} WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        ("SELECT x FROM t WHERE k = 9", "null"),
        ("UPDATE t SET x.a = 1 WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        (
            "UPDATE t SET x.nosuch = 1 WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: UDT column x does not have a field named nosuch"
        ),
        (
            "UPDATE t SET fx.a = 1 WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid operation (fx.a = 1) for frozen UDT column fx"
        ),
        (
            "UPDATE t SET v.a = 1 WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid operation (v.a = 1) for non-UDT column v"
        ),
        ("DELETE x.a FROM t WHERE k = 9 AND c = 1 AND d = 1", "ok"),
        (
            "DELETE x.nosuch FROM t WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: UDT column x does not have a field named nosuch"
        ),
        (
            "DELETE fx.a FROM t WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Frozen UDT column fx does not support field deletions"
        ),
        (
            "DELETE v.a FROM t WHERE k = 9 AND c = 1 AND d = 1",
            "invalidRequest: Invalid field deletion operation for non-UDT column v"
        ),
        (
            "INSERT INTO ty (k, tup) VALUES (1, (1, 'a', 2))",
            "invalidRequest: Invalid tuple literal for tup: too many elements. Type frozen<tuple<int, text>> expects 2 but got 3"
        ),
        ("INSERT INTO ty (k, tup) VALUES (1, (1))", "ok"),
        ("SELECT tup FROM ty WHERE k = 1", "(1, null)"),
        ("INSERT INTO ty (k, tup) VALUES (1, (null, null))", "ok"),
        (
            "INSERT INTO ty (k, tup) VALUES (1, ())",
            "syntaxException: line 1:36 no viable alternative at input ')' (...VALUES (1, ([)]...)"
        ),
        (
            "INSERT INTO ty (k, tup) VALUES (1, [1, 'a'])",
            "invalidRequest: Invalid list literal for tup of type frozen<tuple<int, text>>"
        ),
        (
            "INSERT INTO ty (k, vec) VALUES (1, [1, 2])",
            "invalidRequest: Invalid vector literal for vec of type vector<float, 3>; expected 3 elements, but given 2"
        ),
        (
            "INSERT INTO ty (k, vec) VALUES (1, [1, 2, null])",
            "invalidRequest: null is not supported inside collections"
        ),
        (
            "INSERT INTO ty (k, vec) VALUES (1, [1, 2, 3, 4])",
            "invalidRequest: Invalid vector literal for vec of type vector<float, 3>; expected 3 elements, but given 4"
        ),
        ("INSERT INTO ty (k, vec) VALUES (1, [1, 2, NaN])", "ok"),
        ("SELECT vec FROM ty WHERE k = 1", "[1.0, 2.0, NaN]"),
        (
            "INSERT INTO ty (k, vec) VALUES (1, {1, 2, 3})",
            "invalidRequest: Invalid set literal for vec of type vector<float, 3>"
        ),
        (
            "CREATE TABLE vz (k int PRIMARY KEY, v vector<float, 0>)",
            "invalidRequest: vectors may only have positive dimensions; given 0"
        ),
        (
            "CREATE TABLE vz (k int PRIMARY KEY, v vector<float, -1>)",
            "invalidRequest: vectors may only have positive dimensions; given -1"
        ),
        (
            "CREATE TABLE vz (k int PRIMARY KEY, l list<list<int>>)",
            "invalidRequest: Non-frozen collections are not allowed inside collections: list<list<int>>"
        ),
        ("CREATE TABLE vz (k int PRIMARY KEY, l list<frozen<list<int>>>)", "ok"),
        (
            "CREATE TABLE vz2 (k int PRIMARY KEY, l set<map<int,int>>)",
            "invalidRequest: Non-frozen collections are not allowed inside collections: set<map<int, int>>"
        ),
        (
            "CREATE TABLE vz2 (k int PRIMARY KEY, l set<u>)",
            "invalidRequest: Non-frozen UDTs are not allowed inside collections: set<u>"
        ),
        (
            "CREATE TABLE vz2 (k int PRIMARY KEY, l frozen<int>)",
            "invalidRequest: frozen<> is only allowed on collections, tuples, and user-defined types (got int)"
        ),
        (
            "CREATE TABLE vz2 (k int PRIMARY KEY, l list<>)",
            "syntaxException: line 1:44 no viable alternative at input '>' (...KEY, l list<[>]...)"
        ),
        (
            "CREATE TABLE vz2 (k int PRIMARY KEY, l tuple<>)",
            "syntaxException: line 1:45 no viable alternative at input '>' (...KEY, l tuple<[>]...)"
        ),
        (
            "CREATE TABLE vz2 (k int PRIMARY KEY, l map<int>)",
            "syntaxException: line 1:46 mismatched input '>' expecting ',' (..., l map<int[>]...)"
        ),
        (
            "CREATE TABLE vz2 (k int PRIMARY KEY, l map<duration, int>)",
            "invalidRequest: Durations are not allowed as map keys: map<duration, int>"
        ),
        (
            "CREATE TABLE vz2 (k int PRIMARY KEY, l set<duration>)",
            "invalidRequest: Durations are not allowed inside sets: set<duration>"
        ),
        (
            "CREATE TABLE vz3 (k frozen<list<duration>> PRIMARY KEY)",
            "invalidRequest: duration type is not supported for PRIMARY KEY column 'k'"
        ),
        (
            "CREATE TABLE vz3 (k u PRIMARY KEY)",
            #"invalidRequest: Invalid non-frozen user-defined type "u" for PRIMARY KEY column 'k'"#
        ),
        ("CREATE TABLE vz3 (k frozen<u> PRIMARY KEY)", "ok"),
        ("CREATE TABLE vz4 (k tuple<int, int> PRIMARY KEY)", "ok"),
        ("CREATE TABLE vz5 (k int PRIMARY KEY, t tuple<int, list<int>>)", "ok"),
    ]

    /// USING.
    static let times: StatementTable = [
        ("INSERT INTO simple (k, v) VALUES ('a', 1) USING TTL 0", "ok"),
        (
            "INSERT INTO simple (k, v) VALUES ('a', 1) USING TTL null",
            "syntaxException: line 1:52 no viable alternative at input 'null' (..., 1) USING TTL [null])"
        ),
        (
            "INSERT INTO simple (k, v) VALUES ('a', 1) USING TTL 1.5",
            "syntaxException: line 1:52 no viable alternative at input '1.5' (..., 1) USING TTL [1.5])"
        ),
        (
            "INSERT INTO simple (k, v) VALUES ('a', 1) USING TTL 'a'",
            "syntaxException: line 1:52 no viable alternative at input ''a'' (..., 1) USING TTL ['a'])"
        ),
        (
            "INSERT INTO simple (k, v) VALUES ('a', 1) USING TTL 99999999999",
            "invalidRequest: Unable to make int from '99999999999'"
        ),
        ("INSERT INTO simple (k, v) VALUES ('a', 1) USING TTL 5 AND TTL 6", "ok"),
        (
            "INSERT INTO simple (k, v) VALUES ('a', 1) USING TTL 5, TIMESTAMP 6",
            "syntaxException: line 1:53 mismatched input ',' expecting EOF (...1) USING TTL 5[,]...)"
        ),
        (
            "INSERT INTO simple (k, v) VALUES ('a', 1) USING TIMESTAMP null",
            "syntaxException: line 1:58 no viable alternative at input 'null' (..., 1) USING TIMESTAMP [null])"
        ),
        (
            "INSERT INTO simple (k, v) VALUES ('a', 1) USING TIMESTAMP 9223372036854775808",
            "invalidRequest: Unable to make long from '9223372036854775808'"
        ),
        ("INSERT INTO simple (k, v) VALUES ('a', 1) USING TIMESTAMP -9223372036854775807", "ok"),
        ("INSERT INTO simple (k, v) VALUES ('a', 1) IF NOT EXISTS USING TTL 5", "false 'a' 1"),
        (
            "INSERT INTO simple (k, v) VALUES ('a', 1) IF EXISTS",
            "syntaxException: line 1:45 mismatched input 'EXISTS' expecting K_NOT (...'a', 1) IF [EXISTS])"
        ),
        ("UPDATE simple USING TIMESTAMP 5 AND TTL 5 SET v = 1 WHERE k = 'a'", "ok"),
        (
            "UPDATE simple SET v = 1 WHERE k = 'a' USING TTL 5",
            "syntaxException: line 1:38 mismatched input 'USING' expecting EOF (...1 WHERE k = 'a' [USING]...)"
        ),
        (
            "UPDATE simple SET v = 1 WHERE k = 'a' IF NOT EXISTS",
            "syntaxException: line 1:41 no viable alternative at input 'NOT' (...WHERE k = 'a' IF [NOT]...)"
        ),
        (
            "UPDATE simple USING TIMESTAMP 5 SET v = 1 WHERE k = 'a' IF EXISTS",
            "invalidRequest: Cannot provide custom timestamp for conditional updates"
        ),
    ]

    /// IF.
    static let conditions: StatementTable = [
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
            "invalidRequest: Invalid call to function floor, none of its type signatures match"
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
