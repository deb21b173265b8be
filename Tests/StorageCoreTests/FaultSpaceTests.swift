// FaultSpaceTests.swift — space that comes and goes: what is refused is refused by name, and nothing has to be opened anew.

import Foundation
import StorageCore
import StorageTypes
import Testing

@Suite("Space that comes and goes")
struct FaultSpaceTests {
    @Test("whenever the disk fills up and has room again, nothing is lost, and the storage goes on by itself")
    func randomSpace() throws {
        // The second one opens keyspaces with other options while the disk is full.
        for seed: UInt64 in [17, 3_366_502_436] { try run(seed: seed) }
        var seeds = TestSeeds("random space")
        for _ in 0..<3 { try run(seed: seeds.draw()) }
    }

    private func run(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let workload = CrashWorkload(seed: seed, stepCount: 250)
        let run = CrashRun(SimulatedFileSystem(seed: seed))
        var refusedCount = 0
        do {
            for step in workload.steps {
                let before = run.errors.count
                try run.run([step])
                try check(run.errors.dropFirst(before))
                refusedCount += run.errors.count - before
                run.disk.capacity = capacity(run.disk, &random)
                if Int.random(in: 0..<10, using: &random) == 0 { try run.checkReads() }
            }
            try checkRecovery(run)
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
        #expect(refusedCount > 5, "seed \(seed): the disk was hardly ever full")
    }

    /// None, some or plenty of space from now on.
    private func capacity(_ disk: SimulatedFileSystem, _ random: inout SeededRandom) -> Int64? {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: disk.usedByteCount
        case 1: disk.usedByteCount + Int64.random(in: 0..<300, using: &random)
        case 2: disk.usedByteCount + Int64.random(in: 0..<6000, using: &random)
        case 3: nil
        default: disk.capacity
        }
    }

    private func check(_ errors: ArraySlice<any Error>) throws {
        for error in errors where (error as? StorageError)?.code != .diskFull {
            throw CrashViolation("a full disk is told as \(error)")
        }
    }

    private func checkRecovery(_ run: CrashRun) throws {
        run.disk.capacity = nil
        let before = run.errors.count
        let put = CrashChange.put("plain", Array("room".utf8), Array("again".utf8), lifetime: nil)
        // What the background threads do within a tenth of a second.
        try run.run([.work, .work])
        try run.run([.create("plain"), .commit([put], .synced, inTransaction: true), .flush, .compact, .sync])
        guard run.errors.count == before else { throw CrashViolation("with room again: \(run.errors[before])") }
        try run.checkReads()
        try run.check(run.disk.crash(.syncedOnly), holds: .durable)
        try run.check(run.disk.crash(.everything), holds: .acknowledged)
    }

    @Test("threads take up writing, flushing and compacting again once there is room, without a new opening")
    func threads() throws {
        let disk = SimulatedFileSystem(seed: 3)
        var options = CrashWorkload.storageOptions(disk, SystemClock())
        options.backgroundWork = .threads
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        var random = SeededRandom(seed: 3)
        var expected: [[UInt8]: [UInt8]] = [:]
        var refusals = 0
        for round in 0..<12 {
            disk.capacity = round % 2 == 0 ? disk.usedByteCount + 3000 : nil
            var attempts = 0
            var written = 0
            while written < 40, attempts < (round % 2 == 0 ? 60 : 60_000) {
                attempts += 1
                let key = [UInt8.random(in: 0..<60, using: &random)]
                let value = (0..<300).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                do {
                    try storage.write(.synced) { try $0.put(keyspace, key.rawSpan, value.rawSpan) }
                    expected[key] = value
                    written += 1
                } catch let error as StorageError {
                    #expect(error.code == .diskFull, "\(error)")
                    refusals += 1
                    // The flush thread tries again after a tenth of a second.
                    if round % 2 == 1 { TestPause.short() }
                }
            }
            #expect(round % 2 == 0 || written == 40, "round \(round): with room, writes go on")
        }
        #expect(refusals > 0)
        try storage.settle()
        #expect(try crashContent(storage.snapshot().view, keyspace) == expected)
        #expect(try storage.verify().isHealthy)
        try storage.close()
        let reopened = try Storage.open(at: "/db", options: CrashWorkload.storageOptions(disk, SystemClock()))
        #expect(try crashContent(reopened.snapshot().view, reopened.keyspace("k")) == expected)
    }

    @Test("a checkpoint for which there is no room leaves nothing behind, and succeeds once there is")
    func checkpoint() throws {
        let disk = SimulatedFileSystem(seed: 5)
        let storage = try Storage.open(at: "/db", options: CrashWorkload.storageOptions(disk, ManualClock()))
        let keyspace = try storage.keyspace("k")
        for number in UInt8(0)..<100 {
            try storage.write { try $0.put(keyspace, [number].rawSpan, [UInt8](repeating: number, count: 90).rawSpan) }
        }
        let used = disk.usedByteCount
        var fullCount = 0
        for room in stride(from: Int64(0), to: 8000, by: 97) {
            disk.capacity = used + room
            do {
                try storage.checkpoint(to: "/copy \(room)")
            } catch let error as StorageError {
                #expect(error.code == .diskFull, "\(error)")
                fullCount += 1
                #expect(try !disk.exists("/copy \(room)"))
                #expect(disk.usedByteCount == used)
                disk.capacity = nil
                try storage.checkpoint(to: "/copy \(room)")
            }
            var options = CrashWorkload.storageOptions(disk, ManualClock())
            options.isReadOnly = true
            let copy = try Storage.open(at: "/copy \(room)", options: options)
            #expect(try crashContent(copy.snapshot().view, copy.keyspace("k")).count == 100)
            if fullCount > 3 { break }
            try copy.close()
            for directory in ["/log", "/tables", ""].map({ "/copy \(room)" + $0 }) {
                for name in try disk.list(directory) where name.contains(".") || !["log", "tables"].contains(name) {
                    try disk.remove("\(directory)/\(name)")
                }
                try disk.removeDirectory(directory)
            }
        }
        #expect(fullCount > 3)
    }
}

enum TestPause {
    static func short() { usleep(5000) }
}
