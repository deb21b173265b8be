// LogArchiveTests.swift — no part of the log goes before the archive has it, and an archive brings a checkpoint forward.

import Foundation
import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Log archive")
struct LogArchiveTests {
    private let clock = ManualClock()

    /// Keeps what it is given, or refuses it.
    private final class MemoryArchive: LogArchive {
        private let state = Mutex((segments: [LogArchiveSegment](), refuses: false))

        var segments: [LogArchiveSegment] { state.withLock { $0.segments } }

        func setRefusing(_ refuses: Bool) { state.withLock { $0.refuses = refuses } }

        func archive(_ segment: LogArchiveSegment) throws {
            try state.withLock { state in
                guard !state.refuses else { throw StorageError(.ioFailure, "The archive is out of reach.") }
                state.segments.append(segment)
            }
        }
    }

    private func options(
        _ disk: SimulatedFileSystem, _ archive: (any LogArchive)?, _ writing: LogWriting = .written,
        _ work: BackgroundWork = .manual
    ) -> StorageOptions {
        var options = smallOptions(disk, clock, work)
        options.logSegmentByteCount = 4 << 10
        options.logWriting = writing
        options.logArchive = archive
        return options
    }

    private func put(_ storage: Storage, _ keyspace: Keyspace, _ numbers: Range<Int>) throws {
        for number in numbers {
            var batch = WriteBatch()
            try batch.put(keyspace, bytes("key-\(number % 40)").rawSpan, bytes("value \(number)").rawSpan)
            try storage.commit(batch)
        }
    }

    private func content(_ storage: Storage, _ keyspace: Keyspace) throws -> [String: String] {
        var cursor = try storage.snapshot().view.cursor(keyspace)
        var content: [String: String] = [:]
        try cursor.seekToFirst()
        while cursor.isValid {
            let value = String(decoding: cursor.value.array(), as: UTF8.self)
            content[String(decoding: cursor.key.array(), as: UTF8.self)] = value
            try cursor.next()
        }
        return content
    }

    /// What `put` leaves of numbers up to one.
    private func expected(through last: Int) -> [String: String] {
        guard last >= 0 else { return [:] }
        return (0...last).reduce(into: [:]) { $0["key-\($1 % 40)"] = "value \($1)" }
    }

    private func copy(_ source: String, to target: String, _ disk: SimulatedFileSystem) throws {
        try disk.createDirectory(target)
        for name in try disk.list(source) {
            if let bytes = try? disk.readAll("\(source)/\(name)") {
                let file = try disk.open("\(target)/\(name)", .createOrTruncate)
                try file.write(bytes, at: 0)
                try file.close()
            } else {
                try copy("\(source)/\(name)", to: "\(target)/\(name)", disk)
            }
        }
    }

    private func logNumbers(_ disk: SimulatedFileSystem) throws -> [UInt64] {
        try LogFiles.numbers(in: "/db/log", disk)
    }

    @Test("a segment stays until the archive has taken it", arguments: [LogWriting.written, .mapped])
    func retention(writing: LogWriting) throws {
        let disk = SimulatedFileSystem()
        let archive = MemoryArchive()
        archive.setRefusing(true)
        let storage = try Storage.open(at: "/db", options: options(disk, archive, writing))
        let keyspace = try storage.keyspace("notes")
        try put(storage, keyspace, 0..<300)
        try storage.flush()
        // The tables hold everything, the archive nothing.
        let kept = try logNumbers(disk)
        #expect(kept.count > 3 && kept.first == 1)
        let error = #expect(throws: StorageError.self) { while try storage.step() {} }
        #expect(error?.message == "The archive is out of reach.")
        #expect(try logNumbers(disk) == kept)
        #expect(storage.statistics.log.unarchivedSegmentCount >= kept.count - 2)
        #expect(storage.statistics.log.unarchivedByteCount > 0)

        archive.setRefusing(false)
        while try storage.step() {}
        #expect(storage.statistics.log.unarchivedSegmentCount == 0)
        #expect(try logNumbers(disk).count <= 2)
        try put(storage, keyspace, 300..<600)
        try storage.archiveLog()
        try storage.flush()
        var previous = SequenceNumber(0)
        for segment in archive.segments {
            #expect(segment.previousSequence == previous)
            #expect(segment.firstSequence <= segment.lastSequence && segment.firstCommitTime <= segment.lastCommitTime)
            previous = segment.lastSequence
        }
        #expect(previous == storage.visibleSequence)
        try storage.close()
        #expect(try logNumbers(disk) == [])
        #expect(archive.segments.last?.lastSequence == previous)
        #expect(try Storage.open(at: "/db", options: options(disk, nil)).keyspaceNames == ["notes"])
    }

    @Test("what an archive refuses at the end, the next opening offers again, and after a crash too")
    func leftovers() throws {
        let disk = SimulatedFileSystem()
        let archive = MemoryArchive()
        archive.setRefusing(true)
        var storage = try Storage.open(at: "/db", options: options(disk, archive))
        try put(storage, try storage.keyspace("notes"), 0..<100)
        let last = storage.visibleSequence
        #expect(throws: StorageError.self) { try storage.close() }
        storage = try Storage.open(at: "/db", options: options(disk, archive))
        try put(storage, try storage.keyspace("notes"), 100..<200)
        try storage.sync()
        let end = storage.visibleSequence

        let found = disk.crash(.syncedOnly)
        archive.setRefusing(false)
        storage = try Storage.open(at: "/db", options: options(found, archive))
        while try storage.step() {}
        let segments = archive.segments
        #expect(segments.first?.previousSequence == SequenceNumber(0))
        #expect(segments.contains { $0.lastSequence == last })
        #expect(segments.last?.lastSequence == end)
        for (one, next) in zip(segments, segments.dropFirst()) { #expect(next.previousSequence == one.lastSequence) }
        #expect(try content(storage, try storage.keyspace("notes")) == expected(through: 199))
        #expect(throws: StorageError.self) { try Storage.open(.sqlite("/one"), options: options(found, archive)) }
    }

    /// A storage with 50 notes, of which there is a checkpoint.
    private func backedUp() throws -> (SimulatedFileSystem, DirectoryLogArchive, Storage, Keyspace) {
        let disk = SimulatedFileSystem()
        let archive = DirectoryLogArchive(directory: "/archive", fileSystem: disk)
        let storage = try Storage.open(at: "/db", options: options(disk, archive))
        let keyspace = try storage.keyspace("notes")
        try put(storage, keyspace, 0..<50)
        try storage.checkpoint(to: "/backup")
        return (disk, archive, storage, keyspace)
    }

    @Test("a checkpoint is brought forward to any moment that is archived")
    func restore() throws {
        let (disk, archive, storage, keyspace) = try backedUp()
        var times: [StorageInstant] = []
        for number in 50..<400 {
            clock.advance(by: .seconds(1))
            try put(storage, keyspace, number..<number + 1)
            times.append(clock.now)
            if number % 90 == 0 { while try storage.step() {} }
        }
        try storage.archiveLog()
        #expect(try archive.segmentNumbers().count > 3)
        for number in [49, 50, 51, 120, 233, 398, 399] {
            let target = "/restored \(number)"
            try copy("/backup", to: target, disk)
            let time = number == 49 ? times[0].advanced(by: .microseconds(-1)) : times[number - 50]
            let end = try archive.restore(into: target, through: number == 399 ? nil : time)
            #expect((end == nil) == (number == 49))
            let restored = try Storage.open(at: target, options: options(disk, nil))
            #expect(try content(restored, try restored.keyspace("notes")) == expected(through: number))
            #expect(end.map { $0 == restored.visibleSequence } ?? true)
            #expect(try restored.verify().isHealthy)
        }
        let error = #expect(throws: StorageError.self) {
            try archive.restore(into: "/backup", through: times[0].advanced(by: .seconds(-10)))
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test("a checkpoint that can't be brought forward for want of room is as it was")
    func restoreOnAFullDisk() throws {
        let (disk, archive, storage, keyspace) = try backedUp()
        try put(storage, keyspace, 50..<400)
        try storage.archiveLog()
        try copy("/backup", to: "/restored", disk)
        var refusedCount = 0
        for room in stride(from: Int64(0), to: 16 << 10, by: Soak.stride(512, brief: 2048)) {
            disk.capacity = disk.usedByteCount + room
            let code = errorCode { try archive.restore(into: "/restored") }
            disk.capacity = nil
            guard code != nil else { break }
            #expect(code == .diskFull)
            refusedCount += 1
            let found = disk.crash(.everything)
            let restored = try Storage.open(at: "/restored", options: options(found, nil))
            let notes = try content(restored, try restored.keyspace("notes"))
            #expect((49..<400).contains { notes == expected(through: $0) }, "\(room)")
        }
        #expect(refusedCount > 1)
        try archive.restore(into: "/restored")
        let restored = try Storage.open(at: "/restored", options: options(disk, nil))
        #expect(try content(restored, try restored.keyspace("notes")) == expected(through: 399))
    }

    @Test(
        "a restore that is cut short leaves a checkpoint that opens, and can be made again",
        arguments: [SimulatedFileSystem.Survivors.everything, .syncedOnly, .torn])
    func restoreAgain(survivors: SimulatedFileSystem.Survivors) throws {
        let disk = SimulatedFileSystem(seed: TestSeed.draw("a restore that is cut short, \(survivors)"))
        func archive(on disk: SimulatedFileSystem) -> DirectoryLogArchive {
            DirectoryLogArchive(directory: "/archive", fileSystem: disk)
        }
        func restoredContent(_ checkpoint: String, on disk: SimulatedFileSystem) throws -> [String: String] {
            let restored = try Storage.open(at: checkpoint, options: options(disk, nil))
            return try content(restored, try restored.keyspace("notes"))
        }
        var number = 0
        for round in 0..<4 {
            let storage = try Storage.open(at: "/db", options: options(disk, archive(on: disk), .mapped))
            let keyspace = try storage.keyspace("notes")
            if round == 0 { try storage.checkpoint(to: "/backup") }
            var tending = LogWriter.Tending()
            for _ in 0..<20 + 10 * round {
                try put(storage, keyspace, number..<number + 1)
                number += 1
                // Once more than half of a segment is full the next one is made ahead; the next opening passes its number over.
                try #require(storage.log).tend(&tending)
            }
            while try storage.step() {}
            try storage.close()
        }
        let numbers = try archive(on: disk).segmentNumbers()
        #expect(zip(numbers, numbers.dropFirst()).contains { $1 > $0 + 1 }, "no number was passed over: \(numbers)")
        let start = disk.crash(.everything)
        var stop = 1
        while true {
            let cut = start.crash(.everything)
            cut.failOperation(number: cut.operationCount + stop, once: false)
            guard errorCode({ try archive(on: cut).restore(into: "/backup") }) != nil else { break }
            let left = cut.crash(survivors)
            let notes = try restoredContent("/backup", on: left.crash(.everything))
            #expect((-1..<number).contains { notes == expected(through: $0) }, "\(stop)")
            try archive(on: left).restore(into: "/backup")
            #expect(try restoredContent("/backup", on: left) == expected(through: number - 1), "\(stop)")
            stop += 1
        }
        #expect(stop > 10)
    }

    @Test(
        "what crashes took back is not restored, and what they left is", arguments: 0..<5,
        [LogWriting.written, .mapped])
    func crashes(run: Int, writing: LogWriting) throws {
        let seed = TestSeed.draw("archive over crashes, run \(run), \(writing)")
        var random = SeededRandom(seed: seed)
        var disk = SimulatedFileSystem(seed: seed)
        func archive() -> DirectoryLogArchive { DirectoryLogArchive(directory: "/archive", fileSystem: disk) }
        func open() throws -> (Storage, Keyspace) {
            let storage = try Storage.open(at: "/db", options: options(disk, archive(), writing))
            return (storage, try storage.keyspace("notes"))
        }
        var (storage, keyspace) = try open()
        let memory = try storage.keyspace("memory", options: KeyspaceOptions(isVolatile: true))
        try storage.checkpoint(to: "/backup")
        try disk.syncDirectory("/")
        var number = 0
        var left: [(time: StorageInstant, content: [String: String])] = []
        for _ in 0..<12 {
            let end = number + Int.random(in: 1...150, using: &random)
            try put(storage, keyspace, number..<end)
            number = end
            switch Int.random(in: 0..<5, using: &random) {
            case 0: while try storage.step() {}
            case 1: try storage.archiveLog()
            case 2: try storage.sync()
            case 3:
                try storage.close()
                (storage, keyspace) = try open()
            default:
                // Commits that the log does not have count as well.
                try put(storage, try storage.keyspace("memory", options: memory.options), 0..<3)
            }
            try put(storage, keyspace, number..<number + 20)
            number += 20
            let survivors = try #require(SimulatedFileSystem.Survivors.allCases.randomElement(using: &random))
            disk = disk.crash(survivors)
            (storage, keyspace) = try open()
            clock.advance(by: .seconds(1))
            left.append((clock.now, try content(storage, keyspace)))
            clock.advance(by: .seconds(1))
        }
        try storage.close()
        try copy("/backup", to: "/last", disk)
        try archive().restore(into: "/last")
        for (round, moment) in left.enumerated() {
            let target = round == left.count - 1 ? "/last" : "/round \(round)"
            if round < left.count - 1 {
                try copy("/backup", to: target, disk)
                try archive().restore(into: target, through: moment.time)
            }
            let restored = try Storage.open(at: target, options: options(disk, nil))
            #expect(try content(restored, try restored.keyspace("notes")) == moment.content, "round \(round)")
            #expect(try restored.verify().isHealthy)
        }
    }

    @Test(
        "the power may go at any step of writing and archiving", arguments: 0..<3, [LogWriting.written, .mapped])
    func everyStep(remainder: Int, writing: LogWriting) throws {
        func run(_ disk: SimulatedFileSystem) throws {
            let archive = DirectoryLogArchive(directory: "/archive", fileSystem: disk)
            let storage = try Storage.open(at: "/db", options: options(disk, archive, writing))
            let keyspace = try storage.keyspace("notes")
            try storage.checkpoint(to: "/backup")
            try disk.syncDirectory("/")
            for start in stride(from: 0, to: 240, by: 40) {
                try put(storage, keyspace, start..<start + 40)
                if start % 80 == 0 { while try storage.step() {} } else { try storage.archiveLog() }
            }
            try storage.close()
        }
        let whole = SimulatedFileSystem(seed: 3)
        try run(whole)
        var restoredCount = 0
        for operation in stride(from: 1 + remainder, through: whole.operationCount, by: Soak.stride(9, brief: 24)) {
            let disk = SimulatedFileSystem(seed: 3)
            disk.cutPower(atOperation: operation)
            #expect(throws: StorageError.self) { try run(disk) }
            for survivors in [SimulatedFileSystem.Survivors.syncedOnly, .torn] {
                let found = disk.crash(survivors, seed: UInt64(operation))
                let archive = DirectoryLogArchive(directory: "/archive", fileSystem: found)
                let storage = try Storage.open(at: "/db", options: options(found, archive, writing))
                let keyspace = try storage.keyspace("notes")
                try put(storage, keyspace, 500..<503)
                try storage.archiveLog()
                // Up to there, there is nothing to start from.
                guard try found.exists("/backup/CURRENT") else { continue }
                try archive.restore(into: "/backup")
                let restored = try Storage.open(at: "/backup", options: options(found, nil))
                let expected = try content(storage, keyspace)
                #expect(try content(restored, try restored.keyspace("notes")) == expected, "\(operation) \(survivors)")
                restoredCount += 1
            }
        }
        #expect(restoredCount > 8)
    }

    /// Commits while a memtable is flushed, and keeps what a power cut may leave right after that.
    private final class FlushSink: StorageTraceSink {
        private typealias Action = @Sendable () -> Void
        private let state = Mutex((write: Action?.none, crash: Action?.none))

        func set(write: @escaping @Sendable () -> Void, crash: @escaping @Sendable () -> Void) {
            state.withLock { $0 = (write, crash) }
        }

        func record(_ event: StorageEvent) {
            let body = state.withLock { state -> Action? in
                switch event {
                case .flushBegan: return state.write.take()
                case .flushEnded: return state.crash.take()
                default: return nil
                }
            }
            body?()
        }
    }

    @Test("a segment that a flush told the manifest of, and a crash cut off from the log, is not archived")
    func cutOff() throws {
        let disk = SimulatedFileSystem(seed: 5)
        let sink = FlushSink()
        var options = options(disk, DirectoryLogArchive(directory: "/archive", fileSystem: disk))
        options.traceSink = sink
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("notes")
        try storage.checkpoint(to: "/backup")
        try disk.syncDirectory("/")
        try put(storage, keyspace, 0..<5)
        try storage.sync()
        let left = Mutex<[SimulatedFileSystem]>([])
        sink.set {
            // Three segments, and nobody waits for them.
            #expect(throws: Never.self) { try put(storage, keyspace, 5..<130) }
        } crash: {
            left.withLock { left in
                for seed in 0..<60 { left.append(disk.crash(.reordered, seed: UInt64(seed))) }
            }
        }
        try storage.flush()
        let disks = left.withLock { $0 }
        #expect(disks.count == 60)
        for (seed, found) in disks.enumerated() {
            let archive = DirectoryLogArchive(directory: "/archive", fileSystem: found)
            let storage = try Storage.open(at: "/db", options: self.options(found, archive))
            while try storage.step() {}
            let expected = try content(storage, try storage.keyspace("notes"))
            // As if the disk had gone now, and the archive were all there is.
            try archive.restore(into: "/backup")
            let restored = try Storage.open(at: "/backup", options: self.options(found, nil))
            #expect(try content(restored, try restored.keyspace("notes")) == expected, "seed \(seed)")
        }
    }

    @Test("what can't be restored is refused, with the reason")
    func refusals() throws {
        let disk = SimulatedFileSystem()
        let archive = DirectoryLogArchive(directory: "/archive", fileSystem: disk)
        let storage = try Storage.open(at: "/db", options: options(disk, archive))
        let keyspace = try storage.keyspace("notes")
        try storage.checkpoint(to: "/backup")
        try put(storage, keyspace, 0..<300)
        try storage.archiveLog()
        let numbers = try archive.segmentNumbers()
        #expect(numbers.count > 2)
        var copies = 0
        func refusal(_ archive: DirectoryLogArchive) throws -> StorageError.Code? {
            copies += 1
            try copy("/backup", to: "/copy \(copies)", disk)
            return #expect(throws: StorageError.self) { try archive.restore(into: "/copy \(copies)") }?.code
        }

        // Another storage has other contents under the same numbers.
        let other = try Storage.open(at: "/other", options: options(disk, archive))
        try put(other, try other.keyspace("notes"), 0..<3)
        #expect(#expect(throws: StorageError.self) { try other.archiveLog() }?.code == .alreadyExists)
        let others = DirectoryLogArchive(directory: "/others", fileSystem: disk)
        var differing = options(disk, others)
        differing.seed = 99
        let third = try Storage.open(at: "/third", options: differing)
        try put(third, try third.keyspace("notes"), 0..<3)
        try third.archiveLog()
        #expect(try refusal(others) == .invalidArgument)

        // Damaged, and gone.
        let path = "/archive/\(FileNumbers.text(numbers[1])).log.zst"
        let content = try disk.readAll(path)
        var damaged = content
        damaged[content.count / 2] ^= 1
        let file = try disk.open(path, .readWrite)
        try file.write(damaged, at: 0)
        #expect(try refusal(archive) == .corruption)
        try disk.remove(path)
        #expect(try refusal(archive) == .notFound)
        let attempt = "/copy \(copies)"
        let mended = try disk.open(path, .create)
        try mended.write(content, at: 0)

        // Once it is mended, the same attempt goes through.
        #expect(try archive.restore(into: attempt) == storage.visibleSequence)
        #expect(try Storage.open(at: attempt, options: options(disk, nil)).visibleSequence == storage.visibleSequence)

        // A keyspace that the checkpoint has never heard of.
        try put(storage, try storage.keyspace("later"), 0..<3)
        try storage.archiveLog()
        #expect(try refusal(archive) == .invalidArgument)
        #expect(#expect(throws: StorageError.self) { try archive.restore(into: "/nowhere") }?.code == .notFound)

        let plain = try Storage.open(at: "/plain", options: options(disk, nil))
        #expect(#expect(throws: StorageError.self) { try plain.archiveLog() }?.code == .invalidArgument)
    }

    @Test("whoever archives while somebody closes is done or refused, and the archive has all of it", arguments: 0..<8)
    func closing(round: Int) throws {
        let disk = SimulatedFileSystem(seed: UInt64(round))
        let archive = MemoryArchive()
        let work = round.isMultiple(of: 2) ? BackgroundWork.threads : .manual
        let storage = try Storage.open(at: "/db", options: options(disk, archive, .written, work))
        let keyspace = try storage.keyspace("notes")
        let threads = TestThreads()
        let commits = Atomic<Int>(0)
        for thread in 0..<3 {
            try threads.start {
                do {
                    while true {
                        if thread == 0 { try put(storage, keyspace, 0..<10) } else { try storage.archiveLog() }
                        commits.add(1, ordering: .relaxed)
                    }
                } catch let error as StorageError where error.code == .closed {
                    // What else an archive's caller gets to hear when the storage is closed is a failure.
                }
            }
        }
        while commits.load(ordering: .relaxed) < 10 + 20 * round { TestPause.short() }
        try storage.close()
        #expect(threads.join() == [])
        let last = storage.visibleSequence
        #expect(try logNumbers(disk) == [])
        var previous = SequenceNumber(0)
        for segment in archive.segments {
            #expect(segment.previousSequence == previous)
            previous = segment.lastSequence
        }
        #expect(previous == last)
        let reopened = try Storage.open(at: "/db", options: options(disk, nil))
        #expect(reopened.visibleSequence == last)
        #expect(try reopened.verify().isHealthy)
    }

    @Test(
        "a segment that can't be ended for want of room goes on, and is ended later",
        arguments: [LogWriting.written, .mapped])
    func fullDisk(writing: LogWriting) throws {
        let disk = SimulatedFileSystem()
        let archive = MemoryArchive()
        let storage = try Storage.open(at: "/db", options: options(disk, archive, writing))
        let keyspace = try storage.keyspace("notes")
        var number = 0
        var refusedCount = 0
        let rooms =
            Array(stride(from: Int64(0), to: 1 << 10, by: 61))
            + stride(from: 1 << 10, to: 8 << 10, by: Soak.stride(61, brief: 197))
        for room in rooms {
            try put(storage, keyspace, number..<number + 3)
            number += 3
            disk.capacity = disk.usedByteCount + room
            let code = errorCode { try storage.archiveLog() }
            if code != nil { refusedCount += 1 }
            #expect(code == nil || code == .diskFull, "\(room)")
            #expect(try content(storage, keyspace) == expected(through: number - 1), "\(room)")
            // The log goes on where it was, as far as there is room.
            let next = errorCode { try put(storage, keyspace, number..<number + 1) }
            #expect(next == nil || next == .diskFull, "\(room)")
            if next == nil { number += 1 }
            let found = disk.crash(.everything)
            found.capacity = nil
            let reopened = try Storage.open(at: "/db", options: options(found, MemoryArchive(), writing))
            let notes = try reopened.keyspace("notes")
            #expect(try content(reopened, notes) == expected(through: number - 1), "\(room)")
            disk.capacity = nil
            try storage.archiveLog()
            #expect(archive.segments.last?.lastSequence == storage.visibleSequence, "\(room)")
        }
        #expect(refusedCount > 1)
        var previous = SequenceNumber(0)
        for segment in archive.segments {
            #expect(segment.previousSequence == previous)
            previous = segment.lastSequence
        }
        #expect(try storage.verify().isHealthy)
        try storage.close()
    }

    @Test("on threads of its own, and on files")
    func threads() throws {
        let directory = NSTemporaryDirectory() + "shopstream-archive-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let archive = DirectoryLogArchive(directory: directory + "/archive")
        var options = StorageOptions()
        options.logSegmentByteCount = 64 << 10
        options.memtableByteCount = 256 << 10
        options.logArchive = archive
        let storage = try Storage.open(at: directory + "/db", options: options)
        let keyspace = try storage.keyspace("notes")
        try storage.checkpoint(to: directory + "/backup")
        try put(storage, keyspace, 0..<5000)
        // Nobody asks for it.
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while try archive.segmentNumbers().count < 3, ContinuousClock.now < deadline { usleep(10_000) }
        #expect(try archive.segmentNumbers().count >= 3)
        try storage.archiveLog()
        try put(storage, keyspace, 5000..<9000)
        try storage.close()
        #expect(try archive.restore(into: directory + "/backup") == storage.visibleSequence)
        let restored = try Storage.open(at: directory + "/backup")
        #expect(try content(restored, try restored.keyspace("notes")) == expected(through: 8999))
        try restored.close()
    }
}
