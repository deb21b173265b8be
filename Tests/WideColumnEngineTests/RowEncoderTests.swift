import StorageTypes
import Testing

@testable import StorageCore
@testable import WideColumnEngine

/// The short way of a prepared modification beside the longer one, which the same statement takes inside of a BATCH: both
/// must write the same bytes, with the same expiry, into the table and its views.
@Suite("Row encoder")
struct RowEncoderTests {
    private static let tables = [
        [
            """
            CREATE TABLE t (a text, b timestamp, c uuid, d text, e int, f blob, PRIMARY KEY (a, b, c))
            WITH CLUSTERING ORDER BY (b ASC) AND default_time_to_live = 7776000
            """,
            """
            CREATE MATERIALIZED VIEW v AS SELECT * FROM t
            WHERE d IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL
            PRIMARY KEY (d, b, a, c) WITH CLUSTERING ORDER BY (b DESC)
            """,
        ],
        [
            """
            CREATE TABLE t (a int, b text, c double, d boolean, e bigint, f text, g timeuuid,
            PRIMARY KEY ((a, b), c, d)) WITH CLUSTERING ORDER BY (c DESC, d DESC) AND gc_grace_seconds = 9
            """,
            """
            CREATE MATERIALIZED VIEW v AS SELECT a, b, c, d, f FROM t
            WHERE d IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, d, b, a)
            """,
            """
            CREATE MATERIALIZED VIEW w AS SELECT a, b, c, d, e, g FROM t
            WHERE e IS NOT NULL AND d IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL
            PRIMARY KEY ((b, e), a, d, c) WITH CLUSTERING ORDER BY (a DESC)
            """,
        ],
        ["CREATE TABLE t (a blob PRIMARY KEY, b double, c uuid, d boolean) WITH default_time_to_live = 5"],
        [
            "CREATE TABLE t (a bigint, b blob, c int, d text, PRIMARY KEY (a, b, c)) WITH CLUSTERING ORDER BY (b DESC)",
            """
            CREATE MATERIALIZED VIEW v AS SELECT * FROM t
            WHERE d IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL PRIMARY KEY (a, d, b, c)
            """,
        ],
        // Rows that have cells of a dropped column, which views over them do not have.
        [
            "CREATE TABLE t (a int, c int, e int, f text, g blob, z text, PRIMARY KEY (a, c))",
            "UPDATE t SET z = 'x' WHERE a = 5 AND c = 5",
            "UPDATE t SET z = 'x', f = 'y' WHERE a = 5 AND c = -2147483648",
            "INSERT INTO t (a, c, z) VALUES (5, 0, 'x')", "UPDATE t SET z = 'x' WHERE a = 0 AND c = 5",
            "ALTER TABLE t DROP z",
            "CREATE MATERIALIZED VIEW v AS SELECT a, c, e FROM t WHERE a IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, a)",
            """
            CREATE MATERIALIZED VIEW w AS SELECT * FROM t WHERE e IS NOT NULL AND a IS NOT NULL AND c IS NOT NULL
            PRIMARY KEY (e, a, c)
            """,
        ],
    ]

    @Test(
        "the short way writes what the longer one writes", arguments: 0..<5, [1, 2, 3] as [UInt64])
    func equality(tableIndex: Int, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let clock = ManualClock()
        let (short, long) = (try makeStore(clock), try makeStore(clock))
        for cql in Self.tables[tableIndex] {
            try short.execute(cql)
            try long.execute(cql)
        }
        let table = try short.table("t")
        let names = table.definition.columns.map(\.name)
        let key = (table.definition.partitionKey + table.definition.clustering).map(\.name)
        let cells = names.filter { !key.contains($0) }
        let insert =
            "INSERT INTO t (\(names.joined(separator: ", "))) VALUES (\(names.map { _ in "?" }.joined(separator: ", ")))"
        let update =
            "UPDATE t SET \(cells.map { "\($0) = ?" }.joined(separator: ", ")) WHERE "
            + key.map { "\($0) = ?" }.joined(separator: " AND ")
        let delete =
            "DELETE FROM t WHERE \(table.definition.partitionKey.map { "\($0.name) = ?" }.joined(separator: " AND "))"
        var takenCount = 0
        for step in 0..<500 {
            let isUpdate = Int.random(in: 0..<3, using: &random) == 0
            let columns = (isUpdate ? cells + key : names).compactMap { table.column($0) }
            let values = columns.map { value(of: $0, &random) }
            let cql = isUpdate ? update : insert
            let comment: Comment = "seed \(seed), table \(tableIndex), step \(step): \(cql) \(values)"
            let timestamp: Int64? =
                Int.random(in: 0..<5, using: &random) == 0
                ? clock.now.microseconds - Int64.random(in: 0..<3_000_000, using: &random) : nil
            #expect(try short.prepare(cql).plan().rowEncoder != nil)
            let (entries, wasShort) = try write(cql, values, timestamp, to: short)
            let (expected, _) = try write("BEGIN BATCH \(cql) APPLY BATCH", values, timestamp, to: long)
            #expect(entries == expected, comment)
            if wasShort { takenCount += 1 }
            if Int.random(in: 0..<20, using: &random) == 0 {
                let partition = table.definition.partitionKey.map { value(of: $0, &random) }
                for store in [short, long] { _ = try? store.execute(delete, partition) }
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                clock.advance(by: .milliseconds(Int.random(in: 1...1500, using: &random)))
            }
        }
        #expect(takenCount > 50, "seed \(seed), table \(tableIndex)")
        #expect(try contents(of: short) == contents(of: long), "seed \(seed), table \(tableIndex)")
        #expect(try short.storage.verify().problems == [], "seed \(seed), table \(tableIndex)")
    }

    @Test("statements that ask for more go the longer way")
    func longerWay() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int, c int, v int, s int static, l list<int>, PRIMARY KEY (k, c))")
        for cql in [
            "INSERT INTO t (k, c, v) VALUES (?, ?, ?) IF NOT EXISTS", "INSERT INTO t (k, c, v) VALUES (?, ?, 1)",
            "INSERT INTO t (k, c, v) VALUES (?, ?, ?) USING TTL 5", "INSERT INTO t (k, c, s) VALUES (?, ?, ?)",
            "INSERT INTO t (k, c, v) VALUES (?, ?, ?) USING TIMESTAMP ?", "UPDATE t SET l = ? WHERE k = ? AND c = ?",
            "UPDATE t SET v = ? WHERE k = ? AND c IN (?, ?)", "DELETE v FROM t WHERE k = ? AND c = ?",
        ] {
            #expect(try store.prepare(cql).plan().rowEncoder == nil, "\(cql)")
        }
        #expect(try store.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)").plan().rowEncoder != nil)
        try store.execute("CREATE INDEX ON t (v)")
        #expect(try store.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)").plan().rowEncoder == nil)
    }

    @Test("a prepared statement takes note of a view that was made after it")
    func laterView() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int, c int, u text, PRIMARY KEY (k, c))")
        let insert = try store.prepare("INSERT INTO t (k, c, u) VALUES (?, ?, ?)")
        try insert.execute([1, 1, "a"])
        try store.execute(
            """
            CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE u IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL
            PRIMARY KEY (u, k, c)
            """)
        try insert.execute([1, 2, "b"])
        try insert.execute([1, 1, "c"])
        #expect(try store.lines("SELECT u, k, c FROM v").sorted() == ["'b' 1 2", "'c' 1 1"])
    }

    // MARK: What is written

    private struct Written: Equatable {
        var keyspace: String
        var key: [UInt8]
        var value: [UInt8]
        var kind: EntryKind
        var expiry: Int64
    }

    /// Executes the statement and gives what its commit holds, or the error, and whether the encoder took it.
    private func write(
        _ cql: String, _ values: [CQLValue], _ timestamp: Int64?, to store: WideColumnStore
    ) throws -> (entries: [Written], wasShort: Bool) {
        let statement = try store.prepare(cql)
        return try store.storage.write { transaction in
            let encoder = try statement.plan().rowEncoder
            let wasShort = try encoder?.write(values, timestamp: timestamp, transaction) ?? false
            do {
                if !wasShort { try statement.execute(values, in: transaction, timestamp: timestamp) }
            } catch let error as CQLError {
                #expect(transaction.batch.isEmpty)
                let text = Array("\(error)".utf8)
                return ([Written(keyspace: "", key: text, value: [], kind: .put, expiry: 0)], false)
            }
            let batch = transaction.batch
            let entries = batch.entries.indices.filter { batch.entries[$0].isLive }.map { position in
                let entry = batch.entries[position]
                return Written(
                    keyspace: batch.slots.keyspaces[Int(entry.keyspace)].name,
                    key: batch.withKey(of: position) { Array($0) },
                    value: batch.withValue(of: position) { Array($0) }, kind: entry.kind, expiry: entry.expiry)
            }
            return (entries, wasShort)
        }
    }

    private func contents(of store: WideColumnStore) throws -> [String: [[UInt8]]] {
        var contents: [String: [[UInt8]]] = [:]
        let view = store.storage.snapshot().view
        for table in store.catalog.schema.allTables {
            var cursor = try view.cursor(table.storage)
            try cursor.seekToFirst()
            while cursor.isValid {
                contents[table.identifier.name, default: []] += [cursor.key.array(), cursor.value.array()]
                try cursor.next()
            }
        }
        return contents
    }

    // MARK: Values

    /// Few values for keys, so that rows meet again, among them those with a form of their own; now and then none.
    private func value(of column: ColumnDefinition, _ random: inout SeededRandom) -> CQLValue {
        let isPartitionKey = column.kind == .partitionKey
        switch Int.random(in: 0..<(column.isPrimaryKey ? 60 : 8), using: &random) {
        case 0: return .null
        case 1: return .unset
        case 2 where column.type.allowsEmpty && !isPartitionKey: return .empty
        default: break
        }
        func pick(_ values: [CQLValue]) -> CQLValue { values.randomElement(using: &random) ?? .null }
        return switch column.type {
        case .text: pick(["", "a", "b\0c", "\0", "usr_8821", .text(String(repeating: "é", count: 90))])
        case .blob:
            pick([.blob([]), .blob([0]), .blob([0, 0xFF, 0]), .blob([1, 2]), .blob(Array(repeating: 7, count: 300))])
        case .boolean: pick([true, false])
        case .int: pick([.int(.min), .int(0), 5, .int(.max), .smallint(-3)])
        case .bigint: pick([.bigint(.min), 0, .bigint(.max), .int(-9)])
        case .timestamp: pick([.timestamp(.min), .timestamp(1_741_615_200_000), 7, .timestamp(-1)])
        case .double: pick([.double(0), .double(-0.0), .double(.nan), .double(-.infinity), 1.5, .float(2)])
        case .uuid, .timeuuid:
            pick([
                .uuid(CQLUUID(mostSignificantBits: 0, leastSignificantBits: 0)),
                .uuid(CQLUUID(mostSignificantBits: 0x1234_5678_9ABC_1DEF, leastSignificantBits: 0x8000_7F80_0102_0304)),
                .uuid(CQLUUID(mostSignificantBits: 0x1234_5678_9ABC_4DEF, leastSignificantBits: .max)),
            ])
        default: .null
        }
    }
}
