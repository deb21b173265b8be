// Space: the memory limit holds, and each policy gives up what it should.

import StorageTypes
import Testing

@testable import CacheEngine

@Suite("Eviction")
struct EvictionTests {
    let clock = ManualClock()

    private func makeCache(_ policy: EvictionPolicy, limit: Int, shardCount: Int = 1, samples: Int = 10) -> CacheStore {
        CacheStore(
            options: CacheOptions(
                maxMemoryByteCount: limit, evictionPolicy: policy, evictionSampleCount: samples,
                shardCount: shardCount, clock: clock, seed: 17, runsInBackground: false))
    }

    private func survivors(_ cache: CacheStore, _ prefix: String, _ count: Int) -> Int {
        (0..<count).count { cache.exists("\(prefix)\($0)") }
    }

    @Test("without eviction a full cache refuses writes, serves reads, and recovers when something is deleted")
    func noEviction() throws {
        let cache = makeCache(.noEviction, limit: 20_000)
        var written = 0
        let refused = #expect(throws: CacheError.self) {
            while true {
                try cache.set("k\(written)", String(repeating: "v", count: 100))
                written += 1
            }
        }
        #expect(refused?.message == "OOM command not allowed when used memory > 'maxmemory'.")
        #expect(written > 50)
        #expect(try cache.get("k0") != nil)
        for number in 0..<10 { try cache.delete("k\(number)") }
        try cache.set("again", "v")
    }

    @Test("the limit holds with every evicting policy", arguments: EvictionPolicy.allCases.filter { $0 != .noEviction })
    func limit(policy: EvictionPolicy) throws {
        let cache = makeCache(policy, limit: 200_000, shardCount: 8)
        for number in 0..<4000 {
            try cache.set("k\(number)", String(repeating: "v", count: number % 300), expiresIn: .seconds(100 + number))
            #expect(cache.usedMemoryByteCount < 200_000 + 20_000)
        }
        #expect(cache.statistics.evicted > 0)
        #expect(cache.count > 200)
    }

    @Test("LRU keeps what was read lately")
    func leastRecentlyUsed() throws {
        let cache = makeCache(.allKeysLRU, limit: 200_000)
        for number in 0..<500 { try cache.set("hot\(number)", "v") }
        for round in 0..<20 {
            clock.advance(by: .seconds(10))
            for number in 0..<500 { _ = try cache.get("hot\(number)") }
            for number in 0..<500 { try cache.set("cold\(round)-\(number)", "v") }
        }
        #expect(survivors(cache, "hot", 500) > 450)
    }

    @Test("LFU keeps what is read often, though not lately")
    func leastFrequentlyUsed() throws {
        let cache = makeCache(.allKeysLFU, limit: 150_000)
        for number in 0..<300 { try cache.set("hot\(number)", "v") }
        for _ in 0..<200 { for number in 0..<300 { _ = try cache.get("hot\(number)") } }
        for number in 0..<6000 { try cache.set("cold\(number)", "v") }
        #expect(survivors(cache, "hot", 300) > 280)
        clock.advance(by: .seconds(60 * 200))
        for number in 6000..<12_000 { try cache.set("cold\(number)", "v") }
        #expect(survivors(cache, "hot", 300) < 200, "frequency decays with time")
    }

    @Test("volatile policies spare keys without a time to live, and find the last one that has one")
    func volatileOnly() throws {
        let cache = makeCache(.volatileTTL, limit: 60_000, samples: 5)
        var written = 0
        try cache.set("volatile", "v", expiresIn: .seconds(9))
        #expect(throws: CacheError.outOfMemory) {
            while true {
                try cache.set("k\(written)", String(repeating: "v", count: 50))
                written += 1
            }
        }
        #expect(!cache.exists("volatile"))
        #expect(survivors(cache, "k", written) == written)
    }

    @Test("the shortest time to live goes first")
    func shortestTimeToLive() throws {
        let cache = makeCache(.volatileTTL, limit: 100_000)
        for number in 0..<300 { try cache.set("long\(number)", "v", expiresIn: .seconds(100_000)) }
        for number in 0..<6000 { try cache.set("short\(number)", "v", expiresIn: .seconds(100)) }
        #expect(survivors(cache, "long", 300) > 280)
    }
}
