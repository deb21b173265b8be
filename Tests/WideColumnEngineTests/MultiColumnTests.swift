import StorageTypes
import Testing

@testable import WideColumnEngine

// [CA] cql3/restrictions/MultiColumnRestriction.java, ClusteringColumnRestrictions.java: relations of several clustering
// columns, beside relations of single ones, in SELECT, DELETE and UPDATE.

@Suite("Relations of several columns")
struct MultiColumnTests {
    private static let orders = [
        "a ASC, b ASC, c ASC", "a DESC, b DESC, c DESC", "a ASC, b DESC, c DESC", "a ASC, b DESC, c ASC",
        "a DESC, b ASC, c DESC", "a DESC, b DESC, c ASC",
    ]

    /// Rows of three clustering columns, each from 0 to 2; a row's value is its key in decimal digits.
    private func makeRows(_ order: String = orders[0]) throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE t (k int, a int, b int, c int, v int, PRIMARY KEY (k, a, b, c)) WITH CLUSTERING ORDER BY (\(order))"
        )
        try fill(store)
        return store
    }

    private func fill(_ store: WideColumnStore) throws {
        let insert = try store.prepare("INSERT INTO t (k, a, b, c, v) VALUES (1, ?, ?, ?, ?)")
        for row in Self.allRows {
            try insert.execute(row.map { .int(Int32($0)) } + [.int(Int32(Self.digits(row)))])
        }
    }

    private static let allRows = (0..<27).map { [$0 / 9, $0 / 3 % 3, $0 % 3] }

    private static func digits(_ row: [Int]) -> Int { row[0] * 100 + row[1] * 10 + row[2] }

    private func values(_ store: WideColumnStore, _ condition: String = "k = 1") throws -> [Int] {
        Self.values(try store.execute("SELECT v FROM t WHERE \(condition)")).sorted()
    }

    private static func values(_ result: ResultSet) -> [Int] {
        result.map { row -> Int in
            guard case .int(let value) = row[0] else { return -1 }
            return Int(value)
        }
    }

    /// Rows in the order of the table.
    private static func sorted(_ values: [Int], _ order: String) -> [Int] {
        let descends = order.split(separator: ", ").map { $0.hasSuffix("DESC") }
        func key(_ value: Int) -> [Int] {
            zip([value / 100, value / 10 % 10, value % 10], descends).map { $1 ? -$0 : $0 }
        }
        return values.sorted { key($0).lexicographicallyPrecedes(key($1)) }
    }

    @Test("slices over columns of both orders come in the table's order, in the reverse one, and page by page")
    func mixedOrder() throws {
        let condition = "k = 1 AND (a, b, c) > (0, 1, 1) AND (a, b) <= (2, 1)"
        for order in Self.orders {
            let store = try makeRows(order)
            let expected = Self.sorted(
                [12, 20, 21, 22, 100, 101, 102, 110, 111, 112, 120, 121, 122, 200, 201, 202, 210, 211, 212], order)
            #expect(Self.values(try store.execute("SELECT v FROM t WHERE \(condition)")) == expected, "\(order)")
            #expect(
                Self.values(try store.execute("SELECT v FROM t WHERE \(condition) LIMIT 5"))
                    == Array(expected.prefix(5)))
            let reverse = order.replacing("ASC", with: "X").replacing("DESC", with: "ASC").replacing("X", with: "DESC")
            let backwards = "SELECT v FROM t WHERE \(condition) ORDER BY \(reverse)"
            #expect(Self.values(try store.execute(backwards)) == expected.reversed(), "\(order)")
            for (cql, rows) in [("SELECT v FROM t WHERE \(condition)", expected), (backwards, expected.reversed())] {
                let statement = try store.prepare(cql)
                var page = try statement.execute(pageSize: 4)
                var paged = Self.values(page)
                while let state = page.pagingState {
                    page = try statement.execute(pageSize: 4, pagingState: state)
                    paged += Self.values(page)
                }
                #expect(paged == rows, "\(order)")
            }
            let statement = try store.prepare("SELECT v FROM t WHERE k = 1 AND (a, b, c) > ? AND (a, b) <= ?")
            let bounds: [CQLValue] = [.tuple([.int(0), .int(1), .int(1)]), .tuple([.int(2), .int(1)])]
            #expect(Self.values(try statement.execute(bounds)) == expected)
            expectInvalid("Invalid null value for column b") {
                try statement.execute([.tuple([.int(0), .null, .int(1)]), bounds[1]])
            }
        }
    }

    // MARK: Examples

    @Test(
        "SELECT reads and DELETE deletes exactly the rows",
        arguments: [
            ("a = 1 AND (b, c) > (1, 1)", [112, 120, 121, 122]),
            ("(b, c) > (1, 1) AND a = 1", [112, 120, 121, 122]),
            ("a IN (0, 2) AND (b, c) <= (0, 1)", [0, 1, 200, 201]),
            ("(a, b) = (1, 2) AND c = 2", [122]),
            ("c = 2 AND (a, b) = (1, 2)", [122]),
            ("(a, b) = (1, 2) AND c > 0", [121, 122]),
            ("(a, b) IN ((1, 2), (0, 0), (1, 2)) AND c = 1", [1, 121]),
            ("(a, b) IN ((2, 2), (0, 0)) AND c >= 1", [1, 2, 221, 222]),
            ("a = 1 AND (b, c) IN ((1, 1), (2, 2))", [111, 122]),
            ("a IN (2, 0) AND (b, c) IN ((1, 1), (2, 2))", [11, 22, 211, 222]),
            ("a = 1 AND (b) IN ((1), (2)) AND c = 0", [110, 120]),
            ("(a, b) >= (1, 2) AND a < 2", [120, 121, 122]),
            ("a > 0 AND (a, b, c) < (1, 1, 1)", [100, 101, 102, 110]),
            ("(a, b) IN ()", []),
            ("(a, b, c) > (1, 1, 1)", [112, 120, 121, 122, 200, 201, 202, 210, 211, 212, 220, 221, 222]),
            ("(a, b, c) >= (1, 1, 1) AND (a, b) < (2, 0)", [111, 112, 120, 121, 122]),
            ("(a, b, c) > (0, 2, 1) AND (a, b, c) <= (1, 0, 0)", [22, 100]),
            ("(a, b, c) > (1, 0, 0) AND (a, b, c) < (1, 0, 0)", []),
        ])
    func rows(condition: String, expected: [Int]) throws {
        for order in Self.orders {
            let store = try makeRows(order)
            #expect(try values(store, "k = 1 AND \(condition)") == expected)
            #expect(try values(store, "\(condition) ALLOW FILTERING") == expected)
            try store.execute("DELETE FROM t WHERE k = 1 AND \(condition)")
            let kept = Self.allRows.map(Self.digits).filter { !expected.contains($0) }
            #expect(try values(store) == kept)
        }
    }

    @Test("UPDATE takes the whole key from tuples and single columns")
    func update() throws {
        let store = try makeRows()
        try store.execute("UPDATE t SET v = -1 WHERE k = 1 AND (a, b) = (1, 2) AND c = 1")
        try store.execute("UPDATE t SET v = -2 WHERE k = 1 AND (a, b) IN ((0, 0), (2, 2)) AND c = 2")
        try store.execute("UPDATE t SET v = -3 WHERE k = 1 AND a = 0 AND (b, c) IN ((1, 0), (1, 1))")
        #expect(
            try store.lines("SELECT a, b, c, v FROM t WHERE v < 0 ALLOW FILTERING") == [
                "0 0 2 -2", "0 1 0 -3", "0 1 1 -3", "1 2 1 -1", "2 2 2 -2",
            ])
        try store.execute("DELETE v FROM t WHERE k = 1 AND (a, b) = (1, 2) AND c IN (0, 2)")
        #expect(try store.lines("SELECT v FROM t WHERE k = 1 AND (a, b) = (1, 2)") == ["null", "-1", "null"])
        let applied = try store.execute("UPDATE t SET v = 5 WHERE k = 1 AND (a, b) = (1, 2) AND c = 1 IF v = -1")
        #expect(applied.wasApplied)
    }

    @Test("IN ? takes a list of tuples")
    func listMarkers() throws {
        let store = try makeRows()
        let list: CQLValue = .list([.tuple([.int(1), .int(2)]), .tuple([.int(0), .int(0)])])
        let select = try store.prepare("SELECT v FROM t WHERE k = 1 AND (a, b) IN ? AND c = ?")
        #expect(select.markers[0].type == .list(.tuple([.int, .int])) && select.markers[0].name == "in(a,b)")
        #expect(try select.execute([list, .int(1)]).map { $0[0] } == [.int(1), .int(121)])
        #expect(
            try store.lines("SELECT v FROM t WHERE (b, c) IN ? ALLOW FILTERING", [list]) == [
                "0", "12", "100", "112", "200", "212",
            ])
        let single: CQLValue = .list([.tuple([.int(2)])])
        for condition in ["k = 1 AND (a) IN ? AND b = 0 AND c = 0", "(a) IN ? AND b = 0 AND c = 0 ALLOW FILTERING"] {
            #expect(try store.lines("SELECT v FROM t WHERE \(condition)", [single]) == ["200"])
        }
        try store.execute("DELETE FROM t WHERE k = 1 AND a = 2 AND (b, c) IN ?", [list])
        #expect(try values(store, "k = 1 AND a = 2") == [201, 202, 210, 211, 220, 221, 222])
        #expect(try select.execute([.list([]), .int(1)]).isEmpty)
        expectInvalid("Invalid null value for column a") { try select.execute([.null, .int(1)]) }
        expectInvalid("Invalid null value for column b") {
            try select.execute([.list([.tuple([.int(1), .null])]), .int(1)])
        }
        expectInvalid("IN on the clustering key columns is not supported with conditional updates") {
            try store.execute("UPDATE t SET v = 1 WHERE k = 1 AND (a, b, c) IN ? IF v = 1", [.list([])])
        }
    }

    @Test("grouping may leave out columns that a tuple gives one value")
    func grouping() throws {
        let store = try makeRows()
        #expect(
            try store.lines("SELECT c, max(v) FROM t WHERE k = 1 AND (a, b) = (1, 2) GROUP BY c") == [
                "0 120", "1 121", "2 122",
            ])
        expectInvalid(
            "Group by currently only support groups of columns following their declared order in the PRIMARY KEY"
        ) {
            try store.execute("SELECT c, max(v) FROM t WHERE k = 1 AND (a, b) IN ((1, 2), (0, 0)) GROUP BY c")
        }
    }

    // MARK: Refusals

    private static let gap = "PRIMARY KEY column \"b\" cannot be restricted as preceding column \"a\" is not restricted"
    private static let afterSlice =
        "Clustering column \"c\" cannot be restricted (preceding column \"a\" is restricted by a non-EQ relation)"
    private static let differentStarts =
        "Column \"b\" cannot be restricted by two inequalities not starting with the same column"

    @Test(
        "restrictions that make no ranges of rows are refused, in SELECT and DELETE alike",
        arguments: [
            ("(b, c) > (1, 2)", gap),
            ("(b, c) = (1, 2)", gap),
            ("(b, c) IN ((1, 2), (2, 2))", gap),
            ("(a, b) > (1, 1) AND c = 2", afterSlice),
            ("(a, b) > (1, 1) AND (c) < (2)", afterSlice),
            ("a > 1 AND (c) IN ((1), (2))", afterSlice),
            ("(a, b) > (1, 1) AND (b, c) < (5, 5)", differentStarts),
            ("(b, c) < (5, 5) AND (a, b) > (1, 1)", differentStarts),
            ("b < 5 AND (a, b) > (1, 1)", differentStarts),
            ("(a, b) > (1, 1) AND b < 5", differentStarts),
            ("a > 1 AND (b, c) > (1, 1) AND (a, b) < (2, 2)", differentStarts),
            ("(a, b) = (1, 1) AND b = 1", "b cannot be restricted by more than one relation if it includes an Equal"),
            ("a = 1 AND (a, b) > (1, 1)", "a cannot be restricted by more than one relation if it includes an Equal"),
            (
                "(a, b) IN ((1, 1), (2, 2)) AND b = 1",
                "b cannot be restricted by more than one relation if it includes a IN"
            ),
            (
                "(a, b) > (1, 1) AND a = 1",
                "Column \"a\" cannot be restricted by both an equality and an inequality relation"
            ),
            (
                "(a, b) > (1, 1) AND (b, c) = (1, 1)",
                "Column \"b\" cannot be restricted by both an equality and an inequality relation"
            ),
            ("(a, b) > (1, 1) AND a > 1", "More than one restriction was found for the start bound on a"),
            (
                "(a, b) > (1, 1) AND (a, b) > (2, 1)",
                "More than one restriction was found for the start bound on (a, b)"
            ),
            ("(a, b) = (1, 1, 1)", "Expected 2 elements in value tuple, but got 3: (1, 1, 1)"),
        ])
    func refusals(condition: String, message: String) throws {
        let store = try makeRows()
        expectInvalid(message) { try store.execute("SELECT v FROM t WHERE k = 1 AND \(condition)") }
        expectInvalid(message) { try store.execute("DELETE FROM t WHERE k = 1 AND \(condition)") }
        #expect(try values(store).count == 27)
    }

    @Test("a DELETE with CONTAINS and an UPDATE with a slice are refused")
    func modificationRefusals() throws {
        let store = try makeRows()
        for slice in ["(a, b) > (1, 1) AND c = 2", "a = 1 AND (b, c) > (1, 1)", "(a, b, c) >= (1, 1, 1)"] {
            expectInvalid("Slice restrictions are not supported on the clustering columns in UPDATE statements") {
                try store.execute("UPDATE t SET v = 1 WHERE k = 1 AND \(slice)")
            }
        }
        expectInvalid("Some clustering keys are missing: c") {
            try store.execute("UPDATE t SET v = 1 WHERE k = 1 AND (a, b) IN ((1, 1), (2, 2))")
        }
        try store.execute("CREATE TABLE f (k int, l frozen<list<int>>, PRIMARY KEY (k, l))")
        try store.execute("INSERT INTO f (k, l) VALUES (1, [2])")
        expectInvalid("Clustering columns can only be restricted with CONTAINS with a secondary index or filtering") {
            try store.execute("DELETE FROM f WHERE k = 1 AND l CONTAINS 1")
        }
        #expect(try store.execute("SELECT * FROM f").count == 1)
    }

    // MARK: Random relations

    /// A relation as CQL, and as a condition on a row.
    private struct Candidate {
        var cql: String
        var accepts: ([Int]) -> Bool
    }

    private func relation(_ random: inout SeededRandom) -> Candidate {
        let first = Int.random(in: 0..<3, using: &random)
        let count = Int.random(in: 1...(3 - first), using: &random)
        let names = ["a", "b", "c"][first..<first + count].joined(separator: ", ")
        let isPlain = count == 1 && Bool.random(using: &random)
        let target = isPlain ? names : "(\(names))"
        func tuple() -> [Int] { (0..<count).map { _ in Int.random(in: -1...3, using: &random) } }
        func text(_ tuple: [Int]) -> String {
            let members = tuple.map(String.init).joined(separator: ", ")
            return isPlain ? members : "(\(members))"
        }
        func part(_ row: [Int]) -> [Int] { Array(row[first..<first + count]) }
        let operand = tuple()
        switch Int.random(in: 0..<8, using: &random) {
        case 0...1: return Candidate(cql: "\(target) = \(text(operand))") { part($0) == operand }
        case 2...3:
            let operands = (0..<Int.random(in: 0...3, using: &random)).map { _ in tuple() }
            let list = operands.map(text).joined(separator: ", ")
            return Candidate(cql: "\(target) IN (\(list))") { operands.contains(part($0)) }
        case 4:
            return Candidate(cql: "\(target) > \(text(operand))") { operand.lexicographicallyPrecedes(part($0)) }
        case 5:
            return Candidate(cql: "\(target) >= \(text(operand))") { !part($0).lexicographicallyPrecedes(operand) }
        case 6:
            return Candidate(cql: "\(target) < \(text(operand))") { part($0).lexicographicallyPrecedes(operand) }
        default:
            return Candidate(cql: "\(target) <= \(text(operand))") { !operand.lexicographicallyPrecedes(part($0)) }
        }
    }

    @Test("random relations read and delete the rows that a filter finds", arguments: orders)
    func random(order: String) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let store = try makeRows(order)
        try store.execute(
            """
            CREATE MATERIALIZED VIEW w AS SELECT * FROM t
            WHERE k IS NOT NULL AND a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, b, k, a)
            """)
        var refusals = 0
        for _ in 0..<400 {
            let relations = (0..<Int.random(in: 1...3, using: &random)).map { _ in relation(&random) }
            let condition = relations.map(\.cql).joined(separator: " AND ")
            let matching = Self.allRows.filter { row in relations.allSatisfy { $0.accepts(row) } }.map(Self.digits)
            let comment = Comment(rawValue: "seed \(seed), \(order): \(condition)")
            // Filtering takes more than ranges do, but no contradictions.
            if let filtered = try? values(store, "\(condition) ALLOW FILTERING") {
                #expect(filtered == matching, comment)
            }
            if let filtered = try? values(store, "k = 1 AND \(condition) ALLOW FILTERING") {
                #expect(filtered == matching, comment)
            }
            do {
                let found = Self.values(try store.execute("SELECT v FROM t WHERE k = 1 AND \(condition)"))
                #expect(found == Self.sorted(matching, order), comment)
            } catch let error as CQLError {
                refusals += 1
                expectInvalid(error.message) { try store.execute("DELETE FROM t WHERE k = 1 AND \(condition)") }
                continue
            }
            try store.execute("DELETE FROM t WHERE k = 1 AND \(condition)")
            let kept = Self.allRows.map(Self.digits).filter { !matching.contains($0) }
            #expect(try values(store) == kept, comment)
            #expect(Self.values(try store.execute("SELECT v FROM w")).sorted() == kept, comment)
            if !matching.isEmpty { try fill(store) }
        }
        #expect(refusals < 390, "seed \(seed): hardly any relations were accepted")
    }
}
