// FilesModelTests.swift — random calls give the same answers on the operating system's files and on the simulated disk.

import Foundation
import StorageCore
import StorageTypes
import Testing

/// One random call and its answer as text, the same on every file system that keeps the contract.
private struct RandomCall {
    enum Kind: CaseIterable {
        case write, truncate, read, open, remove, rename, link, list, createDirectory, removeDirectory, sync, exists
    }

    var kind: Kind
    var path: String
    var other: String
    var mode: FileMode
    var offset: Int64
    var byteCount: Int
    var byte: UInt8

    init(_ random: inout SeededRandom) {
        func path(_ random: inout SeededRandom) -> String {
            ["a", "b", "x/a", "x/b", "x", "y", "y/a"].randomElement(using: &random) ?? "a"
        }
        kind = Kind.allCases.randomElement(using: &random) ?? .list
        self.path = path(&random)
        other = path(&random)
        mode = FileMode.allCases.randomElement(using: &random) ?? .read
        offset = Int64.random(in: 0..<2000, using: &random)
        byteCount = Int.random(in: 0..<1500, using: &random)
        byte = UInt8.random(in: 1...255, using: &random)
    }

    func answer(on fileSystem: any FileSystem, in directory: String) -> String {
        do {
            return try "\(answerOrThrow(on: fileSystem, "\(directory)/\(path)", "\(directory)/\(other)"))"
        } catch is StorageError {
            // Which of two reasons for a refusal is found first may differ; that there is one may not.
            return "refused"
        } catch {
            return "\(error)"
        }
    }

    private func answerOrThrow(on fileSystem: any FileSystem, _ path: String, _ other: String) throws -> Any {
        switch kind {
        case .write:
            let file = try fileSystem.open(path, .readWrite)
            try file.write([UInt8](repeating: byte, count: byteCount), at: offset)
            return try file.byteCount()
        case .truncate: return try fileSystem.open(path, .readWrite).truncate(to: offset)
        case .read: return try fileSystem.open(path, .read).read(at: offset / 2, byteCount: byteCount)
        case .open: return try fileSystem.open(path, mode).byteCount()
        case .remove: return try fileSystem.remove(path)
        case .rename: return try fileSystem.rename(path, to: other)
        case .link: return try fileSystem.link(path, to: other)
        case .list: return try fileSystem.list(path)
        case .createDirectory: return try fileSystem.createDirectory(path)
        case .removeDirectory: return try fileSystem.removeDirectory(path)
        case .sync: return try fileSystem.open(path, .readWrite).sync()
        case .exists: return try fileSystem.exists(path)
        }
    }
}

@Suite("Files: both file systems agree")
struct FilesModelTests {
    @Test("random calls give the same answers on both")
    func randomCalls() throws {
        let seed = TestSeed.draw("files model")
        var random = SeededRandom(seed: seed)
        let directory = NSTemporaryDirectory() + "storage-model-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (real, simulated) = (POSIXFileSystem(), SimulatedFileSystem(seed: seed))
        try real.createDirectory(directory)
        try simulated.createDirectory("/data")
        for step in 0..<1000 {
            let call = RandomCall(&random)
            let expected = call.answer(on: real, in: directory)
            let actual = call.answer(on: simulated, in: "/data")
            try #require(actual == expected, "step \(step): \(call)")
        }
    }
}
