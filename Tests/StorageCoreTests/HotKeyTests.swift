// HotKeyTests.swift — cursors over keys of many versions.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Keys of many versions") struct HotKeyTests {
    private final class BlockCounter: AccessTraceSink {
        private let count = Mutex(0)

        func record(_ event: AccessEvent) {
            if case .block = event { count.withLock { $0 += 1 } }
        }

        func take() -> Int {
            count.withLock { count in
                defer { count = 0 }
                return count
            }
        }
    }

    private static func largeMemtables(_ disk: SimulatedFileSystem = SimulatedFileSystem()) throws -> Storage {
        var options = smallOptions(disk)
        options.memtableByteCount = 4 << 20
        return try Storage.open(at: "/db", options: options)
    }

    private static func forwards(_ view: ReadView, _ keyspace: Keyspace) throws -> [[UInt8]: [UInt8]] {
        var found: [[UInt8]: [UInt8]] = [:]
        var cursor = try view.cursor(keyspace)
        try cursor.seekToFirst()
        while cursor.isValid {
            #expect(found.updateValue(cursor.value.array(), forKey: cursor.key.array()) == nil)
            try cursor.next()
        }
        return found
    }

    private static func backwards(_ view: ReadView, _ keyspace: Keyspace) throws -> [[UInt8]: [UInt8]] {
        var found: [[UInt8]: [UInt8]] = [:]
        var cursor = try view.cursor(keyspace)
        try cursor.seekToLast()
        while cursor.isValid {
            #expect(found.updateValue(cursor.value.array(), forKey: cursor.key.array()) == nil)
            try cursor.previous()
        }
        return found
    }

    /// Each version lies in a block of its own, so the blocks that are read tell how many versions a walk steps over.
    @Test("a walk passes a key of hundreds of versions in a few steps, both ways, whichever of them it sees")
    func steps() throws {
        let storage = try Self.largeMemtables()
        let keyspace = try storage.keyspace("entries")
        func put(_ key: String, _ number: Int) throws {
            let value = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 600)
            try storage.write { try $0.put(keyspace, bytes(key).rawSpan, value.rawSpan) }
        }
        for key in ["a", "hot", "z"] { try put(key, 0) }
        // Each snapshot keeps a version from being dropped.
        var snapshots = [storage.snapshot()]
        for number in 1...300 {
            try put("hot", number)
            snapshots.append(storage.snapshot())
        }
        try storage.flush()
        let table = try #require(keyspace.tree.state.levels.all.first)
        #expect(table.metadata.entryCount == 303)
        let counter = BlockCounter()
        for number in [0, 1, 8, 150, 299, 300] {
            let view = snapshots[number].traced(by: counter).view
            let value = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 600)
            let forwards = try Self.forwards(view, keyspace)
            #expect(forwards.count == 3 && forwards[bytes("hot")] == value)
            #expect(counter.take() < 60, "snapshot \(number)")
            #expect(try Self.backwards(view, keyspace) == forwards)
            #expect(counter.take() < 80, "snapshot \(number)")
        }
    }

    @Test("cursors at any snapshot agree with what there was, over keys of hundreds of versions", arguments: 1...12)
    func model(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let storage = try Self.largeMemtables()
        let keyspace = try storage.keyspace("entries", options: KeyspaceOptions(mergeOperator: ModelAppend()))
        var content: [[UInt8]: [UInt8]] = [:]
        var moments: [(snapshot: Snapshot, content: [[UInt8]: [UInt8]])] = []
        for number in 0..<1500 {
            let key = [UInt8](repeating: 0x61, count: Int.random(in: 1...4, using: &random))
            let value = bytes("\(number),")
            try storage.write { transaction in
                switch Int.random(in: 0..<100, using: &random) {
                case 0..<2:
                    try transaction.deleteRange(keyspace, KeyRange(lower: key, upper: key + [0x61, 0]))
                    for covered in [key, key + [0x61]] { content[covered] = nil }
                case 2..<6:
                    try transaction.delete(keyspace, key.rawSpan)
                    content[key] = nil
                case 6..<30:
                    try transaction.merge(keyspace, key.rawSpan, value.rawSpan)
                    content[key, default: []] += value
                default:
                    try transaction.put(keyspace, key.rawSpan, value.rawSpan)
                    content[key] = value
                }
            }
            if number % 60 == 0 { moments.append((storage.snapshot(), content)) }
            if Int.random(in: 0..<500, using: &random) == 0 { try storage.flush() }
        }
        moments.append((storage.snapshot(), content))
        for (snapshot, content) in moments {
            let view = snapshot.view
            #expect(try Self.forwards(view, keyspace) == content, "seed \(seed)")
            #expect(try Self.backwards(view, keyspace) == content, "seed \(seed)")
            let keys = content.keys.sorted { $0.lexicographicallyPrecedes($1) }
            guard !keys.isEmpty else { continue }
            var cursor = try view.cursor(keyspace)
            var index = Int.random(in: keys.indices, using: &random)
            let start = keys[index]
            if Bool.random(using: &random) {
                try cursor.seek(start.rawSpan)
            } else {
                try cursor.seekBackward(start.rawSpan)
            }
            for _ in 0..<20 {
                guard cursor.isValid else {
                    Issue.record("The cursor left the keys, seed \(seed).")
                    break
                }
                #expect(
                    cursor.key.array() == keys[index] && cursor.value.array() == content[keys[index]], "seed \(seed)")
                if index == 0 || index < keys.count - 1 && Bool.random(using: &random) {
                    guard index < keys.count - 1 else { break }
                    index += 1
                    try cursor.next()
                } else {
                    index -= 1
                    try cursor.previous()
                }
            }
        }
    }
}
