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

    /// Texts of JSON as values of the types that Java reads from text.
    static let documentTexts: StatementTable = [
        (#"INSERT INTO ty JSON '{"k": 1, "bo": "TRUE"}'"#, "ok"),
        ("SELECT bo FROM ty WHERE k = 1", "true"),
        (#"INSERT INTO ty JSON '{"k": 1, "bo": "False"}'"#, "ok"),
        ("SELECT bo FROM ty WHERE k = 1", "false"),
        (#"INSERT INTO ty JSON '{"k": 1, "bo": ""}'"#, "ok"),
        ("SELECT bo FROM ty WHERE k = 1", "false"),
        (
            #"INSERT INTO ty JSON '{"k": 1, "bo": "yes"}'"#,
            #"invalidRequest: Error decoding JSON value for bo: Unable to make boolean from 'yes'"#
        ),
        (#"INSERT INTO ty JSON '{"k": 1, "fl": "NaN", "dou": "-Infinity"}'"#, "ok"),
        ("SELECT fl, dou FROM ty WHERE k = 1", "NaN -Infinity"),
        (#"INSERT INTO ty JSON '{"k": 1, "fl": " +1.5F ", "dou": ".5e1d"}'"#, "ok"),
        ("SELECT fl, dou FROM ty WHERE k = 1", "1.5 5.0"),
        (#"INSERT INTO ty JSON '{"k": 1, "fl": "1.", "dou": "+Infinity"}'"#, "ok"),
        ("SELECT fl, dou FROM ty WHERE k = 1", "1.0 Infinity"),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": "nan"}'"#,
            #"invalidRequest: Error decoding JSON value for fl: Unable to make float from 'nan'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": "inf"}'"#,
            #"invalidRequest: Error decoding JSON value for fl: Unable to make float from 'inf'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": "0x10"}'"#,
            #"invalidRequest: Error decoding JSON value for fl: Unable to make float from '0x10'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": "x"}'"#,
            #"invalidRequest: Error decoding JSON value for fl: Unable to make float from 'x'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": "--1"}'"#,
            #"invalidRequest: Error decoding JSON value for fl: Unable to make float from '--1'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": "1e"}'"#,
            #"invalidRequest: Error decoding JSON value for fl: Unable to make float from '1e'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": "infinity"}'"#,
            #"invalidRequest: Error decoding JSON value for fl: Unable to make float from 'infinity'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": "NaNf"}'"#,
            #"invalidRequest: Error decoding JSON value for fl: Unable to make float from 'NaNf'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "fl": "."}'"#,
            #"invalidRequest: Error decoding JSON value for fl: Unable to make float from '.'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "dou": "nan"}'"#,
            #"invalidRequest: Error decoding JSON value for dou: Unable to make double from 'nan'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "dou": "-inf"}'"#,
            #"invalidRequest: Error decoding JSON value for dou: Unable to make double from '-inf'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "dou": "0x1p3"}'"#,
            #"invalidRequest: Error decoding JSON value for dou: Unable to make double from '0x1p3'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "dou": "x"}'"#,
            #"invalidRequest: Error decoding JSON value for dou: Unable to make double from 'x'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "de": "x"}'"#,
            #"invalidRequest: Error decoding JSON value for de: Value 'x' is not a valid representation of a decimal value"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "de": true}'"#,
            #"invalidRequest: Error decoding JSON value for de: Value 'true' is not a valid representation of a decimal value"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "va": "abc"}'"#,
            #"invalidRequest: Error decoding JSON value for va: Value 'abc' is not a valid representation of a varint value"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "va": 1.0}'"#,
            #"invalidRequest: Error decoding JSON value for va: Value '1.0' is not a valid representation of a varint value"#
        ),
        (#"INSERT INTO ty JSON '{"k": 1, "va": "-12", "de": "1.50"}'"#, "ok"),
        ("SELECT va, de FROM ty WHERE k = 1", "-12 1.50"),
        (
            #"INSERT INTO ty JSON '{"k": 1, "uu": "x"}'"#,
            #"invalidRequest: Error decoding JSON value for uu: Unable to make UUID from 'x'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "tu": "x"}'"#,
            #"invalidRequest: Error decoding JSON value for tu: Unknown timeuuid representation: x"#
        ),
        ("INSERT INTO ty JSON 'null'", "invalidRequest: Got null for INSERT JSON values"),
        ("INSERT INTO ty JSON ' null '", "invalidRequest: Got null for INSERT JSON values"),
        (
            #"INSERT INTO ty JSON '{"k": 1, "i": "", "bi": "", "fl": "", "dou": "", "uu": "", "tu": "", "va": "", "de": "", "ts": "", "ine": ""}'"#,
            "ok"
        ),
        (
            "SELECT JSON i, bi, fl, dou, uu, tu, va, de, ts, ine FROM ty WHERE k = 1",
            #"'{"i": "", "bi": "", "fl": "", "dou": "", "uu": "", "tu": "", "va": "", "de": "", "ts": "", "ine": ""}'"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "sm": ""}'"#,
            #"invalidRequest: Error decoding JSON value for sm: Unable to make short from ''"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "tin": ""}'"#,
            #"invalidRequest: Error decoding JSON value for tin: Unable to make byte from ''"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "da": ""}'"#,
            #"invalidRequest: Error decoding JSON value for da: Unable to coerce '' to a formatted date (long)"#
        ),
        (
            #"INSERT INTO ty JSON '{"k": 1, "ti": ""}'"#,
            #"invalidRequest: Error decoding JSON value for ti: (TimeType) Unable to coerce '' to a formatted time (long)"#
        ),
    ]

    /// Floating-point numbers as whole ones.
    static let roundings: StatementTable = [
        ("INSERT INTO ty (k, dou, fl) VALUES (1, 0.49999999999999994, 0.49999997)", "ok"),
        ("SELECT round(dou), round(fl), round(-dou), round(-fl) FROM ty WHERE k = 1", "0.0 0.0 0.0 0.0"),
        ("INSERT INTO ty (k, dou, fl) VALUES (1, 4503599627370497, 8388609)", "ok"),
        (
            "SELECT round(dou), round(fl), round(-dou) FROM ty WHERE k = 1",
            "4503599627370497.0 8388609.0 -4503599627370497.0"
        ),
        ("INSERT INTO ty (k, dou, fl) VALUES (1, 2.5, -2.5)", "ok"),
        ("SELECT round(dou), round(-dou), round(fl), round(-fl) FROM ty WHERE k = 1", "3.0 -2.0 -2.0 3.0"),
        ("INSERT INTO ty (k, dou, fl) VALUES (1, -0.5, -0.0)", "ok"),
        ("SELECT round(dou), round(fl) FROM ty WHERE k = 1", "0.0 0.0"),
    ]

    /// Floating-point numbers as decimals, with the digits that Java writes.
    static let decimalCasts: StatementTable = [
        ("INSERT INTO ty (k, dou, fl) VALUES (1, 1e19, 3e9)", "ok"),
        ("SELECT CAST(dou AS decimal), CAST(fl AS decimal) FROM ty WHERE k = 1", "1.0E+19 3.0E+9"),
        ("SELECT CAST(CAST(dou AS decimal) AS text) FROM ty WHERE k = 1", "'1.0E+19'"),
        ("INSERT INTO ty (k, dou, fl) VALUES (1, 12345678, -12345678)", "ok"),
        ("SELECT CAST(dou AS decimal), CAST(fl AS decimal) FROM ty WHERE k = 1", "12345678 -12345678"),
        ("INSERT INTO ty (k, dou, fl) VALUES (1, 2, -0.00001)", "ok"),
        ("SELECT CAST(dou AS decimal), CAST(fl AS decimal) FROM ty WHERE k = 1", "2.0 -0.000010"),
        ("INSERT INTO ty (k, dou, fl) VALUES (1, -0.0, Infinity)", "ok"),
        ("SELECT CAST(dou AS decimal), CAST(fl AS decimal) FROM ty WHERE k = 1", "0.0 null"),
        ("INSERT INTO ty (k, dou) VALUES (2, null)", "ok"),
        ("SELECT CAST(dou AS decimal) FROM ty WHERE k = 2", "null"),
    ]
}
