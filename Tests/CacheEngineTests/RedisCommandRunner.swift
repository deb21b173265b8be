// Commands as text on the Swift API, for the conformance cases.

import StorageTypes

@testable import CacheEngine

struct RedisCommandRunner {
    let clock = ManualClock()
    let cache: CacheStore

    init() {
        cache = CacheStore(options: CacheOptions(shardCount: 2, clock: clock, seed: 1, runsInBackground: false))
    }

    private static let commands: Set<String> = [
        "get", "set", "setnx", "setex", "psetex", "getset", "getex", "getdel", "append", "strlen", "incr", "decr",
        "incrby",
        "decrby", "incrbyfloat", "mget", "mset", "msetnx", "hset", "hmset", "hsetnx", "hget", "hmget", "hgetall",
        "hdel",
        "hlen", "hexists", "hkeys", "hvals", "hincrby", "hincrbyfloat", "lpush", "rpush", "lpushx", "rpushx", "lrange",
        "ltrim", "llen", "lpop", "rpop", "lindex", "lset", "sadd", "srem", "sismember", "scard", "smembers", "del",
        "unlink", "exists", "type", "expire", "pexpire", "expireat", "pexpireat", "ttl", "pttl", "expiretime",
        "pexpiretime", "persist", "keys", "dbsize", "flushall", "flushdb",
    ]

    static func supports(_ words: [String]) -> Bool {
        words.first.map { commands.contains($0.lowercased()) } ?? false
    }

    func run(_ words: [String]) -> RedisReply {
        do {
            let name = words[0].lowercased()
            let arguments = Array(words.dropFirst())
            return try strings(name, arguments) ?? hashes(name, arguments) ?? lists(name, arguments)
                ?? keys(name, arguments) ?? .text("ERR unknown command '\(name)'")
        } catch {
            return .text("\(error)")
        }
    }

    private func integer(_ text: String) throws(CacheError) -> Int64 {
        guard let value = Int64(text) else { throw .notAnInteger }
        return value
    }

    private func pairs(_ words: ArraySlice<String>) -> [(key: [UInt8], value: [UInt8])] {
        let list = Array(words)
        return stride(from: 0, to: list.count - 1, by: 2).map { (Array(list[$0].utf8), Array(list[$0 + 1].utf8)) }
    }

    private func strings(_ name: String, _ a: [String]) throws -> RedisReply? {
        switch name {
        case "get": return RedisReply(try cache.get(a[0]))
        case "set": return try set(a)
        case "setnx": return RedisReply(try cache.set(a[0], a[1], when: .ifAbsent))
        case "setex": try cache.set(a[0], a[2], expiresIn: .seconds(integer(a[1])))
        case "psetex": try cache.set(a[0], a[2], expiresIn: .milliseconds(integer(a[1])))
        case "getset": return RedisReply(try cache.exchange(a[0], a[1]))
        case "getex": return RedisReply(try cache.get(a[0], renewing: expiry(Array(a.dropFirst())) ?? .keep))
        case "getdel": return RedisReply(try cache.getAndDelete(a[0]))
        case "append": return RedisReply(try cache.append(a[1], to: a[0]))
        case "strlen": return RedisReply(try cache.byteCount(of: a[0]))
        case "incr": return .integer(try cache.increment(a[0]))
        case "decr": return .integer(try cache.decrement(a[0]))
        case "incrby": return .integer(try cache.increment(a[0], by: integer(a[1])))
        case "decrby": return .integer(try cache.decrement(a[0], by: integer(a[1])))
        case "incrbyfloat": return .text(try cache.incrementFloat(a[0], by: a[1]))
        case "mget": return .array(cache.get(a).map { RedisReply($0) })
        case "mset": try cache.set(pairs(a[...]))
        case "msetnx": return RedisReply(try cache.setIfAllAbsent(pairs(a[...])))
        default: return nil
        }
        return .text("OK")
    }

    private func set(_ a: [String]) throws -> RedisReply {
        let options = a.dropFirst(2).map { $0.lowercased() }
        let condition: CacheWriteCondition? =
            options.contains("nx") ? .ifAbsent : options.contains("xx") ? .ifPresent : nil
        let expiry = try expiry(Array(a.dropFirst(2))) ?? .never
        if options.contains("get") {
            return RedisReply(try cache.exchange(a[0], a[1], expiry: expiry, when: condition))
        }
        return try cache.set(a[0], a[1], expiry: expiry, when: condition) ? .text("OK") : .null
    }

    private func expiry(_ words: [String]) throws -> CacheExpiry? {
        for (position, word) in words.enumerated() {
            switch word.lowercased() {
            case "ex": return try .after(.seconds(integer(words[position + 1])))
            case "px": return try .after(.milliseconds(integer(words[position + 1])))
            case "exat": return try .at(StorageInstant(seconds: integer(words[position + 1])))
            case "pxat": return try .at(StorageInstant(milliseconds: integer(words[position + 1])))
            case "keepttl": return .keep
            case "persist": return .never
            default: continue
            }
        }
        return nil
    }

    private func hashes(_ name: String, _ a: [String]) throws -> RedisReply? {
        let fields = pairs(a.dropFirst()).map { CacheField(name: $0.key, value: $0.value) }
        switch name {
        case "hset": return RedisReply(try cache.setFields(fields, of: a[0]))
        case "hmset":
            try cache.setFields(fields, of: a[0])
            return .text("OK")
        case "hsetnx": return RedisReply(try cache.setField(a[1], of: a[0], to: a[2], when: .ifAbsent))
        case "hget": return RedisReply(try cache.field(a[1], of: a[0]))
        case "hmget": return .array(try cache.fields(Array(a.dropFirst()), of: a[0]).map { RedisReply($0) })
        case "hgetall": return RedisReply(try cache.allFields(of: a[0]).flatMap { [$0.name, $0.value] })
        case "hdel": return RedisReply(try cache.removeFields(Array(a.dropFirst()), of: a[0]))
        case "hlen": return RedisReply(try cache.fieldCount(of: a[0]))
        case "hexists": return RedisReply(try cache.hasField(a[1], of: a[0]))
        case "hkeys": return RedisReply(try cache.allFields(of: a[0]).map(\.name))
        case "hvals": return RedisReply(try cache.allFields(of: a[0]).map(\.value))
        case "hincrby": return .integer(try cache.incrementField(a[1], of: a[0], by: integer(a[2])))
        case "hincrbyfloat": return .text(try cache.incrementFieldFloat(a[1], of: a[0], by: a[2]))
        default: return nil
        }
    }

    private func lists(_ name: String, _ a: [String]) throws -> RedisReply? {
        let rest = Array(a.dropFirst())
        switch name {
        case "lpush", "lpushx":
            return RedisReply(try cache.push(rest, to: .head, of: a[0], ifPresent: name == "lpushx"))
        case "rpush", "rpushx":
            return RedisReply(try cache.push(rest, to: .tail, of: a[0], ifPresent: name == "rpushx"))
        case "lrange": return RedisReply(try cache.elements(Int(integer(a[1])), Int(integer(a[2])), of: a[0]))
        case "ltrim": try cache.trim(a[0], to: Int(integer(a[1])), Int(integer(a[2])))
        case "llen": return RedisReply(try cache.elementCount(of: a[0]))
        case "lpop", "rpop":
            let end: CacheListEnd = name == "lpop" ? .head : .tail
            guard a.count > 1 else { return RedisReply(try cache.pop(from: end, of: a[0])) }
            return try cache.pop(Int(integer(a[1])), from: end, of: a[0]).map { RedisReply($0) } ?? .null
        case "lindex": return RedisReply(try cache.element(at: Int(integer(a[1])), of: a[0]))
        case "lset": try cache.setElement(at: Int(integer(a[1])), of: a[0], to: a[2])
        case "sadd": return RedisReply(try cache.addMembers(rest, to: a[0]))
        case "srem": return RedisReply(try cache.removeMembers(rest, from: a[0]))
        case "sismember": return RedisReply(try cache.isMember(a[1], of: a[0]))
        case "scard": return RedisReply(try cache.memberCount(of: a[0]))
        case "smembers": return RedisReply(try cache.members(of: a[0]))
        default: return nil
        }
        return .text("OK")
    }

    private func keys(_ name: String, _ a: [String]) throws -> RedisReply? {
        switch name {
        case "del", "unlink": return RedisReply(try cache.delete(a))
        case "exists": return RedisReply(a.count { cache.exists($0) })
        case "type": return .text(cache.type(of: a[0])?.rawValue ?? "none")
        case "expire": return RedisReply(try cache.expire(a[0], after: .seconds(integer(a[1])), when: condition(a)))
        case "pexpire":
            return RedisReply(try cache.expire(a[0], after: .milliseconds(integer(a[1])), when: condition(a)))
        case "expireat":
            return RedisReply(try cache.expire(a[0], at: StorageInstant(seconds: integer(a[1])), when: condition(a)))
        case "pexpireat":
            return RedisReply(
                try cache.expire(a[0], at: StorageInstant(milliseconds: integer(a[1])), when: condition(a)))
        case "ttl": return .integer(cache.timeToLive(of: a[0]).seconds)
        case "pttl": return .integer(cache.timeToLive(of: a[0]).milliseconds)
        case "expiretime", "pexpiretime":
            guard let expiry = cache.expiry(of: a[0]) else { return .integer(cache.exists(a[0]) ? -1 : -2) }
            return .integer(name == "expiretime" ? (expiry.milliseconds + 500) / 1000 : expiry.milliseconds)
        case "persist": return RedisReply(try cache.persist(a[0]))
        case "keys": return RedisReply(cache.keys(matching: a[0]))
        case "dbsize": return RedisReply(cache.count)
        case "flushall", "flushdb":
            try cache.removeAll()
            return .text("OK")
        default: return nil
        }
    }

    private func condition(_ a: [String]) -> CacheExpiryCondition? {
        switch a.dropFirst(2).first?.lowercased() {
        case "nx": .ifPersistent
        case "xx": .ifVolatile
        case "gt": .ifLater
        case "lt": .ifEarlier
        default: nil
        }
    }
}
