// EventsChapter.swift — events of live sessions in CQL, by session and by user.

internal import ShopStreamKit

struct EventsChapter {
    private static let sessionCount = 20
    private static let eventsPerSession = 1000

    let transcript: Transcript
    let shop: ShopStream

    init(_ transcript: Transcript, _ shop: ShopStream) {
        self.transcript = transcript
        self.shop = shop
    }

    func play() async throws {
        transcript.chapter("2. Events: append-only time series with TTL and a view (wide-column store)")
        showSchema()
        try insertOne()
        try insertMany()
        try readSession()
        try readUser()
        try timeToLive()
    }

    private func showSchema() {
        transcript.statement(
            """
            CREATE TABLE shopstream.session_events (
              session_id TEXT, occurred_at TIMESTAMP, event_id UUID, user_id TEXT,
              event_type TEXT, -- join | leave | chat | product_view | purchase
              payload TEXT,    -- JSON, flexible per event type
              PRIMARY KEY (session_id, occurred_at, event_id)
            ) WITH CLUSTERING ORDER BY (occurred_at ASC) AND default_time_to_live = 7776000;
            CREATE MATERIALIZED VIEW shopstream.user_events AS … PRIMARY KEY (user_id, occurred_at, session_id, event_id)
              WITH CLUSTERING ORDER BY (occurred_at DESC);
            """)
        transcript.check(
            "opening the platform has created both",
            Set(shop.wideColumns.tableNames(in: "shopstream")).isSuperset(of: ["session_events"]))
    }

    private func insertOne() throws {
        let statement = """
            INSERT INTO shopstream.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
            VALUES ('sess_live_882', toTimestamp(now()), uuid(), 'usr_8821', 'product_view',
                    '{"productId":"prod_001","dwellMs":4200}');
            """
        transcript.statement(statement)
        try shop.wideColumns.execute(statement)
        let count = try shop.wideColumns.execute(
            "SELECT * FROM shopstream.session_events WHERE session_id = 'sess_live_882'"
        ).rows.count
        transcript.check("the event is in its session", count, equals: 1)
    }

    private func insertMany() throws {
        let insert = try shop.wideColumns.prepare(
            """
            INSERT INTO shopstream.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
            VALUES (?, ?, ?, ?, ?, ?)
            """)
        let total = Self.sessionCount * Self.eventsPerSession
        let bar = transcript.progress("events into table and view", total: total)
        let start = shop.storage.clock.now.milliseconds - Int64(total)
        var random = SeededRandom(seed: 882)
        let watch = Stopwatch()
        for index in 0..<total {
            let session = index % Self.sessionCount == 0 ? "sess_live_882" : "sess_\(index % Self.sessionCount)"
            let user = index % 97 == 0 ? "usr_8821" : "usr_\(Int.random(in: 0..<2000, using: &random))"
            try insert.execute([
                .text(session), .timestamp(StorageInstant(milliseconds: start + Int64(index))),
                .uuid(.random(using: &random)), .text(user), .text("product_view"),
                .text(#"{"productId":"prod_\#(index % 500)","dwellMs":\#(index % 9000)}"#),
            ])
            bar.update(index + 1)
        }
        transcript.note("\(decimal(Double(total) / watch.seconds, 0)) inserts a second, one at a time, table and view")
    }

    private func readSession() throws {
        let statement = """
            SELECT * FROM shopstream.session_events
             WHERE session_id = 'sess_live_882' AND occurred_at > '2025-03-10 14:00:00' LIMIT 500;
            """
        transcript.statement(statement)
        let (result, milliseconds) = try timed(statement)
        transcript.result("\(result.rows.count) rows in \(decimal(milliseconds, 3)) ms; trace: \(result.trace)")
        transcript.check("500 events of the session", result.rows.count, equals: 500)
        transcript.check("a single-partition read, tracing says so", result.wasSinglePartition)
        let times = result.rows.compactMap { $0["occurred_at", as: StorageInstant.self] }
        transcript.check("oldest first", times == times.sorted() && times.count == 500)
    }

    private func readUser() throws {
        let statement = """
            SELECT * FROM shopstream.user_events
             WHERE user_id = 'usr_8821' AND occurred_at > '2025-02-10 00:00:00' LIMIT 100;
            """
        transcript.statement(statement)
        let (result, milliseconds) = try timed(statement)
        transcript.result("\(result.rows.count) rows in \(decimal(milliseconds, 3)) ms; trace: \(result.trace)")
        transcript.check("the user's last 100 events, through the view", result.rows.count, equals: 100)
        transcript.check("a single-partition read", result.wasSinglePartition)
        let times = result.rows.compactMap { $0["occurred_at", as: StorageInstant.self] }
        transcript.check("newest first", times == times.sorted(by: >) && times.count == 100)
    }

    /// The time of the second run: the first one plans the statement.
    private func timed(_ statement: String) throws -> (ResultSet, milliseconds: Double) {
        _ = try shop.wideColumns.execute(statement)
        let watch = Stopwatch()
        let result = try shop.wideColumns.execute(statement)
        return (result, watch.milliseconds)
    }

    private func timeToLive() throws {
        let statement = "SELECT ttl(payload) FROM shopstream.session_events WHERE session_id = 'sess_live_882' LIMIT 1"
        transcript.statement(statement)
        let seconds = try shop.wideColumns.execute(statement).rows.first?["ttl(payload)", as: Int.self] ?? 0
        transcript.result("\(seconds)")
        transcript.check("events live for 90 days", (7_776_000 - 3600)...7_776_000 ~= seconds)
        transcript.statement("INSERT … 'sess_short' … USING TTL 1; and a second later")
        try shop.wideColumns.execute(
            """
            INSERT INTO shopstream.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
            VALUES ('sess_short', toTimestamp(now()), uuid(), 'usr_short', 'join', '{}') USING TTL 1
            """)
        let deadline = Stopwatch()
        while deadline.seconds < 3,
            try !shop.wideColumns.execute(
                "SELECT * FROM shopstream.session_events WHERE session_id = 'sess_short'"
            ).rows.isEmpty
        {}
        let left = try shop.wideColumns.execute("SELECT * FROM shopstream.user_events WHERE user_id = 'usr_short'").rows
        transcript.check("an expired event is gone from the table and from the view", left.isEmpty)
    }
}
