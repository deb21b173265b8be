import StorageTypes
import Testing

@testable import WideColumnEngine

// [CA] doc cql/dml.adoc "GROUP BY", cql/functions.adoc "Aggregate functions", cql/operators.adoc, cql/json.adoc.

@Suite("Aggregates, groups, functions and arithmetic")
struct AggregateTests {
    private func makeRows() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE t (p int, a int, b int, s int STATIC, v int, d double, n decimal, w bigint, PRIMARY KEY (p, a, b))"
        )
        for p in 1...2 {
            for a in 1...3 {
                for b in 1...2 {
                    try store.execute(
                        "INSERT INTO t (p, a, b, v, d, n, w) VALUES (?, ?, ?, ?, ?, 1.25, 4611686018427387904)",
                        [
                            .int(Int32(p)), .int(Int32(a)), .int(Int32(b)), .int(Int32(10 * a + b)),
                            .double(Double(a) / 2),
                        ])
                }
            }
        }
        try store.execute("INSERT INTO t (p, s) VALUES (3, 1)")
        return store
    }

    @Test("aggregates skip nulls; of integers they keep the type, truncate, and wrap around")
    func aggregates() throws {
        let store = try makeRows()
        #expect(
            try store.lines("SELECT count(*), count(v), min(v), max(v), sum(v), avg(v) FROM t WHERE p = 1")
                == ["6 6 11 32 129 21"])
        #expect(try store.lines("SELECT count(1), count(a), count(v) FROM t") == ["13 12 12"])
        #expect(try store.lines("SELECT sum(d), avg(d), sum(n), avg(n) FROM t WHERE p = 1") == ["6.0 1.0 7.50 1.25"])
        #expect(try store.lines("SELECT sum(w) FROM t WHERE p = 1 AND a IN (1, 2)") == ["0"])
        #expect(
            try store.lines("SELECT count(*), min(v), max(v), sum(v), avg(v) FROM t WHERE p = 9") == ["0 null null 0 0"]
        )
        let result = try store.execute("SELECT max(v), count(v) AS c, p FROM t WHERE p = 2")
        #expect(result.columns.map(\.name) == ["system.max(v)", "c", "p"])
        #expect(result[0].values == [.int(32), .bigint(6), .int(2)])
        #expect(try store.lines("SELECT max(v) + 1, intAsBlob(min(v)) FROM t WHERE p = 1") == ["33 0x0000000b"])
    }

    @Test("GROUP BY makes a row of each group; LIMIT counts groups, paging goes on between them")
    func groups() throws {
        let store = try makeRows()
        #expect(
            try store.lines("SELECT a, count(*), max(v) FROM t WHERE p = 1 GROUP BY p, a") == [
                "1 2 12", "2 2 22", "3 2 32",
            ])
        #expect(try store.lines("SELECT a, sum(v) FROM t WHERE p = 1 GROUP BY a LIMIT 2") == ["1 23", "2 43"])
        #expect(try store.execute("SELECT p, a FROM t GROUP BY p, a PER PARTITION LIMIT 1").count == 3)
        #expect(try store.lines("SELECT p, count(*) FROM t GROUP BY p").sorted() == ["1 6", "2 6", "3 1"])
        #expect(
            try store.lines("SELECT a, count(b) FROM t WHERE p = 1 GROUP BY p, a ORDER BY a DESC") == [
                "3 2", "2 2", "1 2",
            ])
        for limit in ["", " PER PARTITION LIMIT 2", " PER PARTITION LIMIT 1 LIMIT 2"] {
            try checkPages(try store.prepare("SELECT p, a, count(*) FROM t GROUP BY p, a\(limit)"))
        }
    }

    @Test("groups of several partitions are in the order of ORDER BY, and cut behind that")
    func mergedGroups() throws {
        let store = try makeRows()
        try store.execute("INSERT INTO t (p, a, b, v) VALUES (2, 4, 0, 40)")
        try store.execute("INSERT INTO t (p, a, b, v) VALUES (2, 1, 0, 10)")
        let groups = "SELECT p, a, count(*) FROM t WHERE p IN (1, 2) GROUP BY p, a ORDER BY a"
        let partitions = try store.lines("SELECT p FROM t WHERE p IN (1, 2) GROUP BY p")
        /// Of each group that both partitions have, in the order in which these are read.
        func both(_ a: Int, _ counts: [String: Int]) -> [String] { partitions.map { "\($0) \(a) \(counts[$0] ?? 2)" } }
        let ascending = both(1, ["2": 3]) + both(2, [:]) + both(3, [:]) + ["2 4 1"]
        #expect(try store.lines(groups) == ascending)
        let descending = ["2 4 1"] + both(3, [:]) + both(2, [:]) + both(1, ["2": 3])
        #expect(try store.lines("\(groups) DESC") == descending)
        #expect(try store.lines("\(groups) DESC LIMIT 2") == Array(descending.prefix(2)))
        #expect(
            try store.lines("\(groups) DESC PER PARTITION LIMIT 1") == ["2 4 1", "1 3 2"])
        #expect(
            try store.lines("SELECT p, a, max(v) FROM t WHERE p IN (1, 2) GROUP BY p ORDER BY a DESC") == [
                "2 4 40", "1 3 32",
            ])
        #expect(
            try store.lines("SELECT JSON a FROM t WHERE p IN (1, 2) GROUP BY p, a ORDER BY a DESC LIMIT 1") == [
                #"'{"a": 4}'"#
            ])
        #expect(try store.lines("SELECT count(*) FROM t WHERE p IN (1, 2) ORDER BY a DESC") == ["14"])
        #expect(try store.prepare("\(groups) LIMIT 2").execute(pageSize: 2).count == 2)
        expectInvalid(
            "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you must either remove the "
                + "ORDER BY or the IN and sort client side, or disable paging for this query"
        ) { try store.prepare("\(groups) LIMIT 3").execute(pageSize: 2) }
    }

    private func checkPages(_ grouped: PreparedStatement) throws {
        let all = try grouped.execute().map(\.description)
        for pageSize in 1...4 {
            #expect(try grouped.pages(size: pageSize).map(\.description) == all, "page size \(pageSize)")
        }
    }

    @Test("time series are grouped by floor()")
    func floor() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE e (k int, t timestamp, v int, PRIMARY KEY (k, t))")
        for (minute, value) in [(0, 1), (25, 2), (70, 3), (119, 4), (600, 5)] {
            try store.execute(
                "INSERT INTO e (k, t, v) VALUES (1, ?, ?)", [.timestamp(Int64(minute) * 60_000), .int(Int32(value))])
        }
        #expect(
            try store.lines("SELECT floor(t, 1h), sum(v) FROM e WHERE k = 1 GROUP BY k, floor(t, 1h)") == [
                "'1970-01-01 00:00:00.000+0000' 3", "'1970-01-01 01:00:00.000+0000' 7",
                "'1970-01-01 10:00:00.000+0000' 5",
            ])
        #expect(
            try store.lines("SELECT floor(t, 1mo) FROM e WHERE k = 1 LIMIT 1") == ["'1970-01-01 00:00:00.000+0000'"])
        #expect(
            try store.lines("SELECT t + 1mo2d, t - 1h FROM e WHERE k = 1 LIMIT 1") == [
                "'1970-02-03 00:00:00.000+0000' '1969-12-31 23:00:00.000+0000'"
            ])
    }

    @Test("floor of times and dates: without a length, longer than a day, and over all years")
    func floorExtremes() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE e (k int PRIMARY KEY, t timestamp, i time, d date)")
        try store.execute(
            "INSERT INTO e (k, t, i, d) VALUES (1, 9223372036854775807, '08:12:54', '2025-03-10')")
        for (expression, value) in [
            ("floor(t, 0ns)", "'+292278994-08-17 07:12:55.807+0000'"), ("floor(i, 0ns)", "'08:12:54.000000000'"),
            ("floor(d, 0d)", "'2025-03-10'"), ("floor(i, 1h)", "'08:00:00.000000000'"),
            ("floor(i, 24h)", "'00:00:00.000000000'"), ("floor(t, 1mo)", "'+292278994-08-01 00:00:00.000+0000'"),
            ("floor(t, 1y)", "'+292278994-01-01 00:00:00.000+0000'"),
            ("floor(t, 2147483647mo)", "'+178958940-08-01 00:00:00.000+0000'"),
            ("floor(t, 1mo, '2000-01-31')", "'+292278994-07-31 00:00:00.000+0000'"),
            ("floor(d, 1mo, '2024-01-31')", "'2025-02-28'"), ("floor(d, 1mo15d)", "'2025-02-09'"),
        ] { #expect(try store.lines("SELECT \(expression) FROM e") == [value], "\(expression)") }
        for duration in ["25h", "1d", "1mo"] {
            expectInvalid("For time values, the floor can only be computed for durations smaller that a day") {
                try store.execute("SELECT floor(i, \(duration)) FROM e")
            }
        }
    }

    @Test("floor counts its intervals from the start, which has the type of the result; a time has none")
    func floorStart() throws {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE e (k int, t timestamp, d date, s date, u timeuuid, i time, v int, PRIMARY KEY (k, t, d))")
        try store.execute(
            """
            INSERT INTO e (k, t, d, s, u, i, v) VALUES (1, '2025-03-10 12:34:56.789+0000', '2025-03-10', '2025-03-01',
            minTimeuuid('2025-03-10 12:34:56.789+0000'), '08:12:54.5', 1)
            """)
        for (expression, value) in [
            ("floor(t, 7h, '2025-03-10')", "'2025-03-10 07:00:00.000+0000'"),
            ("floor(t, 7h)", "'2025-03-10 09:00:00.000+0000'"), ("floor(t, 11ms)", "'2025-03-10 12:34:56.787+0000'"),
            ("floor(t, 1d, '2025-03-08 13:00+0000')", "'2025-03-09 13:00:00.000+0000'"),
            ("floor(t, 1d, '2025-03-10 12:34:56.789+0000')", "'2025-03-10 12:34:56.789+0000'"),
            ("floor(t, 1d, '1969-12-31 06:00+0000')", "'2025-03-10 06:00:00.000+0000'"),
            ("floor(t, 1mo, '2025-01-15 06:00+0000')", "'2025-02-15 06:00:00.000+0000'"),
            ("floor(t, 1mo2h, '2025-01-10 11:00+0000')", "'2025-02-10 13:00:00.000+0000'"),
            ("floor(t, 999us, '2025-03-10')", "'2025-03-10 12:34:56.789+0000'"),
            ("floor(t, 1h, (timestamp) null)", "null"), ("floor(t, (duration) null, '2025-03-10')", "null"),
            ("floor(u, 7h)", "'2025-03-10 09:00:00.000+0000'"),
            ("floor(u, 1d, '2025-03-08 13:00+0000')", "'2025-03-09 13:00:00.000+0000'"),
            ("floor(d, 7d, '2025-03-01')", "'2025-03-08'"), ("floor(d, 2d, s)", "'2025-03-09'"),
            ("floor(d, 3d, '1969-12-30')", "'2025-03-08'"), ("floor(i, 7h)", "'07:00:00.000000000'"),
            ("floor(i, 7ns)", "'08:12:54.499999996'"),
        ] { #expect(try store.lines("SELECT \(expression) FROM e") == [value], "\(expression)") }
        let late = "The floor function starting time is greater than the provided time"
        let signatures =
            "Invalid call to function floor, none of its type signatures match (known type signatures: "
            + "system.floor : (timestamp, duration) -> timestamp, "
            + "system.floor : (timestamp, duration, timestamp) -> timestamp, "
            + "system.floor : (timeuuid, duration) -> timestamp, "
            + "system.floor : (timeuuid, duration, timestamp) -> timestamp, "
            + "system.floor : (date, duration) -> date, system.floor : (date, duration, date) -> date, "
            + "system.floor : (time, duration) -> time)"
        for (expression, message) in [
            ("floor(t, 1h, '2025-03-10 12:34:56.790+0000')", late), ("floor(d, 1d, '2025-03-11')", late),
            ("floor(t, -1h, '2026-01-01')", late), ("floor(u, 1h, '2026-01-01')", late),
            ("floor(t, -1h)", "Negative durations are not supported by the floor function"),
            ("floor(d, -1mo)", "Negative durations are not supported by the floor function"),
            ("floor(i, -1d)", "Negative durations are not supported by the floor function"),
            ("floor(i, 1h, i)", signatures), ("floor(t, 1h, d)", signatures), ("floor(d, 1d, t)", signatures),
            ("floor(t, 1h, v)", signatures), ("floor(u, 1h, u)", signatures), ("floor(t, v)", signatures),
        ] { expectInvalid(message) { try store.execute("SELECT \(expression) FROM e") } }
        try store.execute(
            "INSERT INTO e (k, t, d, s) VALUES (2, '2025-03-10', '2025-03-10', floor(?, ?))",
            [
                .date(10), .duration(CQLDuration(months: 0, days: 4, nanoseconds: 0)),
            ])
        #expect(try store.lines("SELECT s FROM e WHERE k = 2") == ["'1970-01-09'"])
        expectInvalid(
            "Only monotonic functions are supported in the GROUP BY clause. Got: system.floor : (t, 1h, system.to_timestamp(d))"
        ) { try store.execute("SELECT t FROM e GROUP BY k, floor(t, 1h, to_timestamp(d))") }
    }

    @Test("a date moves by months and days only", arguments: ["24h", "1d24h", "1ns"])
    func datePrecision(duration: String) throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE e (k int PRIMARY KEY, d date)")
        try store.execute("INSERT INTO e (k, d) VALUES (1, '2025-03-10')")
        for sign in ["+", "-"] {
            expectInvalid("The duration must have a day precision. Was: \(duration)") {
                try store.execute("SELECT d \(sign) \(duration) FROM e")
            }
        }
        #expect(try store.lines("SELECT d + 1mo2d FROM e") == ["'2025-04-12'"])
    }

    @Test("DISTINCT gives aggregates one row of each partition")
    func distinct() throws {
        let store = try makeRows()
        for (cql, rows) in [
            ("SELECT DISTINCT p, count(p) FROM t GROUP BY p", ["1 1", "2 1", "3 1"]),
            ("SELECT DISTINCT p, count(*) FROM t", ["1 3"]), ("SELECT DISTINCT count(p) FROM t", ["3"]),
            ("SELECT DISTINCT count(p), sum(s) FROM t", ["3 1"]),
            ("SELECT DISTINCT p, count(*) FROM t WHERE p IN (1, 3)", ["1 2"]),
            ("SELECT DISTINCT count(token(p)) FROM t", ["3"]),
        ] { #expect(try store.lines(cql).sorted() == rows, "\(cql)") }
        try checkPages(try store.prepare("SELECT DISTINCT p, count(p) FROM t GROUP BY p"))
    }

    @Test("columns that = fixes may be left out of GROUP BY, be it by filtering")
    func fixedColumns() throws {
        let store = try makeRows()
        #expect(
            try store.lines("SELECT b, count(*) FROM t WHERE p = 1 AND a = 2 GROUP BY b") == ["1 1", "2 1"])
        #expect(
            try store.lines("SELECT p, b, count(*) FROM t WHERE a = 2 GROUP BY p, b ALLOW FILTERING").sorted()
                == ["1 1 1", "1 2 1", "2 1 1", "2 2 1"])
    }

    @Test("functions may be named with their keyspace, system; others have none")
    func qualifiedFunctions() throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE pair (x int, y int)")
        try store.execute("CREATE TABLE q (k int PRIMARY KEY, t timeuuid, l list<int>, u frozen<pair>, n int)")
        try store.execute(
            "INSERT INTO q (k, t, l, u, n) VALUES (1, system.now(), [1], {x: 3, y: 4}, system.blobAsInt(0x00000007))")
        #expect(
            try store.lines("SELECT k FROM q WHERE t > system.minTimeuuid('1970-01-01') ALLOW FILTERING") == ["1"])
        let result = try store.execute("SELECT system.max(n), system.count(l), system.intAsBlob(system.min(k)) FROM q")
        #expect(
            result.columns.map(\.name)
                == ["system.max(n)", "system.count(l)", "system.intasblob(system.min(k))"])
        #expect(result[0].values == [.int(7), .bigint(1), .blob([0, 0, 0, 1])])
        try store.execute("UPDATE q SET n = 2 + system.blobAsInt(0x00000001), l = [0] + l WHERE k = 1")
        // What else has a dot or a parenthesis stays what it is.
        #expect(try store.lines("SELECT u.y, l, n, \"system\".token(k) FROM q").first?.hasPrefix("4 [0, 1] 3 ") == true)
        try store.execute("INSERT INTO q (k, u) VALUES (2, (ks.pair){x: 1, y: 2})")
        for cql in ["SELECT other.now() FROM q", "INSERT INTO q (k, t) VALUES (3, other.now())"] {
            expectInvalid("Unknown function 'other.now'") { try store.execute(cql) }
        }
    }

    @Test(
        "refusals have Cassandra's words",
        arguments: [
            (
                "SELECT v FROM t GROUP BY b",
                "Group by currently only support groups of columns following their declared order in the PRIMARY KEY"
            ),
            (
                "SELECT v FROM t GROUP BY v",
                "Group by is currently only supported on the columns of the PRIMARY KEY, got v"
            ),
            (
                "SELECT count(*) FROM t PER PARTITION LIMIT 1",
                "PER PARTITION LIMIT is not allowed with aggregate queries."
            ),
            ("SELECT max(min(v)) FROM t", "aggregate functions cannot be used as arguments of aggregate functions"),
            ("SELECT sum(count(*)) FROM t", "aggregate functions cannot be used as arguments of aggregate functions"),
            (
                "SELECT max(1 + count(*)) FROM t",
                "aggregate functions cannot be used as arguments of aggregate functions"
            ),
            (
                "SELECT DISTINCT p, max(v) FROM t",
                "SELECT DISTINCT queries must only request partition key columns and/or static columns (not v)"
            ),
            (
                "SELECT DISTINCT p FROM t WHERE v = 1 ALLOW FILTERING",
                "SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns."
            ),
            ("SELECT a FROM two GROUP BY a", "Group by is not supported on only a part of the partition key"),
            (
                "SELECT a FROM two WHERE a = 1 AND b = 2 GROUP BY a",
                "Group by is not supported on only a part of the partition key"
            ),
            (
                "SELECT a FROM two GROUP BY floor(a, 1h)",
                "Group by functions are only supported on clustering columns, got a"
            ),
            (
                "SELECT a FROM two GROUP BY floor(v, 1h)",
                "Group by functions are only supported on clustering columns, got v"
            ),
            (
                "SELECT a FROM two GROUP BY a, b, floor(c, 1h), d",
                "Functions are only supported on the last element of the GROUP BY clause"
            ),
            (
                "SELECT a FROM two GROUP BY a, b, floor(c, 1h), floor(d, 1h)",
                "Functions are only supported on the last element of the GROUP BY clause"
            ),
            ("SELECT writetime(p) FROM t", "Cannot use selection function writetime on PRIMARY KEY part p"),
            ("SELECT nosuch(v) FROM t", "Unknown function 'nosuch'"),
            (
                "SELECT DISTINCT a FROM t",
                "SELECT DISTINCT queries must only request partition key columns and/or static columns (not a)"
            ),
            ("SELECT v.x FROM t", "Invalid field selection: v of type int is not a user type"),
        ])
    func refusals(cql: String, message: String) throws {
        let store = try makeRows()
        try store.execute(
            """
            CREATE TABLE two (a timestamp, b int, c timestamp, d timestamp, v timestamp, PRIMARY KEY ((a, b), c, d))
            """)
        expectInvalid(message) { try store.execute(cql) }
    }

    @Test("arithmetic promotes types, wraps around, and fails for a division by zero")
    func arithmetic() throws {
        let store = try makeRows()
        let result = try store.execute(
            "SELECT v + 1, v * d, w + w, -v, v / 2 * 2, v % 4, n / 3, v - 1.5, v -1, (v + 1) * 2 FROM t WHERE p = 1 LIMIT 1"
        )
        #expect(
            result.columns.map(\.type) == [.int, .double, .bigint, .int, .int, .int, .decimal, .double, .int, .int])
        #expect(
            result[0].values.map(\.description) == [
                "12", "5.5", "-9223372036854775808", "-11", "10", "3", "0.41666666666666666666666666666667", "9.5",
                "10",
                "24",
            ])
        #expect(result.columns.map(\.name).prefix(2) == ["v + 1", "v * d"])
        expectInvalid("the operation 'int / int' failed: / by zero", .functionFailure) {
            try store.execute("SELECT v / 0 FROM t")
        }
        try store.execute("UPDATE t SET v = 1 + 2 * 3, w = 7 - 10 WHERE p = 1 AND a = 1 AND b = 1")
        #expect(try store.lines("SELECT v, w FROM t WHERE p = 1 AND a = 3 - 2 AND b = 1") == ["7 -3"])
    }

    @Test("a negated number keeps its type, and wraps within it")
    func negation() throws {
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE m (k int PRIMARY KEY, a tinyint, b smallint, c int, d bigint, e varint, f decimal, g float,
            h double, w text, n int)
            """)
        try store.execute(
            """
            INSERT INTO m (k, a, b, c, d, e, f, g, h)
            VALUES (1, -128, 5, -2147483648, 7, 12, 1.234567890123456789012345678901234567890123456789, 0.0, 0.0)
            """)
        let result = try store.execute("SELECT -a, -b, -c, -d, -e, -f, -g, -h, -n, - -a, -(a), - 5 FROM m")
        #expect(
            result.columns.map(\.type) == [
                .tinyint, .smallint, .int, .bigint, .varint, .decimal, .float, .double, .int, .tinyint, .tinyint, .int,
            ])
        #expect(
            result[0].values.map(\.description) == [
                "-128", "-5", "-2147483648", "-7", "-12", "-1.234567890123456789012345678901234567890123456789", "-0.0",
                "-0.0", "null", "-128", "-128", "-5",
            ])
        #expect(result.columns.map(\.name).prefix(2) == ["-a", "-b"])
        try store.execute("UPDATE m SET a = -(tinyint) -128, g = - 0.0, h = -(1.5 + 2) WHERE k = 1")
        #expect(try store.lines("SELECT a, g, h FROM m WHERE k = - - 1") == ["-128 -0.0 -3.5"])
        for cql in ["SELECT -w FROM m", "UPDATE m SET w = -(text) 'a' WHERE k = 1"] {
            let error = #expect(throws: CQLError.self, "\(cql)") { try store.execute(cql) }
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test("casts of floating-point numbers narrow and write them as Java does")
    func floatingCasts() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE c (k int PRIMARY KEY, d double, f float)")
        for (number, narrowed, text, floatText) in [
            ("300.7", "44 300 300 300", "300.7", "300.7"), ("-129.0", "127 -129 -129 -129", "-129.0", "-129.0"),
            ("1e10", "-1 -1 2147483647 10000000000", "1.0E10", "1.0E10"),
            ("-1e300", "0 0 -2147483648 -9223372036854775808", "-1.0E300", "-Infinity"),
            ("Infinity", "-1 -1 2147483647 9223372036854775807", "Infinity", "Infinity"),
            ("-Infinity", "0 0 -2147483648 -9223372036854775808", "-Infinity", "-Infinity"),
            ("NaN", "0 0 0 0", "NaN", "NaN"), ("0.0", "0 0 0 0", "0.0", "0.0"), ("-0.0", "0 0 0 0", "-0.0", "-0.0"),
            ("1e7", "-128 -27008 10000000 10000000", "1.0E7", "1.0E7"),
            ("9999999.0", "127 -27009 9999999 9999999", "9999999.0", "9999999.0"),
            ("1234567.0", "-121 -10617 1234567 1234567", "1234567.0", "1234567.0"),
            ("0.001", "0 0 0 0", "0.001", "0.001"), ("0.00012", "0 0 0 0", "1.2E-4", "1.2E-4"),
            ("1e-5", "0 0 0 0", "1.0E-5", "1.0E-5"), ("0.1", "0 0 0 0", "0.1", "0.1"),
            ("123456789.5", "21 -13035 123456789 123456789", "1.234567895E8", "1.2345679E8"),
        ] {
            try store.execute("INSERT INTO c (k, d, f) VALUES (1, \(number), \(number))")
            let casts = ["tinyint", "smallint", "int", "bigint"].map { "CAST(d AS \($0))" }.joined(separator: ", ")
            #expect(try store.lines("SELECT \(casts) FROM c") == [narrowed], "\(number)")
            #expect(
                try store.lines("SELECT CAST(d AS text), CAST(f AS ascii) FROM c") == ["'\(text)' '\(floatText)'"],
                "\(number)")
        }
    }

    @Test("casts and functions")
    func functions() throws {
        let store = try makeRows()
        #expect(
            try store.lines(
                "SELECT cast(v AS text), cast(d AS int), cast(v AS decimal), CAST(d AS float), abs(-5), round(2.5) "
                    + "FROM t WHERE p = 1 AND a = 3 AND b = 1") == ["'31' 1 31 1.5 5 3.0"])
        try store.execute(
            "CREATE TABLE f (k int PRIMARY KEY, m map<text, int>, l list<int>, v vector<float, 2>, u timeuuid, t timestamp)"
        )
        try store.execute(
            "INSERT INTO f (k, m, l, v, u, t) VALUES (1, {'a': 1, 'b': 5}, [3, 1], [1.0, 0.0], minTimeuuid('2025-03-10'), '2025-03-10')"
        )
        #expect(
            try store.lines(
                "SELECT map_keys(m), map_values(m), collection_count(l), collection_max(l), collection_sum(l) FROM f")
                == ["{'a', 'b'} [1, 5] 2 3 4"])
        #expect(
            try store.lines("SELECT similarity_cosine(v, [0.0, 1.0]), similarity_euclidean(v, v) FROM f") == ["0.5 1.0"]
        )
        #expect(
            try store.lines("SELECT to_date(u), to_unix_timestamp(t), cast(t AS date) FROM f") == [
                "'2025-03-10' 1741564800000 '2025-03-10'"
            ])
        #expect(
            try store.lines("SELECT to_json(m), [k, 2], (k, 'x'), {k: 1}, (bigint) 5 FROM f") == [
                "'{\"a\": 1, \"b\": 5}' [1, 2] (1, 'x') {1: 1} 5"
            ])
    }
}

@Suite("JSON")
struct JSONTests {
    @Test("SELECT JSON gives a document for each row")
    func select() throws {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE t (k int PRIMARY KEY, \"Name\" text, m map<int, text>, u uuid, b blob, d decimal, t timestamp, f double)"
        )
        try store.execute(
            """
            INSERT INTO t (k, "Name", m, u, b, d, t, f) VALUES (1, 'say "hi"', {2: 'b', 1: 'a'},
            123e4567-e89b-42d3-a456-426614174000, 0xCAFE, 1.50, '2025-03-10 14:00:00', NaN)
            """)
        let result = try store.execute("SELECT JSON k, \"Name\", m, u, b, d, t, f, k AS other FROM t")
        #expect(result.columns.map(\.name) == ["[json]"])
        #expect(
            result[0]["[json]", as: String.self]
                == #"{"k": 1, "\"Name\"": "say \"hi\"", "m": {"1": "a", "2": "b"}, "#
                + #""u": "123e4567-e89b-42d3-a456-426614174000", "b": "0xcafe", "d": 1.50, "#
                + #""t": "2025-03-10 14:00:00.000Z", "f": null, "other": 1}"#)
    }

    @Test("each execution of an INSERT JSON, and each in a batch, has a document of its own")
    func repeatedDocuments() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE j (k int, c int, v text, l list<int>, PRIMARY KEY (k, c))")
        func document(_ c: Int) -> CQLValue {
            .text(#"{"k": 1, "c": \#(c), "v": "v\#(c)", "V": "w\#(c)", "l": [\#(c)]}"#)
        }
        let insert = try store.prepare("INSERT INTO j JSON ?")
        for c in 0..<3 { try insert.execute([document(c)]) }
        try store.execute(StatementBatch(.logged, (3..<6).map { (insert, [document($0)]) }))
        try store.execute(
            "BEGIN BATCH INSERT INTO j JSON ?; INSERT INTO j JSON ?; APPLY BATCH", [document(6), document(7)])
        let once = try store.prepare("INSERT INTO j JSON ? IF NOT EXISTS")
        #expect(try once.execute([document(8)]).wasApplied)
        #expect(try !once.execute([document(7)]).wasApplied)
        #expect(try store.lines("SELECT c, v, l FROM j") == (0..<9).map { "\($0) 'w\($0)' [\($0)]" })
    }

    @Test("numbers in JSON are Java's; those that JSON lacks are null, and texts where they are keys")
    func numbersInJSON() throws {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE n (k int PRIMARY KEY, d double, f float, e decimal, l list<double>, m map<float, double>)")
        for (literal, double, float) in [
            ("1e7", "1.0E7", "1.0E7"), ("9999999", "9999999.0", "9999999.0"), ("0.001", "0.001", "0.001"),
            ("0.00099", "9.9E-4", "9.9E-4"), ("1e100", "1.0E100", "null"), ("-0.0", "-0.0", "-0.0"),
            ("123456789", "1.23456789E8", "1.2345679E8"), ("NaN", "null", "null"), ("-Infinity", "null", "null"),
            ("0.1", "0.1", "0.1"), ("16777216", "1.6777216E7", "1.6777216E7"), ("4e-320", "4.0E-320", "0.0"),
        ] {
            try store.execute("INSERT INTO n (k, d, f) VALUES (1, \(literal), \(literal))")
            let row = try #require(try store.execute("SELECT to_json(d), to_json(f) FROM n").first)
            let texts = [row[0], row[1]]
            #expect(texts == [.text(double), .text(float)], "\(literal)")
        }
        for (literal, text) in [
            ("0.000001", "0.000001"), ("0.0000001", "1E-7"), ("-0.00000012", "-1.2E-7"), ("1E+3", "1E+3"),
            ("12.50", "12.50"), ("0E-7", "0E-7"), ("1.\(String(repeating: "3", count: 120))", nil),
        ] as [(String, String?)] {
            try store.execute("INSERT INTO n (k, e) VALUES (1, \(literal))")
            #expect(try store.execute("SELECT to_json(e) FROM n").map { $0[0] } == [.text(text ?? literal)])
        }
        try store.execute(
            "INSERT INTO n (k, d, f, e, l, m) VALUES (1, 1e10, 0.5, 2.0, [1e-5, NaN], {1e9: 3, NaN: Infinity})")
        #expect(
            try store.execute("SELECT JSON d, f, e, l, m FROM n").map { $0[0] } == [
                .text(
                    #"{"d": 1.0E10, "f": 0.5, "e": 2.0, "l": [1.0E-5, null], "m": {"1.0E9": 3.0, "null": null}}"#)
            ])
    }

    @Test("INSERT JSON writes what the document names; what it leaves out is null, or kept with DEFAULT UNSET")
    func insert() throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE point (x int, y int)")
        try store.execute(
            "CREATE TABLE t (k int PRIMARY KEY, a text, l list<int>, m map<text, frozen<point>>, p tuple<int, text>, \"Q\" boolean)"
        )
        try store.execute(
            #"INSERT INTO t JSON '{"k": 1, "A": "x\u00e9", "l": [1, 2], "m": {"z": {"x": 1, "y": 2}}, "p": [3, "q"], "\"Q\"": true}'"#
        )
        #expect(try store.lines("SELECT * FROM t") == ["1 true 'xé' [1, 2] {'z': {x: 1, y: 2}} (3, 'q')"])
        try store.execute("INSERT INTO t JSON ? DEFAULT UNSET", [.text(#"{"k": "1", "a": null}"#)])
        #expect(try store.lines("SELECT a, l FROM t") == ["null [1, 2]"])
        try store.execute(#"INSERT INTO t JSON '{"k": 1}' DEFAULT NULL"#)
        #expect(try store.lines("SELECT * FROM t") == ["1 null null null null null"])
        try store.execute(#"INSERT INTO t (k, l) VALUES (2, from_json('[5]'))"#)
        #expect(try store.lines("SELECT l FROM t WHERE k = 2") == ["[5]"])
        expectInvalid("JSON values map contains unrecognized column: nosuch") {
            try store.execute(#"INSERT INTO t JSON '{"k": 1, "nosuch": 2}'"#)
        }
        expectInvalid("Could not decode JSON string as a map: [1]") { try store.execute("INSERT INTO t JSON '[1]'") }
        expectInvalid("Invalid null value for column k") { try store.execute(#"INSERT INTO t JSON '{"a": "x"}'"#) }
        expectInvalid("Error decoding JSON value for k: Unable to make int from 'x'") {
            try store.execute(#"INSERT INTO t JSON '{"k": "x"}'"#)
        }
    }

    @Test("documents are read by the rules of RFC 8259")
    func documents() {
        for text in ["{\"a\": [1, -2.5e3, null, true, {}], \"b\": \"\\ud83d\\ude00\"}", " [ ] ", "\"\\n\\/\"", "12"] {
            #expect(JSONValue(text) != nil, "\(text)")
        }
        for text in ["", "{", "[1,]", "{\"a\"}", "nul", "\"\\x\"", "\"\\ud800\"", "1 2", "+1", "{a: 1}", "'a'"] {
            #expect(JSONValue(text) == nil, "\(text)")
        }
        #expect(JSONValue(String(repeating: "[", count: 100_000)) == nil)
    }
}
