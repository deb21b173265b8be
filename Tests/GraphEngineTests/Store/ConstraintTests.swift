import GraphEngine
import Testing

@Suite("Unique constraints")
struct ConstraintTests {
    private let graph: GraphStore
    private static let create = "CREATE CONSTRAINT user_id IF NOT EXISTS FOR (u:User) REQUIRE u.userId IS UNIQUE"

    init() throws {
        graph = try GraphStore(storage: Storage.inMemory())
    }

    private func message(_ cypher: String) -> String? {
        do {
            try graph.execute(cypher)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("a second node with the same value is refused, with Neo4j's words")
    func violation() throws {
        try graph.execute(Self.create)
        try graph.execute("CREATE (:User {userId: 'u1'})")
        let text =
            "Neo.ClientError.Schema.ConstraintValidationFailed: Node(0) already exists with label `User` and property "
            + "`userId` = 'u1'"
        #expect(message("CREATE (:User {userId: 'u1'})") == text)
        #expect(message("CREATE (u:User {userId: 'u2'}) SET u.userId = 'u1'") == text)
        #expect(message("CREATE (u {userId: 'u1'}) SET u:User") == text)
        #expect(message("CREATE (:Other {userId: 'u1'}), (:User), (:User)") == nil)
        #expect(try graph.storage.verify().problems == [])
    }

    @Test("a value is free again once its node lost it")
    func release() throws {
        try graph.execute(Self.create)
        for change in ["REMOVE u.userId", "REMOVE u:User", "SET u.userId = 'other'", "SET u = {}", "DELETE u"] {
            try graph.execute("CREATE (:User {userId: 'u1'})")
            try graph.execute("MATCH (u:User {userId: 'u1'}) \(change)")
            try graph.execute("CREATE (u:User {userId: 'u1'})")
            #expect(try graph.storage.verify().problems == [])
            try graph.execute("MATCH (u) DELETE u")
        }
    }

    @Test("a constraint is not made over duplicates")
    func duplicates() throws {
        try graph.execute("CREATE (:User {userId: 1}), (:User {userId: 1.0})")
        #expect(
            message(Self.create)?.hasSuffix(
                "Both Node(0) and Node(1) have the label `User` and property `userId` = 1.0") == true)
        #expect(try graph.execute("SHOW CONSTRAINTS").rows.isEmpty)
        try graph.execute("MATCH (u) DELETE u")
        #expect(try graph.execute(Self.create).counters.constraintsAdded == 1)
    }

    @Test("constraints are created once, shown and dropped")
    func lifeCycle() throws {
        #expect(try graph.execute(Self.create).counters.constraintsAdded == 1)
        #expect(try graph.execute(Self.create).counters.constraintsAdded == 0)
        let plain = "CREATE CONSTRAINT user_id FOR (u:User) REQUIRE u.userId IS UNIQUE"
        #expect(message(plain)?.contains("EquivalentSchemaRuleAlreadyExists") == true)
        #expect(
            message("CREATE CONSTRAINT user_id FOR (u:User) REQUIRE u.email IS UNIQUE")?
                .hasSuffix("There already exists a constraint called 'user_id'.") == true)
        let shown = try graph.execute("SHOW CONSTRAINTS").rows
        #expect(shown.map { $0["name"] } == ["user_id"])
        #expect(shown[0]["labelsOrTypes"] == ["User"])
        #expect(try graph.execute("DROP CONSTRAINT user_id").counters.constraintsRemoved == 1)
        #expect(message("DROP CONSTRAINT user_id")?.hasSuffix("No such constraint user_id.") == true)
        #expect(message("DROP CONSTRAINT user_id IF EXISTS") == nil)
        #expect(message("CREATE (:User {userId: 1}), (:User {userId: 1})") == nil)
        #expect(try graph.storage.verify().problems == [])
    }

    @Test("a statement kept from before a constraint is planned anew, and finds the same")
    func replanning() throws {
        try graph.execute("UNWIND range(1, 20) AS i CREATE (:User {userId: i})")
        let text = "MATCH (u:User {userId: $id}) RETURN u.userId AS id"
        func find() throws -> [GraphValue] { try graph.execute(text, parameters: ["id": 7]).rows.map { $0["id"] } }
        #expect(try find() == [7])
        try graph.execute(Self.create)
        #expect(try find() == [7])
        try graph.execute("DROP CONSTRAINT user_id")
        #expect(try find() == [7])
    }

    @Test("schema commands are refused inside a data transaction")
    func transactions() throws {
        #expect {
            try graph.storage.write { _ = try graph.execute(Self.create, in: $0) }
        } throws: { error in
            (error as? CypherError)?.code == "Neo.ClientError.Transaction.ForbiddenDueToTransactionType"
        }
    }
}
