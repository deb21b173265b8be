// A stream in memory, with records as a table's stream would give them.

import StorageTypes
import Synchronization
import TableEngine

@testable import EventPipeline

final class TestStream: StreamReading {
    private let state = Mutex<(records: [StreamRecord], trimmedThrough: StreamSequenceNumber?)>(([], nil))
    private let signal = Signal()
    private let clock: ManualClock

    init(clock: ManualClock) {
        self.clock = clock
    }

    func records(after position: StreamSequenceNumber?, limit: Int) throws -> [StreamRecord] {
        try state.withLock { state in
            if let position, let trimmed = state.trimmedThrough, position < trimmed {
                throw TableError(
                    .trimmedDataAccess, "The operation attempted to read past the oldest stream record in a shard.")
            }
            return Array(
                state.records.filter { record in position.map { record.sequenceNumber > $0 } ?? true }.prefix(limit))
        }
    }

    func waitForRecords(after position: StreamSequenceNumber?) async throws {
        while try records(after: position, limit: 1).isEmpty {
            let generation = signal.generation
            guard try records(after: position, limit: 1).isEmpty else { return }
            await signal.wait(after: generation)
            try Task.checkCancellation()
        }
    }

    /// Adds records numbered on from the last; their key is `id`, their number `n`.
    func add(_ count: Int, _ eventName: StreamRecord.EventName = .insert) {
        state.withLock { state in
            for _ in 0..<count {
                let number = state.records.count + 1
                state.records.append(Self.record(number, eventName, at: clock.now))
            }
        }
        signal.notify()
    }

    func trim(through number: Int) {
        state.withLock { state in
            state.trimmedThrough = Self.position(number)
            state.records.removeAll { $0.sequenceNumber <= Self.position(number) }
        }
    }

    static func position(_ number: Int) -> StreamSequenceNumber {
        StreamSequenceNumber(commit: SequenceNumber(UInt64(number * 10)), ordinal: 0)
    }

    static func record(
        _ number: Int, _ eventName: StreamRecord.EventName = .insert, at instant: StorageInstant
    ) -> StreamRecord {
        let keys: Item = ["SK": AttributeValue.s("ORDER#\(number)")]
        return StreamRecord(
            eventID: "event-\(number)", eventName: eventName, keys: keys,
            newImage: ["n": AttributeValue.s("\(number)")],
            oldImage: nil, sequenceNumber: position(number), sizeBytes: 10, streamViewType: .newAndOldImages,
            approximateCreationDateTime: instant)
    }
}

extension StreamRecord {
    /// The number that `TestStream` gave the record.
    var number: Int { Int(sequenceNumber.commit.rawValue) / 10 }
}

/// Collects from handlers.
final class Journal: Sendable {
    private let entries = Mutex<[[Int]]>([])

    var batches: [[Int]] { entries.withLock { $0 } }
    var numbers: [Int] { batches.flatMap(\.self) }

    func note(_ records: [StreamRecord]) {
        entries.withLock { $0.append(records.map(\.number)) }
    }
}

struct HandlerFailed: Error {}
