// CacheBench.swift — `shopstream bench cache`: tokens read and renewed at a fixed rate.

import ArgumentParser
import CacheEngine
import StorageTypes

struct CacheBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Reads tokens and sets every tenth anew, with a time to live.")

    @OptionGroup var load: LoadOptions

    @Option(help: "Tokens in the cache.")
    var keys = 100_000

    @Option(help: "Seed of the order of reads.")
    var seed: UInt64 = 42

    func validate() throws {
        guard keys > 0 else { throw ValidationError("--keys must be at least 1.") }
    }

    func run() async throws {
        let cache = CacheStore()
        for index in 0..<keys { try set(index, in: cache) }
        print("cache: \(keys) tokens, \(load.description)")
        var random = SeededRandom(seed: seed)
        var misses = 0
        let offered = OfferedLoad(operationsPerSecond: load.rate, seconds: load.seconds, clock: SystemClock())
        let outcome = try await offered.run(progress: LoadPrinter.interval) { step in
            let index = Int.random(in: 0..<keys, using: &random)
            if step.isMultiple(of: 10) {
                try set(index, in: cache)
            } else if try cache.get(Self.key(index)) == nil {
                misses += 1
            }
        }
        LoadPrinter.total(outcome, of: "cache")
        guard misses == 0 else { throw ValidationError("\(misses) tokens were missing before their time.") }
    }

    private func set(_ index: Int, in cache: CacheStore) throws {
        try cache.set(Self.key(index), "usr_\(index)", expiresIn: .seconds(3_600))
    }

    private static func key(_ index: Int) -> String { "token:\(index)" }
}
