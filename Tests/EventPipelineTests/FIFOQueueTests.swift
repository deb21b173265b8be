// The queue's promises: order, groups, deduplication, visibility, redrive; in memory and across reopening.

import StorageCore
import StorageTypes
import Testing

@testable import EventPipeline

@Suite("FIFO queue")
struct FIFOQueueTests {
    let clock = ManualClock()
    let storage: Storage

    init() throws {
        storage = try Storage.inMemory(clock: clock)
    }

    private func open(
        _ name: String = "fulfilment.fifo", _ options: FIFOQueueOptions = FIFOQueueOptions(seed: 1),
        redrivePolicy: RedrivePolicy? = nil
    ) throws -> FIFOQueue {
        try FIFOQueue(storage: storage, name: name, options: options, redrivePolicy: redrivePolicy)
    }

    private func send(_ queue: FIFOQueue, _ body: String, group: String = "g") throws {
        try queue.sendMessage(body, groupID: group, deduplicationID: body)
    }

    @Test("messages of a group come in the order in which they were sent")
    func order() throws {
        let queue = try open()
        for number in 1...25 { try send(queue, "m\(number)") }
        var bodies: [String] = []
        while true {
            let messages = try queue.receiveMessages(maxCount: 10)
            if messages.isEmpty { break }
            for message in messages { try queue.deleteMessage(receiptHandle: message.receiptHandle) }
            bodies += messages.map(\.body)
        }
        #expect(bodies == (1...25).map { "m\($0)" })
        #expect(
            queue.attributes
                == FIFOQueueAttributes(approximateNumberOfMessages: 0, approximateNumberOfMessagesNotVisible: 0))
    }

    @Test("while a message of a group is in flight no other of that group is received; other groups go on")
    func groupLock() throws {
        let queue = try open()
        for number in 1...3 { try send(queue, "a\(number)", group: "a") }
        for number in 1...2 { try send(queue, "b\(number)", group: "b") }
        let first = try queue.receiveMessages(maxCount: 2)
        #expect(first.map(\.body) == ["a1", "a2"])
        let second = try queue.receiveMessages(maxCount: 10)
        #expect(second.map(\.body) == ["b1", "b2"])
        #expect(try queue.receiveMessages(maxCount: 10).isEmpty)
        try queue.deleteMessage(receiptHandle: first[0].receiptHandle)
        #expect(try queue.receiveMessages(maxCount: 10).isEmpty, "a2 is still in flight")
        try queue.deleteMessage(receiptHandle: first[1].receiptHandle)
        #expect(try queue.receiveMessages(maxCount: 10).map(\.body) == ["a3"])
        #expect(queue.attributes.approximateNumberOfMessagesNotVisible == 3)
    }

    @Test("a receive packs one group first and fills up from the next")
    func packing() throws {
        let queue = try open()
        for number in 1...4 {
            try send(queue, "a\(number)", group: "a")
            try send(queue, "b\(number)", group: "b")
        }
        #expect(try queue.receiveMessages(maxCount: 6).map(\.body) == ["a1", "a2", "a3", "a4", "b1", "b2"])
        #expect(try queue.receiveMessages(maxCount: 6).isEmpty)
    }

    @Test("a message that is not deleted in time comes back in its place, and its old handle has expired")
    func visibility() throws {
        let queue = try open()
        for number in 1...3 { try send(queue, "m\(number)") }
        let first = try queue.receiveMessages(maxCount: 2, visibilityTimeout: .seconds(10))
        clock.advance(by: .seconds(9))
        #expect(try queue.receiveMessages(maxCount: 10).isEmpty)
        clock.advance(by: .seconds(1))
        let handle = first[0].receiptHandle
        let error = #expect(throws: QueueError.self) { try queue.deleteMessage(receiptHandle: handle) }
        #expect(error?.code == "InvalidParameterValue")
        #expect(
            error?.message
                == "Value \(handle) for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")
        let again = try queue.receiveMessages(maxCount: 10)
        #expect(again.map(\.body) == ["m1", "m2", "m3"])
        #expect(again.map(\.approximateReceiveCount) == [2, 2, 1])
        #expect(again[0].messageID == first[0].messageID)
        #expect(again[0].approximateFirstReceiveTimestamp == first[0].approximateFirstReceiveTimestamp)
        #expect(throws: QueueError.self) { try queue.deleteMessage(receiptHandle: handle) }
        try queue.deleteMessage(receiptHandle: again[0].receiptHandle)
        try queue.deleteMessage(receiptHandle: again[0].receiptHandle)
    }

    @Test("the visibility timeout can be shortened to nothing and extended")
    func changeVisibility() throws {
        let queue = try open()
        for number in 1...2 { try send(queue, "m\(number)") }
        let first = try queue.receiveMessages(maxCount: 2)
        try queue.changeMessageVisibility(receiptHandle: first[0].receiptHandle, to: .zero)
        #expect(try queue.receiveMessages(maxCount: 10).isEmpty, "m2 is still in flight")
        try queue.changeMessageVisibility(receiptHandle: first[1].receiptHandle, to: .seconds(100))
        clock.advance(by: .seconds(99))
        #expect(try queue.receiveMessages(maxCount: 10).isEmpty)
        clock.advance(by: .seconds(1))
        #expect(try queue.receiveMessages(maxCount: 10).map(\.body) == ["m1", "m2"])
        #expect(throws: QueueError.notInFlight(first[0].receiptHandle)) {
            try queue.changeMessageVisibility(receiptHandle: first[0].receiptHandle, to: .seconds(1))
        }
    }

    @Test("a duplicate within five minutes answers the original's id, also after receive, delete and reopening")
    func deduplication() throws {
        var queue = try open()
        let original = try queue.sendMessage("order 1", groupID: "fulfilment", deduplicationID: "order-1")
        #expect(!original.isDuplicate)
        #expect(original.sequenceNumber == "00000000000000000001")
        let duplicate = try queue.sendMessage("another body", groupID: "other", deduplicationID: "order-1")
        #expect(duplicate.isDuplicate && duplicate.messageID == original.messageID)
        let received = try queue.receiveMessages(maxCount: 10)
        #expect(received.map(\.messageID) == [original.messageID])
        try queue.deleteMessage(receiptHandle: received[0].receiptHandle)
        queue = try open()
        clock.advance(by: .seconds(299))
        #expect(try queue.sendMessage("order 1", groupID: "fulfilment", deduplicationID: "order-1").isDuplicate)
        #expect(try queue.receiveMessages().isEmpty)
        clock.advance(by: .seconds(1))
        let later = try queue.sendMessage("order 1", groupID: "fulfilment", deduplicationID: "order-1")
        #expect(!later.isDuplicate && later.sequenceNumber == "00000000000000000002")
    }

    @Test("content-based deduplication goes by the body's SHA-256")
    func contentBased() throws {
        let queue = try open("c.fifo", FIFOQueueOptions(contentBasedDeduplication: true, seed: 2))
        let first = try queue.sendMessage("abc", groupID: "g")
        #expect(try queue.sendMessage("abc", groupID: "g").messageID == first.messageID)
        #expect(try !queue.sendMessage("abd", groupID: "g").isDuplicate)
        let id = try queue.receiveMessages()[0].deduplicationID
        #expect(id == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(throws: QueueError.missingDeduplicationID) { try open().sendMessage("abc", groupID: "g") }
    }

    @Test("deduplication can be scoped to the message group")
    func groupScope() throws {
        let queue = try open("s.fifo", FIFOQueueOptions(deduplicatesByGroup: true, seed: 2))
        #expect(try !queue.sendMessage("1", groupID: "a", deduplicationID: "x").isDuplicate)
        #expect(try !queue.sendMessage("1", groupID: "b", deduplicationID: "x").isDuplicate)
        #expect(try queue.sendMessage("1", groupID: "b", deduplicationID: "x").isDuplicate)
        // Group and id can't be mistaken for another group and id.
        #expect(try !queue.sendMessage("1", groupID: "ab", deduplicationID: "c").isDuplicate)
        #expect(try !queue.sendMessage("1", groupID: "a", deduplicationID: "bc").isDuplicate)
    }

    @Test("a message received too often goes to the dead-letter queue and frees its group")
    func redrive() throws {
        let dead = try open("dead.fifo")
        let policy = try RedrivePolicy(deadLetterQueue: dead, maxReceiveCount: 2)
        let queue = try open("orders.fifo", redrivePolicy: policy)
        for number in 1...3 { try send(queue, "m\(number)") }
        for _ in 1...2 {
            #expect(try queue.receiveMessages(visibilityTimeout: .seconds(5)).map(\.body) == ["m1"])
            clock.advance(by: .seconds(6))
        }
        #expect(try queue.receiveMessages(maxCount: 1).map(\.body) == ["m2"])
        #expect(dead.attributes.approximateNumberOfMessages == 1)
        let moved = try dead.receiveMessages()[0]
        #expect(moved.body == "m1" && moved.groupID == "g" && moved.deduplicationID == "m1")
        #expect(moved.approximateReceiveCount == 1)
        #expect(throws: QueueError.self) { try RedrivePolicy(deadLetterQueue: dead, maxReceiveCount: 0) }
    }

    @Test("everything is there again after reopening: order, what is in flight, receive counts, handles")
    func reopening() throws {
        var queue = try open()
        for number in 1...4 { try send(queue, "m\(number)") }
        try queue.sendMessage("x1", groupID: "x", deduplicationID: "x1", attributes: ["colour": "red", "size": "4"])
        let inFlight = try queue.receiveMessages(maxCount: 2, visibilityTimeout: .seconds(60))
        queue = try open()
        #expect(queue.attributes.approximateNumberOfMessages == 3)
        #expect(queue.attributes.approximateNumberOfMessagesNotVisible == 2)
        let other = try queue.receiveMessages(maxCount: 10)
        #expect(other.map(\.body) == ["x1"])
        #expect(other[0].attributes == ["colour": "red", "size": "4"])
        try queue.deleteMessage(receiptHandle: inFlight[0].receiptHandle)
        clock.advance(by: .seconds(61))
        queue = try open()
        let rest = try queue.receiveMessages(maxCount: 10)
        #expect(rest.map(\.body) == ["m2", "m3", "m4", "x1"])
        #expect(rest.map(\.approximateReceiveCount) == [2, 1, 1, 2])
    }

    @Test("a send in a transaction happens with its commit, or not at all; the next sees the first")
    func transaction() throws {
        struct Refused: Error {}
        let queue = try open()
        #expect(throws: Refused.self) {
            try storage.write { transaction in
                try queue.sendMessage("lost", groupID: "g", deduplicationID: "lost", in: transaction)
                throw Refused()
            }
        }
        #expect(queue.attributes.approximateNumberOfMessages == 0)
        try storage.write { transaction in
            let first = try queue.sendMessage("1", groupID: "g", deduplicationID: "one", in: transaction)
            let again = try queue.sendMessage("1", groupID: "g", deduplicationID: "one", in: transaction)
            let second = try queue.sendMessage("2", groupID: "g", deduplicationID: "two", in: transaction)
            #expect(again.isDuplicate && again.messageID == first.messageID)
            #expect(second.sequenceNumber == "00000000000000000002")
        }
        let messages = try queue.receiveMessages(maxCount: 10)
        #expect(messages.map(\.body) == ["1", "2"])
        #expect(throws: Refused.self) {
            try storage.write { transaction in
                try queue.deleteMessage(receiptHandle: messages[0].receiptHandle, in: transaction)
                throw Refused()
            }
        }
        #expect(queue.attributes.approximateNumberOfMessagesNotVisible == 2)
    }

    @Test("messages past their retention are gone, those in flight when they are back")
    func retention() throws {
        let queue = try open("r.fifo", FIFOQueueOptions(retention: .seconds(60), seed: 3))
        try send(queue, "old", group: "a")
        try send(queue, "in-flight", group: "b")
        _ = try queue.receiveMessages(maxCount: 1)
        clock.advance(by: .seconds(59))
        try send(queue, "young", group: "c")
        clock.advance(by: .seconds(2))
        #expect(try queue.receiveMessages(maxCount: 10).map(\.body) == ["young"])
        #expect(queue.attributes.approximateNumberOfMessages == 0)
    }

    @Test("purging removes messages and deduplication ids, once a minute")
    func purge() throws {
        let queue = try open()
        for number in 1...3 { try send(queue, "m\(number)") }
        let handle = try queue.receiveMessages()[0].receiptHandle
        try queue.purge()
        #expect(try queue.receiveMessages(maxCount: 10).isEmpty)
        try queue.deleteMessage(receiptHandle: handle)
        #expect(try !queue.sendMessage("m1", groupID: "g", deduplicationID: "m1").isDuplicate)
        let error = #expect(throws: QueueError.self) { try queue.purge() }
        #expect(error?.message == "Only one PurgeQueue operation on fulfilment.fifo is allowed every 60 seconds.")
        clock.advance(by: .seconds(60))
        try queue.purge()
        #expect(queue.attributes.approximateNumberOfMessages == 0)
    }

    @Test("parameters are refused with the texts of SQS")
    func parameters() throws {
        let queue = try open()
        func message(_ body: () throws -> Void) -> String? {
            #expect(throws: QueueError.self, performing: body)?.message
        }
        #expect(
            message { try queue.sendMessage("", groupID: "g", deduplicationID: "d") }
                == "The request must contain the parameter MessageBody.")
        for id in ["", "group 123", String(repeating: "a", count: 129)] {
            #expect(
                message { try queue.sendMessage("b", groupID: id, deduplicationID: "d") }
                    == "Value \(id) for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "
                    + "alphanumeric and punctuation characters. 1 to 128 in length.")
            #expect(
                message { try queue.sendMessage("b", groupID: "g", deduplicationID: id) }
                    == "Value \(id) for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can "
                    + "only include alphanumeric and punctuation characters. 1 to 128 in length.")
        }
        #expect(
            message { try queue.sendMessage("b", groupID: "g") }
                == "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
        )
        #expect(
            message { _ = try queue.receiveMessages(maxCount: 11) }
                == "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
        )
        #expect(
            message { try queue.deleteMessage(receiptHandle: "garbage") }
                == "The input receipt handle \"garbage\" is not a valid receipt handle.")
        #expect(
            message {
                try queue.sendMessage(String(repeating: "x", count: 1_048_577), groupID: "g", deduplicationID: "d")
            }
                == "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.")
        #expect(throws: QueueError.self) { try open("no-suffix") }
        #expect(throws: QueueError.self) { try open("a b.fifo") }
        #expect(throws: QueueError.self) { try open(options: FIFOQueueOptions(retention: .seconds(59))) }
    }

    private func open(options: FIFOQueueOptions) throws -> FIFOQueue { try open("o.fifo", options) }

    @Test("a waiting receive gets a message as soon as it is sent")
    func longPolling() async throws {
        let queue = try open()
        async let received = queue.receiveMessages(waitTime: .seconds(20))
        try await Task.sleep(for: .milliseconds(30))
        try send(queue, "late")
        #expect(try await received.map(\.body) == ["late"])
        #expect(try await queue.receiveMessages(waitTime: .milliseconds(20)).isEmpty)
        let task = Task { try await queue.receiveMessages(waitTime: .seconds(20)) }
        try await Task.sleep(for: .milliseconds(30))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("random operations keep order, locks and counts, compared with the simplest model", arguments: [31, 32, 33])
    func model(seed: UInt64) throws {
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        var queue = try open()
        var sent: [String: [String]] = [:]
        var held: [ReceivedMessage] = []
        var next = 0
        for _ in 0..<600 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let group = "g\(Int.random(in: 0..<5, using: &random))"
                next += 1
                try queue.sendMessage("\(next)", groupID: group, deduplicationID: "\(next)")
                sent[group, default: []].append("\(next)")
            case 4..<7:
                let messages = try queue.receiveMessages(
                    maxCount: Int.random(in: 1...10, using: &random), visibilityTimeout: .seconds(30))
                let locked = Set(held.map(\.groupID))
                #expect(messages.allSatisfy { !locked.contains($0.groupID) })
                for (group, bodies) in Dictionary(grouping: messages, by: \.groupID) {
                    #expect(bodies.map(\.body) == Array((sent[group] ?? []).prefix(bodies.count)))
                }
                held += messages
            case 7..<9:
                guard let message = held.randomElement(using: &random) else { continue }
                try queue.deleteMessage(receiptHandle: message.receiptHandle)
                held.removeAll { $0 == message }
                sent[message.groupID]?.removeAll { $0 == message.body }
            default:
                if Bool.random(using: &random) {
                    clock.advance(by: .seconds(30))
                    held = []
                } else {
                    queue = try open()
                }
            }
            let total = sent.values.reduce(0) { $0 + $1.count }
            #expect(queue.attributes.approximateNumberOfMessages == total - held.count)
            #expect(queue.attributes.approximateNumberOfMessagesNotVisible == held.count)
        }
    }

    @Test("damaged records are refused with an error")
    func damage() throws {
        let message = StoredMessage(
            messageID: "id", groupID: "g", deduplicationID: "d", body: "body", attributes: ["a": "b"],
            sentAt: StorageInstant(seconds: 1)
        ).encoded()
        #expect(try StoredMessage(decoding: message, keyspace: "k").attributes == ["a": "b"])
        for length in message.indices {
            #expect(throws: StorageError.self) {
                try StoredMessage(decoding: Array(message.prefix(length)), keyspace: "k")
            }
        }
        #expect(throws: StorageError.self) { try StoredMessage(decoding: message + [0], keyspace: "k") }
        #expect(throws: StorageError.self) { try StoredMessage(decoding: [2] + message.dropFirst(), keyspace: "k") }
        var notText = message
        notText[5] = 0xFF  // the first letter of the id
        #expect { try StoredMessage(decoding: notText, keyspace: "k") } throws: { error in
            (error as? StorageError)?.code == .corruption
        }
    }

    @Test("a damaged last sequence number is refused")
    func damagedSequence() throws {
        let queue = try open()
        try send(queue, "a")
        var record = RecordWriter(version: 1)
        record.append(UInt64(1))
        try storage.write { try $0.put(queue.keyspace, QueueKey.lastSequence, record.bytes + [0]) }
        #expect { try send(queue, "b") } throws: { ($0 as? StorageError)?.code == .corruption }
    }

    @Test("a count of receives at its end stays there")
    func manyReceives() throws {
        let queue = try open()
        try send(queue, "a")
        let delivery = Delivery(
            receiveCount: .max, firstReceivedAt: clock.now, visibleAt: clock.now, nonce: 1
        ).encoded()
        try storage.write { try $0.put(queue.keyspace, QueueKey.delivery(1), delivery) }
        let received = try queue.receiveMessages(maxCount: 1)
        #expect(received.map(\.approximateReceiveCount) == [Int(UInt32.max)])
    }
}
