// Runs lines, prints them as they come, and keeps what they came to for the files at the end.
//
// The sides of a line run in alternating rounds in one process on one machine, and the median round counts: so a
// noisy neighbour hits all of them. A ratio above 1 always means that ours is better, whatever the unit.

import Foundation

/// What a line compares.
public enum LineUnit: String, Sendable {
    /// Throughput; more is better.
    case operationsPerSecond = "ops/s"
    /// Elapsed time by operation; less is better.
    case microseconds = "µs"
    case milliseconds = "ms"

    func figure(of timing: Timing) -> Double {
        switch self {
        case .operationsPerSecond: timing.operationsPerSecond
        case .microseconds: timing.microsecondsPerOperation
        case .milliseconds: timing.microsecondsPerOperation / 1e3
        }
    }

    func ratio(ours: Double, peer: Double) -> Double {
        switch self {
        case .operationsPerSecond: ours / peer
        case .microseconds, .milliseconds: peer / ours
        }
    }
}

/// One side of a line.
public struct Contender {
    public let name: String
    /// At most this many rounds.
    public let rounds: Int
    /// Returns nil where the side can't do the line's work.
    public let measure: () async throws -> Timing?

    public init(name: String, rounds: Int = .max, measure: @escaping () async throws -> Timing?) {
        self.name = name
        self.rounds = rounds
        self.measure = measure
    }
}

/// What a line came to.
public struct LineResult: Sendable {
    public struct Side: Sendable {
        public let name: String
        public let timing: Timing
    }

    public let name: String
    public let heading: String
    public let unit: LineUnit
    public let ours: Side
    public let peers: [Side]

    public func figure(of side: Side) -> Double { unit.figure(of: side.timing) }

    public func ratio(to peer: Side) -> Double { unit.ratio(ours: figure(of: ours), peer: figure(of: peer)) }
}

public final class Report {
    /// One line beside one peer; the shape of the JSON file.
    public struct Line: Sendable {
        public let name: String
        public let unit: LineUnit
        public let ours: Double
        public let peer: Double?
        public let peerName: String?
        public let ratio: Double?
    }

    public private(set) var results: [LineResult] = []
    /// Notes in the order in which they were made, with the heading they belong to.
    public private(set) var notes: [(heading: String, text: String)] = []
    /// False once two sides of a line, or two rounds of a side, have given different results.
    public private(set) var resultsAgree = true
    private let rounds: Int
    private let filter: [String]
    private let print: (String) -> Void
    private var currentHeading = ""
    private var shownHeading = ""

    /// Runs the lines whose names contain one of the words of `filter`, all if it is empty, `rounds` times a side.
    public init(rounds: Int, filter: [String] = [], print: @escaping (String) -> Void = Report.printLine) {
        self.rounds = rounds
        self.filter = filter
        self.print = print
    }

    /// Every line beside every one of its peers, once without where it has none.
    public var lines: [Line] {
        results.flatMap { result -> [Line] in
            let ours = result.figure(of: result.ours)
            guard !result.peers.isEmpty else {
                return [Line(name: result.name, unit: result.unit, ours: ours, peer: nil, peerName: nil, ratio: nil)]
            }
            return result.peers.map { peer in
                Line(
                    name: result.name, unit: result.unit, ours: ours, peer: result.figure(of: peer),
                    peerName: peer.name, ratio: result.ratio(to: peer))
            }
        }
    }

    /// Reaches a file or a pipe at once, as the next line may be minutes away.
    public static func printLine(_ text: String) {
        Swift.print(text)
        fflush(nil)
    }

    public func includes(_ name: String) -> Bool {
        filter.isEmpty || filter.contains { name.localizedCaseInsensitiveContains($0) }
    }

    /// Stands above the lines that follow.
    public func heading(_ text: String) {
        currentHeading = text
    }

    public func note(_ text: String) {
        notes.append((currentHeading, text))
        show("    \(text)")
    }

    /// Prints a line, and the heading before the first below it.
    private func show(_ text: String) {
        if currentHeading != shownHeading {
            shownHeading = currentHeading
            print("\n\(currentHeading)\n\(String(repeating: "─", count: currentHeading.count))")
        }
        print(text)
    }

    /// Measures a line beside its peer; alone where `peer` returns nil.
    public func line(
        _ name: String, unit: LineUnit = .operationsPerSecond, rounds: Int? = nil,
        ours: @escaping () async throws -> Timing,
        peerName: String? = nil, peer: @escaping () async throws -> Timing? = { nil }
    ) async throws {
        try await line(
            name, unit: unit, rounds: rounds, ours: Contender(name: "ours", measure: ours),
            peers: [Contender(name: peerName ?? "peer", measure: peer)])
    }

    /// Measures a line beside its peers, those left out that return nil.
    public func line(
        _ name: String, unit: LineUnit = .operationsPerSecond, rounds: Int? = nil, ours: Contender, peers: [Contender]
    ) async throws {
        guard includes(name) else { return }
        var measured = [[Timing]](repeating: [], count: peers.count + 1)
        for round in 0..<(rounds ?? self.rounds) {
            // No side always meets the caches and the disk as the same other one left them.
            let sides = Array(([ours] + peers).enumerated())
            for (index, side) in round.isMultiple(of: 2) ? sides : sides.reversed() where round < side.rounds {
                if let timing = try await side.measure() { measured[index].append(timing) }
            }
        }
        checkResults(of: measured.flatMap { $0 }, name: name)
        guard let timing = measured[0].median else { return }
        let result = LineResult(
            name: name, heading: currentHeading, unit: unit, ours: .init(name: ours.name, timing: timing),
            peers: zip(peers, measured.dropFirst()).compactMap { peer, rounds in
                rounds.median.map { .init(name: peer.name, timing: $0) }
            })
        results.append(result)
        for text in Self.summary(of: result) { show(text) }
    }

    private func checkResults(of rounds: [Timing], name: String) {
        guard Set(rounds.map(\.resultHash)).count > 1 else { return }
        resultsAgree = false
        show("✗ \(name): results differ between rounds or sides")
    }
}

extension [Timing] {
    fileprivate var median: Timing? {
        guard !isEmpty else { return nil }
        return sorted { $0.operationsPerSecond < $1.operationsPerSecond }[count / 2]
    }
}
