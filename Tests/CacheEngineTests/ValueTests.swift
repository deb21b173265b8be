// Typed values: what each command answers, and the texts of its errors.

import StorageTypes
import Testing

@testable import CacheEngine

@Suite("Values")
struct ValueTests {
    let cache = CacheStore(options: CacheOptions(clock: ManualClock(), seed: 4, runsInBackground: false))

    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
    private func texts(_ list: [[UInt8]]) -> [String] { list.map { String(decoding: $0, as: UTF8.self) } }

    @Test("a string survives growing out of its block and shrinking back into it")
    func stringSizes() throws {
        for count in [0, 1, 15, 16, 17, 447, 448, 449, 5000, 448, 20, 0] {
            let value = String(repeating: "é", count: count / 2) + (count % 2 == 1 ? "x" : "")
            try cache.set("k", value)
            #expect(try cache.string("k") == value)
            #expect(try cache.byteCount(of: "k") == value.utf8.count)
        }
        var buffer: [UInt8] = [1]
        try cache.set("k", [UInt8]([0, 255, 10]))
        #expect(try cache.get("k", appendingTo: &buffer))
        #expect(buffer == [1, 0, 255, 10])
        #expect(try !cache.get("absent", appendingTo: &buffer))
    }

    @Test("NX writes only if absent, XX only if present, GET returns what was there")
    func conditions() throws {
        #expect(try cache.set("k", "1", when: .ifPresent) == false)
        #expect(try cache.set("k", "1", when: .ifAbsent))
        #expect(try cache.set("k", "2", when: .ifAbsent) == false)
        #expect(try cache.set("k", "2", when: .ifPresent))
        #expect(text(try cache.exchange("k", "3")) == "2")
        #expect(text(try cache.exchange("k", "4", when: .ifAbsent)) == "3")
        #expect(try cache.string("k") == "3")
        #expect(text(try cache.getAndDelete("k")) == "3")
        #expect(try cache.get("k") == nil)
        #expect(try cache.exchange("k", "5", when: .ifPresent) == nil)
        #expect(!cache.exists("k"))
    }

    @Test("counters refuse what is not an integer and what overflows, and change nothing")
    func counters() throws {
        #expect(try cache.increment("n") == 1)
        #expect(try cache.increment("n", by: 41) == 42)
        #expect(try cache.decrement("n", by: 2) == 40)
        try cache.set("n", String(Int64.max))
        #expect(throws: CacheError(message: "ERR increment or decrement would overflow")) { try cache.increment("n") }
        #expect(try cache.string("n") == String(Int64.max))
        #expect(throws: CacheError(message: "ERR decrement would overflow")) { try cache.decrement("n", by: .min) }
        for spelling in [
            "", " 1", "+1", "01", "-0", "1.0", "9223372036854775808", "-", "1a", "99999999999999999999999",
        ] {
            try cache.set("n", spelling)
            #expect(throws: CacheError(message: "ERR value is not an integer or out of range")) {
                try cache.increment("n")
            }
        }
        try cache.set("n", String(Int64.min))
        #expect(try cache.increment("n", by: 1) == .min + 1)
    }

    @Test("INCRBYFLOAT is decimal: 0.1 + 0.2 is 0.3")
    func floats() throws {
        try cache.set("f", "0.1")
        #expect(try cache.incrementFloat("f", by: "0.2") == "0.3")
        #expect(try cache.incrementFloat("f", by: "-0.3") == "0")
        #expect(try cache.incrementFloat("f", by: "5.0e3") == "5000.0")
        try cache.set("f", "10.50")
        #expect(try cache.incrementFloat("f", by: "0.1") == "10.6")
        #expect(try cache.incrementFloat("f", by: "-20") == "-9.4")
        try cache.set("f", "abc")
        #expect(throws: CacheError(message: "ERR value is not a valid float")) {
            try cache.incrementFloat("f", by: "1")
        }
        try cache.set("f", "1e308")
        #expect(throws: CacheError(message: "ERR increment would produce NaN or Infinity")) {
            try cache.incrementFloat("f", by: "1.7e308")
        }
        #expect(try cache.setField("x", of: "h", to: "nan!"))
        #expect(throws: CacheError(message: "ERR hash value is not a float")) {
            try cache.incrementFieldFloat("x", of: "h", by: "1")
        }
    }

    @Test("a hash keeps its fields in order of insertion and is gone without its last one")
    func hashes() throws {
        #expect(try cache.setFields(["sku1": "2", "sku2": "1", "note": "gift"], of: "cart") == 3)
        #expect(try cache.setFields(["sku1": "3", "sku9": "1"], of: "cart") == 1)
        #expect(try cache.allFields(of: "cart").map(\.nameText) == ["sku1", "sku2", "note", "sku9"])
        #expect(try cache.incrementField("sku1", of: "cart", by: 2) == 5)
        #expect(throws: CacheError(message: "ERR hash value is not an integer")) {
            try cache.incrementField("note", of: "cart")
        }
        #expect(try cache.fields(["sku2", "nope"], of: "cart").map(text) == ["1", nil])
        #expect(try cache.hasField("note", of: "cart"))
        #expect(try cache.setField("note", of: "cart", to: "x", when: .ifAbsent) == false)
        #expect(text(try cache.field("note", of: "cart")) == "gift")
        #expect(try cache.removeFields(["sku1", "sku2", "nope", "note"], of: "cart") == 3)
        #expect(try cache.fieldCount(of: "cart") == 1)
        #expect(try cache.removeFields(["sku9"], of: "cart") == 1)
        #expect(!cache.exists("cart"))
        #expect(try cache.allFields(of: "cart").isEmpty)
    }

    @Test("a large hash agrees with a dictionary", arguments: [8, 9])
    func largeHash(seed: UInt64) throws {
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        var model: [String: String] = [:]
        for round in 0..<3000 {
            let name = "f\(Int.random(in: 0..<200, using: &random))"
            if Int.random(in: 0..<3, using: &random) == 0 {
                let removed = try cache.removeFields([name], of: "h")
                #expect((removed == 1) == (model.removeValue(forKey: name) != nil))
            } else {
                let isNew = try cache.setField(name, of: "h", to: "\(round)")
                #expect(isNew == (model.updateValue("\(round)", forKey: name) == nil))
            }
        }
        let fields = try cache.allFields(of: "h")
        #expect(Dictionary(uniqueKeysWithValues: fields.map { ($0.nameText, $0.valueText) }) == model)
    }

    @Test("a list is read by inclusive positions, negative ones from the end")
    func lists() throws {
        #expect(try cache.push(["a", "b", "c"], to: .tail, of: "l") == 3)
        #expect(try cache.push(["z"], to: .head, of: "l") == 4)
        #expect(texts(try cache.elements(of: "l")) == ["z", "a", "b", "c"])
        #expect(texts(try cache.elements(-2, -1, of: "l")) == ["b", "c"])
        #expect(texts(try cache.elements(1, 100, of: "l")) == ["a", "b", "c"])
        #expect(try cache.elements(3, 1, of: "l").isEmpty)
        #expect(try cache.elements(.min, .max, of: "l").count == 4)
        #expect(text(try cache.element(at: -1, of: "l")) == "c")
        #expect(text(try cache.pop(from: .head, of: "l")) == "z")
        #expect(texts(try cache.pop(2, from: .tail, of: "l") ?? []) == ["c", "b"])
        #expect(throws: CacheError(message: "ERR index out of range")) {
            try cache.setElement(at: 5, of: "l", to: "x")
        }
        try cache.trim("l", to: 1, 0)
        #expect(!cache.exists("l"))
        #expect(try cache.pop(from: .head, of: "l") == nil)
        #expect(throws: CacheError(message: "ERR no such key")) { try cache.setElement(at: 0, of: "l", to: "x") }
    }

    @Test("a bounded history keeps the newest")
    func boundedHistory() throws {
        for number in 1...120 { try cache.pushBounded("message \(number)", to: "chat", limit: 50) }
        let recent = texts(try cache.elements(of: "chat"))
        #expect(recent.count == 50)
        #expect(recent.first == "message 120")
        #expect(recent.last == "message 71")
    }

    @Test("a set has each member once")
    func sets() throws {
        #expect(try cache.addMembers(["u1", "u2", "u1"], to: "viewers") == 2)
        #expect(try cache.isMember("u2", of: "viewers"))
        #expect(try cache.removeMembers(["u2", "u3"], from: "viewers") == 1)
        #expect(texts(try cache.members(of: "viewers")) == ["u1"])
        #expect(try cache.removeMembers(["u1"], from: "viewers") == 1)
        #expect(cache.type(of: "viewers") == nil)
    }

    @Test("a command against a value of another type is refused and changes nothing")
    func wrongType() throws {
        let refused = CacheError(message: "WRONGTYPE Operation against a key holding the wrong kind of value")
        try cache.set("s", "text")
        try cache.push(["x"], to: .tail, of: "l")
        try cache.setFields(["f": "1"], of: "h")
        #expect(throws: refused) { try cache.get("l") }
        #expect(throws: refused) { try cache.increment("h") }
        #expect(throws: refused) { try cache.append("x", to: "l") }
        #expect(throws: refused) { try cache.exchange("l", "x") }
        #expect(throws: refused) { try cache.push(["x"], to: .head, of: "s") }
        #expect(throws: refused) { try cache.push(["x"], to: .head, of: "h") }
        #expect(throws: refused) { try cache.setFields(["f": "1"], of: "s") }
        #expect(throws: refused) { try cache.field("f", of: "l") }
        #expect(throws: refused) { try cache.addMembers(["m"], to: "h") }
        #expect(throws: refused) { try cache.removeMembers(["m"], from: "s") }
        #expect(try cache.string("s") == "text")
        #expect(texts(try cache.elements(of: "l")) == ["x"])
        #expect(text(try cache.field("f", of: "h")) == "1")
        #expect(cache.get(["s", "l", "nope"]).map(text) == ["text", nil, nil])
        try cache.set("l", "now a string")
        #expect(cache.type(of: "l") == .string)
    }

    @Test("keys up to 65,535 bytes are taken, longer ones refused")
    func keyLengths() throws {
        let longest = String(repeating: "k", count: 65_535)
        try cache.set(longest, "v")
        #expect(try cache.string(longest) == "v")
        #expect(throws: CacheError.keyTooLong) { try cache.set(longest + "k", "v") }
        try cache.set("", "the empty key is a key")
        #expect(cache.exists(""))
    }

    @Test("several keys are set all or none")
    func batches() throws {
        try cache.set(["a": "1", "b": "2", "a": "3"])
        #expect(cache.get(["a", "b"]).map(text) == ["3", "2"])
        let pairs = [(key: Array("c".utf8), value: Array("1".utf8)), (key: Array("a".utf8), value: Array("9".utf8))]
        #expect(try cache.setIfAllAbsent(pairs) == false)
        #expect(!cache.exists("c"))
        try cache.delete("a")
        #expect(try cache.setIfAllAbsent(pairs))
        #expect(cache.get(["a", "c"]).map(text) == ["9", "1"])
    }

    @Test("readers never see half of a batch")
    func batchAtomicity() async throws {
        let keys = (0..<24).map { "batch-\($0)" }
        try cache.set(keys.map { (key: Array($0.utf8), value: Array("0".utf8)) })
        await withTaskGroup(of: Int.self) { group in
            group.addTask { [cache] in
                for round in 1...300 {
                    try? cache.set(keys.map { (key: Array($0.utf8), value: Array("\(round)".utf8)) })
                }
                return 0
            }
            group.addTask { [cache] in
                (0..<300).count { _ in Set(cache.get(keys)).count != 1 }
            }
            for await torn in group { #expect(torn == 0) }
        }
    }

    @Test("parallel increments lose nothing")
    func parallelIncrements() async throws {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { [cache] in for _ in 0..<2500 { _ = try? cache.increment("viewers:live") } }
            }
        }
        #expect(try cache.string("viewers:live") == "10000")
    }

    @Test("patterns match as in Redis, and never take exponential time")
    func globs() {
        let cases: [(String, String, Bool)] = [
            ("*", "", true), ("h?llo", "hello", true), ("h[^e]llo", "hello", false), ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true), ("a\\*b", "a*b", true), ("a\\*b", "axb", false), ("*.txt", "a.b.txt", true),
            ("a*b*c", "aXXbYYc", true), ("a*b*c", "aXXbYY", false), ("[", "x", false), ("[a", "a", true),
            ("", "x", false),
            ("a**", "a", true),
        ]
        for (pattern, subject, expected) in cases {
            #expect(GlobPattern(Array(pattern.utf8)).matches(Array(subject.utf8)) == expected, "\(pattern) \(subject)")
        }
        let hostile = String(repeating: "*a", count: 200) + "b"
        #expect(!GlobPattern(Array(hostile.utf8)).matches([UInt8](repeating: UInt8(ascii: "a"), count: 5000)))
    }

    @Test("FLUSHALL leaves nothing, and the memory is given back")
    func flush() throws {
        for number in 0..<3000 { try cache.set("k\(number)", String(repeating: "v", count: number % 900)) }
        try cache.push(["x"], to: .head, of: "l")
        #expect(cache.keys(matching: "k1?").count == 10)
        try cache.removeAll()
        #expect(cache.count == 0)
        #expect(cache.keys().isEmpty)
    }
}
