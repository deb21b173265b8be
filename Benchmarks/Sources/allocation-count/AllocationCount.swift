// AllocationCount.swift — how many allocations reads cost, in an optimised build, held against what they may cost.
//
// Goal: a point read, a seek and a step of a cursor, of what is in memory or in the cache, allocate nothing; a multi-get allocates
// some working memory for each call and nothing for each key. Counted is what one thread allocates in a thousand
// operations, after as many that are not counted. Exits with status 1 where a line costs something else than it may; prints
// that nothing is counted where malloc can't be replaced.

import CAllocations
import Foundation
import StorageCore
import StorageTypes

/// Something that is done again and again.
struct Line {
    var name: String
    /// What a thousand of it may allocate.
    var allowed: ClosedRange<UInt64> = 0...0
    var operations: (Int) throws -> Void
}

@main
struct AllocationCount {
    static let operationCount = 1000

    static func main() throws {
        guard callocations_is_counting() else { return print("Allocations are not counted on this system.") }
        let fixture = try Fixture()
        var failedCount = 0
        for line in try fixture.lines() {
            try line.operations(operationCount)
            let before = callocations_count()
            try line.operations(operationCount)
            let count = callocations_count() - before
            let isAllowed = line.allowed.contains(count)
            print("\(line.name): \(count) allocations in \(operationCount)\(isAllowed ? "" : ", not \(line.allowed)")")
            if !isAllowed { failedCount += 1 }
        }
        try fixture.storage.close()
        guard failedCount == 0 else {
            print("\(failedCount) lines allocate otherwise than they may.")
            exit(1)
        }
    }
}

/// A storage with keys that are even, in memory, in one table of each of several levels, and in both.
struct Fixture {
    let storage: Storage
    private let memory: Keyspace
    private let table: Keyspace
    private let mixed: Keyspace
    private static let keyCount = 20_000

    init() throws {
        var options = StorageOptions()
        options.fileSystem = SimulatedFileSystem()
        options.backgroundWork = .manual
        storage = try Storage.open(at: "/db", options: options)
        memory = try storage.keyspace("memory", options: KeyspaceOptions(isDedicated: true))
        table = try storage.keyspace("table", options: KeyspaceOptions(isDedicated: true))
        mixed = try storage.keyspace("mixed", options: KeyspaceOptions(expiry: .engine, isDedicated: true))
        try fill(table, 1)
        try storage.compact()
        for part in 0..<3 {
            try fill(mixed, 3, from: part)
            try storage.flush()
        }
        try fill(mixed, 7)
        try fill(memory, 1)
    }

    private func fill(_ keyspace: Keyspace, _ stride: Int, from first: Int = 0) throws {
        for start in Swift.stride(from: 0, to: Self.keyCount, by: 1000) {
            try storage.write { transaction in
                for number in start..<start + 1000 where number % stride == first % stride {
                    let key = Self.key(2 * number)
                    try transaction.put(keyspace, key.span.bytes, value.span.bytes)
                }
            }
        }
    }

    private let value = [UInt8](repeating: 7, count: 200)

    private static func key(_ number: Int) -> [UInt8] {
        let digits = Array(String(number).utf8)
        return [UInt8](repeating: UInt8(ascii: "0"), count: 12 - digits.count) + digits
    }

    // MARK: Lines

    func lines() throws -> [Line] {
        var lines = [copies()]
        for (name, keyspace) in [("a memtable", memory), ("a table", table), ("memtable and tables", mixed)] {
            lines += try pointReads(name, keyspace) + walks(name, keyspace)
            lines += [10, 100, 1000].map { multiGet(name, keyspace, $0) }
        }
        return lines
    }

    private func pointReads(_ name: String, _ keyspace: Keyspace) throws -> [Line] {
        let hits = (0..<100).map { Self.key(2 * ($0 * 7919 % Self.keyCount)) }
        let misses = (0..<100).map { Self.key(2 * ($0 * 7919 % Self.keyCount) + 1) }
        let snapshot = storage.snapshot()
        var lines: [Line] = []
        for (kind, keys, isHit) in [("hit", hits, true), ("miss", misses, false)] {
            lines.append(
                Line(name: "newest state of \(name), \(kind)") { count in
                    for index in 0..<count {
                        let key = keys[index % 100]
                        let isFound = try storage.read(keyspace, key.span.bytes) { _ in }
                        precondition(isFound == isHit, "The fixture has other keys.")
                    }
                })
            lines.append(
                Line(name: "snapshot of \(name), \(kind)") { count in
                    let view = snapshot.view
                    for index in 0..<count {
                        let key = keys[index % 100]
                        let isFound = try view.read(keyspace, key.span.bytes) { _ in }
                        precondition(isFound == isHit, "The fixture has other keys.")
                    }
                })
        }
        return lines
    }

    private func walks(_ name: String, _ keyspace: Keyspace) throws -> [Line] {
        let snapshot = storage.snapshot()
        // Every block into the cache.
        var warming = try snapshot.view.cursor(keyspace)
        try warming.seekToFirst()
        while warming.isValid { try warming.next() }
        var forwards = try snapshot.view.cursor(keyspace)
        try forwards.seekToFirst()
        var backwards = try snapshot.view.cursor(keyspace)
        try backwards.seekToLast()
        var seeking = try snapshot.view.cursor(keyspace)
        let keys = (0..<100).map { Self.key(2 * ($0 * 7919 % Self.keyCount)) }
        return [
            Line(name: "next in \(name)") { count in
                for _ in 0..<count { try forwards.next() }
                precondition(forwards.isValid, "The walk came to its end.")
            },
            Line(name: "previous in \(name)") { count in
                for _ in 0..<count { try backwards.previous() }
                precondition(backwards.isValid, "The walk came to its end.")
            },
            Line(name: "seek in \(name)") { count in
                for index in 0..<count {
                    let key = keys[index % 100]
                    try seeking.seek(key.span.bytes)
                }
                precondition(seeking.isValid, "The fixture has other keys.")
            },
        ]
    }

    /// So many keys in each call, which has some working memory of its own: a few allocations, however many keys there are.
    private func multiGet(_ name: String, _ keyspace: Keyspace, _ keyCount: Int) -> Line {
        let keys = (0..<keyCount).map { Self.key($0 * 7919 % (2 * Self.keyCount)) }
        let view = storage.snapshot().view
        let limit = UInt64(AllocationCount.operationCount / keyCount * 12)
        return Line(name: "a key of \(keyCount) got at once from \(name)", allowed: 0...limit) { count in
            for _ in 0..<count / keyCount { try view.multiGet(keyspace, keys) { _, _ in } }
        }
    }

    /// What is known to allocate shows that allocations are counted.
    private func copies() -> Line {
        let key = Self.key(0)
        return Line(name: "copy of a value", allowed: 1000...1000) { count in
            for _ in 0..<count { _ = try storage.get(memory, key.span.bytes) }
        }
    }
}
