// Soak.swift — how long the tests go on that run for as long as `make soak` asks.

import Foundation

struct Soak {
    /// Of each test of a soak suite; nil where soaking was not asked for.
    static let duration = ProcessInfo.processInfo.environment["SHOPSTREAM_SOAK_SECONDS"].flatMap { Double($0) }.map {
        Duration.seconds($0)
    }

    /// How far apart the steps are that a test tries of very many: all of `thorough` where soaking was asked for, else fewer.
    static func stride(_ thorough: Int, brief: Int) -> Int { duration == nil ? brief : thorough }

    private let start = ContinuousClock.now

    /// Whether there is time for another round.
    var goesOn: Bool { ContinuousClock.now - start < Self.duration ?? .zero }
}
