// OddStatementTests+Values.swift — see OddStatementTests.swift.

extension OddStatementTests {
    /// Words, quotes and comments.
    static let texts: StatementTable = [
        ("SELECT * FROM t WHERE k = 1 -- comment", "nothing"),
        ("SELECT * FROM t /* a\nb */ WHERE k = 1 // c", "nothing"),
        ("SELECT * FROM t WHERE w = 'abc", "syntaxException: line 1:30 mismatched character '<EOF>' expecting '''"),
        ("SELECT * FROM t WHERE w = $$abc", "syntaxException: line 1:31 mismatched character '<EOF>' expecting '$'"),
        (#"SELECT "k FROM t"#, #"syntaxException: line 1:16 mismatched character '<EOF>' expecting '"'"#),
        ("SELECT * FROM t /* unterminated", "syntaxException: line 1:31 mismatched character '<EOF>' expecting '*'"),
        ("INSERT INTO simple (k, v) VALUES ('it''s', 1)", "ok"),
        ("INSERT INTO simple (k, v) VALUES ($$it's$$, 1)", "ok"),
        ("SELECT * FROM simple", "'it''s' 1"),
        (#"SELECT * FROM "T""#, "invalidRequest: table T does not exist"),
        (#"SELECT * FROM "t" WHERE "k" = 1"#, "nothing"),
        (#"SELECT "K" FROM t"#, "invalidRequest: Undefined column name K in table ks.t"),
        (#"SELECT k AS "A b" FROM t"#, "nothing"),
        ("SELECT * FROM t;;", "nothing"),
        (";", "syntaxException: line 1:0 no viable alternative at input ';' ([;])"),
        ("SELECT", "syntaxException: line 1:6 no viable alternative at input '<EOF>' (SELECT)"),
        ("INSERT INTO t", "syntaxException: line 1:13 mismatched input '<EOF>' expecting '(' (INSERT INTO t)"),
        (
            "CREATE TABLE select (k int PRIMARY KEY)",
            "syntaxException: line 1:13 no viable alternative at input 'select' (CREATE TABLE [select]...)"
        ),
        (#"CREATE TABLE "select" (k int PRIMARY KEY)"#, "ok"),
        (#"SELECT * FROM "select""#, "nothing"),
        (
            "CREATE TABLE key (key int PRIMARY KEY, values int, ttl int, timestamp timestamp, type text, list list<int>)",
            "ok"
        ),
        ("SELECT key, ttl, timestamp, type, list FROM key", "nothing"),
        (
            "CREATE TABLE tab (k int PRIMARY KEY, table int)",
            "syntaxException: line 1:37 no viable alternative at input 'table' (...k int PRIMARY KEY, [table]...)"
        ),
        (
            "CREATE TABLE tab (k int PRIMARY KEY, 1a int)",
            "syntaxException: line 1:37 no viable alternative at input '1' (...k int PRIMARY KEY, [1]...)"
        ),
        (
            "CREATE TABLE tab-le (k int PRIMARY KEY)",
            "syntaxException: line 1:16 mismatched input '-' expecting '(' (CREATE TABLE tab[-]...)"
        ),
        (
            #"CREATE TABLE "ta-ble" (k int PRIMARY KEY)"#,
            #"invalidRequest: Table name must not be empty, more than 48 characters long, or contain non-alphanumeric-underscore characters (got "ta-ble")"#
        ),
        (#"CREATE TABLE "" (k int PRIMARY KEY)"#, #"syntaxException: line 1:15 no viable alternative at input '""'"#),
        (
            "CREATE TABLE aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee (k int PRIMARY KEY)",
            #"invalidRequest: Table name must not be empty, more than 48 characters long, or contain non-alphanumeric-underscore characters (got "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee")"#
        ),
        ("SELECT * FROM t WHERE k = 0x1", "syntaxException: line 1:29 no viable alternative at input '0x1'"),
        (
            "INSERT INTO ty (k, bl) VALUES (1, 0x123)",
            "syntaxException: line 1:39 no viable alternative at input '0x123'"
        ),
        ("INSERT INTO ty (k, bl) VALUES (1, 0x)", "ok"),
        ("INSERT INTO ty (k, bl) VALUES (1, 0xzz)", "syntaxException: line 1:38 no viable alternative at input '0xzz'"),
        ("INSERT INTO ty (k, bl) VALUES (1, 0XFF)", "ok"),
        (
            "INSERT INTO ty (k, bl) VALUES (1, 'ff')",
            #"invalidRequest: Invalid STRING constant (ff) for "bl" of type blob"#
        ),
        ("SELECT k, bl FROM ty", "1 0xff"),
        (
            "SELECT * FROM t WHERE k = 1 AND",
            "syntaxException: line 1:31 no viable alternative at input '<EOF>' (...WHERE k = 1 AND)"
        ),
        (
            "SELECT * FROM t WHERE k == 1",
            "syntaxException: line 1:25 no viable alternative at input '=' (...FROM t WHERE k =[=]...)"
        ),
        (
            "SELECT * FROM t WHERE k <> 1",
            "syntaxException: line 1:25 no viable alternative at input '>' (...FROM t WHERE k <[>]...)"
        ),
        (
            "SELECT * FROM t WHERE k = 1 OR k = 2",
            "syntaxException: line 1:28 mismatched input 'OR' expecting EOF (...t WHERE k = 1 [OR]...)"
        ),
        (
            "SELECT * FROM t LIMIT 1.5",
            "syntaxException: line 1:22 no viable alternative at input '1.5' (SELECT * FROM t LIMIT [1.5])"
        ),
        (
            "SELECT * FROM t LIMIT 'a'",
            "syntaxException: line 1:22 no viable alternative at input ''a'' (SELECT * FROM t LIMIT ['a'])"
        ),
        ("SELECT * FROM t LIMIT 99999999999", "invalidRequest: Unable to make int from '99999999999'"),
        (
            "SELECT * FROM t ALLOW",
            "syntaxException: line 1:21 mismatched input '<EOF>' expecting K_FILTERING (SELECT * FROM t ALLOW)"
        ),
        (
            "SELECT * FROM t FILTERING",
            "syntaxException: line 1:16 mismatched input 'FILTERING' expecting EOF (SELECT * FROM t [FILTERING])"
        ),
        ("SELECT k k FROM t", "syntaxException: line 1:9 mismatched input 'k' expecting K_FROM (SELECT k [k]...)"),
        ("SELECT k, FROM t", "syntaxException: line 1:10 no viable alternative at input 'FROM' (SELECT k, [FROM]...)"),
        ("SELECT * , k FROM t", "syntaxException: line 1:9 mismatched input ',' expecting K_FROM (SELECT * [,]...)"),
        ("SELECT DISTINCT FROM t", "invalidRequest: Undefined column name distinct in table ks.t"),
        (
            "SELECT count() FROM t",
            "invalidRequest: Invalid number of arguments in call to function system.count: 1 required but 0 provided"
        ),
        ("SELECT count(*), k FROM t", "0 null"),
        ("SELECT count(1) FROM t", "0"),
        ("SELECT count(2) FROM t", "0"),
        ("SELECT count(k) FROM t", "0"),
        ("SELECT COUNT(*) AS c FROM t", "0"),
    ]

    /// Numbers of every kind.
    static let numbers: StatementTable = [
        ("INSERT INTO ty (k, i) VALUES (1, 2147483648)", "invalidRequest: Unable to make int from '2147483648'"),
        ("INSERT INTO ty (k, i) VALUES (1, -2147483649)", "invalidRequest: Unable to make int from '-2147483649'"),
        ("INSERT INTO ty (k, tin) VALUES (1, 128)", "invalidRequest: Unable to make byte from '128'"),
        ("INSERT INTO ty (k, sm) VALUES (1, 32768)", "invalidRequest: Unable to make short from '32768'"),
        (
            "INSERT INTO ty (k, bi) VALUES (1, 9223372036854775808)",
            "invalidRequest: Unable to make long from '9223372036854775808'"
        ),
        ("INSERT INTO ty (k, va) VALUES (1, 123456789012345678901234567890)", "ok"),
        ("INSERT INTO ty (k, i) VALUES (1, 1.0)", #"invalidRequest: Invalid FLOAT constant (1.0) for "i" of type int"#),
        ("INSERT INTO ty (k, i) VALUES (1, 1e3)", #"invalidRequest: Invalid FLOAT constant (1e3) for "i" of type int"#),
        ("INSERT INTO ty (k, i) VALUES (99999999999, 1)", "invalidRequest: Unable to make int from '99999999999'"),
        ("INSERT INTO ty (k, dou) VALUES (1, NaN)", "ok"),
        ("SELECT dou FROM ty WHERE k = 1", "NaN"),
        ("INSERT INTO ty (k, dou) VALUES (1, -NaN)", "ok"),
        ("INSERT INTO ty (k, dou) VALUES (1, Infinity)", "ok"),
        ("INSERT INTO ty (k, dou) VALUES (1, -Infinity)", "ok"),
        ("SELECT dou FROM ty WHERE k = 1", "-Infinity"),
        ("INSERT INTO ty (k, dou) VALUES (1, -0.0)", "ok"),
        ("SELECT dou FROM ty WHERE k = 1", "-0.0"),
        ("INSERT INTO ty (k, dou) VALUES (1, 1e400)", "ok"),
        ("SELECT dou FROM ty WHERE k = 1", "Infinity"),
        ("INSERT INTO ty (k, fl) VALUES (1, 1e39)", "ok"),
        ("SELECT fl FROM ty WHERE k = 1", "Infinity"),
        ("INSERT INTO ty (k, fl) VALUES (1, 16777217)", "ok"),
        ("SELECT fl FROM ty WHERE k = 1", "16777216.0"),
        ("INSERT INTO ty (k, i) VALUES (1, NaN)", #"invalidRequest: Invalid FLOAT constant (NaN) for "i" of type int"#),
        (
            "INSERT INTO ty (k, de) VALUES (1, NaN)",
            #"invalidRequest: Invalid FLOAT constant (NaN) for "de" of type decimal"#
        ),
        ("INSERT INTO ty (k, de) VALUES (1, 1e1000000000)", "ok"),
        ("INSERT INTO ty (k, de) VALUES (1, 1E-5)", "ok"),
        ("SELECT de FROM ty WHERE k = 1", "0.00001"),
        (
            "INSERT INTO ty (k, de) VALUES (1, 1e99999999999)",
            #"invalidRequest: Invalid FLOAT constant (1e99999999999) for "de" of type decimal"#
        ),
        (
            "INSERT INTO ty (k, bo) VALUES (1, 'true')",
            #"invalidRequest: Invalid STRING constant (true) for "bo" of type boolean"#
        ),
        (
            "INSERT INTO ty (k, bo) VALUES (1, 1)",
            #"invalidRequest: Invalid INTEGER constant (1) for "bo" of type boolean"#
        ),
        ("INSERT INTO ty (k, bo) VALUES (1, TRUE)", "ok"),
        (
            "INSERT INTO ty (k, i) VALUES (1, +5)",
            "syntaxException: line 1:33 no viable alternative at input '+' (...) VALUES (1, [+]...)"
        ),
        ("INSERT INTO ty (k, i) VALUES (1, - 5)", "ok"),
        ("INSERT INTO ty (k, i) VALUES (1, 0005)", "ok"),
        ("INSERT INTO ty (k, i) VALUES (1, 1/0)", "functionFailure: the operation 'int / int' failed: / by zero"),
        ("INSERT INTO ty (k, i) VALUES (1, 2147483647 + 1)", "ok"),
        ("SELECT i FROM ty WHERE k = 1", "-2147483648"),
    ]

    /// Texts.
    static let strings: StatementTable = [
        ("INSERT INTO ty (k, a) VALUES (1, 'é')", "invalidRequest: Invalid ASCII character in string literal"),
        ("INSERT INTO ty (k, te) VALUES (1, 'é')", "ok"),
        ("INSERT INTO ty (k, te) VALUES (1, null)", "ok"),
        (
            #"INSERT INTO ty (k, te) VALUES (1, "te")"#,
            #"syntaxException: line 1:34 no viable alternative at input '"te"' (...) VALUES (1, ["te"]...)"#
        ),
        (
            "INSERT INTO ty (k, te) VALUES (1, te)",
            "syntaxException: line 1:34 no viable alternative at input 'te' (...) VALUES (1, [te]...)"
        ),
    ]

    /// Dates, times, addresses and identifiers.
    static let dates: StatementTable = [
        (
            "INSERT INTO ty (k, da) VALUES (1, '2025-02-30')",
            "invalidRequest: Unable to coerce '2025-02-30' to a formatted date (long)"
        ),
        (
            "INSERT INTO ty (k, da) VALUES (1, '2025-13-01')",
            "invalidRequest: Unable to coerce '2025-13-01' to a formatted date (long)"
        ),
        (
            "INSERT INTO ty (k, da) VALUES (1, 'nonsense')",
            "invalidRequest: Unable to coerce 'nonsense' to a formatted date (long)"
        ),
        ("INSERT INTO ty (k, da) VALUES (1, 2147483648)", "ok"),
        ("SELECT da FROM ty WHERE k = 1", "'1970-01-01'"),
        ("INSERT INTO ty (k, da) VALUES (1, '2147483649')", "ok"),
        ("INSERT INTO ty (k, da) VALUES (1, -1)", "invalidRequest: Unable to make unsigned int (for date) from: '-1'"),
        (
            "INSERT INTO ty (k, da) VALUES (1, 4294967296)",
            "invalidRequest: Unable to make unsigned int (for date) from: '4294967296'"
        ),
        (
            "INSERT INTO ty (k, ti) VALUES (1, '25:00:00')",
            "invalidRequest: (TimeType) Unable to coerce '25:00:00' to a formatted time (long)"
        ),
        ("INSERT INTO ty (k, ti) VALUES (1, '23:59:59.999999999')", "ok"),
        (
            "INSERT INTO ty (k, ti) VALUES (1, '23:59:59.9999999999')",
            "invalidRequest: (TimeType) Unable to coerce '23:59:59.9999999999' to a formatted time (long)"
        ),
        (
            "INSERT INTO ty (k, ti) VALUES (1, 86400000000000)",
            "invalidRequest: Unable to make long (for time) from: '86400000000000'"
        ),
        (
            "INSERT INTO ty (k, ti) VALUES (1, '08:12')",
            "invalidRequest: (TimeType) Unable to coerce '08:12' to a formatted time (long)"
        ),
        (
            "INSERT INTO ty (k, ts) VALUES (1, '2025-02-30')",
            "invalidRequest: Unable to parse a date/time from '2025-02-30'"
        ),
        (
            "INSERT INTO ty (k, ts) VALUES (1, 'yesterday')",
            "invalidRequest: Unable to parse a date/time from 'yesterday'"
        ),
        ("INSERT INTO ty (k, ts) VALUES (1, '2025-01-01T00:00:00.123456Z')", "ok"),
        ("INSERT INTO ty (k, ts) VALUES (1, '2025-01-01 00:00+01')", "ok"),
        (
            "INSERT INTO ty (k, ts) VALUES (1, '2025-01-01 24:00')",
            "invalidRequest: Unable to parse a date/time from '2025-01-01 24:00'"
        ),
        ("INSERT INTO ty (k, ts) VALUES (1, 9223372036854775807)", "ok"),
        ("SELECT ts FROM ty WHERE k = 1", "'+292278994-08-17 07:12:55.807+0000'"),
        ("INSERT INTO ty (k, ts) VALUES (1, '')", "ok"),
        ("INSERT INTO ty (k, da) VALUES (1, '')", "invalidRequest: Unable to coerce '' to a formatted date (long)"),
        ("INSERT INTO ty (k, ine) VALUES (1, '')", "ok"),
        (
            "INSERT INTO ty (k, ine) VALUES (1, '300.1.1.1')",
            "invalidRequest: Unable to make inet address from '300.1.1.1'"
        ),
        ("INSERT INTO ty (k, ine) VALUES (1, '::1')", "ok"),
        (
            "INSERT INTO ty (k, ine) VALUES (1, 1)",
            #"invalidRequest: Invalid INTEGER constant (1) for "ine" of type inet"#
        ),
        (
            "INSERT INTO ty (k, uu) VALUES (1, 'a')",
            #"invalidRequest: Invalid STRING constant (a) for "uu" of type uuid"#
        ),
        ("INSERT INTO ty (k, uu) VALUES (1, 99999999-9999-9999-9999-999999999999)", "ok"),
        (
            "INSERT INTO ty (k, tu) VALUES (1, 99999999-9999-9999-9999-999999999999)",
            "invalidRequest: TimeUUID supports only version 1 UUIDs"
        ),
        (
            "INSERT INTO ty (k, uu) VALUES (1, 99999999-9999-9999-9999-99999999999)",
            "syntaxException: line 1:42 mismatched input '-9999' expecting ')' (...VALUES (1, 99999999[-9999]...)"
        ),
        (
            "INSERT INTO ty (k, tu) VALUES (1, uuid())",
            "invalidRequest: Type error: cannot assign result of function system.uuid (type uuid) to tu (type timeuuid)"
        ),
        ("INSERT INTO ty (k, uu) VALUES (1, now())", "ok"),
        (
            "INSERT INTO ty (k, tu) VALUES (1, now(1))",
            "invalidRequest: Invalid number of arguments in call to function system.now: 0 required but 1 provided"
        ),
        ("INSERT INTO ty (k, tu) VALUES (1, nosuch())", "invalidRequest: Unknown function 'nosuch'"),
    ]

    /// Durations.
    static let durations: StatementTable = [
        ("INSERT INTO dur (k, d) VALUES (1, 1y2mo3w4d5h6m7s8ms9us10ns)", "ok"),
        ("SELECT d FROM dur WHERE k = 1", "1y2mo25d5h6m7s8ms9us10ns"),
        ("INSERT INTO dur (k, d) VALUES (1, P1Y2M3DT4H5M6S)", "ok"),
        ("INSERT INTO dur (k, d) VALUES (1, P1W)", "ok"),
        (
            "INSERT INTO dur (k, d) VALUES (1, '1h')",
            #"invalidRequest: Invalid STRING constant (1h) for "d" of type duration"#
        ),
        ("INSERT INTO dur (k, d) VALUES (1, 5)", "invalidRequest: Unable to convert '5' to a duration"),
        ("INSERT INTO dur (k, d) VALUES (1, -5)", "invalidRequest: Unable to convert '5' to a duration"),
        ("INSERT INTO dur (k, d) VALUES (1, 1h1d)", "invalidRequest: Invalid duration. The hours should be after days"),
        (
            "INSERT INTO dur (k, d) VALUES (1, 12h3s30m)",
            "invalidRequest: Invalid duration. The seconds should be after minutes"
        ),
        (
            "INSERT INTO dur (k, d) VALUES (1, 1h1h)",
            "invalidRequest: Invalid duration. The hours are specified multiple times"
        ),
        (
            "INSERT INTO dur (k, d) VALUES (1, -1d1D)",
            "invalidRequest: Invalid duration. The days are specified multiple times"
        ),
        (
            "INSERT INTO dur (k, d) VALUES (1, 2147483648d)",
            "invalidRequest: Invalid duration. The total number of days must be less or equal to 2147483647"
        ),
        (
            "INSERT INTO dur (k, d) VALUES (1, -306783378w2d)",
            "invalidRequest: Invalid duration. The total number of days must be less or equal to 2147483647"
        ),
        (
            "INSERT INTO dur (k, d) VALUES (1, 178956970y8mo)",
            "invalidRequest: Invalid duration. The total number of months must be less or equal to 2147483647"
        ),
        (
            "INSERT INTO dur (k, d) VALUES (1, 2562048h)",
            "invalidRequest: Invalid duration. The total number of nanoseconds must be less or equal to 2147483647"
        ),
        ("INSERT INTO dur (k, d) VALUES (1, 178956970y7mo306783378w1d9223372036854775807ns)", "ok"),
        (
            #"INSERT INTO dur JSON '{"k": 1, "d": "P1D1D"}'"#,
            "invalidRequest: Error decoding JSON value for d: Invalid duration. The days are specified multiple times"
        ),
        (
            "INSERT INTO dur (k, d) VALUES (1, 999999999999999999999h)",
            "invalidRequest: Unable to convert '999999999999999999999h' to a duration"
        ),
        ("INSERT INTO dur (k, d) VALUES (1, -1d)", "ok"),
        (
            "INSERT INTO dur (k, d) VALUES (1, 1d-1h)",
            "syntaxException: line 1:36 mismatched input '-1h' expecting ')' (...VALUES (1, 1d[-1h]...)"
        ),
        (
            "INSERT INTO dur (k, d) VALUES (1, 1xy)",
            "syntaxException: line 1:35 mismatched input 'xy' expecting ')' (...VALUES (1, 1[xy]...)"
        ),
        ("SELECT * FROM dur WHERE d = -1d ALLOW FILTERING", "1 -1d"),
        ("SELECT * FROM dur WHERE d IN (-1d, 2d) ALLOW FILTERING", "1 -1d"),
        ("SELECT max(d) FROM dur", "invalidRequest: Invalid call to function max: durations have no order"),
        (
            "UPDATE dur SET d = 1h WHERE k = 1 IF d > 1h",
            "invalidRequest: Slice conditions are not supported on durations"
        ),
        ("UPDATE dur SET d = 1h WHERE k = 1 IF d = -1d", "true"),
        ("SELECT d + d FROM dur", "invalidRequest: the '+' operation is not supported between d and d"),
    ]
}
