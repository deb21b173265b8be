// The lines that fill a store, generic over the engine and specialised for each.

import BenchmarkKit

final class StoreSide<Store: OrderedStore>: Side {
    var name: String { Store.name }
    var configuration: String { Store.configuration }

    let parent: String
    let seed: UInt64
    let keys: KeyGenerator
    let values: ValuePool
    var opened: OpenedStore<Store>?
    var crashed: ScratchDirectory?

    static var entryByteCount: Int { KeyGenerator.byteCount + ValuePool.byteCount }

    init(parent: String, seed: UInt64) {
        self.parent = parent
        self.seed = seed
        keys = KeyGenerator(seed: seed)
        values = ValuePool(seed: seed)
    }

    // MARK: Fills

    func fill(entries: Int, batchSize: Int?, settled: Bool) throws -> Timing {
        let opened = try OpenedStore<Store>(in: parent)
        var timing = try measure { meter in
            if let batchSize {
                try putInBatches(0..<entries, batchSize: batchSize, into: opened.session, meter: &meter)
            } else {
                try put(0..<entries, into: opened.session, meter: &meter)
            }
            if settled { try opened.store.settle() }
            return UInt64(entries)
        }
        if settled { timing.space = opened.space(liveEntries: entries) }
        try opened.close()
        return timing
    }

    func overwrite(puts: Int, entries: Int) throws -> Timing {
        let opened = try OpenedStore<Store>(in: parent)
        try load(entries: entries, into: opened)
        var timing = try measure { meter in
            var (key, value) = Self.emptyEntry
            meter.restart()
            for step in 0..<puts {
                let index = randomIndex(step: step, seed: seed, count: entries)
                keys.write(index, into: &key)
                values.write(step, into: &value)
                try opened.session.put(key, value)
                meter.lap()
            }
            meter.count(userBytes: puts * Self.entryByteCount)
            try opened.store.settle()
            return UInt64(puts)
        }
        timing.space = opened.space(liveEntries: entries)
        try opened.close()
        return timing
    }

    /// Compacted and read once, so that its cache is warm.
    func load(entries: Int, into opened: OpenedStore<Store>) throws {
        var meter = Meter()
        try putInBatches(0..<entries, batchSize: 100, into: opened.session, meter: &meter)
        try opened.store.compact()
        _ = try opened.session.digestOfAll()
    }

    // MARK: Synced commits

    func syncedCommits(callers: Int, commits: Int, asTasks: Bool) async throws -> Timing? {
        var settings = StoreSettings()
        settings.isSynced = true
        let opened = try OpenedStore<Store>(in: parent, settings: settings)
        let timing: Timing?
        if asTasks {
            timing = try await syncedCommits(tasks: callers, commits: commits, into: opened.store)
        } else {
            timing = try syncedCommits(threads: callers, commits: commits, into: opened.store)
        }
        try opened.close()
        return timing
    }

    private func syncedCommits(threads: Int, commits: Int, into store: Store) throws -> Timing {
        let writer = EntryWriter<Store>(keys: keys, values: values)
        return try measure { meter in
            let all = try onThreads(threads) { thread, meter in
                try writer.put(
                    thread * commits..<(thread + 1) * commits, into: try store.makeSession(), meter: &meter)
            }
            meter.add(all)
            return UInt64(all.operations)
        }
    }

    private func syncedCommits(tasks: Int, commits: Int, into store: Store) async throws -> Timing? {
        guard let store = store as? StorageCoreStore else { return nil }
        let (keys, values) = (keys, values)
        return try await measure { meter in
            let all = try await inTasks(tasks) { task, meter in
                let session = store.makeSession()
                for index in task * commits..<(task + 1) * commits {
                    var value = [UInt8](repeating: 0, count: ValuePool.byteCount)
                    values.write(index, into: &value)
                    try await session.put(keys.key(index), value)
                    meter.lap()
                }
                meter.count(userBytes: commits * Self.entryByteCount)
            }
            meter.add(all)
            return UInt64(all.operations)
        }
    }

    // MARK: Entries

    static var emptyEntry: (key: [UInt8], value: [UInt8]) {
        ([UInt8](repeating: 0, count: KeyGenerator.byteCount), [UInt8](repeating: 0, count: ValuePool.byteCount))
    }

    func put(_ range: Range<Int>, into session: Store.Session, meter: inout Meter) throws {
        try EntryWriter<Store>(keys: keys, values: values).put(range, into: session, meter: &meter)
    }

    func putInBatches(
        _ range: Range<Int>, batchSize: Int, into session: Store.Session, meter: inout Meter
    ) throws {
        var (key, value) = Self.emptyEntry
        meter.restart()
        for start in stride(from: range.lowerBound, to: range.upperBound, by: batchSize) {
            let chunk = start..<min(start + batchSize, range.upperBound)
            for index in chunk {
                keys.write(index, into: &key)
                values.write(index, into: &value)
                try session.stagePut(key, value)
            }
            try session.commitStaged()
            meter.lap(operations: chunk.count)
        }
        meter.count(userBytes: range.count * Self.entryByteCount)
    }
}

/// Puts one by one, on any thread.
struct EntryWriter<Store: OrderedStore>: Sendable {
    let keys: KeyGenerator
    let values: ValuePool

    func put(_ range: Range<Int>, into session: Store.Session, meter: inout Meter) throws {
        var (key, value) = StoreSide<Store>.emptyEntry
        meter.restart()
        for index in range {
            keys.write(index, into: &key)
            values.write(index, into: &value)
            try session.put(key, value)
            meter.lap()
        }
        meter.count(userBytes: range.count * StoreSide<Store>.entryByteCount)
    }
}
