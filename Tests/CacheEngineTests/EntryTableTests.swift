// The table itself, compared with a dictionary, and its promises about scanning and memory.

import StorageTypes
import Testing

@testable import CacheEngine

@Suite("Entry table")
struct EntryTableTests {
    private static func hash(_ key: [UInt8], crowded: Bool) -> UInt32 {
        let hash = UInt32(ByteHash(seed: 7).hash(key.rawSpan) >> 32)
        // Few distinct hashes: long runs that wrap around the end of the table.
        return crowded ? hash | 0xFFFF_FF00 : hash
    }

    @Test("insert, find and remove agree with a dictionary, also when hashes collide", arguments: [false, true])
    func model(crowded: Bool) throws {
        let seed: UInt64 = 20_260_101
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        var table = EntryTable()
        var model: [[UInt8]: BlockReference] = [:]
        for _ in 0..<6000 {
            let key = Array("key-\(Int.random(in: 0..<(crowded ? 300 : 1500), using: &random))".utf8)
            let hash = Self.hash(key, crowded: crowded)
            let index = table.index(of: key.rawSpan, hash: hash)
            let found = index.map { table.reference(at: $0) }
            #expect(found == model[key])
            if let index, Bool.random(using: &random) {
                let reference = table.reference(at: index)
                table.remove(at: index)
                table.arena.free(reference)
                model[key] = nil
            } else if index == nil {
                let allocated = table.arena.allocate(byteCount: UnsafeBlock.headerByteCount + key.count)
                let reference = try #require(allocated)
                table.arena.block(reference).setKey(key.rawSpan)
                table.arena.block(reference).kind = .object
                table.insert(reference, hash: hash)
                model[key] = reference
            }
            let count = table.count
            #expect(count == model.count)
        }
        for (key, reference) in model {
            let index = table.index(of: key.rawSpan, hash: Self.hash(key, crowded: crowded))
            let found = index.map { table.reference(at: $0) }
            #expect(found == reference)
        }
    }

    @Test("a scan meets every entry that stays, while the table grows and entries come and go")
    func scanUnderChange() throws {
        var random = SeededRandom(seed: 99)
        let cache = CacheStore(options: CacheOptions(shardCount: 4, seed: 3, runsInBackground: false))
        for number in 0..<500 { try cache.set("stays-\(number)", "x") }
        var seen: Set<String> = []
        var cursor: CacheCursor? = .start
        var extra = 0
        while let position = cursor {
            let (keys, next) = cache.scan(from: position, count: 7)
            for key in keys { seen.insert(String(decoding: key, as: UTF8.self)) }
            cursor = next
            for _ in 0..<20 {
                extra += 1
                try cache.set("extra-\(extra)", "y")
            }
            try cache.delete("extra-\(Int.random(in: 1...extra, using: &random))")
        }
        let missing = (0..<500).filter { !seen.contains("stays-\($0)") }
        #expect(missing.isEmpty)
    }

    @Test("blocks keep their size class and are used again")
    func arenaReuse() throws {
        var arena = UnsafeBlockArena()
        var live: [BlockReference: Int] = [:]
        var random = SeededRandom(seed: 5)
        for round in 0..<4000 {
            if round % 3 == 2, let (reference, _) = live.randomElement(using: &random) {
                arena.free(reference)
                live[reference] = nil
            } else {
                let keyByteCount = Int.random(in: 0..<(round % 50 == 0 ? 60_000 : 900), using: &random)
                let byteCount = UnsafeBlock.headerByteCount + keyByteCount
                let allocated = arena.allocate(byteCount: byteCount)
                let reference = try #require(allocated)
                let fill = UInt8(truncatingIfNeeded: reference)
                arena.block(reference).setKey([UInt8](repeating: fill, count: keyByteCount).rawSpan)
                arena.block(reference).kind = .object
                #expect(live.updateValue(keyByteCount, forKey: reference) == nil)
            }
        }
        var expected = 0
        for (reference, keyByteCount) in live {
            let key = arena.block(reference).key.array()
            #expect(key == [UInt8](repeating: UInt8(truncatingIfNeeded: reference), count: keyByteCount))
            expected += UnsafeBlockArena.allocatedByteCount(for: UnsafeBlock.headerByteCount + keyByteCount)
        }
        let liveByteCount = arena.liveByteCount
        #expect(liveByteCount == expected)
    }

    @Test("a key with a 16-byte name, a 16-byte value and a time to live costs at most 40 bytes more than these")
    func overhead() throws {
        let cache = CacheStore(options: CacheOptions(shardCount: 1, seed: 1, runsInBackground: false))
        let count = 20_000
        for number in 0..<count {
            let digits = String(number)
            let name = String(repeating: "0", count: 16 - digits.count) + digits
            try cache.set(name, name, expiresIn: .seconds(60 + number % 5000))
        }
        let overhead = Double(cache.usedMemoryByteCount) / Double(count) - 32
        #expect(overhead <= 40, "\(overhead) bytes of overhead per key")
    }

    @Test("the hash depends on every byte, the length and the seed")
    func hashing() {
        let hash = ByteHash(seed: 1)
        var seen: Set<UInt64> = []
        for count in 0..<70 {
            let zeros = [UInt8](repeating: 0, count: count)
            #expect(seen.insert(hash.hash(zeros.rawSpan)).inserted)
            for position in 0..<count {
                var changed = zeros
                changed[position] = 1
                #expect(seen.insert(hash.hash(changed.rawSpan)).inserted)
            }
        }
        let key = Array("token:1".utf8)
        #expect(ByteHash(seed: 1).hash(key.rawSpan) != ByteHash(seed: 2).hash(key.rawSpan))
    }
}
