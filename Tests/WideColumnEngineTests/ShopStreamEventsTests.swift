import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

/// The statements of the acceptance scenario, as written there.
enum ShopStreamCQL {
    static let keyspace = """
        CREATE KEYSPACE shopstream WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
        """
    static let table = """
        CREATE TABLE shopstream.session_events (
          session_id TEXT, occurred_at TIMESTAMP, event_id UUID, user_id TEXT,
          event_type TEXT, -- join | leave | chat | product_view | purchase
          payload TEXT,    -- JSON, flexible per event type
          PRIMARY KEY (session_id, occurred_at, event_id)
        ) WITH CLUSTERING ORDER BY (occurred_at ASC) AND default_time_to_live = 7776000;
        """
    static let view = """
        CREATE MATERIALIZED VIEW shopstream.user_events AS
          SELECT * FROM shopstream.session_events
          WHERE user_id IS NOT NULL AND session_id IS NOT NULL AND occurred_at IS NOT NULL AND event_id IS NOT NULL
          PRIMARY KEY (user_id, occurred_at, session_id, event_id)
          WITH CLUSTERING ORDER BY (occurred_at DESC);
        """
    static let insert = """
        INSERT INTO shopstream.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
        VALUES ('sess_live_882', toTimestamp(now()), uuid(), 'usr_8821', 'product_view',
                '{"productId":"prod_001","dwellMs":4200}');
        """
    static let bySession = """
        SELECT * FROM shopstream.session_events
         WHERE session_id = 'sess_live_882' AND occurred_at > '2025-03-10 14:00:00' LIMIT 500;
        """
    static let byUser = """
        SELECT * FROM shopstream.user_events
         WHERE user_id = 'usr_8821' AND occurred_at > '2025-02-10 00:00:00' LIMIT 100;
        """
    static let preparedInsert = """
        INSERT INTO shopstream.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
        VALUES (?, ?, ?, ?, ?, ?)
        """

    static func store(_ clock: ManualClock) throws -> WideColumnStore {
        let store = try WideColumnStore(storage: .inMemory(clock: clock), randomNumbers: SeededRandom(seed: 1))
        for statement in [keyspace, table, view] { try store.execute(statement) }
        return store
    }
}

@Suite("ShopStream events")
struct ShopStreamEventsTests {
    /// 2025-03-10 15:00:00 UTC.
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    @Test("every statement of the scenario runs as written")
    func scenario() throws {
        let store = try ShopStreamCQL.store(clock)
        for _ in 0..<3 {
            try store.execute(ShopStreamCQL.insert)
            clock.advance(by: .seconds(1))
        }
        let session = try store.execute(ShopStreamCQL.bySession)
        #expect(session.count == 3)
        #expect(session.map { $0["event_type", as: String.self] } == Array(repeating: "product_view", count: 3))
        #expect(
            session.columns.map(\.name) == [
                "session_id", "occurred_at", "event_id", "event_type", "payload", "user_id",
            ])
        let times = session.compactMap { $0["occurred_at", as: StorageInstant.self] }
        #expect(times == times.sorted() && times.first == StorageInstant(seconds: 1_741_618_800))

        let user = try store.execute(ShopStreamCQL.byUser)
        #expect(
            user.columns.map(\.name) == ["user_id", "occurred_at", "session_id", "event_id", "event_type", "payload"])
        #expect(user.compactMap { $0["occurred_at", as: StorageInstant.self] } == times.reversed())
        #expect(user.first?["payload", as: String.self] == #"{"productId":"prod_001","dwellMs":4200}"#)
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("both reads are single-partition reads, and tracing says so")
    func tracing() throws {
        let store = try ShopStreamCQL.store(clock)
        let session = try store.execute(ShopStreamCQL.bySession)
        #expect(session.wasSinglePartition && session.trace == ["Executing single-partition query on session_events"])
        let user = try store.execute(ShopStreamCQL.byUser)
        #expect(user.wasSinglePartition && user.trace == ["Executing single-partition query on user_events"])
        #expect(!(try store.execute("SELECT * FROM shopstream.session_events").wasSinglePartition))
    }

    @Test("rows vanish from table and view 90 days after insertion, at once")
    func ninetyDays() throws {
        let store = try ShopStreamCQL.store(clock)
        try store.execute(ShopStreamCQL.insert)
        clock.advance(by: .seconds(7_776_000 - 1))
        #expect(try store.execute(ShopStreamCQL.bySession).count == 1)
        #expect(try store.execute(ShopStreamCQL.byUser).count == 1)
        clock.advance(by: .seconds(1))
        #expect(try store.execute(ShopStreamCQL.bySession).isEmpty)
        #expect(try store.execute(ShopStreamCQL.byUser).isEmpty)
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("prepared inserts bind Swift values, and LIMIT takes the oldest by session, the newest by user")
    func prepared() throws {
        let store = try ShopStreamCQL.store(clock)
        let insert = try store.prepare(ShopStreamCQL.preparedInsert)
        #expect(insert.markers.map(\.type) == [.text, .timestamp, .uuid, .text, .text, .text])
        for index in 0..<700 {
            try insert.execute([
                "sess_live_882", .timestamp(clock.now.advanced(by: .milliseconds(index))), .uuid(.random()), "usr_8821",
                "chat", .text("\(index)"),
            ])
        }
        let session = try store.execute(ShopStreamCQL.bySession)
        #expect(session.compactMap { $0["payload", as: String.self] } == (0..<500).map(String.init))
        let user = try store.execute(ShopStreamCQL.byUser)
        #expect(user.compactMap { $0["payload", as: String.self] } == (600..<700).reversed().map(String.init))
    }

    @Test("an insert commits with whatever else its transaction does, or not at all")
    func transactions() throws {
        struct Refusal: Error {}
        let store = try ShopStreamCQL.store(clock)
        let orders = try store.storage.keyspace("orders")
        try store.storage.write { transaction in
            let key: [UInt8] = [1]
            try transaction.put(orders, key.rawSpan, key.rawSpan)
            try store.execute(ShopStreamCQL.insert, in: transaction)
            #expect(try store.execute(ShopStreamCQL.byUser, in: transaction).count == 1)
        }
        #expect(throws: Refusal.self) {
            try store.storage.write { transaction in
                try store.execute(ShopStreamCQL.insert, in: transaction)
                throw Refusal()
            }
        }
        #expect(try store.execute(ShopStreamCQL.bySession).count == 1)
    }
}
