// storage-bench: StorageCore beside other embedded engines in one process, on the same keys and values.

import ArgumentParser
import BenchmarkKit
import Foundation

@main
struct StorageBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storage-bench",
        abstract: "Measures the storage core beside RocksDB, LevelDB, LMDB, WiredTiger and SQLite.",
        discussion: "`make bench-peers` installs and builds the peers; one that is missing is left out.")

    @OptionGroup var options: RunOptions

    @Option(help: "Run beside these only (may be repeated; none: alone). Default: every peer that was built.")
    var peer: [String] = []

    @Option(help: "Rounds of every peer but the first.")
    var peerRounds = 1

    @Option(help: "Entries of the sustained fill. Default: 10,000,000; 500,000 with --quick.")
    var sustainedEntries: Int?

    @Option(help: "Entries of the tree that is read. Default: 1,000,000; 300,000 with --quick.")
    var settledEntries: Int?

    func validate() throws {
        guard (sustainedEntries ?? 1) > 0, (settledEntries ?? 1) > 0, peerRounds > 0 else {
            throw ValidationError("Numbers of entries and rounds must be at least 1.")
        }
        for name in peer where name != "none" && !Peer.all.contains(where: { $0.isNamed(name) }) {
            throw ValidationError("No peer is called \(name): \(Peer.all.map(\.name).joined(separator: ", ")), none.")
        }
    }

    func run() async throws {
        let report = Report(rounds: options.rounds, filter: options.filter)
        print("storage-bench: \(options.machine)")
        let ours = StoreSide<StorageCoreStore>(parent: options.directory, seed: options.seed)
        let peers = wantedPeers.compactMap { $0.makeSide?(options.directory, options.seed) }
        print("Beside: \(peers.isEmpty ? "nobody, so no ratios" : peers.map(\.name).joined(separator: ", "))")
        if !absentPeers.isEmpty { print("Absent (make bench-peers): \(absentPeers.joined(separator: ", "))") }
        let comparison = StorageComparison(
            ours: ours, peers: peers, peerRounds: peerRounds, report: report, directory: options.directory,
            sizes: sizes)
        try await comparison.run()
        try write(report, sides: [ours] + peers)
        if !report.resultsAgree { throw ExitCode.failure }
    }

    private func write(_ report: Report, sides: [any Side]) throws {
        let path = options.outputPath(defaultName: "storage")
        try report.write(to: path)
        try report.writeDocument(
            beside: path,
            introduction: StorageIntroduction(
                machine: options.machine, sizes: sizes, sides: sides, absent: absentPeers, rounds: options.rounds
            ).text)
    }

    private var wantedPeers: [Peer] {
        peer.isEmpty ? Peer.all : Peer.all.filter { candidate in peer.contains(where: candidate.isNamed) }
    }

    private var absentPeers: [String] { wantedPeers.filter { $0.makeSide == nil }.map(\.name) }

    private var sizes: StorageSizes {
        var sizes = options.quick ? StorageSizes.quick : .full
        if let sustainedEntries {
            sizes.sustainedEntries = sustainedEntries
            sizes.overwrittenEntries = max(1, sustainedEntries / 4)
        }
        if let settledEntries { sizes.settledEntries = settledEntries }
        return sizes
    }
}

extension Peer {
    fileprivate func isNamed(_ name: String) -> Bool { self.name.lowercased() == name.lowercased() }
}
