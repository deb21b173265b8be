import StorageTypes
import Testing

@testable import StorageCore

/// Cursors of open transactions: what they see, and what they cost.
@Suite struct BatchOrderTests {
    /// What a cursor of the transaction should show.
    private typealias Model = [[UInt8]: [UInt8]]

    private static func check(_ cursor: inout Cursor, _ model: Model, _ what: String) throws {
        let expected = model.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        var found: [[UInt8]] = []
        try cursor.seekToFirst()
        while cursor.isValid {
            let (key, value) = (cursor.key.array(), cursor.value.array())
            guard model[key] == value else {
                throw ModelMismatch(description: "\(what): \(key) is \(value)")
            }
            found.append(key)
            try cursor.next()
        }
        guard found == expected.map(\.key) else { throw ModelMismatch(description: "\(what): forwards \(found)") }
        try cursor.seekToLast()
        for key in found.reversed() {
            guard cursor.isValid, cursor.key.array() == key, cursor.value.array() == model[key] else {
                throw ModelMismatch(description: "\(what): backwards at \(key)")
            }
            try cursor.previous()
        }
        guard !cursor.isValid else { throw ModelMismatch(description: "\(what): more before the first") }
    }

    @Test("a cursor loses nothing when another one is made after a write beside what comes next")
    func writesBesideTheNextKey() throws {
        let storage = try Storage.inMemory()
        let keyspace = try storage.keyspace("k")
        try storage.write { transaction in
            for key in ["a1", "b1", "c1"] { try transaction.put(keyspace, bytes(key).rawSpan, [1].rawSpan) }
            var cursor = try transaction.cursor(keyspace)
            try cursor.seekToFirst()
            for (written, next) in [("b2", "b1"), ("c0", "c1")] {
                try transaction.put(keyspace, bytes(written).rawSpan, [1].rawSpan)
                _ = try transaction.cursor(keyspace)
                try cursor.next()
                let key = cursor.isValid ? cursor.key.array() : nil
                #expect(key == bytes(next))
            }
            try cursor.next()
            let isDone = !cursor.isValid
            #expect(isDone)
            #expect(try keys(transaction.view, keyspace) == ["a1", "b1", "b2", "c0", "c1"].map(bytes))
        }
    }

    @Test("a cursor sees the transaction as it was at its creation, both ways and after every seek", arguments: 1...6)
    func snapshots(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        let other = try storage.keyspace("other")
        var below: Model = [:]
        try storage.write { transaction in
            for key in UInt8(0)..<40 where key % 3 == 0 {
                below[[key]] = [0]
                try transaction.put(keyspace, [key].rawSpan, [0].rawSpan)
            }
        }
        try storage.write { transaction in
            var model = below
            for step in UInt8(1)...120 {
                let key = [UInt8.random(in: 0..<40, using: &random)]
                switch Int.random(in: 0..<10, using: &random) {
                case 0...5:
                    model[key] = [step]
                    try transaction.put(keyspace, key.rawSpan, [step].rawSpan)
                case 6, 7:
                    model[key] = nil
                    try transaction.delete(keyspace, key.rawSpan)
                case 8:
                    let upper = [key[0] + UInt8.random(in: 1...6, using: &random)]
                    for covered in key[0]..<upper[0] { model[[covered]] = nil }
                    try transaction.deleteRange(keyspace, KeyRange(lower: key, upper: upper))
                default:
                    try transaction.put(other, key.rawSpan, [step].rawSpan)
                }
                guard step % 4 == 0 else { continue }
                var cursor = try transaction.cursor(keyspace)
                let frozen = model
                // Changed after its creation: not seen.
                try transaction.put(keyspace, [50].rawSpan, [step].rawSpan)
                try transaction.delete(keyspace, [UInt8.random(in: 0..<40, using: &random)].rawSpan)
                try Self.check(&cursor, frozen, "seed \(seed), step \(step)")
                for _ in 0..<10 {
                    let target = [UInt8.random(in: 0..<42, using: &random)]
                    try cursor.seek(target.rawSpan)
                    let after = frozen.keys.filter { !$0.lexicographicallyPrecedes(target) }
                    #expect(
                        (cursor.isValid ? cursor.key.array() : nil) == after.min { $0.lexicographicallyPrecedes($1) })
                    try cursor.seekBackward(target.rawSpan)
                    let before = frozen.keys.filter { !target.lexicographicallyPrecedes($0) }
                    #expect(
                        (cursor.isValid ? cursor.key.array() : nil) == before.max { $0.lexicographicallyPrecedes($1) })
                }
                // What was changed for the cursor's sake is taken back to what the model says.
                try transaction.delete(keyspace, [50].rawSpan)
                for key in UInt8(0)..<40 {
                    if let value = model[[key]] {
                        try transaction.put(keyspace, [key].rawSpan, value.rawSpan)
                    } else {
                        try transaction.delete(keyspace, [key].rawSpan)
                    }
                }
            }
        }
    }

    @Test("a cursor of a big transaction costs no copy of it", .timeLimit(.minutes(20)))
    func cost() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        try storage.write { transaction in
            // Copying and sorting at each creation would take a hundred million steps.
            for index in UInt64(0)..<12_000 {
                var encoder = KeyEncoder()
                encoder.append(uint64: index &* 0x9E37_79B9_7F4A_7C15)
                try transaction.put(keyspace, encoder.bytes.rawSpan, [1].rawSpan)
                var cursor = try transaction.cursor(keyspace)
                try cursor.seek(encoder.bytes.rawSpan)
                #expect(cursor.isValid && cursor.key.array() == encoder.bytes)
            }
        }
    }

    @Test("a batch that fills a memtable by itself becomes an immutable one of its own")
    func layer() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        try storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) }
        let value = [UInt8](repeating: 7, count: 1000)
        try storage.write { transaction in
            for key in UInt8(2)..<10 { try transaction.put(keyspace, [key].rawSpan, value.rawSpan) }
        }
        let state = keyspace.tree.state
        #expect(state.memtable.isEmpty)
        #expect(state.immutables.map(\.entryCount) == [8, 1])
        #expect(try keys(storage.snapshot().view, keyspace).count == 9)
        try storage.flush()
        #expect(try keys(storage.snapshot().view, keyspace).count == 9)
    }
}
