// Mappings over a storage: checkpoints, restarts, dead letters, exactly-once effects, the runner.

import Foundation
import StorageCore
import StorageTypes
import Synchronization
import TableEngine
import Testing

@testable import EventPipeline

@Suite("Event source mapping")
struct EventSourceMappingTests {
    let clock = ManualClock(now: StorageInstant(seconds: 1_657_720_081))
    let storage: Storage
    let stream: TestStream
    let journal = Journal()

    init() throws {
        storage = try Storage.inMemory(clock: clock)
        stream = TestStream(clock: clock)
    }

    private func open(
        _ name: String = "fan-out", _ options: EventSourceMappingOptions = EventSourceMappingOptions(seed: 1),
        handler: EventHandler? = nil
    ) throws -> EventSourceMapping {
        let journal = journal
        let noting = EventHandler.external { batch in
            journal.note(batch.records)
            return .success
        }
        return try EventSourceMapping(
            name: name, stream: stream, streamARN: "Orders", shardID: "shard", storage: storage, options: options,
            handler: handler ?? noting)
    }

    /// Runs until the stream is done, letting time pass where the mapping waits.
    private func settle(_ mapping: EventSourceMapping) async throws -> MappingProgress {
        var total = MappingProgress()
        for _ in 0..<1000 {
            total += try await mapping.drain()
            guard case .waiting(let until) = total.next else { break }
            clock.advance(by: max(clock.now.duration(to: until), .milliseconds(1)))
        }
        return total
    }

    @Test("records arrive in order and in batches, and a new mapping object goes on at the checkpoint")
    func checkpoint() async throws {
        stream.add(5)
        let options = EventSourceMappingOptions(batchSize: 3, seed: 1)
        let mapping = try open("m", options)
        #expect(try await mapping.drain() == MappingProgress(delivered: 5, next: .caughtUp))
        #expect(journal.batches == [[1, 2, 3], [4, 5]])
        stream.add(2)
        let reopened = try open("m", options)
        #expect(try reopened.checkpoint == TestStream.position(5))
        #expect(try await reopened.drain().delivered == 2)
        #expect(journal.numbers == Array(1...7))
    }

    @Test("a mapping that was stopped for hours catches up in order; others don't notice")
    func catchUp() async throws {
        let other = Journal()
        let first = try open("first")
        let second = try open(
            "second",
            handler: .external { batch in
                other.note(batch.records)
                return .success
            })
        for _ in 0..<40 {
            stream.add(10)
            clock.advance(by: .seconds(360))
            _ = try await first.drain()
        }
        #expect(journal.numbers == Array(1...400))
        #expect(other.numbers.isEmpty)
        #expect(try await second.drain().delivered == 400)
        #expect(other.numbers == Array(1...400))
    }

    @Test("filters pick records; what they skip advances the checkpoint")
    func filters() async throws {
        stream.add(2)
        stream.add(3, .modify)
        stream.add(1)
        stream.add(150, .remove)
        var options = EventSourceMappingOptions(seed: 1)
        options.filters = [.eventName(.insert).and(.key("SK", hasPrefix: "ORDER#"))]
        let mapping = try open("m", options)
        let progress = try await mapping.drain()
        #expect(progress.delivered == 3)
        #expect(progress.filtered == 153)
        #expect(journal.numbers == [1, 2, 6])
        #expect(try mapping.checkpoint == TestStream.position(156))
        options.filters = [.newImage("n", in: "2"), .key("SK", in: "ORDER#1")]
        let second = try open("n", options)
        #expect(try await second.drain().delivered == 2)
    }

    @Test("a mapping that starts at the latest record sees only later ones, whenever it is run")
    func latest() async throws {
        let keyspace = try storage.keyspace("other")
        for _ in 0..<60 { try await storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) } }
        stream.add(5)
        let mapping = try open("m", EventSourceMappingOptions(startingPosition: .latest, seed: 1))
        let creation = Int(storage.visibleSequence.rawValue)
        stream.add(3)
        _ = try await mapping.drain()
        // The records carry the commits 10, 20, 30 …
        let later = (1...8).filter { $0 * 10 > creation }
        #expect(journal.numbers == later)
        #expect(later.count == 2)
    }

    @Test("a poison record is isolated by bisecting and ends in the dead-letter queue; the others go on")
    func deadLetterQueue() async throws {
        let queue = try FIFOQueue(storage: storage, name: "dead.fifo", options: FIFOQueueOptions(seed: 9))
        let options = EventSourceMappingOptions(
            batchSize: 8, maximumRetryAttempts: 1, bisectBatchOnFunctionError: true, onFailure: .queue(queue), seed: 1)
        stream.add(10)
        let journal = journal
        let mapping = try open(
            "orders-consumer", options,
            handler: .external { batch in
                if batch.records.contains(where: { $0.number == 3 }) { throw HandlerFailed() }
                journal.note(batch.records)
                return .success
            })
        let progress = try await settle(mapping)
        #expect(progress.delivered == 9)
        #expect(progress.discarded == 1)
        #expect(journal.numbers == [1, 2, 4, 5, 6, 7, 8, 9, 10])
        let messages = try queue.receiveMessages(maxCount: 10)
        #expect(messages.count == 1)
        let body = try #require(
            JSONSerialization.jsonObject(with: Data(messages[0].body.utf8)) as? [String: any Sendable])
        let context = try #require(body["requestContext"] as? [String: any Sendable])
        #expect(context["condition"] as? String == "RetryAttemptsExhausted")
        #expect(context["approximateInvokeCount"] as? Int == 2)
        #expect(context["functionArn"] as? String == "orders-consumer")
        let response = try #require(body["responseContext"] as? [String: any Sendable])
        #expect(response["functionError"] as? String == "Unhandled")
        #expect(response["statusCode"] as? Int == 200)
        let info = try #require(body["DDBStreamBatchInfo"] as? [String: any Sendable])
        #expect(info["batchSize"] as? Int == 1)
        #expect(info["startSequenceNumber"] as? String == TestStream.position(3).description)
        #expect(info["endSequenceNumber"] as? String == TestStream.position(3).description)
        #expect(info["approximateArrivalOfFirstRecord"] as? String == "2022-07-13T13:48:01Z")
        #expect(info["streamArn"] as? String == "Orders")
        #expect(body["version"] as? String == "1.0")
    }

    @Test("a dead letter has the members that the service's own have")
    func deadLetterShape() async throws {
        guard let url = ConformanceData.file("aws-recorded/test_lambda_integration_dynamodbstreams.snapshot.json")
        else {
            return
        }
        let recorded = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: any Sendable])
        let wanted = try #require(ConformanceData.firstObject(in: recorded, having: "DDBStreamBatchInfo"))
        let store = try DeadLetterStore(storage: storage)
        stream.add(1)
        let options = EventSourceMappingOptions(maximumRetryAttempts: 0, onFailure: .store(store), seed: 1)
        let mapping = try open("m", options, handler: .external { _ in throw HandlerFailed() })
        _ = try await settle(mapping)
        let document = try #require(store.documents(ofMapping: "m").first)
        let ours = try #require(JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: any Sendable])
        #expect(ConformanceData.paths(ours) == ConformanceData.paths(wanted))
    }

    @Test("partial failures are reported by sequence number; the lowest one counts")
    func partialFailures() async throws {
        stream.add(6)
        let attempts = Mutex(0)
        let journal = journal
        let mapping = try open(
            handler: .external { batch in
                journal.note(batch.records)
                let attempt = attempts.withLock { attempts in
                    attempts += 1
                    return attempts
                }
                guard attempt == 1 else { return .success }
                return BatchResponse(batchItemFailures: [5, 3].map { batch.records[$0].sequenceNumber.description })
            })
        let progress = try await settle(mapping)
        #expect(progress.delivered == 6)
        #expect(progress.failures == 1)
        #expect(journal.batches == [[1, 2, 3, 4, 5, 6], [4, 5, 6]])
    }

    @Test("an unknown, empty or missing identifier fails the whole batch", arguments: ["unknown", "", nil])
    func invalidIdentifier(identifier: String?) async throws {
        stream.add(3)
        let store = try DeadLetterStore(storage: storage)
        let options = EventSourceMappingOptions(maximumRetryAttempts: 0, onFailure: .store(store), seed: 1)
        let mapping = try open(
            "m", options,
            handler: .external { batch in
                BatchResponse(batchItemFailures: [batch.records[1].sequenceNumber.description, identifier])
            })
        #expect(try await settle(mapping).discarded == 3)
        let documents = try store.documents(ofMapping: "m")
        #expect(documents.count == 1)
        #expect(documents[0].contains("\"batchSize\":3"))
        #expect(documents[0].contains("\"functionError\":null"))
        try store.removeAll(ofMapping: "m")
        #expect(try store.documents(ofMapping: "m").isEmpty)
    }

    @Test("records over the age limit are given up unread")
    func recordAge() async throws {
        stream.add(2)
        clock.advance(by: .seconds(61))
        stream.add(2)
        let store = try DeadLetterStore(storage: storage)
        let options = EventSourceMappingOptions(maximumRecordAge: .seconds(60), onFailure: .store(store), seed: 1)
        #expect(try await settle(open("m", options)).discarded == 2)
        #expect(journal.numbers == [3, 4])
        #expect(try store.documents(ofMapping: "m")[0].contains("\"condition\":\"RecordAgeExceeded\""))
    }

    @Test("a transactional effect and its checkpoint commit together: nothing is done twice, nothing is lost")
    func exactlyOnce() async throws {
        let keyspace = try storage.keyspace("effects")
        stream.add(30)
        let failures = Mutex<[Int: Int]>([4: 2, 17: 1])
        let handler = EventHandler.transactional { record, transaction in
            // Counts how often each record took effect.
            let key = [UInt8(record.number)]
            let count = try transaction.get(keyspace, key.rawSpan)?.first ?? 0
            let value = [count + 1]
            try transaction.put(keyspace, key.rawSpan, value.rawSpan)
            let fails = failures.withLock { failures in
                guard let left = failures[record.number], left > 0 else { return false }
                failures[record.number] = left - 1
                return true
            }
            if fails { throw HandlerFailed() }
        }
        let options = EventSourceMappingOptions(batchSize: 8, seed: 1)
        let progress = try await settle(open("m", options, handler: handler))
        #expect(progress.delivered == 30)
        #expect(progress.failures == 3)
        for number in 1...30 {
            let key = [UInt8(number)]
            #expect(try storage.snapshot().view.get(keyspace, key.rawSpan) == [1])
        }
        #expect(try open("m", options, handler: handler).checkpoint == TestStream.position(30))
    }

    @Test("a transactional record that never succeeds is given up alone")
    func transactionalPoison() async throws {
        let keyspace = try storage.keyspace("effects")
        let queue = try FIFOQueue(storage: storage, name: "dead.fifo", options: FIFOQueueOptions(seed: 9))
        stream.add(5)
        let options = EventSourceMappingOptions(maximumRetryAttempts: 2, onFailure: .queue(queue), seed: 1)
        let mapping = try open(
            "m", options,
            handler: .transactional { record, transaction in
                let key = [UInt8(record.number)]
                try transaction.put(keyspace, key.rawSpan, key.rawSpan)
                if record.number == 2 { throw HandlerFailed() }
            })
        let progress = try await settle(mapping)
        #expect(progress.delivered == 4 && progress.discarded == 1 && progress.failures == 3)
        let view = storage.snapshot().view
        for number in 1...5 {
            let key = [UInt8(number)]
            #expect(try view.contains(keyspace, key.rawSpan) == (number != 2))
        }
        #expect(queue.attributes.approximateNumberOfMessages == 1)
    }

    @Test("a record can be delivered again on purpose, in order with those behind it")
    func redelivery() async throws {
        stream.add(4)
        let mapping = try open()
        _ = try await mapping.drain()
        try mapping.redeliver(from: TestStream.record(3, at: clock.now))
        #expect(try await mapping.drain().delivered == 2)
        #expect(journal.numbers == [1, 2, 3, 4, 3, 4])
        try mapping.redeliver(after: nil)
        #expect(try open().checkpoint == nil)
        #expect(try await mapping.drain().delivered == 4)
    }

    @Test("a disabled mapping stays disabled after reopening, and goes on where it was once enabled")
    func disabled() async throws {
        stream.add(2)
        _ = try await open().drain()
        try open().setEnabled(false)
        stream.add(2)
        let reopened = try open()
        #expect(!reopened.isEnabled)
        #expect(try await reopened.drain().next == .disabled)
        #expect(journal.numbers == [1, 2])
        try reopened.setEnabled(true)
        #expect(try await reopened.drain().delivered == 2)
        #expect(journal.numbers == [1, 2, 3, 4])
    }

    @Test("where the stream was trimmed behind the checkpoint, the mapping goes on with the oldest record kept")
    func trimmed() async throws {
        stream.add(3)
        let mapping = try open()
        _ = try await mapping.drain()
        stream.add(7)
        stream.trim(through: 6)
        #expect(try await mapping.drain().delivered == 4)
        #expect(journal.numbers == [1, 2, 3, 7, 8, 9, 10])
    }

    @Test("a failing disk is no fault of the records: it is thrown and counts as no attempt")
    func environmentFailure() async throws {
        stream.add(1)
        let failing = Mutex(true)
        let journal = journal
        let options = EventSourceMappingOptions(maximumRetryAttempts: 0, seed: 1)
        let mapping = try open(
            "m", options,
            handler: .external { batch in
                if failing.withLock({ $0 }) { throw StorageError(.diskFull, "No space left.") }
                journal.note(batch.records)
                return .success
            })
        for _ in 0..<3 {
            let error = await #expect(throws: StorageError.self) { try await mapping.drain() }
            #expect(error?.code == .diskFull)
        }
        failing.withLock { $0 = false }
        #expect(try await mapping.drain().delivered == 1)
    }

    @Test("a started mapping delivers what arrives, stops, and catches up when started again")
    func runner() async throws {
        let mapping = try open()
        mapping.start()
        #expect(mapping.isRunning)
        stream.add(3)
        try await eventually { journal.numbers.count == 3 }
        stream.add(2)
        try await eventually { journal.numbers.count == 5 }
        await mapping.stop()
        #expect(!mapping.isRunning)
        stream.add(5)
        try await Task.sleep(for: .milliseconds(30))
        #expect(journal.numbers.count == 5)
        mapping.start()
        try await eventually { journal.numbers.count == 10 }
        try mapping.redeliver(after: TestStream.position(8))
        try await eventually { journal.numbers.count == 12 }
        await mapping.stop()
        #expect(journal.numbers == Array(1...10) + [9, 10])
    }

    @Test("a batch that fills up does not wait for the end of its window")
    func windowFillsUp() async throws {
        let mapping = try open("m", EventSourceMappingOptions(batchSize: 3, batchingWindow: .seconds(300), seed: 1))
        mapping.start()
        stream.add(2)
        try await Task.sleep(for: .milliseconds(30))
        #expect(journal.numbers.isEmpty)
        stream.add(1)
        try await eventually { journal.batches == [[1, 2, 3]] }
        await mapping.stop()
    }

    @Test("two steps at once are refused")
    func exclusive() async throws {
        stream.add(1)
        let inner = Mutex<EventSourceMapping?>(nil)
        let mapping = try open(
            handler: .external { _ in
                let mapping = inner.withLock { $0 }
                await #expect(throws: MappingError.self) { try await mapping?.runOnce() }
                #expect(throws: MappingError.self) { try mapping?.redeliver(after: nil) }
                return .success
            })
        inner.withLock { $0 = mapping }
        #expect(try await mapping.drain().delivered == 1)
        inner.withLock { $0 = nil }
    }

    @Test("parameters out of range are refused")
    func parameters() throws {
        let wrong: [EventSourceMappingOptions] = [
            EventSourceMappingOptions(batchSize: 0), EventSourceMappingOptions(batchSize: 10_001),
            EventSourceMappingOptions(batchingWindow: .seconds(301)),
            EventSourceMappingOptions(maximumRetryAttempts: -2),
            EventSourceMappingOptions(maximumRecordAge: .seconds(59)),
        ]
        for options in wrong { #expect(throws: MappingError.self) { try open("m", options) } }
    }

    @Test("a damaged checkpoint is refused with an error")
    func damagedCheckpoint() throws {
        let good = MappingCheckpoint(position: TestStream.position(7), isDisabled: true)
        let bytes = good.encoded()
        #expect(try MappingCheckpoint(decoding: bytes) == good)
        for length in bytes.indices {
            #expect(throws: StorageError.self) { try MappingCheckpoint(decoding: Array(bytes.prefix(length))) }
        }
        var impossible = bytes
        impossible[12] = 0xFF
        #expect(throws: StorageError.self) { try MappingCheckpoint(decoding: impossible) }
    }

    private func eventually(_ condition: () -> Bool) async throws {
        for _ in 0..<500 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(condition())
    }
}
