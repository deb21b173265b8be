import Testing

@testable import StorageCore

/// A rewriting of random versions, and the naive reading that must not change by it.
private struct RewriterCase {
    static let id: UInt32 = 5
    let content: ModelKeyspace.Content
    var entries: [PlainEntry]
    var tombstones: [RangeTombstone]
    var snapshots: [UInt64]
    let purgeTime: Int64 = 10

    init(_ content: ModelKeyspace.Content, _ random: inout SeededRandom) {
        self.content = content
        let prefix = Keyspace.prefix(of: Self.id)
        entries = (0..<Int.random(in: 1...40, using: &random)).map { _ in
            let kinds: [EntryKind] = content == .appended ? [.put, .delete, .merge, .merge] : [.put, .put, .delete]
            let expires = content == .expiring && Bool.random(using: &random)
            return PlainEntry(
                prefix + [UInt8.random(in: 0..<6, using: &random)], UInt64.random(in: 1...60, using: &random),
                kind: kinds.randomElement(using: &random)!,
                expiry: expires ? Int64.random(in: 0...20, using: &random) : .max,
                value: [UInt8.random(in: 0...255, using: &random)])
        }
        // One entry for each key and sequence.
        var seen: Set<[UInt8]> = []
        entries = entries.filter { seen.insert($0.key + [UInt8($0.sequence)]).inserted }.sorted()
        for position in entries.indices where entries[position].kind == .delete { entries[position].value = [] }
        tombstones = (0..<Int.random(in: 0...4, using: &random)).map { _ in
            RangeTombstone(
                lower: prefix + [UInt8.random(in: 0..<6, using: &random)],
                upper: prefix + [UInt8.random(in: 0..<7, using: &random)],
                sequence: UInt64.random(in: 1...60, using: &random))
        }
        snapshots = Set(
            (0..<Int.random(in: 0...3, using: &random)).map { _ in UInt64.random(in: 1...60, using: &random) }
        )
        .union([60]).sorted()
    }

    var keyspace: Keyspace {
        var options = KeyspaceOptions()
        if content == .appended { options.mergeOperator = ModelAppend() }
        if content == .expiring { options.expiry = .engine }
        let tree = Tree(id: 1, options: TreeOptions(), state: TreeState(memtable: Memtable()))
        return Keyspace(name: "k", id: Self.id, options: options, tree: tree, life: KeyspaceLife(mergeOperator: ""))
    }

    func rewrite(
        isBottommost: Bool, sources: Int, _ keyspace: Keyspace?
    ) throws -> (entries: [PlainEntry], tombstones: [RangeTombstone]) {
        let rules = RewriteRules(
            snapshots: snapshots, purgeTime: StorageInstant(microseconds: purgeTime),
            keyspaces: keyspace.map { [Self.id: $0] } ?? [:])
        let memtables = (0..<sources).map { source in
            Memtable(entries.enumerated().filter { $0.offset % sources == source }.map(\.element))
        }
        var output: [PlainEntry] = []
        let set = RangeTombstoneSet(tombstones)
        var rewriter = EntryRewriter(rules: rules, tombstones: set, isBottommost: { _ in isBottommost }) {
            output.append(PlainEntry($0))
        }
        try rewriter.run(MergingCursor(memtables.map { .memtable($0.makeCursor()) }))
        return (output, set.kept(rules) { _, _ in isBottommost })
    }

    /// What a reader at `sequence` and `readTime` makes of a key: history replayed from the oldest change on.
    static func read(
        _ key: [UInt8], _ entries: [PlainEntry], _ tombstones: [RangeTombstone], below: [UInt8]?, at sequence: UInt64,
        _ readTime: Int64, expires: Bool
    ) -> [UInt8]? {
        let covering = tombstones.filter { compareBytes($0.lower, key) <= 0 && compareBytes(key, $0.upper) < 0 }
        let versions = entries.filter { $0.key == key }
        var value = below
        for moment in 1...sequence {
            if covering.contains(where: { $0.sequence == moment }) { value = nil }
            for version in versions where version.sequence == moment {
                switch version.kind {
                case .put: value = version.value
                case .delete: value = nil
                case .merge: value = (value ?? []) + version.value
                }
                if expires, version.expiry <= readTime { value = nil }
            }
        }
        return value
    }
}

@Suite struct RewriterTests {
    @Test(
        "what every snapshot sees is the same before and after a rewriting",
        arguments: [ModelKeyspace.Content.plain, .appended, .expiring], 1...100)
    func unchanged(content: ModelKeyspace.Content, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let scenario = RewriterCase(content, &random)
        let keyspace = scenario.keyspace
        for isBottommost in [false, true] {
            let (entries, tombstones) = try scenario.rewrite(isBottommost: isBottommost, sources: 3, keyspace)
            #expect(zip(entries, entries.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
            #expect(entries.count <= scenario.entries.count, "seed \(seed)")
            for key in Set(scenario.entries.map(\.key)) {
                for snapshot in scenario.snapshots {
                    for readTime in [10, 15, 25] as [Int64] {
                        // Above the bottom something older may lie below.
                        for below in isBottommost ? [nil] : [nil, [99]] as [[UInt8]?] {
                            let before = RewriterCase.read(
                                key, scenario.entries, scenario.tombstones, below: below, at: snapshot, readTime,
                                expires: content == .expiring)
                            let after = RewriterCase.read(
                                key, entries, tombstones, below: below, at: snapshot, readTime,
                                expires: content == .expiring)
                            #expect(before == after, "seed \(seed), key \(key), snapshot \(snapshot), time \(readTime)")
                        }
                    }
                }
            }
        }
    }

    @Test(
        "at the bottom, with no snapshot but the newest, only what can be read is left",
        arguments: [ModelKeyspace.Content.plain, .appended, .expiring], 1...40)
    func dropped(content: ModelKeyspace.Content, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var scenario = RewriterCase(content, &random)
        scenario.snapshots = [60]
        let (entries, tombstones) = try scenario.rewrite(isBottommost: true, sources: 2, scenario.keyspace)
        #expect(tombstones.isEmpty)
        let living = Set(scenario.entries.map(\.key)).filter {
            RewriterCase.read(
                $0, scenario.entries, scenario.tombstones, below: nil, at: 60, scenario.purgeTime,
                expires: content == .expiring) != nil
        }
        #expect(Set(entries.map(\.key)) == living, "seed \(seed)")
        #expect(entries.count == living.count, "seed \(seed)")
        #expect(entries.allSatisfy { $0.kind == .put }, "seed \(seed)")
    }

    @Test("in each stripe at most one version of a key is left, above the bottom too", arguments: 1...40)
    func onePerStripe(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let scenario = RewriterCase(.appended, &random)
        let (entries, _) = try scenario.rewrite(isBottommost: false, sources: 1, scenario.keyspace)
        let rules = RewriteRules(snapshots: scenario.snapshots, purgeTime: .distantPast, keyspaces: [:])
        let places = entries.map { "\($0.key) \(rules.stripe(of: $0.sequence))" }
        #expect(Set(places).count == places.count, "seed \(seed)")
    }

    @Test("the entries of a keyspace that was dropped go")
    func droppedKeyspace() throws {
        var random = SeededRandom(seed: 1)
        let scenario = RewriterCase(.plain, &random)
        #expect(try scenario.rewrite(isBottommost: false, sources: 1, nil).entries.isEmpty)
    }

    @Test("operands whose operator nobody has given yet stay as they are", arguments: 1...20)
    func withoutOperator(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let scenario = RewriterCase(.appended, &random)
        let tree = Tree(id: 1, options: TreeOptions(), state: TreeState(memtable: Memtable()))
        let unopened = Keyspace(
            name: "k", id: RewriterCase.id, options: KeyspaceOptions(), tree: tree,
            life: KeyspaceLife(mergeOperator: "x"))
        for isBottommost in [false, true] {
            let (entries, tombstones) = try scenario.rewrite(isBottommost: isBottommost, sources: 2, unopened)
            for key in Set(scenario.entries.map(\.key)) {
                for snapshot in scenario.snapshots {
                    let before = RewriterCase.read(
                        key, scenario.entries, scenario.tombstones, below: nil, at: snapshot, 10, expires: false)
                    let after = RewriterCase.read(
                        key, entries, tombstones, below: nil, at: snapshot, 10, expires: false)
                    #expect(before == after, "seed \(seed), key \(key), snapshot \(snapshot)")
                }
            }
        }
    }

    @Test("an operator is asked to purge a full value at the bottom only, and its answer is followed")
    func purge() throws {
        var options = KeyspaceOptions(mergeOperator: ModelTimedSet(), expiry: .operator)
        options.isDedicated = true
        let storage = try smallStorage()
        let clock = try #require(storage.clock as? ManualClock)
        let keyspace = try storage.keyspace("k", options: options)
        let start = clock.now
        let soon = start.advanced(by: .seconds(5))
        func set(_ elements: [UInt8: Int64]) -> [UInt8] { ModelTimedSet.encode(elements) }
        try storage.write { transaction in
            try transaction.merge(keyspace, [1].rawSpan, set([1: soon.microseconds]).rawSpan, expiry: soon)
            try transaction.merge(keyspace, [2].rawSpan, set([1: soon.microseconds, 2: .max]).rawSpan)
        }
        clock.advance(by: .seconds(10))
        try storage.flush()
        let view = storage.snapshot().view
        #expect(try view.get(keyspace, [1].rawSpan) != nil, "reads hide nothing, and a flush is not the bottom")
        clock.advance(by: .seconds(10))
        // The snapshot of `view` reads after the expiry: nothing stands in the way.
        try storage.compact()
        #expect(try storage.snapshot().view.get(keyspace, [1].rawSpan) == nil)
        #expect(try storage.snapshot().view.get(keyspace, [2].rawSpan) == set([2: .max]))
    }
}
