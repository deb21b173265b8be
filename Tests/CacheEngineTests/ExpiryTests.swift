// Time: what is expired is gone from reads at once and from memory soon, in bounded steps.

import StorageTypes
import Testing

@testable import CacheEngine

@Suite("Expiry")
struct ExpiryTests {
    let clock = ManualClock()

    private func makeCache(shardCount: Int = 1) -> CacheStore {
        CacheStore(options: CacheOptions(shardCount: shardCount, clock: clock, seed: 11, runsInBackground: false))
    }

    @Test("an entry lives until its time to live has passed, and not longer")
    func lazyExpiry() throws {
        let cache = makeCache()
        try cache.set("token:1", "abc", expiresIn: .seconds(60))
        clock.advance(by: .milliseconds(59_999))
        #expect(try cache.string("token:1") == "abc")
        #expect(cache.timeToLive(of: "token:1") == .remaining(.milliseconds(1)))
        clock.advance(by: .milliseconds(1))
        #expect(try cache.get("token:1") == nil)
        #expect(cache.timeToLive(of: "token:1") == .absent)
        #expect(cache.statistics.lazilyExpired == 1)
        #expect(cache.count == 0)
    }

    @Test("maintenance removes exactly what is due, over hours, days and years", arguments: [1, 2, 3])
    func wheelAgainstModel(seed: UInt64) throws {
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        let cache = makeCache()
        var model: [String: Int64] = [:]
        for _ in 0..<400 {
            for _ in 0..<5 {
                let key = "k\(Int.random(in: 0..<300, using: &random))"
                switch Int.random(in: 0..<10, using: &random) {
                case 0:
                    try cache.persist(key)
                    model[key] = model[key].map { _ in Int64.max }
                case 1:
                    try cache.delete(key)
                    model[key] = nil
                default:
                    // From a millisecond to about nine years, all magnitudes alike.
                    let life = Int64(1) << Int64.random(in: 0..<38, using: &random)
                    let value = String(repeating: "v", count: Int.random(in: 0..<40, using: &random))
                    try cache.set(key, value, expiresIn: .milliseconds(life))
                    model[key] = clock.now.milliseconds + life
                }
            }
            clock.advance(by: .milliseconds(Int64(1) << Int64.random(in: 0..<34, using: &random)))
            while cache.step(budget: 3) {}
            let now = clock.now.milliseconds
            model = model.filter { $0.value > now }
            let inMemory = cache.keys().map { String(decoding: $0, as: UTF8.self) }
            #expect(Set(inMemory) == Set(model.keys))
            // What is left in memory though expired fell due within the last tick.
            #expect(cache.count >= model.count)
            clock.advance(by: .milliseconds(1024))
            while cache.step(budget: 100) {}
            model = model.filter { $0.value > clock.now.milliseconds - 1024 }
            #expect(cache.count <= model.count)
            model = model.filter { $0.value > clock.now.milliseconds }
        }
    }

    @Test("a step looks at no more candidates than its budget allows")
    func boundedStep() throws {
        let cache = makeCache()
        for number in 0..<100 { try cache.set("k\(number)", "v", expiresIn: .seconds(1)) }
        clock.advance(by: .seconds(10))
        #expect(cache.step(budget: 30))
        #expect(cache.count >= 70)
        while cache.step(budget: 30) {}
        #expect(cache.count == 0)
        #expect(cache.statistics.activelyExpired == 100)
    }

    @Test("renewing a session over and over costs no memory")
    func slidingRenewal() throws {
        let cache = makeCache()
        try cache.set("session", "s", expiresIn: .seconds(1800))
        let before = cache.usedMemoryByteCount
        for _ in 0..<2000 {
            clock.advance(by: .seconds(60))
            #expect(try cache.get("session", renewing: .after(.seconds(1800))) != nil)
            cache.step()
        }
        #expect(cache.usedMemoryByteCount == before)
        clock.advance(by: .seconds(1802))
        cache.step()
        #expect(cache.count == 0)
    }

    @Test("the background task reclaims expired entries without being asked")
    func background() async throws {
        let options = CacheOptions(shardCount: 1, clock: clock, seed: 1, runsInBackground: true)
        let cache = CacheStore(options: options)
        try cache.set("k", "v", expiresIn: .seconds(1))
        clock.advance(by: .seconds(5))
        for _ in 0..<200 where cache.statistics.activelyExpired == 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(cache.statistics.activelyExpired == 1)
    }

    @Test("turning the clock back neither loses entries nor hangs")
    func clockTurnedBack() throws {
        let cache = makeCache()
        try cache.set("a", "1", expiresIn: .seconds(100))
        clock.advance(by: .seconds(50))
        cache.step()
        clock.set(clock.now.advanced(by: .seconds(-40)))
        cache.step()
        try cache.set("b", "2", expiresIn: .seconds(1))
        #expect(try cache.string("a") == "1")
        clock.advance(by: .seconds(120))
        while cache.step(budget: 10) {}
        #expect(cache.count == 0)
    }

    @Test("conditions on EXPIRE treat a missing expiry as infinitely late")
    func expireConditions() throws {
        let cache = makeCache()
        try cache.set("k", "v")
        #expect(try cache.expire("k", after: .seconds(10), when: .ifLater) == false)
        #expect(try cache.expire("k", after: .seconds(10), when: .ifVolatile) == false)
        #expect(try cache.expire("k", after: .seconds(10), when: .ifEarlier))
        #expect(try cache.expire("k", after: .seconds(20), when: .ifPersistent) == false)
        #expect(try cache.expire("k", after: .seconds(5), when: .ifLater) == false)
        #expect(try cache.expire("k", after: .seconds(20), when: .ifLater))
        #expect(cache.timeToLive(of: "k").seconds == 20)
        #expect(try cache.persist("k"))
        #expect(try cache.persist("k") == false)
        #expect(cache.timeToLive(of: "k") == .persistent)
        #expect(try cache.expire("absent", after: .seconds(5)) == false)
    }

    @Test("an expiry in the past deletes the key; SET refuses a time to live that is not positive")
    func expiryInThePast() throws {
        let cache = makeCache()
        try cache.set("k", "v")
        #expect(try cache.expire("k", after: .seconds(-1)))
        #expect(!cache.exists("k"))
        #expect(throws: CacheError(message: "ERR invalid expire time in 'set' command")) {
            try cache.set("k", "v", expiresIn: .zero)
        }
        #expect(throws: CacheError(message: "ERR invalid expire time in 'getex' command")) {
            try cache.get("k", renewing: .after(.seconds(-5)))
        }
        try cache.set("k", "v", expiry: .at(StorageInstant(seconds: 1)))
        #expect(try cache.get("k") == nil)
    }

    @Test("writing changes the expiry only where Redis does: SET clears it, KEEPTTL, INCR and APPEND keep it")
    func expiryAcrossWrites() throws {
        let cache = makeCache()
        try cache.set("k", "1", expiresIn: .seconds(100))
        try cache.increment("k")
        try cache.append("0", to: "k")
        try cache.append(String(repeating: "0", count: 600), to: "k")
        #expect(cache.timeToLive(of: "k").seconds == 100)
        try cache.set("k", "2", expiry: .keep)
        #expect(cache.timeToLive(of: "k").seconds == 100)
        try cache.set("k", "3")
        #expect(cache.timeToLive(of: "k") == .persistent)
    }
}
