// The list of the storage lines: what runs on both sides, how often, under which name.

import BenchmarkKit

struct StorageSizes {
    /// Fits into the memtable on both sides: nothing is flushed while the clock runs.
    var burstEntries = 150_000
    var sustainedEntries = 10_000_000
    var settledEntries = 1_000_000
    var reads = 1_000_000
    var seeks = 100_000
    /// Commits of each writer, by the number of writers.
    var syncedCommits = [(writers: 1, commits: 2_000), (16, 500), (64, 500)]

    static let full = StorageSizes()
    static let quick = StorageSizes(
        sustainedEntries: 500_000, settledEntries: 300_000, reads: 200_000, seeks: 10_000,
        syncedCommits: [(1, 300), (16, 100), (64, 50)])
    /// For tests: that every line runs, not how fast.
    static let smoke = StorageSizes(
        burstEntries: 500, sustainedEntries: 1_000, settledEntries: 1_000, reads: 500, seeks: 50,
        syncedCommits: [(1, 5), (4, 5)])
}

struct StorageComparison<Peer: OrderedStore> {
    let ours: StorageLines<StorageCoreStore>
    let peer: StorageLines<Peer>?
    let report: Report
    let directory: String
    let sizes: StorageSizes

    func run() async throws {
        try await runFills()
        try await runSyncedCommits()
        try await runUnflushedReads()
        try await runSettledReads()
    }

    private func runFills() async throws {
        report.heading("Puts: random order, 48-byte keys, 250-byte values, buffered, one thread")
        let burst = sizes.burstEntries
        try await line("fill burst") {
            try await $0.fill(entries: burst)
        } peer: {
            try await $0.fill(entries: burst)
        }
        try await line("fill burst, batches of 100") {
            try await $0.fill(entries: burst, batchSize: 100)
        } peer: {
            try await $0.fill(entries: burst, batchSize: 100)
        }
        let sustained = sizes.sustainedEntries
        try await line("fill sustained, until settled", rounds: 1) {
            try await $0.fill(entries: sustained, settled: true)
        } peer: {
            try await $0.fill(entries: sustained, settled: true)
        }
    }

    private func runSyncedCommits() async throws {
        report.heading("Synced commits: one entry each, many writers at once")
        for (writers, commits) in sizes.syncedCommits {
            let name = "synced commits, \(writers) \(writers == 1 ? "writer" : "writers")"
            guard report.includes(name) else { continue }
            report.note(try SyncProbe.describe(directory))
            try await line(name) {
                try await $0.syncedCommits(writers: writers, commits: commits)
            } peer: {
                try await $0.syncedCommits(writers: writers, commits: commits)
            }
            // A peer's callers can only be threads.
            guard writers > 1 else { continue }
            try await line("\(name) as tasks") {
                try await $0.syncedCommits(tasks: writers, commits: commits)
            } peer: {
                try await $0.syncedCommits(writers: writers, commits: commits)
            }
        }
    }

    private func runUnflushedReads() async throws {
        let name = "point reads, hit, unflushed memtable"
        guard report.includes(name) else { return }
        report.heading("Reads: one thread, everything in memory")
        let (entries, reads) = (sizes.burstEntries, sizes.reads)
        try await withStores {
            var meter = Meter()
            try ours.put(0..<entries, into: $0, synced: false, meter: &meter)
        } loadPeer: { lines, store in
            var meter = Meter()
            try lines.put(0..<entries, into: store, synced: false, meter: &meter)
        } body: { store, peerStore in
            try await line(name) {
                try $0.readHits(reads, of: entries, from: store)
            } peer: { lines in
                try peerStore.map { try lines.readHits(reads, of: entries, from: $0) }
            }
        }
    }

    private func runSettledReads() async throws {
        let names = [
            "point reads, hit, settled", "point reads, miss, settled", "seek and 50 entries, settled",
            "full scan, settled",
        ]
        guard names.contains(where: report.includes) else { return }
        report.heading("Reads: one thread, \(sizes.settledEntries) entries, compacted and cached")
        let (entries, reads, seeks) = (sizes.settledEntries, sizes.reads, sizes.seeks)
        try await withStores {
            try ours.load(entries: entries, into: $0)
        } loadPeer: { lines, store in
            try lines.load(entries: entries, into: store)
        } body: { store, peerStore in
            try await line(names[0]) {
                try $0.readHits(reads, of: entries, from: store)
            } peer: { lines in
                try peerStore.map { try lines.readHits(reads, of: entries, from: $0) }
            }
            try await line(names[1]) {
                try $0.readMisses(reads, of: entries, from: store)
            } peer: { lines in
                try peerStore.map { try lines.readMisses(reads, of: entries, from: $0) }
            }
            try await line(names[2]) {
                try $0.seeks(seeks, entriesEach: 50, of: entries, from: store)
            } peer: { lines in
                try peerStore.map { try lines.seeks(seeks, entriesEach: 50, of: entries, from: $0) }
            }
            try await line(names[3]) {
                try $0.scan(store)
            } peer: { lines in
                try peerStore.map { try lines.scan($0) }
            }
        }
    }

    // MARK: Both sides

    private func line(
        _ name: String, rounds: Int? = nil,
        ours measureOurs: (StorageLines<StorageCoreStore>) async throws -> Timing,
        peer measurePeer: (StorageLines<Peer>) async throws -> Timing?
    ) async throws {
        try await report.line(
            name, rounds: rounds, ours: { try await measureOurs(ours) }, peerName: Peer.name,
            peer: {
                guard let peer else { return nil }
                return try await measurePeer(peer)
            })
    }

    /// A loaded store of each side, open at once; the peer's is nil where there is no peer.
    private func withStores(
        load: (StorageCoreStore) throws -> Void, loadPeer: (StorageLines<Peer>, Peer) throws -> Void,
        body: (StorageCoreStore, Peer?) async throws -> Void
    ) async throws {
        try await StorageCoreStore.withFresh(in: directory) { store in
            try load(store)
            guard let peer else { return try await body(store, nil) }
            try await Peer.withFresh(in: directory) { peerStore in
                try loadPeer(peer, peerStore)
                try await body(store, peerStore)
            }
        }
    }
}
