import StorageCore
import Testing

@testable import TableEngine

@Suite("Tables")
struct TablesTests {
    @Test("a table is described as it was made, listed, and gone once deleted")
    func lifeCycle() throws {
        let shop = try Shop()
        #expect(shop.store.listTables() == ["Inventory", "Orders", "Payments"])
        let description = try shop.store.describeTable("Orders")
        #expect(description.keySchema.partitionKey == KeyAttribute("userId", .s))
        #expect(description.keySchema.sortKey == KeyAttribute("SK", .s))
        #expect(description.streamViewType == .newAndOldImages)
        #expect(try shop.store.describeTable("Payments").latestStreamARN == nil)
        try shop.store.deleteTable("Orders")
        #expect(shop.store.listTables() == ["Inventory", "Payments"])
        expectRefusal(.resourceNotFound, "Requested resource not found: Table: Orders not found") {
            _ = try shop.store.describeTable("Orders")
        }
        expectRefusal(.resourceNotFound, "Requested resource not found") {
            try shop.store.putItem(PutItemRequest(table: "Orders", item: ["userId": "u", "SK": "s"]))
        }
    }

    @Test("a table made anew under an old name is empty")
    func recreated() throws {
        let shop = try Shop()
        try shop.stock(5)
        try shop.store.deleteTable("Inventory")
        try shop.store.createTable(
            CreateTableRequest(
                name: "Inventory", partitionKey: KeyAttribute("productId", .s), streamViewType: .keysOnly))
        #expect(try shop.stock() == nil)
        #expect(try shop.store.stream(of: "Inventory").records(after: nil, limit: 10).isEmpty)
    }

    @Test("a second table of the same name is refused")
    func duplicate() throws {
        let shop = try Shop()
        expectRefusal(.resourceInUse, "Table already exists: Orders") {
            try shop.store.createTable(CreateTableRequest(name: "Orders", partitionKey: KeyAttribute("id", .s)))
        }
    }

    @Test("names and schemas that the service refuses are refused")
    func refusals() throws {
        let shop = try Shop()
        let key = KeyAttribute("id", .s)
        expectRefusal(.validation, "TableName must be at least 3 characters long and at most 255 characters long") {
            try shop.store.createTable(CreateTableRequest(name: "ab", partitionKey: key))
        }
        expectRefusal(
            .validation,
            "1 validation error detected: Value 'a/b' at 'tableName' failed to satisfy constraint: "
                + "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
        ) { try shop.store.createTable(CreateTableRequest(name: "a/b", partitionKey: key)) }
        expectRefusal(
            .validation,
            "1 validation error detected: Value 'BOOL' at 'attributeDefinitions.1.member.attributeType' failed to satisfy "
                + "constraint: Member must satisfy enum value set: [B, N, S]"
        ) { try shop.store.createTable(CreateTableRequest(name: "abc", partitionKey: KeyAttribute("id", .bool))) }
        expectRefusal(
            .validation, "Both the Hash Key and the Range Key element in the KeySchema have the same name"
        ) { try shop.store.createTable(CreateTableRequest(name: "abc", partitionKey: key, sortKey: key)) }
    }

    @Test("tables, items, streams and settings survive a restart")
    func restart() throws {
        let directory = TemporaryDirectory()
        let arn: String?
        do {
            let storage = try Storage.open(at: directory.path)
            let store = try TableStore(storage: storage)
            try store.createTable(
                CreateTableRequest(
                    name: "Orders", partitionKey: KeyAttribute("id", .n), sortKey: KeyAttribute("at", .b),
                    streamViewType: .newImage))
            try store.updateTimeToLive("Orders", attribute: "expires")
            try store.putItem(
                PutItemRequest(table: "Orders", item: ["id": 1, "at": .b([1]), "x": "y"]), durability: .synced)
            arn = try store.describeTable("Orders").latestStreamARN
            try storage.close()
        }
        let storage = try Storage.open(at: directory.path)
        defer { try? storage.close() }
        let store = try TableStore(storage: storage)
        let description = try store.describeTable("Orders")
        #expect(description.latestStreamARN == arn)
        #expect(description.timeToLiveAttribute == "expires")
        #expect(description.keySchema.sortKey == KeyAttribute("at", .b))
        #expect(try store.getItem(["id": 1, "at": .b([1])], from: "Orders")?["x"] == "y")
        #expect(try store.stream(of: "Orders").records(after: nil, limit: 10).map(\.eventName) == [.insert])
        #expect(try storage.verify().problems == [])
    }

    @Test("a damaged row is found by verification")
    func verification() throws {
        let shop = try Shop()
        try shop.stock(5)
        #expect(try shop.storage.verify().problems == [])
        let table = try shop.store.table("Inventory")
        let key = try ItemKey.bytes(ofKey: ["productId": "p1"], table.schema)
        let other = ItemCodec.encode(["productId": "p1", "stock": 4])
        try shop.storage.write { try $0.put(table.keyspace, key.rawSpan, other.rawSpan) }
        #expect(try shop.storage.verify().problems.count == 1)
        let alien = ItemCodec.encode(["productId": "p2"])
        try shop.storage.write { try $0.put(table.keyspace, key.rawSpan, alien.rawSpan) }
        #expect(try shop.storage.verify().problems.count == 2)
    }
}
