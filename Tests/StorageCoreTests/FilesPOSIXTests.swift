// FilesPOSIXTests.swift — what only the operating system's files can show.

import Foundation
import StorageTypes
import Testing

@testable import StorageCore

@Suite("Files: POSIX")
struct FilesPOSIXTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = NSTemporaryDirectory() + "storage-posix-\(UUID().uuidString)"
        try POSIXFileSystem().createDirectory(directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    @Test("an error names the call, the reason and the path, and says what to do")
    func errorText() throws {
        try withDirectory { directory in
            let error = #expect(throws: StorageError.self) {
                _ = try POSIXFileSystem().open("\(directory)/missing", .read)
            }
            #expect(error?.code == .notFound)
            #expect(error?.message.contains("open failed") == true)
            #expect(error?.message.contains("No such file or directory") == true)
            #expect(error?.location?.file == "\(directory)/missing")
        }
    }

    @Test("a sync for which a directory can't be opened says that nothing was synced")
    func unattemptedSync() throws {
        do {
            try POSIXFileSystem().syncDirectory("/nonexistent/directory")
            Issue.record("synced")
        } catch let error as StorageError {
            #expect(error.code == .notFound && error.cause is UnattemptedSync, "\(error)")
            #expect("\(error)".contains("open failed") && "\(error)".hasSuffix("cause: nothing was synced"))
        }
    }

    @Test("every error number has a sentence, and a full disk or quota is diskFull")
    func errorNumbers() {
        for number in Int32(1)...133 {
            let error = StorageError.systemCall("call", SystemErrorNumber(rawValue: number), path: "/p")
            #expect(error.message.hasSuffix("."))
            #expect(error.message.hasPrefix("call failed ("))
        }
        #expect(SystemErrorNumber(rawValue: ENOSPC).meaning.code == .diskFull)
        #expect(SystemErrorNumber(rawValue: EDQUOT).meaning.code == .diskFull)
        #expect(SystemErrorNumber(rawValue: EROFS).meaning.code == .ioFailure)
        #expect(SystemErrorNumber(rawValue: EACCES).meaning.code == .ioFailure)
        #expect(SystemErrorNumber(rawValue: 99_999).meaning.code == .ioFailure)
    }

    @Test("a real full device answers diskFull", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func fullDevice() throws {
        let file = try POSIXFileSystem().open("/dev/full", .readWrite)
        expectStorageError(.diskFull) { try file.write([1], at: 0) }
    }

    @Test("another process can't take the lock, and can once it is released", .enabled(if: FilesPOSIXTests.hasPython))
    func lockAgainstProcess() throws {
        try withDirectory { directory in
            let lock = try POSIXFileSystem().lock("\(directory)/LOCK")
            #expect(try lockInAnotherProcess("\(directory)/LOCK") == "refused")
            lock.release()
            #expect(try lockInAnotherProcess("\(directory)/LOCK") == "taken")
        }
    }

    static let hasPython = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    private func lockInAnotherProcess(_ path: String) throws -> String {
        #if os(Linux)
            let take = "fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)"
        #else
            let take = "fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)"
        #endif
        let script =
            "import fcntl, sys\nf = open(sys.argv[1], 'r+')\ntry:\n  \(take)\n  print('taken', end='')\nexcept OSError:\n  print('refused', end='')"
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", script, path]
        process.standardOutput = output
        try process.run()
        process.waitUntilExit()
        return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    @Test("a lock reached by another name of the same file is the same lock")
    func lockByAnotherName() throws {
        try withDirectory { directory in
            let fileSystem = POSIXFileSystem()
            let lock = try fileSystem.lock("\(directory)/LOCK")
            try fileSystem.link("\(directory)/LOCK", to: "\(directory)/OTHER")
            expectStorageError(.locked) { _ = try fileSystem.lock("\(directory)/OTHER") }
            lock.release()
            try fileSystem.lock("\(directory)/OTHER").release()
        }
    }

    @Test("a copy has all the bytes, and nothing is left of one that fails")
    func copy() throws {
        try withDirectory { directory in
            let fileSystem = POSIXFileSystem()
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try fileSystem.open("\(directory)/a", .create).write(bytes, at: 0)
            try fileSystem.copy("\(directory)/a", to: "\(directory)/b")
            #expect(try fileSystem.readAll("\(directory)/b") == bytes)
            expectStorageError(.alreadyExists) { try fileSystem.copy("\(directory)/a", to: "\(directory)/b") }
            #expect(try fileSystem.readAll("\(directory)/b") == bytes)
        }
        let disk = SimulatedFileSystem()
        try disk.writeFile("/a", [UInt8](repeating: 1, count: 2_000_000))
        disk.failOperation(number: 2, kind: .write)
        expectStorageError(.ioFailure) { try disk.copy("/a", to: "/b") }
        #expect(try disk.list("/") == ["a"])
    }

    @Test("a link to another device is a copy", .enabled(if: FilesPOSIXTests.hasSecondDevice))
    func linkAcrossDevices() throws {
        try withDirectory { directory in
            let fileSystem = POSIXFileSystem()
            let target = "/dev/shm/storage-link-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: target) }
            let file = try fileSystem.open("\(directory)/a", .create)
            try file.write([1, 2, 3], at: 0)
            try fileSystem.link("\(directory)/a", to: target)
            try file.write([9], at: 0)
            #expect(try fileSystem.readAll(target) == [1, 2, 3])
        }
    }

    static let hasSecondDevice: Bool = {
        func device(_ path: String) -> Int? {
            (try? FileManager.default.attributesOfItem(atPath: path))?[.systemNumber] as? Int
        }
        guard let shared = device("/dev/shm"), let temporary = device(NSTemporaryDirectory()) else { return false }
        return shared != temporary
    }()

    @Test("descriptors are closed with the last reference, and on exec")
    func descriptors() throws {
        try withDirectory { directory in
            // More than a process may have open.
            for index in 0..<1500 {
                try POSIXFileSystem().open("\(directory)/a", .createOrTruncate).write([UInt8(index % 256)], at: 0)
            }
            #expect(try POSIXFileSystem().readAll("\(directory)/a") == [UInt8(1499 % 256)])
        }
    }

    @Test("closing while others read lets them finish or refuses them, and never reads another file")
    func closeDuringReads() async throws {
        let directory = NSTemporaryDirectory() + "storage-posix-\(UUID().uuidString)"
        try POSIXFileSystem().createDirectory(directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for round in 0..<50 {
            let file = try POSIXFileSystem().open("\(directory)/\(round)", .create)
            try file.write([UInt8](repeating: 1, count: 100), at: 0)
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while let bytes = try? file.read(at: 0, byteCount: 100) {
                            if bytes != [UInt8](repeating: 1, count: 100) { return false }
                        }
                        return true
                    }
                }
                try? file.close()
                let other = try? POSIXFileSystem().open("\(directory)/other", .createOrTruncate)
                try? other?.write([UInt8](repeating: 2, count: 100), at: 0)
                for await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test("paths have parents and names")
    func pathText() {
        #expect(FilePathText.parent(of: "/a/b") == "/a")
        #expect(FilePathText.parent(of: "/a//b//") == "/a")
        #expect(FilePathText.parent(of: "/a") == "/")
        #expect(FilePathText.parent(of: "/") == "/")
        #expect(FilePathText.parent(of: "a") == ".")
        #expect(FilePathText.parent(of: "") == ".")
        #expect(FilePathText.name(of: "/a/b/") == "b")
        #expect(FilePathText.name(of: "b") == "b")
    }
}
