// A small run of every line, so that none rots. How fast they are is not tested here.

import BenchmarkKit
import Foundation
import Testing

@testable import engine_bench
@testable import storage_bench

@Suite("Lines")
struct LinesTests {
    private func withReport(_ body: (Report, String) async throws -> Void) async throws -> Report {
        let report = Report(rounds: 1, print: { _ in })
        let directory = try ScratchDirectory(in: NSTemporaryDirectory(), named: "test")
        try await body(report, directory.path)
        return withExtendedLifetime(directory) { report }
    }

    @Test("every storage line runs, and both sides read the same")
    func storageLines() async throws {
        let report = try await withReport { report, directory in
            let ours = StoreSide<StorageCoreStore>(parent: directory, seed: 1)
            let built = Peer.all.compactMap { $0.makeSide?(directory, 1) }
            // The store beside itself where no peer is built: still two sides that must agree.
            let peers = built.isEmpty ? [StoreSide<StorageCoreStore>(parent: directory, seed: 1)] : built
            try await StorageComparison(
                ours: ours, peers: peers, report: report, directory: directory, sizes: .smoke
            ).run()
        }
        #expect(report.resultsAgree)
        #expect(report.results.count == 20)
        let peerCount = max(1, Peer.all.count { $0.makeSide != nil })
        #expect(report.lines.count == 20 * peerCount)
        #expect(report.lines.allSatisfy { $0.ours > 0 && $0.ratio != nil })
    }

    @Test("every engine line runs, and both sides read the same")
    func engineLines() async throws {
        let report = try await withReport { report, directory in
            let context = EngineContext(
                report: report, directory: directory, workload: ShopWorkload(seed: 1), sizes: .smoke)
            try await context.runLines()
        }
        #expect(report.resultsAgree)
        #expect(report.lines.count == 13)
        #expect(report.lines.allSatisfy { $0.ours > 0 })
    }
}
