// GroupWalkTests.swift — a walk within a group enters a table when it comes to its times, and shows what is there.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Walks within a group")
struct GroupWalkTests {
    private static let layout = ClusteringLayoutTests.layout

    private static func key(_ group: [UInt8], _ clustering: [UInt8], tag: UInt8 = 7) -> [UInt8] {
        ClusteringLayoutTests.key(group, clustering, tag: tag)
    }

    private static func open(_ storage: Storage) throws -> Keyspace {
        try storage.keyspace("events", options: KeyspaceOptions(isDedicated: true, clusteringLayout: layout))
    }

    @Test("tables are entered one after the other, as the walk comes to their times, both ways")
    func order() throws {
        var options = smallOptions(SimulatedFileSystem())
        options.memtableByteCount = 1 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try Self.open(storage)
        // Four tables of ten moments of each of two groups.
        for table in 0..<4 {
            try storage.write { transaction in
                for moment in table * 10..<table * 10 + 10 {
                    for group in [bytes("a"), bytes("b")] {
                        let key = Self.key(group, [0, UInt8(moment)])
                        try transaction.put(keyspace, key.rawSpan, [UInt8(moment)].rawSpan)
                    }
                }
            }
            try storage.flush()
        }
        let numbers = Array(keyspace.tree.state.levels.all.map(\.number).reversed())
        #expect(numbers.count == 4)
        let recorder = AccessRecorder()
        let view = storage.snapshot().traced(by: recorder).view
        let group = Self.key(bytes("a"), [])

        var cursor = try view.cursor(keyspace, .prefix(group))
        #expect(recorder.takeTables() == [])
        try cursor.seekToFirst()
        for moment in 0..<40 {
            #expect(try #require(cursor.isValid ? cursor.value.array() : nil) == [UInt8(moment)])
            #expect(recorder.takeTables() == (moment % 10 == 0 ? [numbers[moment / 10]] : []), "\(moment)")
            try cursor.next()
        }
        var isAtEnd = !cursor.isValid
        #expect(isAtEnd)

        cursor = try view.cursor(keyspace, .prefix(group))
        try cursor.seekToLast()
        for moment in (0..<40).reversed() {
            #expect(try #require(cursor.isValid ? cursor.value.array() : nil) == [UInt8(moment)])
            // Backwards the stream stands before the key that is shown, so it has entered the next table with a table's first.
            let entered = moment == 39 ? numbers[3] : moment % 10 == 0 && moment > 0 ? numbers[moment / 10 - 1] : nil
            #expect(recorder.takeTables() == (entered.map { [$0] } ?? []), "\(moment)")
            try cursor.previous()
        }
        isAtEnd = !cursor.isValid
        #expect(isAtEnd)

        // From the middle of one; a turn comes back to it.
        cursor = try view.cursor(keyspace, KeyRange(lower: Self.key(bytes("a"), [0, 15]), upper: group + [1]))
        try cursor.seekToFirst()
        #expect(recorder.takeTables() == [numbers[1]])
        try cursor.next()
        try cursor.previous()
        #expect(recorder.takeTables() == [])
        #expect(cursor.value.array() == [15])
    }

    @Test("random walks show what a model has, whatever lies at the bounds of tables", arguments: 0..<40)
    func walks(round: Int) throws {
        let seed = TestSeed.draw("walks within groups, round \(round)")
        var random = SeededRandom(seed: seed)
        let storage = try Storage.open(at: "/db", options: smallOptions(SimulatedFileSystem()))
        let keyspace = try Self.open(storage)
        let groups: [[UInt8]] = [[], [1], [1, 0], [2, 0, 0xFF], [3]]
        func clustering() -> [UInt8] {
            // Few different bytes, so that bounds meet, with what is cut off, padded or carried over among them.
            let common = [[], [UInt8](repeating: 0xFF, count: 15), [UInt8](repeating: 0, count: 15)].randomElement(
                using: &random)!
            return common
                + (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                    [0, 1, 0xFE, 0xFF][Int.random(in: 0..<4, using: &random)] as UInt8
                }
        }
        func key() -> [UInt8] {
            Self.key(
                groups.randomElement(using: &random)!, clustering(),
                tag: [6, 7, 7, 7, 7, 8].randomElement(using: &random)!)
        }

        var model: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<Int.random(in: 2...7, using: &random) {
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                let (key, value) = (key(), [UInt8.random(in: 0 ... .max, using: &random)])
                if Int.random(in: 0..<5, using: &random) == 0 {
                    try storage.write { try $0.delete(keyspace, key.rawSpan) }
                    model[key] = nil
                } else {
                    try storage.write { try $0.put(keyspace, key.rawSpan, value.rawSpan) }
                    model[key] = value
                }
            }
            if Int.random(in: 0..<6, using: &random) == 0 {
                let bounds = [key(), key()].sorted { $0.lexicographicallyPrecedes($1) }
                try storage.write { try $0.deleteRange(keyspace, KeyRange(lower: bounds[0], upper: bounds[1])) }
                model = model.filter { compareBytes($0.key, bounds[0]) < 0 || compareBytes($0.key, bounds[1]) >= 0 }
            }
            if Int.random(in: 0..<4, using: &random) > 0 { try storage.flush() }
            if Int.random(in: 0..<5, using: &random) == 0 { try storage.compact() }
        }

        let view = storage.snapshot().view
        for _ in 0..<60 {
            let group = groups.randomElement(using: &random)!
            let whole = KeyRange.prefix(Self.key(group, []))
            let first = Bool.random(using: &random) ? Self.key(group, clustering()) : whole.lower
            let last = Bool.random(using: &random) ? Self.key(group, clustering()) : whole.upper
            let range = KeyRange(lower: first, upper: last)
            let keys = model.keys.filter { range.contains($0.rawSpan) }.sorted { $0.lexicographicallyPrecedes($1) }
            var cursor = try view.cursor(keyspace, range)
            var position = -1
            for _ in 0..<40 {
                switch Int.random(in: 0..<8, using: &random) {
                case 0:
                    try cursor.seekToFirst()
                    position = keys.isEmpty ? -1 : 0
                case 1:
                    try cursor.seekToLast()
                    position = keys.count - 1
                case 2:
                    let target = Self.key(group, clustering())
                    try cursor.seek(target.rawSpan)
                    position = keys.firstIndex { compareBytes($0, target) >= 0 } ?? -1
                case 3:
                    let target = Self.key(group, clustering())
                    try cursor.seekBackward(target.rawSpan)
                    position = keys.lastIndex { compareBytes($0, target) <= 0 } ?? -1
                case 4,
                    5 where position >= 0:
                    guard position >= 0 else { continue }
                    try cursor.next()
                    position = position + 1 < keys.count ? position + 1 : -1
                default:
                    guard position >= 0 else { continue }
                    try cursor.previous()
                    position -= 1
                }
                let shown = cursor.isValid ? cursor.key.array() : nil
                let expected = position >= 0 ? keys[position] : nil
                try #require(shown == expected, "\(range) of \(keys)")
                if let expected { #expect(cursor.value.array() == model[expected]) }
            }
        }
    }
}
