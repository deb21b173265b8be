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
    ]

    private static let selects: [(cql: String, columns: [String])] = [
        ("SELECT a, b, c, d, e, v, w FROM t", []), ("SELECT w, v, w, e FROM t WHERE a = ? AND b = ?", ["a", "b"]),
        ("SELECT v FROM t WHERE a = ? AND b = ? ORDER BY c ASC", ["a", "b"]),
        ("SELECT e, d FROM t WHERE a = ? AND b = ? AND c = ? AND d > ? LIMIT 3", ["a", "b", "c", "d"]),
        ("SELECT v, c FROM t WHERE a = ? AND b IN (?, ?) PER PARTITION LIMIT 2", ["a", "b", "b"]),
        ("SELECT * FROM u", []), ("SELECT * FROM u WHERE w = ? AND d < ?", ["w", "d"]), ("SELECT * FROM p", []),
        ("SELECT DISTINCT a, b FROM t", []), ("SELECT v FROM p", []),
        ("SELECT * FROM p WHERE a = ? LIMIT 2", ["a"]),
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
        try store.execute("ALTER TABLE p DROP v")
        guard case .select(let plan) = try store.prepare("SELECT * FROM p").plan().kind else { return }
        #expect(plan.plainSelection == nil)
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
            switch Int.random(in: 0..<24, using: &random) {
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
