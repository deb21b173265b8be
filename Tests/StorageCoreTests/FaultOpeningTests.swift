// FaultOpeningTests.swift — opening on a disk that is full already: reads go on, writes wait for room, nothing is lost.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Opening on a full disk")
struct FaultOpeningTests {
    /// How the storage was left, and how it is opened.
    struct Case: CustomTestStringConvertible, Sendable {
        var isClosed = false
        var reserveByteCount: Int64 = 0
        var logWriting = LogWriting.written
        var isArchiving = false
        var memoryByteBudget = 512 << 20

        var testDescription: String {
            "\(isClosed ? "closed" : "killed"), reserve \(reserveByteCount), \(logWriting), archive \(isArchiving), "
                + "memory \(memoryByteBudget)"
        }
    }

    static let cases = [
        Case(), Case(isClosed: true), Case(reserveByteCount: 2 << 10), Case(logWriting: .mapped),
        Case(isArchiving: true), Case(memoryByteBudget: 64 << 10),
    ]

    private func options(_ disk: SimulatedFileSystem, _ which: Case, _ archive: SimulatedFileSystem) -> StorageOptions {
        var options = CrashWorkload.storageOptions(disk, ManualClock(), which.logWriting)
        options.reserveByteCount = which.reserveByteCount
        options.memoryByteBudget = which.memoryByteBudget
        options.logByteBudget = 1 << 20
        options.memtableByteCount = 64 << 10
        if which.isArchiving { options.logArchive = DirectoryLogArchive(directory: "/archive", fileSystem: archive) }
        return options
    }

    private struct Content: Equatable {
        var keyspaces: [String: [[UInt8]: [UInt8]]] = [:]

        init(_ storage: Storage) throws {
            for name in storage.keyspaceNames {
                keyspaces[name] = try crashContent(storage.snapshot().view, storage.keyspace(name))
            }
        }
    }

    /// A storage with tables and, unless it was closed, a log that is in no table; as the disk was left.
    private func makeStorage(_ which: Case, _ archive: SimulatedFileSystem) throws -> (SimulatedFileSystem, Content) {
        let disk = SimulatedFileSystem(seed: 11)
        let storage = try Storage.open(at: "/db", options: options(disk, which, archive))
        let keyspaces = try ["a", "b", "own"].map {
            try storage.keyspace($0, options: KeyspaceOptions(isDedicated: $0 == "own"))
        }
        var random = SeededRandom(seed: 12)
        for number in UInt8(0)..<120 {
            for keyspace in keyspaces {
                let value = (0..<60).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                try storage.write { try $0.put(keyspace, [number % 90].rawSpan, value.rawSpan) }
            }
            if number == 70 { try storage.settle() }
        }
        try storage.write { try $0.deleteRange(keyspaces[0], KeyRange(lower: [3], upper: [9])) }
        let content = try Content(storage)
        if which.isClosed { try storage.close() } else { try storage.sync() }
        return (disk.crash(.everything), content)
    }

    private func check(_ disk: SimulatedFileSystem, _ which: Case, _ expected: Content, _ comment: Comment) throws {
        disk.capacity = nil
        let storage = try Storage.open(at: "/db", options: options(disk, which, SimulatedFileSystem()))
        #expect(storage.unfinished == nil, comment)
        #expect(try Content(storage) == expected, comment)
        let report = try storage.verify()
        #expect(report.isHealthy, "\(comment): \(report)")
    }

    @Test("however little room there is, everything can be read, and writes go on once there is room", arguments: cases)
    func everyCapacity(_ which: Case) throws {
        let archive = SimulatedFileSystem(seed: 2)
        let (image, expected) = try makeStorage(which, archive)
        var fullCount = 0
        var room: Int64 = 0
        while true {
            let disk = image.crash(.everything)
            disk.capacity = disk.usedByteCount + room
            let comment: Comment = "\(room) bytes of room"
            let storage = try Storage.open(at: "/db", options: options(disk, which, archive.crash(.everything)))
            #expect(try Content(storage) == expected, comment)
            if storage.unfinished == nil { break }
            fullCount += 1
            try checkRefusals(storage, comment)
            #expect(try Content(storage) == expected, comment)
            // What is there is whole; what is missing is room.
            let problems = try storage.verify().problems
            #expect(problems.count == 1 && problems[0].hasPrefix("flush keeps failing: diskFull"), comment)
            let survivors: [SimulatedFileSystem.Survivors] = [.everything, .syncedOnly, .reordered]
            try check(disk.crash(survivors[fullCount % 3]), which, expected, comment)
            disk.capacity = nil
            try finish(storage, disk, which, comment)
            room += Int64(Soak.stride(397, brief: 997))
            #expect(room < 1 << 20)
        }
        let isThorough = which.reserveByteCount == 0 && Soak.duration != nil
        #expect(fullCount > (isThorough ? 1 : 0), "the disk was hardly ever full")
    }

    private func checkRefusals(_ storage: Storage, _ comment: Comment) throws {
        try expectRefusals(of: storage, comment)
        #expect(errorCode { try storage.checkpoint(to: "/copy") } == .diskFull, comment)
        if storage.options.logArchive != nil { #expect(errorCode { try storage.archiveLog() } == .diskFull, comment) }
    }

    private func finish(_ storage: Storage, _ disk: SimulatedFileSystem, _ which: Case, _ comment: Comment) throws {
        #expect(try storage.step(), comment)
        let keyspace = try storage.keyspace("a")
        try storage.write(.synced) { try $0.put(keyspace, [200].rawSpan, [1].rawSpan) }
        let added = try storage.keyspace("new")
        try storage.write(.synced) { try $0.put(added, [1].rawSpan, [2].rawSpan) }
        let content = try Content(storage)
        #expect(content.keyspaces["a"]?[[200]] == [1] && content.keyspaces["new"] == [[1]: [2]], comment)
        try check(disk.crash(.syncedOnly), which, content, "\(comment), killed after writing")
        while try storage.step() {}
        #expect(try storage.verify().isHealthy, comment)
        try storage.close()
        try check(disk, which, content, "\(comment), closed after writing")
    }

    @Test("a power cut at any step of what the opening had left to do loses nothing")
    func powerCut() throws {
        let which = Case()
        let archive = SimulatedFileSystem(seed: 2)
        let (image, expected) = try makeStorage(which, archive)
        for room in [0, 3000] as [Int64] {
            var step = 0
            while true {
                let disk = image.crash(.everything)
                disk.capacity = disk.usedByteCount + room
                let storage = try Storage.open(at: "/db", options: options(disk, which, archive))
                #expect(storage.unfinished != nil, "\(room) bytes of room")
                disk.capacity = nil
                step += 1
                disk.cutPower(atOperation: disk.operationCount + step)
                _ = try? storage.step()
                if !disk.isPowerOff { break }
                let survivors: [SimulatedFileSystem.Survivors] = [.everything, .syncedOnly, .reordered]
                try check(disk.crash(survivors[step % 3]), which, expected, "\(room), step \(step)")
            }
            #expect(step > 10)
        }
    }

    @Test("a storage that found no room can be closed, and be opened again and again")
    func closing() throws {
        let which = Case()
        let archive = SimulatedFileSystem()
        let (image, expected) = try makeStorage(which, archive)
        for room in [0, 1000, 3000, 5000] as [Int64] {
            let disk = image.crash(.everything)
            disk.capacity = disk.usedByteCount + room
            for _ in 0..<3 {
                let storage = try Storage.open(at: "/db", options: options(disk, which, archive))
                #expect(storage.unfinished != nil, "\(room)")
                #expect(try Content(storage) == expected)
                try storage.close()
                #expect(errorCode { try storage.flush() } == .closed)
            }
            try check(disk, which, expected, "\(room) bytes of room")
        }
    }

    @Test("other failures than a full disk still refuse the opening")
    func otherFailures() throws {
        let which = Case()
        let archive = SimulatedFileSystem()
        let (image, expected) = try makeStorage(which, archive)
        for (kind, code) in [(SimulatedFileSystem.Operation.sync, StorageError.Code.diskFull), (.write, .ioFailure)] {
            let disk = image.crash(.everything)
            disk.failOperation(number: 1, once: true, with: code, kind: kind)
            #expect(throws: StorageError.self) { try Storage.open(at: "/db", options: options(disk, which, archive)) }
            disk.clearFaults()
            try check(disk, which, expected, "\(kind)")
        }
        let empty = SimulatedFileSystem()
        empty.capacity = 10
        #expect(errorCode { try Storage.open(at: "/db", options: options(empty, which, archive)) } == .diskFull)
        empty.capacity = nil
        #expect(try Storage.open(at: "/db", options: options(empty, which, archive)).keyspaceNames == [])
    }

    @Test("threads notice by themselves that there is room")
    func threads() throws {
        let which = Case()
        let archive = SimulatedFileSystem()
        let (image, expected) = try makeStorage(which, archive)
        for closesAtOnce in [false, true] {
            let disk = image.crash(.everything)
            var options = options(disk, which, archive)
            options.clock = SystemClock()
            options.backgroundWork = .threads
            disk.capacity = disk.usedByteCount
            let storage = try Storage.open(at: "/db", options: options)
            #expect(try Content(storage) == expected)
            let keyspace = try storage.keyspace("a")
            func write() throws { try storage.write(.synced) { try $0.put(keyspace, [200].rawSpan, [1].rawSpan) } }
            #expect(errorCode(write) == .diskFull)
            disk.capacity = nil
            if closesAtOnce {
                try storage.close()
                try check(disk, which, expected, "closed while threads look for room")
                continue
            }
            let deadline = ContinuousClock.now + .seconds(600)
            while errorCode(write) != nil, ContinuousClock.now < deadline { TestPause.short() }
            try write()
            let log = try #require(storage.log)
            var isTended = false
            while !isTended, ContinuousClock.now < deadline {
                isTended = log.isTended.load(ordering: .relaxed)
                TestPause.short()
            }
            #expect(isTended, "the log has its thread")
            let content = try Content(storage)
            try storage.close()
            try check(disk, which, content, "closed")
        }
    }
}
