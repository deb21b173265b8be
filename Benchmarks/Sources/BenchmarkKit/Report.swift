// Runs lines, prints them as they come, and writes them as JSON at the end.
//
// Both sides of a line run in alternating rounds in one process on one machine, and the median round counts: so a
// noisy neighbour hits both. A ratio above 1 always means that ours is better, whatever the unit.

import Foundation

/// What a line compares.
public enum LineUnit: String, Sendable {
    /// Throughput; more is better.
    case operationsPerSecond = "ops/s"
    /// Elapsed time by operation; less is better.
    case microseconds = "µs"

    func figure(of timing: Timing) -> Double {
        switch self {
        case .operationsPerSecond: timing.operationsPerSecond
        case .microseconds: timing.microsecondsPerOperation
        }
    }

    func ratio(ours: Double, peer: Double) -> Double {
        switch self {
        case .operationsPerSecond: ours / peer
        case .microseconds: peer / ours
        }
    }
}

public final class Report {
    /// One printed line; the shape of the JSON file.
    public struct Line: Sendable {
        public let name: String
        public let unit: LineUnit
        public let ours: Double
        public let peer: Double?
        public let peerName: String?
        public let ratio: Double?
    }

    public private(set) var lines: [Line] = []
    /// False once two sides of a line, or two rounds of a side, have given different results.
    public private(set) var resultsAgree = true
    private let rounds: Int
    private let filter: [String]
    private let print: (String) -> Void

    /// Runs the lines whose names contain one of the words of `filter`, all if it is empty, `rounds` times a side.
    public init(rounds: Int, filter: [String] = [], print: @escaping (String) -> Void = { Swift.print($0) }) {
        self.rounds = rounds
        self.filter = filter
        self.print = print
    }

    public func includes(_ name: String) -> Bool {
        filter.isEmpty || filter.contains { name.localizedCaseInsensitiveContains($0) }
    }

    public func heading(_ text: String) {
        print("\n\(text)\n\(String(repeating: "─", count: text.count))")
    }

    public func note(_ text: String) {
        print("    \(text)")
    }

    /// Measures a line beside its peer; alone where `peer` returns nil.
    public func line(
        _ name: String, unit: LineUnit = .operationsPerSecond, rounds: Int? = nil,
        ours: () async throws -> Timing,
        peerName: String? = nil, peer: () async throws -> Timing? = { nil }
    ) async throws {
        guard includes(name) else { return }
        var ourRounds: [Timing] = []
        var peerRounds: [Timing] = []
        for round in 0..<(rounds ?? self.rounds) {
            // Neither side always meets the caches and the disk as the other left them.
            if round.isMultiple(of: 2) { ourRounds.append(try await ours()) }
            if let measured = try await peer() { peerRounds.append(measured) }
            if !round.isMultiple(of: 2) { ourRounds.append(try await ours()) }
        }
        checkResults(of: ourRounds + peerRounds, name: name)
        add(name, unit: unit, ours: ourRounds.median, peerName: peerName, peer: peerRounds.median)
    }

    private func checkResults(of rounds: [Timing], name: String) {
        guard Set(rounds.map(\.resultHash)).count > 1 else { return }
        resultsAgree = false
        print("✗ \(name): results differ between rounds or sides")
    }

    private func add(_ name: String, unit: LineUnit, ours: Timing?, peerName: String?, peer: Timing?) {
        guard let ours else { return }
        let ourFigure = unit.figure(of: ours)
        let peerFigure = peer.map(unit.figure)
        let line = Line(
            name: name, unit: unit, ours: ourFigure, peer: peerFigure, peerName: peer == nil ? nil : peerName,
            ratio: peerFigure.map { unit.ratio(ours: ourFigure, peer: $0) })
        lines.append(line)
        print(Self.summary(of: line))
        print(Self.details(of: ours, named: "ours"))
        if let peer { print(Self.details(of: peer, named: peerName ?? "peer")) }
    }
}

extension [Timing] {
    fileprivate var median: Timing? {
        guard !isEmpty else { return nil }
        return sorted { $0.operationsPerSecond < $1.operationsPerSecond }[count / 2]
    }
}
