// The code of Docs/guides/pipeline.md, compiled and run.

import Foundation
import StorageCore
import StorageTypes
import TableEngine
import Testing

@testable import EventPipeline

@Suite("Pipeline guide")
struct GuideTests {
    @Test("the guide's code does what the guide says")
    func code() async throws {
        let storage = try Storage.inMemory()
        let tables = try TableStore(storage: storage)
        _ = try tables.createTable(
            CreateTableRequest(
                name: "Orders", partitionKey: KeyAttribute("userId", .s), sortKey: KeyAttribute("SK", .s),
                streamViewType: .newAndOldImages))
        let item: Item = ["userId": "usr_1", "SK": "ORDER#1"]
        _ = try await tables.putItem(PutItemRequest(table: "Orders", item: item))
        @Sendable func sendEmail(_ record: StreamRecord) async -> Bool { record.eventName == .insert }

        let dead = try FIFOQueue(storage: storage, name: "fulfilment-dead.fifo")
        let queue = try FIFOQueue(
            storage: storage, name: "fulfilment.fifo",
            redrivePolicy: RedrivePolicy(deadLetterQueue: dead, maxReceiveCount: 5))
        let sent = try queue.sendMessage("{\"orderId\":\"o-1\"}", groupID: "fulfilment", deduplicationID: "o-1")
        #expect(!sent.isDuplicate)

        for message in try await queue.receiveMessages(maxCount: 10, waitTime: .seconds(20)) {
            print(message.body)
            try queue.deleteMessage(receiptHandle: message.receiptHandle)
        }

        let mapping = try EventSourceMapping(
            name: "fulfilment", stream: tables.stream(of: "Orders"), storage: storage,
            options: EventSourceMappingOptions(filters: [.eventName(.insert).and(.key("SK", hasPrefix: "ORDER#"))]),
            handler: .transactional { record, transaction in
                let order = record.keys["SK"]?.string ?? ""
                try queue.sendMessage(order, groupID: "fulfilment", deduplicationID: order, in: transaction)
            })
        mapping.start()
        await mapping.stop()

        let email = try EventSourceMapping(
            name: "email", stream: tables.stream(of: "Orders"), storage: storage,
            options: EventSourceMappingOptions(
                batchSize: 10, maximumRetryAttempts: 3, bisectBatchOnFunctionError: true, onFailure: .queue(dead)),
            handler: .external { batch in
                for record in batch.records {
                    guard await sendEmail(record) else { return .failure(from: record) }
                }
                return .success
            })
        #expect(try await email.drain().delivered == 1)

        let progress = try await mapping.drain()
        try mapping.redeliver(after: nil)
        try await mapping.drain()
        #expect(progress.next == .caughtUp)
        #expect(try queue.receiveMessages(maxCount: 10).map(\.body) == ["ORDER#1"])
    }

    @Test("the guide quotes this file's code")
    func quotation() throws {
        let here = URL(filePath: #filePath)
        let guide = here.deletingLastPathComponent().appending(path: "../../Docs/guides/pipeline.md").standardized
        let source = Self.lines(try String(contentsOf: here, encoding: .utf8))
        let blocks = try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst()
        #expect(blocks.count >= 5)
        for block in blocks {
            let code = Self.lines(block.components(separatedBy: "```")[0])
            let isQuoted = source.indices.contains { source[$0...].starts(with: code) }
            #expect(isQuoted, "not in the tests: \(code.joined(separator: "\n"))")
        }
    }

    /// The lines that are not empty, without indentation.
    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
