// The cache on one thread: tokens of 64 bytes with a time to live.

import BenchmarkKit
import CacheEngine

struct CacheLines {
    let context: EngineContext
    private static let names = ["cache set with TTL", "cache get"]

    func run() async throws {
        guard context.includesAny(of: Self.names) else { return }
        context.report.heading("Cache: \(context.sizes.cacheKeys) tokens with a time to live, one thread, in memory")
        let filled = CacheStore()
        try await context.report.line(Self.names[0], ours: { try set(in: CacheStore()) })
        _ = try set(in: filled)
        noteOverhead(of: filled)
        try await context.report.line(Self.names[1], ours: { try get(from: filled) })
    }

    private func set(in cache: CacheStore) throws -> Timing {
        let value = [UInt8](repeating: 7, count: 64)
        return try measure { meter in
            var key = Self.key(0)
            for index in 0..<context.sizes.cacheKeys {
                Self.write(index, into: &key)
                try cache.set(key, value, expiresIn: .seconds(3_600))
            }
            meter.count(operations: context.sizes.cacheKeys)
            return UInt64(context.sizes.cacheKeys)
        }
    }

    private func get(from cache: CacheStore) throws -> Timing {
        try measure { meter in
            var key = Self.key(0)
            var buffer: [UInt8] = []
            buffer.reserveCapacity(64)
            var found: UInt64 = 0
            for step in 0..<context.sizes.cacheKeys {
                let index = randomIndex(step: step, seed: context.workload.seed, count: context.sizes.cacheKeys)
                Self.write(index, into: &key)
                buffer.removeAll(keepingCapacity: true)
                found += try cache.get(key, appendingTo: &buffer) ? 1 : 0
            }
            meter.count(operations: context.sizes.cacheKeys)
            return found
        }
    }

    private func noteOverhead(of cache: CacheStore) {
        let payload = (Self.key(0).count + 64) * context.sizes.cacheKeys
        let overhead = (cache.usedMemoryByteCount - payload) / context.sizes.cacheKeys
        context.report.note("memory beside key and value: \(overhead) bytes a key")
    }

    /// `token:` and eight digits.
    private static func key(_ index: Int) -> [UInt8] {
        var key = Array("token:00000000".utf8)
        write(index, into: &key)
        return key
    }

    private static func write(_ index: Int, into key: inout [UInt8]) {
        var rest = index
        for place in stride(from: 13, through: 6, by: -1) {
            key[place] = 48 + UInt8(rest % 10)
            rest /= 10
        }
    }
}
