// TextValidationTests.swift — bytes that are no text are refused, wherever they come in.
//
// They were once repaired, so that two different values of a client became one key.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Bytes of texts")
struct TextValidationTests {
    private static let broken: [[UInt8]] = [
        [0xFE], [0xFF], [0x80], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x61, 0xC3, 0x28],
    ]

    @Test("a text that is not UTF-8 is refused in Cassandra's words", arguments: broken)
    func text(bytes: [UInt8]) throws {
        expectInvalid("String didn't validate.") { _ = try CQLValue(wire: bytes, type: .text) }
    }

    @Test("texts of all lengths of characters are taken, also the empty one")
    func valid() throws {
        for text in ["", "a", "é", "€", "🙂", "a\u{0}b", "e\u{301}"] {
            #expect(try CQLValue(wire: Array(text.utf8), type: .text) == .text(text))
        }
        #expect(try CQLValue(wire: Array(0..<128), type: .ascii) == .text(String(decoding: 0..<128, as: UTF8.self)))
    }

    @Test("an ascii value has no byte above 127")
    func ascii() throws {
        expectInvalid("Invalid byte for ascii: -61") { _ = try CQLValue(wire: Array("é".utf8), type: .ascii) }
        expectInvalid("Invalid byte for ascii: -2") { _ = try CQLValue(wire: [0x61, 0xFE], type: .ascii) }
    }

    @Test(
        "members of collections, tuples, vectors and user-defined types are no exception",
        arguments: [
            .list(.text), .set(.text), .map(.text, .int), .map(.int, .text), .tuple([.int, .text]), .vector(.text, 1),
            .userType(UserType(keyspace: "ks", name: "u", fields: [.init(name: "f", type: .text)])),
            .frozen(.list(.frozen(.set(.text)))),
        ] as [CQLType])
    func members(type: CQLType) throws {
        var bytes = try Self.sample(type).serialized(as: type)
        #expect(try CQLValue(wire: bytes, type: type) == Self.sample(type))
        let position = try #require(bytes.firstIndex(of: UInt8(ascii: "~")))
        bytes[position] = 0xFE
        expectInvalid("String didn't validate.") { _ = try CQLValue(wire: bytes, type: type) }
    }

    /// A value of the type with `~` for its texts.
    private static func sample(_ type: CQLType) -> CQLValue {
        switch type {
        case .text: "~"
        case .list(let element): .list([sample(element)])
        case .set(let element): .set([sample(element)])
        case .map(let key, let value): .map([.init(key: sample(key), value: sample(value))])
        case .tuple(let types): .tuple(types.map(sample))
        case .vector(let element, _): .vector([sample(element)])
        case .userType(let user): .userDefined(user.fields.map { .init($0.name, sample($0.type)) })
        case .frozen(let inner): sample(inner)
        default: .int(1)
        }
    }

    @Test("functions make no text of such bytes")
    func functions() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k text PRIMARY KEY, a ascii)")
        for (name, type) in [("blobAsText", "text"), ("blob_as_varchar", "text"), ("blobAsAscii", "ascii")] {
            expectInvalid(
                "In call to function \(name.lowercased()), value is not a valid binary representation for type \(type)"
            ) {
                try store.execute(
                    "INSERT INTO t (k, a) VALUES (\(type == "text" ? "\(name)(0xFE), 'x'" : "'x', \(name)(0xFE)"))")
            }
        }
        try store.execute("INSERT INTO t (k, a) VALUES (blobAsText(0xC3A9), blobAsAscii(0x61))")
        #expect(try store.lines("SELECT * FROM t") == ["'é' 'a'"])
    }
}
