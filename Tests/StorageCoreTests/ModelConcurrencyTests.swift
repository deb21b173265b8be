// ModelConcurrencyTests.swift — writers and readers at once, with background threads, and what must hold all the time.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

/// Adds numbers of eight bytes.
struct ModelSum: MergeOperator {
    var name: String { "model.sum" }

    static func encode(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    static func decode(_ bytes: [UInt8]) -> UInt64 {
        bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
    }

    func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) {
        result += Self.encode(Self.decode(older.array()) &+ Self.decode(newer.array()))
    }
}

/// Money that moves between accounts, and counters that many merge into.
final class ModelBank: Sendable {
    static let accountCount = 24
    static let counterCount = 3
    static let total = UInt64(accountCount) * 100

    let storage: Storage
    let accounts: Keyspace
    let counters: Keyspace
    let added = Mutex(Array(repeating: UInt64(0), count: counterCount))
    let isDone = Atomic<Bool>(false)

    init(_ storage: Storage, isNew: Bool) throws {
        self.storage = storage
        accounts = try storage.keyspace("accounts")
        counters = try storage.keyspace(
            "counters", options: KeyspaceOptions(mergeOperator: ModelSum(), isDedicated: true))
        guard isNew else { return }
        try storage.write { transaction in
            for account in 0..<Self.accountCount {
                try transaction.put(accounts, Self.key(account).rawSpan, ModelSum.encode(100).rawSpan)
            }
        }
    }

    static func key(_ account: Int) -> [UInt8] { bytes("account \(account)") }

    /// What a writer does in one transaction; the sequence that it had.
    func change(_ transaction: WriteTransaction, _ random: inout SeededRandom) throws -> SequenceNumber {
        let (from, to) = (
            Int.random(in: 0..<Self.accountCount, using: &random), Int.random(in: 0..<Self.accountCount, using: &random)
        )
        let amount = UInt64.random(in: 0...30, using: &random)
        let have = try balance(transaction.view, from)
        if from != to, have >= amount {
            let there = try balance(transaction.view, to)
            try transaction.put(accounts, Self.key(from).rawSpan, ModelSum.encode(have - amount).rawSpan)
            try transaction.put(accounts, Self.key(to).rawSpan, ModelSum.encode(there + amount).rawSpan)
        }
        let counter = Int.random(in: 0..<Self.counterCount, using: &random)
        try transaction.merge(counters, [UInt8(counter)].rawSpan, ModelSum.encode(amount + 1).rawSpan)
        let bank = self
        transaction.onCommit { _ in bank.added.withLock { $0[counter] += amount + 1 } }
        return transaction.sequence
    }

    private func balance(_ view: ReadView, _ account: Int) throws -> UInt64 {
        ModelSum.decode(try view.get(accounts, Self.key(account).rawSpan) ?? [])
    }

    /// One reader's look at a snapshot: the sum is right whichever way it is added up.
    func check(_ view: ReadView) throws {
        let forwards = try modelScan(view, accounts)
        let sum = forwards.reduce(UInt64(0)) { $0 + ModelSum.decode($1.value) }
        guard forwards.count == Self.accountCount, sum == Self.total else {
            throw ModelMismatch(description: "\(forwards.count) accounts with \(sum) at \(view.sequence)")
        }
        guard try modelScanBackward(view, accounts) == forwards else {
            throw ModelMismatch(description: "forwards and backwards differ at \(view.sequence)")
        }
        for entry in forwards.prefix(3) where try view.get(accounts, entry.key.rawSpan) != entry.value {
            throw ModelMismatch(description: "a look-up and a scan differ at \(view.sequence)")
        }
    }

    func checkCounters() throws {
        let view = storage.snapshot().view
        let found = try (0..<Self.counterCount).map {
            ModelSum.decode(try view.get(counters, [UInt8($0)].rawSpan) ?? [])
        }
        let expected = added.withLock { $0 }
        guard found == expected else { throw ModelMismatch(description: "counters \(found), not \(expected)") }
    }
}

/// Runs writers (threads and tasks), readers and a maintainer against one bank.
func runBank(seed: UInt64, changesPerWriter: Int) async throws {
    let disk = SimulatedFileSystem(seed: seed)
    var storage = try smallStorage(disk, SystemClock(), .threads)
    let bank = try ModelBank(storage, isNew: true)
    let threads = TestThreads()
    for reader in 0..<2 {
        try threads.start {
            while !bank.isDone.load(ordering: .relaxed) {
                let snapshot = bank.storage.snapshot(reader == 0 ? .visible : .durable)
                guard snapshot.sequence > .zero else { continue }
                // Twice: what a snapshot shows does not change.
                for _ in 0..<2 { try bank.check(snapshot.view) }
            }
        }
    }
    let writers = TestThreads()
    for writer in 0..<2 {
        try writers.start {
            var random = SeededRandom(seed: seed &+ UInt64(writer))
            for round in 0..<changesPerWriter {
                let durability = round % 8 == 0 ? Durability.synced : .buffered
                let sequence = try bank.storage.write(durability) { try bank.change($0, &random) }
                if durability == .synced, bank.storage.durableSequence < sequence {
                    throw ModelMismatch(description: "\(sequence) was acknowledged as synced and is not durable")
                }
                if round % 50 == 49 { writer == 0 ? try bank.storage.flush() : try bank.storage.compact() }
            }
        }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<6 {
            group.addTask {
                var random = SeededRandom(seed: seed &+ 100 &+ UInt64(writer))
                for round in 0..<changesPerWriter {
                    let durability = round % 8 == 0 ? Durability.synced : .buffered
                    let sequence = try await bank.storage.write(durability) { try bank.change($0, &random) }
                    if durability == .synced, bank.storage.durableSequence < sequence {
                        throw ModelMismatch(description: "\(sequence) was acknowledged as synced and is not durable")
                    }
                }
            }
        }
        try await group.waitForAll()
    }
    let failures = writers.join()
    bank.isDone.store(true, ordering: .relaxed)
    #expect(failures + threads.join() == [])
    try bank.check(storage.snapshot().view)
    try bank.checkCounters()
    #expect(storage.visibleSequence == SequenceNumber(8 * changesPerWriter + 1))
    #expect(try storage.verify().problems == [])
    try storage.close()
    storage = try smallStorage(disk, SystemClock(), .threads)
    let again = try ModelBank(storage, isNew: false)
    again.added.withLock { added in added = bank.added.withLock { $0 } }
    try again.check(storage.snapshot().view)
    try again.checkCounters()
    try storage.close()
}

@Suite struct ModelConcurrencyTests {
    @Test("with many writers at once no money is lost in any snapshot, and counters end exact")
    func bank() async throws {
        let seed = TestSeed.draw("bank")
        try await runBank(seed: seed, changesPerWriter: 150)
    }

    @Test("who waits for commits sees every advance, and is woken by cancellation")
    func waitForCommit() async throws {
        let storage = try smallStorage(SimulatedFileSystem(), SystemClock(), .threads)
        let keyspace = try storage.keyspace("k")
        let follower = Task {
            var sequence = SequenceNumber.zero
            while sequence < SequenceNumber(100) {
                let next = try await storage.waitForCommit(after: sequence)
                #expect(next > sequence)
                sequence = next
            }
        }
        let durable = Task { try await storage.waitForCommit(after: SequenceNumber(99), .durable) }
        let cancelled = Task { try await storage.waitForCommit(after: SequenceNumber(1000)) }
        for round in 0..<100 {
            try await storage.write(round == 99 ? .synced : .buffered) {
                try $0.put(keyspace, [1].rawSpan, [UInt8(round)].rawSpan)
            }
        }
        try await follower.value
        #expect(try await durable.value == SequenceNumber(100))
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        try storage.close()
    }
}

@Suite struct ModelConcurrencySoakTests {
    @Test("the bank stays in balance for as long as asked", .enabled(if: Soak.duration != nil))
    func soak() async throws {
        let soak = Soak()
        var seeds = TestSeeds("bank soak")
        repeat {
            let seed = seeds.draw()
            print("bank soak, seed \(seed)")
            try await runBank(seed: seed, changesPerWriter: 1000)
        } while soak.goesOn
    }
}
