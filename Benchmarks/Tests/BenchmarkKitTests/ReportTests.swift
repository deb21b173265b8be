import BenchmarkKit
import Foundation
import Synchronization
import Testing

@Suite("Report")
struct ReportTests {
    private func timing(_ operations: Int, hash: UInt64 = 1, busyFor delay: Duration = .zero) -> Timing {
        measure { meter in
            let end = ContinuousClock.now.advanced(by: delay)
            while ContinuousClock.now < end {}
            for _ in 0..<operations { meter.lap() }
            return hash
        }
    }

    @Test("a line without a peer is written with nulls")
    func lineWithoutPeer() async throws {
        let report = Report(rounds: 1, print: { _ in })
        try await report.line("alone \"here\"", ours: { timing(10) }, peerName: "Peer")
        let lines = try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [[String: Any]])
        let line = try #require(lines.first)
        #expect(lines.count == 1)
        #expect(line["name"] as? String == "alone \"here\"")
        #expect(line["unit"] as? String == "ops/s")
        #expect((line["ours"] as? Double ?? 0) > 0)
        #expect(line["peer"] is NSNull && line["peerName"] is NSNull && line["ratio"] is NSNull)
    }

    @Test(
        "a ratio above one means ours is better, in either unit",
        arguments: [LineUnit.operationsPerSecond, .microseconds])
    func ratioDirection(unit: LineUnit) async throws {
        let report = Report(rounds: 1, print: { _ in })
        try await report.line(
            "line", unit: unit, ours: { timing(100) }, peerName: "Slow",
            peer: { timing(100, busyFor: .milliseconds(20)) })
        #expect(try #require(report.lines.first?.ratio) > 1)
    }

    @Test("sides that disagree are reported")
    func differentResults() async throws {
        let printed = Mutex<[String]>([])
        let report = Report(rounds: 1, print: { text in printed.withLock { $0.append(text) } })
        try await report.line(
            "line", ours: { timing(1, hash: 1) }, peerName: "Peer", peer: { timing(1, hash: 2) })
        #expect(!report.resultsAgree)
        #expect(printed.withLock { $0.contains { $0.hasPrefix("✗ line") } })
    }

    @Test("a line that the filter leaves out does not run")
    func filteredLine() async throws {
        let report = Report(rounds: 1, filter: ["fill"], print: { _ in })
        var runs = 0
        try await report.line(
            "scan",
            ours: {
                runs += 1
                return timing(1)
            })
        #expect(runs == 0 && report.lines.isEmpty)
    }

    @Test("rounds alternate which side begins")
    func alternatingRounds() async throws {
        let report = Report(rounds: 2, print: { _ in })
        var order = ""
        try await report.line(
            "line",
            ours: {
                order += "o"
                return timing(1)
            }, peerName: "Peer",
            peer: {
                order += "p"
                return timing(1)
            })
        #expect(order == "oppo")
    }
}
