// The lines that read from a store that is kept open.

import BenchmarkKit
import Foundation
import Synchronization

extension StoreSide {
    func open(entries: Int, compacted: Bool) throws {
        let opened = try OpenedStore<Store>(in: parent)
        self.opened = opened
        if compacted {
            try load(entries: entries, into: opened)
        } else {
            var meter = Meter()
            try put(0..<entries, into: opened.session, meter: &meter)
        }
    }

    func close() throws {
        try opened?.close()
        opened = nil
    }

    func readHits(_ reads: Int, of entries: Int) throws -> Timing {
        let session = try session()
        return try measure { try readHits(reads, of: entries, from: session, meter: &$0) }
    }

    private func readHits(
        _ reads: Int, of entries: Int, from session: Store.Session, meter: inout Meter
    ) throws -> UInt64 {
        var (key, _) = Self.emptyEntry
        var digest: UInt64 = 0
        for step in 0..<reads {
            keys.write(randomIndex(step: step, seed: seed, count: entries), into: &key)
            digest &+= try session.digest(of: key) ?? 1
            meter.lap()
        }
        return digest
    }

    /// Keys between those that are there.
    func readMisses(_ reads: Int, of entries: Int) throws -> Timing {
        let session = try session()
        return try measure { meter in
            var (key, _) = Self.emptyEntry
            var found: UInt64 = 0
            for step in 0..<reads {
                keys.write(entries + step, into: &key)
                found += try session.digest(of: key) == nil ? 0 : 1
                meter.lap()
            }
            return found
        }
    }

    /// An operation is one key, a latency one call.
    func multiGets(_ calls: Int, keysEach: Int, of entries: Int) throws -> Timing {
        let session = try session()
        var wanted = [[UInt8]](repeating: Self.emptyEntry.key, count: keysEach)
        return try measure { meter in
            var digest: UInt64 = 0
            for call in 0..<calls {
                for position in 0..<keysEach {
                    let step = call * keysEach + position
                    keys.write(randomIndex(step: step, seed: seed, count: entries), into: &wanted[position])
                }
                digest &+= try session.digest(ofAll: wanted)
                meter.lap(operations: keysEach)
            }
            return digest
        }
    }

    func seeks(_ seeks: Int, entriesEach: Int, of entries: Int, backwards: Bool) throws -> Timing {
        let session = try session()
        return try measure { meter in
            var (key, _) = Self.emptyEntry
            var digest: UInt64 = 0
            for step in 0..<seeks {
                keys.write(randomIndex(step: step, seed: seed, count: entries), into: &key)
                digest &+= try session.digest(from: key, count: entriesEach, backwards: backwards)
                meter.lap()
            }
            return digest
        }
    }

    func scan() throws -> Timing {
        let session = try session()
        return try measure { meter in
            let (entries, digest) = try session.digestOfAll()
            meter.count(operations: entries)
            return digest
        }
    }

    func scansFromStart(_ scans: Int, entriesEach: Int) throws -> Timing {
        let session = try session()
        return try measure { meter in
            var digest: UInt64 = 0
            for _ in 0..<scans {
                digest &+= try session.digest(from: [0], count: entriesEach, backwards: false)
                meter.lap()
            }
            return digest
        }
    }

    // MARK: Beside a writer

    /// The writer puts what is there already, so reads find the same on every side, however far it has come.
    func readHitsWhileWriting(_ reads: Int, of entries: Int, putsPerSecond: Int) throws -> Timing {
        guard let store = opened?.store else { throw PeerError(description: "No store is open.") }
        let session = try session()
        let writer = PacedWriter<Store>(keys: keys, values: values, seed: seed &+ 1, putsPerSecond: putsPerSecond)
        try writer.start(on: store, entries: entries)
        let timing = try measure { try readHits(reads, of: entries, from: session, meter: &$0) }
        try writer.stop()
        return timing
    }

    func session() throws -> Store.Session {
        guard let opened else { throw PeerError(description: "No store is open.") }
        return opened.session
    }
}

/// Overwrites entries at a fixed rate on a thread of its own until it is stopped.
private final class PacedWriter<Store: OrderedStore>: Sendable {
    private let keys: KeyGenerator
    private let values: ValuePool
    private let seed: UInt64
    private let putsPerSecond: Int
    private let isStopping = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)
    private let failure = Mutex<(any Error)?>(nil)

    init(keys: KeyGenerator, values: ValuePool, seed: UInt64, putsPerSecond: Int) {
        self.keys = keys
        self.values = values
        self.seed = seed
        self.putsPerSecond = putsPerSecond
    }

    func start(on store: Store, entries: Int) throws {
        let thread = Thread { [self] in
            do {
                try run(session: try store.makeSession(), entries: entries)
            } catch {
                failure.withLock { $0 = error }
            }
            ended.signal()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    func stop() throws {
        isStopping.store(true, ordering: .releasing)
        ended.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func run(session: Store.Session, entries: Int) throws {
        var (key, value) = StoreSide<Store>.emptyEntry
        let start = Clocks.wallNanoseconds
        var step = 0
        while !isStopping.load(ordering: .acquiring) {
            let due = Int(Clocks.wallNanoseconds - start) / (1_000_000_000 / putsPerSecond)
            while step < due, !isStopping.load(ordering: .relaxed) {
                let index = randomIndex(step: step, seed: seed, count: entries)
                keys.write(index, into: &key)
                values.write(index, into: &value)
                try session.put(key, value)
                step += 1
            }
            usleep(1_000)
        }
    }
}
