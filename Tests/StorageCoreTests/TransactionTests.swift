import StorageCore
import Testing

@Suite struct TransactionTests {
    @Test("a transaction reads its own writes, through look-ups and cursors")
    func readsOwnWrites() throws {
        let storage = try Storage.inMemory()
        let keyspace = try storage.keyspace("k")
        try storage.write { transaction in
            try transaction.put(keyspace, [1].rawSpan, [10].rawSpan)
            try transaction.put(keyspace, [3].rawSpan, [30].rawSpan)
        }
        try storage.write { transaction in
            try transaction.put(keyspace, [2].rawSpan, [20].rawSpan)
            try transaction.delete(keyspace, [3].rawSpan)
            #expect(try transaction.get(keyspace, [2].rawSpan) == [20])
            #expect(try transaction.get(keyspace, [3].rawSpan) == nil)
            #expect(try keys(transaction.view, keyspace) == [[1], [2]])
            #expect(try keysBackward(transaction.view, keyspace) == [[2], [1]])
        }
        #expect(try keys(storage.snapshot().view, keyspace) == [[1], [2]])
    }

    @Test("a body that throws leaves nothing behind")
    func throwingDiscards() throws {
        struct Refusal: Error {}
        let storage = try Storage.inMemory()
        let keyspace = try storage.keyspace("k")
        #expect(throws: Refusal.self) {
            try storage.write { transaction in
                try transaction.put(keyspace, [1].rawSpan, [1].rawSpan)
                throw Refusal()
            }
        }
        #expect(try storage.snapshot().view.get(keyspace, [1].rawSpan) == nil)
        #expect(storage.visibleSequence == .zero)
    }

    @Test("a range delete hides what came before it in the batch and below, not what comes after")
    func rangeDeleteInBatch() throws {
        let storage = try Storage.inMemory()
        let keyspace = try storage.keyspace("k")
        try storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) }
        try storage.write { transaction in
            try transaction.put(keyspace, [2].rawSpan, [2].rawSpan)
            try transaction.deleteRange(keyspace, .all)
            try transaction.put(keyspace, [3].rawSpan, [3].rawSpan)
            #expect(try keys(transaction.view, keyspace) == [[3]])
        }
        #expect(try keys(storage.snapshot().view, keyspace) == [[3]])
    }

    @Test("tasks that write at once take turns", arguments: [64])
    func concurrentWriters(count: Int) async throws {
        let storage = try Storage.inMemory()
        let keyspace = try storage.keyspace("k")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await storage.write { transaction in
                        let value = try transaction.get(keyspace, [0].rawSpan)?.first ?? 0
                        try transaction.put(keyspace, [0].rawSpan, [value + 1].rawSpan)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try storage.snapshot().view.get(keyspace, [0].rawSpan) == [UInt8(count)])
    }

    @Test("what is refused counts for no change")
    func changeCount() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        try storage.write { transaction in
            #expect(throws: StorageError.self) {
                try transaction.put(keyspace, [UInt8](repeating: 0, count: 300 << 10).rawSpan, [1].rawSpan)
            }
            #expect(throws: StorageError.self) {
                try transaction.put(keyspace, [1].rawSpan, [UInt8](repeating: 0, count: 33 << 20).rawSpan)
            }
            #expect(transaction.changeCount == 0)
            try transaction.put(keyspace, [1].rawSpan, [1].rawSpan)
            #expect(transaction.changeCount == 1)
        }
        #expect(try keys(storage.snapshot().view, keyspace) == [[1]])
    }
}

/// Every key of a keyspace, forwards.
func keys(_ view: ReadView, _ keyspace: Keyspace) throws -> [[UInt8]] {
    var keys: [[UInt8]] = []
    var cursor = try view.cursor(keyspace)
    try cursor.seekToFirst()
    while cursor.isValid {
        keys.append(cursor.key.array())
        try cursor.next()
    }
    return keys
}

func keysBackward(_ view: ReadView, _ keyspace: Keyspace) throws -> [[UInt8]] {
    var keys: [[UInt8]] = []
    var cursor = try view.cursor(keyspace)
    try cursor.seekToLast()
    while cursor.isValid {
        keys.append(cursor.key.array())
        try cursor.previous()
    }
    return keys
}
