// OddStatementTests+Literals.swift — literals, their JSON and their casts where Java's own rules of reading and
// writing show.

extension OddStatementTests {
    /// Floats that a rounding to a double on the way would move to a neighbour.
    static let floats: StatementTable = [
        ("INSERT INTO ty (k, fl, vec) VALUES (1, 7.038531e-26, [7.038531e-26, -7.038531E-26, 16777217])", "ok"),
        ("SELECT float_as_blob(fl) FROM ty WHERE k = 1", "0x15ae43fd"),
        ("SELECT vec FROM ty WHERE k = 1", "[7.038531e-26, -7.038531e-26, 16777216.0]"),
        ("INSERT INTO ty (k, fl) VALUES (1, 1.00000017881393432617187499)", "ok"),
        ("SELECT float_as_blob(fl) FROM ty WHERE k = 1", "0x3f800001"),
        ("SELECT float_as_blob((float) 1.00000017881393432617187499) FROM ty WHERE k = 1", "0x3f800001"),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": 7.038531e-26, "vec": ["7.038531e-26", 1.00000017881393432617187499, 1]}'"#,
            "ok"
        ),
        ("SELECT float_as_blob(fl) FROM ty WHERE k = 1", "0x15ae43fd"),
        ("INSERT INTO ty (k, fl, dou) VALUES (1, -1e40, -1e400)", "ok"),
        ("SELECT fl, dou FROM ty WHERE k = 1", "-Infinity -Infinity"),
        ("INSERT INTO ty (k, fl) VALUES (1, -0.0)", "ok"),
        ("SELECT float_as_blob(fl) FROM ty WHERE k = 1", "0x80000000"),
        ("INSERT INTO ty (k, fl) VALUES (1, NaN)", "ok"),
        ("SELECT float_as_blob(fl) FROM ty WHERE k = 1", "0x7fc00000"),
    ]

    /// Dates and timestamps of years with a sign, and zones.
    static let signedYears: StatementTable = [
        ("INSERT INTO ty (k, da, ts) VALUES (1, '-5877641-06-23', '+10000-01-01')", "ok"),
        ("SELECT JSON da, ts FROM ty", #"'{"da": "-5877641-06-23", "ts": "+10000-01-01 00:00:00.000Z"}'"#),
        (#"INSERT INTO ty JSON '{"k": 1, "da": "+5881580-07-11", "ts": "-0044-03-15 12:00:00.000Z"}'"#, "ok"),
        ("SELECT da, ts FROM ty", "'+5881580-07-11' '-0044-03-15 12:00:00.000+0000'"),
        (
            "INSERT INTO ty (k, da) VALUES (1, '+5881580-07-12')",
            "invalidRequest: Unable to coerce '+5881580-07-12' to a formatted date (long)"
        ),
        (
            "INSERT INTO ty (k, ts) VALUES (1, '+292278995-01-01')",
            "invalidRequest: Unable to parse a date/time from '+292278995-01-01'"
        ),
        ("INSERT INTO ty (k, ts) VALUES (1, '2020-01-01 UTC')", "ok"),
        ("SELECT k FROM ty WHERE ts = '2020-01-01 00:00 GMT' ALLOW FILTERING", "1"),
        (
            "INSERT INTO ty (k, ts) VALUES (1, '2020-01-01 ')",
            "invalidRequest: Unable to parse a date/time from '2020-01-01 '"
        ),
    ]
}
