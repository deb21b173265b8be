import Testing

@testable import WideColumnEngine

// [CA] doc developing/cql/dynamic-data-masking.adoc: the functions and their examples.

@Suite("Masking functions")
struct MaskingTests {
    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute("CREATE TYPE pair (x int, y text)")
        try store.execute(
            """
            CREATE TABLE t (k int PRIMARY KEY, t text, a ascii, i int, b blob, bo boolean, d date, du duration, ip inet,
            ts timestamp, u uuid, tu timeuuid, de decimal, v varint, l list<int>, m map<int, text>, p tuple<int, text>,
            ud pair, ve vector<float, 2>)
            """)
        try store.execute(
            """
            INSERT INTO t (k, t, a, i, b, bo, d, du, ip, ts, u, tu, de, v, l, m, p, ud, ve)
            VALUES (1, 'Alice', 'Bob', 7, 0x01, true, '2020-01-01', 1d, '10.0.0.1', 5, uuid(), now(), 1.5, 9, [1],
            {1: 'a'}, (1, 'a'), {x: 1, y: 'a'}, [1, 2])
            """)
        return store
    }

    @Test(
        "values are hidden as the documentation has it",
        arguments: [
            ("mask_null(t), mask_null(l), mask_null(i)", "null null null"),
            ("mask_default(t), mask_default(a), mask_default(i)", "'****' '****' 0"),
            ("mask_default(b), mask_default(bo), mask_default(d)", "0x false '1970-01-01'"),
            ("mask_default(du), mask_default(ip), mask_default(de), mask_default(v)", "0ns '0.0.0.0' 0 0"),
            (
                "mask_default(ts), mask_default(u)",
                "'1970-01-01 00:00:00.000+0000' 00000000-0000-0000-0000-000000000000"
            ),
            ("mask_default(tu)", "00000000-0000-1000-8000-000000000000"),
            ("mask_default(l), mask_default(m), mask_default(p)", "[] {} (0, '****')"),
            ("mask_default(ud), mask_default(ve)", "{x: 0, y: '****'} [0.0, 0.0]"),
            ("mask_replace(t, 'redacted'), mask_replace(i, 42)", "'redacted' 42"),
            ("mask_inner(t, 1, 2), mask_inner(t, 1, null), mask_inner(t, null, 2)", "'A**ce' 'A****' '***ce'"),
            ("mask_inner(t, 2, 1, '#'), mask_inner(t, 9, 9), mask_inner(t, 0, 0)", "'Al##e' 'Alice' '*****'"),
            ("mask_outer(t, 1, 2), mask_outer(t, 1, null), mask_outer(t, null, 2)", "'*li**' '*lice' 'Ali**'"),
            ("mask_outer(t, 2, 1, '#'), mask_outer(a, 9, 9), mask_outer(t, 0, 0)", "'##ic#' '***' 'Alice'"),
            ("mask_inner('secret', 1, 1), mask_null('x'), mask_default(1)", "'s****t' null 0"),
            (
                "mask_hash(t)", "0x3bc51062973c458d5a6f2d8d64a023246354ad7e064b1e4e009ec8a0699a3043"
            ),
            (
                "mask_hash(t, 'SHA-256')", "0x3bc51062973c458d5a6f2d8d64a023246354ad7e064b1e4e009ec8a0699a3043"
            ),
        ])
    func values(selection: String, expected: String) throws {
        #expect(try makeTable().lines("SELECT \(selection) FROM t") == [expected])
    }

    @Test("nulls stay null, but where there is another value for all")
    func nulls() throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k) VALUES (2)")
        #expect(
            try store.lines(
                """
                SELECT mask_null(t), mask_default(t), mask_replace(t, 'x'), mask_inner(t, 1, 1), mask_outer(t, 1, 1),
                mask_hash(t) FROM t WHERE k = 2
                """) == ["null '****' 'x' null null null"])
    }

    @Test(
        "refusals",
        arguments: [
            ("mask_inner(t, 1)", "Invalid number of arguments for function system.mask_inner"),
            ("mask_null(t, 1)", "Invalid number of arguments for function system.mask_null"),
            (
                "mask_outer(i, 1, 1)",
                "Function system.mask_outer requires an argument of type [text|varchar|ascii], but found an argument of "
                    + "type int"
            ),
            (
                "mask_inner(t, 1, 1, '##')",
                "The padding argument for function system.mask_inner should be single-character, but '##' has 2 characters."
            ),
            ("mask_hash(t, 'ROT13')", "Hash algorithm ROT13 was not found"),
        ])
    func refusals(selection: String, message: String) throws {
        let store = try makeTable()
        expectInvalid(message) { try store.execute("SELECT \(selection) FROM t") }
    }

    @Test(
        "mask_hash knows Java's names of the algorithms",
        arguments: [
            ("MD5", "900150983cd24fb0d6963f7d28e17f72"),
            ("sha-1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "SHA-384",
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
            ),
            (
                "Sha-512",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                    + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ])
    func algorithms(name: String, digest: String) throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, t) VALUES (77, 'abc')")
        #expect(try store.lines("SELECT mask_hash(t, '\(name)') FROM t WHERE k = 77") == ["0x" + digest])
    }
}
