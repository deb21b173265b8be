import Testing

@testable import DocumentEngine

@Suite struct CrashTests {
    /// What the caller of a run was told before the power went.
    private struct Outcome {
        /// The `_id`s whose synced insert returned.
        var inserted: [Int] = []
        var deleted: [Int] = []
        var isIndexReady = false
        var isOldDropped = false
    }

    private func options(_ fileSystem: SimulatedFileSystem) -> StorageOptions {
        var options = StorageOptions()
        options.fileSystem = fileSystem
        options.clock = ManualClock()
        options.backgroundWork = .manual
        return options
    }

    /// Inserts, builds an index, drops and makes again a collection, updates and deletes, until the power goes.
    private func run(on fileSystem: SimulatedFileSystem) -> Outcome {
        var outcome = Outcome()
        do {
            let storage = try Storage.open(at: "/data", options: options(fileSystem))
            let shop = try DocumentStore(storage: storage).database("shop")
            let old = shop.collection("old")
            try old.insertMany([["_id": 1, "a": 1], ["_id": 2, "a": 1]], durability: .synced)
            let users = try shop.createCollection("users", options: CollectionOptions(validator: ["n": ["$gte": 0]]))
            for id in 0..<4 {
                try users.insertOne(["_id": .int(id), "n": .int(id), "tags": ["x", .int(id)]], durability: .synced)
                outcome.inserted.append(id)
            }
            try storage.flush()
            try users.createIndex(["tags": 1])
            try users.createIndex(["n": 1], options: IndexOptions(unique: true), durability: .synced)
            outcome.isIndexReady = true
            // A build that fails: the index and its keyspace go again.
            if (try? old.createIndex(["a": 1], options: IndexOptions(unique: true))) != nil { return outcome }
            try old.drop()
            outcome.isOldDropped = true
            try old.insertOne(["_id": 3], durability: .synced)
            try users.updateMany([:], ["$inc": ["n": 10], "$push": ["tags": "y"]])
            try users.deleteOne(["_id": 1], durability: .synced)
            outcome.deleted.append(1)
            try storage.close()
        } catch {
            // The power is off; what was acknowledged so far stands.
        }
        return outcome
    }

    private func check(_ fileSystem: SimulatedFileSystem, _ outcome: Outcome, _ place: Comment) throws {
        let storage = try Storage.open(at: "/data", options: options(fileSystem))
        let shop = try DocumentStore(storage: storage).database("shop")
        #expect(try storage.verify().problems == [], place)
        let users = shop.collection("users")
        let found = try users.find().compactMap { $0["_id"]?.intValue }
        for id in outcome.inserted where id != 1 { #expect(found.contains(id), place) }
        for id in outcome.deleted { #expect(!found.contains(id), place) }
        if outcome.isIndexReady {
            let plan = try users.explain(["n": 2])
            #expect(plan.value(at: "queryPlanner.winningPlan.inputStage.indexName") == "n_1", place)
            #expect(try users.countDocuments(["tags": "x"]) == found.count, place)
            #expect(documentError { try users.insertOne(["n": -1]) }.code == 121, place)
        }
        if outcome.isOldDropped { #expect(try !shop.collection("old").find().contains(["_id": 1, "a": 1]), place) }
        // What was found goes on working.
        try shop.collection("old").createIndex(["b": 1])
        try shop.collection("old").insertOne(["_id": 99, "b": 1])
        #expect(try storage.verify().problems == [], place)
        try storage.close()
    }

    @Test("after a crash at any step documents and indexes agree, and acknowledged writes are there")
    func everyStep() throws {
        let whole = SimulatedFileSystem(seed: 1)
        let outcome = run(on: whole)
        #expect(outcome.deleted == [1] && outcome.isOldDropped)
        let count = whole.operationCount
        for step in 1...count {
            let fileSystem = SimulatedFileSystem(seed: 1)
            fileSystem.cutPower(atOperation: step)
            let outcome = run(on: fileSystem)
            for survivors in SimulatedFileSystem.Survivors.allCases {
                try check(fileSystem.crash(survivors), outcome, "step \(step) of \(count), \(survivors)")
            }
        }
    }

    @Test("a closed store opens again with everything in it")
    func restart() throws {
        let fileSystem = SimulatedFileSystem(seed: 2)
        _ = run(on: fileSystem)
        let storage = try Storage.open(at: "/data", options: options(fileSystem))
        let users = try DocumentStore(storage: storage).database("shop").collection("users")
        #expect(
            try users.find([:], options: FindOptions(sort: ["_id": 1])) == [
                ["_id": 0, "n": 10, "tags": ["x", 0, "y"]], ["_id": 2, "n": 12, "tags": ["x", 2, "y"]],
                ["_id": 3, "n": 13, "tags": ["x", 3, "y"]],
            ])
        #expect(try users.listIndexes().compactMap { $0["name"]?.stringValue } == ["_id_", "tags_1", "n_1"])
        #expect(documentError { try users.insertOne(["n": 12]) }.code == 11000)
    }
}
