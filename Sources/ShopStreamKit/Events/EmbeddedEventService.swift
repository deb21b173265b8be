// EmbeddedEventService.swift — events in the wide-column table `session_events` and its view `user_events`.

internal import WideColumnEngine

struct EmbeddedEventService: EventService {
    private let insert: PreparedStatement
    private let bySession: PreparedStatement
    private let byUser: PreparedStatement

    init(wideColumns: WideColumnStore) throws {
        for statement in Self.schema { try wideColumns.execute(statement, durability: .synced) }
        insert = try wideColumns.prepare(
            """
            INSERT INTO shopstream.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
            VALUES (?, ?, ?, ?, ?, ?)
            """)
        bySession = try wideColumns.prepare(
            "SELECT * FROM shopstream.session_events WHERE session_id = ? AND occurred_at > ? LIMIT ?")
        byUser = try wideColumns.prepare(
            "SELECT * FROM shopstream.user_events WHERE user_id = ? AND occurred_at > ? LIMIT ?")
    }

    static let schema = [
        """
        CREATE KEYSPACE IF NOT EXISTS shopstream
        WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}
        """,
        """
        CREATE TABLE IF NOT EXISTS shopstream.session_events (
          session_id TEXT, occurred_at TIMESTAMP, event_id UUID, user_id TEXT,
          event_type TEXT, -- join | leave | chat | product_view | purchase
          payload TEXT,    -- JSON, flexible per event type
          PRIMARY KEY (session_id, occurred_at, event_id)
        ) WITH CLUSTERING ORDER BY (occurred_at ASC) AND default_time_to_live = 7776000
        """,
        """
        CREATE MATERIALIZED VIEW IF NOT EXISTS shopstream.user_events AS
          SELECT * FROM shopstream.session_events
          WHERE user_id IS NOT NULL AND session_id IS NOT NULL AND occurred_at IS NOT NULL AND event_id IS NOT NULL
          PRIMARY KEY (user_id, occurred_at, session_id, event_id)
          WITH CLUSTERING ORDER BY (occurred_at DESC)
        """,
    ]

    func record(_ event: SessionEvent) async throws {
        try insert.execute([
            .text(event.sessionID), .timestamp(event.occurredAt), .uuid(event.eventID), .text(event.userID),
            .text(event.type.rawValue), .text(event.payload),
        ])
    }

    func events(ofSession sessionID: String, after instant: StorageInstant, limit: Int) async throws -> [SessionEvent] {
        try events(bySession, sessionID, instant, limit)
    }

    func events(ofUser userID: String, after instant: StorageInstant, limit: Int) async throws -> [SessionEvent] {
        try events(byUser, userID, instant, limit)
    }

    private func events(
        _ statement: PreparedStatement, _ key: String, _ instant: StorageInstant, _ limit: Int
    ) throws -> [SessionEvent] {
        let limit = Int32(clamping: limit)
        return try statement.execute([.text(key), .timestamp(instant), .int(limit)]).rows.compactMap(Self.event)
    }

    private static func event(_ row: Row) -> SessionEvent? {
        guard let sessionID = row["session_id", as: String.self],
            let occurredAt = row["occurred_at", as: StorageInstant.self],
            let eventID = row["event_id", as: CQLUUID.self], let userID = row["user_id", as: String.self],
            let type = row["event_type", as: String.self].flatMap(EventType.init)
        else { return nil }
        return SessionEvent(
            sessionID: sessionID, occurredAt: occurredAt, eventID: eventID, userID: userID, type: type,
            payload: row["payload", as: String.self] ?? "")
    }
}
