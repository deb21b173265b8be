import Testing

@testable import DocumentEngine

@Suite struct IndexTests {
    private let storage: Storage
    private let items: DocumentCollection

    init() throws {
        storage = try Storage.inMemory()
        items = try DocumentStore(storage: storage).database("t").collection("q")
    }

    @Test("index keys order as the values do, ascending and descending")
    func keyOrder() {
        let seed: UInt64 = .random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        func encoded(_ values: [BSONValue], _ descending: Bool) -> [UInt8] {
            var encoder = IndexKeyEncoder()
            for value in values { encoder.append(BSONOperand(value).view, descending: descending) }
            return encoder.bytes
        }
        for _ in 0..<6000 {
            let (left, right) = (randomValue(&random), randomValue(&random))
            let expected = left.compare(right).signum()
            for descending in [false, true] {
                let (first, second) = (encoded([left, 1], descending), encoded([right, 1], descending))
                let order = first.rawSpan.compare(second.rawSpan).signum()
                #expect(order == (descending ? -expected : expected), "seed \(seed): \(left) ? \(right)")
                if expected != 0 {
                    #expect(!first.starts(with: encoded([right], descending)), "seed \(seed): \(left) extends \(right)")
                }
            }
        }
    }

    @Test(
        "a document gives the keys of its arrays",
        arguments: [
            ("{\"a\":1}", "{\"a\":5}", 1, false), ("{\"a\":1}", "{}", 1, false),
            ("{\"a\":1}", "{\"a\":[1,2,2]}", 2, true),
            ("{\"a\":1}", "{\"a\":[]}", 1, true), ("{\"a.b\":1}", "{\"a\":[{\"b\":1},{\"b\":[2,3]},{},5]}", 4, true),
            ("{\"a.b\":1,\"a.c\":1}", "{\"a\":[{\"b\":1,\"c\":1},{\"b\":2,\"c\":2}]}", 2, true),
            ("{\"a\":1,\"b\":1}", "{\"a\":[1,2],\"b\":1}", 2, true),
            ("{\"a\":1}", "{\"a\":[[1,2],[1,2]]}", 1, true),
        ])
    func keys(pattern: String, document: String, count: Int, isMultikey: Bool) throws {
        let keys = try IndexSpecification(doc(pattern), IndexOptions()).keys(of: doc(document).view)
        #expect(keys.keys.count == count)
        #expect(keys.isMultikey == isMultikey)
    }

    @Test("two arrays under one index are refused")
    func parallelArrays() throws {
        try items.createIndex(["a": 1, "b": 1])
        let error = documentError { try items.insertOne(["a": [1], "b": [2]]) }
        #expect(error == (171, "cannot index parallel arrays [b] [a]"))
        #expect(try items.countDocuments() == 0)
    }

    @Test(
        "creating an index again, or one in another's way",
        arguments: [
            ("{\"a\":1}", IndexOptions(), 0), ("{\"a\":1}", IndexOptions(name: "other"), 85),
            ("{\"b\":1}", IndexOptions(name: "a_1"), 86),
            ("{\"a\":1}", IndexOptions(unique: true), 86), ("{\"a\":1}", IndexOptions(unique: true, name: "u"), 0),
            ("{}", IndexOptions(), 67),
            ("{\"a\":0}", IndexOptions(), 67), ("{\"a\":true}", IndexOptions(), 67),
            ("{\"a\":\"text\"}", IndexOptions(), 67), ("{\"a..b\":1}", IndexOptions(), 67),
            ("{\"$a\":1}", IndexOptions(), 67),
            ("{\"c\":1}", IndexOptions(partialFilterExpression: ["a": 1], sparse: true), 67),
            ("{\"_id\":1}", IndexOptions(partialFilterExpression: ["a": 1]), 197), ("{\"_id\":1}", IndexOptions(), 0),
            ("{\"c\":1}", IndexOptions(partialFilterExpression: ["a": ["$ne": 1]]), 67),
            ("{\"c\":1}", IndexOptions(partialFilterExpression: ["a": ["$exists": false]]), 67),
            ("{\"c\":1}", IndexOptions(partialFilterExpression: ["a": ["$regex": "x"]]), 67),
            ("{\"c\":1}", IndexOptions(partialFilterExpression: ["$expr": 1]), 224),
            ("{\"c\":1}", IndexOptions(partialFilterExpression: ["$and": .array([])]), 2),
            ("{\"c\":1}", IndexOptions(partialFilterExpression: ["a": ["$in": [1]]]), 0),
        ])
    func conflicts(keys: String, options: IndexOptions, code: Int) throws {
        try items.createIndex(["a": 1])
        if code == 0 {
            #expect(throws: Never.self) { try items.createIndex(doc(keys), options: options) }
        } else {
            #expect(documentError { try items.createIndex(doc(keys), options: options) }.code == code)
        }
    }

    @Test("an index over data that violates it is refused and leaves nothing")
    func violatedBuild() throws {
        try items.insertMany((0..<1500).map { ["_id": .int($0), "a": .int($0 == 1400 ? 3 : $0)] })
        let error = documentError { try items.createIndex(["a": 1], options: IndexOptions(unique: true)) }
        #expect(error == (11000, "E11000 duplicate key error collection: t.q index: a_1 dup key: { a: 3 }"))
        #expect(try items.listIndexes() == [["v": 2, "key": ["_id": 1], "name": "_id_"]])
        try items.deleteOne(["_id": 1400])
        try items.createIndex(["a": 1], options: IndexOptions(unique: true))
        #expect(try items.findOne(["a": 1499])?["_id"] == 1499)
        #expect(try storage.verify().problems == [])
    }

    @Test("an index is dropped by name, the one on _id never")
    func dropping() throws {
        try items.createIndex(["a": 1])
        try items.dropIndex("a_1")
        #expect(documentError { try items.dropIndex("a_1") } == (27, "index not found with name [a_1]"))
        #expect(documentError { try items.dropIndex("_id_") }.code == 72)
        #expect(try items.explain(["a": 1]).value(at: "queryPlanner.winningPlan.stage") == "COLLSCAN")
    }

    @Test("a unique index counts missing fields as null, a sparse one leaves them out")
    func missingFields() throws {
        try items.createIndex(["a": 1], options: IndexOptions(unique: true))
        try items.createIndex(["b": 1], options: IndexOptions(unique: true, sparse: true))
        try items.insertOne(["_id": 1])
        let error = documentError { try items.insertOne(["_id": 2, "a": nil]) }
        #expect(error == (11000, "E11000 duplicate key error collection: t.q index: a_1 dup key: { a: null }"))
        try items.insertOne(["_id": 2, "a": 2])
        #expect(try items.findOne(["b": nil, "_id": 2]) != nil)
        #expect(try items.explain(["b": nil]).value(at: "queryPlanner.winningPlan.stage") == "COLLSCAN")
    }

    @Test(
        "the planner takes the index that pins down most",
        arguments: [
            ("{\"_id\":5}", "_id_"), ("{\"a\":1}", "a_1"), ("{\"a\":1,\"b\":2}", "a_1_b_-1"),
            ("{\"a\":{\"$gt\":1}}", "a_1"),
            ("{\"b\":2}", nil), ("{\"$or\":[{\"a\":1},{\"a\":2}]}", nil),
            ("{\"a\":{\"$in\":[1,2]},\"b\":{\"$lt\":3}}", "a_1_b_-1"),
            ("{\"a\":{\"$ne\":1}}", nil), ("{\"a\":[1]}", nil), ("{\"$and\":[{\"a\":1},{\"c\":1}]}", "a_1"),
        ])
    func planning(filter: String, index: String?) throws {
        try items.createIndex(["a": 1])
        try items.createIndex(["a": 1, "b": -1])
        try items.insertOne(["a": 1, "b": 2])
        let plan = try items.explain(doc(filter))
        #expect(plan.value(at: "queryPlanner.winningPlan.inputStage.indexName")?.stringValue == index)
    }

    @Test("a hint is obeyed, one that names nothing is refused")
    func hints() throws {
        try items.createIndex(["a": 1])
        try items.insertMany([["_id": 1, "a": 2], ["_id": 2, "a": 1]])
        let options = FindOptions(hint: .keys(["a": 1]))
        #expect(try items.find([:], options: options).compactMap { $0["_id"]?.intValue } == [2, 1])
        #expect(documentError { try items.find([:], options: FindOptions(hint: .name("none"))) }.code == 2)
    }

    @Test(
        "a query may use a partial index exactly if it implies the filter",
        arguments: [
            ("{\"a\":5}", "{\"a\":{\"$gt\":3}}", true), ("{\"a\":{\"$gt\":5}}", "{\"a\":{\"$gt\":3}}", true),
            ("{\"a\":{\"$gt\":3}}", "{\"a\":{\"$gt\":3}}", true),
            ("{\"a\":{\"$gte\":3}}", "{\"a\":{\"$gt\":3}}", false),
            ("{\"a\":{\"$lt\":3}}", "{\"a\":{\"$lte\":3}}", true), ("{\"a\":\"x\"}", "{\"a\":{\"$gt\":3}}", false),
            ("{\"b\":5}", "{\"a\":5}", false), ("{\"a\":5,\"b\":1}", "{\"a\":5}", true),
            ("{\"$or\":[{\"a\":5},{\"a\":6}]}", "{\"a\":{\"$gt\":3}}", true),
            ("{\"$or\":[{\"a\":5},{\"b\":6}]}", "{\"a\":{\"$gt\":3}}", false),
            ("{\"a\":{\"$in\":[4,5]}}", "{\"a\":{\"$gt\":3}}", true),
            ("{\"a\":{\"$in\":[2,5]}}", "{\"a\":{\"$gt\":3}}", false), ("{\"a\":5}", "{\"a\":{\"$in\":[4,5]}}", true),
            ("{\"a\":5}", "{\"a\":{\"$exists\":true}}", true),
            ("{\"a\":null}", "{\"a\":{\"$exists\":true}}", false),
            ("{\"a\":{\"$ne\":null}}", "{\"a\":{\"$exists\":true}}", true),
            ("{\"a\":{\"$nin\":[null,1]}}", "{\"a\":{\"$exists\":true}}", true),
            ("{\"a\":{\"$size\":1}}", "{\"a\":{\"$exists\":true}}", true),
            ("{\"a\":5,\"b\":5}", "{\"a\":5,\"b\":5}", true), ("{\"a\":5}", "{\"a\":5,\"b\":5}", false),
            ("{\"a\":5}", "{\"$or\":[{\"a\":5},{\"b\":5}]}", true),
            ("{\"a\":{\"$type\":\"int\"}}", "{\"a\":{\"$type\":\"number\"}}", true), ("{}", "{\"a\":5}", false),
            ("{\"a\":{\"$in\":[]}}", "{\"a\":5}", false),
            ("{\"a\":{\"$numberDouble\":\"NaN\"}}", "{\"a\":{\"$lt\":5}}", false),
            ("{\"a\":{\"$not\":{\"$gt\":9}}}", "{\"a\":{\"$lte\":9}}", false),
        ])
    func subsets(query: String, filter: String, expected: Bool) throws {
        let (query, filter) = (try FilterParser.parse(doc(query)), try PartialFilter.parse(doc(filter)))
        #expect(PartialFilter.contains(filter, everyMatchOf: query) == expected)
    }
}

/// Indexes must never change an answer.
@Suite struct IndexPropertyTests {
    private static func randomFilter(_ random: inout SeededRandom, depth: Int = 2) -> Document {
        func leaf() -> Document {
            let path = ["a", "b", "a.b", "a.c", "_id", "a.0", "b.c"].randomElement(using: &random) ?? "a"
            let operand = randomValue(&random, depth: 1)
            let condition: BSONValue =
                switch Int.random(in: 0..<9, using: &random) {
                case 0: ["$gt": operand]
                case 1: ["$gte": operand, "$lt": randomValue(&random, depth: 0)]
                case 2: ["$lte": operand]
                case 3: ["$in": [operand, randomValue(&random, depth: 0)]]
                case 4: ["$ne": operand]
                case 5: ["$exists": .bool(Bool.random(using: &random))]
                case 6: ["$all": [operand, randomValue(&random, depth: 0)]]
                case 7: ["$elemMatch": ["b": operand]]
                default: ["$eq": operand]
                }
            return [path: condition]
        }
        guard depth > 0 else { return leaf() }
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            return ["$or": [.document(randomFilter(&random, depth: 0)), .document(randomFilter(&random, depth: 0))]]
        case 1, 2: return ["$and": [.document(leaf()), .document(randomFilter(&random, depth: depth - 1))]]
        default: return leaf()
        }
    }

    private static let indexes: [(Document, IndexOptions)] = [
        (["a": 1], IndexOptions()), (["a.b": -1], IndexOptions()), (["b": -1, "a": 1], IndexOptions()),
        (["a.b": 1, "a.c": -1], IndexOptions()), (["b": 1], IndexOptions(name: "s", sparse: true)),
        (["b": 1], IndexOptions(partialFilterExpression: ["a": ["$gt": 0]], name: "p")),
        (["a": -1], IndexOptions(partialFilterExpression: ["b": ["$exists": true]], name: "e")),
        (["b.c": 1], IndexOptions()),
    ]

    @Test("a query answers the same through indexes as through a scan of the collection", arguments: [false, true])
    func indexPathEqualsScanPath(arrays: Bool) throws {
        let seed: UInt64 = .random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let storage = try Storage.inMemory()
        let items = try DocumentStore(storage: storage).database("t").collection("q")
        for (keys, options) in Self.indexes { try items.createIndex(keys, options: options) }
        var model: [Int: Document] = [:]
        for step in 0..<250 {
            let fields = randomDocument(&random, depth: arrays ? 3 : 1).fields.filter {
                $0.name == "a" || $0.name == "b"
            }
            let document = Document([("_id", .int(step % 120))] + fields.map { ($0.name, $0.value) })
            do {
                if model[step % 120] == nil {
                    try items.insertOne(document)
                } else {
                    try items.replaceOne(["_id": .int(step % 120)], document)
                }
                model[step % 120] = document
            } catch let error as DocumentError {
                #expect(error.code == .cannotIndexParallelArrays, "seed \(seed): \(error)")
            }
        }
        var indexScans = 0
        for _ in 0..<400 {
            let filter = Self.randomFilter(&random)
            let expression = try FilterParser.parse(filter)
            let expected = Set(model.values.filter { expression.accepts($0) })
            let found = try items.find(filter)
            #expect(Set(found) == expected && found.count == expected.count, "seed \(seed): \(filter)")
            if try items.explain(filter).value(at: "queryPlanner.winningPlan.stage") == "FETCH" { indexScans += 1 }
        }
        #expect(indexScans > 50)
        #expect(try storage.verify().problems == [], "seed \(seed)")
    }
}
