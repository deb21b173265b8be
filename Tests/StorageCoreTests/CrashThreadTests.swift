// CrashThreadTests.swift — background threads, several writers, checkpoints and verification at once, with the power cut at
// a random moment. Not deterministic: a failure names what it saw, and the seed of what was random.

import Foundation
import StorageCore
import StorageTypes
import Synchronization
import Testing

@Suite("Crash with threads")
struct CrashThreadTests {
    private static func options(_ disk: SimulatedFileSystem) -> StorageOptions {
        var options = CrashWorkload.storageOptions(disk, SystemClock())
        options.backgroundWork = .threads
        options.syncInterval = .milliseconds(3)
        return options
    }

    /// Runs writers on threads of their own until `body` returns. Writer w puts n = 1, 2, 3 … under its own key into two
    /// keyspaces, and appends to a merged value.
    /// - Returns: The numbers that were acknowledged as synced.
    private func withWriters(
        _ storage: Storage, _ count: Int, _ body: () throws -> Void
    ) throws -> [UInt64] {
        let left = try storage.keyspace("left")
        let right = try storage.keyspace("right", options: KeyspaceOptions(isDedicated: true))
        let merged = try storage.keyspace("merged", options: KeyspaceOptions(mergeOperator: CrashAppend()))
        let isDone = Mutex(false)
        let synced = Mutex([UInt64](repeating: 0, count: count))
        let group = DispatchGroup()
        for writer in 0..<count {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                var number: UInt64 = 0
                while !isDone.withLock({ $0 }) {
                    number += 1
                    let durability: Durability = number % 5 == 0 ? .synced : .buffered
                    let key = [UInt8(writer)]
                    let value = Self.bytes(number) + [UInt8](repeating: 7, count: Int(number % 90))
                    do {
                        try storage.write(durability) { transaction in
                            try transaction.put(left, key.rawSpan, value.rawSpan)
                            try transaction.put(right, key.rawSpan, value.rawSpan)
                            try transaction.put(right, (key + Self.bytes(number)).rawSpan, value.rawSpan)
                            if number > 20 {
                                let old = KeyRange(lower: key + [0], upper: key + Self.bytes(number - 20))
                                try transaction.deleteRange(right, old)
                            }
                            if number % 64 == 0 { try transaction.delete(merged, key.rawSpan) }
                            try transaction.merge(merged, key.rawSpan, [1].rawSpan)
                        }
                    } catch {
                        return
                    }
                    if durability == .synced { synced.withLock { $0[writer] = number } }
                }
            }
        }
        defer { group.wait() }
        defer { isDone.withLock { $0 = true } }
        try body()
        return synced.withLock { $0 }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }

    /// Whether both keyspaces agree on the newest number of each writer, which must be at least the given one.
    private func check(_ storage: Storage, atLeast least: [UInt64], _ what: String) throws {
        let left = try storage.keyspace("left")
        let right = try storage.keyspace("right", options: KeyspaceOptions(isDedicated: true))
        let merged = try storage.keyspace("merged", options: KeyspaceOptions(mergeOperator: CrashAppend()))
        let view = storage.snapshot().view
        for (writer, least) in least.enumerated() {
            let key = [UInt8(writer)]
            let value = try view.get(left, key.rawSpan)
            #expect(try view.get(right, key.rawSpan) == value, "\(what): a batch is not whole")
            let number = value?.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } ?? 0
            #expect(number >= least, "\(what): writer \(writer)")
            let merges = try view.get(merged, key.rawSpan)?.count ?? 0
            #expect(UInt64(merges) == (number < 64 ? number : number % 64 + 1), "\(what): merges after \(number)")
            var cursor = try view.cursor(right, .prefix(key))
            var numbers: [UInt64] = []
            try cursor.seekToFirst()
            while cursor.isValid {
                let bytes = cursor.key.array().dropFirst()
                if !bytes.isEmpty { numbers.append(bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }
                try cursor.next()
            }
            let first = number > 20 ? number - 20 : 1
            #expect(number == 0 || numbers == Array(first...number), "\(what): the window of writer \(writer)")
        }
        let report = try storage.verify()
        #expect(report.isHealthy, "\(what): \(report)")
    }

    @Test("a power cut while threads flush, compact and sync keeps every promise", arguments: 0..<4)
    func powerCut(round: Int) throws {
        let seed = TestSeed.draw("power cut among threads, round \(round)")
        var random = SeededRandom(seed: seed)
        let disk = SimulatedFileSystem(seed: seed)
        let storage = try Storage.open(at: "/db", options: Self.options(disk))
        let synced = try withWriters(storage, 3) {
            usleep(UInt32.random(in: 1000..<150_000, using: &random))
            disk.cutPower()
        }
        for survivors in SimulatedFileSystem.Survivors.allCases {
            let found = disk.crash(survivors, seed: seed)
            let reopened = try Storage.open(at: "/db", options: CrashWorkload.storageOptions(found, SystemClock()))
            try check(reopened, atLeast: synced, "seed \(seed), \(survivors)")
        }
    }

    @Test("checkpoints and verification run beside writers, and beside keyspaces that come and go")
    func checkpoints() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let storage = try Storage.open(at: "/db", options: Self.options(disk))
        let isDone = Mutex(false)
        let group = DispatchGroup()
        group.enter()
        Thread.detachNewThread {
            defer { group.leave() }
            var number = 0
            while !isDone.withLock({ $0 }) {
                number += 1
                do {
                    let brief = try storage.keyspace(
                        "brief \(number)", options: KeyspaceOptions(isDedicated: number % 2 == 0))
                    for key in UInt8(0)..<4 { try storage.write { try $0.put(brief, [key].rawSpan, [key].rawSpan) } }
                    try storage.dropKeyspace(brief.name)
                } catch {
                    Issue.record("a brief keyspace: \(error)")
                    return
                }
            }
        }
        _ = try withWriters(storage, 2) {
            for number in 0..<12 {
                let report = try storage.verify()
                #expect(report.isHealthy, "beside writers: \(report)")
                try storage.checkpoint(to: "/copies/\(number)")
                usleep(3000)
            }
        }
        isDone.withLock { $0 = true }
        group.wait()
        for number in 0..<12 {
            var options = CrashWorkload.storageOptions(disk, SystemClock())
            options.isReadOnly = true
            let copy = try Storage.open(at: "/copies/\(number)", options: options)
            try check(copy, atLeast: [0, 0], "copy \(number)")
        }
        try storage.close()
    }

    @Test("writes to a keyspace that was dropped are refused", arguments: [BackgroundWork.manual, .threads])
    func droppedKeyspace(work: BackgroundWork) throws {
        let disk = SimulatedFileSystem(seed: 1)
        var options = CrashWorkload.storageOptions(disk, SystemClock())
        options.backgroundWork = work
        let storage = try Storage.open(at: "/db", options: options)
        for isDedicated in [false, true] {
            let keyspaceOptions = KeyspaceOptions(isDedicated: isDedicated)
            let old = try storage.keyspace("k", options: keyspaceOptions)
            try storage.dropKeyspace("k")
            let new = try storage.keyspace("k", options: keyspaceOptions)
            for _ in 0..<100 {
                #expect {
                    try storage.write {
                        try $0.put(old, [1].rawSpan, [UInt8](repeating: 1, count: 1000).rawSpan)
                    }
                } throws: {
                    ($0 as? StorageError)?.code == .notFound
                }
                try storage.write { try $0.put(new, [2].rawSpan, [2].rawSpan) }
            }
            #expect(try keys(storage.snapshot().view, new) == [[2]])
            try storage.dropKeyspace("k")
        }
    }
}
