// storage-bench: StorageCore beside RocksDB in one process, on the same keys and values.

import ArgumentParser
import BenchmarkKit

@main
struct StorageBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storage-bench",
        abstract: "Measures the storage core beside RocksDB (built by `make bench-peers`).")

    @OptionGroup var options: RunOptions

    @Option(help: "Entries of the sustained fill. Default: 10,000,000; 500,000 with --quick.")
    var sustainedEntries: Int?

    @Option(help: "Entries of the tree that is read. Default: 1,000,000; 300,000 with --quick.")
    var settledEntries: Int?

    func validate() throws {
        guard (sustainedEntries ?? 1) > 0, (settledEntries ?? 1) > 0 else {
            throw ValidationError("Numbers of entries must be at least 1.")
        }
    }

    func run() async throws {
        let report = Report(rounds: options.rounds, filter: options.filter)
        print("storage-bench: \(options.machine)")
        #if PEER_ROCKSDB
            try await run(report, peer: StorageLines<RocksDBStore>(parent: options.directory, seed: options.seed))
        #else
            print("RocksDB is not built (make bench-peers): no peer, no ratios.")
            try await run(report, peer: StorageLines<StorageCoreStore>?.none)
        #endif
        try report.write(to: options.outputPath(defaultName: "storage"))
        if !report.resultsAgree { throw ExitCode.failure }
    }

    private func run(_ report: Report, peer: StorageLines<some OrderedStore>?) async throws {
        let ours = StorageLines<StorageCoreStore>(parent: options.directory, seed: options.seed)
        let comparison = StorageComparison(
            ours: ours, peer: peer, report: report, directory: options.directory, sizes: sizes)
        try await comparison.run()
    }

    private var sizes: StorageSizes {
        var sizes = options.quick ? StorageSizes.quick : .full
        if let sustainedEntries { sizes.sustainedEntries = sustainedEntries }
        if let settledEntries { sizes.settledEntries = settledEntries }
        return sizes
    }
}
