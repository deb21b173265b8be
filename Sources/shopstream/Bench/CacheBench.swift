// CacheBench.swift — `shopstream bench cache`: tokens read and renewed at a fixed rate.

import ArgumentParser
import CacheEngine
import StorageTypes

struct CacheBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Reads tokens and sets every tenth anew, with a time to live.")

    @Option(help: "Operations offered each second.")
    var rate: Double = 33_333

    @OptionGroup var load: LoadOptions

    @Option(help: "Tokens in the cache.")
    var keys = 100_000

    @Option(help: "Seed of the order of reads.")
    var seed: UInt64 = 42

    func validate() throws {
        try LoadOptions.validate(rate: rate)
        guard keys > 0 else { throw ValidationError("--keys must be at least 1.") }
    }

    func run() async throws {
        let cache = CacheStore()
        for index in 0..<keys { try set(index, in: cache) }
        var random = SeededRandom(seed: seed)
        var misses = 0
        let offered = OfferedLoad(operationsPerSecond: rate, seconds: load.duration, clock: SystemClock())
        let progress = LoadProgress("cache", operationCount: offered.operationCount)
        let outcome = try await offered.run(progress: progress.update) { step in
            let index = Int.random(in: 0..<keys, using: &random)
            if step.isMultiple(of: 10) {
                try set(index, in: cache)
            } else if try cache.get(Self.key(index)) == nil {
                misses += 1
            }
        }
        progress.finish()
        guard misses == 0 else { throw ValidationError("\(misses) tokens were missing before their time.") }
        FigureSection("cache", "cache: \(keys) tokens", offeredRate: rate, outcome).print(asJSON: load.json)
    }

    private func set(_ index: Int, in cache: CacheStore) throws {
        try cache.set(Self.key(index), "usr_\(index)", expiresIn: .seconds(3_600))
    }

    private static func key(_ index: Int) -> String { "token:\(index)" }
}
