// OddStatementTests+Keys.swift — see OddStatementTests.swift.

extension OddStatementTests {
    /// Keys in WHERE, in reads and writes.
    static let keys: StatementTable = [
        ("INSERT INTO t (k, c, d) VALUES (null, 1, 1)", "invalidRequest: Invalid null value for column k"),
        ("INSERT INTO t (c, d) VALUES (1, 1)", "invalidRequest: Some partition key parts are missing: k"),
        ("INSERT INTO t (k) VALUES (1)", "invalidRequest: Some clustering keys are missing: c, d"),
        ("INSERT INTO t (k, s) VALUES (1, 1)", "ok"),
        ("INSERT INTO t (k, c, s) VALUES (1, 1, 1)", "invalidRequest: Some clustering keys are missing: d"),
        ("INSERT INTO t (k, c, d) VALUES (1, 1)", "invalidRequest: Unmatched column names/values"),
        (
            "INSERT INTO t () VALUES ()",
            "syntaxException: line 1:15 no viable alternative at input ')' (INSERT INTO t ([)]...)"
        ),
        (
            "INSERT INTO t (k, c, d) VALUES ()",
            "syntaxException: line 1:32 no viable alternative at input ')' (..., d) VALUES ([)])"
        ),
        ("INSERT INTO t (k, c, d, k) VALUES (1, 2, 3, 4)", "invalidRequest: The column names contains duplicates"),
        (
            "UPDATE t SET s = 5 WHERE k = 1 AND c = 1",
            "invalidRequest: Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns"
        ),
        (
            "UPDATE t SET s = 5 WHERE k = 1 AND c = 1 AND d = 1",
            "invalidRequest: Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns"
        ),
        ("UPDATE t SET s = 5, v = 1 WHERE k = 1", "invalidRequest: Some clustering keys are missing: c, d"),
        (
            "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 AND d = 2",
            "invalidRequest: d cannot be restricted by more than one relation if it includes an Equal"
        ),
        ("UPDATE t SET v = 1 WHERE c = 1", "invalidRequest: Some partition key parts are missing: k"),
        (
            "UPDATE t SET v = 1 WHERE k > 1 AND c = 1 AND d = 1",
            "invalidRequest: Only EQ and IN relation are supported on the partition key (unless you use the token() function) for UPDATE statements"
        ),
        (
            "UPDATE t SET v = 1 WHERE token(k) = 1 AND c = 1 AND d = 1",
            "invalidRequest: The token function cannot be used in WHERE clauses for UPDATE statements"
        ),
        (
            "UPDATE t SET v = 1, v = 2 WHERE k = 1 AND c = 1 AND d = 1",
            "syntaxException: Multiple incompatible setting of column v"
        ),
        (
            "UPDATE t SET nosuch = 1 WHERE k = 1 AND c = 1 AND d = 1",
            "invalidRequest: Undefined column name nosuch in table ks.t"
        ),
        (
            "UPDATE t SET v = 1",
            "syntaxException: line 1:18 mismatched input '<EOF>' expecting K_WHERE (...t SET v = 1)"
        ),
        ("UPDATE t SET v = 1 WHERE k IN () AND c = 1 AND d = 1", "ok"),
        (
            "UPDATE t SET v = 1 WHERE k IN (1, null) AND c = 1 AND d = 1",
            "invalidRequest: Invalid null value for column k"
        ),
        ("UPDATE t SET v = 1 WHERE k IN (1, 2) AND c IN (1, 2) AND d IN (1)", "ok"),
        ("SELECT k, c, d, v FROM t WHERE k IN (1, 2)", "1 1 1 1; 1 2 1 1; 2 1 1 1; 2 2 1 1"),
        ("DELETE FROM t", "syntaxException: line 1:13 mismatched input '<EOF>' expecting K_WHERE (DELETE FROM t)"),
        ("DELETE FROM t WHERE c = 1", "invalidRequest: Some partition key parts are missing: k"),
        (
            "DELETE FROM t WHERE k = 1 AND c > 1 AND d = 1",
            #"invalidRequest: Clustering column "d" cannot be restricted (preceding column "c" is restricted by a non-EQ relation)"#
        ),
        (
            "DELETE s FROM t WHERE k = 1 AND c = 1",
            "invalidRequest: Invalid restrictions on clustering columns since the DELETE statement modifies only static columns"
        ),
        ("DELETE v, v FROM t WHERE k = 1 AND c = 1 AND d = 1", "ok"),
        ("DELETE m, m['a'] FROM t WHERE k = 1 AND c = 1 AND d = 1", "ok"),
        (
            "DELETE nosuch FROM t WHERE k = 1 AND c = 1 AND d = 1",
            "invalidRequest: Undefined column name nosuch in table ks.t"
        ),
        ("DELETE * FROM t WHERE k = 1", "syntaxException: line 1:7 no viable alternative at input '*' (DELETE [*]...)"),
        (
            "DELETE FROM t USING TTL 5 WHERE k = 1",
            "syntaxException: line 1:20 mismatched input 'TTL' expecting K_TIMESTAMP (DELETE FROM t USING [TTL]...)"
        ),
        (
            "DELETE FROM t USING TIMESTAMP 5 AND TIMESTAMP 6 WHERE k = 1",
            "syntaxException: line 1:32 mismatched input 'AND' expecting K_WHERE (...FROM t USING TIMESTAMP 5 [AND]...)"
        ),
        ("DELETE FROM t WHERE k = 1 AND c > 5 AND c < 1", "ok"),
        (
            "DELETE FROM t WHERE k = 1 AND c > 1 AND c > 2",
            "invalidRequest: More than one restriction was found for the start bound on c"
        ),
        ("SELECT * FROM t WHERE k = 1 AND c > 5 AND c < 1", "nothing"),
        ("SELECT * FROM t WHERE k IN ()", "nothing"),
        ("SELECT * FROM t WHERE k = 1 AND c IN ()", "nothing"),
        ("SELECT * FROM t WHERE k IN (1, null)", "invalidRequest: Invalid null value for column k"),
        ("SELECT * FROM t WHERE k = 1 AND c IN (null)", "invalidRequest: Invalid null value for column c"),
        ("SELECT * FROM t WHERE k IN (1, 1, 1)", "1 2 1 1 null null null null null 1 null null"),
        ("SELECT * FROM t WHERE k = 1 AND (c, d) IN ()", "nothing"),
        ("SELECT * FROM t WHERE k = 1 AND (c, d) IN ((1, null))", "invalidRequest: Invalid null value for column d"),
        (
            "SELECT * FROM t WHERE k = 1 AND (c, d) = (1)",
            "invalidRequest: Expected 2 elements in value tuple, but got 1: (1)"
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND (c, d) = (1, 2, 3)",
            "invalidRequest: Expected 2 elements in value tuple, but got 3: (1, 2, 3)"
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND (c, d) = 1",
            "invalidRequest: Invalid tuple value 1 in a multi-column relation"
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND (c, c) = (1, 1)",
            #"invalidRequest: Column "c" appeared twice in a relation: (c, c) = (1, 1)"#
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND (d, c) = (1, 1)",
            "invalidRequest: Clustering columns must appear in the PRIMARY KEY order in multi-column relations: (d, c) = (1, 1)"
        ),
        ("SELECT * FROM t WHERE k = 1 AND (c, d) > (1, null)", "invalidRequest: Invalid null value for column d"),
        (
            "SELECT * FROM t WHERE k = 1 AND (c, d) != (1, 1)",
            #"invalidRequest: Unsupported "!=" relation: (c, d) != (1, 1)"#
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND c = 1 AND c > 0",
            "invalidRequest: c cannot be restricted by more than one relation if it includes an Equal"
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND c > 0 AND c = 1",
            #"invalidRequest: Column "c" cannot be restricted by both an equality and an inequality relation"#
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND c IN (1) AND c = 1",
            "invalidRequest: c cannot be restricted by more than one relation if it includes an Equal"
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND c = 1 AND c IN (1)",
            "invalidRequest: c cannot be restricted by more than one relation if it includes an Equal"
        ),
        (
            "SELECT * FROM t WHERE k = 1 AND c IN (1) AND c > 1",
            "invalidRequest: c cannot be restricted by more than one relation if it includes an Equal"
        ),
        ("SELECT * FROM t WHERE k = 1 AND c > null", "invalidRequest: Invalid null value for column c"),
        (
            "SELECT * FROM t WHERE k = 1 AND k > 0",
            "invalidRequest: k cannot be restricted by more than one relation if it includes an Equal"
        ),
        ("SELECT * FROM t WHERE k = 'a'", #"invalidRequest: Invalid STRING constant (a) for "k" of type int"#),
        ("SELECT * FROM t WHERE k = 1 AND v != 1", #"invalidRequest: Unsupported "!=" relation: v != 1"#),
        (
            "SELECT * FROM t WHERE k = 1 AND v != 1 ALLOW FILTERING",
            #"invalidRequest: Unsupported "!=" relation: v != 1"#
        ),
        ("SELECT * FROM t WHERE v IS NOT NULL", "invalidRequest: Unsupported restriction: v IS NOT NULL"),
        (
            "SELECT * FROM t WHERE v IS NOT NULL ALLOW FILTERING",
            "invalidRequest: Unsupported restriction: v IS NOT NULL"
        ),
        (
            "SELECT * FROM t WHERE v IS NULL",
            "syntaxException: line 1:27 mismatched input 'NULL' expecting K_NOT (...FROM t WHERE v IS [NULL])"
        ),
        ("SELECT * FROM t WHERE v = null ALLOW FILTERING", "invalidRequest: Unsupported null value for column v"),
        ("SELECT * FROM t WHERE v > null ALLOW FILTERING", "invalidRequest: Unsupported null value for column v"),
        ("SELECT * FROM t WHERE v IN (null) ALLOW FILTERING", "invalidRequest: Unsupported null value for column v"),
        ("SELECT * FROM t WHERE v IN () ALLOW FILTERING", "nothing"),
        (
            "SELECT * FROM t WHERE l CONTAINS null ALLOW FILTERING",
            "invalidRequest: Unsupported null value for column l"
        ),
        (
            "SELECT * FROM t WHERE m[null] = 1 ALLOW FILTERING",
            "invalidRequest: Unsupported null map key for column m"
        ),
        (
            "SELECT * FROM t WHERE m['a'] = null ALLOW FILTERING",
            "invalidRequest: Unsupported null map value for column m"
        ),
        (
            "SELECT * FROM t WHERE m['a'] > 1 ALLOW FILTERING",
            "invalidRequest: Only EQ relations are supported on map entries"
        ),
        (
            "SELECT * FROM t WHERE l[0] = 1 ALLOW FILTERING",
            "invalidRequest: Indexes on list entries (l[index] = value) are not currently supported."
        ),
        ("SELECT * FROM t WHERE f = [1] ALLOW FILTERING", "nothing"),
        ("SELECT * FROM t WHERE f CONTAINS 1 ALLOW FILTERING", "nothing"),
        ("SELECT * FROM t WHERE fx = {a: 1} ALLOW FILTERING", "nothing"),
        (
            "SELECT * FROM t WHERE x.a = 1 ALLOW FILTERING",
            "syntaxException: line 1:23 no viable alternative at input '.' (...* FROM t WHERE x[.]...)"
        ),
        (
            "SELECT * FROM t WHERE w LIKE '%a'",
            "invalidRequest: LIKE restriction is only supported on properly indexed columns. w LIKE '%a' is not valid."
        ),
        (
            "SELECT * FROM t WHERE token(k) > 1 AND token(k) > 2",
            "invalidRequest: More than one restriction was found for the start bound on token(k)"
        ),
        ("SELECT * FROM t WHERE token(k) > 1 AND token(k) < -1", "nothing"),
        ("SELECT * FROM t WHERE token(k) > null", "invalidRequest: Invalid null token value"),
        (
            "SELECT * FROM t WHERE token(k) IN (1, 2)",
            "syntaxException: line 1:31 no viable alternative at input 'IN' (...WHERE token(k) [IN]...)"
        ),
        (
            "SELECT * FROM t WHERE token(c) > 1",
            "invalidRequest: The token() function must be applied to all partition key components or none of them"
        ),
        (
            "SELECT * FROM t WHERE token(k, c) > 1",
            "invalidRequest: The token() function must be applied to all partition key components or none of them"
        ),
        (
            "SELECT * FROM t WHERE token(v) > 1",
            "invalidRequest: The token() function must be applied to all partition key components or none of them"
        ),
        ("SELECT * FROM t WHERE token(nosuch) > 1", "invalidRequest: Undefined column name nosuch in table ks.t"),
        (
            "SELECT * FROM two WHERE a = 1 AND b > 2",
            "invalidRequest: Only EQ and IN relation are supported on the partition key (unless you use the token() function)"
        ),
        (
            "SELECT * FROM two WHERE a > 1 AND b = 2",
            "invalidRequest: Only EQ and IN relation are supported on the partition key (unless you use the token() function)"
        ),
        ("SELECT * FROM two WHERE a = 1 AND b > 2 ALLOW FILTERING", "nothing"),
        (
            "SELECT * FROM t WHERE k = 1 ORDER BY c, c",
            "invalidRequest: Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY"
        ),
        (
            "SELECT * FROM t WHERE k = 1 ORDER BY k",
            "invalidRequest: Order by is currently only supported on the clustered columns of the PRIMARY KEY, got k"
        ),
        (
            "SELECT * FROM t WHERE k = 1 ORDER BY s",
            "invalidRequest: Order by is currently only supported on the clustered columns of the PRIMARY KEY, got s"
        ),
        ("SELECT * FROM t WHERE k = 1 ORDER BY c DESC, d", "invalidRequest: Unsupported order by relation"),
        (
            "SELECT * FROM t WHERE token(k) > 1 ORDER BY c",
            "invalidRequest: ORDER BY is only supported when the partition key is restricted by an EQ or an IN."
        ),
        (
            "SELECT * FROM t WHERE k = 1 LIMIT null",
            "syntaxException: line 1:34 no viable alternative at input 'null' (...WHERE k = 1 LIMIT [null])"
        ),
        ("SELECT DISTINCT k, s FROM t WHERE k = 1 ORDER BY c", "1 1"),
        (
            "SELECT DISTINCT s FROM t",
            "invalidRequest: SELECT DISTINCT queries must request all the partition key columns (missing k)"
        ),
        (
            "SELECT DISTINCT * FROM t",
            "invalidRequest: SELECT DISTINCT queries must only request partition key columns and/or static columns (not c)"
        ),
        (
            "SELECT DISTINCT count(*) FROM t",
            "invalidRequest: SELECT DISTINCT queries must request all the partition key columns (missing k)"
        ),
        (
            "SELECT DISTINCT v FROM t",
            "invalidRequest: SELECT DISTINCT queries must only request partition key columns and/or static columns (not v)"
        ),
        (
            "SELECT * FROM t GROUP BY k, c, d",
            "1 2 1 1 null null null null null 1 null null; 2 1 1 null null null null null null 1 null null; 2 2 1 null null null null null null 1 null null"
        ),
        (
            "SELECT k, v FROM t GROUP BY c",
            "invalidRequest: Group by currently only support groups of columns following their declared order in the PRIMARY KEY"
        ),
        (
            "SELECT k FROM t GROUP BY k, k",
            "invalidRequest: Group by currently only support groups of columns following their declared order in the PRIMARY KEY"
        ),
        ("SELECT k FROM t GROUP BY nosuch", "invalidRequest: Undefined column name nosuch in table ks.t"),
        ("SELECT ttl(nosuch) FROM t", "invalidRequest: Undefined column name nosuch in table ks.t"),
        (
            "SELECT writetime(v, w) FROM t",
            "syntaxException: line 1:18 mismatched input ',' expecting ')' (SELECT writetime(v[,]...)"
        ),
        (
            "SELECT writetime(count(v)) FROM t",
            "invalidRequest: Cannot use selection function writetime on system.count(v)"
        ),
        (
            "SELECT sum(w) FROM t",
            "invalidRequest: Invalid call to function sum, none of its type signatures match (known type signatures: system.sum : (tinyint) -> tinyint, system.sum : (smallint) -> smallint, system.sum : (int) -> int, system.sum : (bigint) -> bigint, system.sum : (float) -> float, system.sum : (double) -> double, system.sum : (decimal) -> decimal, system.sum : (varint) -> varint, system.sum : (counter) -> bigint)"
        ),
        (
            "SELECT sum(count(v)) FROM t",
            "invalidRequest: aggregate functions cannot be used as arguments of aggregate functions"
        ),
        ("SELECT min(l) FROM t", "null"),
        ("SELECT cast(v AS text), cast(w AS int) FROM t", "invalidRequest: text cannot be cast to int"),
        (
            "SELECT cast(v AS nosuch) FROM t",
            "syntaxException: line 1:17 no viable alternative at input 'nosuch' (SELECT cast(v AS [nosuch]...)"
        ),
        (
            "SELECT cast(v AS list<int>) FROM t",
            "syntaxException: line 1:17 no viable alternative at input 'list' (SELECT cast(v AS [list]...)"
        ),
        ("SELECT v + w FROM t", "invalidRequest: the '+' operation is not supported between v and w"),
        (
            "SELECT v + 1, 1 + v, v * 2.5, v / 0 FROM t WHERE k = 1",
            "functionFailure: the operation 'int / int' failed: / by zero"
        ),
        ("SELECT 1 FROM t", "1; 1; 1"),
        ("SELECT 'a' FROM t", "'a'; 'a'; 'a'"),
        ("SELECT (int) 1 FROM t", "1; 1; 1"),
        (
            "SELECT ? FROM t",
            "invalidRequest: Cannot infer type for term ? in selection clause (try using a cast to force a type)"
        ),
        ("SELECT l[0] FROM t", "invalidRequest: Element selection is only allowed on sets and maps, but l is a list"),
        ("SELECT m['a'] FROM t", "null; null; null"),
        ("SELECT m['a'..'b'] FROM t", "null; null; null"),
        ("SELECT st[1] FROM t", "null; null; null"),
        ("SELECT v[1] FROM t", "invalidRequest: Invalid element selection: v is of type int is not a collection"),
        ("SELECT x.a, x.nosuch FROM t", "invalidRequest: x of type u has no field nosuch"),
        ("SELECT v.a FROM t", "invalidRequest: Invalid field selection: v of type int is not a user type"),
        ("SELECT * FROM t WHERE k = ?", "invalidRequest: there were 1 markers(?) in CQL but 0 bound variables"),
        (
            "INSERT INTO t (k, c, d) VALUES (?, ?, ?)",
            "invalidRequest: there were 3 markers(?) in CQL but 0 bound variables"
        ),
    ]

    /// Least and greatest values, and beyond.
    static let extremes: StatementTable = [
        ("SELECT k FROM ct", "invalidRequest: table ct does not exist"),
        ("INSERT INTO ty (k, de) VALUES (1, 1e1000000000)", "ok"),
        ("SELECT cast(de AS varint) FROM ty WHERE k = 1", "null"),
        ("SELECT cast(de AS int) FROM ty WHERE k = 1", "null"),
        ("SELECT cast(de AS bigint) FROM ty WHERE k = 1", "null"),
        ("SELECT cast(de AS double) FROM ty WHERE k = 1", "Infinity"),
        ("SELECT cast(de AS text) FROM ty WHERE k = 1", "'1E+1000000000'"),
        ("SELECT de + 1 FROM ty WHERE k = 1", "1E+1000000000"),
        ("SELECT de * de FROM ty WHERE k = 1", "1E+2000000000"),
        (
            "SELECT de / 3 FROM ty WHERE k = 1",
            "functionFailure: the operation 'decimal / int' failed: the result has too many digits"
        ),
        (
            "SELECT de % 3 FROM ty WHERE k = 1",
            "functionFailure: the operation 'decimal % int' failed: the result has too many digits"
        ),
        (
            "SELECT round(de), abs(de), log10(de), log(de) FROM ty WHERE k = 1",
            "1E+1000000000 1E+1000000000 1000000000 2302585092.9940456840179914546844"
        ),
        (
            "SELECT exp(de) FROM ty WHERE k = 1",
            "functionFailure: execution of 'system.exp[decimal]' failed: Overflow"
        ),
        (
            "SELECT log(de - de) FROM ty WHERE k = 1",
            "functionFailure: execution of 'system.log[decimal]' failed: Natural log of number zero or less"
        ),
        (
            "SELECT log10(-de) FROM ty WHERE k = 1",
            "functionFailure: execution of 'system.log10[decimal]' failed: Log10 of number zero or less"
        ),
        ("SELECT exp((varint) 100) FROM ty WHERE k = 1", "26881171418161354484126255515800000000000000"),
        (
            "SELECT log((varint) 20), log10((varint) 999), exp((varint) -1), round((varint) 7) FROM ty WHERE k = 1",
            "2 2 0 7"
        ),
        (
            "SELECT exp((varint) 1000000) FROM ty WHERE k = 1",
            "functionFailure: execution of 'system.exp[varint]' failed: the result has too many digits"
        ),
        ("SELECT sum(de), avg(de) FROM ty", "functionFailure: the sum of decimals has too many digits"),
        ("SELECT to_json(de) FROM ty WHERE k = 1", "'1E+1000000000'"),
        ("SELECT de FROM ty WHERE de > 1 ALLOW FILTERING", "1E+1000000000"),
        ("INSERT INTO ty (k, de) VALUES (1, 1e-1000000000)", "ok"),
        ("SELECT de + 1, cast(de AS int), round(de) FROM ty WHERE k = 1", "1 0 0"),
        ("SELECT cast(de AS varint), cast(de AS double) FROM ty WHERE k = 1", "0 0.0"),
        ("INSERT INTO ty (k, dou) VALUES (1, NaN)", "ok"),
        ("SELECT cast(dou AS decimal) FROM ty WHERE k = 1", "null"),
        ("SELECT cast(dou AS text), round(dou), dou + 1 FROM ty WHERE k = 1", "'NaN' NaN NaN"),
        ("INSERT INTO ty (k, dou) VALUES (1, 1e300)", "ok"),
        (
            "SELECT cast(dou AS int), cast(dou AS tinyint), cast(dou AS float) FROM ty WHERE k = 1",
            "2147483647 -1 Infinity"
        ),
        ("INSERT INTO ty (k, i, bi) VALUES (1, -2147483648, -9223372036854775808)", "ok"),
        (
            "SELECT abs(i), -i, i - 1, i / -1, i % -1, abs(bi), -bi, bi / -1, bi * -1 FROM ty WHERE k = 1",
            "-2147483648 -2147483648 2147483647 -2147483648 0 -9223372036854775808 -9223372036854775808 -9223372036854775808 -9223372036854775808"
        ),
        ("SELECT cast(i AS smallint), cast(bi AS int) FROM ty WHERE k = 1", "0 0"),
        ("INSERT INTO ty (k, ts, da) VALUES (1, 9223372036854775807, 4294967295)", "ok"),
        ("SELECT ts + 1d FROM ty WHERE k = 1", "'-292275055-05-17 16:47:04.191+0000'"),
        ("SELECT ts - 1mo FROM ty WHERE k = 1", "'+292278994-07-17 07:12:55.807+0000'"),
        ("SELECT da + 1d FROM ty WHERE k = 1", "'+5881580-07-11'"),
        ("SELECT da + 1h FROM ty WHERE k = 1", "invalidRequest: The duration must have a day precision. Was: 1h"),
        ("SELECT da - 2147483647mo FROM ty WHERE k = 1", "'-5877641-06-23'"),
        ("SELECT ts - 2147483647mo FROM ty WHERE k = 1", "'+113322024-01-17 07:12:55.807+0000'"),
        (
            "SELECT to_date(ts), to_timestamp(da), to_unix_timestamp(da) FROM ty WHERE k = 1",
            "'-1701532-04-06' '+5881580-07-11 00:00:00.000+0000' 185542587100800000"
        ),
        (
            "SELECT min_timeuuid(ts) FROM ty WHERE k = 1",
            "invalidRequest: The timestamp 9223372036854775807 is out of the range of timeuuid"
        ),
        ("SELECT floor(ts, 1h) FROM ty WHERE k = 1", "'+292278994-08-17 07:00:00.000+0000'"),
        (
            "SELECT floor(ts, 0d) FROM ty WHERE k = 1",
            "'+292278994-08-17 07:12:55.807+0000'"
        ),
        (
            "SELECT floor(ts, -1d) FROM ty WHERE k = 1",
            "invalidRequest: Negative durations are not supported by the floor function"
        ),
        (
            "SELECT floor(da, 1h) FROM ty WHERE k = 1",
            "invalidRequest: The floor on date values cannot be computed for the 1h duration as precision is below 1 day"
        ),
        ("SELECT floor(ts, 1mo) FROM ty WHERE k = 1", "'+292278994-08-01 00:00:00.000+0000'"),
        ("SELECT floor(ts, 1d1h) FROM ty WHERE k = 1", "'+292278994-08-16 16:00:00.000+0000'"),
        (
            "SELECT to_json(ts), to_json(da) FROM ty WHERE k = 1",
            #"'"+292278994-08-17 07:12:55.807Z"' '"+5881580-07-11"'"#
        ),
        ("INSERT INTO ty (k, ts) VALUES (1, -9223372036854775808)", "ok"),
        (
            "SELECT ts - 1ms, floor(ts, 1d) FROM ty WHERE k = 1",
            "invalidRequest: The floor function starting time is greater than the provided time"
        ),
        ("SELECT ts, to_date(ts) FROM ty WHERE k = 1", "'-292275055-05-16 16:47:04.192+0000' '+1705471-09-26'"),
        ("SELECT * FROM t WHERE token(k) >= -9223372036854775808 AND token(k) <= 9223372036854775807", "nothing"),
        ("SELECT * FROM t WHERE token(k) > 9223372036854775807", "nothing"),
        ("SELECT * FROM t WHERE token(k) = -9223372036854775808", "nothing"),
        ("SELECT * FROM t LIMIT 2147483647", "nothing"),
        ("SELECT mask_inner(te, -1, 2147483647) FROM ty", "null"),
        (
            "SELECT mask_inner('abc', -5, -5), mask_outer('abc', 2147483647, 2147483647), mask_replace(i, null), mask_hash('a', 'nosuch') FROM ty",
            "invalidRequest: Hash algorithm nosuch was not found"
        ),
        (
            "SELECT mask_inner('abc', 1, 1, 'xx') FROM ty",
            "invalidRequest: The padding argument for function system.mask_inner should be single-character, but 'xx' has 2 characters."
        ),
        ("SELECT similarity_cosine(vec, [1, 2, 3]), similarity_euclidean(vec, null) FROM ty WHERE k = 1", "null null"),
        (
            "SELECT similarity_cosine((vector<float, 2>) [0, 0], (vector<float, 2>) [0, 0]) FROM ty WHERE k = 1",
            "invalidRequest: Function system.similarity_cosine doesn't support all-zero vectors."
        ),
        (
            "INSERT INTO ty (k, uu, tu) VALUES (1, 00000000-0000-0000-0000-000000000000, ffffffff-ffff-1fff-ffff-ffffffffffff)",
            "ok"
        ),
        (
            "SELECT to_timestamp(tu), to_unix_timestamp(tu), to_date(tu) FROM ty WHERE k = 1",
            "'5236-03-31 21:21:00.684+0000' 103072857660684 '5236-03-31'"
        ),
        ("SELECT ((((((((((1)))))))))) FROM ty", "1"),
        (
            "SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))) FROM ty",
            "syntaxException: line 1:71 the statement is nested too deeply"
        ),
        (
            "SELECT count(*) FROM ty WHERE k = 1 GROUP BY k ORDER BY k",
            "invalidRequest: Order by is currently only supported on the clustered columns of the PRIMARY KEY, got k"
        ),
        ("SELECT k, max(i) FROM ty GROUP BY k LIMIT 1", "1 -2147483648"),
        ("SELECT c, count(*) FROM t WHERE k = 1 GROUP BY c PER PARTITION LIMIT 1", "nothing"),
        ("SELECT * FROM t WHERE k IN (1, 2) ORDER BY c DESC, d DESC LIMIT 2", "nothing"),
        ("INSERT INTO simple (k, v) VALUES ('ttl', 1) USING TTL 630720000", "ok"),
        ("SELECT ttl(v) FROM simple WHERE k = 'ttl'", "630720000"),
        ("INSERT INTO simple (k, v) VALUES ('neg', 1) USING TIMESTAMP -5", "ok"),
        ("SELECT writetime(v) FROM simple WHERE k = 'neg'", "-5"),
        ("DELETE FROM simple USING TIMESTAMP 9223372036854775807 WHERE k = 'neg'", "ok"),
        ("INSERT INTO simple (k, v) VALUES ('neg', 2) USING TIMESTAMP 9223372036854775807", "ok"),
        ("SELECT v FROM simple WHERE k = 'neg'", "nothing"),
        ("INSERT INTO simple (k, v) VALUES ('neg', 2) IF NOT EXISTS", "true"),
        ("SELECT v FROM simple WHERE k = 'neg'", "nothing"),
        ("INSERT INTO t (k, c, d, l) VALUES (7, 1, 1, [1]) USING TIMESTAMP -9223372036854775807", "ok"),
        ("INSERT INTO t (k, c, d, l) VALUES (7, 1, 1, [2]) USING TIMESTAMP -9223372036854775807", "ok"),
        ("SELECT l FROM t WHERE k = 7", "[1, 2]"),
    ]
}
