import StorageTypes
import Testing

@testable import TableEngine

@Suite("Items as bytes")
struct ItemCodecTests {
    static let everything: Item = [
        "s": "text", "empty": "", "n": 42, "negative": -7, "b": .b([0, 1, 255]), "yes": true, "no": false,
        "nothing": .null, "list": [1, "two", [3, ["deep": .null]]], "map": ["inner": ["x": 1.5]],
        "ss": .ss(["a", "b"]), "ns": .ns([1, 2]), "bs": .bs([[1], [2, 3]]),
    ]

    @Test("every type comes back as it was")
    func roundTrip() throws {
        let bytes = ItemCodec.encode(Self.everything)
        #expect(try ItemCodec.decode(bytes.rawSpan) == Self.everything)
        #expect(try ItemCodec.decode(ItemCodec.encode([:]).rawSpan) == [:])
    }

    @Test(
        "numbers beyond 64 bits come back exactly",
        arguments: [
            "9223372036854775808", "-0.1", "1e125", "-1e-130", "12345678901234567890123456789012345678",
            "9223372036854775807",
            "-9223372036854775808", "0",
        ])
    func numbers(text: String) throws {
        let item: Item = ["n": try .number(text)]
        #expect(try ItemCodec.decode(ItemCodec.encode(item).rawSpan) == item)
    }

    @Test("equal items have equal bytes, whatever order they were written in")
    func canonical() {
        let left = Item([("b", 1), ("a", 2)])
        let right = Item([("a", 2), ("b", 1)])
        #expect(left == right)
        #expect(ItemCodec.encode(left) == ItemCodec.encode(right))
    }

    @Test("names that Swift holds equal but whose bytes differ are two attributes")
    func namesAreBytes() {
        let item = Item([("\u{E9}", 1), ("e\u{301}", 2)])
        #expect(item.count == 2)
        #expect(item["\u{E9}"] == 1)
        #expect(AttributeValue.s("\u{E9}") != AttributeValue.s("e\u{301}"))
    }

    @Test("every truncation is refused, none traps")
    func truncations() throws {
        let bytes = ItemCodec.encode(Self.everything)
        for length in 0..<bytes.count {
            #expect(throws: StorageError.self) { try ItemCodec.decode(Array(bytes.prefix(length)).rawSpan) }
        }
        #expect(throws: StorageError.self) { try ItemCodec.decode((bytes + [0]).rawSpan) }
    }

    @Test("random damage is refused or reads as some item, and never traps")
    func damage() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let bytes = ItemCodec.encode(Self.everything)
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let item = try? ItemCodec.decode(damaged.rawSpan) else { continue }
            // Whatever was accepted must be a well-formed item: it can be written and read again.
            #expect((try? ItemCodec.decode(ItemCodec.encode(item).rawSpan)) == item, "seed \(seed)")
        }
    }

    @Test("a count far beyond the bytes is refused before space is reserved")
    func hugeCount() {
        let bytes: [UInt8] = [1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
        #expect(throws: StorageError.self) { try ItemCodec.decode(bytes.rawSpan) }
    }

    @Test("bytes nested without end are refused")
    func endlessNesting() {
        let bytes: [UInt8] =
            [1, 1, 1, UInt8(ascii: "a")] + (0..<10_000).flatMap { _ in [0x09, 0x01] as [UInt8] } + [0x08]
        #expect(throws: StorageError.self) { try ItemCodec.decode(bytes.rawSpan) }
    }

    @Test("a number set that holds number sets without end is refused")
    func endlessNumberSets() {
        let bytes: [UInt8] =
            [1, 1, 1, UInt8(ascii: "a")] + (0..<200_000).flatMap { _ in [0x0C, 0x01] as [UInt8] } + [0x02, 0x00]
        #expect { try ItemCodec.decode(bytes.rawSpan) } throws: { error in
            (error as? StorageError)?.code == .corruption
        }
    }

    @Test("an item of another format version is refused by name")
    func version() {
        #expect { try ItemCodec.decode(([9, 0] as [UInt8]).rawSpan) } throws: { error in
            (error as? StorageError)?.code == .unsupportedFormat
        }
    }

    @Test("sizes follow the service's rules")
    func sizes() {
        #expect((["id": "Fred"] as Item).sizeInBytes == 6)
        #expect((["a": true, "b": .null] as Item).sizeInBytes == 4)
        #expect((["l": [1, "xy"]] as Item).sizeInBytes == 1 + 3 + 1 + 2 + 1 + 2)
        #expect((["m": ["k": 1]] as Item).sizeInBytes == 1 + 3 + 1 + 1 + 2)
        #expect((["s": .ss(["ab", "c"])] as Item).sizeInBytes == 4)
    }

    @Test("sets are stored in ascending order")
    func sortedSets() throws {
        let item = try (["s": .ss(["b", "a"]), "n": .ns([10, 9])] as Item).storable()
        guard case .ss(let texts)? = item["s"], case .ns(let numbers)? = item["n"] else {
            Issue.record("the sets changed their type")
            return
        }
        #expect(texts == ["a", "b"])
        #expect(numbers == [9, 10])
    }

    @Test("empty sets, duplicates and deep nests are refused with the service's texts")
    func refusals() {
        let prefix = "One or more parameter values were invalid: "
        var deep: AttributeValue = "x"
        for _ in 0..<33 { deep = [deep] }
        let cases: [(AttributeValue, String)] = [
            (.ss([]), prefix + "An string set  may not be empty"),
            (.ns([]), prefix + "An number set  may not be empty"),
            (.bs([]), prefix + "Binary sets should not be empty"),
            (.ss(["a", "a"]), prefix + "Input collection [a, a] contains duplicates."),
            (.ns([1, 1]), "Input collection contains duplicates"),
            (.bs([[98], [98]]), prefix + "Input collection [Yg==, Yg==]of type BS contains duplicates."),
            (deep, prefix + "Nesting Levels have exceeded supported limits"),
        ]
        for (value, message) in cases {
            #expect(throws: TableError(.validation, message)) { try value.storable() }
        }
    }
}
