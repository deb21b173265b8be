// The code of Docs/guides/storage.md, compiled and run.

import StorageCore
import Testing

private func eventKey(_ user: String, _ time: Int64) -> [UInt8] {
    var key = KeyEncoder()
    key.append(string: user)
    key.append(int64: time)
    return key.bytes
}

private func time(of key: RawSpan) throws -> Int64 {
    var decoder = KeyDecoder(key)
    _ = try decoder.string()
    return try decoder.int64()
}

private func times(of user: String, in events: Keyspace, _ view: ReadView) throws -> [Int64] {
    var prefix = KeyEncoder()
    prefix.append(string: user)
    var times: [Int64] = []
    var cursor = try view.cursor(events, .prefix(prefix.bytes))
    try cursor.seekToFirst()
    while cursor.isValid {
        times.append(try time(of: cursor.key))
        try cursor.next()
    }
    return times
}

/// Adds numbers.
private struct Sum: MergeOperator {
    var name: String { "sum" }

    static func bytes(_ number: Int64) -> [UInt8] {
        var encoder = KeyEncoder()
        encoder.append(int64: number)
        return encoder.bytes
    }

    static func number(_ bytes: RawSpan) throws -> Int64 {
        var decoder = KeyDecoder(bytes)
        return try decoder.int64()
    }

    func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) throws {
        result += Self.bytes(try Self.number(older) &+ Self.number(newer))
    }
}

private struct OutOfStock: Error {}

@Suite("Guide to the storage")
struct StorageGuideTests {
    private let clock = ManualClock()
    private let options: StorageOptions

    init() {
        var options = StorageOptions()
        options.fileSystem = SimulatedFileSystem()
        options.clock = clock
        self.options = options
    }

    @Test("the guide's code does what the guide says")
    func code() throws {
        let storage = try Storage.open(at: "/srv/app", options: options)
        let users = try storage.keyspace("users")
        let events = try storage.keyspace("events")

        let ada = Array("ada".utf8)
        try storage.write(.synced) { transaction in
            try transaction.put(users, ada.rawSpan, Array("Ada Lovelace".utf8).rawSpan)
            try transaction.put(events, eventKey("ada", 0).rawSpan, Array("join".utf8).rawSpan)
        }
        #expect(storage.durableSequence == storage.visibleSequence)
        var batch = WriteBatch()
        for time in Int64(1)..<10 {
            try batch.put(events, eventKey("ada", time).rawSpan, Array("chat".utf8).rawSpan)
        }
        try storage.commit(batch)

        let name = try storage.get(users, ada.rawSpan)
        let length = try storage.withValue(users, ada.rawSpan) { $0.byteCount }
        #expect(name == Array("Ada Lovelace".utf8) && length == 12)
        let snapshot = storage.snapshot()
        let early = KeyRange(lower: eventKey("ada", 0), upper: eventKey("ada", 8))
        try storage.write { try $0.deleteRange(events, early) }
        let before = try times(of: "ada", in: events, snapshot.view)
        let after = try times(of: "ada", in: events, storage.snapshot().view)
        #expect(before == Array(0..<10) && after == [8, 9])

        let stock = try storage.keyspace("stock", options: KeyspaceOptions(mergeOperator: Sum()))
        let product = Array("prod_001".utf8)
        try storage.write { try $0.merge(stock, product.rawSpan, Sum.bytes(3).rawSpan) }
        try storage.write { try $0.merge(stock, product.rawSpan, Sum.bytes(-2).rawSpan) }
        #expect(try storage.get(stock, product.rawSpan) == Sum.bytes(1))

        func takeOne(_ product: [UInt8]) throws {
            try storage.write(.synced) { transaction in
                let left = try transaction.withValue(stock, product.rawSpan) { try Sum.number($0) } ?? 0
                guard left > 0 else { throw OutOfStock() }
                try transaction.put(stock, product.rawSpan, Sum.bytes(left - 1).rawSpan)
            }
        }
        try takeOne(product)
        #expect(throws: OutOfStock.self) { try takeOne(product) }
        #expect(try storage.get(stock, product.rawSpan) == Sum.bytes(0))

        let tokens = try storage.keyspace("tokens", options: KeyspaceOptions(expiry: .engine))
        let token = Array("token".utf8)
        let end = storage.clock.now.advanced(by: .seconds(1800))
        try storage.write { try $0.put(tokens, token.rawSpan, ada.rawSpan, expiry: end) }
        #expect(try storage.get(tokens, token.rawSpan) == ada)
        clock.advance(by: .seconds(1800))
        #expect(try storage.get(tokens, token.rawSpan) == nil)

        try storage.checkpoint(to: "/backup/app")
        let report = try storage.verify()
        #expect(report.isHealthy, "\(report)")
        try storage.close()

        let copy = try Storage.open(at: "/backup/app", options: options)
        #expect(try copy.get(copy.keyspace("users"), ada.rawSpan) == name)
        #expect(try times(of: "ada", in: copy.keyspace("events"), copy.snapshot().view) == after)
        try copy.close()
    }

    @Test("what is over the guide's limits is refused with the codes that it names")
    func limits() throws {
        let storage = try Storage.open(at: "/srv/app", options: options)
        let users = try storage.keyspace("users")
        var batch = WriteBatch()
        let key = [UInt8](repeating: 1, count: (256 << 10) - 4)
        let largest = [UInt8](repeating: 2, count: 32 << 20)
        #expect(errorCode { try batch.put(users, (key + [1]).rawSpan, [1].rawSpan) } == .keyTooLarge)
        #expect(errorCode { try batch.put(users, [1].rawSpan, (largest + [2]).rawSpan) } == .valueTooLarge)
        try batch.put(users, key.rawSpan, largest.rawSpan)
        #expect(errorCode { try batch.put(users, [2].rawSpan, largest.rawSpan) } == .batchTooLarge)
        try storage.close()
    }
}
