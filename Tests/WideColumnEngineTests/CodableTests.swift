import Foundation
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Rows as Codable types, both ways")
struct CodableTests {
    // MARK: Every type

    struct Scalars: Codable, Equatable {
        var k: Int
        var a: String?
        var b: Int64?
        var bl: [UInt8]?
        var bo: Bool?
        var da: Int32?
        var de: CQLDecimal?
        var dou: Double?
        var du: CQLDuration?
        var f: Float?
        var i4: String?
        var i6: [UInt8]?
        var i: Int32?
        var s: Int16?
        var t: String?
        var ti: Duration?
        var ts: StorageInstant?
        var tu: CQLUUID?
        var ty: Int8?
        var u: CQLUUID?
        var v: CQLInteger?
    }

    private func makeScalars() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE t (k int PRIMARY KEY, a ascii, b bigint, bl blob, bo boolean, da date, de decimal, dou double,
            du duration, f float, i4 inet, i6 inet, i int, s smallint, t text, ti time, ts timestamp, tu timeuuid,
            ty tinyint, u uuid, v varint)
            """)
        return store
    }

    @Test("a value of every scalar type goes into a row and comes back, and so do their extremes and nulls")
    func scalars() throws {
        let store = try makeScalars()
        let timeUUID = try #require(CQLUUID("50554d6e-29bb-11e5-b345-feff819cdc9f"))
        let rows = [
            Scalars(
                k: 1, a: "ascii", b: .max, bl: [0, 255], bo: true, da: -1, de: CQLDecimal("-1.2300"), dou: -0.1,
                du: CQLDuration(months: 1, days: 2, nanoseconds: 3), f: 1.5, i4: "10.0.0.1",
                i6: Array(repeating: 7, count: 16), i: .min, s: .max, t: "dé\u{0}", ti: .nanoseconds(1_000_000_001),
                ts: StorageInstant(milliseconds: -5), tu: timeUUID, ty: .min, u: CQLUUID.random(),
                v: CQLInteger("-123456789012345678901234567890")),
            Scalars(
                k: 2, a: "", b: .min, bl: [], bo: false, da: .max, de: CQLDecimal("1E+400"), dou: .infinity,
                du: CQLDuration(months: -1, days: -2, nanoseconds: .min), f: -.greatestFiniteMagnitude,
                i4: "255.255.255.255", i6: [1, 2, 3, 4], i: .max, s: .min, t: "",
                ti: .nanoseconds(86_399_999_999_999), ts: StorageInstant(milliseconds: 1 << 50), tu: timeUUID, ty: .max,
                u: CQLUUID(mostSignificantBits: .max, leastSignificantBits: .max), v: CQLInteger(0)),
            Scalars(k: 3),
        ]
        for row in rows {
            try store.insert(row, into: "t")
            let back = try #require(try store.execute("SELECT * FROM t WHERE k = ?", [.int(Int32(row.k))]).first)
            #expect(try back.decode(Scalars.self) == row)
        }
        // Nil was written, not left out: it takes the place of what there was.
        try store.insert(Scalars(k: 1, a: "only"), into: "t", omittingNil: true)
        #expect(try store.lines("SELECT a, s FROM t WHERE k = 1") == ["'only' 32767"])
        try store.insert(Scalars(k: 1, a: "only"), into: "ks.t")
        #expect(try store.lines("SELECT a, s FROM t WHERE k = 1") == ["'only' null"])
    }

    struct Foundations: Codable, Equatable {
        var k: Int
        var u: UUID?
        var tu: UUID?
        var ts: Date?
        var da: Date?
        var bl: Data?
        var i6: Data?
    }

    @Test("Foundation's UUID, Date and Data are uuid, timestamp, date, blob and inet")
    func foundation() throws {
        let store = try makeScalars()
        let row = Foundations(
            k: 1, u: UUID(), tu: UUID(uuidString: "50554d6e-29bb-11e5-b345-feff819cdc9f"),
            ts: Date(timeIntervalSince1970: 1_741_618_800.123), da: Date(timeIntervalSince1970: 86_400 * 20_000),
            bl: Data([1, 2, 3]), i6: Data([10, 0, 0, 1]))
        try store.insert(row, into: "t")
        let text = row.u.map { $0.uuidString.lowercased() } ?? ""
        #expect(
            try store.lines("SELECT u, ts, da, bl, i6 FROM t") == [
                "\(text) '2025-03-10 15:00:00.123+0000' '2024-10-04' 0x010203 '10.0.0.1'"
            ])
        let back = try store.execute("SELECT * FROM t")[0].decode(Foundations.self)
        #expect(back.u == row.u && back.tu == row.tu && back.da == row.da && back.bl == row.bl && back.i6 == row.i6)
        let difference = try #require(back.ts).timeIntervalSince(try #require(row.ts))
        #expect(abs(difference) < 0.000_01)
        // A time within a day and one before 1970.
        struct Day: Encodable { var k = 2; var da = Date(timeIntervalSince1970: -1) }
        try store.insert(Day(), into: "t")
        #expect(try store.lines("SELECT da FROM t WHERE k = 2") == ["'1969-12-31'"])
        #expect(throws: DecodingError.self) {
            struct Number: Decodable { var ts: Double }
            _ = try store.execute("SELECT ts FROM t WHERE k = 1")[0].decode(Number.self)
        }
    }

    struct Numbers: Codable, Equatable {
        var k: Int
        var a: UInt8
        var b: UInt16
        var c: UInt32
        var d: UInt64
        var e: UInt
        var f: Int128
        var g: UInt128
        var h: Int
        var i: Int64
        var j: Int64
    }

    @Test("all of Swift's integers go into the columns that hold them, and timestamps, dates and times are numbers too")
    func integers() throws {
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE t (k int PRIMARY KEY, a tinyint, b int, c bigint, d varint, e bigint, f varint, g varint,
            h timestamp, i date, j time)
            """)
        let row = Numbers(
            k: 1, a: 127, b: .max, c: .max, d: .max, e: 9, f: .min, g: .max, h: 5, i: -5, j: 86_399_999_999_999)
        try store.insert(row, into: "t")
        #expect(try store.execute("SELECT * FROM t")[0].decode(Numbers.self) == row)
        var wide = row
        wide.a = 128
        let error = #expect(throws: EncodingError.self) { try store.insert(wide, into: "t") }
        #expect("\(try #require(error))".contains("Column a of type tinyint: Unable to make tinyint from '128'"))
        struct Narrow: Decodable { var b: Int8 }
        #expect(throws: DecodingError.self) { try store.execute("SELECT b FROM t")[0].decode(Narrow.self) }
    }

    // MARK: Types with parts

    enum Kind: String, Codable, CaseIterable, CodingKeyRepresentable { case home, work }

    struct Address: Codable, Equatable, Hashable {
        var street: String
        var zip: Int?
        var since: Date?
    }

    struct Pair: Codable, Equatable {
        enum CodingKeys: Int, CodingKey { case number, text }
        var number: Int?
        var text: String?
    }

    struct Person: Codable, Equatable {
        var id: UUID
        var kind: Kind
        var tags: Set<String>
        var names: [String]
        var scores: [Kind: Int]
        var seen: [UUID: Date]
        var counts: [Int: String]
        var home: Address?
        var frozenHome: Address?
        var homes: [Address]
        var byKind: [String: Address]
        var pair: Pair?
        var plain: [Int?]?
        var matrix: [[Int]]
        var vector: [Float]?
        var blobs: [Data]
        var ids: Set<UUID>
        var bytes: [UInt8]
    }

    private func makePersons() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute("CREATE TYPE address (street text, zip int, since timestamp)")
        try store.execute(
            """
            CREATE TABLE p (id uuid PRIMARY KEY, kind text, tags set<text>, names list<text>, scores map<text, int>,
            seen map<uuid, timestamp>, counts map<int, text>, home address, "frozenHome" frozen<address>,
            homes list<frozen<address>>, "byKind" map<text, frozen<address>>, pair tuple<int, text>,
            plain tuple<int, int>, matrix list<frozen<list<int>>>, vector vector<float, 3>, blobs list<blob>,
            ids set<uuid>, bytes list<smallint>)
            """)
        return store
    }

    private func person(_ random: inout SeededRandom) -> Person {
        func some<Value>(_ value: @autoclosure () -> Value) -> Value? { Bool.random(using: &random) ? value() : nil }
        func number() -> Int { Int.random(in: -9...9, using: &random) }
        func text() -> String { ["", "a", "b\u{0}c", "it's", "ü"].randomElement(using: &random) ?? "" }
        func count() -> Range<Int> { 0..<Int.random(in: 0...3, using: &random) }
        func date() -> Date { Date(timeIntervalSinceReferenceDate: Double(number()) * 1000) }
        func kind() -> Kind { Kind.allCases.randomElement(using: &random) ?? .home }
        func uuid() -> UUID {
            let (high, low) = (random.next(), random.next())
            return UUID(uuidString: CQLUUID(mostSignificantBits: high, leastSignificantBits: low).description) ?? UUID()
        }
        func address() -> Address { Address(street: text(), zip: some(number()), since: some(date())) }
        func dictionary<Key: Hashable, Value>(_ key: () -> Key, _ value: () -> Value) -> [Key: Value] {
            Dictionary(count().map { _ in (key(), value()) }, uniquingKeysWith: { $1 })
        }
        return Person(
            id: uuid(), kind: kind(), tags: Set(count().map { _ in text() }), names: count().map { _ in text() },
            scores: dictionary(kind, number), seen: dictionary(uuid, date), counts: dictionary(number, text),
            home: some(address()), frozenHome: some(address()), homes: count().map { _ in address() },
            byKind: dictionary(text, address), pair: some(Pair(number: some(number()), text: some(text()))),
            plain: some([some(number()), some(number())]), matrix: count().map { _ in count().map { _ in number() } },
            vector: some([1, 2.5, Float(number())]), blobs: count().map { _ in Data(text().utf8) },
            ids: Set(count().map { _ in uuid() }), bytes: count().map { _ in UInt8.random(in: 0...255, using: &random) }
        )
    }

    @Test("collections, tuples, vectors and user-defined types are what Swift has for them, however they are nested")
    func nested() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let store = try makePersons()
        let select = try store.prepare("SELECT * FROM p WHERE id = ?")
        for _ in 0..<200 {
            let person = person(&random)
            try store.insert(person, into: "p")
            let row = try #require(try store.execute("SELECT * FROM p WHERE id = :id", encoding: person).first)
            #expect(try row.decode(Person.self) == person, "seed \(seed)")
            _ = try select.execute(encoding: person)
        }
        #expect(try store.execute("SELECT * FROM p").decode(Person.self).count == 200)
    }

    @Test("the values of a statement's markers come by name, in transactions and batches too")
    func statements() throws {
        struct Event: Codable, Equatable { var id: Int; var kind: Kind; var note: String?; var more = [1] }
        let store = try makeStore()
        try store.execute("CREATE TABLE e (id int PRIMARY KEY, kind text, note text)")
        let insert = try store.prepare("INSERT INTO e (id, kind, note) VALUES (:id, :kind, :note) USING TTL 100")
        try insert.execute(encoding: Event(id: 1, kind: .home, note: "x"))
        try store.storage.write { transaction in
            _ = try insert.execute(encoding: Event(id: 2, kind: .work), in: transaction)
        }
        try store.execute(
            StatementBatch(.logged, [(insert, try insert.values(encoding: Event(id: 3, kind: .work, note: "y")))]))
        #expect(try store.lines("SELECT * FROM e").sorted() == ["1 'home' 'x'", "2 'work' null", "3 'work' 'y'"])
        // Whatever encodes names will do; what no marker asks for is left out.
        try store.execute(
            "UPDATE e SET kind = ?, note = ? WHERE id = 3", encoding: ["kind": "z", "note": "w", "other": "v"])
        #expect(try store.lines("SELECT kind, note FROM e WHERE id = 3") == ["'z' 'w'"])
        let limited = try store.execute("SELECT id FROM e LIMIT :count", encoding: ["count": 2])
        #expect(limited.count == 2)
        expectInvalid("Invalid unset value for bound variable note") {
            try store.execute("UPDATE e SET note = ? WHERE id = 3", encoding: ["id": 3])
        }
        #expect(throws: EncodingError.self) { try store.execute("SELECT * FROM e", encoding: [1]) }
        expectInvalid("Undefined column name more in table ks.e") {
            try store.insert(Event(id: 1, kind: .home), into: "e")
        }
        try store.execute("CREATE TABLE c (id int PRIMARY KEY, count counter)")
        struct Count: Codable, Equatable { var id = 1; var count = 5 }
        try store.execute("UPDATE c SET count = count + :count WHERE id = :id", encoding: Count())
        #expect(try store.execute("SELECT * FROM c").decode(Count.self) == [Count()])
    }

    class Animal: Codable {
        var id = 1
        init() {}
    }

    final class Dog: Animal {
        private enum CodingKeys: String, CodingKey { case name, size }
        private enum SizeKeys: String, CodingKey { case height, widths }
        var name = "rex"
        var height = 3
        var widths = [4, 5]

        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            let size = try container.nestedContainer(keyedBy: SizeKeys.self, forKey: .size)
            height = try size.decode(Int.self, forKey: .height)
            var list = try size.nestedUnkeyedContainer(forKey: .widths)
            widths = []
            while !list.isAtEnd { widths.append(try list.decode(Int.self)) }
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            var size = container.nestedContainer(keyedBy: SizeKeys.self, forKey: .size)
            var list = size.nestedUnkeyedContainer(forKey: .widths)
            try size.encode(height, forKey: .height)
            for width in widths { try list.encode(width) }
            try super.encode(to: container.superEncoder())
        }
    }

    @Test("classes and hand-written coding with nested containers")
    func classes() throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE dims (height int, widths frozen<list<int>>)")
        try store.execute("CREATE TABLE d (id int PRIMARY KEY, name text, size frozen<dims>)")
        let dog = Dog()
        (dog.id, dog.name, dog.height, dog.widths) = (7, "bo", 8, [9])
        try store.insert(dog, into: "d")
        #expect(try store.lines("SELECT * FROM d") == ["7 'bo' {height: 8, widths: [9]}"])
        let back = try store.execute("SELECT * FROM d")[0].decode(Dog.self)
        #expect(back.id == 7 && back.name == "bo" && back.height == 8 && back.widths == [9])
    }

    // MARK: Errors

    @Test("errors name the column, its type and the place in it")
    func errors() throws {
        let store = try makePersons()
        try store.execute(
            "INSERT INTO p (id, kind, homes, \"frozenHome\") VALUES (uuid(), 'nowhere', [{street: null}], {zip: 1})")
        let row = try #require(try store.execute("SELECT * FROM p").first)
        struct Homes: Decodable { var homes: [Address] }
        struct Home: Decodable { var frozenHome: Address }
        struct Number: Decodable { var kind: Int }
        struct Unknown: Decodable { var kind: Kind }
        struct Null: Decodable { var pair: Pair }
        struct Missing: Decodable { var nothing: Int }
        func description(_ error: DecodingError?) -> String { error.map { "\($0)" } ?? "" }
        let homes = #expect(throws: DecodingError.self) { try row.decode(Homes.self) }
        #expect(description(homes).contains("Column homes of type list<frozen<address>>: It is null"))
        if case .valueNotFound(_, let context)? = homes {
            #expect(context.codingPath.map(\.stringValue) == ["homes", "0", "street"])
        }
        let number = #expect(throws: DecodingError.self) { try row.decode(Number.self) }
        #expect(description(number).contains("Column kind of type text: 'nowhere' is no Int."))
        #expect(throws: DecodingError.self) { try row.decode(Unknown.self) }
        #expect(throws: DecodingError.self) { try row.decode(Home.self) }
        let null = #expect(throws: DecodingError.self) { try row.decode(Null.self) }
        #expect(description(null).contains("Column pair of type frozen<tuple<int, text>>"))
        let missing = #expect(throws: DecodingError.self) { try row.decode(Missing.self) }
        #expect(description(missing).contains("The result has no column nothing."))

        func message(_ value: some Encodable) -> String {
            do {
                try store.insert(value, into: "p")
                return "accepted"
            } catch { return "\(error)" }
        }
        #expect(message(["id": "no"]).contains("Column id of type uuid: 'no' is no UUID"))
        struct Wrong<Value: Encodable>: Encodable {
            enum CodingKeys: String, CodingKey { case id, home, tags, pair }
            var id = UUID()
            var home: Value?
            var tags: [Value]?
            var pair: Value?
        }
        #expect(
            message(Wrong(home: ["street": 1])).contains(
                "Column home of type address: Invalid value 1 for type text"))
        #expect(
            message(Wrong(home: ["nope": 1])).contains(
                "Column home of type address: Unknown field 'nope' in value of user defined type address"))
        #expect(
            message(Wrong(tags: [Optional<String>.none])).contains(
                "Column tags of type set<text>: null is not supported inside collections"))
        #expect(
            message(Wrong(pair: [1, 2, 3])).contains(
                "Column pair of type frozen<tuple<int, text>>: Expected 2 elements in value for tuple, but got 3"))
        #expect(message(Wrong(pair: Address(street: "a"))).contains("A tuple has no element street"))
        #expect(message(Wrong(tags: [Address(street: "a")])).contains("A value with named members is no text"))
    }
}
