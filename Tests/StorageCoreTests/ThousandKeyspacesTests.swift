// ThousandKeyspacesTests.swift — what a process with few descriptors and little memory does with many keyspaces.
//
// The work is done by a child process, this test program told by an environment variable to run one test only: limits and
// peaks belong to a process.

import Foundation
import StorageTypes
import Testing

@testable import StorageCore

private let childVariable = "SHOPSTREAM_BUDGET_CHILD"

@Suite struct ThousandKeyspacesTests {
    @Test("a thousand keyspaces in three hundred trees work with 256 descriptors and 128 MB")
    func thousand() throws {
        let directory = NSTemporaryDirectory() + "shopstream-budget-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let child = Process()
        child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        child.arguments = ["--testing-library", "swift-testing", "--filter", "ThousandKeyspacesChildTests"]
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
struct ThousandKeyspacesChildTests {
    private static let keyspaceCount = 1000
    /// Either way together nearly what all memory is, or more.
    private static let roundCount = Soak.stride(40, brief: 24)

    private static func options(_ number: Int) -> KeyspaceOptions {
        KeyspaceOptions(
            isDedicated: number % 4 == 0, compression: CompressionOptions(upper: number % 3 == 0 ? .none : .lz4),
            filterBitsPerKey: 10 + number % 16)
    }

    private static func storageOptions() -> StorageOptions {
        var options = StorageOptions()
        options.descriptorBudget = 200
        options.memoryByteBudget = 32 << 20
        options.logSegmentByteCount = 4 << 20
        options.logByteBudget = 24 << 20
        return options
    }

    @Test("writes, flushes, compacts, closes, opens and reads a thousand keyspaces")
    func run() throws {
        let directory = try #require(ProcessInfo.processInfo.environment[childVariable])
        try limitDescriptors(to: 256)

        try write(directory)
        let storage = try Storage.open(at: directory + "/db", options: Self.storageOptions())
        #expect(storage.keyspaceNames.count == Self.keyspaceCount)
        try read(storage)
        let report = try storage.verify()
        #expect(report.isHealthy, "\(report)")
        try storage.close()
        let resident = try peakResidentByteCount()
        #expect(resident <= 128 << 20, "\(resident >> 20) MB")
        _ = FileManager.default.createFile(atPath: directory + "/done", contents: nil)
    }

    private func write(_ directory: String) throws {
        let storage = try Storage.open(at: directory + "/db", options: Self.storageOptions())
        let keyspaces = try (0..<Self.keyspaceCount).map {
            try storage.keyspace("keyspace \($0)", options: Self.options($0))
        }
        var random = SeededRandom(seed: 11)
        let filler = random.bytes(800)
        for round in 0..<Self.roundCount {
            for (number, keyspace) in keyspaces.enumerated() {
                let value = bytes("\(number) \(round) ") + filler.dropFirst(Int.random(in: 0..<100, using: &random))
                try storage.write { try $0.put(keyspace, bytes("key \(round)").rawSpan, value.rawSpan) }
            }
            if round == Self.roundCount / 2 { try storage.flush() }
        }
        try storage.settle()
        try read(storage)
        try storage.close()
    }

    private func read(_ storage: Storage) throws {
        let view = storage.snapshot().view
        for number in stride(from: 0, to: Self.keyspaceCount, by: 7) {
            let keyspace = try #require(storage.existingKeyspace("keyspace \(number)"))
            let value = try view.get(keyspace, bytes("key \(Self.roundCount - 1)").rawSpan)
            #expect(value?.starts(with: bytes("\(number) \(Self.roundCount - 1) ")) == true)
            #expect(try keys(view, keyspace).count == Self.roundCount)
        }
    }

    private func limitDescriptors(to count: UInt) throws {
        #if os(Linux)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        try #require(getrlimit(resource, &limit) == 0)
        limit.rlim_cur = rlim_t(count)
        try #require(setrlimit(resource, &limit) == 0)
    }

    /// The most memory that this process has had resident.
    private func peakResidentByteCount() throws -> Int {
        #if os(Linux)
            // Not `ru_maxrss`: that begins with what the parent had when it made this process.
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
            return try #require(Int(line.split(separator: " ").dropLast().last ?? "")) << 10
        #else
            var usage = rusage()
            try #require(getrusage(RUSAGE_SELF, &usage) == 0)
            return usage.ru_maxrss
        #endif
    }
}
