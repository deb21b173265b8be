// CompactionTieredTests.swift — what size-tiered and time-window compaction choose, on paper.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Size-tiered and time-window compaction: choosing")
struct CompactionTieredTests {
    private func plan(_ sizes: [Int64], _ options: SizeTieredOptions) -> [UInt64]? {
        CompactionPicker.plan(for: paperTree([0: paperRow(sizes)], .sizeTiered(options)))?.numbers[0]
    }

    private let options = SizeTieredOptions(minimumTableByteCount: 0)

    @Test("four tables of similar size are merged, three are not")
    func threshold() {
        #expect(plan([100, 110, 90], options) == nil)
        #expect(plan([100, 110, 90, 140], options) == [100, 99, 98, 97])
        #expect(plan([100, 110, 90, 400], options) == nil)
        #expect(plan([100, 110, 90, 400, 380, 410, 500], options) == [97, 96, 95, 94])
    }

    @Test("the smaller of two due buckets is merged first, and never more tables than the most allowed")
    func choice() {
        #expect(plan([10, 11, 12, 10, 400, 380, 410, 500], options) == [100, 99, 98, 97])
        var few = options
        few.maximumThreshold = 5
        #expect(plan([10, 10, 10, 10, 10, 10, 10, 10], few) == [97, 96, 95, 94, 93])
    }

    @Test("tables below the least size are similar to one another")
    func smallTables() {
        var small = options
        small.minimumTableByteCount = 50
        #expect(plan([1, 40, 3, 20], small) == [100, 99, 98, 97])
        #expect(plan([1, 40, 3, 60], small) == nil)
    }

    @Test("a small table between larger ones goes with them, without counting")
    func neighbours() {
        #expect(plan([100, 100, 2, 100], options) == nil)
        #expect(plan([100, 100, 2, 100, 90], options) == [100, 99, 98, 97, 96])
    }

    @Test("what is merged lies together in age", arguments: 0..<50)
    func contiguous(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let sizes = (0..<40).map { _ in Int64(1) << Int64.random(in: 0..<12, using: &random) }
        guard let chosen = plan(sizes, options) else { return }
        #expect(chosen == Array((chosen[chosen.count - 1]...chosen[0]).reversed()))
        #expect(chosen.count >= 4 && chosen.count <= 32)
    }

    // MARK: Windows

    private let window = TimeWindowOptions(
        window: .microseconds(100), sizeTiered: SizeTieredOptions(minimumTableByteCount: 0))

    private func timed(_ times: [ClosedRange<Int64>], now: Int64) -> TreeDescription {
        var tree = paperTree(
            [
                0: times.enumerated().map { index, times in
                    .paper(UInt64(100 - index), "a", "z", UInt64(100 - index)...UInt64(100 - index), times: times)
                }
            ], .timeWindow(window))
        tree.now = StorageInstant(microseconds: now)
        return tree
    }

    @Test("a table belongs to the window of its newest commit")
    func windows() {
        let picker = TimeWindowPicker(timed([450...460, 390...410, 300...399, 150...250], now: 460), window)
        #expect(picker.windows.map(\.number) == [4, 3, 2])
        #expect(picker.windows.map(\.range) == [0..<2, 2..<3, 3..<4])
        #expect(picker.number(of: -1) == -1)
        #expect(picker.number(of: -100) == -1)
        #expect(picker.number(of: -101) == -2)
    }

    @Test("the newest window is merged by size, one that is over is merged once, and windows stay apart")
    func strategy() throws {
        #expect(CompactionPicker.plan(for: timed([460...470, 450...455, 430...440], now: 480)) == nil)
        let sized = try #require(
            CompactionPicker.plan(for: timed([460...470, 450...455, 430...440, 400...410, 350...390], now: 480)))
        #expect(sized.numbers[0] == [100, 99, 98, 97])
        // Time has passed: the window is over.
        let over = try #require(CompactionPicker.plan(for: timed([460...470, 450...455, 350...390], now: 500)))
        #expect(over.numbers[0] == [100, 99])
        #expect(over.reason == .window)
        #expect(CompactionPicker.plan(for: timed([460...470, 350...390, 210...290], now: 10_000)) == nil)
    }

    @Test("a table whose times are not known waits in the newest window")
    func unknownTimes() {
        var tree = timed([460...470, 450...455], now: 480)
        tree.levels[0][0].latestTime = .max
        #expect(CompactionPicker.plan(for: tree) == nil)
    }

    @Test("on request every window is merged on its own")
    func manual() {
        let tree = timed([460...470, 450...455, 350...390, 320...330, 100...110], now: 480)
        let plans = CompactionPicker.plans(for: tree, lower: [], upper: [0xFF])
        #expect(plans.map { $0.numbers[0] } == [[100, 99], [98, 97], [96]])
    }

    @Test("the debt is what is due")
    func debt() {
        #expect(CompactionPicker.debt(of: timed([460...470, 350...390, 320...330], now: 480)).runCount == 1)
        #expect(
            CompactionPicker.debt(of: paperTree([0: paperRow([1, 1, 1, 1, 1])], .sizeTiered(options))).runCount == 2)
    }
}
