// CompactionGarbageTests.swift — what is dropped unread, what is rewritten for its garbage, and whose turn it is, on paper.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Garbage: choosing")
struct CompactionGarbageTests {
    private func plan(_ levels: [Int: [TableMetadata]], _ edit: (inout TreeDescription) -> Void = { _ in })
        -> CompactionPlan?
    {
        var tree = paperTree(levels)
        edit(&tree)
        return CompactionPicker.plan(for: tree)
    }

    @Test("a table whose keyspaces are gone is dropped unread")
    func droppedKeyspace() throws {
        let gone = TableMetadata.paper(1, "a", "z", keyspace: 2)
        let dropped = try #require(plan([6: [.paper(5, "a", "z"), gone]]))
        #expect(dropped.action == .drop)
        #expect(dropped.numbers == [6: [1]])
        #expect(plan([6: [gone]], { $0.keyspaces = [1, 2] }) == nil)
        // The exclusive end of a range delete of all of keyspace 1 is the prefix of keyspace 2.
        var deleted = TableMetadata.paper(2, "a", "", rangeTombstones: 1, isExclusive: true)
        deleted.largestKey = Keyspace.prefix(of: 2)
        #expect(deleted.keyspaceIDs == 1...1)
    }

    @Test("what is left of dropped keyspaces is garbage, whatever snapshots see and whatever lies below")
    func droppedPart() throws {
        var shared = TableMetadata.paper(1, "a", "z", 1...9)
        shared.largestKey = Keyspace.prefix(of: 3) + bytes("z")
        func part(_ entries: Int, _ bytes: Int, _ levels: [Int: [TableMetadata]]) -> CompactionPlan? {
            var tree = paperTree(levels)
            tree.dropped = [1: DroppedPart(entryCount: entries, rawByteCount: bytes)]
            tree.snapshots = [2, 30]
            return GarbagePicker(tree).rewrite()
        }
        for level in [0, 3, 6] {
            let found = try #require(part(20, 10, [level: [shared]]))
            #expect(found.action == .rewrite && found.reason == .droppedKeyspace)
            #expect(found.numbers == [level: [1]] && found.outputLevel == level)
            // Few entries, but large ones.
            #expect(part(1, 200, [level: [shared]])?.numbers == [level: [1]])
            #expect(part(19, 199, [level: [shared]]) == nil)
        }
        #expect(part(50, 500, [5: [shared], 6: [.paper(2, "a", "z")]])?.numbers == [5: [1]])
        #expect(part(50, 500, [0: [.paper(3, "a", "z", 20...20), shared]])?.numbers == [0: [1]])
        // Where every table is worth a rewriting, one without anything dropped is not for that.
        var tree = paperTree([6: [shared]])
        tree.garbageThreshold = 0
        tree.snapshots = [2, 30]
        #expect(CompactionPicker.plan(for: tree) == nil)
    }

    @Test("a span has dropped ids where the living ones don't fill it")
    func droppedIDs() {
        var table = TableMetadata.paper(1, "a", "z", keyspace: 3)
        table.largestKey = Keyspace.prefix(of: 6) + bytes("z")
        #expect(!table.hasDroppedIDs(living: [1, 3, 4, 5, 6, 9]))
        #expect(table.hasDroppedIDs(living: [1, 3, 5, 6, 9]))
        #expect(table.hasDroppedIDs(living: [3, 4, 5]))
        #expect(table.hasDroppedIDs(living: []))
        #expect(!TableMetadata.paper(1, "a", "z", keyspace: 3).hasDroppedIDs(living: []))
    }

    @Test("a table that has expired goes unread once no older table that stays meets it")
    func expired() throws {
        let old = TableMetadata.paper(1, "a", "m", 1...5, expiry: 100...200)
        let young = TableMetadata.paper(2, "f", "z", 6...9, expiry: 100...190)
        func at(_ time: Int64, _ levels: [Int: [TableMetadata]]) -> [Int: [UInt64]]? {
            plan(levels, { $0.purgeTime = StorageInstant(microseconds: time) }).flatMap {
                $0.action == .drop ? $0.numbers : nil
            }
        }
        // The older of the two still hides something of the younger's keys, until it goes with it.
        #expect(at(195, [0: [young, old]]) == nil)
        #expect(at(200, [0: [young, old]]) == [0: [2, 1]])
        #expect(at(195, [0: [young], 6: [.paper(3, "g", "h")]]) == nil)
        #expect(at(195, [0: [young], 6: [.paper(3, "a", "b")]]) == [0: [2]])
        // Entries without an expiry live on.
        #expect(at(1000, [0: [.paper(4, "a", "z", expiring: 99, expiry: 1...2)]]) == nil)
    }

    @Test("a table of nothing but deletions goes where nothing older is left")
    func onlyDeletes() {
        let deletes = TableMetadata.paper(1, "a", "c", 7...9, deletes: 100)
        #expect(plan([5: [deletes]])?.action == .drop)
        #expect(plan([5: [deletes], 6: [.paper(2, "b", "b", 1...2)]])?.action != .drop)
    }

    @Test("a table under a range delete goes unread, unless a snapshot sees it without")
    func rangeDelete() throws {
        let covered = TableMetadata.paper(1, "c", "h", 5...8)
        let deleter = TableMetadata.paper(2, "a", "z", 20...20, entries: 10, rangeTombstones: 1)
        func drop(_ ranges: [(String, String, UInt64)], _ snapshots: [UInt64]) -> Bool {
            let plan = plan([5: [deleter], 6: [covered]]) { tree in
                let prefix = Keyspace.prefix(of: 1)
                tree.rangeTombstones = RangeTombstoneSet(
                    ranges.map {
                        RangeTombstone(lower: prefix + bytes($0.0), upper: prefix + bytes($0.1), sequence: $0.2)
                    })
                tree.snapshots = snapshots
            }
            return plan?.action == .drop && plan?.numbers == [6: [1]]
        }
        #expect(drop([("b", "k", 20)], [30]))
        #expect(drop([("b", "f", 20), ("f", "k", 15)], [4, 30]))
        #expect(!drop([("b", "e", 20), ("f", "k", 15)], [30]))  // a gap
        #expect(!drop([("b", "h", 20)], [30]))  // the bound is exclusive, the key is not
        #expect(!drop([("b", "k", 7)], [30]))  // not newer than all of it
        #expect(!drop([("b", "k", 20)], [6, 30]))
        #expect(!drop([("b", "k", 20)], [19, 30]))
        #expect(drop([("b", "k", 20)], [20, 30]))
    }

    @Test("a table full of deletions is rewritten at the bottom, and pushed down above it")
    func deletions() throws {
        let heavy = TableMetadata.paper(1, "a", "c", 7...9, deletes: 30)
        let bottom = try #require(plan([6: [heavy]]))
        #expect(bottom.reason == .garbage && bottom.action == .rewrite && bottom.outputLevel == 6)
        let upper = try #require(plan([5: [heavy], 6: [.paper(2, "b", "d", 1...2)]]))
        #expect(upper.numbers == [5: [1], 6: [2]] && upper.outputLevel == 6)
        let fresh = try #require(plan([0: [heavy], 6: [.paper(2, "b", "d", 1...2)]]))
        #expect(fresh.numbers == [0: [1], 6: [2]])
        // Not worth it, in vain, or seen by a snapshot.
        #expect(plan([6: [.paper(1, "a", "c", 7...9, deletes: 10)]]) == nil)
        #expect(plan([6: [heavy]], { $0.exhausted = [1] }) == nil)
        #expect(plan([6: [heavy]], { $0.snapshots = [8, 50] }) == nil)
    }

    @Test("how much garbage is worth a rewriting is the keyspace's to say, whatever its strategy")
    func threshold() {
        let strategies: [CompactionStrategy] = [
            .leveled(), .sizeTiered(), .timeWindow(TimeWindowOptions(window: .seconds(1))),
        ]
        for strategy in strategies {
            func isDue(deletes: Int, _ threshold: Double) -> Bool {
                let plan = plan([6: [.paper(1, "a", "c", 7...9, deletes: deletes)]]) {
                    $0.strategy = strategy
                    $0.garbageThreshold = threshold
                }
                return plan?.reason == .garbage
            }
            #expect(isDue(deletes: 10, 0.1) && !isDue(deletes: 9, 0.1))
            #expect(isDue(deletes: 50, 0.5) && !isDue(deletes: 49, 0.5))
            // Where there is none, none is looked for.
            #expect(isDue(deletes: 1, 0) && !isDue(deletes: 0, 0))
            #expect(!isDue(deletes: 99, 1.5))
        }
    }

    @Test("a tree that is compacted on request only has what costs nothing, and no debt")
    func onRequest() throws {
        let full = [0: paperRow(Array(repeating: 1000, count: 40))]
        #expect(plan(full)?.action == .rewrite)
        #expect(plan(full) { $0.compactsAutomatically = false } == nil)
        #expect(plan([6: [.paper(1, "a", "c", 7...9, deletes: 60)]]) { $0.compactsAutomatically = false } == nil)
        let gone = plan([6: [.paper(1, "a", "z", keyspace: 2)]]) { $0.compactsAutomatically = false }
        #expect(gone?.action == .drop)

        var tree = paperTree(full)
        #expect(CompactionPicker.debt(of: tree).runCount > 0)
        tree.compactsAutomatically = false
        #expect(CompactionPicker.debt(of: tree) == CompactionDebt())
        #expect(CompactionPicker.plans(for: tree, lower: [], upper: [0xFF]).map(\.tables.count) == [40])
    }

    @Test("a table with a run of deletions, as a queue leaves it, is rewritten for fewer of them")
    func runOfDeletions() {
        func isDue(deletes: Int, densest: Int) -> Bool {
            let table = TableMetadata.paper(1, "a", "c", 7...9, entries: 10_000, deletes: deletes, densest: densest)
            return plan([6: [table]])?.reason == .garbage
        }
        #expect(isDue(deletes: 600, densest: 128) && isDue(deletes: 600, densest: 112))
        // Spread over the table, or too few for its size.
        #expect(!isDue(deletes: 600, densest: 111) && !isDue(deletes: 400, densest: 128))
        #expect(isDue(deletes: 2000, densest: 30))
    }

    @Test("a table of which enough has expired is rewritten, also where some entries never do")
    func expiredInPart() {
        let all = TableMetadata.paper(1, "a", "c", expiry: 100...1100)
        func isDue(_ table: TableMetadata, _ time: Int64) -> Bool {
            plan([6: [table]], { $0.purgeTime = StorageInstant(microseconds: time) })?.reason == .garbage
        }
        #expect(!isDue(all, 250))
        #expect(isDue(all, 350))
        let half = TableMetadata.paper(1, "a", "c", expiring: 50, expiry: 100...1100, times: 0...1000)
        #expect(!isDue(half, 400))
        #expect(isDue(half, 600))
    }

    @Test("the trees that are due get their share, whatever one of them asks for")
    func fairness() {
        var queue = CompactionQueue()
        var served: [UInt32: Int] = [:]
        for _ in 0..<300 {
            let due = [
                CompactionQueue.Due(tree: 1, urgency: 9, byteCount: 1000),
                CompactionQueue.Due(tree: 2, urgency: 3, byteCount: 1000),
                CompactionQueue.Due(tree: 3, urgency: 3, byteCount: 3000),
            ]
            if let chosen = queue.next(among: due) { served[due[chosen.index].tree, default: 0] += 1 }
        }
        // Nine parts of bytes to three to three.
        #expect((200...216).contains(served[1] ?? 0))
        #expect((65...75).contains(served[2] ?? 0))
        #expect((20...26).contains(served[3] ?? 0))
        // One that was idle goes first once, and has nothing saved up.
        let both = [
            CompactionQueue.Due(tree: 1, urgency: 1, byteCount: 1000),
            CompactionQueue.Due(tree: 4, urgency: 1, byteCount: 1000),
        ]
        let order = (0..<6).map { _ in queue.next(among: both).map { both[$0.index].tree } ?? 0 }
        #expect(order.filter { $0 == 4 }.count <= 4)
        #expect(queue.next(among: []) == nil)
    }

    @Test("a compaction under way lets those go first that are done before it, each its share")
    func interruption() {
        var queue = CompactionQueue()
        let big = CompactionQueue.Due(tree: 1, urgency: 2, byteCount: 10_000)
        let finish = queue.next(among: [big])?.finish ?? 0
        #expect(finish == 5000)
        let others = [
            CompactionQueue.Due(tree: 2, urgency: 1, byteCount: 2000),
            CompactionQueue.Due(tree: 3, urgency: 1, byteCount: 6000),
        ]
        var count = 0
        while let next = queue.next(among: others, doneBefore: finish) {
            // Too large: it would keep the first one waiting for longer than that kept it.
            #expect(others[next.index].tree == 2)
            count += 1
        }
        #expect(count == 2)
    }
}
