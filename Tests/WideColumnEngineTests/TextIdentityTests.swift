// TextIdentityTests.swift — texts are their bytes. Swift's String holds é of one scalar and é of two to be equal, and takes a
// quote with a combining mark behind it for one Character.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Texts are their bytes")
struct TextIdentityTests {
    private static let composed = "\u{e9}"
    private static let decomposed = "e\u{301}"
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    private func bytes(_ store: WideColumnStore, _ cql: String) throws -> [[UInt8]] {
        try store.execute(cql).compactMap { row in
            guard case .text(let text) = row[0] else { return nil }
            return Array(text.utf8)
        }
    }

    @Test("statements that differ in characters that Unicode holds to be the same are two")
    func statements() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k text PRIMARY KEY, v text)")
        for (key, text) in [("x", Self.composed), ("y", Self.decomposed)] {
            try store.execute("INSERT INTO t (k, v) VALUES ('\(key)', '\(text)')")
            try store.execute("INSERT INTO t (k, v) VALUES ('both', '\(text)')")
            #expect(try bytes(store, "SELECT v FROM t WHERE k = '\(key)'") == [Array(text.utf8)])
            #expect(try bytes(store, "SELECT v FROM t WHERE k = 'both'") == [Array(text.utf8)])
            #expect(
                Array(try store.prepare("SELECT v FROM t WHERE k = '\(text)'").cql.utf8).contains(text.utf8.last ?? 0))
        }
        // Of one length in bytes: the sign of the ångström, and A with a ring.
        for text in ["\u{212b}", "A\u{30a}"] {
            try store.execute("INSERT INTO t (k, v) VALUES ('both', '\(text)')")
            #expect(try bytes(store, "SELECT v FROM t WHERE k = 'both'") == [Array(text.utf8)])
        }
    }

    @Test("keys of maps and elements of sets are found by their bytes")
    func elements() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, m map<text, int>, f frozen<map<text, int>>, s set<text>)")
        try store.execute(
            "INSERT INTO t (k, m, f, s) VALUES (1, {'\(Self.composed)': 1}, {'\(Self.composed)': 2}, {'\(Self.composed)'})"
        )
        let select = try store.prepare("SELECT m[?], f[?], s[?] FROM t")
        let (composed, decomposed) = (CQLValue.text(Self.composed), CQLValue.text(Self.decomposed))
        #expect(
            try select.execute([composed, composed, composed])[0].values
                == [1, 2, composed].map { (value: CQLValue) in
                    if case .bigint(let number) = value { .int(Int32(number)) } else { value }
                })
        #expect(try select.execute([decomposed, decomposed, decomposed])[0].values == [.null, .null, .null])
        #expect(try store.execute("SELECT k FROM t WHERE m[?] = 1 ALLOW FILTERING", [decomposed]).isEmpty)
        #expect(try store.execute("UPDATE t SET s = null WHERE k = 1 IF m[?] = 1", [decomposed]).wasApplied == false)
        #expect(try store.execute("UPDATE t SET s = null WHERE k = 1 IF m[?] = 1", [composed]).wasApplied)
    }

    @Test("a quote with a combining mark behind it is doubled", arguments: ["\u{301}", "\u{fe0f}", "\u{200d}x"])
    func quotes(mark: String) throws {
        let (text, name) = ("a'\(mark)", "a\"\(mark)")
        #expect(CQLValue.text(text).description.utf8.elementsEqual("'a''\(mark)'".utf8))
        #expect(CQLName.quoted(name).utf8.elementsEqual("\"a\"\"\(mark)\"".utf8))
        #expect(CQLValue.columnName("\"a\"\"\(mark)\"").utf8.elementsEqual(name.utf8))
        #expect(CQLValue.columnName(#"""" """"#) == #"" ""#)
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute(
            """
            CREATE TABLE t (k text, c int, "a""\(mark)" text MASKED WITH mask_replace('b''\(mark)'), PRIMARY KEY (k, c))
            WITH comment = 'c''\(mark)'
            """)
        try disk.store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE k = 'd''\(mark)' AND c IS NOT NULL PRIMARY KEY (k, c)")
        try disk.reopen()
        try disk.store.execute("INSERT INTO t (k, c) VALUES ('d''\(mark)', 1)")
        try disk.store.execute("INSERT INTO t (k, c) VALUES ('other', 1)")
        #expect(try disk.store.execute("SELECT * FROM m").count == 1)
        let statements = try disk.store.execute("DESCRIBE TABLE t").compactMap {
            $0["create_statement", as: String.self]
        }
        #expect(statements.count == 2)
        try disk.store.execute("DROP MATERIALIZED VIEW m")
        try disk.store.execute("DROP TABLE t")
        for statement in statements { try disk.store.execute(statement) }
        let again = try disk.store.execute("DESCRIBE TABLE t").compactMap { $0["create_statement", as: String.self] }
        #expect(zip(statements, again).allSatisfy { $0.utf8.elementsEqual($1.utf8) } && again.count == 2)
    }
}
