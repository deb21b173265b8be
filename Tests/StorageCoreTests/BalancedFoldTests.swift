// BalancedFoldTests.swift — what many operands come to, and what it costs.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Folding of operands") struct BalancedFoldTests {
    /// Appends, and counts the bytes that it writes.
    private final class CountingAppend: MergeOperator {
        let name = "counting append"
        let byteCount = Atomic<Int>(0)

        func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) throws {
            result = older.array() + newer.array()
            byteCount.wrappingAdd(result.count, ordering: .relaxed)
        }

        func takeByteCount() -> Int { byteCount.exchange(0, ordering: .relaxed) }
    }

    @Test("parts are combined in their order", arguments: 0..<40)
    func order(count: Int) {
        let parts = (0..<count).map { [$0] }
        #expect(parts.balancedFold(+) ?? [] == Array(0..<count))
        #expect(parts.reversed().balancedFold(+) ?? [] == (0..<count).reversed())
    }

    @Test("a thousand operands of a key are not copied a thousand times, by reads, cursors and flushes")
    func cost() throws {
        let append = CountingAppend()
        var options = smallOptions(SimulatedFileSystem())
        options.memtableByteCount = 4 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(mergeOperator: append))
        let count = 1000
        for number in 0..<count {
            try storage.write { try $0.merge(keyspace, [1].rawSpan, [UInt8(truncatingIfNeeded: number)].rawSpan) }
        }
        let expected = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let limit = count * 11
        _ = append.takeByteCount()
        let view = storage.snapshot().view
        #expect(try view.get(keyspace, [1].rawSpan) == expected)
        #expect((count...limit).contains(append.takeByteCount()))
        var cursor = try view.cursor(keyspace)
        for isForward in [true, false] {
            if isForward { try cursor.seekToFirst() } else { try cursor.seekToLast() }
            let value = cursor.value.array()
            #expect(value == expected)
            #expect((count...limit).contains(append.takeByteCount()))
        }
        try storage.flush()
        #expect((count...limit).contains(append.takeByteCount()))
        #expect(try storage.snapshot().view.get(keyspace, [1].rawSpan) == expected)
    }

    @Test("the operands of a key in memory are counted up to the first value, or to a limit")
    func operandCount() throws {
        var options = smallOptions(SimulatedFileSystem())
        options.memtableByteCount = 4 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(mergeOperator: CountingAppend()))
        func count(upTo limit: Int = 100) throws -> Int {
            try storage.write { $0.operandCount(keyspace, [1].rawSpan, upTo: limit) }
        }
        #expect(try count() == 0)
        try storage.write { try $0.put(keyspace, [1].rawSpan, [0].rawSpan) }
        #expect(try count() == 0)
        for expected in 1...20 {
            try storage.write { try $0.merge(keyspace, [1].rawSpan, [1].rawSpan) }
            #expect(try count() == expected)
        }
        #expect(try count(upTo: 7) == 7)
        try storage.flush()
        #expect(try count() == 0)
    }
}
