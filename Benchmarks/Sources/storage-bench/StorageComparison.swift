// The list of the storage lines: what runs on all sides, how often, under which name.

import BenchmarkKit

struct StorageComparison {
    let ours: any Side
    /// The first runs in every round, the others in as many as `peerRounds`.
    let peers: [any Side]
    var peerRounds = 1
    let report: Report
    let directory: String
    let sizes: StorageSizes

    func run() async throws {
        try await runFills()
        try await runSyncedCommits()
        try await runUnflushedReads()
        try await runSettledReads()
        try await runDeletes()
        try await runCrash()
    }

    // MARK: Writes

    private func runFills() async throws {
        report.heading("Puts: random order, 48-byte keys, 250-byte values, buffered, one thread")
        for (suffix, batchSize) in [("", nil), (", batches of 100", 100)] {
            try await line("fill burst\(suffix)") {
                try $0.fill(entries: sizes.burstEntries, batchSize: batchSize, settled: false)
            }
        }
        for (suffix, batchSize) in [("", nil), (", batches of 100", 100)] {
            try await line("fill sustained\(suffix), until settled", rounds: 1) {
                try $0.fill(entries: sizes.sustainedEntries, batchSize: batchSize, settled: true)
            }
        }
        try await line("overwrite sustained, until settled", rounds: 1) {
            try $0.overwrite(puts: sizes.sustainedEntries, entries: sizes.overwrittenEntries)
        }
    }

    private func runSyncedCommits() async throws {
        report.heading("Synced commits: one entry each, many writers at once")
        for (writers, commits) in sizes.syncedCommits {
            let name = "synced commits, \(writers) \(writers == 1 ? "writer" : "writers")"
            guard report.includes(name) else { continue }
            report.note("\(name): \(try SyncProbe.describe(directory))")
            try await line(name) {
                try await $0.syncedCommits(callers: writers, commits: commits, asTasks: false)
            }
            guard writers > 1 else { continue }
            // A peer's callers can only be threads. The peers that sync commits one by one would only take time again.
            try await line("\(name) as tasks", beside: peers.prefix(1)) { side in
                try await side.syncedCommits(callers: writers, commits: commits, asTasks: side === ours)
            }
        }
    }

    // MARK: Reads

    private func runUnflushedReads() async throws {
        let name = "point reads, hit, unflushed memtable"
        let entries = sizes.burstEntries
        report.heading("Reads: one thread, \(entries) entries in the memtable")
        try await withOpenSides(for: [name]) {
            try $0.open(entries: entries, compacted: false)
        } body: {
            try await line(name) { try $0.readHits(sizes.reads, of: entries) }
        }
    }

    private func runSettledReads() async throws {
        let names = [
            "point reads, hit, settled", "point reads, miss, settled", "multi-get of 100, settled",
            "seek and 50 entries, settled", "seek and 50 entries backwards, settled", "full scan, settled",
            "point reads, hit, beside 20,000 puts/s",
        ]
        let entries = sizes.settledEntries
        report.heading("Reads: one thread, \(entries) entries, compacted and cached")
        try await withOpenSides(for: names) {
            try $0.open(entries: entries, compacted: true)
        } body: {
            try await line(names[0]) { try $0.readHits(sizes.reads, of: entries) }
            try await line(names[1]) { try $0.readMisses(sizes.reads, of: entries) }
            try await line(names[2]) { try $0.multiGets(sizes.reads / 100, keysEach: 100, of: entries) }
            for backwards in [false, true] {
                try await line(names[backwards ? 4 : 3]) {
                    try $0.seeks(sizes.seeks, entriesEach: 50, of: entries, backwards: backwards)
                }
            }
            try await line(names[5]) { try $0.scan() }
            // Last, for it leaves what it wrote.
            try await line(names[6]) {
                try $0.readHitsWhileWriting(sizes.readsWhileWriting, of: entries, putsPerSecond: 20_000)
            }
        }
    }

    private func runDeletes() async throws {
        report.heading("Deletes: \(sizes.tombstones) fresh tombstones before the first entry, and a queue")
        let scan = "scan past fresh tombstones"
        try await withOpenSides(for: [scan]) {
            try $0.openWithTombstones(entries: sizes.tombstones + 1_000, deletes: sizes.tombstones)
        } body: {
            try await line(scan, unit: .microseconds) {
                try $0.scansFromStart(sizes.tombstoneScans, entriesEach: 50)
            }
        }
        try await line("queue: put, find first, delete") {
            try $0.queue(operations: sizes.queueOperations, backlog: 1_000)
        }
    }

    // MARK: Opening

    private func runCrash() async throws {
        let name = "open after crash"
        guard report.includes(name) else { return }
        report.heading("Opening: \(sizes.crashEntries) entries in the log, until ten of them are read")
        for side in [ours] + peers {
            if let size = try side.prepareCrash(entries: sizes.crashEntries) {
                report.note("\(side.name) left \(size >> 20) MiB")
            } else {
                report.note("\(side.name) is left out: its log would be too large")
            }
        }
        try await line(name, unit: .milliseconds) { try $0.openAfterCrash(entries: sizes.crashEntries) }
        for side in [ours] + peers { side.removeCrash() }
    }

    // MARK: All sides

    private func line(
        _ name: String, unit: LineUnit = .operationsPerSecond, rounds: Int? = nil,
        beside chosen: ArraySlice<any Side>? = nil,
        measure: @escaping (any Side) async throws -> Timing?
    ) async throws {
        func contender(_ side: any Side, rounds: Int) -> Contender {
            Contender(name: side.name, rounds: rounds) { try await measure(side) }
        }
        let others = (chosen ?? peers[...]).enumerated().map { contender($1, rounds: $0 == 0 ? .max : peerRounds) }
        try await report.line(name, unit: unit, rounds: rounds, ours: contender(ours, rounds: .max), peers: others)
    }

    /// Opens a loaded store of every side for the lines of these names, and closes them all; nothing if the filter
    /// leaves all of the lines out.
    private func withOpenSides(
        for names: [String], open: (any Side) throws -> Void, body: () async throws -> Void
    ) async throws {
        guard names.contains(where: report.includes) else { return }
        let sides = [ours] + peers
        do {
            for side in sides { try open(side) }
            try await body()
        } catch {
            for side in sides { try? side.close() }
            throw error
        }
        for side in sides { try side.close() }
    }
}
