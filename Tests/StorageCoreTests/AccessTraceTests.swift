// A traced read tells what it touched, and reads what one that isn't traced does.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Access traces")
struct AccessTraceTests {
    private let recorder = AccessRecorder()

    private func key(_ index: Int) -> [UInt8] { bytes("key" + String(1000 + index)) }

    /// Two tables with other keys each, and a memtable.
    private func makeStorage() throws -> (Storage, Keyspace) {
        let storage = try Storage.inMemory()
        let keyspace = try storage.keyspace("entries", options: KeyspaceOptions(isDedicated: true))
        for remainder in 0..<3 {
            for index in 0..<300 where index % 3 == remainder {
                try storage.write { try $0.put(keyspace, key(index).rawSpan, bytes("value\(index)").rawSpan) }
            }
            if remainder < 2 { try storage.flush() }
        }
        return (storage, keyspace)
    }

    /// Newest first.
    private func tableNumbers(_ keyspace: Keyspace) -> [UInt64] { keyspace.tree.state.levels.all.map(\.number) }

    private func tables(_ events: [AccessEvent]) -> [AccessEvent] {
        events.filter { event in
            switch event {
            case .block, .memtables: false
            default: true
            }
        }
    }

    @Test("a look-up tells the tables that its filter ruled out and those that it searched")
    func lookups() throws {
        let (storage, keyspace) = try makeStorage()
        let numbers = tableNumbers(keyspace)
        #expect(numbers.count == 2)
        let snapshot = storage.snapshot().traced(by: recorder)
        // In the older table, there but before the newer one's first key, in the newer one, in the memtable, nowhere.
        for (index, expected) in [
            (0, [AccessEvent.tableSearched(number: numbers[1], isFound: true)]),
            (3, [.tableRuledOut(number: numbers[0]), .tableSearched(number: numbers[1], isFound: true)]),
            (1, [.tableSearched(number: numbers[0], isFound: true)]), (2, []),
        ] {
            #expect(try snapshot.view.get(keyspace, key(index).rawSpan) == bytes("value\(index)"))
            let events = recorder.take()
            #expect(events.first == .memtables(count: 1))
            #expect(tables(events) == expected)
            // The data block, and where the index is not kept yet, a part of that.
            #expect(events.count > expected.count + (expected.isEmpty ? 0 : 1))
        }
        #expect(try snapshot.view.get(keyspace, bytes("key1003x").rawSpan) == nil)
        #expect(tables(recorder.take()) == numbers.map { .tableRuledOut(number: $0) })
    }

    @Test("a cursor tells the tables that it enters, and which blocks were in the cache")
    func cursors() throws {
        let (storage, keyspace) = try makeStorage()
        let numbers = tableNumbers(keyspace)
        func count(_ snapshot: Snapshot) throws -> Int {
            var count = 0
            var cursor = try snapshot.view.cursor(keyspace)
            try cursor.seekToFirst()
            while cursor.isValid {
                count += 1
                try cursor.next()
            }
            return count
        }
        let snapshot = storage.snapshot().traced(by: recorder)
        #expect(try count(snapshot) == 300)
        let first = recorder.take()
        #expect(tables(first) == numbers.map { .tableEntered(number: $0) })
        let blocks = first.filter { if case .block = $0 { true } else { false } }
        for number in numbers {
            #expect(blocks.contains { if case .block(number, _, false) = $0 { true } else { false } })
        }
        #expect(try count(snapshot) == 300)
        let second = recorder.take().filter { if case .block = $0 { true } else { false } }
        #expect(!second.isEmpty)
        #expect(second.allSatisfy { if case .block(_, let byteCount, true) = $0 { byteCount > 0 } else { false } })
        // Nobody listens to the snapshot itself.
        #expect(try count(storage.snapshot()) == 300 && recorder.take().isEmpty)
    }

    @Test("levels below 0 tell a table only when the cursor gets there")
    func levels() throws {
        let (storage, keyspace) = try makeStorage()
        try storage.compact()
        let number = try #require(tableNumbers(keyspace).first)
        let snapshot = storage.snapshot().traced(by: recorder)
        var cursor = try snapshot.view.cursor(keyspace, KeyRange(lower: key(5)))
        #expect(tables(recorder.take()).isEmpty)
        try cursor.seekToFirst()
        #expect(tables(recorder.take()) == [.tableEntered(number: number)])
    }

    @Test("a transaction tells its reads as they come and its changes once its body has ended")
    func transactions() throws {
        let (storage, keyspace) = try makeStorage()
        let numbers = tableNumbers(keyspace)
        try storage.write { transaction in
            transaction.traceSink = recorder
            #expect(try transaction.get(keyspace, key(1).rawSpan) == bytes("value1"))
            #expect(tables(recorder.take()) == [.tableSearched(number: numbers[0], isFound: true)])
            try transaction.put(keyspace, key(7).rawSpan, bytes("new").rawSpan)
            try transaction.deleteRange(keyspace, KeyRange(lower: key(8), upper: key(9)))
            try transaction.deleteRange(keyspace, KeyRange(lower: key(290)))
            #expect(recorder.take().isEmpty)
        }
        #expect(
            recorder.take() == [
                .rangeDeleted(keyspace: "entries", range: KeyRange(lower: key(8), upper: key(9))),
                .rangeDeleted(keyspace: "entries", range: KeyRange(lower: key(290))),
                .keyWritten(keyspace: "entries", key: key(7)),
            ])
        struct Refusal: Error {}
        #expect(throws: Refusal.self) {
            try storage.write { transaction in
                transaction.traceSink = recorder
                try transaction.put(keyspace, key(7).rawSpan, bytes("newer").rawSpan)
                throw Refusal()
            }
        }
        #expect(recorder.take().isEmpty)
    }

    @Test("a traced snapshot keeps what it sees, after the one that it came from is gone")
    func lifetime() throws {
        let (storage, keyspace) = try makeStorage()
        var snapshot: Snapshot? = storage.snapshot()
        let traced = try #require(snapshot).traced(by: recorder)
        snapshot = nil
        #expect(storage.statistics.snapshots.count == 1)
        try storage.write { try $0.delete(keyspace, key(0).rawSpan) }
        try storage.compact()
        #expect(try traced.view.get(keyspace, key(0).rawSpan) == bytes("value0"))
        #expect(try storage.snapshot().view.get(keyspace, key(0).rawSpan) == nil)
    }
}
