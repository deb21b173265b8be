// FinalFailureTests.swift — a failed sync is final: typed, lasting, and no obstacle to reading.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

/// A sync, or a write of the manifest, that fails once.
private enum FinalFault: CaseIterable {
    case log, table, manifest, manifestWrite, tableNames, logNames, currentNames

    func arrange(on disk: SimulatedFileSystem) {
        func fail(_ kind: SimulatedFileSystem.Operation, _ suffix: String) {
            disk.failOperation(number: disk.operationCount(of: kind) + 1, once: true, kind: kind, pathSuffix: suffix)
        }
        switch self {
        case .log: fail(.sync, ".log")
        case .table: fail(.sync, ".sst")
        case .manifest: fail(.sync, ManifestFiles.name(1))
        case .manifestWrite: fail(.write, ManifestFiles.name(1))
        case .tableNames: fail(.syncDirectory, "/tables")
        case .logNames: fail(.syncDirectory, "/log")
        case .currentNames: fail(.syncDirectory, "/db")
        }
    }
}

/// A disk on which a directory can't be opened for its sync, once.
private struct ExhaustedFileSystem: ForwardingFileSystem {
    let disk: SimulatedFileSystem
    private let pathSuffix: String
    private let remaining: CountDown

    private final class CountDown: Sendable {
        let count: Mutex<Int>

        init(_ count: Int) { self.count = Mutex(count) }
    }

    /// - Parameter number: The sync that fails, counted from 1.
    init(_ disk: SimulatedFileSystem, _ pathSuffix: String, number: Int) {
        self.disk = disk
        self.pathSuffix = pathSuffix
        remaining = CountDown(number)
    }

    var hasFailed: Bool { remaining.count.withLock { $0 <= 0 } }

    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile { try disk.open(path, mode) }

    func syncDirectory(_ path: String) throws {
        let isDue =
            path.hasSuffix(pathSuffix)
            && remaining.count.withLock { count in
                count -= 1
                return count == 0
            }
        if isDue { throw StorageError(.ioFailure, "Too many open files.", cause: UnattemptedSync()) }
        try disk.syncDirectory(path)
    }
}

@Suite struct FinalFailureTests {
    private func options(_ disk: SimulatedFileSystem, _ work: BackgroundWork) -> StorageOptions {
        var options = smallOptions(disk, ManualClock(), work)
        options.logSegmentByteCount = 4 << 10
        options.manifestReplacementByteCount = 600
        return options
    }

    private func key(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

    @Test(
        "after a failed sync of anything, writes are refused as poisoned for good, reads go on, and nothing is lost",
        arguments: FinalFault.allCases, [BackgroundWork.manual, .threads])
    fileprivate func final(fault: FinalFault, work: BackgroundWork) throws {
        let disk = SimulatedFileSystem(seed: 1)
        let storage = try Storage.open(at: "/db", options: options(disk, work))
        let keyspace = try storage.keyspace("k")
        let value = [UInt8](repeating: 5, count: 300)
        for number in 0..<5 { try storage.write(.synced) { try $0.put(keyspace, key(number).rawSpan, value.rawSpan) } }
        fault.arrange(on: disk)

        var acknowledged = 5
        var codes: [StorageError.Code] = []
        for number in 5..<600 {
            let code = errorCode {
                try storage.write(.synced) { try $0.put(keyspace, key(number).rawSpan, value.rawSpan) }
                acknowledged = number + 1
                if work == .manual { try storage.step() }
            }
            if let code { codes.append(code) }
        }
        #expect(acknowledged < 600, "the failure was met")
        let first = codes.first
        #expect(first == .ioFailure || first == .commitOutcomeUnknown || first == .poisoned, "\(codes.prefix(3))")
        #expect(codes.dropFirst(2).allSatisfy { $0 == .poisoned }, "\(Set(codes))")
        let attempts = disk.operationCount
        for refused: () throws -> Void in [
            { try storage.flush() }, { try storage.compact() }, { try storage.checkpoint(to: "/copy") },
            { _ = try storage.keyspace("new") }, { try storage.dropKeyspace("k") }, { _ = try storage.step() },
        ] {
            do {
                try refused()
                Issue.record("\(fault): not refused")
            } catch let error as StorageError {
                #expect(error.code == .poisoned && error.cause != nil, "\(error)")
            }
        }
        // Threads may be about to find out.
        if work == .manual { #expect(disk.operationCount == attempts, "nothing is written any more") }
        let view = storage.snapshot().view
        #expect(try (0..<acknowledged).allSatisfy { try view.get(keyspace, key($0).rawSpan) == value })
        #expect(storage.existingKeyspace("k") === keyspace)
        try storage.close()

        let found = disk.crash(.syncedOnly)
        let reopened = try Storage.open(at: "/db", options: options(found, .manual))
        let again = try reopened.keyspace("k")
        let survivors = reopened.snapshot().view
        #expect(try (0..<acknowledged).allSatisfy { try survivors.get(again, key($0).rawSpan) == value })
        try reopened.write(.synced) { try $0.put(again, [9].rawSpan, [9].rawSpan) }
        #expect(try reopened.verify().isHealthy)
    }

    @Test(
        "a directory that can't be opened for its sync refuses what needed it, and nothing for good",
        arguments: ["/tables", "/log"], 2...4)
    func unattempted(pathSuffix: String, number: Int) throws {
        let disk = SimulatedFileSystem(seed: 1)
        let exhausted = ExhaustedFileSystem(disk, pathSuffix, number: number)
        var options = options(disk, .manual)
        options.fileSystem = exhausted
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        let value = [UInt8](repeating: 5, count: 300)
        var acknowledged: [Int] = []
        var codes: [StorageError.Code] = []
        for number in 0..<300 {
            let code = errorCode {
                try storage.write(.synced) { try $0.put(keyspace, key(number).rawSpan, value.rawSpan) }
                acknowledged.append(number)
                try storage.step()
            }
            if let code { codes.append(code) }
        }
        #expect(exhausted.hasFailed)
        #expect(codes.count <= 1 && codes.allSatisfy { $0 == .ioFailure }, "\(codes)")
        try storage.flush()
        try storage.compact()
        #expect(try storage.verify().isHealthy)
        let reopened = try Storage.open(at: "/db", options: self.options(disk.crash(.syncedOnly), .manual))
        let (again, survivors) = (try reopened.keyspace("k"), reopened.snapshot().view)
        #expect(acknowledged.count >= 299)
        #expect(try acknowledged.allSatisfy { try survivors.get(again, key($0).rawSpan) == value })
    }

    @Test("a failure that no call was told of is told by close()")
    func toldByClose() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let storage = try Storage.open(at: "/db", options: options(disk, .manual))
        let keyspace = try storage.keyspace("k")
        try storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) }
        // The edit that makes the manifest long stands; what fails is its replacement.
        disk.failOperation(number: 1, once: false, kind: .sync, pathSuffix: ManifestFiles.name(2))
        var number = 0
        while storage.latch.refusal == nil, number < 100 {
            number += 1
            _ = try storage.keyspace("filler \(number)")
        }
        #expect(number < 100)
        #expect(errorCode { try storage.close() } == .poisoned)
        #expect(errorCode { try storage.close() } == nil)
        let reopened = try Storage.open(at: "/db", options: options(disk.crash(.syncedOnly), .manual))
        #expect(reopened.keyspaceNames.count == number + 1)
    }

    @Test("a storage that was closed refuses reads: its snapshots, cursors on their way, and those to come")
    func closedReads() throws {
        let disk = SimulatedFileSystem()
        let storage = try Storage.open(at: "/db", options: options(disk, .manual))
        let keyspace = try storage.keyspace("k")
        for number in 0..<100 { try storage.write { try $0.put(keyspace, key(number).rawSpan, [1].rawSpan) } }
        try storage.flush()
        let snapshot = storage.snapshot()
        var cursor = try snapshot.view.cursor(keyspace)
        try cursor.seekToFirst()
        try cursor.next()
        try storage.close()

        let standing = cursor.key.array()
        #expect(standing == key(1), "what a cursor stands on stays readable")
        #expect(errorCode { try snapshot.view.get(keyspace, key(1).rawSpan) } == .closed)
        #expect(errorCode { try snapshot.view.contains(keyspace, key(1).rawSpan) } == .closed)
        #expect(errorCode { try keys(snapshot.view, keyspace) } == .closed)
        #expect(errorCode { try storage.snapshot().view.get(keyspace, key(1).rawSpan) } == .closed)
        #expect(errorCode { try storage.verify() } == .closed)
        for move in 0..<6 {
            let code = errorCode {
                switch move {
                case 0: try cursor.next()
                case 1: try cursor.previous()
                case 2: try cursor.seekToFirst()
                case 3: try cursor.seekToLast()
                case 4: try cursor.seek(key(3).rawSpan)
                default: try cursor.seekBackward(key(3).rawSpan)
                }
            }
            #expect(code == .closed)
        }
    }

    @Test("readers that are at it while the storage is closed end with an answer or with .closed")
    func closingUnderReaders() throws {
        let disk = SimulatedFileSystem()
        let storage = try Storage.open(at: "/db", options: options(disk, .threads))
        let keyspace = try storage.keyspace("k")
        for number in 0..<300 { try storage.write { try $0.put(keyspace, key(number).rawSpan, [1].rawSpan) } }
        let threads = TestThreads()
        for _ in 0..<3 {
            try threads.start {
                while true {
                    do {
                        guard try keys(storage.snapshot().view, keyspace).count == 300 else {
                            throw CrashViolation("keys are missing")
                        }
                    } catch let error as StorageError where error.code == .closed {
                        return
                    }
                }
            }
        }
        try storage.close()
        #expect(threads.join().isEmpty)
    }

    @Test("a manifest that grows is replaced by its state, and the storage opens from the new one")
    func manifestIsReplaced() throws {
        let disk = SimulatedFileSystem()
        var storage = try Storage.open(at: "/db", options: options(disk, .manual))
        for round in 0..<200 {
            let keyspace = try storage.keyspace("k \(round % 3)")
            try storage.write { try $0.put(keyspace, key(round).rawSpan, [1].rawSpan) }
            if round % 5 == 4 { try storage.dropKeyspace("k \(round % 3)") }
            while try storage.step() {}
            let manifests = try ManifestFiles.numbers(in: "/db", disk)
            #expect(manifests.count == 1)
            let number = try #require(manifests.first)
            #expect(try disk.readFile("/db/" + ManifestFiles.name(number)).count < 8000)
        }
        let number = try #require(try ManifestFiles.current(in: "/db", disk))
        #expect(number > 5)
        let names = storage.keyspaceNames
        #expect(try storage.verify().isHealthy)
        try storage.close()
        storage = try Storage.open(at: "/db", options: options(disk, .manual))
        #expect(storage.keyspaceNames == names)
        #expect(try #require(try ManifestFiles.current(in: "/db", disk)) > number)
    }

    @Test("a manifest for whose replacement there is no room grows on, and is replaced later")
    func noRoomForReplacement() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/db")
        let manifest = try ManifestWriter(
            number: 1, manifest: ManifestState(), identity: 1, salt: 1, directory: "/db", fileSystem: disk,
            replacementByteCount: 1000)
        func grow(_ count: Int) throws {
            for number in 1...count {
                try manifest.edit { _ in
                    var edit = VersionEdit()
                    edit.lastSequence = UInt64(number)
                    return (edit, ())
                }
            }
        }
        disk.failOperation(
            number: 1, once: false, with: .diskFull, kind: .write, pathSuffix: ManifestFiles.name(2))
        try grow(60)
        #expect(manifest.number == 1)
        #expect(try ManifestFiles.numbers(in: "/db", disk) == [1])
        disk.clearFaults()
        try grow(200)
        #expect(manifest.number > 1)
        #expect(try ManifestFiles.numbers(in: "/db", disk) == [manifest.number])
        let read = try ManifestWriter.read(number: manifest.number, directory: "/db", fileSystem: disk)
        #expect(read.state == manifest.manifest)
    }
}
