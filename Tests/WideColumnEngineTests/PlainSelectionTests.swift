import StorageTypes
import Testing

@testable import StorageCore
@testable import WideColumnEngine

/// The short way of a SELECT beside the longer one, which the same statement takes while it is traced: both must answer
/// the same.
@Suite("Plain selections")
struct PlainSelectionTests {
    private static let schema = [
        """
        CREATE TABLE t (a int, b text, c blob, d timestamp, e uuid, v int, w text, x list<int>,
        PRIMARY KEY ((a, b), c, d, e)) WITH CLUSTERING ORDER BY (c DESC, d ASC, e DESC)
        """,
        """
        CREATE MATERIALIZED VIEW u AS SELECT a, b, c, d, e, w FROM t
        WHERE w IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL AND e IS NOT NULL
        PRIMARY KEY (w, d, a, b, c, e) WITH CLUSTERING ORDER BY (d DESC)
        """,
        "CREATE TABLE p (a int, c int, v text, PRIMARY KEY (a, c)) WITH CLUSTERING ORDER BY (c DESC)",
        // Its column `u` will be dropped.
        "CREATE TABLE q (a int, c int, u text, v text, PRIMARY KEY (a, c))",
    ]

    private static let selects: [(cql: String, columns: [String])] = [
        ("SELECT a, b, c, d, e, v, w FROM t", []), ("SELECT w, v, w, e FROM t WHERE a = ? AND b = ?", ["a", "b"]),
        ("SELECT v FROM t WHERE a = ? AND b = ? ORDER BY c ASC", ["a", "b"]),
        ("SELECT e, d FROM t WHERE a = ? AND b = ? AND c = ? AND d > ? LIMIT 3", ["a", "b", "c", "d"]),
        ("SELECT v, c FROM t WHERE a = ? AND b IN (?, ?) PER PARTITION LIMIT 2", ["a", "b", "b"]),
        ("SELECT * FROM u", []), ("SELECT * FROM u WHERE w = ? AND d < ?", ["w", "d"]), ("SELECT * FROM p", []),
        ("SELECT DISTINCT a, b FROM t", []), ("SELECT v FROM p", []),
        ("SELECT * FROM p WHERE a = ? LIMIT 2", ["a"]), ("SELECT * FROM q", []),
        ("SELECT a, c FROM q WHERE a = ?", ["a"]),
    ]

    @Test("the short way answers what the longer one answers", arguments: [1, 2, 3, 4] as [UInt64])
    func equality(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let clock = ManualClock()
        let store = try makeStore(clock)
        for cql in Self.schema { try store.execute(cql) }
        for select in Self.selects {
            guard case .select(let plan) = try store.prepare(select.cql).plan().kind else { continue }
            #expect(plan.plainSelection != nil, "\(select.cql)")
        }
        var rowCount = 0
        for step in 0..<300 {
            if step == 150 { try store.execute("ALTER TABLE q DROP u") }
            for _ in 0..<4 { try modify(store, &random) }
            if Int.random(in: 0..<25, using: &random) == 0 { try store.storage.flush() }
            if Int.random(in: 0..<70, using: &random) == 0 { try store.storage.compact() }
            if Int.random(in: 0..<3, using: &random) == 0 {
                clock.advance(by: .milliseconds(Int.random(in: 1...900, using: &random)))
            }
            let select = Self.selects[step % Self.selects.count]
            let values = select.columns.map { value($0, &random) }
            let pageSize = Int.random(in: 0..<3, using: &random) == 0 ? Int.random(in: 1...4, using: &random) : nil
            let short = try rows(select.cql, values, pageSize, isTracing: false, store)
            let long = try rows(select.cql, values, pageSize, isTracing: true, store)
            #expect(short == long, "seed \(seed), step \(step): \(select.cql) \(values)")
            rowCount += short.count
        }
        #expect(rowCount > 500, "seed \(seed)")
    }

    @Test("selections that ask for more are taken apart")
    func longerWay() throws {
        let store = try makeStore()
        for cql in Self.schema { try store.execute(cql) }
        try store.execute("CREATE TABLE s (a int, c int, s int static, v int, PRIMARY KEY (a, c))")
        for cql in [
            "SELECT * FROM t", "SELECT x FROM t", "SELECT count(*) FROM p", "SELECT JSON * FROM p",
            "SELECT ttl(v) FROM p",
            "SELECT * FROM p WHERE v = 'a' ALLOW FILTERING", "SELECT v FROM s", "SELECT a, c FROM p GROUP BY a",
        ] {
            guard case .select(let plan) = try store.prepare(cql).plan().kind else { continue }
            #expect(plan.plainSelection == nil, "\(cql)")
        }
    }

    @Test("cells of a dropped column are none: neither do they keep a row alive nor are they tombstones")
    func droppedColumn() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE q (a int, c int, u text, v text, w list<int>, PRIMARY KEY (a, c))")
        try store.execute("UPDATE q SET u = 'x' WHERE a = 1 AND c = 1")
        try store.execute("UPDATE q SET u = 'x', v = 'y' WHERE a = 1 AND c = 2")
        try store.execute("INSERT INTO q (a, c, u, w) VALUES (1, 3, 'x', [1, 2])")
        try store.execute("DELETE u FROM q WHERE a = 1 AND c = 4")
        try store.execute("DELETE v FROM q WHERE a = 1 AND c = 5")
        try store.execute("INSERT INTO q (a, c, v) VALUES (1, 6, 'z')")
        try store.execute("ALTER TABLE q DROP u")
        try store.execute("ALTER TABLE q DROP w")
        let statement = try store.prepare("SELECT * FROM q WHERE a = 1")
        guard case .select(let plan) = try statement.plan().kind else { return }
        #expect(plan.plainSelection != nil && plan.plainSelection?.takesWholeRows == false)
        for isTracing in [false, true] {
            let rows = try rows("SELECT * FROM q WHERE a = 1", [], nil, isTracing: isTracing, store)
            #expect(rows == [[.int(1), .int(2), "y"], [.int(1), .int(3), .null], [.int(1), .int(6), "z"]])
        }
        try store.execute("ALTER TABLE q ADD u text")
        #expect(try store.lines("SELECT c, u, v FROM q WHERE a = 1") == ["2 null 'y'", "3 null null", "6 null 'z'"])
    }

    private func rows(
        _ cql: String, _ values: [CQLValue], _ pageSize: Int?, isTracing: Bool, _ store: WideColumnStore
    ) throws -> [[CQLValue]] {
        let statement = try store.prepare(cql)
        var options = ExecutionOptions()
        options.isTracing = isTracing
        options.pageSize = pageSize
        var rows: [[CQLValue]] = []
        repeat {
            let result = try statement.execute(values, options: options)
            rows += result.map(\.values)
            options.pagingState = result.pagingState
        } while options.pagingState != nil
        return rows
    }

    private func modify(_ store: WideColumnStore, _ random: inout SeededRandom) throws {
        let (cql, columns): (String, [String]) =
            switch Int.random(in: 0..<28, using: &random) {
            case 24: ("UPDATE q SET v = ? WHERE a = ? AND c = ?", ["w", "a", "v"])
            case 25: ("DELETE FROM q WHERE a = ? AND c = ?", ["a", "v"])
            case 26 where hasDropped(store): ("INSERT INTO q (a, c, v) VALUES (?, ?, ?)", ["a", "v", "w"])
            case 26: ("UPDATE q USING TTL 2 SET u = ? WHERE a = ? AND c = ?", ["w", "a", "v"])
            case 27 where hasDropped(store): ("UPDATE q USING TTL 1 SET v = ? WHERE a = ? AND c = ?", ["w", "a", "v"])
            case 27: ("UPDATE q SET u = ? WHERE a = ? AND c = ?", ["w", "a", "v"])
            case 0: ("DELETE FROM t WHERE a = ? AND b = ?", ["a", "b"])
            case 1: ("DELETE FROM t WHERE a = ? AND b = ? AND c > ?", ["a", "b", "c"])
            case 2: ("DELETE FROM t WHERE a = ? AND b = ? AND c = ? AND d = ? AND e = ?", ["a", "b", "c", "d", "e"])
            case 3: ("DELETE v FROM t WHERE a = ? AND b = ? AND c = ? AND d = ? AND e = ?", ["a", "b", "c", "d", "e"])
            case 4...6:
                (
                    "UPDATE t USING TTL 1 SET v = ?, x = [1, 2] WHERE a = ? AND b = ? AND c = ? AND d = ? AND e = ?",
                    ["v", "a", "b", "c", "d", "e"]
                )
            case 7...9:
                (
                    "UPDATE t SET w = ? WHERE a = ? AND b = ? AND c = ? AND d = ? AND e = ?",
                    ["w", "a", "b", "c", "d", "e"]
                )
            case 10:
                (
                    "INSERT INTO t (a, b, c, d, e, w) VALUES (?, ?, ?, ?, ?, ?) USING TTL 2",
                    ["a", "b", "c", "d", "e", "w"]
                )
            case 11: ("DELETE FROM p WHERE a = ? AND c = ?", ["a", "v"])
            case 12...15: ("INSERT INTO p (a, c, v) VALUES (?, ?, ?)", ["a", "v", "w"])
            default:
                (
                    "INSERT INTO t (a, b, c, d, e, v, w) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    ["a", "b", "c", "d", "e", "v", "w"]
                )
            }
        try store.prepare(cql).execute(columns.map { value($0, &random) })
    }

    private func hasDropped(_ store: WideColumnStore) -> Bool {
        let table = store.catalog.schema.table(TableIdentifier(keyspace: "ks", name: "q"))
        return table.map { !$0.deadColumns.isEmpty } ?? false
    }

    /// Few values for keys, so that rows meet again, among them those with a form of their own.
    private func value(_ column: String, _ random: inout SeededRandom) -> CQLValue {
        func pick(_ values: [CQLValue]) -> CQLValue { values.randomElement(using: &random) ?? .null }
        return switch column {
        case "a": pick([1, .int(.min)])
        case "b": pick(["", "b\0", "usr"])
        case "c": pick([.blob([]), .blob([0]), .blob([0xFF, 0, 1])])
        case "d": pick([.timestamp(.min), .timestamp(1_741_615_200_000), .empty])
        case "e":
            pick([
                .uuid(CQLUUID(mostSignificantBits: 0, leastSignificantBits: 0)),
                .uuid(CQLUUID(mostSignificantBits: 0x1234_5678_9ABC_4DEF, leastSignificantBits: .max)),
            ])
        case "v": .int(Int32.random(in: -3...3, using: &random))
        default: pick(["w", "\0\0", .text(String(repeating: "é", count: 70))])
        }
    }
}
