import Testing

@testable import DocumentEngine

@Suite struct StoreTests {
    private let storage: Storage
    private let store: DocumentStore
    private let items: DocumentCollection

    init() throws {
        storage = try Storage.inMemory()
        store = try DocumentStore(storage: storage)
        items = store.database("t").collection("q")
    }

    @Test("a collection comes into being with its first document, and goes with drop")
    func implicitCollection() throws {
        #expect(try items.find().isEmpty)
        #expect(documentError { try items.listIndexes() }.code == 26)
        try items.insertOne(["_id": 1])
        #expect(store.database("t").listCollections().map(\.name) == ["q"])
        #expect(
            documentError { try store.database("t").createCollection("q") } == (
                48, "Collection already exists. NS: t.q"
            ))
        try items.drop()
        #expect(try items.find().isEmpty)
        try items.insertOne(["_id": 1])
        #expect(try items.find() == [["_id": 1]])
    }

    @Test(
        "bad names are refused",
        arguments: [("", "a"), ("a.b", "c"), ("a", ""), ("a", "x$y"), ("a", ".x"), ("a b", "c")])
    func badNames(database: String, collection: String) {
        #expect(documentError { try store.database(database).createCollection(collection) }.code == 73)
    }

    @Test("a collection whose name looks like another's index has records of its own")
    func namesWithSlashes() throws {
        try items.insertOne(["_id": 1])
        for name in ["q/index/_id_", "0/t.q", "q/0"] {
            let other = store.database("t").collection(name)
            try other.insertOne(["_id": 2])
            #expect(try other.find() == [["_id": 2]])
            let reopened = try DocumentStore(storage: storage).database("t").collection("q")
            #expect(documentError { try reopened.insertOne(["_id": 1]) }.code == 11000)
            #expect(try reopened.find(["_id": 1]) == [["_id": 1]])
            #expect(try storage.verify().problems == [])
        }
    }

    @Test(
        "a store whose last record has an impossible number is not opened",
        arguments: [
            [UInt8](repeating: 0xFF, count: 8), [0x80, 0, 0, 0, 0, 0, 0, 0], [1], [UInt8](repeating: 1, count: 9),
        ])
    func impossibleRecordNumber(key: [UInt8]) throws {
        try items.insertOne(["_id": 1])
        let records = try #require(store.state(items.namespace)?.records)
        let document: Document = ["_id": 2]
        try storage.write { try $0.put(records, key.rawSpan, document.bytes.rawSpan) }
        #expect { try DocumentStore(storage: storage) } throws: { ($0 as? StorageError)?.code == .corruption }
    }

    @Test("a catalog with an impossible number of an index is refused", arguments: [-1, 1 << 32])
    func impossibleIndexNumber(number: Int) throws {
        try items.insertOne(["_id": 1])
        let key = CollectionCatalog.key(items.namespace)
        let bytes = try #require(try storage.snapshot().view.get(store.catalog, key.rawSpan))
        var entry = try Document(bytes: bytes)
        entry["nextIndexId"] = .int(number)
        let damaged = entry.bytes
        try storage.write { try $0.put(store.catalog, key.rawSpan, damaged.rawSpan) }
        #expect { try DocumentStore(storage: storage) } throws: { ($0 as? StorageError)?.code == .corruption }
    }

    @Test("the same _id is refused, whatever its numeric type; arrays and patterns are no _id")
    func identity() throws {
        try items.insertOne(["a": 1, "_id": 1])
        #expect(try items.findOne()?.fieldNames == ["_id", "a"])
        let error = documentError { try items.insertOne(["_id": 1.0]) }
        #expect(error == (11000, "E11000 duplicate key error collection: t.q index: _id_ dup key: { _id: 1.0 }"))
        #expect(documentError { try items.insertOne(["_id": [1]]) } == (53, "The '_id' value cannot be of type array"))
        #expect(documentError { try items.insertOne(["_id": .regex(BSONRegex("a"))]) }.code == 53)
    }

    @Test("documents too large or too deep are refused")
    func limits() {
        let large = Document([("a", .string(String(repeating: "x", count: 16 << 20)))])
        #expect(documentError { try items.insertOne(large) }.code == 10334)
        var deep: Document = [:]
        for _ in 0..<120 { deep = ["a": .document(deep)] }
        #expect(documentError { try items.insertOne(deep) }.code == 15)
    }

    @Test("an ordered insertMany stops at the first refusal, an unordered one goes on")
    func insertMany() throws {
        let documents: [Document] = [["_id": 1], ["_id": 2], ["_id": 1], ["_id": 3]]
        do {
            try items.insertMany(documents)
            Issue.record("nothing was thrown")
        } catch let error as BulkWriteError {
            #expect(error.writeErrors.map(\.index) == [2])
            #expect(error.writeErrors[0].code == .duplicateKey)
            #expect(error.insertedIDs == [0: 1, 1: 2])
        }
        #expect(try items.countDocuments() == 2)
        do {
            try items.insertMany(documents, ordered: false)
            Issue.record("nothing was thrown")
        } catch let error as BulkWriteError {
            #expect(error.writeErrors.map(\.index) == [0, 1, 2])
            #expect(error.insertedIDs == [3: 3])
        }
        #expect(try items.insertMany([["_id": 7], ["_id": 8]]).insertedIDs == [7, 8])
    }

    @Test("find sorts, skips, limits and projects")
    func find() throws {
        try items.insertMany((0..<10).map { ["_id": .int($0), "a": .int($0 % 3), "b": ["c": .int($0), "d": 1]] })
        let options = FindOptions(sort: ["a": -1, "_id": 1], skip: 1, limit: 3, projection: ["b.c": 1, "_id": 0])
        #expect(try items.find([:], options: options) == [["b": ["c": 5]], ["b": ["c": 8]], ["b": ["c": 1]]])
        #expect(try items.findOne(["_id": 4], options: FindOptions(projection: ["b": 0])) == ["_id": 4, "a": 1])
        #expect(try items.distinct("a").count == 3)
        #expect(try items.countDocuments(["a": ["$gt": 0]]) == 6)
        var seen = 0
        try items.forEach { _ in
            seen += 1
            return seen < 4
        }
        #expect(seen == 4)
    }

    @Test("arrays sort by their least element upwards and their greatest downwards, empty ones before null")
    func arraySort() throws {
        try items.insertMany([
            ["_id": 1, "a": [5, 1]], ["_id": 2, "a": 3], ["_id": 3, "a": .array([])], ["_id": 4, "a": nil], ["_id": 5],
            ["_id": 6, "a": "x"],
        ])
        let upwards = try items.find([:], options: FindOptions(sort: ["a": 1])).compactMap { $0["_id"]?.intValue }
        #expect(upwards == [3, 4, 5, 1, 2, 6])
        let downwards = try items.find([:], options: FindOptions(sort: ["a": -1])).compactMap { $0["_id"]?.intValue }
        #expect(downwards == [6, 1, 2, 4, 5, 3])
    }

    @Test(
        "projections include or exclude, through documents and arrays",
        arguments: [
            ("{\"a\":1}", "{\"_id\":1,\"a\":[{\"x\":1,\"y\":2},3]}"), ("{\"a.x\":1}", "{\"_id\":1,\"a\":[{\"x\":1}]}"),
            ("{\"a.x\":0}", "{\"_id\":1,\"a\":[{\"y\":2},3],\"b\":{\"c\":1}}"),
            ("{\"_id\":0}", "{\"a\":[{\"x\":1,\"y\":2},3],\"b\":{\"c\":1}}"),
            ("{\"b\":{\"c\":1},\"_id\":0}", "{\"b\":{\"c\":1}}"), ("{\"_id\":1}", "{\"_id\":1}"),
            ("{\"b.d\":1}", "{\"_id\":1,\"b\":{}}"),
        ])
    func projection(projection: String, expected: String) throws {
        let document = doc("{\"_id\":1,\"a\":[{\"x\":1,\"y\":2},3],\"b\":{\"c\":1}}")
        #expect(try #require(try Projection(doc(projection))).apply(to: document.view) == doc(expected))
    }

    @Test(
        "bad projections and sorts are refused",
        arguments: [
            ("{\"a\":1,\"b\":0}", 31254), ("{\"a\":0,\"b\":1}", 31253), ("{\"a\":1,\"a.b\":1}", 31249),
            ("{\"a.b\":1,\"a\":1}", 31250),
            ("{\"a\":{\"$foo\":1}}", 31325),
        ])
    func badProjection(projection: String, code: Int) {
        #expect(documentError { try items.find([:], options: FindOptions(projection: doc(projection))) }.code == code)
        #expect(documentError { try items.find([:], options: FindOptions(sort: ["a": 2])) }.code == 15975)
        #expect(documentError { try items.find([:], options: FindOptions(sort: ["a": "x"])) }.code == 15974)
        #expect(documentError { try items.find(["$foo": 1]) }.code == 2)
    }

    @Test("updates report what they matched and modified, and upserts insert")
    func updates() throws {
        try items.insertMany((0..<5).map { ["_id": .int($0), "a": .int($0)] })
        let result = try items.updateMany(["a": ["$gte": 2]], ["$max": ["a": 3]])
        #expect((result.matchedCount, result.modifiedCount) == (3, 1))
        let upserted = try items.updateOne(["_id": 9, "k": "v"], ["$set": ["a": 9]], upsert: true)
        #expect(upserted.upsertedID == 9)
        #expect(upserted.matchedCount == 0)
        #expect(try items.findOne(["_id": 9]) == ["_id": 9, "k": "v", "a": 9])
        #expect(try items.replaceOne(["_id": 9], ["z": 1]).modifiedCount == 1)
        #expect(try items.findOne(["_id": 9]) == ["_id": 9, "z": 1])
        let made = try items.updateMany(["k": 1], ["$set": ["z": 2]], upsert: true)
        #expect(made.upsertedID?.objectIDValue != nil)
        #expect(try items.updateOne(["_id": 77], ["$set": ["a": 1]]).matchedCount == 0)
    }

    @Test("findOneAndUpdate gives the document before or after, by sort")
    func findOneAndUpdate() throws {
        try items.insertMany([["_id": 1, "n": 1], ["_id": 2, "n": 2]])
        let before = try items.findOneAndUpdate([:], ["$inc": ["n": 10]], sort: ["n": -1])
        #expect(before == ["_id": 2, "n": 2])
        let after = try items.findOneAndUpdate(["_id": 5], ["$inc": ["n": 1]], upsert: true, returning: .after)
        #expect(after == ["_id": 5, "n": 1])
        #expect(try items.findOneAndDelete([:], sort: ["n": -1], projection: ["_id": 0]) == ["n": 12])
        #expect(try items.findOneAndDelete(["_id": 2]) == nil)
    }

    @Test("deletes remove documents with their entries")
    func deletes() throws {
        try items.createIndex(["a": 1])
        try items.insertMany((0..<2500).map { ["a": .int($0 % 2)] })
        #expect(try items.deleteOne(["a": 1]).deletedCount == 1)
        #expect(try items.deleteMany(["a": 0]).deletedCount == 1250)
        #expect(try items.deleteMany(["a": 5]).deletedCount == 0)
        #expect(try items.countDocuments() == 1249)
        #expect(try storage.verify().problems == [])
    }

    @Test("what an open transaction wrote is seen in it, and vanishes with it")
    func transactions() throws {
        struct Cancelled: Error {}
        try items.insertOne(["_id": 1, "a": 1])
        #expect(throws: Cancelled.self) {
            try storage.write { transaction in
                try items.insertOne(["_id": 2], in: transaction)
                try items.updateOne(["_id": 1], ["$set": ["a": 2]], in: transaction)
                #expect(try items.find([:], in: transaction).count == 2)
                #expect(try items.findOne(["a": 2], in: transaction) == ["_id": 1, "a": 2])
                // A refusal leaves the transaction usable and as it was.
                #expect(documentError { try items.insertOne(["_id": 2], in: transaction) }.code == 11000)
                #expect(try items.countDocuments(in: transaction) == 2)
                throw Cancelled()
            }
        }
        #expect(try items.find() == [["_id": 1, "a": 1]])
        try storage.write { transaction in
            try items.insertMany([["_id": 3], ["_id": 4]], in: transaction)
            try items.updateMany([:], ["$set": ["b": 1]], in: transaction)
            try items.deleteOne(["_id": 1], in: transaction)
            try items.deleteMany(["_id": 4], in: transaction)
        }
        #expect(try items.find() == [["_id": 3, "b": 1]])
        let missing = store.database("t").collection("none")
        #expect(documentError { try storage.write { try missing.insertOne(["a": 1], in: $0) } }.code == 263)
    }

    @Test("a snapshot keeps seeing its moment")
    func snapshots() throws {
        try items.insertOne(["_id": 1, "a": 1])
        let snapshot = storage.snapshot()
        try items.updateOne(["_id": 1], ["$set": ["a": 2]])
        try items.insertOne(["_id": 2])
        #expect(try items.find([:], in: snapshot) == [["_id": 1, "a": 1]])
        try items.createIndex(["a": 1])
        #expect(try items.find(["a": 1], in: snapshot) == [["_id": 1, "a": 1]], "a newer index must not be used")
    }

    @Test("a second store over the same storage opens what the first one made")
    func reopening() throws {
        try store.database("t").createCollection(
            "v", options: CollectionOptions(validator: ["a": ["$gt": 0]], validationAction: .errorAndLog))
        try items.createIndex(["a.b": -1], options: IndexOptions(unique: true, name: "u", sparse: true))
        try items.insertMany([["_id": 1, "a": [["b": 1], ["b": 2]]], ["_id": 2]])
        let reopened = try DocumentStore(storage: storage)
        let copy = reopened.database("t").collection("q")
        #expect(try copy.listIndexes() == items.listIndexes())
        #expect(reopened.database("t").listCollections() == store.database("t").listCollections())
        #expect(try copy.explain(["a.b": 1]).value(at: "queryPlanner.winningPlan.inputStage.isMultiKey") == true)
        #expect(documentError { try copy.insertOne(["a": ["b": 2]]) }.code == 11000)
        try copy.insertOne(["_id": 3])
        #expect(try copy.countDocuments() == 3)
        #expect(documentError { try reopened.database("t").collection("v").insertOne(["a": 0]) }.code == 121)
    }

    @Test("an interrupted index build is finished when the store opens; one that can't be is dropped")
    func interruptedBuild() throws {
        try items.insertMany((0..<700).map { ["_id": .int($0), "a": .int($0), "b": 1] })
        for (key, id) in [("a", 1), ("b", 2)] as [(String, UInt32)] {
            let state = try #require(store.state(items.namespace))
            let specification = try IndexSpecification([key: 1], IndexOptions(unique: true))
            let index = Index(
                specification, keyspace: try storage.keyspace(items.namespace.indexKeyspace(id)), id: id,
                readySequence: nil, isMultikey: false)
            try storage.write {
                try store.publish(state.with(indexes: state.indexes + [index], nextIndexID: id + 1), in: $0)
            }
        }
        #expect(try items.listIndexes().count == 1)
        let recorder = LogRecorder()
        let reopened = try DocumentStore(storage: storage, logger: recorder.logger)
        let names = try reopened.database("t").collection("q").listIndexes().compactMap { $0["name"]?.stringValue }
        #expect(names == ["_id_", "a_1"])
        #expect(recorder.messages.count == 1)
        #expect(try reopened.database("t").collection("q").findOne(["a": 650])?["_id"] == 650)
        #expect(try storage.verify().problems == [])
    }

    @Test("while a unique index is built, changing a duplicate leaves the other document's entry alone")
    func changesDuringBuild() throws {
        try items.insertMany([["_id": 1, "a": 1], ["_id": 2, "a": 1]])
        let specification = try IndexSpecification(["a": 1], IndexOptions(unique: true))
        let index = Index(
            specification, keyspace: try storage.keyspace(items.namespace.indexKeyspace(1)), id: 1,
            readySequence: nil, isMultikey: false)
        try storage.write { transaction in
            let state = try #require(store.state(items.namespace))
            let building = try state.with(indexes: state.indexes + [index], nextIndexID: 2)
            try store.publish(building, in: transaction)
            try items.writer(building, transaction).addExisting(["_id": 1, "a": 1], RecordID(rawValue: 1), to: index)
        }
        try items.updateOne(["_id": 2], ["$set": ["a": 2]])
        let reopened = try DocumentStore(storage: storage)
        #expect(try reopened.database("t").collection("q").listIndexes().count == 2)
        #expect(try storage.verify().problems == [])
    }

    @Test("of many who insert the same key at once one wins, and an index built meanwhile is complete")
    func concurrency() async throws {
        try items.insertMany((0..<600).map { ["_id": .int($0), "a": .int($0)] })
        let wins = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<4 {
                group.addTask { [items] in
                    var wins = 0
                    for id in 1000..<1100 {
                        do {
                            try items.insertOne(["_id": .int(id), "a": .int(id), "by": .int(task)])
                            wins += 1
                        } catch let error as DocumentError where error.code == .duplicateKey {}
                        try items.updateOne(["_id": .int(id - 1000)], ["$inc": ["n": 1]])
                    }
                    return wins
                }
            }
            group.addTask { [items] in
                try items.createIndex(["a": 1], options: IndexOptions(unique: true))
                try items.createIndex(["n": 1])
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(wins == 100)
        #expect(try items.countDocuments(["n": 4]) == 100)
        #expect(try items.findOne(["a": 1050]) != nil)
        #expect(try storage.verify().problems == [])
    }

    @Test("verify reports entries that do not fit their documents")
    func verification() throws {
        try items.createIndex(["a": 1])
        try items.insertMany([["_id": 1, "a": 1], ["_id": 2, "a": 2]])
        #expect(try storage.verify().problems == [])
        let index = try #require(store.state(items.namespace)?.index(named: "a_1"))
        let key = IndexKeyEncoder.bytes(of: BSONOperand(1).view)
        try storage.write { transaction in
            try transaction.delete(index.keyspace, index.entryKey(key, RecordID(rawValue: 1)).rawSpan)
        }
        let problems = try storage.verify().problems.joined(separator: "\n")
        #expect(problems.contains("record 1 has no entry"))
        #expect(problems.contains("has 1 entries, 2 are due"))
    }

    @Test("validators that are not valid are refused, and none is lost")
    func badValidators() throws {
        let database = store.database("t")
        let bad = CollectionOptions(validator: ["$jsonSchema": ["foo": 1]])
        #expect(documentError { try database.createCollection("c", options: bad) }.code == 9)
        #expect(database.listCollections().isEmpty)
        try database.createCollection("c", options: CollectionOptions(validator: ["a": 1]))
        #expect(
            documentError { try database.collMod("c", CollectionModification(validator: ["a": ["$foo": 1]])) }.code == 2
        )
        #expect(documentError { try database.collMod("none", CollectionModification()) }.code == 26)
        #expect(documentError { try database.collection("c").insertOne(["a": 2]) }.code == 121)
        try database.collMod("c", CollectionModification(validator: [:]))
        #expect(throws: Never.self) { try database.collection("c").insertOne(["a": 2]) }
    }
}
