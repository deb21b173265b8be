// Power cuts at every moment of an order's way from the table to the parcel: what was acknowledged is there, and every
// order is sent and shipped exactly once, whenever the power went.

import StorageCore
import StorageTypes
import TableEngine
import Testing

@testable import EventPipeline

@Suite("Pipeline crashes")
struct CrashTests {
    /// One life of the process, over one disk.
    private struct Shop {
        let storage: Storage
        let tables: TableStore
        let queue: FIFOQueue
        let mapping: EventSourceMapping
        let parcels: Keyspace

        init(_ fileSystem: SimulatedFileSystem, _ clock: ManualClock) throws {
            var storageOptions = StorageOptions()
            storageOptions.fileSystem = fileSystem
            storageOptions.clock = clock
            storageOptions.backgroundWork = .manual
            storage = try Storage.open(at: "/shop", options: storageOptions)
            tables = try TableStore(storage: storage)
            if !tables.listTables().contains("Orders") {
                _ = try tables.createTable(
                    CreateTableRequest(
                        name: "Orders", partitionKey: KeyAttribute("id", .s), streamViewType: .newAndOldImages))
            }
            let queue = try FIFOQueue(
                storage: storage, name: "fulfilment.fifo",
                options: FIFOQueueOptions(durability: .synced, seed: 4))
            self.queue = queue
            parcels = try storage.keyspace("parcels")
            mapping = try EventSourceMapping(
                name: "fulfilment", stream: try tables.stream(of: "Orders"), storage: storage,
                options: EventSourceMappingOptions(batchSize: 2, seed: 5),
                handler: .transactional { record, transaction in
                    let order = record.keys["id"]?.string ?? ""
                    // Each order under a fresh id: deduplication must not hide a second delivery.
                    try queue.sendMessage(
                        order, groupID: "g", deduplicationID: "\(order)-\(transaction.sequence)", in: transaction)
                })
        }

        func place(_ order: String) throws {
            _ = try tables.putItem(PutItemRequest(table: "Orders", item: ["id": .s(order)]), durability: .synced)
        }

        /// The parcel and the deletion of the message are one commit.
        func ship() throws {
            for message in try queue.receiveMessages(maxCount: 2, visibilityTimeout: .seconds(30)) {
                try storage.write(.synced) { transaction in
                    try queue.deleteMessage(receiptHandle: message.receiptHandle, in: transaction)
                    let key = Array(message.body.utf8)
                    let count = try transaction.get(parcels, key.rawSpan)?.first ?? 0
                    let value = [count + 1]
                    try transaction.put(parcels, key.rawSpan, value.rawSpan)
                }
            }
        }

        func orders() throws -> Set<String> {
            Set(try tables.scan(ScanRequest(table: "Orders")).items.compactMap { $0["id"]?.string })
        }

        func shipped() throws -> [String: UInt8] {
            let snapshot = storage.snapshot()
            var counts: [String: UInt8] = [:]
            var cursor = try snapshot.view.cursor(parcels)
            try cursor.seekToFirst()
            while cursor.isValid {
                counts[String(decoding: cursor.key.array(), as: UTF8.self)] = cursor.value.array().first ?? 0
                try cursor.next()
            }
            return counts
        }
    }

    /// Places, fans out and ships until the power goes. Returns the orders that were acknowledged.
    private func trade(on fileSystem: SimulatedFileSystem, _ clock: ManualClock) async -> Set<String> {
        var acknowledged: Set<String> = []
        do {
            let shop = try Shop(fileSystem, clock)
            for number in 1...6 {
                try shop.place("order-\(number)")
                acknowledged.insert("order-\(number)")
                if number.isMultiple(of: 2) { _ = try await shop.mapping.drain() }
                if number.isMultiple(of: 3) { try shop.ship() }
                if number == 4 { try shop.storage.flush() }
            }
            try shop.storage.close()
        } catch {
            #expect(fileSystem.isPowerOff, "only a power cut may fail: \(error)")
        }
        return acknowledged
    }

    @Test(
        "a power cut at any moment neither loses nor doubles an order",
        arguments: SimulatedFileSystem.Survivors.allCases)
    func powerCut(survivors: SimulatedFileSystem.Survivors) async throws {
        let whole = SimulatedFileSystem(seed: 1)
        #expect(await trade(on: whole, ManualClock()).count == 6)
        let operationCount = whole.operationCount
        #expect(operationCount > 30)
        for operation in 1...operationCount {
            let clock = ManualClock()
            let disk = SimulatedFileSystem(seed: UInt64(operation))
            disk.cutPower(atOperation: operation)
            let acknowledged = await trade(on: disk, clock)
            let shop = try Shop(disk.crash(survivors), clock)
            let orders = try shop.orders()
            #expect(orders.isSuperset(of: acknowledged), "power cut at operation \(operation)")
            _ = try await shop.mapping.drain()
            for _ in 0..<8 {
                clock.advance(by: .seconds(31))
                try shop.ship()
            }
            let expected = Dictionary(uniqueKeysWithValues: orders.map { ($0, UInt8(1)) })
            #expect(try shop.shipped() == expected, "power cut at operation \(operation)")
            #expect(try shop.storage.verify().problems.isEmpty)
        }
    }
}
