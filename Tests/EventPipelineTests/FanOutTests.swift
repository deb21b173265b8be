// The whole way: an order in a table, its change stream, mappings, and their effects elsewhere in the storage.

import StorageCore
import StorageTypes
import Synchronization
import TableEngine
import Testing

@testable import EventPipeline

@Suite("Fan-out of orders")
struct FanOutTests {
    let clock = ManualClock()
    let storage: Storage
    let tables: TableStore
    let queue: FIFOQueue
    let history: Keyspace

    init() throws {
        storage = try Storage.inMemory(clock: clock)
        tables = try TableStore(storage: storage)
        _ = try tables.createTable(
            CreateTableRequest(
                name: "Orders", partitionKey: KeyAttribute("userId", .s), sortKey: KeyAttribute("SK", .s),
                streamViewType: .newAndOldImages))
        queue = try FIFOQueue(storage: storage, name: "fulfilment.fifo", options: FIFOQueueOptions(seed: 1))
        history = try storage.keyspace("history")
    }

    private func place(_ number: Int, _ durability: Durability = .buffered) throws {
        let item: Item = [
            "userId": .s("usr_\(number % 3)"), "SK": .s("ORDER#\(number)"), "productId": "prod_001",
            "status": "PENDING",
        ]
        _ = try tables.putItem(
            PutItemRequest(table: "Orders", item: item, condition: "attribute_not_exists(SK)"), durability: durability)
    }

    private func fulfil(_ number: Int) throws {
        _ = try tables.updateItem(
            UpdateItemRequest(
                table: "Orders", key: ["userId": .s("usr_\(number % 3)"), "SK": .s("ORDER#\(number)")],
                update: "SET #s = :s", names: ["#s": "status"], values: [":s": "FULFILLED"]))
    }

    private var options: EventSourceMappingOptions {
        EventSourceMappingOptions(
            batchSize: 10, filters: [.eventName(.insert).and(.key("SK", hasPrefix: "ORDER#"))], seed: 1)
    }

    private func openFulfilment() throws -> EventSourceMapping {
        let (queue, history) = (queue, history)
        return try EventSourceMapping(
            name: "fulfilment", stream: try tables.stream(of: "Orders"), storage: storage, options: options,
            handler: .transactional { record, transaction in
                let order = record.keys["SK"]?.string ?? ""
                try queue.sendMessage(order, groupID: "fulfilment", deduplicationID: order, in: transaction)
                let key = Array(order.utf8)
                try transaction.put(history, key.rawSpan, key.rawSpan)
            })
    }

    private func receiveAll() throws -> [String] {
        var bodies: [String] = []
        while true {
            let messages = try queue.receiveMessages(maxCount: 10)
            if messages.isEmpty { return bodies }
            for message in messages { try queue.deleteMessage(receiptHandle: message.receiptHandle) }
            bodies += messages.map(\.body)
        }
    }

    @Test("every order is sent to fulfilment once and in order; updates of orders are not")
    func orders() async throws {
        for number in 1...25 { try place(number) }
        try fulfil(3)
        let mapping = try openFulfilment()
        let progress = try await mapping.drain()
        #expect(progress.delivered == 25)
        #expect(progress.filtered == 1)
        #expect(try receiveAll() == (1...25).map { "ORDER#\($0)" })
    }

    @Test("records delivered twice change nothing")
    func duplicates() async throws {
        for number in 1...5 { try place(number) }
        let mapping = try openFulfilment()
        _ = try await mapping.drain()
        try mapping.redeliver(after: nil)
        #expect(try await mapping.drain().delivered == 5)
        #expect(try receiveAll() == (1...5).map { "ORDER#\($0)" })
        try mapping.redeliver(after: nil)
        _ = try await mapping.drain()
        #expect(try receiveAll().isEmpty, "the deduplication ids outlive receive and delete")
    }

    @Test("orders don't wait for a mapping that is not running; it catches up in order")
    func stoppedForHours() async throws {
        let mapping = try openFulfilment()
        for number in 1...60 {
            try place(number, .synced)
            clock.advance(by: .seconds(240))
        }
        mapping.start()
        for _ in 0..<500 where queue.attributes.approximateNumberOfMessages < 60 {
            try await Task.sleep(for: .milliseconds(10))
        }
        try place(61, .synced)
        for _ in 0..<500 where queue.attributes.approximateNumberOfMessages < 61 {
            try await Task.sleep(for: .milliseconds(10))
        }
        await mapping.stop()
        #expect(try receiveAll() == (1...61).map { "ORDER#\($0)" })
    }

    @Test("another consumer is one more mapping; a poison order holds up neither it nor the orders behind")
    func independentConsumers() async throws {
        for number in 1...12 { try place(number) }
        let store = try DeadLetterStore(storage: storage)
        var analyticsOptions = options
        analyticsOptions.maximumRetryAttempts = 1
        analyticsOptions.bisectBatchOnFunctionError = true
        analyticsOptions.onFailure = .store(store)
        let seen = Mutex<[String]>([])
        let stream = try tables.stream(of: "Orders")
        let analytics = try EventSourceMapping(
            name: "analytics", stream: stream, storage: storage, options: analyticsOptions,
            handler: .external { batch in
                let orders = batch.records.compactMap { $0.keys["SK"]?.string }
                if orders.contains("ORDER#7") { throw HandlerFailed() }
                seen.withLock { $0 += orders }
                return .success
            })
        for _ in 0..<50 {
            guard case .waiting(let until) = try await analytics.drain().next else { break }
            clock.advance(by: max(clock.now.duration(to: until), .milliseconds(1)))
        }
        #expect(seen.withLock { $0 } == (1...12).filter { $0 != 7 }.map { "ORDER#\($0)" })
        let documents = try store.documents(ofMapping: "analytics")
        #expect(documents.count == 1)
        #expect(try #require(documents.first).contains("\"streamArn\":\"\(stream.arn)\""))
        #expect(try await openFulfilment().drain().delivered == 12)
        #expect(try storage.verify().problems.isEmpty)
    }
}
