// StartUpTests.swift — what opening and closing cost, and what an opening takes for the end of the log.

import StorageTypes
import Testing

@testable import StorageCore

@Suite struct StartUpTests {
    private func options(_ fileSystem: CountingFileSystem) -> StorageOptions {
        var options = smallOptions(fileSystem.disk)
        options.fileSystem = fileSystem
        options.logSegmentByteCount = 16 << 10
        options.levelZeroTableCount = 1000
        return options
    }

    private func key(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 255), UInt8(number & 255)] }

    private func write(_ range: Range<Int>, _ storage: Storage, _ keyspace: Keyspace) throws {
        for number in range {
            try storage.write {
                try $0.put(keyspace, key(number).rawSpan, [UInt8](repeating: UInt8(number & 255), count: 200).rawSpan)
            }
        }
    }

    private func manifestByteCount(_ disk: SimulatedFileSystem) throws -> Int {
        let number = try #require(try ManifestFiles.current(in: "/db", disk))
        return try disk.readFile("/db/" + ManifestFiles.name(number)).count
    }

    @Test("a clean close leaves no log, and the next opening reads the manifest and no table")
    func cleanClose() throws {
        let fileSystem = CountingFileSystem()
        var storage = try Storage.open(at: "/db", options: options(fileSystem))
        let keyspace = try storage.keyspace("k")
        for round in 0..<60 {
            try write(round * 20..<round * 20 + 20, storage, keyspace)
            try storage.flush()
        }
        try write(1200..<1210, storage, keyspace)
        try storage.close()
        #expect(try LogFiles.numbers(in: "/db/log", fileSystem).isEmpty)
        #expect(fileSystem.counts.open == 0, "closing leaves no file open")
        let tableCount = try TableFiles.numbers(in: "/db/tables", fileSystem).count
        #expect(tableCount > 60)

        let manifest = try manifestByteCount(fileSystem.disk)
        fileSystem.resetCounts()
        storage = try Storage.open(at: "/db", options: options(fileSystem))
        // CURRENT and the manifest are read; a manifest, CURRENT, a log segment and the reserve are written.
        #expect(fileSystem.counts.opened <= 7, "\(tableCount) tables")
        #expect(fileSystem.counts.readByteCount <= manifest + 100)
        #expect(try keys(storage.snapshot().view, storage.keyspace("k")).count == 1210)
    }

    @Test("an opening after a crash reads the manifest and the log that was not flushed, whatever the tables hold")
    func afterCrash() throws {
        let fileSystem = CountingFileSystem()
        let storage = try Storage.open(at: "/db", options: options(fileSystem))
        let keyspace = try storage.keyspace("k")
        for round in 0..<40 {
            try write(round * 20..<round * 20 + 20, storage, keyspace)
            try storage.flush()
        }
        try write(800..<810, storage, keyspace)
        try storage.sync()
        let crashed = CountingFileSystem(fileSystem.disk.crash(.syncedOnly))
        let manifest = try manifestByteCount(crashed.disk)
        let log = try LogFiles.numbers(in: "/db/log", crashed).reduce(0) {
            try $0 + crashed.disk.readFile(LogFiles.path(of: $1, in: "/db/log")).count
        }
        #expect(log < 40 << 10, "flushed segments are gone")
        let reopened = try Storage.open(at: "/db", options: options(crashed))
        #expect(crashed.counts.readByteCount <= manifest + log + 200)
        #expect(try keys(reopened.snapshot().view, reopened.keyspace("k")).count == 810)
    }

    @Test("a log longer than the memory budget is replayed within it")
    func longLog() throws {
        let fileSystem = CountingFileSystem()
        var options = options(fileSystem)
        options.memtableByteCount = 64 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspaces = try (0..<3).map { try storage.keyspace("\($0)", options: KeyspaceOptions(isDedicated: $0 > 0)) }
        for number in 0..<3000 { try write(number..<number + 1, storage, keyspaces[number % 3]) }
        try storage.write { try $0.deleteRange(keyspaces[0], KeyRange(lower: key(0), upper: key(300))) }
        try storage.sync()
        #expect(try TableFiles.numbers(in: "/db/tables", fileSystem).isEmpty)

        let crashed = CountingFileSystem(fileSystem.disk.crash(.syncedOnly))
        options.fileSystem = crashed
        options.memoryByteBudget = 200 << 10
        let reopened = try Storage.open(at: "/db", options: options)
        // All of it would be one table for each of the three trees.
        #expect(try TableFiles.numbers(in: "/db/tables", crashed).count > 6)
        let view = reopened.snapshot().view
        #expect(try keys(view, reopened.keyspace("0")).count == 900)
        #expect(try keys(view, reopened.keyspace("1", options: KeyspaceOptions(isDedicated: true))).count == 1000)
        #expect(try reopened.verify().isHealthy)
        // Nothing is counted twice when the power goes once more.
        let again = CountingFileSystem(crashed.disk.crash(.syncedOnly))
        options.fileSystem = again
        let third = try Storage.open(at: "/db", options: options)
        #expect(try keys(third.snapshot().view, third.keyspace("0")).count == 900)
    }

    // MARK: The end of the log

    /// A storage with several log segments that was not closed, and all of it synced.
    private func unclosed() throws -> SimulatedFileSystem {
        let fileSystem = CountingFileSystem()
        var options = options(fileSystem)
        options.memtableByteCount = 64 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        try write(0..<300, storage, keyspace)
        try storage.sync()
        while try storage.step() {}
        return fileSystem.disk.crash(.syncedOnly)
    }

    private func open(_ disk: SimulatedFileSystem) throws -> Int {
        let storage = try Storage.open(at: "/db", options: smallOptions(disk))
        return try keys(storage.snapshot().view, storage.keyspace("k")).count
    }

    @Test("a log whose last segment is missing is refused, and named")
    func missingLastSegment() throws {
        let disk = try unclosed()
        let numbers = try LogFiles.numbers(in: "/db/log", disk)
        #expect(numbers.count > 3)
        let last = LogFiles.path(of: numbers[numbers.count - 1], in: "/db/log")
        try disk.remove(last)
        #expect {
            try open(disk)
        } throws: {
            let error = $0 as? StorageError
            return error?.code == .corruption && error?.location?.file == last
        }
    }

    @Test("a log that was cut below what an edit of the manifest calls synced is refused, with file and offset")
    func cutSegments() throws {
        let whole = try unclosed()
        #expect(try open(whole.crash(.everything)) == 300)
        let numbers = try LogFiles.numbers(in: "/db/log", whole)
        for number in numbers {
            let path = LogFiles.path(of: number, in: "/db/log")
            let bytes = try whole.readFile(path)
            for cut in stride(from: 0, to: bytes.count, by: 501) {
                let disk = whole.crash(.everything)
                try disk.writeFile(path, Array(bytes.prefix(cut)))
                let code = errorCode { try open(disk) }
                #expect(code == .corruption, "segment \(number) cut at \(cut)")
            }
        }
    }

    @Test(
        "a flush tells the manifest how far the log is synced, so that cutting even the last segment below is refused")
    func cutAfterFlush() throws {
        let fileSystem = CountingFileSystem()
        var options = options(fileSystem)
        options.logSegmentByteCount = 1 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let kept = try storage.keyspace("k")
        let other = try storage.keyspace("other", options: KeyspaceOptions(isDedicated: true))
        try write(0..<3, storage, kept)
        try storage.sync()
        for number in 0..<40 { try write(number..<number + 1, storage, other) }
        // Flushes the full memtables of one tree; the other's entries are in the log only.
        while try storage.step() {}
        let whole = fileSystem.disk.crash(.syncedOnly)
        let path = LogFiles.path(of: try #require(try LogFiles.numbers(in: "/db/log", whole).last), in: "/db/log")
        let bytes = try whole.readFile(path)
        let disk = whole.crash(.everything)
        try disk.writeFile(path, Array(bytes.prefix(LogSegmentHeader.byteCount + 300)))
        #expect(errorCode { try open(disk) } == .corruption)
    }
}
