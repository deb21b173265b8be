// CompactionLeveledTests.swift — what leveled compaction chooses, on paper.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Leveled compaction: choosing")
struct CompactionLeveledTests {
    private let settings = CompactionSettings(levelZeroTableCount: 4, levelOneByteCount: 4000, tableByteCount: 1000)

    @Test("level targets follow from the deepest level: the base level moves up as the data grows")
    func targets() {
        func targets(_ sizes: [Int64]) -> LevelTargets { LevelTargets(sizes: sizes, settings: settings) }
        let empty = targets([500, 0, 0, 0, 0, 0, 0])
        #expect(empty.base == 6)
        #expect(targets([0, 0, 0, 0, 0, 0, 4000]).base == 6)
        let two = targets([0, 0, 0, 0, 0, 0, 30_000])
        #expect(two.base == 5)
        #expect(two.byteCounts[5] == 3000)
        let three = targets([0, 0, 0, 0, 0, 3000, 300_000])
        #expect(three.base == 4)
        #expect(three.byteCounts[4...5] == [3000, 30_000])
        // A level that holds something stays in use, however small the last one has become.
        #expect(targets([0, 0, 0, 10, 0, 0, 2000]).base == 3)
        #expect(two.score(6, .max) < 1)
    }

    @Test("the tables of a sorted level that meet a span are found without looking at each", arguments: 1...20)
    func overlapping(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        func key(_ number: Int) -> String { String(1000 + number) }
        var level: [TableMetadata] = []
        var reached = 0
        for number in 0..<Int.random(in: 0...30, using: &random) {
            // Some touch the one before by an exclusive bound, some are of one key.
            let lower = reached + Int.random(in: 0...3, using: &random)
            let upper = lower + Int.random(in: 0...4, using: &random)
            var table = TableMetadata.paper(UInt64(number + 1), key(lower), key(upper))
            table.largestKeyIsExclusive = upper > lower && Bool.random(using: &random)
            level.append(table)
            reached = table.largestKeyIsExclusive ? upper : upper + 1
        }
        let tree = paperTree([3: level])
        for number in 0..<200 {
            let lower = Int.random(in: 0...90, using: &random)
            let upper = lower + Int.random(in: 0...20, using: &random)
            var table = TableMetadata.paper(1000 + UInt64(number), key(lower), key(upper))
            table.largestKeyIsExclusive = upper > lower && Bool.random(using: &random)
            let expected = level.filter { $0.overlaps(table) }.map(\.number)
            #expect(tree.overlapping(3, [table]).map(\.number) == expected, "seed \(seed)")
            #expect(tree.overlapping(3, KeySpan(table)).map(\.number) == expected, "seed \(seed)")
            #expect(tree.older(than: table, level: 1, index: 0).map(\.number) == expected, "seed \(seed)")
        }
    }

    @Test("level 0 is left alone below its number of tables, and goes straight to the last level of an empty tree")
    func levelZero() throws {
        let tables = paperRow([1000, 1000, 1000, 1000], newest: 9)
        #expect(CompactionPicker.plan(for: paperTree([0: Array(tables.suffix(3))])) == nil)
        let plan = try #require(CompactionPicker.plan(for: paperTree([0: tables])))
        #expect(plan.numbers == [0: [9, 8, 7, 6]])
        #expect(plan.outputLevel == 6)
        #expect(plan.action == .rewrite)
        #expect(plan.urgency == 1)
    }

    @Test("only those of level 0 go down that are connected by overlaps; one that meets nothing is moved")
    func levelZeroClosure() throws {
        let tables: [TableMetadata] = [
            .paper(14, "p", "q", 8...8), .paper(13, "c", "e", 7...7), .paper(12, "m", "n", 6...6),
            .paper(11, "a", "d", 5...5),
        ]
        let plan = try #require(CompactionPicker.plan(for: paperTree([0: tables])))
        #expect(plan.numbers == [0: [13, 11]])
        let apart = Array(tables.dropLast()) + [.paper(10, "u", "v", 5...5)]
        let move = try #require(CompactionPicker.plan(for: paperTree([0: apart])))
        #expect(move.action == .move)
        #expect(move.numbers == [0: [10]])
        #expect(move.outputLevel == 6)
    }

    @Test("small tables of level 0 are merged with one another rather than with much more below")
    func mergeInLevelZero() throws {
        let small = paperRow([100, 100, 100, 100], newest: 9)
        let below: [TableMetadata] = [.paper(1, "b", "k", byteCount: 1600), .paper(2, "l", "x", byteCount: 1600)]
        let plan = try #require(CompactionPicker.plan(for: paperTree([0: small, 6: below])))
        #expect(plan.numbers == [0: [9, 8, 7, 6]])
        #expect(plan.outputLevel == 0)
        #expect(plan.tableByteCount == .max)
    }

    @Test("of a level that is too large the table goes down that meets the least for its size")
    func cheapestTable() throws {
        let levels: [Int: [TableMetadata]] = [
            5: [
                .paper(1, "a", "f", byteCount: 2500), .paper(2, "g", "m", byteCount: 2500),
                .paper(3, "n", "z", byteCount: 2500),
            ],
            6: [
                .paper(4, "a", "c", byteCount: 9000), .paper(5, "d", "f", byteCount: 9000),
                .paper(6, "h", "i", byteCount: 9000), .paper(7, "n", "o", byteCount: 9000),
                .paper(8, "p", "z", byteCount: 9000),
            ],
        ]
        let plan = try #require(CompactionPicker.plan(for: paperTree(levels)))
        #expect(plan.numbers == [5: [2], 6: [6]])
        #expect(plan.outputLevel == 6)
        #expect(plan.reason == .levelSize)
    }

    @Test("neighbours come along where they bring nothing more of the next level")
    func expansion() throws {
        let levels: [Int: [TableMetadata]] = [
            5: [
                .paper(1, "a", "b", byteCount: 3000), .paper(2, "c", "d", byteCount: 3000),
                .paper(3, "n", "z", byteCount: 3000),
            ],
            6: [.paper(4, "a", "d", byteCount: 9000), .paper(5, "m", "z", byteCount: 31_000)],
        ]
        let plan = try #require(CompactionPicker.plan(for: paperTree(levels)))
        #expect(plan.numbers == [5: [1, 2], 6: [4]])
    }

    @Test("a table is moved unread only where its compression, its overlap below and its garbage allow it")
    func trivialMoves() throws {
        let rest = TableMetadata.paper(9, "x", "z", byteCount: 30_000)
        func plan(_ table: TableMetadata, _ edit: (inout TreeDescription) -> Void = { _ in }) throws -> CompactionPlan {
            var tree = paperTree([5: [table], 6: [rest]])
            edit(&tree)
            return try #require(CompactionPicker.plan(for: tree))
        }
        #expect(try plan(.paper(1, "a", "c", byteCount: 5000)).action == .move)
        #expect(
            try plan(.paper(1, "a", "c", byteCount: 5000), { $0.compression.bottom = .zstd(level: 3) }).action
                == .rewrite)
        #expect(try plan(.paper(1, "a", "c", byteCount: 5000, deletes: 1)).action == .rewrite)
        #expect(try plan(.paper(1, "a", "c", byteCount: 5000, rangeTombstones: 1)).action == .rewrite)
        // What a snapshot sees would be written again as it is.
        #expect(
            try plan(.paper(1, "a", "c", 5...9, byteCount: 5000, deletes: 1), { $0.snapshots = [6, 20] }).action
                == .move)
        let expiring = TableMetadata.paper(1, "a", "c", byteCount: 5000, expiring: 10, expiry: 50...60)
        #expect(try plan(expiring).action == .move)
        #expect(try plan(expiring, { $0.purgeTime = StorageInstant(microseconds: 50) }).action == .rewrite)
        // Between two other levels: too much below the new one.
        var tree = paperTree([4: [.paper(1, "a", "z", byteCount: 5000)], 6: [.paper(9, "a", "z", byteCount: 300_000)]])
        #expect(try #require(CompactionPicker.plan(for: tree)).action == .rewrite)
        tree.levels[6] = [.paper(8, "a", "b", byteCount: 5000), .paper(9, "zz", "zzz", byteCount: 295_000)]
        #expect(try #require(CompactionPicker.plan(for: tree)).action == .move)
    }

    @Test("a keyspace's own fan-out and table size take the place of the storage's")
    func ownOptions() throws {
        let slow = settings.adopting(.leveled(LeveledOptions(multiplier: 4)))
        let targets = LevelTargets(sizes: [0, 0, 0, 0, 0, 0, 64_000], settings: slow)
        #expect(targets.base == 4)
        #expect(targets.byteCounts[4...5] == [4000, 16_000])
        #expect(slow.tableByteCount == 1000 && slow.levelOneByteCount == 4000)
        #expect(slow.maximumOverlapByteCount == settings.maximumOverlapByteCount)

        let large = settings.adopting(.leveled(LeveledOptions(tableByteCount: 5000)))
        #expect(large.levelOneByteCount == 20_000 && large.multiplier == 10)
        let tree = paperTree([0: paperRow([1000, 1000, 1000, 1000])], settings: large)
        #expect(try #require(CompactionPicker.plan(for: tree)).tableByteCount == 5000)
        #expect(settings.adopting(.leveled(LeveledOptions(tableByteCount: 10))).levelOneByteCount == 4000)
        #expect(settings.adopting(.sizeTiered()) == settings && settings.adopting(.leveled()) == settings)
    }

    @Test("no options trap, whatever they are", arguments: [Int.min, -1, 0, 1, 2, 1000, Int.max])
    func extremes(value: Int) {
        for levelOne in [0, 1, 4000, Int64.max] {
            let settings = CompactionSettings(levelOneByteCount: levelOne)
                .adopting(.leveled(LeveledOptions(multiplier: value, tableByteCount: value)))
            let tables = (1...6).map { level in
                TableMetadata.paper(UInt64(level), "a", "z", byteCount: 1 << (7 * level))
            }
            let levels = Dictionary(uniqueKeysWithValues: tables.map { (Int($0.number), [$0]) })
            let tree = paperTree(
                levels.merging([0: paperRow([1 << 40, 1, 1, 1, 1])]) { $1 }, settings: settings)
            #expect(LeveledPicker(tree).targets.byteCounts.allSatisfy { $0 >= 0 })
            #expect(CompactionPicker.debt(of: tree).byteCount >= 0)
            #expect(CompactionPicker.plan(for: tree) != nil)
        }
    }

    @Test("debt is nothing in a tree that wants nothing, and grows with what is due")
    func debt() {
        let calm = paperTree([0: [.paper(1, "a", "z")], 6: [.paper(2, "a", "z", byteCount: 3000)]])
        #expect(CompactionPicker.debt(of: calm) == CompactionDebt())
        let tables = paperRow(Array(repeating: 1000, count: 9))
        let debt = CompactionPicker.debt(of: paperTree([0: tables, 6: [.paper(2, "a", "z", byteCount: 3000)]]))
        #expect(debt.runCount == 5)
        #expect(debt.byteCount == 12_000)
    }

    @Test("outputs end at their size, where the next level's tables begin, and before they meet too much there")
    func splitting() {
        let below: [TableMetadata] = [
            .paper(1, "b", "d", byteCount: 300), .paper(2, "f", "h", byteCount: 300),
            .paper(3, "k", "m", byteCount: 300), .paper(4, "n", "o", byteCount: 300),
        ]
        var splitter = OutputSplitter(tableByteCount: 1000, below: below, maximumOverlapByteCount: 500)
        func ends(_ key: String, _ byteCount: Int) -> Bool {
            (Keyspace.prefix(of: 1) + bytes(key)).withUnsafeBytes {
                splitter.endsTable(before: $0, byteCount: byteCount)
            }
        }
        #expect(!ends("a", 100))
        #expect(!ends("c", 600))  // no boundary
        #expect(ends("e", 700))  // a boundary, and half full
        #expect(!ends("g", 100))
        #expect(!ends("i", 300))  // a boundary, but small
        #expect(ends("n", 400))  // 600 bytes met
        #expect(!ends("n1", 10))
        #expect(ends("n2", 1000))  // full
    }
}
