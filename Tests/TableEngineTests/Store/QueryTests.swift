import StorageCore
import Testing

@testable import TableEngine

@Suite("Queries and scans")
struct QueryTests {
    let shop: Shop
    var store: TableStore { shop.store }

    init() throws {
        shop = try Shop()
        for number in 0..<10 {
            try shop.store.putItem(
                PutItemRequest(
                    table: "Orders", item: ["userId": "u1", "SK": .s("ORDER#\(number)"), "n": .n(number)]))
        }
        try shop.store.putItem(PutItemRequest(table: "Orders", item: ["userId": "u1", "SK": "PROFILE"]))
        try shop.store.putItem(PutItemRequest(table: "Orders", item: ["userId": "u2", "SK": "ORDER#0"]))
    }

    private func query(
        _ condition: String, _ values: [String: AttributeValue], filter: String? = nil, forward: Bool = true,
        limit: Int? = nil, after key: Item? = nil
    ) throws -> ItemPage {
        try store.query(
            QueryRequest(
                table: "Orders", keyCondition: condition, filter: filter, values: values, scanIndexForward: forward,
                limit: limit, exclusiveStartKey: key))
    }

    private func sortKeys(_ page: ItemPage) -> [String] { page.items.compactMap { $0["SK"]?.string } }

    @Test("a partition is read in the order of its sort keys, either way")
    func order() throws {
        let forward = try query("userId = :u", [":u": "u1"])
        #expect(sortKeys(forward) == (0..<10).map { "ORDER#\($0)" } + ["PROFILE"])
        #expect(forward.lastEvaluatedKey == nil)
        let backward = try query("userId = :u", [":u": "u1"], forward: false)
        #expect(sortKeys(backward) == sortKeys(forward).reversed())
    }

    @Test(
        "conditions on the sort key",
        arguments: [
            ("SK = :a", ["ORDER#3"]), ("SK < :a", ["ORDER#0", "ORDER#1", "ORDER#2"]),
            ("SK <= :a", ["ORDER#0", "ORDER#1", "ORDER#2", "ORDER#3"]),
            ("SK > :b", ["ORDER#8", "ORDER#9", "PROFILE"]), ("SK >= :b", ["ORDER#7", "ORDER#8", "ORDER#9", "PROFILE"]),
            ("SK BETWEEN :a AND :b", ["ORDER#3", "ORDER#4", "ORDER#5", "ORDER#6", "ORDER#7"]),
            ("begins_with(SK, :p)", ["PROFILE"]), (":a > SK", ["ORDER#0", "ORDER#1", "ORDER#2"]),
        ])
    func ranges(condition: String, expected: [String]) throws {
        let all: [String: AttributeValue] = [":a": "ORDER#3", ":b": "ORDER#7", ":p": "PRO"]
        var values = all.filter { condition.contains($0.key) }
        values[":u"] = "u1"
        #expect(sortKeys(try query("userId = :u AND " + condition, values)) == expected)
        #expect(sortKeys(try query("userId = :u AND " + condition, values, forward: false)) == expected.reversed())
    }

    @Test("pages of every size give every item once, in both directions")
    func pages() throws {
        for forward in [true, false] {
            for limit in 1...12 {
                var found: [String] = []
                var key: Item?
                repeat {
                    let page = try query("userId = :u", [":u": "u1"], forward: forward, limit: limit, after: key)
                    #expect(page.scannedCount <= limit)
                    found += sortKeys(page)
                    key = page.lastEvaluatedKey
                } while key != nil
                let expected = (0..<10).map { "ORDER#\($0)" } + ["PROFILE"]
                #expect(found == (forward ? expected : expected.reversed()))
            }
        }
    }

    @Test("a filter is applied after the limit, so a page may be empty and go on")
    func filter() throws {
        let page = try query(
            "userId = :u", [":u": "u1", ":n": 5], filter: "n >= :n", limit: 3)
        #expect(page.count == 0)
        #expect(page.scannedCount == 3)
        #expect(page.lastEvaluatedKey == ["userId": "u1", "SK": "ORDER#2"])
        #expect(try query("userId = :u", [":u": "u1", ":n": 5], filter: "n >= :n").count == 5)
    }

    @Test("a page ends at 1 MB")
    func byteLimit() throws {
        let text = AttributeValue.s(String(repeating: "x", count: 300_000))
        for number in 0..<6 {
            try store.putItem(
                PutItemRequest(table: "Orders", item: ["userId": "big", "SK": .s("\(number)"), "x": text]))
        }
        let page = try query("userId = :u", [":u": "big"])
        #expect(page.count == 4)
        let rest = try query("userId = :u", [":u": "big"], after: page.lastEvaluatedKey)
        #expect(rest.count == 2)
        #expect(rest.lastEvaluatedKey == nil)
    }

    @Test("number sort keys are in numeric order")
    func numbers() throws {
        try store.createTable(
            CreateTableRequest(name: "Numbers", partitionKey: KeyAttribute("p", .b), sortKey: KeyAttribute("n", .n)))
        let numbers: [AttributeValue] = [10, -2, 0, 0.5, 9, -10, 100]
        for number in numbers {
            try store.putItem(PutItemRequest(table: "Numbers", item: ["p": .b([0, 1]), "n": number]))
        }
        let request = QueryRequest(
            table: "Numbers", keyCondition: "p = :p AND n BETWEEN :a AND :b",
            values: [":p": .b([0, 1]), ":a": -2, ":b": 10])
        #expect(
            try store.query(request).items.compactMap { $0["n"]?.number?.description } == ["-2", "0", "0.5", "9", "10"])
    }

    @Test("keys with zeros and prefixes of one another do not mix partitions")
    func partitions() throws {
        try store.createTable(
            CreateTableRequest(name: "Bytes", partitionKey: KeyAttribute("p", .b), sortKey: KeyAttribute("s", .b)))
        let partitions: [[UInt8]] = [[0], [0, 0], [0, 1], [0, 0xFF], [1], [1, 0]]
        for partition in partitions {
            for sort in partitions {
                try store.putItem(PutItemRequest(table: "Bytes", item: ["p": .b(partition), "s": .b(sort)]))
            }
        }
        for partition in partitions {
            let page = try store.query(
                QueryRequest(table: "Bytes", keyCondition: "p = :p", values: [":p": .b(partition)]))
            #expect(page.items.compactMap { $0["s"]?.bytes } == partitions)
            #expect(page.items.allSatisfy { $0["p"]?.bytes == partition })
        }
    }

    @Test("a scan gives every item once, also page by page and by segments")
    func scan() throws {
        #expect(try store.scan(ScanRequest(table: "Orders")).count == 12)
        var found: Set<Item> = []
        for segment in 0..<3 {
            var key: Item?
            repeat {
                let page = try store.scan(
                    ScanRequest(
                        table: "Orders", limit: 2, exclusiveStartKey: key, segment: segment, totalSegments: 3))
                for item in page.items { #expect(found.insert(item).inserted) }
                key = page.lastEvaluatedKey
            } while key != nil
        }
        #expect(found.count == 12)
        let filtered = try store.scan(
            ScanRequest(table: "Orders", filter: "userId = :u", projection: "SK", values: [":u": "u2"]))
        #expect(filtered.items == [["SK": "ORDER#0"]])
        #expect(filtered.scannedCount == 12)
    }

    @Test("what the service refuses is refused in its words")
    func refusals() throws {
        expectRefusal(
            .validation,
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: SK"
        ) { _ = try query("userId = :u", [":u": "u1", ":s": "x"], filter: "SK = :s") }
        expectRefusal(
            .validation,
            "One or more parameter values were invalid: Condition parameter type does not match schema type"
        ) { _ = try query("userId = :u", [":u": 1]) }
        expectRefusal(
            .validation, "The provided starting key is outside query boundaries based on provided conditions"
        ) { _ = try query("userId = :u", [":u": "u1"], after: ["userId": "u2", "SK": "x"]) }
        expectRefusal(
            .validation,
            "The provided starting key is invalid: The provided key element does not match the schema"
        ) { _ = try query("userId = :u", [":u": "u1"], after: ["userId": "u1"]) }
        expectRefusal(
            .validation,
            "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: "
                + "Member must have value greater than or equal to 1"
        ) { _ = try query("userId = :u", [":u": "u1"], limit: 0) }
        expectRefusal(.validation, "The table does not have the specified index: whatever") {
            _ = try store.query(
                QueryRequest(table: "Orders", index: "whatever", keyCondition: "a = :a", values: [":a": 1]))
        }
        expectRefusal(
            .validation,
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                + "Segment: 5 is not less than TotalSegments: 5"
        ) { _ = try store.scan(ScanRequest(table: "Orders", segment: 5, totalSegments: 5)) }
        expectRefusal(
            .validation,
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"
        ) { _ = try store.scan(ScanRequest(table: "Orders", totalSegments: 5)) }
    }
}
