// NewestReadTests.swift — reads without a snapshot: like a snapshot's taken at that moment, beside whatever goes on.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Reads of the newest state")
struct NewestReadTests {
    @Test("they see what a snapshot taken at that moment sees", arguments: 0..<4)
    func likeSnapshots(round: Int) throws {
        let seed = TestSeed.draw("newest reads")
        var random = SeededRandom(seed: seed)
        let clock = ManualClock()
        let storage = try smallStorage(SimulatedFileSystem(seed: seed), clock)
        let plain = try storage.keyspace("plain", options: KeyspaceOptions(expiry: .engine))
        let sums = try storage.keyspace("sums", options: KeyspaceOptions(mergeOperator: ModelSum()))
        let memory = try storage.keyspace("memory", options: KeyspaceOptions(expiry: .engine, isVolatile: true))
        let all = [plain, sums, memory]
        for step in 0..<600 {
            let keyspace = all[Int.random(in: 0..<3, using: &random)]
            let key = bytes("key \(Int.random(in: 0..<60, using: &random))")
            switch Int.random(in: 0..<40, using: &random) {
            case 0: try storage.flush()
            case 1: try storage.compact()
            case 2: clock.advance(by: .seconds(3))
            case 3:
                let upper = bytes("key \(Int.random(in: 0..<60, using: &random))")
                if compareBytes(key, upper) < 0 {
                    try storage.write { try $0.deleteRange(keyspace, KeyRange(lower: key, upper: upper)) }
                }
            case 4 where step > 300:
                _ = try storage.keyspace("plain", options: KeyspaceOptions(expiry: .engine, isDedicated: true))
                try storage.compact()
            case 5..<10: try storage.write { try $0.delete(keyspace, key.rawSpan) }
            case 10..<18 where keyspace !== sums:
                let expiry = clock.now.advanced(by: .seconds(Int.random(in: 0...5, using: &random)))
                try storage.write { try $0.put(keyspace, key.rawSpan, bytes("for a while").rawSpan, expiry: expiry) }
            case 18..<24 where keyspace === sums:
                try storage.write { try $0.merge(sums, key.rawSpan, ModelSum.encode(UInt64(step)).rawSpan) }
            default:
                let value = ModelSum.encode(UInt64(step)) + random.bytes(keyspace === sums ? 0 : 60)
                try storage.write { try $0.put(keyspace, key.rawSpan, value.rawSpan) }
            }
            guard step % 5 == 0 else { continue }
            let view = storage.snapshot().view
            for keyspace in all {
                for number in 0..<61 {
                    let key = bytes("key \(number)")
                    let expected = try view.get(keyspace, key.rawSpan)
                    #expect(
                        try storage.get(keyspace, key.rawSpan) == expected, "step \(step), \(keyspace.name) \(number)")
                    #expect(try storage.contains(keyspace, key.rawSpan) == (expected != nil))
                    #expect(try storage.withValue(keyspace, key.rawSpan) { $0.byteCount } == expected?.count)
                }
            }
        }
        try storage.close()
        #expect(errorCode { try storage.get(plain, bytes("key 1").rawSpan) } == .closed)
    }

    @Test("a read may write, flush and read again from inside, and its value stays")
    func fromInside() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: true))
        try storage.write { try $0.put(keyspace, bytes("a").rawSpan, bytes("first").rawSpan) }
        for round in 0..<3 {
            let seen = try storage.withValue(keyspace, bytes("a").rawSpan) { value in
                try storage.write { try $0.put(keyspace, bytes("a").rawSpan, bytes("round \(round)").rawSpan) }
                try storage.flush()
                try storage.compact()
                #expect(try storage.get(keyspace, bytes("a").rawSpan) == bytes("round \(round)"))
                if round == 2 { try storage.dropKeyspace("k") }
                return value.array()
            }
            #expect(seen == (round == 0 ? bytes("first") : bytes("round \(round - 1)")))
            #expect(storage.tableCache.sections.retiredCount == 0)
        }
        #expect(errorCode { try storage.get(keyspace, bytes("a").rawSpan) } == .notFound)
        try storage.close()
    }

    @Test("over a SQLite database they are the same")
    func database() throws {
        var options = StorageOptions()
        options.fileSystem = SimulatedFileSystem()
        let storage = try Storage.open(.sqlite("/db.sqlite"), options: options)
        let keyspace = try storage.keyspace("k")
        try storage.write { try $0.put(keyspace, bytes("a").rawSpan, bytes("1").rawSpan) }
        #expect(try storage.get(keyspace, bytes("a").rawSpan) == bytes("1"))
        #expect(try !storage.contains(keyspace, bytes("b").rawSpan))
        try storage.close()
        #expect(errorCode { try storage.get(keyspace, bytes("a").rawSpan) } == .closed)
    }
}

/// Keys whose versions are numbered, so that a reader can tell whether what it sees was the newest at some moment of its
/// call.
private final class NumberedKeys: Sendable {
    static let keyCount = 48
    static let writerCount = 3
    static let names = ["shared", "moving", "memory"]

    let storage: Storage
    let keyspaces: [Keyspace]
    /// Per keyspace and key: the newest version that was begun, and the newest that was acknowledged.
    private let begun: [SharedCounter]
    private let acknowledged: [SharedCounter]
    let isDone = Atomic<Bool>(false)
    let readCount = Atomic<Int>(0)

    init(_ storage: Storage) throws {
        self.storage = storage
        keyspaces = try Self.names.map {
            try storage.keyspace($0, options: KeyspaceOptions(expiry: .engine, isVolatile: $0 == "memory"))
        }
        let count = keyspaces.count * Self.keyCount
        begun = (0..<count).map { _ in SharedCounter() }
        acknowledged = (0..<count).map { _ in SharedCounter() }
    }

    static func key(_ number: Int) -> [UInt8] { bytes("key \(number)") }

    /// What a version is. Every key is deleted by all its fifth versions, and has expired with all its seventh.
    private static func isPut(_ version: Int) -> Bool { version > 0 && version % 5 != 0 && version % 7 != 0 }

    private static func value(_ version: Int, _ key: Int) -> [UInt8] {
        bytes("\(version) \(key) ") + Array(repeating: UInt8(truncatingIfNeeded: version), count: 20 + key)
    }

    /// The next version of one key, or of all keys of a writer by a range delete.
    func write(_ keyspace: Int, writer: Int, _ random: inout SeededRandom) throws {
        let number = Int.random(in: 0..<Self.keyCount / Self.writerCount, using: &random)
        let width = Self.keyCount / Self.writerCount
        let key = writer * width + number
        let index = keyspace * Self.keyCount + key
        let version = Int(begun[index].value.load(ordering: .relaxed)) + 1
        begun[index].value.store(version, ordering: .sequentiallyConsistent)
        let name = Self.key(key)
        try storage.write(version % 40 == 0 ? .synced : .buffered) { transaction in
            if version % 5 == 0, version % 2 == 0 {
                try transaction.deleteRange(keyspaces[keyspace], KeyRange(lower: name, upper: name + [0]))
            } else if version % 5 == 0 {
                try transaction.delete(keyspaces[keyspace], name.rawSpan)
            } else {
                let expiry = version % 7 == 0 ? StorageInstant(seconds: 1) : nil
                try transaction.put(keyspaces[keyspace], name.rawSpan, Self.value(version, key).rawSpan, expiry: expiry)
            }
        }
        acknowledged[index].value.store(version, ordering: .sequentiallyConsistent)
    }

    /// Reads one key, in one of the ways there are.
    /// - Parameter seen: The version that this reader saw at least; raised.
    func read(_ keyspace: Int, _ key: Int, seen: inout [Int], _ random: inout SeededRandom) throws {
        let index = keyspace * Self.keyCount + key
        let low = max(Int(acknowledged[index].value.load(ordering: .sequentiallyConsistent)), seen[index])
        let name = Self.key(key)
        let found: [UInt8]?
        switch Int.random(in: 0..<8, using: &random) {
        case 0: found = try storage.snapshot().view.get(keyspaces[keyspace], name.rawSpan)
        case 1:
            // The value is looked at after other work has had its chance.
            found = try storage.withValue(keyspaces[keyspace], name.rawSpan) { value in
                _ = try storage.contains(keyspaces[keyspace], Self.key(key ^ 1).rawSpan)
                return value.array()
            }
        default: found = try storage.get(keyspaces[keyspace], name.rawSpan)
        }
        let high = Int(begun[index].value.load(ordering: .sequentiallyConsistent))
        let matches = (low...max(low, high)).first { version in
            guard let found else { return !Self.isPut(version) }
            return Self.isPut(version) && found == Self.value(version, key)
        }
        guard let matches else {
            let text = found.map { String(decoding: $0.prefix(12), as: UTF8.self) } ?? "nothing"
            throw ModelMismatch(
                description: "\(Self.names[keyspace]), key \(key): \(text), not one of versions \(low)...\(high)")
        }
        seen[index] = matches
        readCount.add(1, ordering: .relaxed)
    }
}

/// Readers, writers, and a maintainer that flushes, compacts, moves and drops, until the storage is closed under them.
private func runNumberedKeys(seed: UInt64, rounds: Int) throws {
    var options = smallOptions(SimulatedFileSystem(seed: seed), SystemClock(), .threads)
    // Little enough that tables are closed and opened again all the time.
    options.memoryByteBudget = 96 << 10
    let storage = try Storage.open(at: "/db", options: options)
    let keys = try NumberedKeys(storage)
    let sections = storage.tableCache.sections
    let readers = TestThreads()
    for reader in 0..<3 {
        try readers.start {
            var random = SeededRandom(seed: seed &+ 100 &+ UInt64(reader))
            var seen = Array(repeating: 0, count: NumberedKeys.names.count * NumberedKeys.keyCount)
            do {
                // Ends with the closing of the storage, in whatever it is doing then.
                while true {
                    let keyspace = Int.random(in: 0..<NumberedKeys.names.count, using: &random)
                    let key = Int.random(in: 0..<NumberedKeys.keyCount, using: &random)
                    try keys.read(keyspace, key, seen: &seen, &random)
                }
            } catch let error as StorageError where error.code == .closed {}
        }
    }
    let writers = TestThreads()
    for writer in 0..<NumberedKeys.writerCount {
        try writers.start {
            var random = SeededRandom(seed: seed &+ 200 &+ UInt64(writer))
            while !keys.isDone.load(ordering: .relaxed) {
                try keys.write(
                    Int.random(in: 0..<NumberedKeys.names.count, using: &random), writer: writer, &random)
            }
        }
    }
    var random = SeededRandom(seed: seed)
    for round in 0..<rounds {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: try storage.compact()
        case 1, 2:
            let scratch = try storage.keyspace("scratch", options: KeyspaceOptions(isDedicated: round % 2 == 0))
            let name = bytes("scratch")
            for _ in 0..<10 { try storage.write { try $0.put(scratch, name.rawSpan, random.bytes(500).rawSpan) } }
            if Bool.random(using: &random) { try storage.flush() }
            try storage.withValue(scratch, name.rawSpan) { value in
                let before = value.array()
                try storage.dropKeyspace("scratch")
                guard value.array() == before else {
                    throw ModelMismatch(description: "a value changed under its reader")
                }
            }
        default: try storage.flush()
        }
        if round == rounds / 2 {
            _ = try storage.keyspace("moving", options: KeyspaceOptions(expiry: .engine, isDedicated: true))
        }
    }
    keys.isDone.store(true, ordering: .relaxed)
    #expect(writers.join() == [], "seed \(seed)")
    #expect(try storage.verify().problems == [], "seed \(seed)")
    try storage.close()
    #expect(readers.join() == [], "seed \(seed)")
    #expect(keys.readCount.load(ordering: .relaxed) > 0)
    #expect(sections.retiredCount == 0)
}

@Suite("Reads of the newest state beside everything else")
struct NewestReadConcurrencyTests {
    @Test("each sees a version that was the newest at some moment of it, and none before one it has seen")
    func numbered() throws {
        let seed = TestSeed.draw("numbered keys")
        try runNumberedKeys(seed: seed, rounds: 60)
    }

    @Test("they do for as long as asked", .enabled(if: Soak.duration != nil))
    func soak() throws {
        let soak = Soak()
        var seeds = TestSeeds("numbered keys soak")
        repeat {
            let seed = seeds.draw()
            print("numbered keys soak, seed \(seed)")
            try runNumberedKeys(seed: seed, rounds: 300)
        } while soak.goesOn
    }
}
