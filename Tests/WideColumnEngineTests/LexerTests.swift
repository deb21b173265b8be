import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Lexer")
struct LexerTests {
    private func kinds(_ text: String) throws -> [Token.Kind] {
        try Lexer.tokens(of: text).map(\.kind)
    }

    @Test("comments of all three forms are skipped")
    func comments() throws {
        let text = "a -- one | two\n// three\nb /* four\n * five */ c"
        #expect(try kinds(text) == [.name("a"), .name("b"), .name("c"), .end])
    }

    @Test("quotes are doubled inside strings and names; $$ strings need none")
    func quotes() throws {
        #expect(
            try kinds("'it''s' \"A\"\"b\" $$it's$$") == [.string("it's"), .quotedName("A\"b"), .string("it's"), .end])
    }

    @Test("numbers, UUIDs and blobs are told apart, also when they begin alike")
    func numbers() throws {
        let uuid = try #require(CQLUUID("12345678-9abc-4def-8123-456789abcdef"))
        #expect(
            try kinds("12 -3 4.5 1e3 -2.5E-2 0xCAFE 12345678-9abc-4def-8123-456789abcdef 1h30m")
                == [
                    .integer("12"), .integer("-3"), .float("4.5"), .float("1e3"), .float("-2.5E-2"),
                    .blob([0xCA, 0xFE]), .uuid(uuid), .duration("1h30m"), .end,
                ])
    }

    @Test("digits behind the point of a number may be missing, unless it is the first of two")
    func points() throws {
        #expect(
            try kinds("1. -2.e5 3.E-1 [1..2] 4.a") == [
                .float("1."), .float("-2.e5"), .float("3.E-1"), .symbol(.leftBracket), .integer("1"), .symbol(.dots),
                .integer("2"), .symbol(.rightBracket), .float("4."), .name("a"), .end,
            ])
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, d double, f float, n decimal)")
        try store.execute("INSERT INTO t (k, d, f, n) VALUES (1, 1., -2.e2, 1.e3)")
        #expect(try store.lines("SELECT d, f, n FROM t") == ["1.0 -200.0 1E+3"])
    }

    @Test("names without quotes are in lower case")
    func names() throws {
        #expect(try kinds("SELECT Foo \"Foo\"") == [.name("select"), .name("foo"), .quotedName("Foo"), .end])
    }

    @Test("durations of ISO 8601 are in upper case; in lower case the text is a name")
    func isoDurations() throws {
        #expect(
            try kinds("P1D -PT5M P2W P0001-02-03T04:05:06 p1d pt5m P7d") == [
                .duration("P1D"), .duration("-PT5M"), .duration("P2W"), .duration("P0001-02-03T04:05:06"),
                .name("p1d"), .name("pt5m"), .name("p7d"), .end,
            ])
        #expect(CQLDuration("p1d") == nil && CQLDuration("Pt5m") == nil && CQLDuration("1D2H") != nil)
    }

    @Test("every name that is written is read again, also as the name of a type")
    func writtenNames() throws {
        var random = SeededRandom(seed: 1)
        let letters = Array("pPtT0123456789ymwdhsyYMWDHSae_xn\" -'é")
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...8, using: &random)
            let name = String((0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
            let written = CQLName.quotedIfNeeded(name)
            let kinds = try kinds(written)
            #expect(kinds == [.name(name), .end] || kinds == [.quotedName(name), .end], "\(written)")
            let type = UserType(keyspace: "", name: name, fields: [])
            #expect(try Parser.parseType(CQLName.ofType(name)) == .userType(type), "\(written)")
        }
    }

    @Test("an unterminated string names its end")
    func unterminated() {
        #expect(throws: CQLError(.syntaxException, "line 2:4 mismatched character '<EOF>' expecting '''")) {
            try Lexer.tokens(of: "a\n 'bc")
        }
    }

    @Test("an unknown character is refused at its place")
    func unknownCharacter() {
        #expect(throws: CQLError(.syntaxException, "line 1:2 no viable alternative at character '#'")) {
            try Lexer.tokens(of: "a #")
        }
    }

    @Test("the length of a text and the number of its tokens are limited")
    func limits() throws {
        let many = String(repeating: ",", count: Lexer.maximumTokenCount)
        #expect(throws: CQLError(.syntaxException, "line 1:1048576 the statement has more than 1048576 tokens")) {
            try Lexer.tokens(of: many)
        }
        #expect(try Lexer.tokens(of: String(many.dropLast())).count == Lexer.maximumTokenCount)
        let long = "SELECT * FROM t /*\(String(repeating: "x", count: Parser.maximumByteCount))*/"
        let error = #expect(throws: CQLError.self) { try Parser.parse(long) }
        #expect(
            error?.code == .invalidRequest && error?.message.contains("longer than the maximum of 16777216") == true)
        #expect(throws: Never.self) {
            try Parser.parse("SELECT * FROM t /*\(String(repeating: "x", count: Parser.maximumByteCount - 20))*/")
        }
    }
}
