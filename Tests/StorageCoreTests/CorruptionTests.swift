// CorruptionTests.swift — damage to every kind of file: never a trap, never a wrong answer.
//
// One limit is documented: damage to the last group of records in the log, with nothing valid behind it, can't be told
// from a write that a crash has torn. Then the log ends there, and the state is that of an earlier commit.

import StorageCore
import StorageTypes
import Testing

@Suite("Damaged files")
struct CorruptionTests {
    private static let seed: UInt64 = 6

    /// A storage with tables in several levels, several log segments and a manifest of many edits, and how it came about.
    private struct Image {
        var run: CrashRun
        var disk: SimulatedFileSystem
        /// Every commit up to this one was synced, and records that say so follow it.
        var witnessed: Int

        var files: [String] {
            get throws {
                try ["/db", "/db/log", "/db/tables"].flatMap { directory in
                    try disk.list(directory).map { "\(directory)/\($0)" }
                }.filter { !["/db/log", "/db/tables", "/db/LOCK"].contains($0) }
            }
        }

        /// The newest segment: nothing behind it witnesses what it holds.
        var lastSegment: String? { try? files.last { $0.hasSuffix(".log") } }

        func copy() -> SimulatedFileSystem { disk.crash(.everything) }
    }

    private static func image(closed: Bool) throws -> Image {
        let run = CrashRun(SimulatedFileSystem(seed: 1))
        try run.run(CrashWorkload(seed: seed, stepCount: 80).steps)
        let witnessed = run.history.count - 1
        func put(_ number: Int) -> CrashStep {
            let value = [UInt8](repeating: 120, count: 500)
            let change = CrashChange.put("plain", Array("last \(number)".utf8), value, lifetime: nil)
            return .commit([change], .buffered, inTransaction: false)
        }
        // Enough for another segment, so that the witnesses are not all in the segment of what they witness.
        try run.run([.sync] + (0..<9).map(put))
        let synced = run.history.count - 1
        try run.run([.sync, put(10), put(11)])
        if closed { try run.storage?.close() }
        #expect(run.errors.isEmpty)
        #expect(synced > witnessed)
        return Image(run: run, disk: run.disk.crash(.everything), witnessed: synced)
    }

    private func judge(
        _ image: Image, _ what: String, least: Int? = nil, _ damage: (SimulatedFileSystem) throws -> Void
    ) throws -> Bool {
        let disk = image.copy()
        try damage(disk)
        do {
            try image.run.checkDamaged(disk, atLeast: least ?? image.witnessed)
            return true
        } catch {
            Issue.record("workload \(Self.seed), \(what): \(error)")
            return false
        }
    }

    @Test("a flipped bit in any file is detected, or changes nothing", arguments: [false, true])
    func flippedBits(closed: Bool) throws {
        let image = try Self.image(closed: closed)
        var random = SeededRandom(seed: TestSeed.draw("flipped bits, closed \(closed)"))
        for path in try image.files {
            let bitCount = try image.disk.readFile(path).count * 8
            // Of the many bits a dozen, others in every run, and some at both ends.
            let stride = Soak.stride(1, brief: max(7, bitCount / 12 | 1))
            let edgeStride = Soak.stride(1, brief: 7)
            let edges = Array(0..<min(bitCount, 24)) + Array(max(0, bitCount - 24)..<bitCount)
            let tried = Swift.stride(from: Int.random(in: 0..<stride, using: &random), to: bitCount, by: stride)
            let triedEdges = Swift.stride(
                from: Int.random(in: 0..<edgeStride, using: &random), to: edges.count, by: edgeStride)
            for bit in Set(tried).union(triedEdges.map { edges[$0] }).sorted() {
                let what = "bit \(bit) of \(path) of \(bitCount)"
                guard try judge(image, what, { try $0.flipBit(path: path, bitOffset: bit) }) else { return }
            }
        }
    }

    @Test("a file that was cut short is detected, or the log ends earlier", arguments: [false, true])
    func truncation(closed: Bool) throws {
        let image = try Self.image(closed: closed)
        for path in try image.files {
            let bytes = try image.disk.readFile(path)
            for length in Set([0, 1, bytes.count / 3, bytes.count / 2, bytes.count - 8, bytes.count - 1]).sorted()
            where 0..<bytes.count ~= length {
                let least = path == image.lastSegment ? 0 : image.witnessed
                let what = "\(path) cut to \(length) of \(bytes.count)"
                let isRight = try judge(image, what, least: least) {
                    try $0.writeFile(path, Array(bytes.prefix(length)))
                }
                guard isRight else { return }
            }
        }
    }

    @Test("a file that is missing is missed", arguments: [false, true])
    func deletion(closed: Bool) throws {
        let image = try Self.image(closed: closed)
        for path in try image.files {
            let least = path == image.lastSegment ? 0 : image.witnessed
            guard try judge(image, "\(path) removed", least: least, { try $0.remove(path) }) else { return }
        }
    }

    @Test("files that have changed places are recognised")
    func swappedFiles() throws {
        let image = try Self.image(closed: false)
        let files = try image.files
        for suffix in [".sst", ".log"] {
            let group = files.filter { $0.hasSuffix(suffix) }
            try #require(group.count > 1)
            for (left, right) in zip(group, group.dropFirst()) {
                let (leftBytes, rightBytes) = (try image.disk.readFile(left), try image.disk.readFile(right))
                let isRight = try judge(image, "\(left) and \(right) swapped") {
                    try $0.writeFile(left, rightBytes)
                    try $0.writeFile(right, leftBytes)
                }
                guard isRight else { return }
            }
        }
    }

    @Test("a storage whose CURRENT is missing is not taken for a new one", arguments: [false, true])
    func missingCurrent(withCommit: Bool) throws {
        let disk = SimulatedFileSystem(seed: 1)
        let options = CrashWorkload.storageOptions(disk, ManualClock())
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        if withCommit { try storage.write(.synced) { try $0.put(keyspace, [1].rawSpan, [2].rawSpan) } }
        let found = disk.crash(.everything)
        try found.remove("/db/CURRENT")
        #expect {
            try Storage.open(at: "/db", options: CrashWorkload.storageOptions(found, ManualClock()))
        } throws: {
            ($0 as? StorageError)?.code == .corruption
        }
    }

    @Test("a manifest or log of another storage is refused")
    func foreignFiles() throws {
        let image = try Self.image(closed: false)
        let foreign = SimulatedFileSystem(seed: 9)
        var options = CrashWorkload.storageOptions(foreign, ManualClock())
        options.seed = 77
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("plain")
        try storage.write(.synced) { try $0.put(keyspace, [1].rawSpan, [2].rawSpan) }
        let log = try foreign.readFile("/db/log/000000000001.log")
        let segment = try #require(try image.files.first { $0.hasSuffix(".log") })
        _ = try judge(image, "a foreign log") { try $0.writeFile(segment, log) }
        let manifest = try foreign.readFile("/db/MANIFEST-000000000001")
        let path = try #require(try image.files.first { $0.contains("MANIFEST-") })
        _ = try judge(image, "a foreign manifest") { try $0.writeFile(path, manifest) }
    }

    @Test("a second opening is refused while the first one lives")
    func lock() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let options = CrashWorkload.storageOptions(disk, ManualClock())
        let storage = try Storage.open(at: "/db", options: options)
        #expect {
            try Storage.open(at: "/db", options: options)
        } throws: {
            ($0 as? StorageError)?.code == .locked
        }
        try storage.close()
        try Storage.open(at: "/db", options: options).close()
    }
}
