// TombstoneMergeTests.swift — two sets of deleted ranges become one, as the plainest way of doing it says.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Merging deleted ranges")
struct TombstoneMergeTests {
    /// Cuts at all bounds and looks at every piece: what `merged` once did, in a time that grows with the square.
    private static func pieces(of ranges: [PartitionTombstones.Range]) -> [PartitionTombstones.Range] {
        var bounds = ranges.map(\.lower) + ranges.compactMap(\.upper)
        bounds.sort { $0.lexicographicallyPrecedes($1) }
        var result: [PartitionTombstones.Range] = []
        for (index, lower) in bounds.enumerated() {
            let upper = index + 1 < bounds.count ? bounds[index + 1] : nil
            guard lower != upper else { continue }
            let covering = ranges.filter { $0.contains(lower.rawSpan) }
            guard let first = covering.first else { continue }
            let deletion = covering.dropFirst().reduce(first.deletion) { .later($0, $1.deletion) }
            if let last = result.last, last.upper == lower, last.deletion == deletion {
                result[result.count - 1].upper = upper
            } else {
                result.append(PartitionTombstones.Range(lower: lower, upper: upper, deletion: deletion))
            }
        }
        return result
    }

    private func single(_ random: inout SeededRandom) -> PartitionTombstones {
        func bound() -> [UInt8] {
            (0..<Int.random(in: 0...2, using: &random)).map { _ in .random(in: 0..<6, using: &random) }
        }
        let lower = bound()
        // Some are empty, some go to the end of the partition.
        let upper = Int.random(in: 0..<5, using: &random) == 0 ? nil : bound()
        let deletion = DeletionTime(
            timestamp: .random(in: 1...4, using: &random), localDeletionTime: .random(in: 1...3, using: &random))
        var result = PartitionTombstones(range: .init(lower: lower, upper: upper, deletion: deletion))
        if Int.random(in: 0..<4, using: &random) == 0 {
            result.partition = DeletionTime(timestamp: .random(in: 1...4, using: &random), localDeletionTime: 1)
        }
        return result
    }

    @Test(
        "merged sets are what a walk over all pieces says, in every order of merging",
        arguments: 1...8 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for round in 0..<300 {
            let singles = (0..<Int.random(in: 1...9, using: &random)).map { _ in single(&random) }
            let expected = Self.pieces(of: singles.flatMap(\.ranges))
            let forth = singles.reduce(PartitionTombstones()) { $0.merged(with: $1) }
            let back = singles.reversed().reduce(PartitionTombstones()) { $1.merged(with: $0) }
            let half = singles.count / 2
            let halves = singles[..<half].reduce(PartitionTombstones()) { $0.merged(with: $1) }
                .merged(with: singles[half...].reduce(PartitionTombstones()) { $0.merged(with: $1) })
            for merged in [forth, back, halves] {
                #expect(merged.ranges == expected, "seed \(seed), round \(round)")
                #expect(merged.partition == forth.partition)
                #expect(merged.merged(with: merged) == merged)
            }
        }
    }

    @Test("a partition with tens of thousands of deleted ranges is merged and read at once", .timeLimit(.minutes(20)))
    func many() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int, c int, d int, PRIMARY KEY (k, c, d))")
        var left = PartitionTombstones()
        var right = PartitionTombstones()
        for index in 0..<20_000 {
            var bound: [UInt8] = []
            bound.appendBigEndian(UInt32(index))
            let range = PartitionTombstones.Range(
                lower: bound, upper: bound + [1], deletion: DeletionTime(timestamp: 5, localDeletionTime: 5))
            if index.isMultiple(of: 2) { left.ranges.append(range) } else { right.ranges.append(range) }
        }
        #expect(left.merged(with: right).ranges.count == 20_000)
        for index in 0..<300 { try store.execute("DELETE FROM t WHERE k = 1 AND c = ?", [.int(Int32(index))]) }
        try store.execute("INSERT INTO t (k, c, d) VALUES (1, 7, 7)")
        #expect(try store.lines("SELECT c FROM t WHERE k = 1 AND c < 100") == ["7"])
    }
}
