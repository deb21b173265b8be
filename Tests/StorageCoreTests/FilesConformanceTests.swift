// FilesConformanceTests.swift — what every file system does the same way: the operating system's and the simulated one.

import Foundation
import StorageCore
import StorageTypes
import Testing

/// A file system and a directory on it that nobody else uses.
struct FileSystemUnderTest: CustomTestStringConvertible, Sendable {
    var name: String
    var make: @Sendable () throws -> (fileSystem: any FileSystem, directory: String)

    var testDescription: String { name }

    static let all = [
        FileSystemUnderTest(name: "POSIX") {
            let directory = NSTemporaryDirectory() + "storage-files-\(UUID().uuidString)"
            try POSIXFileSystem().createDirectory(directory)
            return (POSIXFileSystem(), directory)
        },
        FileSystemUnderTest(name: "simulated") {
            let disk = SimulatedFileSystem()
            try disk.createDirectory("/data")
            return (disk, "/data")
        },
    ]

    /// Runs a test and leaves nothing behind.
    func run(_ body: (any FileSystem, String) throws -> Void) throws {
        let (fileSystem, directory) = try make()
        defer { if fileSystem is POSIXFileSystem { try? FileManager.default.removeItem(atPath: directory) } }
        try body(fileSystem, directory)
    }
}

/// Expects a `StorageError` with a code, and that it names a file.
func expectStorageError(
    _ code: StorageError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    let error = #expect(throws: StorageError.self, sourceLocation: sourceLocation, performing: body)
    #expect(error?.code == code, sourceLocation: sourceLocation)
    #expect(error?.location != nil, sourceLocation: sourceLocation)
}

@Suite("Files: every file system")
struct FilesConformanceTests {
    @Test("written bytes are read back, also across the end of the file", arguments: FileSystemUnderTest.all)
    func writeAndRead(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let file = try fileSystem.open("\(directory)/a", .create)
            try file.write([1, 2, 3, 4], at: 0)
            try file.write([9], at: 2)
            #expect(try file.readAll() == [1, 2, 9, 4])
            #expect(try file.read(at: 3, byteCount: 10) == [4])
            #expect(try file.read(at: 4, byteCount: 10) == [])
            #expect(try file.read(at: 400, byteCount: 10) == [])
            try file.write([7], at: 6)
            #expect(try file.readAll() == [1, 2, 9, 4, 0, 0, 7])
            #expect(try file.byteCount() == 7)
            try file.sync()
            file.startWriteBack(from: 0, byteCount: 7)
            try file.close()
            #expect(try fileSystem.readAll("\(directory)/a") == [1, 2, 9, 4, 0, 0, 7])
        }
    }

    @Test("writing nothing beyond the end does not grow the file", arguments: FileSystemUnderTest.all)
    func emptyWrite(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let file = try fileSystem.open("\(directory)/a", .create)
            try file.write([], at: 10)
            #expect(try file.byteCount() == 0)
        }
    }

    @Test("truncating cuts the end off and growing fills with zeros", arguments: FileSystemUnderTest.all)
    func truncate(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let file = try fileSystem.open("\(directory)/a", .create)
            try file.write([1, 2, 3, 4], at: 0)
            try file.truncate(to: 2)
            try file.truncate(to: 4)
            #expect(try file.readAll() == [1, 2, 0, 0])
        }
    }

    @Test("allocating space leaves the length alone", arguments: FileSystemUnderTest.all)
    func allocate(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let file = try fileSystem.open("\(directory)/a", .create)
            try file.write([1], at: 0)
            try file.allocate(byteCount: 65536)
            #expect(try file.readAll() == [1])
        }
    }

    @Test("each mode of opening asks for what it says", arguments: FileSystemUnderTest.all)
    func modes(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let path = "\(directory)/a"
            expectStorageError(.notFound) { _ = try fileSystem.open(path, .read) }
            expectStorageError(.notFound) { _ = try fileSystem.open(path, .readWrite) }
            expectStorageError(.notFound) { _ = try fileSystem.open("\(directory)/missing/a", .create) }
            try fileSystem.open(path, .create).write([1, 2], at: 0)
            expectStorageError(.alreadyExists) { _ = try fileSystem.open(path, .create) }
            try fileSystem.open(path, .readWrite).write([3], at: 0)
            #expect(try fileSystem.readAll(path) == [3, 2])
            _ = try fileSystem.open(path, .createOrTruncate)
            #expect(try fileSystem.readAll(path) == [])
            _ = try fileSystem.open("\(directory)/b", .createOrTruncate)
            #expect(try fileSystem.list(directory) == ["a", "b"])
        }
    }

    @Test("a closed file refuses everything but closing", arguments: FileSystemUnderTest.all)
    func closed(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let file = try fileSystem.open("\(directory)/a", .create)
            try file.close()
            try file.close()
            expectStorageError(.closed) { try file.write([1], at: 0) }
            expectStorageError(.closed) { _ = try file.readAll() }
            expectStorageError(.closed) { _ = try file.read(at: 0, byteCount: 1) }
            expectStorageError(.closed) { try file.sync() }
            expectStorageError(.closed) { try file.truncate(to: 0) }
            expectStorageError(.closed) { try file.allocate(byteCount: 1) }
            file.startWriteBack(from: 0, byteCount: 1)
        }
    }

    @Test(
        "directories are made with their parents, listed in order and removed when empty",
        arguments: FileSystemUnderTest.all)
    func directories(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            try fileSystem.createDirectory("\(directory)/x/y/z/")
            try fileSystem.createDirectory("\(directory)/x/y/z")
            #expect(try fileSystem.exists("\(directory)/x/y/z"))
            _ = try fileSystem.open("\(directory)/x/b", .create)
            _ = try fileSystem.open("\(directory)/x/a", .create)
            #expect(try fileSystem.list("\(directory)/x") == ["a", "b", "y"])
            expectStorageError(.notFound) { _ = try fileSystem.list("\(directory)/missing") }
            expectStorageError(.ioFailure) { try fileSystem.removeDirectory("\(directory)/x/y") }
            try fileSystem.removeDirectory("\(directory)/x/y/z")
            try fileSystem.removeDirectory("\(directory)/x/y")
            #expect(try fileSystem.list("\(directory)/x") == ["a", "b"])
            try fileSystem.syncDirectory("\(directory)/x")
            expectStorageError(.notFound) { try fileSystem.syncDirectory("\(directory)/missing") }
        }
    }

    @Test("a directory can't be made where a file is", arguments: FileSystemUnderTest.all)
    func directoryOverFile(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            _ = try fileSystem.open("\(directory)/a", .create)
            #expect(throws: StorageError.self) { try fileSystem.createDirectory("\(directory)/a") }
            #expect(throws: StorageError.self) { try fileSystem.createDirectory("\(directory)/a/b") }
            #expect(throws: StorageError.self) { _ = try fileSystem.open("\(directory)/a/b", .create) }
        }
    }

    @Test("a rename replaces the target and keeps the bytes", arguments: FileSystemUnderTest.all)
    func rename(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let (old, new) = ("\(directory)/old", "\(directory)/new")
            let file = try fileSystem.open(old, .create)
            try file.write([1], at: 0)
            try fileSystem.open(new, .create).write([2], at: 0)
            try fileSystem.rename(old, to: new)
            #expect(try fileSystem.list(directory) == ["new"])
            #expect(try fileSystem.readAll(new) == [1])
            try file.write([3], at: 1)
            #expect(try fileSystem.readAll(new) == [1, 3])
            expectStorageError(.notFound) { try fileSystem.rename(old, to: new) }
        }
    }

    @Test("a link gives one file two names", arguments: FileSystemUnderTest.all)
    func link(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let (first, second) = ("\(directory)/first", "\(directory)/second")
            try fileSystem.open(first, .create).write([1], at: 0)
            try fileSystem.link(first, to: second)
            try fileSystem.remove(first)
            #expect(try fileSystem.exists(first) == false)
            #expect(try fileSystem.readAll(second) == [1])
            expectStorageError(.notFound) { try fileSystem.link(first, to: "\(directory)/third") }
            _ = try fileSystem.open(first, .create)
            expectStorageError(.alreadyExists) { try fileSystem.link(first, to: second) }
        }
    }

    @Test("a removed file can be used by those who have it open", arguments: FileSystemUnderTest.all)
    func removeOpenFile(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let file = try fileSystem.open("\(directory)/a", .create)
            try fileSystem.remove("\(directory)/a")
            try file.write([5], at: 0)
            #expect(try file.readAll() == [5])
            expectStorageError(.notFound) { try fileSystem.remove("\(directory)/a") }
        }
    }

    @Test("a lock keeps the second holder out until it is released", arguments: FileSystemUnderTest.all)
    func lock(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let path = "\(directory)/LOCK"
            let lock = try fileSystem.lock(path)
            #expect(try fileSystem.exists(path))
            expectStorageError(.locked) { _ = try fileSystem.lock(path) }
            expectStorageError(.locked) { _ = try fileSystem.lock("\(directory)/./LOCK") }
            lock.release()
            lock.release()
            var second: (any FileLock)? = try fileSystem.lock(path)
            expectStorageError(.locked) { _ = try fileSystem.lock(path) }
            #expect(second != nil)
            second = nil
            try fileSystem.lock(path).release()
        }
    }

    @Test("free space is reported", arguments: FileSystemUnderTest.all)
    func freeSpace(_ subject: FileSystemUnderTest) throws {
        try subject.run { fileSystem, directory in
            let count = try fileSystem.freeByteCount(directory)
            #expect(count > 0)
        }
    }
}
