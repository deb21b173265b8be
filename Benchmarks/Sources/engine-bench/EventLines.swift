// Live-session events: a wide-column table with a materialized view, prepared statements.

import BenchmarkKit
import StorageCore
import WideColumnEngine

struct EventLines {
    let context: EngineContext
    private static let names = [
        "event insert, table and view, burst", "event insert, table and view, sustained", "500 events of a session",
        "a user's last 100 events",
    ]
    private var sizes: EngineSizes { context.sizes }

    func run() async throws {
        guard context.includesAny(of: Self.names) else { return }
        context.report.heading("Events: a table with a materialized view, prepared statements, one thread, buffered")
        try await insertLine(Self.names[0], sizes.burstEvents, untilSettled: false)
        try await insertLine(Self.names[1], sizes.sustainedEvents, untilSettled: true, rounds: 1)
        try await runQueries()
    }

    private func runQueries() async throws {
        guard context.includesAny(of: Array(Self.names[2...])) else { return }
        // So that every session and every user has more events than a query asks for.
        let workload = ShopWorkload(
            seed: context.workload.seed, sessionCount: max(1, sizes.burstEvents / 600),
            userCount: max(1, sizes.burstEvents / 150))
        try await withEvents { events, storage in
            for index in 0..<sizes.burstEvents { try events.insert(index, of: workload) }
            try storage.compact()
            try await context.report.line(
                Self.names[2], unit: .microseconds, ours: { try sessions(of: workload, in: events) })
            try await context.report.line(
                Self.names[3], unit: .microseconds, ours: { try users(of: workload, in: events) })
        }
    }

    private func insertLine(_ name: String, _ count: Int, untilSettled: Bool, rounds: Int? = nil) async throws {
        try await context.report.line(
            name, rounds: rounds, ours: { try await insert(count, untilSettled: untilSettled) },
            peerName: "RocksDB, the two puts alone",
            peer: { try await insertIntoPeer(count, untilSettled: untilSettled) })
    }

    /// Nil where RocksDB is not there.
    private func insertIntoPeer(_ count: Int, untilSettled: Bool) async throws -> Timing? {
        #if PEER_ROCKSDB
            return try await withScratchDirectory(in: context.directory) { directory in
                let events = try RocksDBEvents(directory: directory)
                defer { events.close() }
                return try measure { meter in
                    for index in 0..<count {
                        try events.insert(index, of: context.workload)
                        meter.lap()
                    }
                    if untilSettled { try events.settle() }
                    return UInt64(count)
                }
            }
        #else
            return nil
        #endif
    }

    private func insert(_ count: Int, untilSettled: Bool) async throws -> Timing {
        try await withEvents { events, storage in
            try measure { meter in
                for index in 0..<count {
                    try events.insert(index, of: context.workload)
                    meter.lap()
                }
                if untilSettled { try storage.settle() }
                return UInt64(count)
            }
        }
    }

    private func sessions(of workload: ShopWorkload, in events: EventStatements) throws -> Timing {
        try measure { meter in
            var digest: UInt64 = 0
            for step in 0..<sizes.queries {
                let session = randomIndex(step: step, seed: workload.seed, count: workload.sessionCount)
                digest &+= try events.digestOfSession("sess_live_\(session)")
                meter.lap()
            }
            return digest
        }
    }

    private func users(of workload: ShopWorkload, in events: EventStatements) throws -> Timing {
        try measure { meter in
            var digest: UInt64 = 0
            for step in 0..<sizes.queries {
                let user = randomIndex(step: step, seed: workload.seed, count: workload.userCount)
                digest &+= try events.digestOfUser("usr_\(user)")
                meter.lap()
            }
            return digest
        }
    }

    private func withEvents<Result>(
        _ body: (EventStatements, Storage) async throws -> Result
    ) async throws -> Result {
        try await withFreshStorage(in: context.directory) { storage, _ in
            try await body(try EventStatements(storage: storage), storage)
        }
    }
}

/// The statements of the events service, prepared once.
final class EventStatements: Sendable {
    private let insertEvent: PreparedStatement
    private let selectSession: PreparedStatement
    private let selectUser: PreparedStatement

    init(storage: Storage) throws {
        let store = try WideColumnStore(storage: storage)
        for statement in Self.schema { try store.execute(statement) }
        insertEvent = try store.prepare(
            """
            INSERT INTO shopstream.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
            VALUES (?, ?, ?, ?, ?, ?)
            """)
        selectSession = try store.prepare(
            "SELECT * FROM shopstream.session_events WHERE session_id = ? AND occurred_at > ? LIMIT 500")
        selectUser = try store.prepare(
            "SELECT * FROM shopstream.user_events WHERE user_id = ? AND occurred_at > ? LIMIT 100")
    }

    private static let schema = [
        "CREATE KEYSPACE shopstream WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        """
        CREATE TABLE shopstream.session_events (
          session_id TEXT, occurred_at TIMESTAMP, event_id UUID, user_id TEXT, event_type TEXT, payload TEXT,
          PRIMARY KEY (session_id, occurred_at, event_id)
        ) WITH CLUSTERING ORDER BY (occurred_at ASC) AND default_time_to_live = 7776000
        """,
        """
        CREATE MATERIALIZED VIEW shopstream.user_events AS
          SELECT * FROM shopstream.session_events
          WHERE user_id IS NOT NULL AND session_id IS NOT NULL AND occurred_at IS NOT NULL AND event_id IS NOT NULL
          PRIMARY KEY (user_id, occurred_at, session_id, event_id)
          WITH CLUSTERING ORDER BY (occurred_at DESC)
        """,
    ]

    func insert(_ index: Int, of workload: ShopWorkload) throws {
        let (high, low) = workload.identifier(ofEvent: index)
        try insertEvent.execute([
            .text(workload.session(ofEvent: index)), .timestamp(workload.milliseconds(ofEvent: index)),
            .uuid(CQLUUID(mostSignificantBits: high, leastSignificantBits: low)),
            .text(workload.user(ofEvent: index)), .text(workload.type(ofEvent: index)),
            .text(workload.payload(ofEvent: index)),
        ])
    }

    func digestOfSession(_ session: String) throws -> UInt64 {
        Self.digest(try selectSession.execute([.text(session), .timestamp(ShopWorkload.firstInstant - 1)]))
    }

    func digestOfUser(_ user: String) throws -> UInt64 {
        Self.digest(try selectUser.execute([.text(user), .timestamp(ShopWorkload.firstInstant - 1)]))
    }

    /// Reads every row: its payload's length.
    private static func digest(_ result: ResultSet) -> UInt64 {
        var digest: UInt64 = 0
        for row in result { digest &+= mix(UInt64(row["payload", as: String.self]?.utf8.count ?? 0)) }
        return digest
    }
}
