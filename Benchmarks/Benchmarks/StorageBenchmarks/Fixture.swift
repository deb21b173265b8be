// What the micro-benchmarks read and write: a storage in memory with entries of a fixed seed.

import StorageCore

struct Fixture: Sendable {
    static let entries = 10_000

    let storage: Storage
    let keyspace: Keyspace
    /// In random order; the keys at odd places are absent.
    let keys: [[UInt8]]
    let value: [UInt8]

    init() throws {
        var random = SeededRandom(seed: 42)
        keys = (0..<2 * Self.entries).map { _ in
            (0..<48).map { _ in UInt8.random(in: 97...122, using: &random) }
        }
        value = (0..<250).map { _ in UInt8.random(in: 0...255, using: &random) }
        storage = try Storage.inMemory()
        keyspace = try storage.keyspace("entries")
        for place in stride(from: 0, to: keys.count, by: 2) {
            let key = keys[place]
            try storage.write { try $0.put(keyspace, key.rawSpan, value.rawSpan) }
        }
    }

    func presentKey(_ step: Int) -> [UInt8] { keys[(step &* 7919) % Self.entries * 2] }
    func absentKey(_ step: Int) -> [UInt8] { keys[(step &* 7919) % Self.entries * 2 + 1] }
}
