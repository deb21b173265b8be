import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Types")
struct TypeTests {
    @Test("values keep their meaning through Cassandra's binary format")
    func roundTrip() throws {
        let uuid = try #require(CQLUUID("c8a1e3d0-5a1f-11ee-8c99-0242ac120002"))
        let values: [(CQLValue, CQLType)] = [
            (.text("héllo"), .text), (.text("ascii"), .ascii), (.blob([0, 1, 0xFF]), .blob), (.boolean(true), .boolean),
            (.tinyint(-5), .tinyint), (.smallint(-300), .smallint), (.int(.min), .int), (.bigint(.max), .bigint),
            (.float(-1.5), .float), (.double(.infinity), .double), (.uuid(uuid), .uuid), (.uuid(uuid), .timeuuid),
            (.timestamp(-1), .timestamp), (.date(-719_162), .date), (.time(86_399_999_999_999), .time),
            (.varint(CQLInteger(-300)), .varint), (.decimal(CQLDecimal(5)), .decimal), (.empty, .int),
            (.empty, .varint),
            (.duration(CQLDuration(months: 1, days: -0, nanoseconds: 5)), .duration),
            (.tuple([.int(1), .null]), .tuple([.int, .text])), (.vector([.float(1), .float(2)]), .vector(.float, 2)),
            (.vector(["a", ""]), .vector(.text, 2)), (.set([.int(1)]), .frozen(.set(.int))),
            (.inet([127, 0, 0, 1]), .inet), (.list([.int(3), .int(1)]), .list(.int)),
            (.set([.text("a"), .text("b")]), .set(.text)),
            (.map([.init(key: .text("k"), value: .list([.int(1)]))]), .map(.text, .list(.int))),
        ]
        for (value, type) in values {
            let bytes = try value.serialized(as: type)
            #expect(try (type as CQLType).value(of: bytes) == value, "\(type)")
        }
    }

    @Test("the binary format is the native protocol's")
    func wireFormat() throws {
        #expect(try CQLValue.int(1).serialized(as: .int) == [0, 0, 0, 1])
        #expect(try CQLValue.date(0).serialized(as: .date) == [0x80, 0, 0, 0])
        #expect(try CQLValue.decimal(CQLDecimal(150)).serialized(as: .decimal) == [0, 0, 0, 0, 0, 150])
        #expect(try CQLValue.vector([.float(1)]).serialized(as: .vector(.float, 1)) == [0x3F, 0x80, 0, 0])
        #expect(try CQLValue.vector(["ab"]).serialized(as: .vector(.text, 1)) == [2, 0x61, 0x62])
        #expect(
            try CQLValue.tuple([.null, .tinyint(1)]).serialized(as: .tuple([.int, .tinyint])) == [
                255, 255, 255, 255, 0, 0, 0, 1, 1,
            ])
        #expect(
            try CQLValue.duration(CQLDuration(months: 1, days: 2, nanoseconds: 3)).serialized(as: .duration) == [
                2, 4, 6,
            ])
        #expect(try CQLValue.list([.int(2)]).serialized(as: .list(.int)) == [0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 2])
    }

    @Test("sets are sorted and without duplicates, maps sorted by key, the last of equal keys wins")
    func collections() throws {
        let set = try CQLValue.list([.int(3), .int(-1), .int(3)]).serialized(as: .set(.int))
        #expect(try (.set(.int) as CQLType).value(of: set) == .set([.int(-1), .int(3)]))
        let map = try (["b": 1, "a": 2, "b": 3] as CQLValue).serialized(as: .map(.text, .int))
        #expect(try (.map(.text, .int) as CQLType).value(of: map).description == "{'a': 2, 'b': 3}")
    }

    @Test("whole numbers fit every number type whose range holds them, and no other")
    func numbers() throws {
        #expect(try CQLValue.bigint(300).serialized(as: .smallint) == [1, 44])
        #expect(throws: CQLError(.invalidRequest, "Unable to make tinyint from '300'")) {
            try CQLValue.bigint(300).serialized(as: .tinyint)
        }
        #expect(throws: CQLError(.invalidRequest, "Invalid value 'x' for type int")) {
            try CQLValue.text("x").serialized(as: .int)
        }
    }

    /// Values of each type in the order CQL gives them.
    static let ordered: [(CQLType, [CQLValue])] = [
        (.boolean, [false, true]),
        (.tinyint, [.tinyint(-128), .tinyint(-1), .tinyint(0), .tinyint(127)]),
        (.smallint, [.smallint(.min), .smallint(-1), .smallint(0), .smallint(.max)]),
        (.int, [.int(.min), .int(-1), .int(0), .int(1), .int(.max)]),
        (.bigint, [.bigint(.min), .bigint(-1), .bigint(0), .bigint(.max)]),
        (
            .float,
            [.float(-.infinity), .float(-1), .float(-0.0), .float(0), .float(1), .float(.infinity), .float(.nan)]
        ),
        (.double, [.double(-.infinity), .double(-1.5), .double(0), .double(1.5), .double(.infinity), .double(.nan)]),
        (.text, ["", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "ab", "b", "é"]),
        (.blob, [.blob([]), .blob([0]), .blob([0, 0]), .blob([0, 0xFF]), .blob([1]), .blob([0xFF])]),
        (.timestamp, [.timestamp(-5), .timestamp(0), .timestamp(5)]),
        (.date, [.date(-5), .date(0), .date(5)]),
        (.time, [.time(0), .time(5)]),
        (.list(.int), [[], [.int(1)], [.int(1), .int(2)], [.int(2)]]),
        (
            .varint,
            [
                "", "-1267650600228229401496703205376", "-256", "-255", "-1", "0", "1", "255", "256",
                "1267650600228229401496703205376",
            ].map(varint)
        ),
        (
            .decimal,
            ["", "-1E+10", "-1.5", "-1E-9", "0", "1E-9", "0.5", "1", "1.1", "1E+10", "123456789012345678901234567890"]
                .map(decimal)
        ),
        (.int, [.empty, .int(.min), .int(0)]), (.boolean, [.empty, false, true]), (.uuid, [.empty, .uuid(nilUUID)]),
        (.double, [.empty, .double(-.infinity), .double(0)]),
        (.timestamp, [.empty, .timestamp(.min), .timestamp(.min + 1)]),
        (
            .tuple([.int, .text]),
            [
                .tuple([.null, .null]), .tuple([.null, "a"]), .tuple([.int(1), .null]), .tuple([.int(1), ""]),
                .tuple([.int(1), "a"]), .tuple([.int(2), .null]),
            ]
        ),
        (
            .vector(.float, 2),
            [.vector([.float(-1), .float(5)]), .vector([.float(0), .float(-2)]), .vector([.float(0), .float(3)])]
        ),
        (.frozen(.map(.text, .int)), [[:], ["a": .int(1)], ["a": .int(2)], ["b": .int(0)]]),
    ]

    private static let nilUUID = CQLUUID(mostSignificantBits: 0, leastSignificantBits: 0)
    private static func varint(_ text: String) -> CQLValue { CQLInteger(text).map { .varint($0) } ?? .empty }
    private static func decimal(_ text: String) -> CQLValue { CQLDecimal(text).map { .decimal($0) } ?? .empty }

    @Test(
        "ordered components compare by memcmp as their values do, both ways, and read back", arguments: ordered.indices)
    func order(index: Int) throws {
        let (type, values) = Self.ordered[index]
        for isDescending in [false, true] {
            var keys: [[UInt8]] = []
            for value in values {
                let bytes = try value.serialized(as: type)
                var key: [UInt8] = []
                try OrderedComponent.append(bytes.rawSpan, type, descending: isDescending, to: &key)
                key.append(0x7F)
                var back: [UInt8] = []
                var offset = 0
                try OrderedComponent.decode(key.rawSpan, at: &offset, type, descending: isDescending, into: &back)
                // A decimal comes back with the smallest scale that is not negative, which is the same number.
                var again: [UInt8] = []
                try OrderedComponent.append(back.rawSpan, type, descending: isDescending, to: &again)
                let isSame = try type == .decimal || type.value(of: back) == value || back == bytes
                #expect(isSame && offset == key.count - 1, "\(value)")
                #expect(again == key.dropLast(), "\(value)")
                keys.append(key)
            }
            let sorted = keys.sorted { $0.lexicographicallyPrecedes($1) }
            #expect(sorted == (isDescending ? keys.reversed() : keys))
        }
    }

    @Test("every NaN is one value, and the last", arguments: [false, true])
    func notANumber(isDescending: Bool) throws {
        func key(_ value: CQLValue, _ type: CQLType) throws -> [UInt8] {
            let bytes = try value.serialized(as: type)
            var key: [UInt8] = []
            try OrderedComponent.append(bytes.rawSpan, type, descending: isDescending, to: &key)
            return key
        }
        for bits: UInt64 in [0xFFF8_0000_0000_0000, 0x7FF0_0000_0000_0001, 0xFFFF_FFFF_FFFF_FFFF] {
            #expect(try key(.double(Double(bitPattern: bits)), .double) == key(.double(.nan), .double))
        }
        for bits: UInt32 in [0xFFC0_0000, 0x7F80_0001, 0xFFFF_FFFF] {
            #expect(try key(.float(Float(bitPattern: bits)), .float) == key(.float(.nan), .float))
        }
    }

    @Test("timeuuids order by time, uuids by version first")
    func uuidOrder() throws {
        let early = CQLUUID(intervals: 0x0FFF_FFFF, clockAndNode: 0xFFFF_FFFF_FFFF_FFFF)
        let late = CQLUUID(intervals: 0x1_0000_0000, clockAndNode: 0x8000_0000_0000_0000)
        #expect(early.version == 1 && late.version == 1 && early < late)
        var random = SeededRandom(seed: 7)
        let version4 = CQLUUID.random(using: &random)
        #expect(version4.version == 4 && late < version4)
        #expect(CQLUUID(version4.description) == version4)
        let rebuilt = CQLUUID(
            orderedHigh: version4.orderedHigh, leastSignificantBits: version4.leastSignificantBits)
        #expect(rebuilt == version4)
        #expect(CQLUUID("c8a1e3d0-5a1f-11ee-8c99-0242ac12000") == nil)
    }

    @Test("the generator's identifiers strictly increase, even while the clock stands or runs backwards")
    func generator() throws {
        var random = SeededRandom(seed: 3)
        let generator = TimeUUIDGenerator(using: &random)
        let now = StorageInstant(seconds: 1_700_000_000)
        let made = [now, now, now.advanced(by: .seconds(-5)), now.advanced(by: .seconds(1))].map(generator.next)
        #expect(made == made.sorted() && Set(made).count == 4)
        #expect(made[0].unixMilliseconds == 1_700_000_000_000)
    }

    @Test(
        "timestamps in all their forms",
        arguments: [
            ("1970-01-01", 0), ("2025-03-10 14:00:00", 1_741_615_200_000), ("2025-03-10T14:00:00Z", 1_741_615_200_000),
            ("2025-03-10 14:00", 1_741_615_200_000), ("2025-03-10 14:00:00.25+0100", 1_741_611_600_250),
            ("2024-02-29 23:59:59.999 UTC", 1_709_251_199_999), ("-62135596800000", -62_135_596_800_000),
            ("1969-12-31 23:59:59-01:30", 5_399_000), ("2020-01-01 UTC", 1_577_836_800_000),
            ("2020-01-01 GMT", 1_577_836_800_000), ("2020-01-01 Z", 1_577_836_800_000),
            ("2020-01-01 00:00 GMT", 1_577_836_800_000), ("2020-01-01+0100", 1_577_833_200_000),
            ("+10000-01-01", 253_402_300_800_000), ("-0001-01-01", -62_198_755_200_000),
            ("-292275055-05-16 16:47:04.192Z", .min), ("+292278994-08-17 07:12:55.807Z", .max),
        ])
    func timestamps(text: String, milliseconds: Int64) {
        #expect(CalendarText.milliseconds(text) == milliseconds)
    }

    @Test(
        "dates that do not exist are refused",
        arguments: [
            "2025-02-29", "2025-13-01", "2025-04-31", "x", "2025-1", "", "+-2025-01-01", "2025-01-01 ",
            "+1000000000-01-01", "-999999999-01-01", "+999999999-12-31",
        ])
    func badDates(text: String) {
        #expect(CalendarText.milliseconds(text) == nil && CalendarText.days(text) == nil)
    }

    @Test("timestamps are written as cqlsh shows them")
    func timestampText() {
        #expect(CalendarText.timestamp(milliseconds: 1_741_615_200_250) == "2025-03-10 14:00:00.250+0000")
        #expect(CalendarText.timestamp(milliseconds: .min) == "-292275055-05-16 16:47:04.192+0000")
        #expect(CalendarText.timestamp(milliseconds: .max) == "+292278994-08-17 07:12:55.807+0000")
        #expect(CalendarText.timestamp(milliseconds: -1) == "1969-12-31 23:59:59.999+0000")
        #expect(CalendarText.nanoseconds("08:12:54.123") == 29_574_123_000_000)
        #expect(CalendarText.time(nanoseconds: 29_574_123_000_000) == "08:12:54.123000000")
    }

    @Test("the first and the last date and timestamp are read as they are written")
    func extremeDates() {
        for days in [Int32.min, -719_529, -719_528, 2_932_896, 2_932_897, .max] {
            let text = CalendarText.date(days: Int64(days))
            #expect(CalendarText.days(text) == days, "\(text)")
        }
        #expect(CalendarText.days("-5877641-06-23") == .min && CalendarText.days("+5881580-07-11") == .max)
        #expect(CalendarText.days("-5877641-06-22") == nil && CalendarText.days("+5881580-07-12") == nil)
        for milliseconds in [Int64.min, -62_167_219_200_001, 253_402_300_799_999, 253_402_300_800_000, .max] {
            let text = CalendarText.jsonTimestamp(milliseconds: milliseconds)
            #expect(CalendarText.milliseconds(text) == milliseconds, "\(text)")
        }
        #expect(CalendarText.milliseconds("-292275055-05-16 16:47:04.191Z") == nil)
        #expect(CalendarText.milliseconds("+292278994-08-17 07:12:55.808Z") == nil)
    }

    @Test("internet addresses of both versions")
    func addresses() {
        #expect(InternetAddress.bytes("10.0.255.1") == [10, 0, 255, 1])
        #expect(InternetAddress.bytes("::1") == [UInt8](repeating: 0, count: 15) + [1])
        #expect(InternetAddress.bytes("2001:db8::ff00:42")?.count == 16)
        #expect(InternetAddress.bytes("64:ff9b::1.2.3.4")?.suffix(5) == [0, 1, 2, 3, 4])
        for text in ["::ffff:1.2.3.4", "::FFFF:102:304", "0:0:0:0:0:ffff:1.2.3.4"] {
            #expect(InternetAddress.bytes(text) == [1, 2, 3, 4], "\(text)")
        }
        #expect(InternetAddress.bytes("::1.2.3.4")?.count == 16 && InternetAddress.bytes("::fffe:1.2.3.4")?.count == 16)
        let prefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        #expect(InternetAddress.text(prefix + [1, 2, 3, 4]) == "1.2.3.4")
        #expect(InternetAddress.text([1] + prefix.dropFirst() + [1, 2, 3, 4]) == "100:0:0:0:0:ffff:102:304")
        for text in ["1.2.3", "1.2.3.256", "1::2::3", "12345::", ":", "g::"] {
            #expect(InternetAddress.bytes(text) == nil, "\(text)")
        }
    }
}
