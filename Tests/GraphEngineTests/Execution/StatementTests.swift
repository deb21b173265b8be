import GraphEngine
import Testing

@Suite("Cypher statements")
struct StatementTests {
    private let graph: GraphStore

    init() throws {
        graph = try GraphStore(storage: Storage.inMemory())
    }

    private func rows(_ cypher: String, _ parameters: [String: GraphValue] = [:]) throws -> [[GraphValue]] {
        try graph.execute(cypher, parameters: parameters).rows.map(\.values)
    }

    @Test("a result counts what the statement changed")
    func counters() throws {
        let created = try graph.execute("CREATE (a:A:B {x: 1, y: null})-[r:R {z: 2}]->(b) RETURN a, r").counters
        #expect(created.nodesCreated == 2)
        #expect(created.relationshipsCreated == 1)
        #expect(created.labelsAdded == 2)
        #expect(created.propertiesSet == 2)
        let changed = try graph.execute("MATCH (a:A) SET a.x = 2, a:C REMOVE a:B, a.y").counters
        #expect(changed.propertiesSet == 1)
        #expect(changed.labelsAdded == 1)
        #expect(changed.labelsRemoved == 1)
        let deleted = try graph.execute("MATCH (n) DETACH DELETE n").counters
        #expect(deleted.nodesDeleted == 2)
        #expect(deleted.relationshipsDeleted == 1)
        #expect(!(try graph.execute("MATCH (n) RETURN n").counters.containsUpdates))
    }

    @Test(
        "elementary functions",
        arguments: [
            ("exp(0)", 1), ("log(e())", 1), ("log10(1000)", 3), ("2 ^ 10", 1024), ("2 ^ -1", 0.5), ("sin(0)", 0),
            ("cos(0)", 1), ("tan(0)", 0), ("asin(1)", .pi / 2), ("acos(1)", 0), ("atan(1)", .pi / 4),
            ("atan2(1, -1)", 3 * .pi / 4), ("cot(pi() / 4)", 1), ("haversin(pi())", 1), ("sqrt(16)", 4),
        ] as [(String, Double)])
    func elementaryFunctions(expression: String, expected: Double) throws {
        guard case .float(let result)? = try rows("RETURN \(expression)").first?.first else {
            Issue.record("\(expression) is no float")
            return
        }
        #expect(abs(result - expected) < 1e-12)
    }

    @Test("a relationship is used once in a match, a node as often as it likes")
    func isomorphism() throws {
        try graph.execute("CREATE (a:A), (b:B), (a)-[:R {i: 1}]->(b), (a)-[:R {i: 2}]->(b)")
        #expect(try rows("MATCH (a:A)-[r]->(b)<-[s]-(c) RETURN count(*)") == [[2]])
        #expect(try rows("MATCH (a:A)-[r]->(b) MATCH (b)<-[s]-(c) RETURN count(*)") == [[4]])
        #expect(try rows("MATCH (a:A)-[r]->(b), (c)-[s]->(d) RETURN count(*)") == [[2]])
        #expect(try rows("MATCH (a)-[r]-(b) RETURN count(*)") == [[4]])
    }

    @Test("an undirected loop is matched once")
    func loops() throws {
        try graph.execute("CREATE (a:A)-[:R]->(a)")
        #expect(try rows("MATCH (a)-[r]-(b) RETURN count(*)") == [[1]])
        #expect(try rows("MATCH (a)-[r]->(a) RETURN count(*)") == [[1]])
        let node = try #require(try rows("MATCH (a) RETURN a")[0][0].node)
        #expect(try graph.degree(of: node.id) == 1)
        #expect(try graph.neighbours(of: node.id) == [node.id])
    }

    @Test("variable-length paths walk trails: cycles end, long chains do not overflow")
    func variableLength() throws {
        try graph.execute("CREATE (a:Start), (b), (c), (a)-[:R]->(b), (b)-[:R]->(c), (c)-[:R]->(a)")
        #expect(try rows("MATCH (a:Start)-[rs:R*]->(x) RETURN size(rs) AS n ORDER BY n") == [[1], [2], [3]])
        #expect(try rows("MATCH (a:Start)-[:R*0..1]->(x) RETURN count(*)") == [[2]])
        try graph.execute("MATCH (n) DETACH DELETE n")
        try graph.execute("UNWIND range(0, 2000) AS i CREATE (:N {i: i})")
        try graph.createUniqueConstraint(label: "N", property: "i")
        try graph.execute("UNWIND range(0, 1999) AS i MATCH (a:N {i: i}), (b:N {i: i + 1}) CREATE (a)-[:NEXT]->(b)")
        #expect(try rows("MATCH (a:N {i: 0})-[rs:NEXT*2000]->(b) RETURN b.i") == [[2000]])
    }

    @Test("a clause sees what earlier clauses did and nothing that later ones do")
    func visibility() throws {
        try graph.execute("UNWIND range(1, 5) AS i CREATE (:N)")
        #expect(try graph.execute("MATCH (n:N) CREATE (:N)").counters.nodesCreated == 5)
        #expect(try rows("MATCH (n:N) CREATE (:M) WITH count(*) AS c MATCH (m:M) RETURN c, count(m)") == [[10, 10]])
        #expect(try rows("UNWIND [1, 1, 2] AS x MERGE (k:K {x: x}) RETURN count(DISTINCT k)") == [[2]])
    }

    @Test("MERGE creates the whole pattern or nothing, and tells which")
    func merge() throws {
        let text = "MERGE (a:A {k: 1}) ON CREATE SET a.state = 'new' ON MATCH SET a.state = 'old' RETURN a.state"
        #expect(try rows(text) == [["new"]])
        #expect(try rows(text) == [["old"]])
        try graph.execute("MERGE (:A {k: 1})-[:R]->(:B)")
        #expect(try rows("MATCH (a:A) RETURN count(a)") == [[2]])
        #expect(throws: CypherError.self) { try graph.execute("MERGE (:A {k: null})") }
        #expect(try rows("MATCH (a:A) RETURN count(a)") == [[2]])
    }

    @Test("a connected node is not deleted, with Neo4j's words, and nothing of the statement happens")
    func deleteConnected() throws {
        try graph.execute("CREATE (a:A)-[:R]->(b:B)")
        do {
            try graph.execute("MATCH (a:A) SET a.x = 1 DELETE a")
            Issue.record("the node was deleted")
        } catch let error as CypherError {
            #expect(
                error.description
                    == "Neo.ClientError.Schema.ConstraintValidationFailed: Cannot delete node<0>, because it still has "
                    + "relationships. To delete this node, you must first delete its relationships.")
        }
        #expect(try rows("MATCH (a:A)-->(b) RETURN a.x") == [[nil]])
        try graph.execute("MATCH (a:A)-[r]->(b) DELETE a, r")
        #expect(try rows("MATCH (n) RETURN labels(n)") == [[["B"]]])
    }

    @Test("identities are never used again")
    func identities() throws {
        try graph.execute("CREATE (:A), (:A)")
        try graph.execute("MATCH (a) DELETE a")
        #expect(try rows("CREATE (a) RETURN id(a), elementId(a)") == [[2, "n:2"]])
    }

    @Test("grouping, DISTINCT, ORDER BY, SKIP and LIMIT")
    func projection() throws {
        let list: GraphValue = [["k": "a", "v": 1], ["k": "b", "v": 5], ["k": "a", "v": 3], ["k": nil, "v": 2]]
        #expect(
            try rows("UNWIND $l AS r RETURN r.k AS k, sum(r.v) AS s, collect(r.v) AS c ORDER BY s DESC, k", ["l": list])
                == [["b", 5, [5]], ["a", 4, [1, 3]], [nil, 2, [2]]])
        #expect(try rows("UNWIND [3, 1, 2, 3] AS x RETURN DISTINCT x ORDER BY x SKIP 1 LIMIT 1") == [[2]])
        #expect(
            try rows("UNWIND [] AS x RETURN count(x), sum(x), min(x), avg(x), collect(x)") == [[0, 0, nil, nil, []]])
        #expect(try rows("UNWIND [1, null, 2] AS x RETURN count(*), count(x), max(x), avg(x)") == [[3, 2, 2, 1.5]])
        #expect(throws: CypherError.self) { try graph.execute("MATCH (n) RETURN n.a + count(*)") }
    }

    @Test("ORDER BY with LIMIT keeps the same rows as ORDER BY alone")
    func topRows() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<20 {
            let values = (0..<50).map { _ in GraphValue.integer(Int64.random(in: 0...9, using: &random)) }
            let limit = Int.random(in: 0...60, using: &random)
            let text = "UNWIND range(0, 49) AS i RETURN $l[i] AS v, i ORDER BY v DESC"
            let all = try rows(text, ["l": .list(values)])
            let some = try rows("\(text) LIMIT \(limit)", ["l": .list(values)])
            #expect(some == Array(all.prefix(limit)), "seed \(seed)")
        }
    }

    @Test("OPTIONAL MATCH gives null where nothing matches, its WHERE included")
    func optionalMatch() throws {
        try graph.execute("CREATE (:A {x: 1})-[:R]->(:B {y: 1}), (:A {x: 2})")
        #expect(
            try rows("MATCH (a:A) OPTIONAL MATCH (a)-->(b) WHERE b.y = 1 RETURN a.x, b.y ORDER BY a.x")
                == [[1, 1], [2, nil]])
        #expect(try rows("OPTIONAL MATCH (a:A)-->(b) WHERE b.y = 7 RETURN a, b") == [[nil, nil]])
    }

    @Test("parameters are values, never text; a missing one is an error")
    func parameters() throws {
        let evil: GraphValue = "'}) DETACH DELETE n //"
        try graph.execute("CREATE (:A {name: $name})", parameters: ["name": evil])
        #expect(try rows("MATCH (a:A {name: $name}) RETURN a.name", ["name": evil]) == [[evil]])
        #expect {
            try graph.execute("RETURN $missing")
        } throws: { error in
            (error as? CypherError)?.description
                == "Neo.ClientError.Statement.ParameterMissing: Expected parameter(s): missing"
        }
    }

    @Test("UNION removes duplicates, UNION ALL keeps them")
    func union() throws {
        #expect(try rows("RETURN 1 AS x UNION RETURN 1 AS x UNION RETURN 2 AS x") == [[1], [2]])
        #expect(try rows("RETURN 1 AS x UNION ALL RETURN 1 AS x") == [[1], [1]])
        #expect(throws: CypherError.self) { try graph.execute("RETURN 1 AS x UNION RETURN 1 AS y") }
    }

    @Test("a failed statement leaves nothing behind")
    func atomicity() throws {
        #expect(throws: CypherError.self) {
            try graph.execute("UNWIND [1, 0] AS d CREATE (:X {v: 10 / d})-[:NEW]->(:Y {brandNew: true})")
        }
        #expect(try rows("MATCH (n) RETURN count(n)") == [[0]])
        #expect(try rows("CREATE (a:X) RETURN id(a)") == [[0]])
        #expect(try graph.storage.verify().problems == [])
    }

    @Test("a call names a procedure that does not exist")
    func procedures() {
        #expect {
            try graph.execute("CALL db.labels() YIELD label RETURN label")
        } throws: { error in
            (error as? CypherError)?.code == "Neo.ClientError.Procedure.ProcedureNotFound"
        }
    }

    @Test("a property can't hold a map or a nested list")
    func storableValues() {
        #expect(throws: CypherError.self) { try graph.execute("CREATE ({m: {a: 1}})") }
        #expect(throws: CypherError.self) { try graph.execute("CREATE ({l: [[1]]})") }
        #expect(throws: CypherError.self) { try graph.execute("CREATE ({l: [1, null]})") }
    }
}
