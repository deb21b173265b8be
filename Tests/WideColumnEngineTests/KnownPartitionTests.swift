import StorageTypes
import Synchronization
import Testing

@testable import StorageCore
@testable import WideColumnEngine

extension UnsafeKnownPartitions {
    fileprivate func slot(_ prefix: [UInt8]) -> Slot? { slot(of: prefix.rawSpan) }

    fileprivate func isBeyond(_ row: [UInt8], _ slot: Slot, _ isDescending: Bool = false) -> Bool {
        isBeyondEdge(row.rawSpan, slot, isDescending: isDescending)
    }
}

/// What writers remember of partitions: a row may be taken to be new only where none can be.
@Suite("Known partitions")
struct KnownPartitionTests {
    // MARK: The table of partitions

    private static func prefix(_ number: UInt64) -> [UInt8] {
        var prefix = Array("partition".utf8)
        prefix.appendBigEndian(number)
        return prefix
    }

    @Test("what is known of a partition goes when others take its place, and then nothing is")
    func slots() throws {
        let partitions = UnsafeKnownPartitions()
        for number in 0..<4 as Range<UInt64> {
            let slot = try #require(partitions.slot(Self.prefix(number)))
            #expect(!partitions.hasNoDeletions(slot, generation: 0))
            partitions.noteNoDeletions(slot, generation: 0)
            #expect(!partitions.isEdgeWanted(slot))
            partitions.noteSearchInVain(slot)
            #expect(partitions.isEdgeWanted(slot))
            let edge = [UInt8(number)]
            partitions.setEdge(edge.rawSpan, slot)
            #expect(!partitions.isEdgeWanted(slot))
        }
        for number in 0..<4 as Range<UInt64> {
            let slot = try #require(partitions.slot(Self.prefix(number)))
            #expect(partitions.hasNoDeletions(slot, generation: 0))
            #expect(!partitions.hasNoDeletions(slot, generation: 1))
            #expect(!partitions.isBeyond([UInt8(number)], slot))
            #expect(partitions.isBeyond([UInt8(number), 0], slot))
        }
        // All lie in one set, since its number is in the first bytes.
        for number in 4..<8 as Range<UInt64> { _ = partitions.slot(Self.prefix(number)) }
        let slot = try #require(partitions.slot(Self.prefix(0)))
        #expect(!partitions.hasNoDeletions(slot, generation: 0))
        #expect(!partitions.isBeyond([9], slot))
        #expect(partitions.slot([UInt8](repeating: 1, count: 63)) != nil)
        #expect(partitions.slot([UInt8](repeating: 1, count: 64)) == nil)
        #expect(partitions.slot([UInt8](repeating: 1, count: 7)) == nil)
    }

    @Test("no row lies beyond the edge unless it lies beyond all that were noted", arguments: [false, true])
    func edges(isDescending: Bool) throws {
        let seed = UInt64.random(in: 0..<1 << 32)
        print("edges of partitions, seed \(seed)")
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            let partitions = UnsafeKnownPartitions()
            let prefix = Self.prefix(random.next())
            let slot = try #require(partitions.slot(prefix))
            // Longer than an edge may be, alike but for a byte anywhere.
            let common = [UInt8](repeating: 5, count: Int.random(in: 0..<70, using: &random))
            func clustering() -> [UInt8] {
                var clustering = Array(common.prefix(Int.random(in: 0...70, using: &random)))
                if let index = clustering.indices.randomElement(using: &random) {
                    clustering[index] = UInt8.random(in: 3...6, using: &random)
                }
                return clustering
            }
            var rows = [clustering()]
            let first = rows[0]
            partitions.setEdge(first.rawSpan, slot)
            for _ in 0..<50 {
                let row = clustering()
                if partitions.isBeyond(row, slot, isDescending) {
                    for other in rows {
                        let order = compareBytes(row, other)
                        #expect(isDescending ? order < 0 : order > 0, "\(row) \(other)")
                    }
                }
                partitions.noteRow(row.rawSpan, ofPartition: prefix.rawSpan, isDescending: isDescending)
                rows.append(row)
            }
            partitions.forgetEdges()
            let last: [UInt8] = isDescending ? [] : [9]
            #expect(!partitions.isBeyond(last, slot, isDescending))
        }
    }

    // MARK: In a store

    private final class Recorder: AccessTraceSink {
        private let count = Atomic<Int>(0)

        func record(_ event: AccessEvent) {
            if case .memtables = event { count.add(1, ordering: .relaxed) }
        }

        /// How often the table was read since the last time.
        func take() -> Int { count.exchange(0, ordering: .relaxed) }
    }

    private static func makeStore(_ order: String) throws -> (WideColumnStore, insert: PreparedStatement) {
        let store = try WideColumnEngineTests.makeStore()
        try store.execute(
            "CREATE TABLE t (k int, c int, u text, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c \(order))")
        try store.execute(Self.view)
        return (store, try store.prepare("INSERT INTO t (k, c, u) VALUES (?, ?, ?)"))
    }

    private static let view = """
        CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE u IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL
        PRIMARY KEY (u, k, c)
        """

    private func expectViewEqualsTable(_ store: WideColumnStore, _ comment: Comment) throws {
        let rows = try store.lines("SELECT u, k, c FROM t").filter { !$0.hasPrefix("null") }.sorted()
        #expect(try store.lines("SELECT u, k, c FROM v").sorted() == rows, comment)
    }

    @Test("rows that come in order are written without a look for them", arguments: ["ASC", "DESC"])
    func inOrder(order: String) throws {
        let (store, insert) = try Self.makeStore(order)
        let recorder = Recorder()
        func readCount(_ values: [CQLValue]) throws -> Int {
            try store.storage.write { transaction in
                transaction.traceSink = recorder
                try insert.execute(values, in: transaction)
            }
            return recorder.take()
        }
        for number in Int32(0)..<2 { #expect(try readCount([1, .int(number), "a"]) > 0) }
        for number in Int32(2)..<50 { #expect(try readCount([1, .int(number), "a"]) == 0, "\(number)") }
        // What lies before the edge is looked for, and replaced where it is there.
        #expect(try readCount([1, 20, "b"]) > 0)
        #expect(try readCount([1, 49, "b"]) > 0)
        #expect(try readCount([1, 50, "b"]) == 0)
        try expectViewEqualsTable(store, "\(order)")
        #expect(try store.lines("SELECT c FROM v WHERE u = 'b'").count == 3)
    }

    @Test("rows that others have written are met, whichever way they came", arguments: ["ASC", "DESC"], [false, true])
    func othersWrites(order: String, isFlushed: Bool) throws {
        let others = [
            "INSERT INTO t (k, c, u) VALUES (1, 7, 'x')",
            "INSERT INTO t (k, c, u) VALUES (1, 7, 'x') IF NOT EXISTS",
            "UPDATE t SET u = 'x' WHERE k = 1 AND c = 7",
            "BEGIN BATCH INSERT INTO t (k, c, u) VALUES (1, 7, 'x'); INSERT INTO t (k, c, u) VALUES (2, 7, 'x') APPLY BATCH",
            "INSERT INTO t (k, c, u) VALUES (1, 7, 'x') USING TTL 1000",
            "INSERT INTO t JSON '{\"k\": 1, \"c\": 7, \"u\": \"x\"}'",
        ]
        for other in others {
            let (store, insert) = try Self.makeStore(order)
            // The other's row lies beyond the edge.
            for number in Int32(0)..<6 { try insert.execute([1, .int(number), "a"]) }
            try store.execute(other)
            if isFlushed { try store.storage.flush() }
            try insert.execute([1, 7, "y"])
            try expectViewEqualsTable(store, "\(other)")
            #expect(try store.lines("SELECT c FROM v WHERE u = 'x' AND k = 1") == [], "\(other)")
        }
    }

    @Test("rows that were written while there was no view are met once there is one")
    func withoutView() throws {
        let (store, insert) = try Self.makeStore("ASC")
        for number in Int32(0)..<6 { try insert.execute([1, .int(number), "a"]) }
        try store.execute("DROP MATERIALIZED VIEW v")
        try insert.execute([1, 7, "x"])
        try store.execute("INSERT INTO t (k, c, u) VALUES (1, 8, 'x')")
        try store.execute(Self.view)
        for number in [7, 8] as [Int32] { try insert.execute([1, .int(number), "y"]) }
        try expectViewEqualsTable(store, "")
        #expect(try store.lines("SELECT c FROM v WHERE u = 'x'") == [])
    }

    @Test("a write that failed leaves nothing that a later one would rest on")
    func failedWrite() throws {
        struct Stop: Error {}
        let (store, insert) = try Self.makeStore("ASC")
        for number in Int32(0)..<4 { try insert.execute([1, .int(number), "a"]) }
        #expect(throws: Stop.self) {
            try store.storage.write { transaction in
                try insert.execute([1, 9, "x"], in: transaction)
                throw Stop()
            }
        }
        try insert.execute([1, 7, "b"])
        try insert.execute([1, 9, "c"])
        try insert.execute([1, 9, "d"])
        try expectViewEqualsTable(store, "")
        #expect(try store.lines("SELECT c, u FROM v WHERE u IN ('b', 'c', 'd', 'x')").sorted() == ["7 'b'", "9 'd'"])
    }

    @Test("two stores of one storage know of one another's rows")
    func twoStores() throws {
        let (store, insert) = try Self.makeStore("ASC")
        for number in Int32(0)..<4 { try insert.execute([1, .int(number), "a"]) }
        let other = try WideColumnStore(storage: store.storage)
        let otherInsert = try other.prepare("INSERT INTO ks.t (k, c, u) VALUES (?, ?, ?)")
        for number in Int32(4)..<9 { try otherInsert.execute([1, .int(number), "x"]) }
        for number in Int32(4)..<9 { try insert.execute([1, .int(number), "y"]) }
        try expectViewEqualsTable(store, "")
        #expect(try store.lines("SELECT c FROM v WHERE u = 'x'") == [])
    }
}
