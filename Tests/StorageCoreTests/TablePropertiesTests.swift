// TablePropertiesTests.swift — what a table says of itself to those who decide what to compact.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Table properties")
struct TablePropertiesTests {
    @Test("the densest stretch of deletes, expiring entries and sizes before coding are counted")
    func densities() throws {
        let entries = (0..<1000).map { number in
            let isDelete = 256..<356 ~= number || number % 100 == 0
            return PlainEntry(
                Array("key \(1000 + number)".utf8), 5, kind: isDelete ? .delete : .put,
                expiry: number % 4 == 0 ? Int64(number) : .max, value: isDelete ? [] : [1, 2, 3])
        }
        let table = try BuiltTable(entries, options: TableOptions(blockByteCount: 512))
        let properties = table.properties
        #expect(properties.densestDeleteCount == 100)
        #expect(properties.expiringCount == 250)
        #expect(properties.deleteCount == entries.count { $0.kind == .delete })
        #expect(properties.uncompressedByteCount > properties.dataByteCount)
        #expect(properties.uncompressedByteCount > entries.count * 4)
        let metadata = TableMetadata(number: 7, properties: properties)
        #expect(metadata.rawByteCount == properties.rawKeyByteCount + properties.rawValueByteCount)
        #expect(metadata.compression == .lz4)
        try table.open().verify()
    }

    @Test("the times of commits are bounded by those that enclose a table most closely")
    func commitTimes() {
        typealias Point = CommitTimes.Point
        let times = CommitTimes(
            notBefore: [Point(sequence: 3, time: 30), Point(sequence: 1, time: 10), Point(sequence: 8, time: 80)],
            notAfter: [Point(sequence: 9, time: 95), Point(sequence: 5, time: 55), Point(sequence: 20, time: 200)])
        #expect(times.bounds(from: 4, through: 6) == (30, 95))
        #expect(times.bounds(from: 3, through: 5) == (30, 55))
        #expect(times.bounds(from: 0, through: 20) == (.min, 200))
        #expect(times.bounds(from: 9, through: 21) == (80, .max))
        #expect(CommitTimes.unknown.bounds(from: 1, through: 2) == (.min, .max))
    }

    @Test(
        "flushed tables know the times of their commits, compacted ones bounds of them, also after a replay of the log")
    func storageTimes() throws {
        let disk = SimulatedFileSystem()
        let clock = ManualClock()
        var storage = try smallStorage(disk, clock)
        var keyspace = try storage.keyspace("k")
        var commits: [UInt64: Int64] = [:]
        func put(_ key: String) throws {
            clock.advance(by: .seconds(10))
            let sequence = try storage.write(.synced) { transaction in
                try transaction.put(keyspace, bytes(key).rawSpan, bytes("value").rawSpan)
                return transaction.sequence.rawValue
            }
            commits[sequence] = clock.now.microseconds
        }
        func tables() -> [TableMetadata] { keyspace.tree.state.levels.all.map(\.metadata) }

        for key in ["a", "b", "c"] { try put(key) }
        try storage.flush()
        for table in tables() {
            #expect(table.earliestTime == commits[table.smallestSequence])
            #expect(table.latestTime == commits[table.largestSequence])
        }
        try put("b")
        try put("d")
        storage = try smallStorage(disk.crash(.everything), clock)
        keyspace = try #require(storage.existingKeyspace("k"))
        #expect(tables().count >= 2)
        for table in tables() {
            #expect(table.earliestTime == commits[table.smallestSequence])
            #expect(table.latestTime == commits[table.largestSequence])
        }
        try storage.compact()
        #expect(tables().count == 1)
        for table in tables() {
            #expect(try table.earliestTime <= #require(commits[table.smallestSequence]))
            #expect(try table.latestTime >= #require(commits[table.largestSequence]))
            #expect(table.earliestTime > 0)
            #expect(table.latestTime < .max)
        }
        #expect(try storage.verify().isHealthy)
    }

    @Test("a table says which tree and keyspaces it is of, and which tables it takes the place of")
    func origin() throws {
        let storage = try smallStorage()
        let first = try storage.keyspace("first")
        let second = try storage.keyspace("second", options: KeyspaceOptions(isDedicated: true))
        let third = try storage.keyspace("third", options: KeyspaceOptions(expiry: .engine))
        func write(_ keyspace: Keyspace, _ count: Int) throws {
            for number in 0..<count {
                try storage.write {
                    try $0.put(keyspace, bytes("key \(number)").rawSpan, [UInt8](repeating: 7, count: 300).rawSpan)
                }
            }
        }
        func origins(_ keyspace: Keyspace) throws -> [TableOrigin] {
            try keyspace.tree.state.levels.all.map { table in
                let reader = try table.open()
                return try #require(
                    try TableMetaIndex(reader.blocks, reader.footer.metaIndex).readOrigin(reader.blocks))
            }
        }
        try write(first, 40)
        try write(third, 40)
        try write(second, 1)
        try storage.flush()
        let flushed = try origins(first)
        #expect(flushed.flatMap(\.inputs).isEmpty)
        #expect(
            flushed.allSatisfy { $0.tree == first.tree.id && $0.treeOptions == first.tree.options && $0.level == 0 })
        #expect(Set(flushed.flatMap(\.keyspaces).map(\.name)).isSubset(of: ["first", "third"]))
        #expect(try origins(second).map(\.keyspaces) == [[second.record]])
        let inputs = Set(first.tree.state.levels.all.map(\.number))
        try storage.compact()
        let compacted = try origins(first)
        #expect(compacted.count > 1)
        #expect(compacted.allSatisfy { Set($0.inputs) == inputs && $0.level > 0 })
        #expect(Set(compacted.map(\.group)).count == 1)
        #expect(compacted.map(\.position) == Array(compacted.indices))
        #expect(compacted.map(\.isLast) == compacted.indices.map { $0 == compacted.count - 1 })
        #expect(try storage.verify().isHealthy)
    }
}
