// MetamorphicTests.swift — one random sequence of operations, many configurations, all answers equal.

import StorageCore
import StorageTypes
import Testing

extension MetamorphicConfiguration {
    /// The one that the others are compared with.
    static let reference = MetamorphicConfiguration(description: "trees with default options")

    static let others = [
        MetamorphicConfiguration(description: "one SQLite file", location: "sqlite"),
        MetamorphicConfiguration(description: "one SQLite file, short log, small cache", location: "sqlite") {
            $0.logSegmentByteCount = 8 << 10
            $0.blockCacheByteCount = 64 << 10
        },
        MetamorphicConfiguration(description: "tiny trees", isDedicated: true) { tiny(&$0) },
        MetamorphicConfiguration(
            description: "tiny trees with the bounds of their clusterings", isDedicated: true,
            clusteringLayout: ClusteringLayout(fixedByteCount: 0, tag: 0x61)
        ) { tiny(&$0) },
        MetamorphicConfiguration(
            description: "tiny trees that keyspaces share, without filters and compression",
            compression: CompressionOptions(upper: .none, bottom: .none), filterBitsPerKey: 0
        ) { tiny(&$0) },
        MetamorphicConfiguration(description: "tiny trees that keyspaces outgrow, with other options at every opening")
        {
            tiny(&$0)
            $0.sharedKeyspaceByteCount = 2 << 10
        },
        MetamorphicConfiguration(
            description: "small memtables, large blocks, zstd", compression: CompressionOptions(upper: .zstd(level: 1))
        ) {
            $0.memtableByteCount = 16 << 10
            $0.blockByteCount = 64 << 10
            $0.levelZeroTableCount = 1
        },
        MetamorphicConfiguration(
            description: "tiny trees in windows of a second, dictionaries, a mapped log, few descriptors",
            isDedicated: true,
            compression: CompressionOptions(
                upper: .lz4, bottom: .zstd(level: 3, dictionaryByteCount: 256)),
            strategy: .timeWindow(TimeWindowOptions(window: .seconds(1)))
        ) {
            tiny(&$0)
            $0.logWriting = .mapped
            $0.descriptorBudget = 48
        },
        MetamorphicConfiguration(description: "tiny size-tiered trees", strategy: .sizeTiered()) { tiny(&$0) },
        MetamorphicConfiguration(
            description: "tiny trees that grow twofold, with tables of their own size, rewritten for any garbage",
            strategy: .leveled(LeveledOptions(multiplier: 2, tableByteCount: 512)), garbageThreshold: 0
        ) { tiny(&$0) },
        MetamorphicConfiguration(description: "tiny trees with background threads", isDedicated: true) {
            tiny(&$0)
            $0.backgroundWork = .threads
            $0.syncInterval = .milliseconds(3)
        },
        MetamorphicConfiguration(description: "one SQLite file with background threads", location: "sqlite") {
            $0.logSegmentByteCount = 20 << 10
            $0.backgroundWork = .threads
            $0.syncInterval = .milliseconds(3)
        },
    ]

    private static func tiny(_ options: inout StorageOptions) {
        options.memtableByteCount = 2 << 10
        options.tableByteCount = 1 << 10
        options.blockByteCount = 256
        options.levelZeroTableCount = 2
        options.levelOneByteCount = 4 << 10
        options.logSegmentByteCount = 8 << 10
        options.logByteBudget = 32 << 10
    }
}

@Suite("Metamorphic")
struct MetamorphicTests {
    static let seeds = TestSeed.given.map { [$0] } ?? [1, UInt64.random(in: 2..<1 << 32)]

    @Test("every configuration gives the same answers", arguments: seeds)
    func allAgree(seed: UInt64) throws {
        print("metamorphic run, seed \(seed)")
        try compareConfigurations(seed: seed, operationCount: 400)
    }

    @Test("a difference is found, and cut down to the operations that show it")
    func differenceIsFound() throws {
        // An engine that forgets: the second run does without one of the operations.
        var maker = MetamorphicMaker(seed: 7)
        let operations = maker.make(60)
        let forgotten = try #require(
            operations.firstIndex { if case .commit = $0 { true } else { false } })
        let whole = try MetamorphicRun.answers(of: .reference, to: operations)
        var fewer = operations
        fewer[forgotten] = .step
        #expect(try MetamorphicRun.answers(of: .reference, to: fewer) != whole)

        let needed = [3, 17, 41]
        let minimal = metamorphicMinimum(of: Array(0..<60)) { list in needed.allSatisfy { list.contains($0) } }
        #expect(minimal == needed)
    }
}

@Suite("Soak: metamorphic", .enabled(if: Soak.duration != nil))
struct MetamorphicSoakTests {
    @Test("every configuration gives the same answers, for as long as asked")
    func allAgree() throws {
        let soak = Soak()
        var seeds = TestSeeds("metamorphic soak")
        repeat {
            let seed = seeds.draw()
            print("metamorphic soak, seed \(seed)")
            guard try compareConfigurations(seed: seed, operationCount: 3000) else { return }
        } while soak.goesOn
    }
}

/// Runs the operations of a seed on every configuration; false, and an issue with the smallest list of operations that
/// shows it, if one differs.
@discardableResult
func compareConfigurations(seed: UInt64, operationCount: Int) throws -> Bool {
    var maker = MetamorphicMaker(seed: seed)
    let operations = maker.make(operationCount)
    let expected = try MetamorphicRun.answers(of: .reference, to: operations)
    for configuration in MetamorphicConfiguration.others {
        let found = try MetamorphicRun.answers(of: configuration, to: operations)
        guard found != expected else { continue }
        let minimal = metamorphicMinimum(of: operations) { differs(configuration, $0) }
        Issue.record("seed \(seed), \(configuration): \(describe(configuration, minimal))")
        return false
    }
    return true
}

private func differs(_ configuration: MetamorphicConfiguration, _ operations: [MetamorphicOperation]) -> Bool {
    do {
        return try MetamorphicRun.answers(of: configuration, to: operations)
            != MetamorphicRun.answers(of: .reference, to: operations)
    } catch {
        return true
    }
}

private func describe(_ configuration: MetamorphicConfiguration, _ operations: [MetamorphicOperation]) -> String {
    do {
        let expected = try MetamorphicRun.answers(of: .reference, to: operations)
        let found = try MetamorphicRun.answers(of: configuration, to: operations)
        let lines = operations.map(\.description) + ["the content at the end", "the verification at the end"]
        guard let first = expected.indices.first(where: { found[$0] != expected[$0] }) else {
            return "the difference did not show again (threads?)"
        }
        return """
            \(lines[first]) is answered by
            \(found[first])
            instead of
            \(expected[first])
            after \(operations.count) operations:
            \(lines.prefix(first + 1).joined(separator: "\n"))
            """
    } catch {
        return "\(error)"
    }
}

/// A short part of a list for which a predicate still holds: pieces are left out, half the list at first, then ever
/// smaller ones, as long as that works.
func metamorphicMinimum<Element>(of list: [Element], _ holds: ([Element]) -> Bool) -> [Element] {
    var list = list
    var piece = max(list.count / 2, 1)
    while true {
        var start = 0
        var hasShrunk = false
        while start < list.count {
            var shorter = list
            shorter.removeSubrange(start..<min(start + piece, list.count))
            if !shorter.isEmpty, holds(shorter) {
                list = shorter
                hasShrunk = true
            } else {
                start += piece
            }
        }
        if piece == 1, !hasShrunk { return list }
        piece = max(piece / 2, 1)
    }
}
