// TestSeed.swift — what random tests begin with.

import Foundation
import StorageTypes

enum TestSeed {
    /// Of every random test in place of one that is drawn: the environment's SHOPSTREAM_SEED.
    static let given = ProcessInfo.processInfo.environment["SHOPSTREAM_SEED"].flatMap { UInt64($0) }

    /// The seed of a test, printed with what it is for.
    static func draw(_ what: String) -> UInt64 {
        let seed = given ?? UInt64.random(in: 0..<1 << 32)
        print("\(what), seed \(seed)")
        return seed
    }
}

/// The seeds of a test that goes on: the given one or one that is drawn, then others that follow from it. Each round takes
/// everything else that is random in it from its seed, so that SHOPSTREAM_SEED with a round's seed begins with that round.
struct TestSeeds {
    private var next: UInt64?
    private var random: SeededRandom

    init(_ what: String) {
        let first = TestSeed.draw(what)
        next = first
        random = SeededRandom(seed: first)
    }

    mutating func draw() -> UInt64 {
        defer { next = nil }
        return next ?? UInt64.random(in: 0..<1 << 32, using: &random)
    }
}
