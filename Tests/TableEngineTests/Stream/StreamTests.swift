import StorageCore
import Testing

@testable import TableEngine

@Suite("Change streams")
struct StreamTests {
    let shop: Shop
    var store: TableStore { shop.store }

    init() throws { shop = try Shop() }

    private func set(_ value: Int, of product: String = "p1") throws {
        try shop.stock(value, of: product)
    }

    private func records(_ table: String = "Inventory", after: StreamSequenceNumber? = nil) throws -> [StreamRecord] {
        try shop.storage.sync()
        return try store.stream(of: table).records(after: after, limit: 1000)
    }

    @Test("each change gives one record with its images, and a write that changes nothing gives none")
    func images() throws {
        try set(1)
        try set(1)
        try set(2)
        try store.deleteItem(DeleteItemRequest(table: "Inventory", key: ["productId": "p1"]))
        try store.deleteItem(DeleteItemRequest(table: "Inventory", key: ["productId": "p1"]))
        try store.updateItem(
            UpdateItemRequest(table: "Inventory", key: ["productId": "p1"], update: "SET stock = :v", values: [":v": 7])
        )
        let records = try records()
        #expect(records.map(\.eventName) == [.insert, .modify, .remove, .insert])
        #expect(records.map(\.newImage?["stock"]?.int) == [1, 2, nil, 7])
        #expect(records.map(\.oldImage?["stock"]?.int) == [nil, 1, 2, nil])
        #expect(records.allSatisfy { $0.keys == ["productId": "p1"] })
        #expect(records.allSatisfy { $0.eventVersion == "1.1" && $0.eventSource == "aws:dynamodb" })
        #expect(records.allSatisfy { $0.eventID.utf8.count == 32 && $0.userIdentity == nil })
        #expect(Set(records.map(\.eventID)).count == 4)
        #expect(records == (try self.records()))
    }

    @Test("a view carries its images and no others", arguments: StreamViewType.allCases)
    func views(view: StreamViewType) throws {
        let shop = try Shop(streamViewType: view)
        try shop.stock(1)
        try shop.stock(2)
        let record = try #require(try shop.store.stream(of: "Inventory").records(after: nil, limit: 9).last)
        #expect(record.newImage?["stock"]?.int == (view.includesNewImage ? 2 : nil))
        #expect(record.oldImage?["stock"]?.int == (view.includesOldImage ? 1 : nil))
        #expect(record.streamViewType == view)
        let image = ("productId".utf8.count + 2) + ("stock".utf8.count + 2)
        let images = (view.includesNewImage ? image : 0) + (view.includesOldImage ? image : 0)
        #expect(record.sizeBytes == "productId".utf8.count + 2 + images)
        #expect(try shop.storage.verify().problems == [])
    }

    @Test("the changes of one commit have its number and differ by ordinal; texts order as the numbers do")
    func sequenceNumbers() throws {
        try store.batchWriteItem(["Inventory": (0..<12).map { .put(["productId": .s("\($0)")]) }])
        try set(1)
        let numbers = try records().map(\.sequenceNumber)
        #expect(Set(numbers.prefix(12).map(\.commit)).count == 1)
        #expect(numbers == numbers.sorted())
        #expect(numbers.map(\.description) == numbers.map(\.description).sorted())
        for number in numbers {
            #expect((21...40).contains(number.description.utf8.count))
            #expect(StreamSequenceNumber(number.description) == number)
        }
        #expect(StreamSequenceNumber("123") == nil)
        #expect(StreamSequenceNumber(String(repeating: "x", count: 28)) == nil)
    }

    @Test("reading goes on behind a position")
    func positions() throws {
        for value in 1...5 { try set(value) }
        let all = try records()
        for (index, record) in all.enumerated() {
            #expect(try records(after: record.sequenceNumber) == Array(all[(index + 1)...]))
        }
        #expect(try store.stream(of: "Inventory").records(after: all[1].sequenceNumber, limit: 2) == Array(all[2...3]))
    }

    @Test("a change is not shown before it is durable, unless asked for")
    func durability() throws {
        let stream = try store.stream(of: "Inventory")
        try store.putItem(PutItemRequest(table: "Inventory", item: ["productId": "a"]))
        #expect(try stream.records(after: nil, limit: 10, level: .visible).count == 1)
        #expect(
            try stream.records(after: nil, limit: 10).isEmpty
                || shop.storage.durableSequence == shop.storage.visibleSequence)
        try shop.storage.sync()
        #expect(try stream.records(after: nil, limit: 10).count == 1)
    }

    @Test("iterators start at the horizon, at the end, at and behind a record")
    func iterators() throws {
        let stream = try store.stream(of: "Inventory")
        for value in 1...3 { try set(value) }
        let all = try records()
        let horizon = try stream.shardIterator(.trimHorizon)
        let latest = try stream.shardIterator(.latest)
        #expect(try stream.getRecords(horizon).records == all)
        #expect(try stream.getRecords(latest).records == [])
        #expect(
            try stream.getRecords(stream.shardIterator(.atSequenceNumber(all[1].sequenceNumber))).records
                == Array(all[1...]))
        #expect(
            try stream.getRecords(stream.shardIterator(.afterSequenceNumber(all[1].sequenceNumber))).records == [all[2]]
        )
        try set(4)
        #expect(try stream.getRecords(latest).records.map(\.newImage?["stock"]?.int) == [4])
        var iterator: ShardIterator? = horizon
        var found: [StreamRecord] = []
        while let next = iterator, found.count < 4 {
            let page = try stream.getRecords(next, limit: 1)
            found += page.records
            iterator = page.nextShardIterator
        }
        #expect(found == (try records()))
        #expect(horizon.token.utf8.count <= 2048)
    }

    @Test("an iterator expires after 15 minutes")
    func expiry() throws {
        let stream = try store.stream(of: "Inventory")
        let iterator = try stream.shardIterator(.trimHorizon)
        shop.clock.advance(by: .seconds(899))
        _ = try stream.getRecords(iterator)
        shop.clock.advance(by: .seconds(2))
        do {
            _ = try stream.getRecords(iterator)
            Issue.record("the iterator should have expired")
        } catch let error as TableError {
            #expect(error.code == .expiredIterator)
        }
        #expect(throws: TableError.self) { try stream.getRecords(ShardIterator(token: "nonsense")) }
        #expect(throws: TableError.self) { try stream.getRecords(ShardIterator(token: "a|1|TRIM_HORIZON|0")) }
    }

    @Test("records older than 24 hours are gone; a reader that lags behind them is told")
    func retention() throws {
        for value in 1...3 { try set(value) }
        let old = try records()
        shop.clock.advance(by: .seconds(24 * 3600 + 1))
        for value in 4...5 { try set(value) }
        // Before the trimming and after it the same is seen.
        for _ in 0..<2 {
            #expect(try records().map(\.newImage?["stock"]?.int) == [4, 5])
            #expect(try records(after: old[2].sequenceNumber).count == 2)
            do {
                _ = try records(after: old[0].sequenceNumber)
                Issue.record("a trimmed position should be refused")
            } catch let error as TableError {
                #expect(error.code == .trimmedDataAccess)
            }
            _ = try store.trimStreams()
        }
        #expect(try store.trimStreams() == 0)
        let kept = try shop.storage.snapshot().view.get(
            store.table("Inventory").streamKeyspace, old[0].sequenceNumber.keyBytes.rawSpan)
        #expect(kept == nil)
        #expect(try shop.storage.verify().problems == [])
    }

    @Test("a stream that is turned off ends; turned on again it is another one")
    func toggle() throws {
        let first = try store.stream(of: "Inventory")
        try set(1)
        expectRefusal(.validation, "Table already has an enabled stream: TableName: Inventory") {
            try store.updateTable("Inventory", streamViewType: .keysOnly)
        }
        try store.updateTable("Inventory", streamViewType: nil)
        try set(2)
        let page = try first.getRecords(first.shardIterator(.trimHorizon))
        #expect(page.records.count == 1)
        let end = try first.getRecords(try #require(page.nextShardIterator))
        #expect(end.records.isEmpty && end.nextShardIterator == nil)
        #expect(try !first.describe().isEnabled)
        shop.clock.advance(by: .seconds(1))
        try store.updateTable("Inventory", streamViewType: .keysOnly)
        try set(3)
        let second = try store.stream(of: "Inventory")
        #expect(second.arn != first.arn)
        #expect(try second.records(after: nil, limit: 10).map(\.eventName) == [.modify])
        #expect(throws: TableError.self) { try first.records(after: nil, limit: 10) }
    }

    @Test("streams describe themselves in the service's shapes")
    func description() throws {
        let description = try store.stream(of: "Orders").describe()
        #expect(description.tableName == "Orders")
        #expect(description.streamLabel == "2023-11-14T22:13:20.000" || description.streamLabel.utf8.count == 23)
        #expect((28...65).contains(description.shardID.utf8.count))
        #expect(description.streamARN.hasSuffix("table/Orders/stream/\(description.streamLabel)"))
        #expect(description.endingSequenceNumber == nil)
        #expect(StorageInstant(milliseconds: 1_731_940_604_149).timestampText == "2024-11-18T14:36:44.149")
        #expect(StorageInstant(milliseconds: -1).timestampText == "1969-12-31T23:59:59.999")
        expectRefusal(.resourceNotFound, "Requested resource not found: Stream of table: Payments not found") {
            _ = try store.stream(of: "Payments")
        }
    }

    @Test("a waiting consumer wakes at the next record, and at once if there is one")
    func waiting() async throws {
        let stream = try store.stream(of: "Inventory")
        try set(1)
        try await stream.waitForRecords(after: nil)
        let position = try stream.latestPosition()
        async let woken: Void = stream.waitForRecords(after: position)
        try await store.putItem(PutItemRequest(table: "Payments", item: ["orderId": "o", "SK": "x"]))
        try set(2)
        try await woken
        #expect(try stream.records(after: position, limit: 10).count == 1)
    }

    @Test("a consumer that is cancelled stops waiting")
    func cancellation() async throws {
        let stream = try store.stream(of: "Inventory")
        let task = Task { try await stream.waitForRecords(after: nil) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("a record that is damaged is refused, never a trap")
    func damage() throws {
        try set(1)
        try set(2)
        let table = try store.table("Inventory")
        let position = try #require(try records().last).sequenceNumber
        let key = position.keyBytes
        let bytes = try #require(try shop.storage.snapshot().view.get(table.streamKeyspace, key.rawSpan))
        for length in 0..<bytes.count {
            let part = Array(bytes.prefix(length))
            #expect(throws: StorageError.self) { try StoredStreamRecord(decoding: part.rawSpan) }
        }
        try shop.storage.write { try $0.put(table.streamKeyspace, key.rawSpan, Array(bytes.dropLast()).rawSpan) }
        #expect(throws: StorageError.self) { try records() }
    }

    @Test("the stream replayed gives the table, whatever was written")
    func replay() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        var model: [String: Item] = [:]
        for _ in 0..<600 {
            let product = "p\(Int.random(in: 0..<20, using: &random))"
            let value = Int.random(in: 0..<4, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                try store.deleteItem(DeleteItemRequest(table: "Inventory", key: ["productId": .s(product)]))
                model[product] = nil
            case 1:
                try store.updateItem(
                    UpdateItemRequest(
                        table: "Inventory", key: ["productId": .s(product)], update: "ADD n :v",
                        values: [":v": .n(value)]))
                let old = model[product] ?? ["productId": .s(product)]
                var new = old
                new["n"] = .n((old["n"]?.int ?? 0) + value)
                model[product] = new
            case 2:
                let request = PutItemRequest(
                    table: "Inventory", item: ["productId": .s(product), "n": .n(value)], condition: "n > :v OR n = :v",
                    values: [":v": .n(value)])
                let isMet = (model[product]?["n"]?.int).map { $0 >= value } ?? false
                do {
                    try store.putItem(request)
                    #expect(isMet, "seed \(seed)")
                    model[product] = request.item
                } catch is TableError {
                    #expect(!isMet, "seed \(seed)")
                }
            default:
                try set(value, of: product)
                model[product] = ["productId": .s(product), "stock": .n(value)]
            }
        }
        var replayed: [String: Item] = [:]
        for record in try records() {
            let product = try #require(record.keys["productId"]?.string)
            #expect(replayed[product] == record.oldImage, "seed \(seed)")
            #expect(record.newImage != record.oldImage, "seed \(seed)")
            replayed[product] = record.newImage
        }
        let stored = try store.scan(ScanRequest(table: "Inventory")).items
        #expect(replayed == model, "seed \(seed)")
        #expect(Set(stored) == Set(model.values), "seed \(seed)")
        #expect(try shop.storage.verify().problems == [], "seed \(seed)")
    }
}
