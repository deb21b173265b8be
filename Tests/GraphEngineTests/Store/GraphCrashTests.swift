import GraphEngine
import Testing

@Suite("Crashes of a graph")
struct GraphCrashTests {
    private static let purchase = """
        MERGE (u:User {userId: $user}) MERGE (p:Product {productId: 'p1'})
        MERGE (u)-[:PURCHASED {orderId: $order}]->(p)
        """

    private func options(_ fileSystem: SimulatedFileSystem) -> StorageOptions {
        var options = StorageOptions()
        options.fileSystem = fileSystem
        options.clock = ManualClock()
        options.backgroundWork = .manual
        return options
    }

    private func parameters(_ number: Int) -> [String: GraphValue] {
        ["user": "u\(number)", "order": "o\(number)"]
    }

    /// Merges four purchases, each synced, and deletes the first buyer, until the power goes.
    ///
    /// - Returns: How many of these five commits were acknowledged; nil if not even the constraints were.
    private func run(on fileSystem: SimulatedFileSystem) -> Int? {
        var acknowledged: Int?
        do {
            let storage = try Storage.open(at: "/graph", options: options(fileSystem))
            let graph = try GraphStore(storage: storage)
            for (label, key) in [("User", "userId"), ("Product", "productId")] {
                try graph.execute(
                    "CREATE CONSTRAINT FOR (n:\(label)) REQUIRE n.\(key) IS UNIQUE", durability: .synced)
            }
            acknowledged = 0
            for number in 0..<4 {
                try graph.execute(Self.purchase, parameters: parameters(number), durability: .synced)
                acknowledged = number + 1
                if number == 1 { try storage.flush() }
            }
            try graph.execute("MATCH (u:User {userId: 'u0'}) DETACH DELETE u", durability: .synced)
            acknowledged = 5
            try storage.close()
        } catch {
            // The power is off; what was acknowledged so far stands.
        }
        return acknowledged
    }

    private func check(_ fileSystem: SimulatedFileSystem, _ acknowledged: Int?, _ place: Comment) throws {
        let storage = try Storage.open(at: "/graph", options: options(fileSystem))
        let graph = try GraphStore(storage: storage)
        #expect(try storage.verify().problems == [], place)
        guard let acknowledged else { return }
        let rows = try graph.execute("MATCH (u:User) OPTIONAL MATCH (u)-[r:PURCHASED]->(p) RETURN u.userId, r.orderId")
            .rows
        let found = Set(rows.map { "\($0[0]) \($0[1])" })
        func state(after commits: Int) -> Set<String> {
            Set((commits == 5 ? 1..<4 : 0..<commits).map { "'u\($0)' 'o\($0)'" })
        }
        // The next commit may have survived without having been acknowledged.
        #expect([acknowledged, min(acknowledged + 1, 5)].map(state).contains(found), place)
        try graph.execute(Self.purchase, parameters: parameters(3))
        #expect(try storage.verify().problems == [], place)
        try storage.close()
    }

    @Test("after a crash at any step the graph is whole, and what was acknowledged is there")
    func everyStep() throws {
        let whole = SimulatedFileSystem(seed: 1)
        #expect(run(on: whole) == 5)
        let count = whole.operationCount
        for step in 1...count {
            let fileSystem = SimulatedFileSystem(seed: 1)
            fileSystem.cutPower(atOperation: step)
            let acknowledged = run(on: fileSystem)
            for survivors in SimulatedFileSystem.Survivors.allCases {
                try check(fileSystem.crash(survivors), acknowledged, "step \(step) of \(count), \(survivors)")
            }
        }
    }
}
