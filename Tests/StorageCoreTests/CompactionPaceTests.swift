// CompactionPaceTests.swift — how writers are held back for their debt, and compactions for a byte rate.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Pace of writers and compactions")
struct CompactionPaceTests {
    private let limits = PaceLimits(CompactionSettings(levelZeroTableCount: 4, levelOneByteCount: 1000))

    @Test("pressure begins with the debt that is allowed for, grows with it, and ends at one")
    func pressure() {
        func pressure(_ runs: Int, _ bytes: Int64) -> Double {
            WritePace.pressure(of: CompactionDebt(runCount: runs, byteCount: bytes), limits)
        }
        #expect(pressure(8, 64_000) == 0)
        #expect(pressure(20, 0) == 0.5)
        #expect(pressure(20, 64_000 + 144_000) == 0.75)
        #expect(pressure(100, 0) == 1)
        #expect(WritePace.pressure(ofMemtables: 0.6) == 0)
        #expect(WritePace.pressure(ofMemtables: 1) == 1)
        #expect(WritePace.nanoseconds(for: 1024, at: 0) == 0)
        #expect(WritePace.nanoseconds(for: 2048, at: 1) == 2_000_000)
        #expect(WritePace.nanoseconds(for: 1024, at: 0.1) == 10_000)
    }

    @Test("short delays are saved up, long ones are cut, and writers that come together queue up")
    func delays() {
        let pacer = WritePacer()
        // 100 commits of 1 KiB at a tenth of the pressure cost 10 µs each: a millisecond together.
        var waits: [UInt64] = []
        for _ in 0..<100 { waits.append(pacer.delay(byteCount: 1024, pressure: 0.1, now: 1_000_000_000)) }
        #expect(waits.dropLast().allSatisfy { $0 == 0 })
        #expect(waits.last == 1_000_000)
        #expect(pacer.delay(byteCount: 1024, pressure: 0.1, now: 5_000_000_000) == 0)
        #expect(pacer.delay(byteCount: 10 << 20, pressure: 0.9, now: 6_000_000_000) == WritePace.longestDelay)
        #expect(pacer.delay(byteCount: 100 << 10, pressure: 1, now: 7_000_000_000) == 100_000_000)
        #expect(pacer.delay(byteCount: 1 << 10, pressure: 0, now: 7_000_000_000) == 0)
    }

    @Test("a byte rate is kept, and what was not used is saved for a tenth of a second at most")
    func rate() {
        let limiter = IORateLimiter(bytesPerSecond: 1_000_000)
        let start: UInt64 = 10_000_000_000
        #expect(limiter.reserve(byteCount: 100_000, now: start) == 0)
        #expect(limiter.reserve(byteCount: 50_000, now: start) == 0)
        #expect(limiter.reserve(byteCount: 50_000, now: start) == 50_000_000)
        #expect(limiter.reserve(byteCount: 1, now: start) == 100_000_000)
        #expect(limiter.reserve(byteCount: 1_000_000, now: 2 * start) == 0)
        #expect(limiter.reserve(byteCount: 1, now: 2 * start) == 900_000_000)
    }

    @Test("only the writer whose keyspace is in debt waits")
    func ownDebtOnly() throws {
        let storage = try smallStorage(SimulatedFileSystem(), SystemClock(), .threads)
        let busy = try storage.keyspace("busy", options: KeyspaceOptions(isDedicated: true))
        let calm = try storage.keyspace("calm", options: KeyspaceOptions(isDedicated: true))
        busy.tree.pacer.pressure = 0.5
        #expect(storage.delay(busy.tree, busy.tree.state, byteCount: 100 << 10) == 25_000_000)
        #expect(storage.delay(calm.tree, calm.tree.state, byteCount: 100 << 10) == 0)
        let value = [UInt8](repeating: 1, count: 40 << 10)
        func time(_ keyspace: Keyspace, _ pressure: Double) throws -> Duration {
            busy.tree.pacer.pressure = pressure
            return try ContinuousClock().measure {
                try storage.write { try $0.put(keyspace, bytes("key").rawSpan, value.rawSpan) }
            }
        }
        #expect(try time(busy, 0.9) > .milliseconds(30))
        try storage.close()
    }

    @Test("a tree whose level 0 piles up comes under pressure, and is relieved by its compaction")
    func relief() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        options.levelZeroTableCount = 1
        options.memtableByteCount = 1 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("rows", options: KeyspaceOptions(isDedicated: true))
        var pressures: [Double] = []
        for round in 0..<8 {
            for key in 0..<10 {
                var batch = WriteBatch()
                try batch.put(keyspace, bytes("key-\(key)").rawSpan, bytes("value \(round)").rawSpan)
                try storage.commit(batch)
            }
            try storage.flush()
            pressures.append(keyspace.tree.pacer.pressure)
        }
        #expect(pressures[0] == 0)
        #expect(pressures == pressures.sorted())
        #expect(pressures[7] > 0.5)
        try storage.settle()
        #expect(keyspace.tree.pacer.pressure == 0)
    }

    @Test("a storage under a byte rate, with several threads, ends with everything in its place")
    func threads() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk, SystemClock(), .threads)
        options.compactionThreadCount = 3
        options.compactionByteRate = 4 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspaces = try (0..<4).map {
            try storage.keyspace("rows \($0)", options: KeyspaceOptions(isDedicated: true))
        }
        let threads = TestThreads()
        for (index, keyspace) in keyspaces.enumerated() {
            try threads.start {
                var random = SeededRandom(seed: UInt64(index))
                for _ in 0..<300 {
                    let key = Array("key-\(Int.random(in: 0..<200, using: &random))".utf8)
                    let value = [UInt8](repeating: UInt8(index), count: 100)
                    try storage.write { try $0.put(keyspace, key.rawSpan, value.rawSpan) }
                }
            }
        }
        #expect(threads.join() == [])
        try storage.settle()
        #expect(try storage.verify().isHealthy)
        for keyspace in keyspaces { #expect(keyspace.tree.state.levels[0].count < 4) }
        try storage.close()
    }
}
