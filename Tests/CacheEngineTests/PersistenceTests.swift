// A persistent cache: what is there after reopening, and what is not.

import StorageCore
import StorageTypes
import Testing

@testable import CacheEngine

@Suite("Persistence")
struct PersistenceTests {
    let clock = ManualClock()

    private func open(
        _ storage: Storage, _ persistence: CachePersistence = .writeThrough, seed: UInt64? = nil
    ) throws -> CacheStore {
        try CacheStore(
            storage: storage,
            options: CacheOptions(persistence: persistence, clock: clock, seed: seed, runsInBackground: false))
    }

    @Test("every type comes back after reopening, with its expiry; what expired meanwhile does not")
    func reopen() throws {
        let storage = try Storage.inMemory(clock: clock)
        let cache = try open(storage)
        try cache.set("token", "abc", expiresIn: .seconds(100))
        try cache.set("brief", "abc", expiresIn: .seconds(10))
        try cache.set("long", String(repeating: "x", count: 10_000))
        try cache.setFields(["sku1": "2", "sku2": ""], of: "cart")
        try cache.push(["a", "", "c"], to: .tail, of: "chat")
        try cache.addMembers(["u1", "u2"], to: "viewers")
        try cache.set("deleted", "x")
        try cache.delete("deleted")
        clock.advance(by: .seconds(50))

        let reopened = try open(storage, seed: 5)
        #expect(try reopened.string("token") == "abc")
        #expect(reopened.timeToLive(of: "token").seconds == 50)
        #expect(!reopened.exists("brief"))
        #expect(try reopened.byteCount(of: "long") == 10_000)
        #expect(try reopened.allFields(of: "cart").map(\.nameText) == ["sku1", "sku2"])
        #expect(try reopened.elements(of: "chat").map(\.count) == [1, 0, 1])
        #expect(try reopened.memberCount(of: "viewers") == 2)
        #expect(!reopened.exists("deleted"))
        #expect(reopened.count == 5)
        clock.advance(by: .seconds(60))
        reopened.step()
        #expect(reopened.count == 4)
    }

    @Test("what was written through survives the death of the process; reading renewals count as changes")
    func processDeath() throws {
        let disk = SimulatedFileSystem(seed: 3)
        func openStorage(_ disk: SimulatedFileSystem) throws -> Storage {
            var storageOptions = StorageOptions()
            storageOptions.fileSystem = disk
            storageOptions.clock = clock
            storageOptions.backgroundWork = .manual
            return try Storage.open(at: "/cache", options: storageOptions)
        }
        let cache = try open(openStorage(disk))
        for number in 0..<200 { try cache.set("k\(number)", "v\(number)", expiresIn: .seconds(100)) }
        _ = try cache.get("k1", renewing: .after(.seconds(1000)))
        _ = try cache.getAndDelete("k2")
        try cache.increment("n", by: 7)
        clock.advance(by: .seconds(50))

        let storage = try openStorage(disk.crash(.everything))
        let survivor = try open(storage)
        #expect(survivor.count == 200)
        #expect(try survivor.string("k199") == "v199")
        #expect(survivor.timeToLive(of: "k1").seconds == 950)
        #expect(!survivor.exists("k2"))
        #expect(try survivor.string("n") == "7")
        #expect(try storage.verify().problems.isEmpty)
    }

    @Test("changes that the storage refuses are reported, and written once it accepts them again")
    func refusedWrites() throws {
        let disk = SimulatedFileSystem(seed: 3)
        var storageOptions = StorageOptions()
        storageOptions.fileSystem = disk
        storageOptions.backgroundWork = .manual
        let storage = try Storage.open(at: "/cache", options: storageOptions)
        let cache = try open(storage)
        try cache.set("before", "v")
        disk.capacity = disk.usedByteCount
        let error = #expect(throws: CacheError.self) {
            for number in 0..<5000 { try cache.set("k\(number)", String(repeating: "v", count: 10_000)) }
        }
        #expect(error?.code == "MISCONF")
        let count = cache.count
        disk.capacity = nil
        try cache.save()
        #expect(try open(storage).count == count)
    }

    @Test("writing behind is visible in the storage after save, not before")
    func writeBehind() throws {
        let storage = try Storage.inMemory(clock: clock)
        let cache = try open(storage, .writeBehind)
        try cache.set("k", "v")
        #expect(try open(storage).count == 0)
        try cache.close()
        #expect(try open(storage).string("k") == "v")
    }

    @Test("without persistence nothing is written")
    func memoryOnly() throws {
        let storage = try Storage.inMemory(clock: clock)
        let cache = try open(storage, .none)
        try cache.set("k", "v")
        try cache.close()
        #expect(storage.visibleSequence == .zero)
    }

    @Test("random commands leave the same entries in memory and in storage", arguments: [21, 22])
    func model(seed: UInt64) throws {
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        let storage = try Storage.inMemory(clock: clock)
        let cache = try open(storage, .writeBehind)
        for round in 0..<1500 {
            let key = "k\(Int.random(in: 0..<60, using: &random))"
            switch Int.random(in: 0..<8, using: &random) {
            case 0: try cache.delete(key)
            case 1: _ = try? cache.setField("f\(round % 7)", of: key, to: "\(round)")
            case 2: _ = try? cache.push(["\(round)"], to: .head, of: key)
            case 3: try cache.expire(key, after: .milliseconds(Int64.random(in: 1..<5000, using: &random)))
            case 4: clock.advance(by: .milliseconds(100))
            case 5: cache.step(budget: 5)
            default: try cache.set(key, String(repeating: "v", count: Int.random(in: 0..<700, using: &random)))
            }
            if round % 37 == 0 { try cache.save() }
        }
        try cache.save()
        let reopened = try open(storage)
        func contents(_ cache: CacheStore) throws -> [String: String] {
            var contents: [String: String] = [:]
            for key in cache.keys() {
                let value =
                    switch try #require(cache.type(of: key)) {
                    case .string: try "\(cache.get(key) ?? [])"
                    case .hash: try "\(Set(cache.allFields(of: key)).map(\.nameText).sorted())"
                    case .list: try "\(cache.elements(of: key))"
                    case .set: try "\(cache.members(of: key))"
                    }
                contents["\(key)"] = "\(value) \(cache.timeToLive(of: key))"
            }
            return contents
        }
        #expect(try contents(reopened) == contents(cache))
    }

    @Test("a set in a transaction happens with its commit, and not at all if the transaction fails")
    func transaction() throws {
        struct Refused: Error {}
        let storage = try Storage.inMemory(clock: clock)
        let cache = try open(storage)
        try cache.set("old", "1")
        #expect(throws: Refused.self) {
            try storage.write { transaction in
                try cache.set("k", "v", in: transaction)
                try cache.delete("old", in: transaction)
                throw Refused()
            }
        }
        #expect(!cache.exists("k") && cache.exists("old"))
        try storage.write { transaction in
            try cache.set("k", "v", expiresIn: .seconds(5), in: transaction)
            try cache.delete("old", in: transaction)
            #expect(!cache.exists("k"))
        }
        #expect(cache.timeToLive(of: "k").seconds == 5)
        #expect(!cache.exists("old"))
        #expect(try open(storage).keys().count == 1)
    }

    @Test("damaged records are refused with an error, whatever is damaged")
    func damage() throws {
        var map = ByteMap()
        let name = Array("field".utf8)
        map.set(name.rawSpan, Array("value".utf8))
        let good = CacheRecord(object: .hash(map), expiry: 5).encoded()
        #expect(try CacheRecord(decoding: good, keyspace: "c").expiry == 5)
        for length in 0..<good.count where length != 10 {
            #expect(throws: StorageError.self) { try CacheRecord(decoding: Array(good.prefix(length)), keyspace: "c") }
        }
        for (position, byte) in [(0, UInt8(2)), (1, 9), (9, 0x80), (13, 0xFF)] {
            var bad = good
            bad[position] = byte
            #expect(throws: StorageError.self) { try CacheRecord(decoding: bad, keyspace: "c") }
        }
        let storage = try Storage.inMemory(clock: clock)
        let keyspace = try storage.keyspace("cache/default", options: KeyspaceOptions(expiry: .engine))
        try storage.write { try $0.put(keyspace, name.rawSpan, [1, 1].rawSpan) }
        #expect(throws: StorageError.self) { try open(storage) }
    }
}
