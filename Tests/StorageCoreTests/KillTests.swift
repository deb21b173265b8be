// KillTests.swift — a child process that writes with all its threads is killed, again and again, on the real file system.
//
// The child is this test program, told by an environment variable to run one test only, which never returns. Each of its
// writers numbers its commits and notes a commit in a file once it is acknowledged; the note is made with one write(2), so
// it outlives the process. The parent kills it, opens the storage, and holds it against the notes.

import Foundation
import StorageCore
import StorageTypes
import Testing

private let childVariable = "SHOPSTREAM_KILL_CHILD"
private let engineVariable = "SHOPSTREAM_KILL_ENGINE"
private let writerCount = 3

private enum KillStorage {
    static func options() -> StorageOptions {
        var options = StorageOptions()
        options.memtableByteCount = 40_000
        options.logSegmentByteCount = 32 << 10
        options.logByteBudget = 256 << 10
        options.tableByteCount = 32 << 10
        options.levelOneByteCount = 64 << 10
        options.syncInterval = .milliseconds(20)
        return options
    }

    struct Keyspaces {
        /// Sequence → the writer and the number of its commit.
        var order: Keyspace
        /// Writer → the number of its newest commit.
        var newest: Keyspace
        /// Writer → the number of commits, counted by merging.
        var counts: Keyspace

        init(_ storage: Storage) throws {
            order = try storage.keyspace("order")
            newest = try storage.keyspace("newest", options: KeyspaceOptions(isDedicated: true))
            counts = try storage.keyspace("counts", options: KeyspaceOptions(mergeOperator: KillCount()))
        }
    }

    static func bytes(_ value: UInt64) -> [UInt8] {
        var encoder = KeyEncoder()
        encoder.append(uint64: value)
        return encoder.bytes
    }

    static func value(_ bytes: [UInt8]) throws -> UInt64 {
        var decoder = KeyDecoder(bytes.rawSpan)
        return try decoder.uint64()
    }

    static func notes(_ directory: String, _ writer: Int) -> String { "\(directory)/notes-\(writer)" }
}

/// Adds numbers.
private struct KillCount: MergeOperator {
    var name: String { "test.count" }

    func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) throws {
        result = KillStorage.bytes(try KillStorage.value(older.array()) + KillStorage.value(newer.array()))
    }
}

@Suite("Killed process", .serialized)
struct KillTests {
    @Test(
        "a process killed at any moment leaves a prefix of its commits with all that was acknowledged",
        arguments: [CrashEngine.trees, .sqlite])
    func killedChild(engine: CrashEngine) throws {
        try killRounds(6, until: nil, engine)
    }
}

@Suite("Soak: killed process", .enabled(if: Soak.duration != nil))
struct KillSoakTests {
    @Test("no kill of many loses what was acknowledged", arguments: [CrashEngine.trees, .sqlite])
    func killedChildren(engine: CrashEngine) throws {
        try killRounds(1000, until: Soak.duration, engine)
    }
}

private func killRounds(_ count: Int, until duration: Duration?, _ engine: CrashEngine) throws {
    let directory = NSTemporaryDirectory() + "shopstream-kill-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let seed = TestSeed.draw("kills of a process over \(engine)")
    var random = SeededRandom(seed: seed)
    let start = ContinuousClock.now
    for round in 1...count {
        if let duration, ContinuousClock.now - start > duration { return }
        try runAndKill(directory, engine, afterMilliseconds: Int.random(in: 0..<250, using: &random))
        do {
            try checkSurvivors(directory, engine)
        } catch {
            Issue.record("seed \(seed), round \(round): \(error)")
            return
        }
    }
}

private func runAndKill(_ directory: String, _ engine: CrashEngine, afterMilliseconds delay: Int) throws {
    let before = try (0..<writerCount).map { try noted(directory, $0) }
    let child = Process()
    child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    child.arguments = ["--testing-library", "swift-testing", "--filter", "KillChildTests"]
    child.environment = ProcessInfo.processInfo.environment.merging(
        [childVariable: directory, engineVariable: "\(engine)", "SWIFT_BACKTRACE": "enable=no"],
        uniquingKeysWith: { $1 })
    let output = directory + "/child.txt"
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    child.standardOutput = FileHandle(forWritingAtPath: output)
    child.standardError = FileHandle(forWritingAtPath: output)
    try child.run()
    let deadline = ContinuousClock.now + .seconds(600)
    while try (0..<writerCount).allSatisfy({ try noted(directory, $0) == before[$0] }) {
        guard child.isRunning, ContinuousClock.now < deadline else {
            let end = child.isRunning ? "still runs" : "ended with status \(child.terminationStatus)"
            kill(child.processIdentifier, SIGKILL)
            let text = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
            throw CrashViolation("the child wrote nothing and \(end): \(text)")
        }
        usleep(1000)
    }
    // While it lives, nobody else may open the storage.
    #expect {
        try Storage.open(engine.location(directory + "/db"), options: KillStorage.options())
    } throws: {
        ($0 as? StorageError)?.code == .locked
    }
    usleep(UInt32(delay * 1000))
    kill(child.processIdentifier, SIGKILL)
    child.waitUntilExit()
}

/// The number of the newest commit that a writer has noted as acknowledged.
private func noted(_ directory: String, _ writer: Int) throws -> UInt64 {
    guard let data = FileManager.default.contents(atPath: KillStorage.notes(directory, writer)), data.count >= 8 else {
        return 0
    }
    let last = data.count / 8 * 8
    return try KillStorage.value([UInt8](data[last - 8..<last]))
}

private func checkSurvivors(_ directory: String, _ engine: CrashEngine) throws {
    let storage = try Storage.open(engine.location(directory + "/db"), options: KillStorage.options())
    // A storage with threads that is merely let go may hold its lock a little longer.
    defer { try? storage.close() }
    let keyspaces = try KillStorage.Keyspaces(storage)
    let report = try storage.verify()
    guard report.isHealthy else { throw CrashViolation("\(report)") }
    let view = storage.snapshot().view

    var newest: [UInt64: UInt64] = [:]
    for writer in 0..<UInt64(writerCount) {
        let key = KillStorage.bytes(writer)
        newest[writer] = try view.get(keyspaces.newest, key.rawSpan).map { try KillStorage.value($0) } ?? 0
        let count = try view.get(keyspaces.counts, key.rawSpan).map { try KillStorage.value($0) } ?? 0
        guard newest[writer] == count else {
            throw CrashViolation("writer \(writer): commit \(newest[writer] ?? 0), but \(count) merges")
        }
        let acknowledged = try noted(directory, Int(writer))
        guard count >= acknowledged else {
            throw CrashViolation("writer \(writer): \(count) of \(acknowledged) acknowledged commits survive")
        }
    }
    try checkOrder(view, keyspaces, newest, storage.visibleSequence.rawValue)
}

/// The commits that were not trimmed are there without a gap up to the newest, and each writer's are in its order.
private func checkOrder(
    _ view: ReadView, _ keyspaces: KillStorage.Keyspaces, _ newest: [UInt64: UInt64], _ last: UInt64
) throws {
    var expected: UInt64?
    var lastOfWriter: [UInt64: UInt64] = [:]
    var cursor = try view.cursor(keyspaces.order)
    try cursor.seekToFirst()
    while cursor.isValid {
        let sequence = try KillStorage.value(cursor.key.array())
        let writer = try KillStorage.value(Array(cursor.value.array().prefix(8)))
        let number = try KillStorage.value(Array(cursor.value.array()[8..<16]))
        guard sequence == expected ?? sequence else {
            throw CrashViolation("commit \(expected ?? 0) is missing; \(sequence) follows")
        }
        guard lastOfWriter[writer].map({ $0 + 1 == number }) ?? true else {
            throw CrashViolation("writer \(writer): \(number) follows \(lastOfWriter[writer] ?? 0)")
        }
        lastOfWriter[writer] = number
        expected = sequence + 1
        try cursor.next()
    }
    guard expected == last + 1 else { throw CrashViolation("the newest commit is \(expected ?? 0) - 1, not \(last)") }
    for (writer, number) in lastOfWriter where newest[writer] != number {
        throw CrashViolation("writer \(writer): \(number) in order, \(newest[writer] ?? 0) as its newest")
    }
}

@Suite("Killed process: the child", .enabled(if: ProcessInfo.processInfo.environment[childVariable] != nil))
struct KillChildTests {
    @Test("writes until it is killed")
    func write() throws {
        let directory = try #require(ProcessInfo.processInfo.environment[childVariable])
        let engine: CrashEngine = ProcessInfo.processInfo.environment[engineVariable] == "sqlite" ? .sqlite : .trees
        let storage = try Storage.open(engine.location(directory + "/db"), options: KillStorage.options())
        let keyspaces = try KillStorage.Keyspaces(storage)
        for writer in 0..<writerCount {
            Thread.detachNewThread { writeForEver(storage, keyspaces, directory, writer) }
        }
        while true { sleep(60) }
    }
}

private func writeForEver(
    _ storage: Storage, _ keyspaces: KillStorage.Keyspaces, _ directory: String, _ writer: Int
) {
    let notes = open(KillStorage.notes(directory, writer), O_WRONLY | O_CREAT | O_APPEND, 0o644)
    let key = KillStorage.bytes(UInt64(writer))
    do {
        while true {
            let isSynced = UInt64.random(in: 0..<8) == 0
            let number = try storage.write(isSynced ? .synced : .buffered) { transaction in
                let last = try transaction.get(keyspaces.newest, key.rawSpan).map { try KillStorage.value($0) } ?? 0
                let number = KillStorage.bytes(last + 1)
                let sequence = transaction.sequence.rawValue
                if sequence % 500 == 0, sequence > 2000 {
                    let range = KeyRange(lower: nil, upper: KillStorage.bytes(sequence - 2000))
                    try transaction.deleteRange(keyspaces.order, range)
                }
                let filler = [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: Int(sequence % 200))
                try transaction.put(
                    keyspaces.order, KillStorage.bytes(sequence).rawSpan, (key + number + filler).rawSpan)
                try transaction.put(keyspaces.newest, key.rawSpan, number.rawSpan)
                try transaction.merge(keyspaces.counts, key.rawSpan, KillStorage.bytes(1).rawSpan)
                return number
            }
            _ = number.withUnsafeBytes { Foundation.write(notes, $0.baseAddress, $0.count) }
        }
    } catch {
        // No more notes: the parent sees that nothing is written, or what there is must be right.
    }
}
