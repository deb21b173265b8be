// Events: both statements of the scenario, ninety days, and a view that is never out of step.

import ShopStreamKit
import Testing

@Suite("Events")
struct EventTests {
    // 2025-03-10 15:00:00 UTC
    private let machine = Machine(clock: ManualClock(now: StorageInstant(seconds: 1_741_618_800)))

    private func insert(_ shop: ShopStream, _ session: String, _ user: String, _ suffix: String = "") throws {
        try shop.wideColumns.execute(
            """
            INSERT INTO shopstream.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
            VALUES ('\(session)', toTimestamp(now()), uuid(), '\(user)', 'product_view',
                    '{"productId":"prod_001","dwellMs":4200}')\(suffix);
            """)
    }

    private func count(_ shop: ShopStream, _ table: String) throws -> Int {
        try shop.wideColumns.execute("SELECT * FROM shopstream.\(table)").rows.count
    }

    @Test("both queries of the scenario read one partition, in their clustering order, up to their limit")
    func queries() throws {
        let shop = try machine.open()
        for index in 0..<600 {
            machine.clock.advance(by: .seconds(1))
            try insert(shop, index.isMultiple(of: 10) ? "sess_other" : "sess_live_882", "usr_8821")
        }
        let bySession = try shop.wideColumns.execute(
            """
            SELECT * FROM shopstream.session_events
             WHERE session_id = 'sess_live_882' AND occurred_at > '2025-03-10 14:00:00' LIMIT 500;
            """)
        #expect(bySession.rows.count == 500)
        #expect(bySession.wasSinglePartition)
        let ascending = bySession.rows.compactMap { $0["occurred_at", as: StorageInstant.self] }
        #expect(ascending.count == 500 && ascending == ascending.sorted())
        let byUser = try shop.wideColumns.execute(
            """
            SELECT * FROM shopstream.user_events
             WHERE user_id = 'usr_8821' AND occurred_at > '2025-02-10 00:00:00' LIMIT 100;
            """)
        #expect(byUser.rows.count == 100)
        #expect(byUser.wasSinglePartition)
        let descending = byUser.rows.compactMap { $0["occurred_at", as: StorageInstant.self] }
        #expect(descending.first == StorageInstant(milliseconds: machine.clock.now.milliseconds))
        #expect(descending.count == 100 && descending == descending.sorted(by: >))
        #expect(byUser.rows.first?["payload", as: String.self] == #"{"productId":"prod_001","dwellMs":4200}"#)
    }

    @Test("after ninety days events are gone from the table and its view, and from disk after a compaction")
    func expiry() throws {
        let shop = try machine.open()
        for index in 0..<50 { try insert(shop, "sess_\(index % 3)", "usr_\(index % 7)") }
        machine.clock.advance(by: .seconds(7_776_000 - 60))
        #expect(try count(shop, "session_events") == 50)
        #expect(try count(shop, "user_events") == 50)
        machine.clock.advance(by: .seconds(120))
        #expect(try count(shop, "session_events") == 0)
        #expect(try count(shop, "user_events") == 0)
        try insert(shop, "sess_new", "usr_new")
        machine.clock.advance(by: .seconds(2 * 86_400))
        try shop.storage.flush()
        try shop.storage.compact()
        let keyspace = try #require(shop.storage.existingKeyspace("wide/shopstream.session_events"))
        let snapshot = shop.storage.snapshot()
        var left = 0
        var cursor = try snapshot.view.cursor(keyspace)
        try cursor.seekToFirst()
        while cursor.isValid {
            left += 1
            try cursor.next()
        }
        #expect(left == 1)
        #expect(try count(shop, "session_events") == 1)
        #expect(try shop.verify().problems == [])
    }

    @Test("inserts, overwrites of the user and deletes leave the view in step with its table")
    func viewInStep() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("events: view in step, seed \(seed)")
        var random = SeededRandom(seed: seed)
        let shop = try machine.open()
        let table = shop.wideColumns
        for _ in 0..<300 {
            let session = "s\(Int.random(in: 0..<3, using: &random))"
            let time = Int.random(in: 0..<4, using: &random)
            let id = "00000000-0000-0000-0000-00000000000\(Int.random(in: 0..<3, using: &random))"
            let key = "session_id = '\(session)' AND occurred_at = \(time) AND event_id = \(id)"
            let user = "u\(Int.random(in: 0..<4, using: &random))"
            switch Int.random(in: 0..<4, using: &random) {
            case 0: try table.execute("DELETE FROM shopstream.session_events WHERE \(key)")
            case 1: try table.execute("UPDATE shopstream.session_events SET user_id = '\(user)' WHERE \(key)")
            default:
                try table.execute(
                    """
                    INSERT INTO shopstream.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
                    VALUES ('\(session)', \(time), \(id), '\(user)', 'chat', '{}')
                    """)
            }
        }
        func keys(_ name: String) throws -> Set<String> {
            let rows = try table.execute(
                "SELECT session_id, occurred_at, event_id, user_id, event_type FROM shopstream.\(name)"
            ).rows
            return Set(rows.filter { $0["user_id", as: String.self] != nil }.map { "\($0.values)" })
        }
        #expect(try keys("user_events") == keys("session_events"), "seed \(seed)")
        #expect(try !keys("user_events").isEmpty)
        #expect(try shop.verify().problems == [], "seed \(seed)")
    }

    @Test("the service gives a session's events oldest first and a user's newest first, after an instant")
    func service() async throws {
        let shop = try machine.open()
        let start = machine.clock.now
        for index in 0..<10 {
            try await shop.events.record(
                SessionEvent(
                    sessionID: "sess_1", occurredAt: start.advanced(by: .seconds(index)), userID: "usr_\(index % 2)",
                    type: EventType.allCases[index % EventType.allCases.count], payload: #"{"n":\#(index)}"#))
        }
        let later = start.advanced(by: .seconds(3))
        let ofSession = try await shop.events.events(ofSession: "sess_1", after: later, limit: 4)
        #expect(ofSession.map(\.payload) == (4..<8).map { #"{"n":\#($0)}"# })
        let ofUser = try await shop.events.events(ofUser: "usr_1", after: start, limit: 3)
        #expect(ofUser.map(\.payload) == [9, 7, 5].map { #"{"n":\#($0)}"# })
        #expect(try await shop.events.events(ofSession: "none", after: start, limit: 3).isEmpty)
    }
}
