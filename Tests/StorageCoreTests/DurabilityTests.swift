import StorageCore
import Testing

@Suite struct DurabilityTests {
    private func options(_ disk: SimulatedFileSystem, _ work: BackgroundWork = .manual) -> StorageOptions {
        var options = StorageOptions()
        options.fileSystem = disk
        options.backgroundWork = work
        options.memtableByteCount = 4 << 10
        options.levelOneByteCount = 16 << 10
        options.tableByteCount = 4 << 10
        return options
    }

    @Test(
        "a storage's log is mapped where that is asked for, and only there", arguments: [LogWriting.written, .mapped])
    func logWriting(writing: LogWriting) throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        options.logWriting = writing
        options.logSegmentByteCount = 16 << 10
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        for key in UInt8(0)..<100 { try storage.write { try $0.put(keyspace, [key].rawSpan, [1].rawSpan) } }
        #expect(disk.operationCount(of: .store) == (writing == .mapped ? 100 : 0))
        let found = disk.crash(.everything)
        let again = try Storage.open(at: "/db", options: smallOptions(found))
        #expect(try keys(again.snapshot().view, again.keyspace("k")).count == 100)
    }

    @Test("what was committed is there after closing and opening", arguments: [BackgroundWork.manual, .threads])
    func reopen(work: BackgroundWork) throws {
        let disk = SimulatedFileSystem()
        do {
            let storage = try Storage.open(at: "/db", options: options(disk, work))
            let keyspace = try storage.keyspace("k")
            for index in 0..<1000 {
                try storage.write { transaction in
                    let key = Array(String(index % 500).utf8)
                    try transaction.put(keyspace, key.rawSpan, Array("value \(index)".utf8).rawSpan)
                }
            }
            try storage.close()
        }
        let storage = try Storage.open(at: "/db", options: options(disk, work))
        let keyspace = try storage.keyspace("k")
        let view = storage.snapshot().view
        for index in 500..<1000 {
            let value = try view.get(keyspace, Array(String(index % 500).utf8).rawSpan)
            #expect(value == Array("value \(index)".utf8))
        }
        #expect(try keys(view, keyspace).count == 500)
        #expect(storage.visibleSequence == SequenceNumber(1000))
        let report = try storage.verify()
        #expect(report.isHealthy, "\(report)")
        #expect(report.tableCount > 0)
        try storage.close()
    }

    @Test("what was committed is there after the process is killed")
    func killed() throws {
        let disk = SimulatedFileSystem()
        let storage = try Storage.open(at: "/db", options: options(disk))
        let keyspace = try storage.keyspace("k")
        for index in UInt8(0)..<200 {
            try storage.write { try $0.put(keyspace, [index].rawSpan, [index].rawSpan) }
        }
        let found = disk.crash(.everything)
        let reopened = try Storage.open(at: "/db", options: options(found))
        #expect(try keys(reopened.snapshot().view, try reopened.keyspace("k")).count == 200)
    }

    @Test("a checkpoint opens read-only and holds what was there when it was made")
    func checkpoint() throws {
        let disk = SimulatedFileSystem()
        let storage = try Storage.open(at: "/db", options: options(disk))
        let keyspace = try storage.keyspace("k")
        for index in UInt8(0)..<200 {
            try storage.write { try $0.put(keyspace, [index].rawSpan, Array(repeating: index, count: 100).rawSpan) }
        }
        try storage.checkpoint(to: "/copy")
        try storage.write { try $0.deleteRange(keyspace, .all) }
        try storage.compact()
        var readOnly = options(disk)
        readOnly.isReadOnly = true
        let copy = try Storage.open(at: "/copy", options: readOnly)
        #expect(try keys(copy.snapshot().view, try copy.keyspace("k")).count == 200)
        #expect(throws: StorageError.self) { try copy.write { try $0.delete(keyspace, [1].rawSpan) } }
        #expect(try keys(storage.snapshot().view, keyspace).isEmpty)
    }
}
