import StorageCore
import Testing

@testable import TableEngine

@Suite("Secondary indexes")
struct IndexTests {
    let storage: Storage
    let store: TableStore

    init() throws {
        storage = try Storage.inMemory()
        store = try TableStore(storage: storage)
        try store.createTable(
            CreateTableRequest(
                name: "Orders", partitionKey: KeyAttribute("buyer", .s), sortKey: KeyAttribute("id", .s),
                indexes: [
                    SecondaryIndex(
                        name: "byStatus", partitionKey: KeyAttribute("phase", .s), sortKey: KeyAttribute("since", .s)),
                    SecondaryIndex(
                        name: "byProduct", partitionKey: KeyAttribute("product", .n), projection: .include(["amount"])),
                    SecondaryIndex(
                        name: "byAmount", kind: .local, partitionKey: KeyAttribute("buyer", .s),
                        sortKey: KeyAttribute("amount", .n), projection: .keysOnly),
                ]))
    }

    private func put(_ item: Item) throws {
        try store.putItem(PutItemRequest(table: "Orders", item: item))
    }

    private func query(
        _ index: String, _ condition: String, _ values: [String: AttributeValue], projection: String? = nil,
        forward: Bool = true, limit: Int? = nil, after key: Item? = nil
    ) throws -> ItemPage {
        try store.query(
            QueryRequest(
                table: "Orders", index: index, keyCondition: condition, projection: projection, values: values,
                scanIndexForward: forward, limit: limit, exclusiveStartKey: key))
    }

    private func ids(_ page: ItemPage) -> [String] { page.items.compactMap { $0["id"]?.string } }

    @Test("an index follows its table: entries come, move, change and go in the commit of the change")
    func maintenance() throws {
        let item: Item = [
            "buyer": "u", "id": "1", "phase": "OPEN", "since": "10", "product": 7, "amount": 5, "note": "x",
        ]
        try put(item)
        try put(["buyer": "u", "id": "2", "phase": "OPEN"])
        #expect(try query("byStatus", "phase = :s", [":s": "OPEN"]).items == [item])
        #expect(
            try query("byProduct", "product = :p", [":p": 7]).items == [
                ["buyer": "u", "id": "1", "product": 7, "amount": 5]
            ])
        #expect(try query("byAmount", "buyer = :u", [":u": "u"]).items == [["buyer": "u", "id": "1", "amount": 5]])
        try store.updateItem(
            UpdateItemRequest(
                table: "Orders", key: ["buyer": "u", "id": "1"], update: "SET phase = :p, note = :n REMOVE product",
                values: [":p": "PAID", ":n": "y"]))
        #expect(try query("byStatus", "phase = :s", [":s": "OPEN"]).items.isEmpty)
        #expect(try query("byStatus", "phase = :s", [":s": "PAID"]).items.first?["note"] == "y")
        #expect(try query("byProduct", "product = :p", [":p": 7]).items.isEmpty)
        try store.deleteItem(DeleteItemRequest(table: "Orders", key: ["buyer": "u", "id": "1"]))
        #expect(try store.scan(ScanRequest(table: "Orders", index: "byStatus")).items.isEmpty)
        #expect(try store.scan(ScanRequest(table: "Orders", index: "byAmount")).items.isEmpty)
        #expect(try storage.verify().problems == [])
    }

    @Test(
        "conditions on the index's sort key",
        arguments: [
            ("since = :b", ["2", "3"]), ("since < :b", ["1"]), ("since <= :b", ["1", "2", "3"]),
            ("since > :b", ["4", "5"]),
            ("since >= :b", ["2", "3", "4", "5"]), ("since BETWEEN :a AND :b", ["1", "2", "3"]),
            ("begins_with(since, :b)", ["2", "3", "4"]),
        ])
    func ranges(condition: String, expected: [String]) throws {
        for (id, at) in [("1", "a"), ("2", "b"), ("3", "b"), ("4", "bb"), ("5", "c")] {
            try put(["buyer": "u", "id": .s(id), "phase": "S", "since": .s(at)])
        }
        let all: [String: AttributeValue] = [":a": "a", ":b": "b"]
        var values = all.filter { condition.contains($0.key) }
        values[":s"] = "S"
        #expect(ids(try query("byStatus", "phase = :s AND " + condition, values)) == expected)
        #expect(
            ids(try query("byStatus", "phase = :s AND " + condition, values, forward: false)) == expected.reversed())
    }

    @Test("pages of an index go on by the keys of index and table, through entries of equal index keys")
    func pages() throws {
        for number in 0..<7 {
            try put(["buyer": .s("u\(number % 3)"), "id": .s("\(number)"), "product": 1, "amount": 2])
        }
        for forward in [true, false] {
            var found: [String] = []
            var key: Item?
            repeat {
                let page = try query("byProduct", "product = :p", [":p": 1], forward: forward, limit: 2, after: key)
                found += ids(page)
                key = page.lastEvaluatedKey
                if let key { #expect(Set(key.names) == ["product", "buyer", "id"]) }
            } while key != nil
            #expect(Set(found).count == 7 && found.count == 7)
        }
        expectRefusal(
            .validation, "The provided starting key is invalid: The provided key element does not match the schema"
        ) { _ = try query("byProduct", "product = :p", [":p": 1], after: ["product": 1]) }
    }

    @Test("a local index reads what it lacks from the table, a global one refuses")
    func unprojected() throws {
        try put(["buyer": "u", "id": "1", "product": 7, "amount": 5, "note": "x"])
        #expect(try query("byAmount", "buyer = :u", [":u": "u"], projection: "note").items == [["note": "x"]])
        expectRefusal(
            .validation,
            "One or more parameter values were invalid: Global secondary index byProduct does not project [note]"
        ) { _ = try query("byProduct", "product = :p", [":p": 7], projection: "note, amount") }
    }

    @Test("a value that can't be an index key is refused on every way of writing it")
    func wrongKeys() throws {
        let message =
            "One or more parameter values were invalid: Type mismatch for Index Key product Expected: N Actual: S "
            + "IndexName: byProduct"
        expectRefusal(.validation, message) { try put(["buyer": "u", "id": "1", "product": "seven"]) }
        let update = UpdateItemRequest(
            table: "Orders", key: ["buyer": "u", "id": "1"], update: "SET product = :v", values: [":v": "seven"])
        expectRefusal(.validation, message) { try store.updateItem(update) }
        do {
            try store.transactWriteItems(TransactWriteItemsRequest([.update(update)]))
            Issue.record("the transaction should have been cancelled")
        } catch let error as TableError {
            #expect(error.cancellationReasons == [CancellationReason(.validationError, message: message)])
        }
        expectRefusal(
            .validation,
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
                + "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: byStatus, "
                + "IndexKey: phase"
        ) { try put(["buyer": "u", "id": "1", "phase": ""]) }
    }

    @Test("definitions that the service refuses are refused")
    func definitions() throws {
        let (user, id, other) = (KeyAttribute("buyer", .s), KeyAttribute("id", .s), KeyAttribute("other", .s))
        func create(_ indexes: [SecondaryIndex], sortKey: KeyAttribute? = KeyAttribute("id", .s)) throws {
            try store.createTable(
                CreateTableRequest(name: "New", partitionKey: user, sortKey: sortKey, indexes: indexes))
        }
        let prefix = "One or more parameter values were invalid: "
        let index = SecondaryIndex(name: "index", partitionKey: other)
        expectRefusal(.validation, prefix + "Duplicate index name: index") { try create([index, index]) }
        expectRefusal(
            .validation,
            prefix
                + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        ) { try create([SecondaryIndex(name: "abc", kind: .local, partitionKey: user, sortKey: other)], sortKey: nil) }
        expectRefusal(.validation, prefix + "Index KeySchema does not have a range key for index: abc") {
            try create([SecondaryIndex(name: "abc", kind: .local, partitionKey: user)])
        }
        expectRefusal(
            .validation,
            prefix + "Index KeySchema does not have the same leading hash key as table KeySchema for index: abc. "
                + "index hash key: other, table hash key: buyer"
        ) { try create([SecondaryIndex(name: "abc", kind: .local, partitionKey: other, sortKey: id)]) }
        expectRefusal(.validation, prefix + "GlobalSecondaryIndex count exceeds the per-table limit of 20") {
            try create((0..<21).map { SecondaryIndex(name: "index\($0)", partitionKey: other) })
        }
    }

    @Test("random writes leave every index as it would be built anew")
    func randomWrites() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        var model: [Item: Item] = [:]
        for _ in 0..<400 {
            let key: Item = [
                "buyer": .s("u\(Int.random(in: 0..<3, using: &random))"),
                "id": .s("\(Int.random(in: 0..<6, using: &random))"),
            ]
            if Int.random(in: 0..<4, using: &random) == 0 {
                try store.deleteItem(DeleteItemRequest(table: "Orders", key: key))
                model[key] = nil
                continue
            }
            var item = key
            for (name, value) in [
                ("phase", AttributeValue.s("s")), ("since", "1"), ("product", 1), ("amount", 1), ("note", "n"),
            ]
            where Bool.random(using: &random) { item[name] = value }
            try put(item)
            model[key] = item
        }
        for definition in try store.describeTable("Orders").indexes {
            let expected = model.values.filter { item in definition.keySchema.names.allSatisfy(item.contains) }
            let names = definition.projectedNames(try store.table("Orders").schema)
            let found = try store.scan(ScanRequest(table: "Orders", index: definition.name)).items
            #expect(Set(found) == Set(expected.map { item in names.map(item.selecting) ?? item }), "seed \(seed)")
            #expect(found.count == expected.count, "seed \(seed)")
        }
        #expect(try storage.verify().problems == [], "seed \(seed)")
        // Another store over the same storage reads the definitions from the catalog.
        #expect(
            try TableStore(storage: storage).describeTable("Orders").indexes == store.describeTable("Orders").indexes)
    }

    @Test("an entry that is missing or wrong is found by verification")
    func verification() throws {
        try put(["buyer": "u", "id": "1", "product": 7])
        let index = try store.table("Orders").index("byProduct")
        let item: Item = ["buyer": "u", "id": "1", "product": 7]
        let tableKey = try ItemKey.bytes(ofItem: item, try store.table("Orders").schema)
        let key = try #require(try index.key(of: item, tableKey: tableKey))
        try storage.write { try $0.delete(index.keyspace, key.rawSpan) }
        #expect(try storage.verify().problems.count == 1)
        let wrong = ItemCodec.encode(["buyer": "u", "id": "1", "product": 7, "amount": 1])
        try storage.write { try $0.put(index.keyspace, key.rawSpan, wrong.rawSpan) }
        #expect(try storage.verify().problems.count == 1)
    }
}
