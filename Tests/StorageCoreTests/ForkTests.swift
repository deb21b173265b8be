// ForkTests.swift — a storage that was open when its process was forked belongs to the parent.
//
// Forking is done in a child process that does little else: locks that other threads hold stay locked for ever in a fork.

import Foundation
import StorageTypes
import Testing

@testable import StorageCore

private let childVariable = "SHOPSTREAM_FORK_CHILD"

@Suite struct ForkTests {
    @Test("a forked process can neither use nor open the storage of its parent, which goes on")
    func forked() throws {
        let directory = NSTemporaryDirectory() + "shopstream-fork-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let child = Process()
        child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        child.arguments = ["--testing-library", "swift-testing", "--filter", "ForkChildTests"]
        child.environment = ProcessInfo.processInfo.environment.merging([childVariable: directory]) { $1 }
        let output = directory + "/child.txt"
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        child.standardOutput = FileHandle(forWritingAtPath: output)
        child.standardError = FileHandle(forWritingAtPath: output)
        try child.run()
        child.waitUntilExit()
        let text = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
        #expect(child.terminationStatus == 0, "\(text)")
        #expect(FileManager.default.fileExists(atPath: directory + "/done"), "\(text)")
    }
}

@Suite(.enabled(if: ProcessInfo.processInfo.environment[childVariable] != nil))
struct ForkChildTests {
    private typealias Fork = @convention(c) () -> Int32

    /// Swift hides the call, since hardly anything may be done after it; this is about that little.
    private func fork() throws -> Int32 {
        #if os(Linux)
            let everywhere = UnsafeMutableRawPointer(bitPattern: 0)
        #else
            let everywhere = UnsafeMutableRawPointer(bitPattern: -2)
        #endif
        let symbol = try #require(dlsym(everywhere, "fork"))
        return unsafeBitCast(symbol, to: Fork.self)()
    }

    @Test("opens a storage, forks, and looks at what the fork was told")
    func run() throws {
        let directory = try #require(ProcessInfo.processInfo.environment[childVariable])
        var options = StorageOptions()
        options.backgroundWork = .manual
        let storage = try Storage.open(at: directory + "/db", options: options)
        let keyspace = try storage.keyspace("k")
        try storage.write(.synced) { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) }

        let identifier = try fork()
        if identifier == 0 { _exit(answers(storage, keyspace, directory, options)) }
        #expect(identifier > 0)
        var status: Int32 = 0
        #expect(waitpid(identifier, &status, 0) == identifier)
        #expect(status == 0, "bits of what was not refused: \(status >> 8)")

        try storage.write(.synced) { try $0.put(keyspace, [2].rawSpan, [2].rawSpan) }
        #expect(try storage.verify().isHealthy)
        try storage.close()
        let reopened = try Storage.open(at: directory + "/db", options: options)
        #expect(try keys(reopened.snapshot().view, reopened.keyspace("k")) == [[1], [2]])
        try reopened.close()
        _ = FileManager.default.createFile(atPath: directory + "/done", contents: nil)
    }

    /// In the fork: a bit for each call that was not refused as it should be.
    private func answers(
        _ storage: Storage, _ keyspace: Keyspace, _ directory: String, _ options: StorageOptions
    ) -> Int32 {
        let calls: [() throws -> Void] = [
            { try storage.write { try $0.put(keyspace, [3].rawSpan, [3].rawSpan) } },
            { try storage.flush() }, { try storage.close() }, { _ = try storage.keyspace("other") },
            { try storage.dropKeyspace("k") }, { _ = try storage.step() },
            { _ = try Storage.open(at: directory + "/db", options: options) },
        ]
        var bits: Int32 = 0
        for (index, call) in calls.enumerated() where errorCode(call) != .locked { bits |= 1 << Int32(index) }
        return bits
    }
}
