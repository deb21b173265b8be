import Synchronization
import Testing

@testable import StorageCore

@Suite struct KeyspaceTests {
    @Test("options that contradict one another are refused")
    func contradictions() throws {
        let storage = try smallStorage()
        let merging = KeyspaceOptions(mergeOperator: ModelAppend(), expiry: .engine)
        #expect(errorCode { try storage.keyspace("a", options: merging) } == .invalidArgument)
        let alone = KeyspaceOptions(expiry: .operator)
        #expect(errorCode { try storage.keyspace("a", options: alone) } == .invalidArgument)
        #expect(storage.keyspaceNames.isEmpty)
    }

    static let created = KeyspaceOptions(mergeOperator: ModelAppend())
    static let others = [
        KeyspaceOptions(), KeyspaceOptions(mergeOperator: ModelTimedSet()),
        KeyspaceOptions(mergeOperator: ModelAppend(), expiry: .operator),
        KeyspaceOptions(mergeOperator: ModelAppend(), isVolatile: true),
    ]

    @Test(
        "opening a keyspace with other options is refused, in the same run and in the next", arguments: others.indices)
    func mismatch(index: Int) throws {
        let disk = SimulatedFileSystem()
        var storage = try smallStorage(disk)
        _ = try storage.keyspace("k", options: Self.created)
        #expect(errorCode { try storage.keyspace("k", options: Self.others[index]) } == .invalidArgument)
        try storage.close()
        storage = try smallStorage(disk)
        #expect(errorCode { try storage.keyspace("k", options: Self.others[index]) } == .invalidArgument)
        #expect(throws: Never.self) { try storage.keyspace("k", options: Self.created) }
        #expect(errorCode { try storage.keyspace("k", options: Self.others[index]) } == .invalidArgument)
        try storage.close()
        var readOnly = smallOptions(disk)
        readOnly.isReadOnly = true
        let copy = try Storage.open(at: "/db", options: readOnly)
        #expect(errorCode { try copy.keyspace("k", options: Self.others[index]) } == .invalidArgument)
        #expect(throws: Never.self) { try copy.keyspace("k", options: Self.created) }
        #expect(errorCode { try copy.keyspace("other") } == .notFound)
    }

    @Test("without options a keyspace is opened as it is", arguments: [false, true])
    func asItIs(isInSQLite: Bool) throws {
        let options = smallOptions(SimulatedFileSystem())
        let storage = try isInSQLite ? Storage.open(.sqlite("/k.db"), options: options) : smallStorage()
        for (name, options) in [
            ("expiring", KeyspaceOptions(expiry: .engine)), ("volatile", KeyspaceOptions(isVolatile: true)),
            ("merging", Self.created),
        ] {
            let first = try storage.keyspace(name, options: options)
            let again = try storage.keyspace(name)
            #expect(again === first || again.id == first.id)
            #expect(again.options.expiry == options.expiry && again.options.isVolatile == options.isVolatile)
            #expect(again.options.mergeOperator?.name == options.mergeOperator?.name)
        }
    }

    @Test("threads that open one new keyspace at once all get it")
    func createdAtOnce() throws {
        let storage = try smallStorage()
        let ids = Mutex<Set<UInt32>>([])
        for round in 0..<20 {
            let threads = TestThreads()
            for _ in 0..<4 {
                try threads.start {
                    let keyspace = try storage.keyspace("k\(round)")
                    ids.withLock { _ = $0.insert(keyspace.id) }
                }
            }
            #expect(threads.join() == [])
            #expect(ids.withLock { $0.count } == round + 1)
        }
    }

    @Test("threads that drop one keyspace at once: one does, the others are told that there is none")
    func droppedAtOnce() throws {
        let storage = try smallStorage()
        for round in 0..<20 {
            _ = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: round % 2 == 0))
            let codes = Mutex<[StorageError.Code?]>([])
            let threads = TestThreads()
            for _ in 0..<3 {
                try threads.start {
                    let code = errorCode { try storage.dropKeyspace("k") }
                    codes.withLock { $0.append(code) }
                }
            }
            #expect(threads.join() == [])
            #expect(codes.withLock { $0.filter { $0 == nil }.count } == 1)
            #expect(codes.withLock { $0.filter { $0 == .notFound }.count } == 2)
        }
    }

    @Test("ids are not used again, and what comes after a drop does not see what was before", arguments: [false, true])
    func dropAndRecreate(isDedicated: Bool) throws {
        let disk = SimulatedFileSystem()
        var storage = try smallStorage(disk)
        let options = KeyspaceOptions(isDedicated: isDedicated)
        let first = try storage.keyspace("k", options: options)
        try storage.write { try $0.put(first, [1].rawSpan, [1].rawSpan) }
        try storage.dropKeyspace("k")
        #expect(storage.existingKeyspace("k") == nil)
        #expect(errorCode { try storage.dropKeyspace("k") } == .notFound)
        let second = try storage.keyspace("k", options: options)
        #expect(second.id > first.id)
        #expect(try keys(storage.snapshot().view, second).isEmpty)
        try storage.close()
        storage = try smallStorage(disk)
        #expect(try keys(storage.snapshot().view, storage.keyspace("k", options: options)).isEmpty)
    }

    @Test("a write to a dropped keyspace is refused, also from a batch made before", arguments: [false, true])
    func writeToDropped(isDedicated: Bool) throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: isDedicated))
        var batch = WriteBatch()
        try batch.put(keyspace, [1].rawSpan, [1].rawSpan)
        try storage.dropKeyspace("k")
        #expect(errorCode { try storage.commit(batch) } == .notFound)
        #expect(errorCode { try storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) } } == .notFound)
        #expect(storage.visibleSequence == .zero)
    }

    @Test("a read of a dropped keyspace is refused, whatever snapshot it reads", arguments: [false, true])
    func readOfDropped(isDedicated: Bool) throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: isDedicated))
        let (key, absent) = (bytes("key"), bytes("absent"))
        try storage.write { try $0.put(keyspace, key.rawSpan, [1].rawSpan) }
        let view = storage.snapshot().view
        var cursor = try view.cursor(keyspace)
        #expect(try view.get(keyspace, key.rawSpan) == [1])
        try storage.dropKeyspace("k")
        // Not even a compaction changes what it says.
        for _ in 0..<2 {
            for key in [key, absent] {
                #expect(errorCode { try view.get(keyspace, key.rawSpan) } == .notFound)
                #expect(errorCode { try view.contains(keyspace, key.rawSpan) } == .notFound)
                #expect(errorCode { try storage.get(keyspace, key.rawSpan) } == .notFound)
                #expect(errorCode { try storage.write { try $0.get(keyspace, key.rawSpan) } } == .notFound)
            }
            #expect(errorCode { try view.multiGet(keyspace, [key, absent]) } == .notFound)
            #expect(errorCode { _ = try view.cursor(keyspace) } == .notFound)
            #expect(errorCode { try storage.write { _ = try $0.cursor(keyspace) } } == .notFound)
            try storage.compact()
        }
        // Who was reading reads on.
        try cursor.seekToFirst()
        let isValid = cursor.isValid
        #expect(isValid)
        let again = try storage.keyspace("k")
        #expect(try storage.get(again, key.rawSpan) == nil)
    }

    @Test("the tables of a dropped keyspace go with their last reader")
    func droppedTablesGo() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk)
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: true))
        for key in UInt8(0)..<50 {
            let value = (0..<400).map { _ in UInt8.random(in: 0...255) }
            try storage.write { try $0.put(keyspace, [key].rawSpan, value.rawSpan) }
        }
        try storage.compact()
        #expect(try disk.list("/db/tables").count > 2)
        do {
            var cursor = try storage.snapshot().view.cursor(keyspace)
            try storage.dropKeyspace("k")
            try cursor.seekToFirst()
            let isValid = cursor.isValid
            #expect(isValid, "a cursor goes on reading")
            #expect(try disk.list("/db/tables").count > 2, "what it reads is kept for it")
        }
        #expect(try disk.list("/db/tables").isEmpty)
    }

    @Test("a volatile keyspace is empty when the storage is opened again, and costs no log")
    func volatile() throws {
        let disk = SimulatedFileSystem()
        var storage = try smallStorage(disk)
        let options = KeyspaceOptions(isVolatile: true)
        let keyspace = try storage.keyspace("s", options: options)
        let before = disk.operationCount
        for key in UInt8(0)..<100 {
            try storage.write { try $0.put(keyspace, [key].rawSpan, [UInt8](repeating: 1, count: 200).rawSpan) }
        }
        #expect(disk.operationCount == before)
        #expect(try keys(storage.snapshot().view, keyspace).count == 100)
        try storage.close()
        storage = try smallStorage(disk)
        #expect(try keys(storage.snapshot().view, storage.keyspace("s", options: options)).isEmpty)
    }

    @Test("a thousand small keyspaces share a few files")
    func thousandKeyspaces() throws {
        let disk = SimulatedFileSystem()
        var storage = try smallStorage(disk)
        var batch = WriteBatch()
        for index in 0..<1000 {
            let keyspace = try storage.keyspace("k\(index)")
            try batch.put(keyspace, bytes("key").rawSpan, bytes("value \(index)").rawSpan)
        }
        try storage.commit(batch)
        try storage.close()
        storage = try smallStorage(disk)
        #expect(storage.keyspaceNames.count == 1000)
        let view = storage.snapshot().view
        for index in stride(from: 0, to: 1000, by: 37) {
            #expect(try view.get(storage.keyspace("k\(index)"), bytes("key").rawSpan) == bytes("value \(index)"))
        }
        #expect(try disk.list("/db/tables").count <= 2)
        #expect(try disk.list("/db/log").count <= 2)
    }
}
