// NumberLengthTests.swift — the length of numbers of any size is limited alike for texts and for bytes.
//
// A decimal of more digits than a text may have could once be written by a client as bytes, and its partition could not
// be read any more.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Lengths of numbers")
struct NumberLengthTests {
    private static let message = "Numbers of more than 65535 digits are not supported"

    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE t (k int, d decimal, i varint, v decimal, w varint, l list<varint>, m map<decimal, int>,
            PRIMARY KEY (k, d, i))
            """)
        return store
    }

    /// A number of so many bytes.
    private func bytes(_ count: Int, _ first: UInt8 = 0x7F) -> [UInt8] {
        [first] + Array(repeating: 0xFF, count: count - 1)
    }

    @Test("a longer number is refused in every place", arguments: [UInt8(0x7F), 0x80])
    func refusals(first: UInt8) throws {
        let store = try makeTable()
        let integer = try CQLValue(wire: bytes(40_000, first), type: .varint)
        let decimal = try CQLValue(wire: [0, 0, 0, 5] + bytes(40_000, first), type: .decimal)
        for (cql, values) in [
            ("INSERT INTO t (k, d, i) VALUES (1, ?, 1)", [decimal]),
            ("INSERT INTO t (k, d, i) VALUES (1, 1, ?)", [integer]),
            ("INSERT INTO t (k, d, i, v) VALUES (1, 1, 1, ?)", [decimal]),
            ("INSERT INTO t (k, d, i, w) VALUES (1, 1, 1, ?)", [integer]),
            ("INSERT INTO t (k, d, i, v) VALUES (1, 1, 1, ?)", [integer]),
            ("INSERT INTO t (k, d, i, l) VALUES (1, 1, 1, ?)", [.list([integer])]),
            ("INSERT INTO t (k, d, i, m) VALUES (1, 1, 1, ?)", [.map([.init(key: decimal, value: 1)])]),
            ("UPDATE t SET l = l + ? WHERE k = 1 AND d = 1 AND i = 1", [.list([integer])]),
            ("DELETE FROM t WHERE k = 1 AND d < ?", [decimal]), ("SELECT * FROM t WHERE k = 1 AND d = ?", [decimal]),
        ] {
            expectInvalid(Self.message) { try store.execute(cql, values) }
        }
        #expect(try store.execute("SELECT * FROM t").isEmpty)
    }

    @Test("a longer number in the text of a statement is no number")
    func literals() throws {
        let store = try makeTable()
        let digits = String(repeating: "9", count: CQLInteger.maximumDigitCount + 1)
        for (column, name) in [("v", "decimal"), ("w", "varint")] {
            expectInvalid("Unable to make \(name) from '\(digits)'") {
                try store.execute("INSERT INTO t (k, d, i, \(column)) VALUES (1, 1, 1, \(digits))")
            }
        }
    }

    @Test("the limit is the same for texts and for bytes, to the digit")
    func limit() throws {
        let nines = String(repeating: "9", count: CQLInteger.maximumDigitCount)
        let greatest = try #require(CQLInteger(nines))
        // It has as many bytes as the least that is not allowed.
        #expect(greatest.twosComplement.count == 27_213 && greatest.hasAllowedLength)
        #expect(!(greatest + CQLInteger(1)).hasAllowedLength)
        #expect(CQLInteger(nines + "9") == nil)
        for byteCount in [1, 1000, 27_212] {
            let bytes = bytes(byteCount)
            #expect(CQLInteger(twosComplement: bytes.rawSpan).hasAllowedLength)
        }
        let beyond = bytes(27_214)
        #expect(!CQLInteger(twosComplement: beyond.rawSpan).hasAllowedLength)
    }

    @Test("long numbers are kept and read as keys, values and texts")
    func longNumbers() throws {
        let store = try makeTable()
        for text in ["123456789", "-9", "7000"].map({ $0 + String(repeating: "1230", count: 1500) }) {
            let number = try #require(CQLInteger(text))
            let integer = try CQLValue(wire: number.twosComplement, type: .varint)
            let decimal = CQLValue.decimal(CQLDecimal(unscaled: number, scale: 2))
            try store.execute("INSERT INTO t (k, d, i, v) VALUES (1, ?, ?, ?)", [decimal, integer, decimal])
            let row = try store.execute("SELECT i, v, d FROM t WHERE k = 1 AND d = ?", [decimal])[0]
            #expect(row[0] == integer && row[1] == decimal)
            // A key leaves out the zeros at the end.
            guard case .decimal(let key) = row[2] else { throw CQLError.invalid("\(row[2])") }
            #expect(key.compare(CQLDecimal(unscaled: number, scale: 2)) == 0 && key.scale == 1)
            try store.execute("DELETE FROM t WHERE k = 1")
        }
    }

    @Test("a sum of decimals that becomes longer is refused on the way")
    func sums() throws {
        let store = try makeTable()
        // Each has ten thousand digits more behind the point than the one before.
        let numbers = (0..<8).map { "1e\(-10_000 * $0)" }
        let message = "the sum of decimals has too many digits"
        try store.execute("CREATE TABLE s (k int PRIMARY KEY, l list<decimal>)")
        try store.execute("INSERT INTO s (k, l) VALUES (1, [\(numbers.joined(separator: ", "))])")
        expectInvalid(message, .functionFailure) { try store.execute("SELECT collection_sum(l) FROM s") }
        for (index, number) in numbers.enumerated() {
            try store.execute("INSERT INTO t (k, d, i, v) VALUES (1, 1, \(index), \(number))")
        }
        expectInvalid(message, .functionFailure) { try store.execute("SELECT avg(v) FROM t") }
        #expect(try store.execute("SELECT sum(v) FROM t WHERE k = 1 AND d = 1 AND i < 3").count == 1)
    }

    @Test("a product that becomes longer is refused")
    func products() throws {
        let store = try makeTable()
        let number = try CQLValue(wire: bytes(14_000), type: .varint)
        try store.execute("INSERT INTO t (k, d, i, w) VALUES (1, 1, 1, ?)", [number])
        expectInvalid(Self.message) { try store.execute("SELECT w * w FROM t") }
        #expect(try store.execute("SELECT w + w FROM t").count == 1)
    }

    @Test("a number on the way to a result may not be longer than one that is a result")
    func intermediates() throws {
        let store = try makeTable()
        let nines = String(repeating: "9", count: 65_535)
        try store.execute("INSERT INTO t (k, d, i, w) VALUES (1, 1, 1, \(nines))")
        #expect(try store.lines("SELECT w - w + k FROM t") == ["1"])
        for expression in ["w + w - w", "w * w / w", "w + k - w", "w * w % k"] {
            expectInvalid(Self.message) { try store.execute("SELECT \(expression) FROM t") }
        }
    }
}
