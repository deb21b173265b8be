// HarryValues.swift — the types that the model checker gives columns: a few values of each, in their order, with the
// bytes that decide between writes of one timestamp. Nothing here is the engine's.

import StorageTypes

@testable import WideColumnEngine

struct HarryValue: Hashable {
    var cql: CQLValue
    /// The binary format of the native protocol.
    var bytes: [UInt8]
}

extension CQLValue {
    /// Whether both are the same to CQL: a NaN is one value, and the zeros are two.
    func isSame(as other: CQLValue) -> Bool { description == other.description }
}

/// A type and some of its values, ascending.
struct HarryType {
    var name: String
    var values: [HarryValue]

    private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> Number($0 * 8)) }
    }

    private static func texts(_ name: String, _ texts: [String]) -> HarryType {
        HarryType(name: name, values: texts.map { HarryValue(cql: .text($0), bytes: Array($0.utf8)) })
    }

    private static func sized(_ bytes: [UInt8]) -> [UInt8] { Self.bytes(Int32(bytes.count)) + bytes }

    static let int = HarryType(
        name: "int", values: [Int32.min, -5, 0, 3, 70_000].map { HarryValue(cql: .int($0), bytes: bytes($0)) })
    static let text = texts("text", ["", "a", "a\u{0}b", "ab", "é"])

    private static func uuids(_ name: String, _ texts: [String]) -> HarryType {
        HarryType(
            name: name,
            values: texts.compactMap { text in
                guard let id = CQLUUID(text), let bytes = Hexadecimal.bytes(text.filter { $0 != "-" }) else {
                    return nil
                }
                return HarryValue(cql: .uuid(id), bytes: bytes)
            })
    }

    static let all: [HarryType] = [
        int, text, texts("ascii", ["", "A", "Ab", "b"]),
        HarryType(
            name: "bigint", values: [Int64.min, -1, 0, 1 << 40].map { HarryValue(cql: .bigint($0), bytes: bytes($0)) }),
        HarryType(
            name: "smallint", values: [Int16.min, -1, 0, 300].map { HarryValue(cql: .smallint($0), bytes: bytes($0)) }),
        HarryType(
            name: "tinyint", values: [Int8.min, -1, 0, 5].map { HarryValue(cql: .tinyint($0), bytes: bytes($0)) }),
        HarryType(
            name: "boolean", values: [false, true].map { HarryValue(cql: .boolean($0), bytes: [$0 ? 1 : 0]) }),
        HarryType(
            name: "double",
            // As Java compares them: the zeros are two values, and NaN is greater than all others.
            values: [-1e300, -1.5, -0.0, 0, 2.25, .nan].map {
                HarryValue(cql: .double($0), bytes: bytes($0.bitPattern))
            }),
        // By version, those of version 1 by their time, whose low bits come first.
        uuids(
            "uuid",
            [
                "ffffffff-0000-1000-8000-000000000001", "00000000-0001-1000-8000-000000000001",
                "00000000-0001-1000-9000-000000000000", "00000001-0000-4000-8000-000000000000",
                "ffffffff-0000-4000-8000-000000000000",
            ]),
        // By time, then by bytes that have signs.
        uuids(
            "timeuuid",
            [
                "ffffffff-0000-1000-8000-000000000001", "00000000-0001-1000-8080-000000000001",
                "00000000-0001-1000-807f-000000000001", "00000000-0001-1000-9000-000000000000",
            ]),
        HarryType(
            name: "float",
            values: [Float(-7), 0, 0.5, 3e9].map { HarryValue(cql: .float($0), bytes: bytes($0.bitPattern)) }),
        HarryType(
            name: "timestamp",
            values: [-86_400_000, 0, 1_741_618_800_123].map { HarryValue(cql: .timestamp($0), bytes: bytes($0)) }),
        HarryType(
            name: "date",
            values: [Int32(-3), 0, 20_000].map {
                HarryValue(cql: .date($0), bytes: bytes(UInt32(bitPattern: $0) &+ 1 << 31))
            }),
        HarryType(
            name: "time",
            values: [Int64(0), 1, 86_399_999_999_999].map { HarryValue(cql: .time($0), bytes: bytes($0)) }
        ),
        HarryType(
            name: "blob", values: [[], [0], [0, 255], [1], [255, 0]].map { HarryValue(cql: .blob($0), bytes: $0) }),
        HarryType(
            name: "inet",
            values: [[10, 0, 0, 1], [10, 0, 0, 2], [192, 168, 0, 1]].map { HarryValue(cql: .inet($0), bytes: $0) }),
        HarryType(
            name: "varint",
            values: [(-300, [0xFE, 0xD4]), (-1, [0xFF]), (0, [0]), (200, [0, 0xC8])].map {
                HarryValue(cql: .varint(CQLInteger($0.0)), bytes: $0.1)
            }),
        HarryType(
            name: "frozen<list<int>>",
            values: [[], [-1], [1], [1, 0], [2]].map { (list: [Int32]) in
                HarryValue(
                    cql: .list(list.map { .int($0) }),
                    bytes: bytes(Int32(list.count)) + list.flatMap { sized(bytes($0)) })
            }),
        HarryType(
            name: "frozen<tuple<int, text>>",
            // Without a first element it comes before all that have one, but its bytes are greater.
            values: [HarryValue(cql: .tuple([.null, .text("a")]), bytes: bytes(Int32(-1)) + sized([97]))]
                + [(-1, "b"), (2, "a"), (2, "ab")].map { (number: Int32, text: String) in
                    HarryValue(
                        cql: .tuple([.int(number), .text(text)]), bytes: sized(bytes(number)) + sized(Array(text.utf8)))
                }),
    ]
}
