// SQLiteOpeningTests.swift — a SQLite file opened on a disk that is full already: reads go on, writes wait for room.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("SQLite: opening on a full disk")
struct SQLiteOpeningTests {
    private static let path = "/db/shop.db"

    private func options(_ disk: SimulatedFileSystem, _ work: BackgroundWork = .manual) -> StorageOptions {
        var options = smallOptions(disk, work == .manual ? ManualClock() : SystemClock(), work)
        options.logSegmentByteCount = 64 << 10
        return options
    }

    private func open(_ disk: SimulatedFileSystem, _ work: BackgroundWork = .manual) throws -> Storage {
        try Storage.open(.sqlite(Self.path), options: options(disk, work))
    }

    private typealias Content = [String: [[UInt8]: [UInt8]]]

    private func content(_ storage: Storage, _ snapshot: Snapshot? = nil) throws -> Content {
        var content: Content = [:]
        for name in storage.keyspaceNames where name != "new" {
            let keyspace = try #require(storage.existingKeyspace(name))
            content[name] = try crashContent((snapshot ?? storage.snapshot()).view, keyspace)
        }
        return content
    }

    /// A storage with rows in the file, in the log, and in a volatile keyspace; as the disk was left.
    private func makeStorage(closed: Bool) throws -> (SimulatedFileSystem, Content) {
        let disk = SimulatedFileSystem(seed: 11)
        let storage = try open(disk)
        let keyspaces = try ["a", "b"].map { try storage.keyspace($0) }
        let volatile = try storage.keyspace("v", options: KeyspaceOptions(isVolatile: true))
        var random = SeededRandom(seed: 12)
        for number in UInt8(0)..<120 {
            try storage.write { transaction in
                for keyspace in keyspaces {
                    try transaction.put(keyspace, [number % 90].rawSpan, random.bytes(90).rawSpan)
                }
                try transaction.put(volatile, [number % 50].rawSpan, random.bytes(200).rawSpan)
            }
        }
        var content = try content(storage)
        content["v"] = [:]
        if closed { try storage.close() } else { try storage.sync() }
        return (disk.crash(.everything), content)
    }

    private func check(_ disk: SimulatedFileSystem, _ expected: Content, _ comment: Comment) throws {
        disk.capacity = nil
        let storage = try open(disk)
        #expect(storage.sqlite?.unfinished == nil, comment)
        #expect(try content(storage) == expected, comment)
        let report = try storage.verify()
        #expect(report.isHealthy, "\(comment): \(report)")
    }

    @Test(
        "however little room there is, everything can be read, and writes go on once there is room",
        arguments: [false, true])
    func everyCapacity(closed: Bool) throws {
        let (image, expected) = try makeStorage(closed: closed)
        var (fullCount, room) = (0, Int64(0))
        while true {
            let disk = image.crash(.everything)
            disk.capacity = disk.usedByteCount + room
            let comment: Comment = "\(room) bytes of room"
            let storage = try open(disk)
            #expect(try content(storage) == expected, comment)
            if storage.sqlite?.unfinished == nil { break }
            fullCount += 1
            try expectRefusals(of: storage, comment)
            #expect(try content(storage) == expected, comment)
            let problems = try storage.verify().problems
            #expect(problems.count == 1 && problems[0].hasPrefix("flush keeps failing: diskFull"), "\(problems)")
            let survivors: [SimulatedFileSystem.Survivors] = [.everything, .syncedOnly, .reordered]
            try check(disk.crash(survivors[fullCount % 3]), expected, comment)
            disk.capacity = nil
            try finish(storage, disk, expected, comment)
            room += 7919
            #expect(room < 4 << 20)
        }
        #expect(fullCount > 2, "the disk was hardly ever full")
    }

    private func finish(
        _ storage: Storage, _ disk: SimulatedFileSystem, _ expected: Content, _ comment: Comment
    ) throws {
        let before = storage.snapshot()
        #expect(try storage.step(), comment)
        let keyspace = try storage.keyspace("a")
        let volatile = try #require(storage.existingKeyspace("v"))
        try storage.write(.synced) { transaction in
            try transaction.put(keyspace, [200].rawSpan, [1].rawSpan)
            try transaction.put(volatile, [1].rawSpan, [2].rawSpan)
        }
        #expect(try content(storage, before) == expected, comment)
        var written = try content(storage)
        #expect(written["a"]?[[200]] == [1] && written["v"] == [[1]: [2]], comment)
        written["v"] = [:]
        try check(disk.crash(.syncedOnly), written, "\(comment), killed after writing")
        while try storage.step() {}
        #expect(try storage.verify().isHealthy, comment)
        #expect(try content(storage, before) == expected, comment)
        try storage.close()
        #expect(try disk.list("/db") == ["shop.db"], comment)
        try check(disk, written, "\(comment), closed after writing")
    }

    @Test("a power cut at any step of what the opening had left to do loses nothing")
    func powerCut() throws {
        let (image, expected) = try makeStorage(closed: false)
        for room in [0, 100_000] as [Int64] {
            var step = 0
            while true {
                let disk = image.crash(.everything)
                disk.capacity = disk.usedByteCount + room
                let storage = try open(disk)
                #expect(storage.sqlite?.unfinished != nil, "\(room) bytes of room")
                disk.capacity = nil
                step += 1
                disk.cutPower(atOperation: disk.operationCount + step)
                _ = try? storage.step()
                if !disk.isPowerOff { break }
                let survivors: [SimulatedFileSystem.Survivors] = [.everything, .syncedOnly, .reordered]
                try check(disk.crash(survivors[step % 3]), expected, "\(room), step \(step)")
            }
            #expect(step > 5)
        }
    }

    @Test("a storage that found no room can be closed, and be opened again and again")
    func closing() throws {
        let (image, expected) = try makeStorage(closed: false)
        let disk = image.crash(.everything)
        disk.capacity = disk.usedByteCount
        for _ in 0..<3 {
            let storage = try open(disk)
            #expect(storage.sqlite?.unfinished != nil)
            #expect(try content(storage) == expected)
            try storage.close()
            #expect(errorCode { try storage.flush() } == .closed)
        }
        try check(disk, expected, "with room")
    }

    @Test("a log that can't be made leaves the file readable, and is made by the first write for which there is room")
    func noLog() throws {
        let (image, expected) = try makeStorage(closed: true)
        let disk = image.crash(.everything)
        disk.failOperation(number: 1, once: false, with: .diskFull, kind: .create)
        let storage = try open(disk)
        #expect(try content(storage) == expected)
        let keyspace = try storage.keyspace("a")
        func write() throws { try storage.write(.synced) { try $0.put(keyspace, [200].rawSpan, [1].rawSpan) } }
        #expect(errorCode(write) == .diskFull)
        #expect(try content(storage) == expected)
        disk.clearFaults()
        _ = try? storage.step()
        try write()
        var written = expected
        written["a"]?[[200]] = [1]
        try check(disk.crash(.syncedOnly), written, "killed")
        try storage.close()
        try check(disk, written, "closed")
    }

    @Test("other failures than a full disk still refuse the opening, and so does a disk without room for a new file")
    func otherFailures() throws {
        let (image, expected) = try makeStorage(closed: false)
        let disk = image.crash(.everything)
        disk.failOperation(number: 1, once: true, with: .ioFailure, kind: .write)
        #expect(throws: StorageError.self) { try open(disk) }
        disk.clearFaults()
        try check(disk, expected, "a failed write")
        let empty = SimulatedFileSystem()
        empty.capacity = 10
        #expect(errorCode { try open(empty) } == .diskFull)
        empty.capacity = nil
        #expect(try open(empty).keyspaceNames == [])
    }

    @Test("threads notice by themselves that there is room")
    func threads() throws {
        let (image, expected) = try makeStorage(closed: false)
        let disk = image.crash(.everything)
        disk.capacity = disk.usedByteCount
        let storage = try open(disk, .threads)
        #expect(try content(storage) == expected)
        let keyspace = try storage.keyspace("a")
        func write() throws { try storage.write(.synced) { try $0.put(keyspace, [200].rawSpan, [1].rawSpan) } }
        #expect(errorCode(write) == .diskFull)
        disk.capacity = nil
        let deadline = ContinuousClock.now + .seconds(600)
        while errorCode(write) != nil, ContinuousClock.now < deadline { TestPause.short() }
        try write()
        try storage.close()
        var written = expected
        written["a"]?[[200]] = [1]
        try check(disk, written, "closed")
    }
}
