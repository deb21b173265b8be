// EventsBench.swift — `shopstream bench events`: prepared inserts into the events table and its view at a fixed rate.

import ArgumentParser
import StorageCore
import StorageTypes
import WideColumnEngine

struct EventsBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Inserts events of live sessions into a table with a materialized view, one caller, buffered.")

    @OptionGroup var load: LoadOptions
    @OptionGroup var data: DataOptions

    @Option(help: "Live sessions at once.")
    var sessions = 200

    @Option(help: "Viewers.")
    var users = 100_000

    @Option(help: "Seed of sessions, viewers and identifiers.")
    var seed: UInt64 = 42

    func validate() throws {
        guard sessions > 0, users > 0 else { throw ValidationError("--sessions and --users must be at least 1.") }
    }

    func run() async throws {
        try await data.withStorage { storage in
            let insert = try prepare(in: try WideColumnStore(storage: storage))
            var random = SeededRandom(seed: seed)
            print("events: \(load.description)")
            let offered = OfferedLoad(operationsPerSecond: load.rate, seconds: load.seconds, clock: SystemClock())
            let outcome = try await offered.run(progress: LoadPrinter.interval) { _ in
                try insert.execute(event(at: storage.clock.now, &random))
            }
            LoadPrinter.total(outcome, of: "events")
        }
    }

    private func event(at instant: StorageInstant, _ random: inout SeededRandom) -> [CQLValue] {
        let product = Int.random(in: 0..<2_000, using: &random)
        return [
            .text("sess_live_\(Int.random(in: 0..<sessions, using: &random))"),
            .timestamp(instant.milliseconds),
            .uuid(CQLUUID.random(using: &random)),
            .text("usr_\(Int.random(in: 0..<users, using: &random))"),
            .text("product_view"),
            .text("{\"productId\":\"prod_\(product)\",\"dwellMs\":4200}"),
        ]
    }

    private func prepare(in store: WideColumnStore) throws -> PreparedStatement {
        for statement in Self.schema { try store.execute(statement) }
        return try store.prepare(
            """
            INSERT INTO bench.session_events (session_id, occurred_at, event_id, user_id, event_type, payload)
            VALUES (?, ?, ?, ?, ?, ?)
            """)
    }

    private static let schema = [
        """
        CREATE KEYSPACE IF NOT EXISTS bench
        WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}
        """,
        """
        CREATE TABLE IF NOT EXISTS bench.session_events (
          session_id TEXT, occurred_at TIMESTAMP, event_id UUID, user_id TEXT, event_type TEXT, payload TEXT,
          PRIMARY KEY (session_id, occurred_at, event_id)
        ) WITH CLUSTERING ORDER BY (occurred_at ASC) AND default_time_to_live = 7776000
        """,
        """
        CREATE MATERIALIZED VIEW IF NOT EXISTS bench.user_events AS
          SELECT * FROM bench.session_events
          WHERE user_id IS NOT NULL AND session_id IS NOT NULL AND occurred_at IS NOT NULL AND event_id IS NOT NULL
          PRIMARY KEY (user_id, occurred_at, session_id, event_id)
          WITH CLUSTERING ORDER BY (occurred_at DESC)
        """,
    ]
}
