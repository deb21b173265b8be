// FaultFullDiskTests.swift — a disk that fills up: writes are refused, nothing is lost, and all goes on once there is room.

import StorageCore
import StorageTypes
import Synchronization
import Testing

@Suite("Full disk")
struct FaultFullDiskTests {
    @Test("wherever the disk fills up, nothing is lost, and the open storage goes on once there is room")
    func everyCapacity() throws {
        let seed: UInt64 = 5
        let workload = CrashWorkload(seed: seed, stepCount: 60)
        let healthy = CrashRun(SimulatedFileSystem(seed: 1))
        try healthy.run(workload.steps)
        let needed = healthy.disk.usedByteCount
        var fullCount = 0
        for capacity in stride(from: needed / 8, to: needed * 2, by: Soak.stride(509, brief: 1021)) {
            let run = CrashRun(SimulatedFileSystem(seed: 1))
            run.disk.capacity = capacity
            do {
                try check(run, workload)
                fullCount += run.errors.isEmpty ? 0 : 1
            } catch {
                Issue.record("workload \(seed), disk of \(capacity) bytes: \(error)")
                return
            }
        }
        #expect(fullCount > 10, "only \(fullCount) of the disks were too small; \(needed) bytes are needed")
    }

    private func check(_ run: CrashRun, _ workload: CrashWorkload) throws {
        try run.run(workload.steps)
        for error in run.errors where (error as? StorageError)?.code != .diskFull {
            throw CrashViolation("a full disk is told as \(error)")
        }
        try run.checkReads()
        let full = run.disk.crash(.everything)
        full.capacity = nil
        try run.check(full, holds: .acknowledged, briefly: true)
        let cut = run.disk.crash(.reordered)
        cut.capacity = nil
        try run.check(cut, holds: .durable, briefly: true)

        // Room again: the same open storage takes commits, at the latest once background work has caught up.
        run.disk.capacity = nil
        let errorCount = run.errors.count
        let put = CrashChange.put("plain", Array("room".utf8), Array("again".utf8), lifetime: nil)
        try run.run([.create("plain"), .work, .work, .commit([put], .synced, inTransaction: true), .compact, .sync])
        guard run.errors.count == errorCount else {
            throw CrashViolation("with room again: \(run.errors[errorCount])")
        }
        try run.checkReads()
        try run.check(run.disk.crash(.syncedOnly), holds: .durable)
    }

    @Test("on a disk without a byte left, dropping a keyspace still works and makes room")
    func dropping() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let options = CrashWorkload.storageOptions(disk, ManualClock())
        let storage = try Storage.open(at: "/db", options: options)
        let kept = try storage.keyspace("kept")
        try fill(storage, kept)
        try storage.flush()
        disk.capacity = disk.usedByteCount
        #expect {
            for number in UInt8(0)..<255 { try storage.write { try $0.put(kept, [number].rawSpan, [1].rawSpan) } }
        } throws: {
            ($0 as? StorageError)?.code == .diskFull
        }
        try storage.dropKeyspace("dropped")
        // What the background threads would do.
        while try storage.step() {}
        try storage.write(.synced) { try $0.put(kept, [7].rawSpan, [77].rawSpan) }

        let found = disk.crash(.syncedOnly)
        let reopened = try Storage.open(at: "/db", options: CrashWorkload.storageOptions(found, ManualClock()))
        #expect(reopened.keyspaceNames == ["kept"])
        let content = try crashContent(reopened.snapshot().view, reopened.keyspace("kept"))
        #expect(content.count == 100 && content[[7]] == [77])
    }

    /// Fills a second keyspace; its handle, which would keep its files, goes with the return.
    private func fill(_ storage: Storage, _ kept: Keyspace) throws {
        let dropped = try storage.keyspace("dropped", options: KeyspaceOptions(isDedicated: true))
        var random = SeededRandom(seed: 1)
        for number in UInt8(0)..<100 {
            let value = (0..<200).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            try storage.write { transaction in
                try transaction.put(kept, [number].rawSpan, [number].rawSpan)
                try transaction.put(dropped, [number].rawSpan, value.rawSpan)
            }
        }
    }

    @Test("threads wait for room and go on by themselves")
    func threads() throws {
        let disk = SimulatedFileSystem(seed: 1)
        var options = CrashWorkload.storageOptions(disk, SystemClock())
        options.backgroundWork = .threads
        options.syncInterval = .milliseconds(5)
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        var acknowledged: [[UInt8]: [UInt8]] = [:]
        func write(_ number: Int) throws {
            // Never the same bytes twice, so that compaction frees little.
            var random = SeededRandom(seed: UInt64(number))
            let value = (0..<300).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let key = Array("key \(number)".utf8)
            try storage.write(number % 3 == 0 ? .synced : .buffered) {
                try $0.put(keyspace, key.rawSpan, value.rawSpan)
            }
            acknowledged[key] = value
        }
        for round in 1...5 {
            disk.capacity = disk.usedByteCount + Int64(3000 * round)
            var number = round * 1000
            var refusal: StorageError?
            while refusal == nil, number < round * 1000 + 900 {
                do { try write(number) } catch let error as StorageError { refusal = error }
                number += 1
            }
            #expect(refusal?.code == .diskFull, "round \(round): \(String(describing: refusal))")
            let view = storage.snapshot().view
            #expect(try crashContent(view, keyspace) == acknowledged, "round \(round): reads of a full disk")

            disk.capacity = nil
            let deadline = ContinuousClock.now + .seconds(600)
            var last: (any Error)?
            repeat {
                last = nil
                do { try write(round * 1000 + 999) } catch { last = error }
            } while last != nil && ContinuousClock.now < deadline
            #expect(last == nil, "round \(round): no room was noticed")
        }
        let found = disk.crash(.everything)
        try storage.close()
        for survivor in [found, disk] {
            let reopened = try Storage.open(at: "/db", options: CrashWorkload.storageOptions(survivor, SystemClock()))
            #expect(try crashContent(reopened.snapshot().view, try reopened.keyspace("k")) == acknowledged)
            let report = try reopened.verify()
            #expect(report.isHealthy, "\(report)")
        }
    }
}
