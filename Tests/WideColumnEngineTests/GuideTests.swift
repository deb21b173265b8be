import Foundation
import Testing
import WideColumnEngine

/// The code of Docs/guides/wide-column.md, in its order; it uses public declarations only.
@Suite("Guide")
struct GuideTests {
    struct Address: Codable {
        var street: String
        var zip: Int?
    }
    struct User: Codable {
        var id: String
        var tags: Set<String>
        var settings: [String: Int]
        var home: Address?
        var seen: [Date]
    }
    struct Move: Encodable { var id: String, home: Address?, more: [String] }

    struct Event: Decodable {
        var session: String
        var at: StorageInstant
        var id: CQLUUID
        var kind: String?
    }

    @Test("the guide's code does what the guide says")
    func guide() throws {
        let storage = try Storage.inMemory()
        let store = try WideColumnStore(storage: storage)

        try store.execute(
            "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("USE shop")
        try store.execute(
            """
            CREATE TABLE events (session text, at timestamp, id timeuuid, user text, kind text,
              PRIMARY KEY (session, at, id)) WITH default_time_to_live = 7776000
            """)
        try store.execute(
            """
            CREATE MATERIALIZED VIEW events_by_user AS SELECT * FROM events
            WHERE user IS NOT NULL AND session IS NOT NULL AND at IS NOT NULL AND id IS NOT NULL
            PRIMARY KEY (user, at, session, id) WITH CLUSTERING ORDER BY (at DESC)
            """)
        let insert = try store.prepare(
            "INSERT INTO events (session, at, id, user, kind) VALUES (?, toTimestamp(now()), now(), ?, ?)")
        try insert.execute(["s1", "ann", "join"])
        try insert.execute(["s1", "ann", "chat"], durability: .synced)
        let rows = try store.execute("SELECT kind, at FROM events_by_user WHERE user = ? LIMIT 100", ["ann"])
        #expect(Set(rows.compactMap { $0["kind", as: String.self] }) == ["join", "chat"])
        let session = try store.session(keyspace: "shop")
        #expect(try session.execute("SELECT kind, at FROM events WHERE session = ?", ["s1"]).count == 2)

        try store.execute("CREATE TYPE address (street text, zip int)")
        try store.execute(
            "CREATE TABLE users (id text PRIMARY KEY, tags set<text>, settings map<text, int>, home address, seen list<timestamp>)"
        )
        try store.execute("CREATE INDEX ON users (tags)")
        try store.execute("INSERT INTO users (id, tags, home) VALUES ('ann', {'new'}, {street: 'Main', zip: 1})")
        try store.execute(
            "UPDATE users SET tags = tags + {'vip'}, settings['theme'] = 2, home.zip = 7 WHERE id = 'ann'")
        let found = try store.execute("SELECT id, settings['theme'], home.zip FROM users WHERE tags CONTAINS 'vip'")
        #expect(found[0].values == ["ann", .int(2), .int(7)])
        #expect(
            try store.execute("SELECT JSON id, tags FROM users")[0][0]
                == .text(#"{"id": "ann", "tags": ["new", "vip"]}"#))
        try store.execute("CREATE TABLE views (page text PRIMARY KEY, count counter)")
        try store.execute("UPDATE views SET count = count + 1 WHERE page = '/'")
        #expect(try store.execute("SELECT count FROM views")[0][0] == .bigint(1))
        try store.execute("ALTER TABLE users ADD born date")
        #expect(try store.execute("SELECT session, count(*), max(at) FROM events GROUP BY session").count == 1)
        #expect(try store.execute("DESCRIBE TABLE users").count == 2)

        try store.insert(
            User(id: "bob", tags: ["new"], settings: [:], home: Address(street: "Main"), seen: [.now]), into: "users")
        let users = try store.execute("SELECT * FROM users").decode(User.self)
        #expect(Set(users.map(\.id)) == ["ann", "bob"] && Set(users.compactMap(\.home?.street)) == ["Main"])
        let change = try store.prepare("UPDATE users SET home = ?, tags = tags + :more WHERE id = ?")
        try change.execute(encoding: Move(id: "bob", home: nil, more: ["moved"]))
        #expect(try store.lines("SELECT home, tags FROM users WHERE id = 'bob'") == ["null {'moved', 'new'}"])

        let events = try store.execute("SELECT * FROM events WHERE session = 's1'").decode(Event.self)
        #expect(events.map(\.session) == ["s1", "s1"] && Set(events.map(\.id)).count == 2)

        try storage.write(.synced) { transaction in
            _ = try store.execute(
                "INSERT INTO events (session, at, id, kind) VALUES ('s1', '2025-03-10', now(), 'purchase')",
                in: transaction)
        }
        let first = try store.execute("INSERT INTO events (session, at, id) VALUES ('s2', 0, now()) IF NOT EXISTS")
        #expect(first.wasApplied)

        let all = try store.prepare("SELECT * FROM events")
        var page = try all.execute(pageSize: 3)
        var count = page.count
        while let state = page.pagingState {
            page = try all.execute(pageSize: 3, pagingState: state)
            count += page.count
        }
        #expect(count == 4)
        let error = #expect(throws: CQLError.self) { try store.execute("SELECT * FROM events WHERE kind = 'chat'") }
        #expect(error?.code == .invalidRequest)

        try store.execute(
            "CREATE TABLE cards (owner text PRIMARY KEY, number text MASKED WITH mask_inner(0, 4), holder text)")
        try store.execute("INSERT INTO cards (owner, number) VALUES ('ann', '1234567890123456')")
        try store.execute("ALTER TABLE cards ALTER holder MASKED WITH DEFAULT")
        try store.execute("ALTER TABLE cards ALTER holder DROP MASKED")
        var options = ExecutionOptions()
        options.maskedUserName = "clerk"
        let numbers = try store.execute("SELECT number FROM cards", options: options).map { $0["number"] }
        #expect(numbers == ["************3456"])
    }

    @Test("decoding a row names the column that does not fit")
    func decodingErrors() throws {
        struct Wrong: Decodable { var k: String }
        struct Missing: Decodable { var nosuch: Int }
        struct Null: Decodable { var v: Int }
        struct Right: Decodable { var k: Int16; var v: Int? }
        let store = try WideColumnStore(storage: .inMemory())
        try store.execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE ks.t (k int PRIMARY KEY, v int)")
        try store.execute("INSERT INTO ks.t (k) VALUES (1)")
        let row = try #require(try store.execute("SELECT * FROM ks.t").first)
        #expect(throws: DecodingError.self) { try row.decode(Wrong.self) }
        #expect(throws: DecodingError.self) { try row.decode(Missing.self) }
        #expect(throws: DecodingError.self) { try row.decode(Null.self) }
        let right = try row.decode(Right.self)
        #expect(right.k == 1 && right.v == nil)
    }
}
