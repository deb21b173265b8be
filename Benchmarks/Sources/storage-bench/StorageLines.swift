// What the storage lines do on one side. Generic over the side and specialised for each.

import BenchmarkKit

struct StorageLines<Store: OrderedStore> {
    let parent: String
    let seed: UInt64
    let keys: KeyGenerator
    let values: ValuePool

    init(parent: String, seed: UInt64) {
        self.parent = parent
        self.seed = seed
        keys = KeyGenerator(seed: seed)
        values = ValuePool(seed: seed)
    }

    // MARK: Fills

    /// Random puts one by one into a fresh store; with `settled` timed until flushes and compactions are done.
    func fill(entries: Int, settled: Bool = false) async throws -> Timing {
        try await Store.withFresh(in: parent) { store in
            try measure { meter in
                try put(0..<entries, into: store, synced: false, meter: &meter)
                if settled { try store.settle() }
                return UInt64(entries)
            }
        }
    }

    /// The same in batches.
    func fill(entries: Int, batchSize: Int) async throws -> Timing {
        try await Store.withFresh(in: parent) { store in
            try measure { meter in
                try putInBatches(0..<entries, batchSize: batchSize, into: store, meter: &meter)
                return UInt64(entries)
            }
        }
    }

    /// `writers` threads, each committing `commits` entries of its own one by one, synced.
    func syncedCommits(writers: Int, commits: Int) async throws -> Timing {
        try await Store.withFresh(in: parent) { store in
            try measure { meter in
                let all = try onThreads(writers) { writer, meter in
                    let range = writer * commits..<(writer + 1) * commits
                    try put(range, into: store, synced: true, meter: &meter)
                }
                meter.add(all)
                return UInt64(all.operations)
            }
        }
    }

    func put(_ range: Range<Int>, into store: Store, synced: Bool, meter: inout Meter) throws {
        var key = [UInt8](repeating: 0, count: KeyGenerator.byteCount)
        var value = [UInt8](repeating: 0, count: ValuePool.byteCount)
        meter.restart()
        for index in range {
            keys.write(index, into: &key)
            values.write(index, into: &value)
            try store.put(key, value, synced: synced)
            meter.lap()
        }
    }

    private func putInBatches(_ range: Range<Int>, batchSize: Int, into store: Store, meter: inout Meter) throws {
        var key = [UInt8](repeating: 0, count: KeyGenerator.byteCount)
        var value = [UInt8](repeating: 0, count: ValuePool.byteCount)
        var batch = store.makeBatch()
        meter.restart()
        for start in stride(from: range.lowerBound, to: range.upperBound, by: batchSize) {
            let chunk = start..<min(start + batchSize, range.upperBound)
            for index in chunk {
                keys.write(index, into: &key)
                values.write(index, into: &value)
                try store.put(key, value, in: &batch)
            }
            try store.commit(&batch)
            meter.lap(operations: chunk.count)
        }
    }

    // MARK: Reads

    /// A store with `entries` entries, compacted, and read once so that its cache is warm.
    func withSettled<Result>(entries: Int, _ body: (Store) async throws -> Result) async throws -> Result {
        try await Store.withFresh(in: parent) { store in
            try load(entries: entries, into: store)
            return try await body(store)
        }
    }

    func load(entries: Int, into store: Store) throws {
        var meter = Meter()
        try putInBatches(0..<entries, batchSize: 100, into: store, meter: &meter)
        try store.compact()
        _ = try store.digestOfAll()
    }

    /// Point reads in random order of keys that are there.
    func readHits(_ reads: Int, of entries: Int, from store: Store) throws -> Timing {
        try measure { meter in
            var key = [UInt8](repeating: 0, count: KeyGenerator.byteCount)
            var digest: UInt64 = 0
            for step in 0..<reads {
                keys.write(randomIndex(step: step, seed: seed, count: entries), into: &key)
                digest &+= try store.digest(of: key) ?? 1
                meter.lap()
            }
            return digest
        }
    }

    /// Point reads of keys that are not there, between those that are.
    func readMisses(_ reads: Int, of entries: Int, from store: Store) throws -> Timing {
        try measure { meter in
            var key = [UInt8](repeating: 0, count: KeyGenerator.byteCount)
            var found: UInt64 = 0
            for step in 0..<reads {
                keys.write(entries + step, into: &key)
                found += try store.digest(of: key) == nil ? 0 : 1
                meter.lap()
            }
            return found
        }
    }

    func seeks(_ seeks: Int, entriesEach: Int, of entries: Int, from store: Store) throws -> Timing {
        try measure { meter in
            var key = [UInt8](repeating: 0, count: KeyGenerator.byteCount)
            var digest: UInt64 = 0
            for step in 0..<seeks {
                keys.write(randomIndex(step: step, seed: seed, count: entries), into: &key)
                digest &+= try store.digest(from: key, count: entriesEach)
                meter.lap()
            }
            return digest
        }
    }

    func scan(_ store: Store) throws -> Timing {
        try measure { meter in
            let (entries, digest) = try store.digestOfAll()
            meter.count(operations: entries)
            return digest
        }
    }
}

extension StorageLines where Store == StorageCoreStore {
    /// Synced commits by tasks instead of threads.
    func syncedCommits(tasks: Int, commits: Int) async throws -> Timing {
        try await Store.withFresh(in: parent) { store in
            try await measure { meter in
                let all = try await inTasks(tasks) { task, meter in
                    for index in task * commits..<(task + 1) * commits {
                        var value = [UInt8](repeating: 0, count: ValuePool.byteCount)
                        values.write(index, into: &value)
                        try await store.putSynced(keys.key(index), value)
                        meter.lap()
                    }
                }
                meter.add(all)
                return UInt64(all.operations)
            }
        }
    }
}
