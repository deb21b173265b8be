// What statistics say is what happened.

import Foundation
import StorageTypes
import Testing

@testable import StorageCore

@Suite("Statistics")
struct StatisticsTests {
    private let clock = ManualClock()

    private func key(_ index: Int) -> [UInt8] { bytes("key" + String(100_000 + index)) }

    @Test("amplification is what was written to files by byte that was committed")
    func writeAmplification() throws {
        let files = ObservedFileSystem(clock)
        var options = smallOptions(SimulatedFileSystem(), clock)
        options.fileSystem = files
        options.levelZeroTableCount = 2
        options.memtableByteCount = 32 << 10
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("entries", options: KeyspaceOptions(isDedicated: true))
        let logBefore = files.byteCount(suffix: ".log")

        var userByteCount = 0
        for index in 0..<1000 {
            let value = [UInt8](repeating: UInt8(index % 251), count: index % 90)
            try storage.write { try $0.put(keyspace, key(index % 300).rawSpan, value.rawSpan) }
            userByteCount += key(index).count + value.count
        }
        try storage.settle()

        let statistics = storage.statistics
        let tree = try #require(statistics.trees.first { $0.keyspaces == ["entries"] })
        #expect(statistics.commits.count == 1000 && statistics.commits.entryCount == 1000)
        #expect(statistics.commits.userByteCount == userByteCount && tree.userByteCount == userByteCount)
        // A segment's own header is nobody's record.
        let headers = statistics.log.segmentCount * LogSegmentHeader.byteCount
        let logged = files.byteCount(suffix: ".log") - logBefore
        #expect((logged - headers...logged).contains(statistics.log.appendedByteCount))
        let tables = tree.flushes.outputByteCount + tree.compactions.outputByteCount
        #expect(tables == files.byteCount(suffix: ".sst"))
        let expected = Double(statistics.log.appendedByteCount + tables) / Double(userByteCount)
        #expect(statistics.writeAmplification == expected && expected > 1)
        #expect(tree.flushes.count > 1 && tree.compactions.count > 0)
        #expect(tree.compactionDebtByteCount == 0)
    }

    @Test("levels add up to the files on disk, and trees to the total")
    func levels() throws {
        let storage = try smallStorage()
        let first = try storage.keyspace("first", options: KeyspaceOptions(isDedicated: true))
        let second = try storage.keyspace("second", options: KeyspaceOptions(isDedicated: true))
        for index in 0..<400 {
            try storage.write { transaction in
                try transaction.put(first, key(index).rawSpan, key(index).rawSpan)
                if index.isMultiple(of: 4) { try transaction.delete(second, key(index).rawSpan) }
            }
        }
        try storage.flush()

        let statistics = storage.statistics
        let (one, two) = (try #require(statistics.trees.first), try #require(statistics.trees.last))
        #expect([one.keyspaces, two.keyspaces] == [["first"], ["second"]])
        #expect(one.entryCount == 400 && one.tombstoneCount == 0 && one.writtenEntryCount == 400)
        #expect(two.entryCount == 100 && two.tombstoneCount == 100 && two.writtenEntryCount == 100)
        #expect(one.userByteCount == 400 * 18 && two.userByteCount == 100 * 9)
        let total = statistics.total
        #expect(total.entryCount == 500 && total.byteCount == one.byteCount + two.byteCount)
        #expect(total.tableCount == one.tableCount + two.tableCount)
        #expect(statistics.commits.userByteCount == total.userByteCount)
        var fileByteCount: Int64 = 0
        for tree in [first.tree, second.tree] {
            for table in tree.state.levels.all {
                fileByteCount += try storage.options.fileSystem.open(table.path, .read).byteCount()
            }
        }
        #expect(total.byteCount == fileByteCount)
        #expect(total.memtable.entryCount == 0 && total.memtable.immutableCount == 0)
        #expect(one.readAmplification == 1 + one.tableCount)
    }

    @Test("a keyspace of its own tree shows that, exactly")
    func ownKeyspace() throws {
        let storage = try smallStorage()
        let own = try storage.keyspace("own", options: KeyspaceOptions(isDedicated: true))
        _ = try storage.keyspace("idle", options: KeyspaceOptions(isDedicated: true))
        for index in 0..<400 {
            try storage.write { try $0.put(own, key(index % 200).rawSpan, key(index).rawSpan) }
        }
        try storage.settle()
        let statistics = storage.statistics
        let tree = try #require(statistics.trees.first { $0.keyspaces == ["own"] })
        #expect(statistics.keyspaces.map(\.name) == ["idle", "own"])
        let (idle, found) = (statistics.keyspaces[0], statistics.keyspaces[1])
        #expect(found.tree == tree.id && found.id == own.id && found.neighbourCount == 0 && !found.isEstimate)
        #expect(found.writtenEntryCount == 400 && found.userByteCount == 400 * 18)
        #expect(found.byteCount == tree.byteCount && found.tableCount == tree.tableCount && found.byteCount > 0)
        #expect(found.entryCount == tree.entryCount)
        #expect(found.levels.map(\.byteCount) == tree.levels.map(\.byteCount))
        #expect(found.writeAmplification == tree.writeAmplification && found.writeAmplification != nil)
        #expect(found.spaceAmplification == tree.spaceAmplification && found.spaceAmplification != nil)
        #expect(found.readAmplification == tree.readAmplification)
        #expect(idle.tableCount == 0 && idle.byteCount == 0 && idle.writtenEntryCount == 0)
    }

    @Test("keyspaces that share a tree split it by what they have in each table")
    func sharedKeyspaces() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        options.tableByteCount = 4 << 10
        let storage = try Storage.open(at: "/db", options: options)
        let seed = TestSeed.draw("statistics of keyspaces")
        var random = SeededRandom(seed: seed)
        let keyspaces = try (0..<5).map { try storage.keyspace("k\($0)") }
        var entryCounts = [Int](repeating: 0, count: 5)
        var byteCounts = [Int](repeating: 0, count: 5)
        for index in 0..<600 {
            try storage.write { transaction in
                // Four hold something; a part of the commits is about several of them.
                for number in 0..<4 where Int.random(in: 0..<4, using: &random) <= number {
                    let value = (0..<30 * number).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                    try transaction.put(keyspaces[number], key(index).rawSpan, value.rawSpan)
                    entryCounts[number] += 1
                    byteCounts[number] += 9 + value.count
                }
            }
        }
        try storage.settle()
        func check(_ statistics: StorageStatistics, _ comment: Comment) {
            let tree = statistics.trees[0]
            #expect(statistics.keyspaces.map(\.name) == ["k0", "k1", "k2", "k3", "k4"], comment)
            #expect(statistics.keyspaces.map(\.entryCount) == entryCounts, comment)
            #expect(statistics.keyspaces.reduce(0) { $0 + $1.entryCount } == tree.entryCount, comment)
            let sum = statistics.keyspaces.reduce(0) { $0 + $1.byteCount }
            #expect((tree.byteCount - 100...tree.byteCount).contains(sum), comment)
            for (number, keyspace) in statistics.keyspaces.enumerated() {
                #expect(keyspace.neighbourCount == 4 && keyspace.tree == tree.id, comment)
                #expect(keyspace.writeAmplification == nil && keyspace.readAmplification == nil, comment)
                #expect(keyspace.unreadableTableCount == 0, comment)
                // Random bytes: what is larger in memory is larger on disk.
                let part = Double(byteCounts[number] + 4 * entryCounts[number])
                let whole = Double(byteCounts.reduce(0, +) + 4 * entryCounts.reduce(0, +))
                let expected = Double(tree.byteCount) * part / whole
                #expect(abs(Double(keyspace.byteCount) - expected) <= 0.2 * expected + 100, comment)
            }
            #expect(statistics.keyspaces[4].tableCount == 0, comment)
            // A table may end where a keyspace does, but not each of them.
            #expect(!statistics.keyspaces.filter(\.isEstimate).isEmpty, comment)
        }
        check(storage.statistics, "seed \(seed)")
        #expect(storage.statistics.keyspaces.map(\.writtenEntryCount) == entryCounts)
        #expect(storage.statistics.keyspaces.map(\.userByteCount) == byteCounts)
        #expect(try storage.verify().isHealthy)
        try storage.close()
        let reopened = try Storage.open(at: "/db", options: options)
        check(reopened.statistics, "seed \(seed), reopened")
        #expect(reopened.statistics.keyspaces.allSatisfy { $0.writtenEntryCount == 0 && $0.userByteCount == 0 })
    }

    @Test("a table that can't be read is told as missing from its keyspaces' levels")
    func unreadable() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk)
        let keyspaces = try (0..<2).map { try storage.keyspace("k\($0)") }
        for keyspace in keyspaces { try storage.write { try $0.put(keyspace, key(1).rawSpan, key(1).rawSpan) } }
        try storage.flush()
        let table = try #require(keyspaces[0].tree.state.levels.all.first)
        disk.failReads(number: 1, once: false, pathSuffix: ".sst")
        #expect(storage.statistics.keyspaces.map(\.unreadableTableCount) == [1, 1])
        disk.clearFaults()
        let statistics = storage.statistics.keyspaces
        #expect(statistics.map(\.unreadableTableCount) == [0, 0] && statistics.map(\.entryCount) == [1, 1])
        #expect(statistics.reduce(0) { $0 + $1.byteCount } <= table.metadata.byteCount)
    }

    @Test("space amplification is that of the largest run, whatever the strategy")
    func spaceAmplification() throws {
        func tree(_ strategy: CompactionStrategy, _ commits: [Range<Int>]) throws -> TreeStatistics {
            let clock = ManualClock()
            var options = smallOptions(SimulatedFileSystem(), clock)
            options.memtableByteCount = 1 << 20
            let storage = try Storage.open(at: "/db", options: options)
            let keyspace = try storage.keyspace(
                "k", options: KeyspaceOptions(isDedicated: true, strategy: strategy))
            for range in commits {
                for index in range {
                    try storage.write { try $0.put(keyspace, key(index).rawSpan, key(index).rawSpan) }
                }
                try storage.flush()
                clock.advance(by: .seconds(3600))
            }
            return try #require(storage.statistics.trees.first)
        }
        func byteCounts(_ strategy: CompactionStrategy) throws -> [Int64] {
            try [300, 100].map { try tree(strategy, [0..<$0]).byteCount }
        }
        for strategy in [CompactionStrategy.sizeTiered(), .leveled()] {
            let sizes = try byteCounts(strategy)
            let found = try tree(strategy, [0..<300, 0..<100, 100..<200])
            let amplification = try #require(found.spaceAmplification)
            let expected = Double(sizes[0] + 2 * sizes[1]) / Double(sizes[0])
            #expect(abs(amplification - expected) < 0.1 && amplification > 1.4, "\(amplification), not \(expected)")
            #expect(try tree(strategy, [0..<300]).spaceAmplification == 1)
            #expect(try tree(strategy, []).spaceAmplification == nil)
        }
        // Each hour is a window of its own: nothing could be merged.
        let windows = try tree(.timeWindow(TimeWindowOptions(window: .seconds(3600))), [0..<300, 0..<100, 100..<200])
        #expect(windows.tableCount == 3 && windows.spaceAmplification == 1)
    }

    @Test("filters spare almost every search for a key that is not there")
    func filters() throws {
        var options = smallOptions(SimulatedFileSystem())
        options.memtableByteCount = 1 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("entries", options: KeyspaceOptions(isDedicated: true))
        for index in 0..<500 { try storage.write { try $0.put(keyspace, key(2 * index).rawSpan, key(1).rawSpan) } }
        try storage.settle()
        for index in 0..<500 { #expect(try storage.snapshot().view.get(keyspace, key(2 * index + 1).rawSpan) == nil) }
        let misses = storage.statistics.total.lookups
        #expect(misses.count == 500 && misses.ruledOutTableCount > 400)
        #expect(try #require(misses.filterEffectiveness) > 0.95)
        #expect(misses.searchedTableCount == misses.misledTableCount)

        for index in 0..<500 { _ = try storage.snapshot().view.get(keyspace, key(2 * index).rawSpan) }
        let all = storage.statistics.total.lookups
        #expect(all.count == 1000 && all.searchedTableCount - all.misledTableCount == 500)
    }

    @Test("the oldest snapshot shows with its age until it is let go")
    func snapshots() throws {
        let storage = try smallStorage(SimulatedFileSystem(), clock)
        #expect(storage.statistics.snapshots == SnapshotStatistics(count: 0, oldestAge: nil))
        var old: Snapshot? = storage.snapshot()
        clock.advance(by: .seconds(90))
        let young = storage.snapshot()
        clock.advance(by: .seconds(5))
        #expect(storage.statistics.snapshots == SnapshotStatistics(count: 2, oldestAge: .seconds(95)))
        #expect(old?.sequence == young.sequence)
        old = nil
        #expect(storage.statistics.snapshots == SnapshotStatistics(count: 1, oldestAge: .seconds(5)))
        withExtendedLifetime(young) {}
    }

    @Test("syncs are counted with how long they took")
    func syncs() throws {
        let files = ObservedFileSystem(clock)
        var options = smallOptions(SimulatedFileSystem(), clock)
        options.fileSystem = files
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("entries")
        for milliseconds in [1, 1, 1, 8] {
            files.setSyncTime(.milliseconds(milliseconds))
            try storage.write(.synced) { try $0.put(keyspace, key(1).rawSpan, key(1).rawSpan) }
        }
        let syncs = storage.statistics.syncs
        #expect(syncs.count == 4 && syncs.total == .milliseconds(11) && syncs.maximum == .milliseconds(8))
        #expect((Duration.milliseconds(1)...(.microseconds(1125))).contains(syncs.median))
        #expect(syncs.p999 == .milliseconds(8))
        #expect(storage.statistics.commits.durableSequence == storage.visibleSequence)
    }

    @Test("cache and open tables stay within what statistics call their capacity")
    func caches() throws {
        var options = smallOptions(SimulatedFileSystem())
        options.blockCacheByteCount = 4 << 20
        options.memtableByteCount = 1 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("entries", options: KeyspaceOptions(isDedicated: true))
        for index in 0..<300 { try storage.write { try $0.put(keyspace, key(index).rawSpan, key(index).rawSpan) } }
        try storage.settle()
        for _ in 0..<2 {
            for index in 0..<300 { _ = try storage.snapshot().view.get(keyspace, key(index).rawSpan) }
        }
        let statistics = storage.statistics
        let cache = statistics.blockCache
        #expect(cache.missCount > 0 && cache.hitCount > cache.missCount && cache.blockCount > 0, "\(cache)")
        #expect((1...cache.byteCapacity).contains(cache.byteCount))
        #expect(statistics.openTables.count == statistics.total.tableCount)
        #expect((1...statistics.openTables.byteCapacity).contains(statistics.openTables.byteCount))
    }

    @Test("a storage on a SQLite database counts its commits")
    func sqlite() throws {
        var options = StorageOptions()
        options.fileSystem = SimulatedFileSystem()
        options.backgroundWork = .manual
        let storage = try Storage.open(.sqlite("/shop.db"), options: options)
        let keyspace = try storage.keyspace("entries")
        try storage.write(.synced) { try $0.put(keyspace, key(1).rawSpan, key(1).rawSpan) }
        let statistics = storage.statistics
        #expect(statistics.commits.count == 1 && statistics.commits.userByteCount == 18)
        #expect(statistics.keyspaceCount == 1 && statistics.trees.isEmpty && statistics.syncs.count > 0)
        let found = try #require(statistics.keyspaces.first)
        #expect(found.name == "entries" && found.tree == nil && found.writtenEntryCount == 1)
        #expect(found.userByteCount == 18 && found.tableCount == 0 && found.writeAmplification == nil)
        try storage.close()
    }

    @Test("percentiles lie at most an eighth above the truth")
    func histogram() {
        let seed = TestSeed.draw("percentiles")
        var random = SeededRandom(seed: seed)
        var histogram = LatencyHistogram()
        var values: [UInt64] = []
        for _ in 0..<5000 {
            let value = random.next() >> UInt64(random.next() % 64)
            values.append(value)
            histogram.record(value)
        }
        values.sort()
        for fraction in [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1] {
            let truth = values[min(max(Int((5000 * fraction).rounded(.up)), 1), 5000) - 1]
            let found = histogram.percentile(fraction)
            #expect(found >= truth && found - truth <= truth / 8, "seed \(seed), \(fraction): \(found), not \(truth)")
        }
        #expect(LatencyHistogram().percentile(0.5) == 0)
    }
}

/// JSON that a strict reader takes, and the words of a page.
@Suite("Statistics as text")
struct StatisticsTextTests {
    @Test("JSON holds the same figures, whatever a keyspace is called")
    func json() throws {
        let storage = try smallStorage()
        let name = "a \"quoted\" \\ name\n"
        let keyspace = try storage.keyspace(name, options: KeyspaceOptions(isDedicated: true))
        for index in 0..<50 {
            try storage.write { try $0.put(keyspace, bytes("key\(index)").rawSpan, bytes("value").rawSpan) }
        }
        try storage.flush()
        let statistics = storage.statistics
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(statistics.json.utf8)) as? [String: Any])
        let trees = try #require(object["trees"] as? [[String: Any]])
        #expect(trees.first?["keyspaces"] as? [String] == [name])
        let keyspaces = try #require(object["keyspaces"] as? [[String: Any]])
        #expect(keyspaces.count == 1 && keyspaces[0]["name"] as? String == name)
        #expect(keyspaces[0]["tree"] as? Int == Int(statistics.trees[0].id))
        #expect(keyspaces[0]["writtenEntryCount"] as? Int == 50 && keyspaces[0]["isEstimate"] as? Bool == false)
        let levels = try #require(keyspaces[0]["levels"] as? [[String: Any]])
        #expect(levels.map { $0["byteCount"] as? Int } == [Int(statistics.total.byteCount)])
        #expect((object["commits"] as? [String: Any])?["count"] as? Int == 50)
        #expect((object["total"] as? [String: Any])?["userByteCount"] as? Int == statistics.commits.userByteCount)
        #expect((object["snapshots"] as? [String: Any])?["oldestAge"] is NSNull)
        // Foundation reads the last digit in its own way.
        let amplification = try #require(object["writeAmplification"] as? Double)
        #expect(abs(amplification - (try #require(statistics.writeAmplification))) < 1e-9)
    }

    @Test("the page names every tree and level that holds something")
    func page() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("orders", options: KeyspaceOptions(isDedicated: true))
        try storage.write { try $0.put(keyspace, bytes("key").rawSpan, bytes("value").rawSpan) }
        try storage.flush()
        let lines = storage.statistics.description.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix("commits") && $0.contains("1 of 1 entries, 8 B") })
        #expect(lines.contains { $0.hasPrefix("syncs") && $0.contains("p99") })
        #expect(lines.contains { $0.hasPrefix("stalls") && $0.contains("none") })
        #expect(lines.count { $0.hasSuffix("orders") } == 2)
        let words = lines.first { $0.hasSuffix("orders") }?.split(separator: " ").map(String.init)
        #expect(words?.prefix(4) == ["1", "1", "8", "B"], "tree, entries, bytes")
        #expect(lines.last?.split(separator: " ").first == "0")
    }
}
