import Testing

@testable import StorageCore

@Suite struct RangeTombstoneTests {
    static func random(_ count: Int, _ random: inout SeededRandom) -> [RangeTombstone] {
        (0..<count).map { _ in
            RangeTombstone(
                lower: ModelRun.randomKey(&random), upper: ModelRun.randomKey(&random),
                sequence: UInt64.random(in: 1...20, using: &random))
        }
    }

    @Test("fragments say of every key what a list of all tombstones says", arguments: 1...30)
    func naive(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let list = Self.random(Int.random(in: 0...12, using: &random), &random)
        let set = RangeTombstoneSet(list)
        for (left, right) in zip(set.fragments, set.fragments.dropFirst()) {
            #expect(compareBytes(left.upper, right.lower) <= 0, "seed \(seed)")
        }
        let again = RangeTombstoneSet(set.tombstones)
        for _ in 0..<200 {
            let key = ModelRun.randomKey(&random)
            let limit = UInt64.random(in: 0...21, using: &random)
            let covering = list.filter { compareBytes($0.lower, key) <= 0 && compareBytes(key, $0.upper) < 0 }
            let sequences = Set(covering.map(\.sequence)).sorted(by: >)
            key.withUnsafeBytes { key in
                #expect(set.sequences(covering: key) == sequences, "seed \(seed), \(Array(key))")
                #expect(again.sequences(covering: key) == sequences, "seed \(seed), \(Array(key))")
                #expect(set.newestSequence(covering: key, atMost: limit) == sequences.first { $0 <= limit } ?? 0)
            }
        }
    }

    @Test("empty and inverted ranges delete nothing")
    func nothing() {
        let set = RangeTombstoneSet([
            RangeTombstone(lower: [1], upper: [1], sequence: 1), RangeTombstone(lower: [2], upper: [1], sequence: 1),
        ])
        #expect(set.isEmpty)
    }
}
