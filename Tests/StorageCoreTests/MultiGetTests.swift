// MultiGetTests.swift — several keys in one call: the same answers as one by one.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

private final class NullSink: AccessTraceSink {
    func record(_ event: AccessEvent) {}
}

@Suite("Multi-get")
struct MultiGetTests {
    private static func key(_ number: Int) -> [UInt8] { bytes("key \(number % 7)/\(number)") }

    /// Keys with repetitions, sorted or not, some of them absent, empty or longer than any that is there.
    private static func wanted(_ random: inout SeededRandom) -> [[UInt8]] {
        let count = [0, 1, 2, 31, 32, 33, 100][Int.random(in: 0..<7, using: &random)]
        var keys = (0..<count).map { _ in key(Int.random(in: 0..<130, using: &random)) }
        if count > 3 {
            keys[1] = keys[0]
            keys[2] = []
            keys[3] = key(5) + random.bytes(20)
        }
        if Bool.random(using: &random) { keys.sort { $0.lexicographicallyPrecedes($1) } }
        return keys
    }

    private static func check(
        _ view: ReadView, _ keyspace: Keyspace, _ keys: [[UInt8]], _ what: String
    ) throws {
        let expected = try keys.map { try view.get(keyspace, $0.rawSpan) }
        #expect(try view.multiGet(keyspace, keys) == expected, "\(what)")
        var places: [Int] = []
        try view.multiGet(keyspace, keys) { place, value in
            places.append(place)
            #expect(value?.array() == expected[place], "\(what)")
        }
        #expect(places.sorted() == Array(keys.indices), "\(what)")
    }

    @Test("it gives what a get of each key gives, over every kind of entry and source", arguments: 0..<4)
    func model(round: Int) throws {
        let seed = TestSeed.draw("multi-get")
        var random = SeededRandom(seed: seed)
        let clock = ManualClock()
        var options = smallOptions(SimulatedFileSystem(seed: seed), clock)
        if round % 2 == 1 { options.blockCacheByteCount = 0 }
        let storage = try Storage.open(at: "/db", options: options)
        let all = [
            try storage.keyspace("plain", options: KeyspaceOptions(expiry: .engine)),
            try storage.keyspace(
                "unfiltered", options: KeyspaceOptions(expiry: .engine, isDedicated: true, filterBitsPerKey: 0)),
            try storage.keyspace("sums", options: KeyspaceOptions(mergeOperator: ModelSum())),
            try storage.keyspace("memory", options: KeyspaceOptions(expiry: .engine, isVolatile: true)),
        ]
        var held: [Snapshot] = []
        for step in 0..<500 {
            let keyspace = all[Int.random(in: 0..<all.count, using: &random)]
            let key = Self.key(Int.random(in: 0..<120, using: &random))
            switch Int.random(in: 0..<40, using: &random) {
            case 0, 1: try storage.flush()
            case 2: try storage.compact()
            case 3: clock.advance(by: .seconds(2))
            case 4:
                let upper = Self.key(Int.random(in: 0..<120, using: &random))
                if key.lexicographicallyPrecedes(upper) {
                    try storage.write { try $0.deleteRange(keyspace, KeyRange(lower: key, upper: upper)) }
                }
            case 5: held.append(storage.snapshot())
            case 6 where step > 250:
                _ = try storage.keyspace("plain", options: KeyspaceOptions(expiry: .engine, isDedicated: true))
            case 7..<11: try storage.write { try $0.delete(keyspace, key.rawSpan) }
            case 11..<16 where keyspace.name != "sums":
                let expiry = clock.now.advanced(by: .seconds(Int.random(in: 0...6, using: &random)))
                try storage.write { try $0.put(keyspace, key.rawSpan, bytes("a while").rawSpan, expiry: expiry) }
            case 16..<24 where keyspace.name == "sums":
                try storage.write { try $0.merge(keyspace, key.rawSpan, ModelSum.encode(UInt64(step)).rawSpan) }
            default:
                let value = ModelSum.encode(UInt64(step)) + random.bytes(keyspace.name == "sums" ? 0 : 80)
                try storage.write { try $0.put(keyspace, key.rawSpan, value.rawSpan) }
            }
            guard step % 10 == 0 else { continue }
            for keyspace in all {
                let keys = Self.wanted(&random)
                let now = storage.snapshot()
                try Self.check(now.view, keyspace, keys, "seed \(seed), step \(step), \(keyspace.name)")
                #expect(try storage.multiGet(keyspace, keys) == now.view.multiGet(keyspace, keys))
                try storage.write { transaction in
                    for key in [Self.key(Int.random(in: 0..<120, using: &random)), keys.first ?? []] {
                        if keyspace.name == "sums" {
                            try transaction.merge(keyspace, key.rawSpan, ModelSum.encode(1).rawSpan)
                        } else if Bool.random(using: &random) {
                            try transaction.put(keyspace, key.rawSpan, bytes("own").rawSpan)
                        } else {
                            try transaction.delete(keyspace, key.rawSpan)
                        }
                    }
                    try Self.check(transaction.view, keyspace, keys, "seed \(seed), step \(step), transaction")
                }
                if let old = held.randomElement(using: &random) {
                    try Self.check(old.view, keyspace, keys, "seed \(seed), step \(step), held, \(keyspace.name)")
                }
            }
        }
        try storage.close()
        #expect(errorCode { try held[0].view.multiGet(all[0], [Self.key(1), Self.key(2)]) } == .closed)
    }

    @Test("a transaction sees its own writes, and so does its multi-get")
    func transaction() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        for number in 0..<20 { try storage.write { try $0.put(keyspace, Self.key(number).rawSpan, [1].rawSpan) } }
        try storage.write { transaction in
            try transaction.put(keyspace, Self.key(3).rawSpan, [2].rawSpan)
            try transaction.delete(keyspace, Self.key(4).rawSpan)
            try Self.check(transaction.view, keyspace, (0..<25).map(Self.key), "transaction")
        }
    }

    @Test("over a SQLite database, and for who listens, it is the same")
    func otherSources() throws {
        var options = StorageOptions()
        options.fileSystem = SimulatedFileSystem()
        for location in [StorageLocation.directory("/db"), .sqlite("/db.sqlite")] {
            let storage = try Storage.open(location, options: options)
            let keyspace = try storage.keyspace("k")
            for number in 0..<20 { try storage.write { try $0.put(keyspace, Self.key(number).rawSpan, [7].rawSpan) } }
            let snapshot = storage.snapshot()
            try Self.check(snapshot.view, keyspace, (0..<25).map(Self.key), "\(location)")
            let sink = NullSink()
            try Self.check(snapshot.traced(by: sink).view, keyspace, (0..<25).map(Self.key), "\(location)")
            try storage.close()
        }
    }

    @Test("an error of the caller ends it, and leaves nothing behind")
    func callerFails() throws {
        struct Enough: Error {}
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        for number in 0..<100 { try storage.write { try $0.put(keyspace, Self.key(number).rawSpan, [7].rawSpan) } }
        try storage.flush()
        for limit in [0, 1, 40, 99] {
            var count = 0
            #expect(throws: Enough.self) {
                try storage.snapshot().view.multiGet(keyspace, (0..<100).map(Self.key)) { _, _ in
                    if count == limit { throw Enough() }
                    count += 1
                }
            }
            #expect(count == limit)
        }
        try storage.compact()
        #expect(storage.tableCache.sections.retiredCount == 0)
        try storage.close()
    }

    @Test("a block that several keys are in is read once, and the device is told of all before")
    func blockReads() throws {
        let disk = SimulatedFileSystem()
        let counter = CompactionReadCounter(disk)
        var options = smallOptions(disk)
        options.fileSystem = counter
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: true))
        for number in 0..<100 {
            try storage.write { try $0.put(keyspace, Self.key(number).rawSpan, Array(repeating: 9, count: 40).rawSpan) }
        }
        try storage.compact()
        try storage.close()
        let again = try Storage.open(at: "/db", options: options)
        let reopened = try again.keyspace("k", options: KeyspaceOptions(isDedicated: true))
        // The tables are opened, and their indexes read, by keys that are not there.
        for number in 0..<100 { _ = try again.get(reopened, (Self.key(number) + [0]).rawSpan) }
        let keys = (0..<100).map(Self.key).sorted { $0.lexicographicallyPrecedes($1) }
        let blocksBefore = again.statistics.blockCache.missCount
        // Compacting announced what it read.
        let announcedBefore = counter.announcedCount.load(ordering: .relaxed)
        let values = try again.multiGet(reopened, keys)
        #expect(values.allSatisfy { $0?.count == 40 })
        let blocks = again.statistics.blockCache.missCount - blocksBefore
        #expect(blocks > 3 && blocks < 60)
        let announced = counter.announcedCount.load(ordering: .relaxed) - announcedBefore
        #expect(announced > 3 && announced <= blocks)
        #expect(try again.multiGet(reopened, keys) == values)
        #expect(counter.announcedCount.load(ordering: .relaxed) == announcedBefore + announced)
        try again.close()
    }
}
