// EventsWorkload.swift — the events of live sessions, and the tables and statements that take them.

import StorageCore
import StorageTypes
import WideColumnEngine

/// Events one after the other, the same for the same seed but for their times.
///
/// The texts are made once: what is measured is the inserts, not the making of what they insert.
struct EventsWorkload {
    var random: SeededRandom
    private let sessions: [String]
    private let users: [String]
    private let payloads = (0..<2_000).map { "{\"productId\":\"prod_\($0)\",\"dwellMs\":4200}" }

    init(sessionCount: Int, userCount: Int, seed: UInt64) {
        sessions = (0..<sessionCount).map { "sess_live_\($0)" }
        users = (0..<userCount).map { "usr_\($0)" }
        random = SeededRandom(seed: seed)
    }

    /// The values of ``EventTables/insert``.
    mutating func event(at instant: StorageInstant) -> [CQLValue] {
        let payload = one(of: payloads)
        return [
            .text(session()), .timestamp(instant.milliseconds), .uuid(CQLUUID.random(using: &random)), .text(user()),
            .text("product_view"), .text(payload),
        ]
    }

    mutating func session() -> String { one(of: sessions) }

    mutating func user() -> String { one(of: users) }

    private mutating func one(of texts: [String]) -> String { texts[Int.random(in: 0..<texts.count, using: &random)] }
}

/// The events table with its view, one like it without, and their statements.
struct EventTables {
    /// Session, time, event, user, type, payload.
    let insert: PreparedStatement
    let insertWithoutView: PreparedStatement
    /// A new user, then session, time and event of the row.
    let changeUser: PreparedStatement
    let changeUserWithoutView: PreparedStatement
    /// Session and time after which.
    let bySession: PreparedStatement
    /// User and time after which.
    let byUser: PreparedStatement
    let all: PreparedStatement

    init(in storage: Storage) throws {
        let store = try WideColumnStore(storage: storage)
        for statement in Self.schema { try store.execute(statement) }
        func insert(into table: String) throws -> PreparedStatement {
            try store.prepare(
                """
                INSERT INTO bench.\(table) (session_id, occurred_at, event_id, user_id, event_type, payload)
                VALUES (?, ?, ?, ?, ?, ?)
                """)
        }
        func changeUser(in table: String) throws -> PreparedStatement {
            try store.prepare(
                """
                UPDATE bench.\(table) SET user_id = ? WHERE session_id = ? AND occurred_at = ? AND event_id = ?
                """)
        }
        self.insert = try insert(into: "session_events")
        insertWithoutView = try insert(into: "plain_events")
        self.changeUser = try changeUser(in: "session_events")
        changeUserWithoutView = try changeUser(in: "plain_events")
        bySession = try store.prepare(
            "SELECT * FROM bench.session_events WHERE session_id = ? AND occurred_at > ? LIMIT 500")
        byUser = try store.prepare(
            "SELECT * FROM bench.user_events WHERE user_id = ? AND occurred_at > ? LIMIT 100")
        all = try store.prepare("SELECT * FROM bench.session_events")
    }

    private static let schema = [
        """
        CREATE KEYSPACE IF NOT EXISTS bench
        WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}
        """,
        table("session_events"),
        """
        CREATE MATERIALIZED VIEW IF NOT EXISTS bench.user_events AS
          SELECT * FROM bench.session_events
          WHERE user_id IS NOT NULL AND session_id IS NOT NULL AND occurred_at IS NOT NULL AND event_id IS NOT NULL
          PRIMARY KEY (user_id, occurred_at, session_id, event_id)
          WITH CLUSTERING ORDER BY (occurred_at DESC)
        """,
        table("plain_events"),
    ]

    private static func table(_ name: String) -> String {
        """
        CREATE TABLE IF NOT EXISTS bench.\(name) (
          session_id TEXT, occurred_at TIMESTAMP, event_id UUID, user_id TEXT, event_type TEXT, payload TEXT,
          PRIMARY KEY (session_id, occurred_at, event_id)
        ) WITH CLUSTERING ORDER BY (occurred_at ASC) AND default_time_to_live = 7776000
        """
    }
}
