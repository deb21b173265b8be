// MovingTests.swift — keyspaces that move from a shared tree to their own.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Moves to a tree of their own") struct MovingTests {
    /// A storage in which one keyspace is about to move: it shares its tree with two others, before and behind it.
    private struct Fixture {
        var disk: SimulatedFileSystem
        var storage: Storage
        var first: Keyspace
        var moving: Keyspace
        var last: Keyspace
        /// Of the moving keyspace.
        var expected: [[UInt8]: [UInt8]] = [:]
        var others: [[UInt8]: [UInt8]] = [:]
        private var count = 0

        static let options = KeyspaceOptions(mergeOperator: ModelAppend())
        static var ownOptions: KeyspaceOptions {
            var options = options
            options.isDedicated = true
            return options
        }

        init(_ disk: SimulatedFileSystem = SimulatedFileSystem(), _ change: (inout StorageOptions) -> Void = { _ in })
            throws
        {
            self.disk = disk
            var options = smallOptions(disk)
            change(&options)
            storage = try Storage.open(at: "/db", options: options)
            first = try storage.keyspace("first", options: Self.options)
            moving = try storage.keyspace("moving", options: Self.options)
            last = try storage.keyspace("last", options: Self.options)
        }

        mutating func reopenKeyspaces(_ storage: Storage) throws {
            self.storage = storage
            first = try storage.keyspace("first", options: Self.options)
            moving = try storage.keyspace("moving", options: Self.options)
            last = try storage.keyspace("last", options: Self.options)
        }

        /// Merges an operand into each of some keys, in all three keyspaces, in one commit.
        mutating func merge(_ keys: Range<Int>) throws {
            for number in keys {
                count += 1
                let key = bytes("key \(100 + number)")
                let operand = bytes("[\(count)]")
                try storage.write { transaction in
                    for keyspace in [first, moving, last] {
                        try transaction.merge(keyspace, key.rawSpan, operand.rawSpan)
                    }
                }
                expected[key, default: []] += operand
                others[key, default: []] += operand
            }
        }

        mutating func delete(_ keys: Range<Int>) throws {
            let range = KeyRange(
                lower: bytes("key \(100 + keys.lowerBound)"), upper: bytes("key \(100 + keys.upperBound)"))
            try storage.write { try $0.deleteRange(moving, range) }
            expected = expected.filter { !range.contains($0.key.rawSpan) }
        }

        func check(_ storage: Storage? = nil, _ location: SourceLocation = #_sourceLocation) throws {
            let storage = storage ?? self.storage
            let view = storage.snapshot().view
            for (name, expected) in [("first", others), ("moving", expected), ("last", others)] {
                let keyspace = try storage.keyspace(name, options: Self.options)
                #expect(try crashContent(view, keyspace) == expected, "\(name)", sourceLocation: location)
                for (key, value) in expected {
                    #expect(try view.get(keyspace, key.rawSpan) == value, sourceLocation: location)
                }
            }
            #expect(try storage.verify().problems == [], sourceLocation: location)
        }

        /// The trees of the manifest that tell of the move: its own, and the shared one while it is on its way.
        var record: KeyspaceRecord? { storage.manifest?.manifest.keyspaces[moving.id] }

        func step() throws { while try storage.step() {} }
    }

    /// With tables on several levels, and something in memory.
    private static func filled() throws -> Fixture {
        var fixture = try Fixture()
        for round in 0..<6 {
            try fixture.merge(0..<60)
            if round == 3 { try fixture.delete(20..<30) }
            try fixture.storage.flush()
            try fixture.step()
        }
        try fixture.merge(10..<25)
        return fixture
    }

    @Test("a keyspace reads the same before, on and behind its way, and its handles stay good")
    func readsAlongTheWay() throws {
        var fixture = try Self.filled()
        let shared = fixture.moving.tree
        #expect(shared === fixture.first.tree)
        let before = fixture.storage.snapshot()
        let contentBefore = fixture.expected
        var cursor = try before.view.cursor(fixture.moving)
        try cursor.seekToFirst()

        let handle = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        #expect(fixture.record?.former == shared.id)
        #expect(handle.tree !== shared && fixture.moving.tree === handle.tree && fixture.first.tree === shared)
        #expect(handle.tree.state.levels.isEmpty)
        try fixture.check()
        // On its way: newer entries, newer range deletes and merges lie in another tree than what is older.
        try fixture.merge(5..<15)
        try fixture.delete(40..<50)
        try fixture.merge(45..<48)
        try fixture.check()
        #expect(try crashContent(before.view, fixture.moving) == contentBefore)
        let between = fixture.storage.snapshot()
        let contentBetween = fixture.expected

        try fixture.step()
        #expect(fixture.record?.former == nil && fixture.record?.isDedicated == true)
        #expect(!handle.tree.state.levels.isEmpty && handle.tree.state.inherited == nil)
        for table in shared.state.levels.all { #expect(table.metadata.keyspaceIDs != handle.id...handle.id) }
        for table in handle.tree.state.levels.all { #expect(table.metadata.keyspaceIDs == handle.id...handle.id) }
        try fixture.check()
        try fixture.merge(0..<60)
        try fixture.delete(2..<4)
        try fixture.storage.compact()
        try fixture.check()
        #expect(try crashContent(before.view, fixture.moving) == contentBefore)
        #expect(try crashContent(between.view, fixture.moving) == contentBetween)
        // What had begun to read goes on.
        var seen: [[UInt8]] = []
        while cursor.isValid {
            seen.append(cursor.key.array())
            try cursor.next()
        }
        #expect(seen == contentBefore.keys.sorted { $0.lexicographicallyPrecedes($1) })

        try fixture.storage.close()
        try fixture.reopenKeyspaces(Storage.open(at: "/db", options: smallOptions(fixture.disk)))
        try fixture.check()
        #expect(fixture.moving.tree !== fixture.first.tree)
    }

    @Test("backwards, too, a keyspace reads the same on its way")
    func backwards() throws {
        var fixture = try Self.filled()
        _ = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        try fixture.merge(5..<15)
        try fixture.delete(7..<9)
        var cursor = try fixture.storage.snapshot().view.cursor(fixture.moving)
        try cursor.seekToLast()
        var found: [[UInt8]: [UInt8]] = [:]
        while cursor.isValid {
            found[cursor.key.array()] = cursor.value.array()
            try cursor.previous()
        }
        #expect(found == fixture.expected)
    }

    @Test("a keyspace that has outgrown the shared tree moves by itself, and so does the next")
    func growth() throws {
        var fixture = try Fixture(SimulatedFileSystem()) { $0.sharedKeyspaceByteCount = 12 << 10 }
        let shared = fixture.moving.tree
        var random = SeededRandom(seed: 5)
        var large: [[UInt8]: [UInt8]] = [:]
        for number in 0..<60 {
            let (key, value) = (bytes("large \(100 + number)"), random.bytes(400))
            try fixture.storage.write { try $0.put(fixture.moving, key.rawSpan, value.rawSpan) }
            large[key] = value
            if number % 10 == 9 { try fixture.step() }
        }
        try fixture.storage.flush()
        try fixture.step()
        #expect(fixture.moving.tree !== shared)
        #expect(fixture.first.tree === shared && fixture.last.tree === shared)
        fixture.expected = large
        try fixture.merge(0..<10)
        try fixture.check()
        for number in 0..<60 {
            let (key, value) = (bytes("large \(100 + number)"), random.bytes(400))
            try fixture.storage.write { try $0.put(fixture.first, key.rawSpan, value.rawSpan) }
        }
        try fixture.storage.flush()
        try fixture.step()
        #expect(fixture.first.tree !== shared && fixture.last.tree === shared)
        #expect(fixture.storage.keyspaceNames == ["first", "last", "moving"])
    }

    @Test("a keyspace grows out of its tree also before it is opened with its merge operator")
    func growthUnopened() throws {
        var fixture = try Fixture()
        var random = SeededRandom(seed: 6)
        for number in 0..<60 {
            let (key, value) = (bytes("large \(100 + number)"), random.bytes(400))
            try fixture.storage.write { try $0.put(fixture.moving, key.rawSpan, value.rawSpan) }
            fixture.expected[key] = value
        }
        try fixture.storage.close()
        var options = smallOptions(fixture.disk)
        options.sharedKeyspaceByteCount = 12 << 10
        let storage = try Storage.open(at: "/db", options: options)
        try storage.flush()
        while try storage.step() {}
        let (first, moving) = (storage.existingKeyspace("first"), storage.existingKeyspace("moving"))
        #expect(try #require(first).tree !== #require(moving).tree)
        try fixture.reopenKeyspaces(storage)
        try fixture.merge(0..<10)
        try fixture.check()
    }

    @Test("a keyspace that has a shared tree for itself keeps it, and nobody else gets it")
    func alone() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk)
        let only = try storage.keyspace("only")
        try storage.write { try $0.put(only, [1].rawSpan, [1].rawSpan) }
        let changed = try storage.keyspace("only", options: KeyspaceOptions(strategy: .sizeTiered()))
        #expect(changed.tree === only.tree)
        #expect(changed.tree.options.strategy == .sizeTiered())
        let next = try storage.keyspace("next", options: KeyspaceOptions(strategy: .sizeTiered()))
        #expect(next.tree !== only.tree)
        try storage.dropKeyspace("only")
        #expect(try keys(storage.snapshot().view, next).isEmpty)
        #expect(storage.manifest?.manifest.trees.count == 1)
    }

    @Test("options that differ from those of the tree that it shares move a keyspace")
    func differentOptions() throws {
        let fixture = try Self.filled()
        let shared = fixture.first.tree
        var options = Fixture.options
        options.compression = CompressionOptions(upper: .none, bottom: .none)
        options.filterBitsPerKey = 4
        _ = try fixture.storage.keyspace("moving", options: options)
        #expect(shared.options.filterBitsPerKey == 10)
        try fixture.step()
        try fixture.storage.compact()
        let own = fixture.moving.tree
        #expect(own !== shared)
        #expect(own.state.levels.all.allSatisfy { $0.metadata.compression == .none })
        #expect(shared.state.levels.all.allSatisfy { $0.metadata.compression != .none })
        let view = fixture.storage.snapshot().view
        #expect(try crashContent(view, fixture.moving) == fixture.expected)
        // The rest of the shared tree does not move with it.
        #expect(fixture.first.tree === fixture.last.tree)
    }

    @Test("a move that a crash cuts short goes on, wherever it was", arguments: [false, true])
    func crash(isPowerCut: Bool) throws {
        let survivors: SimulatedFileSystem.Survivors = isPowerCut ? .syncedOnly : .everything
        for steps in 0..<6 {
            var fixture = try Self.filled()
            _ = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
            try fixture.merge(5..<15)
            try fixture.storage.sync()
            for _ in 0..<steps { try fixture.storage.step() }
            try fixture.merge(50..<55)
            try fixture.storage.sync()
            let found = fixture.disk.crash(survivors)
            var readOnly = smallOptions(found)
            readOnly.isReadOnly = true
            try fixture.check(Storage.open(at: "/db", options: readOnly))
            fixture.disk = found
            try fixture.reopenKeyspaces(Storage.open(at: "/db", options: smallOptions(found)))
            try fixture.check()
            try fixture.merge(0..<20)
            try fixture.step()
            #expect(fixture.record?.former == nil)
            #expect(fixture.moving.tree !== fixture.first.tree)
            try fixture.check()
            try fixture.storage.compact()
            try fixture.check()
        }
    }

    @Test("every operation of a move may be the last", arguments: [SimulatedFileSystem.Survivors.syncedOnly, .torn])
    func everyOperation(survivors: SimulatedFileSystem.Survivors) throws {
        var operation = 1
        while true {
            var fixture = try Fixture()
            try fixture.merge(0..<12)
            try fixture.storage.flush()
            try fixture.merge(4..<16)
            try fixture.storage.compact()
            try fixture.merge(10..<18)
            try fixture.storage.sync()
            fixture.disk.cutPower(atOperation: fixture.disk.operationCount + operation)
            let storage = fixture.storage
            let code = errorCode {
                _ = try storage.keyspace("moving", options: Fixture.ownOptions)
                while try storage.step() {}
                try storage.compact()
            }
            let isOver = code == nil && !fixture.disk.isPowerOff
            let found = fixture.disk.crash(survivors, seed: UInt64(operation))
            try fixture.reopenKeyspaces(Storage.open(at: "/db", options: smallOptions(found)))
            try fixture.check()
            try fixture.step()
            try fixture.check()
            if isOver { break }
            operation += 1
        }
        #expect(operation > 10)
    }

    @Test("a disk that is full in the midst of a move costs nothing, and the move is made later")
    func fullDisk() throws {
        let fixture = try Self.filled()
        try fixture.storage.flush()
        _ = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        let before = Set(try fixture.disk.list("/db/tables"))
        fixture.disk.capacity = fixture.disk.usedByteCount + 300
        #expect(errorCode { while try fixture.storage.step() {} } == .diskFull)
        #expect(Set(try fixture.disk.list("/db/tables")).isSubset(of: before))
        try fixture.check()
        fixture.disk.capacity = nil
        try fixture.step()
        #expect(fixture.record?.former == nil)
        try fixture.check()
    }

    @Test("a checkpoint of a keyspace on its way is whole, and goes on by itself", arguments: 0..<6)
    func checkpoint(steps: Int) throws {
        var fixture = try Self.filled()
        _ = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        try fixture.merge(5..<15)
        for _ in 0..<steps { try fixture.storage.step() }
        try fixture.storage.checkpoint(to: "/copy")
        let copy = try Storage.open(at: "/copy", options: smallOptions(fixture.disk))
        try fixture.check(copy)
        while try copy.step() {}
        try fixture.check(copy)
        #expect(copy.existingKeyspace("moving")?.tree !== copy.existingKeyspace("first")?.tree)
        try fixture.step()
        try fixture.check()
    }

    @Test("a keyspace that is dropped on its way is gone, and its files with it", arguments: [0, 1, 2])
    func drop(steps: Int) throws {
        let fixture = try Self.filled()
        _ = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        for _ in 0..<steps { try fixture.storage.step() }
        try fixture.storage.dropKeyspace("moving")
        try fixture.step()
        try fixture.storage.compact()
        #expect(try crashContent(fixture.storage.snapshot().view, fixture.first) == fixture.others)
        #expect(try fixture.storage.verify().problems == [])
        let manifest = try #require(fixture.storage.manifest?.manifest)
        #expect(manifest.trees.count == 1)
        let again = try fixture.storage.keyspace("moving", options: Fixture.options)
        #expect(try keys(fixture.storage.snapshot().view, again).isEmpty)
        try fixture.storage.close()
        let found = try Storage.open(at: "/db", options: smallOptions(fixture.disk))
        #expect(try found.verify().problems == [])
        #expect(try fixture.disk.list("/db/tables").count == manifest.tableNumbers.count)
    }

    @Test(
        "a salvage finds all of a keyspace that is on its way, or has moved, with and without a manifest",
        arguments: [true, false], 0..<5)
    func salvage(hasManifest: Bool, steps: Int) throws {
        var fixture = try Self.filled()
        _ = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        try fixture.merge(5..<15)
        // The shared tree is flushed behind the cut, the other is not: its log is still needed.
        fixture.storage.rotate(fixture.first.tree)
        for _ in 0..<steps { try fixture.storage.step() }
        try fixture.merge(50..<55)
        if steps == 4 { try fixture.storage.compact() }
        try fixture.storage.sync()
        let disk = fixture.disk.crash(.everything)
        if !hasManifest {
            for name in try disk.list("/db") where name.hasPrefix("MANIFEST") { try disk.remove("/db/\(name)") }
        }
        let report = try Storage.salvage("/db", into: "/rescued", options: smallOptions(disk))
        #expect(report.damage.allSatisfy { $0.lostEntryCount == 0 }, "\(report)")
        let rescued = try Storage.open(at: "/rescued", options: smallOptions(disk))
        try fixture.check(rescued)
        #expect(rescued.manifest?.manifest.keyspaces.values.allSatisfy { $0.former == nil } == true)
    }

    @Test("what a keyspace has committed before the cut is flushed first, also by who saw nothing of it waiting")
    func flushOrder() throws {
        var fixture = try Self.filled()
        let shared = fixture.first.tree
        #expect(!shared.state.memtable.isEmpty && shared.state.immutables.isEmpty)
        let own = try fixture.storage.keyspace("moving", options: Fixture.ownOptions).tree
        #expect(shared.state.immutables.count == 1)
        try fixture.merge(5..<15)
        fixture.storage.rotate(own)
        // Who looked at the shared tree before the cut and at the other one behind it knows of this one only.
        #expect(fixture.storage.treeToFlush(among: [own]) === shared)
        #expect(fixture.storage.treeToFlush(among: []) == nil)
        _ = try fixture.storage.flushOne()
        #expect(shared.state.immutables.isEmpty && own.state.immutables.count == 1)
        #expect(fixture.storage.treeToFlush(among: [own]) === own)
        // What the shared tree took after the cut is not the keyspace's, and waits for its turn.
        fixture.storage.rotate(shared)
        #expect(fixture.storage.treeToFlush(among: [own]) === own)
        while try fixture.storage.flushOne() {}
        #expect(own.state.immutables.isEmpty && shared.state.immutables.isEmpty)
        try fixture.storage.sync()
        fixture.disk = fixture.disk.crash(.syncedOnly)
        try fixture.reopenKeyspaces(Storage.open(at: "/db", options: smallOptions(fixture.disk)))
        try fixture.check()
    }

    @Test("two keyspaces that leave one tree at once find all of theirs, also behind a crash", arguments: 0..<8)
    func twoAtOnce(steps: Int) throws {
        var fixture = try Self.filled()
        let shared = fixture.last.tree
        _ = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        try fixture.merge(5..<15)
        try fixture.delete(8..<11)
        _ = try fixture.storage.keyspace("first", options: Fixture.ownOptions)
        try fixture.merge(9..<30)
        fixture.storage.rotate(shared)
        for _ in 0..<steps { try fixture.storage.step() }
        try fixture.check()
        try fixture.merge(28..<33)
        try fixture.storage.sync()
        fixture.disk = fixture.disk.crash(.syncedOnly)
        try fixture.reopenKeyspaces(Storage.open(at: "/db", options: smallOptions(fixture.disk)))
        try fixture.check()
        try fixture.step()
        try fixture.check()
        try fixture.storage.compact()
        try fixture.check()
        #expect(Set([fixture.first, fixture.moving, fixture.last].map(\.tree.id)).count == 3)
        #expect(fixture.storage.manifest?.manifest.keyspaces.values.allSatisfy { $0.former == nil } == true)
    }

    @Test("tables of nothing but range deletes move too, and go on deleting, but not what snapshots see")
    func rangeDeletes() throws {
        var fixture = try Fixture()
        try fixture.merge(0..<40)
        try fixture.storage.compact()
        let before = fixture.storage.snapshot()
        let contentBefore = fixture.expected
        // One flushed, one in memory before the cut, one behind it; and one of a neighbour up to where the keyspace begins.
        try fixture.delete(0..<10)
        try fixture.storage.flush()
        try fixture.delete(10..<20)
        try fixture.storage.write { try $0.deleteRange(fixture.first, KeyRange(lower: bytes("key 110"), upper: nil)) }
        _ = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        try fixture.delete(20..<30)
        func check() throws {
            let view = fixture.storage.snapshot().view
            #expect(try crashContent(view, fixture.moving) == fixture.expected)
            #expect(try crashContent(view, fixture.last) == fixture.others)
            #expect(try keys(view, fixture.first).count == 10)
            #expect(try fixture.storage.verify().problems == [])
        }
        try check()
        for keyspace in [fixture.first, fixture.moving, fixture.last] {
            #expect(try crashContent(before.view, keyspace) == contentBefore)
        }
        while try fixture.storage.step() {
            try check()
            #expect(try crashContent(before.view, fixture.moving) == contentBefore)
        }
        #expect(fixture.record?.former == nil)
        try fixture.storage.compact()
        try check()
        for keyspace in [fixture.first, fixture.moving, fixture.last] {
            #expect(try crashContent(before.view, keyspace) == contentBefore)
        }
    }

    @Test(
        "a keyspace whose neighbours are dropped while it is on its way leaves nothing behind, and a salvage finds it")
    func neighboursDropped() throws {
        var fixture = try Self.filled()
        try fixture.storage.flush()
        let other = try fixture.storage.keyspace("other", options: Fixture.options)
        let shared = fixture.first.tree
        #expect(other.tree === shared)
        _ = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        try fixture.merge(5..<15)
        try fixture.storage.dropKeyspace("first")
        try fixture.storage.dropKeyspace("last")
        try fixture.step()
        #expect(fixture.record?.former == nil)
        #expect(shared.state.levels.isEmpty)
        #expect(try crashContent(fixture.storage.snapshot().view, fixture.moving) == fixture.expected)
        try fixture.storage.sync()
        let disk = fixture.disk.crash(.everything)
        for name in try disk.list("/db") where name.hasPrefix("MANIFEST") { try disk.remove("/db/\(name)") }
        let report = try Storage.salvage("/db", into: "/rescued", options: smallOptions(disk))
        #expect(report.damage.allSatisfy { $0.lostEntryCount == 0 }, "\(report)")
        let rescued = try Storage.open(at: "/rescued", options: smallOptions(disk))
        let keyspace = try rescued.keyspace("moving", options: Fixture.options)
        #expect(try crashContent(rescued.snapshot().view, keyspace) == fixture.expected)
    }

    @Test("a storage may be closed at any moment of a move, and nothing is lost")
    func closing() throws {
        for round in 0..<20 {
            var fixture = try Fixture()
            try fixture.merge(0..<20)
            if round % 2 == 0 { try fixture.storage.flush() }
            try fixture.merge(10..<30)
            let storage = fixture.storage
            let movers = TestThreads()
            for name in ["moving", "first"] {
                try movers.start {
                    let code = errorCode {
                        _ = try storage.keyspace(name, options: Fixture.ownOptions)
                        while try storage.step() {}
                    }
                    if let code, code != .closed { throw StorageError(code, "The move of \(name).") }
                }
            }
            for _ in 0..<round * 20 { _ = storage.keyspaceNames }
            try storage.close()
            #expect(movers.join() == [])
            try fixture.reopenKeyspaces(Storage.open(at: "/db", options: smallOptions(fixture.disk)))
            try fixture.check()
            try fixture.step()
            try fixture.check()
            try fixture.storage.close()
        }
    }

    @Test("a keyspace that is dropped on its way holds on to nothing of the shared tree")
    func dropLetsGo() throws {
        let fixture = try Self.filled()
        let keyspace = try fixture.storage.keyspace("moving", options: Fixture.ownOptions)
        try fixture.storage.dropKeyspace("moving")
        #expect(keyspace.tree.state.inherited == nil)
        // Ends, though there is no move any more that could be waited for.
        try fixture.storage.compact(keyspace)
        try fixture.storage.compact()
        #expect(
            fixture.first.tree.state.levels.all.allSatisfy { !($0.metadata.keyspaceIDs == keyspace.id...keyspace.id) })
    }

    @Test("threads read, write and look back while keyspaces grow out of their tree")
    func threads() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk, SystemClock(), .threads)
        options.sharedKeyspaceByteCount = 6 << 10
        options.compactionThreadCount = 2
        let storage = try Storage.open(at: "/db", options: options)
        let keyspaces = try (0..<6).map {
            try storage.keyspace("k\($0)", options: KeyspaceOptions(mergeOperator: ModelSum()))
        }
        let shared = keyspaces[0].tree
        let isDone = Atomic<Bool>(false)
        let writers = TestThreads()
        let readers = TestThreads()
        struct Difference: Error { var text: String }
        for thread in 0..<2 {
            try writers.start {
                var random = SeededRandom(seed: UInt64(thread))
                for round in 0..<(Soak.duration == nil ? 600 : 3000) {
                    let key = [UInt8.random(in: 0..<40, using: &random)]
                    let filler = random.bytes(60)
                    let other = [200] + key + [UInt8(thread)]
                    try storage.write { transaction in
                        // All keyspaces have the same counts at every moment.
                        for keyspace in keyspaces {
                            try transaction.merge(keyspace, key.rawSpan, ModelSum.encode(1).rawSpan)
                        }
                        try transaction.put(
                            keyspaces[round % 6], other.rawSpan, ModelSum.encode(UInt64(filler.count)).rawSpan)
                    }
                }
            }
            try readers.start {
                while !isDone.load(ordering: .relaxed) {
                    let snapshot = storage.snapshot()
                    let upper = KeyRange(lower: nil, upper: [200])
                    func content(_ keyspace: Keyspace) throws -> [[UInt8]: [UInt8]] {
                        var content: [[UInt8]: [UInt8]] = [:]
                        var cursor = try snapshot.view.cursor(keyspace, upper)
                        try cursor.seekToFirst()
                        while cursor.isValid {
                            content[cursor.key.array()] = cursor.value.array()
                            try cursor.next()
                        }
                        return content
                    }
                    let first = try content(keyspaces[0])
                    for keyspace in keyspaces.dropFirst() {
                        let other = try content(keyspace)
                        guard other == first else { throw Difference(text: "\(keyspace.name) at \(snapshot.sequence)") }
                    }
                    for (key, value) in first {
                        for keyspace in keyspaces where try snapshot.view.get(keyspace, key.rawSpan) != value {
                            throw Difference(text: "\(key) of \(keyspace.name) at \(snapshot.sequence)")
                        }
                    }
                }
            }
        }
        #expect(writers.join() == [])
        isDone.store(true, ordering: .relaxed)
        #expect(readers.join() == [])
        try storage.settle()
        #expect(keyspaces.contains { $0.tree !== shared })
        #expect(try storage.verify().problems == [])
        try storage.close()
    }
}
