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
            "UPDATE t SET x.a = 1, x.b = 'b', x.a = 2 WHERE k = 31 AND c = 1 AND d = 1",
            "syntaxException: Multiple incompatible setting of column x"
        ),
        ("UPDATE t SET x.a = 1, x.b = 'b' WHERE k = 31 AND c = 1 AND d = 1", "ok"),
        ("DELETE x.a, x.a FROM t WHERE k = 31 AND c = 1 AND d = 1", "ok"),
        ("SELECT x FROM t WHERE k = 31", "{a: null, b: 'b'}"),
        ("DELETE FROM t WHERE k = 31", "ok"),
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
}
