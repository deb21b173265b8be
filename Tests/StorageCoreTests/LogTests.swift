import StorageTypes
import Testing

@testable import StorageCore

/// A log on a simulated disk, written record by record.
private final class LogFixture {
    static let identity: UInt64 = 77
    let disk = SimulatedFileSystem()
    let writer: LogWriter
    private var sequence: UInt64 = 0

    init(segmentByteCount: Int64 = 1 << 20, writing: LogWriting = .written) throws {
        try disk.createDirectory("/log")
        writer = try LogWriter(
            directory: "/log", fileSystem: disk, identity: Self.identity, firstSegment: 1, previousSequence: 0,
            segmentByteCount: segmentByteCount, writing: writing, seed: 5)
    }

    /// Appends records with the next sequences; each has its sequence as its payload.
    func append(_ count: Int = 1, payload: Int = 40) throws {
        for _ in 0..<count {
            sequence += 1
            var record = UnsafeByteBuilder()
            record.resize(to: LogRecordHeader.byteCount)
            for _ in 0..<payload { record.append(byte: UInt8(truncatingIfNeeded: sequence)) }
            _ = try writer.append(
                &record, sequence: sequence, commitTime: StorageInstant(microseconds: Int64(sequence)))
        }
    }

    /// Sequences that recovery hands out, and where it says that the log ends.
    func replay(
        on disk: SimulatedFileSystem? = nil, from segment: UInt64 = 1, previous: UInt64 = 0, identity: UInt64 = identity
    ) throws -> (sequences: [UInt64], end: LogRecovery.End) {
        var sequences: [UInt64] = []
        let recovery = LogRecovery(fileSystem: disk ?? self.disk, directory: "/log", identity: identity)
        let end = try recovery.replay(from: segment, previousSequence: previous) { header, payload, _, _ in
            #expect(payload.array().allSatisfy { $0 == UInt8(truncatingIfNeeded: header.sequence) })
            #expect(header.commitTime == Int64(header.sequence))
            sequences.append(header.sequence)
        }
        return (sequences, end)
    }

    func path(_ segment: UInt64 = 1) -> String { LogFiles.path(of: segment, in: "/log") }

    /// Where the record of each sequence starts, if all have payloads of 40 bytes.
    func offset(of sequence: Int) -> Int {
        LogSegmentHeader.byteCount + (sequence - 1) * LogRecordHeader.recordByteCount(payloadByteCount: 40)
    }

    func damage(_ sequence: Int, byte: Int = 70) throws {
        try disk.flipBit(path: path(), bitOffset: (offset(of: sequence) + byte) * 8)
    }
}

/// The payload of a batch's record; empty if nothing of it is logged.
private func encodedPayload(_ batch: WriteBatch) -> [UInt8] {
    var bytes = UnsafeByteBuilder()
    let isLogged = BatchEncoding.encode(batch, into: &bytes)
    #expect(isLogged == (bytes.count > 0))
    return Array(bytes.bytes)
}

@Suite struct LogTests {
    @Test("what was appended is read again, over several segments")
    func roundTrip() throws {
        let log = try LogFixture(segmentByteCount: 500)
        try log.append(40)
        let (sequences, end) = try log.replay()
        #expect(sequences == Array(1...40))
        #expect(end.sequence == 40)
        #expect(end.droppedByteCount == 0)
        #expect(end.segment > 5)
        #expect(log.writer.segments(from: 1).count == Int(end.segment))
        // From the middle, as after a flush.
        let (segment, previous) = log.writer.start(afterFlushOfAllThrough: 17)
        #expect(previous <= 17)
        #expect(try log.replay(from: segment, previous: previous).sequences == Array(previous + 1...40))
    }

    @Test("of a log that grows while it is read, what lies behind the ends that were asked for is left out")
    func ends() throws {
        let log = try LogFixture(segmentByteCount: 2000)
        try log.append(30)
        let ends = Dictionary(uniqueKeysWithValues: log.writer.segments(from: 1).map { ($0.number, $0.byteCount) })
        let last = try #require(log.writer.segments(from: 1).last)
        try log.append(1)
        #expect(log.writer.segments(from: 1).last?.number == last.number)
        try log.writer.sync()
        try log.append(20)
        #expect(log.writer.segments(from: 1).count > ends.count)
        // As if it were being stored, and those behind it were read when they were whole.
        try log.disk.flipBit(path: last.path, bitOffset: (Int(last.byteCount) + 70) * 8)
        #expect(errorCode { try log.replay() } == .corruption)
        let recovery = LogRecovery(fileSystem: log.disk, directory: "/log", identity: LogFixture.identity)
        var sequences: [UInt64] = []
        let end = try recovery.replay(from: 1, previousSequence: 0, ends: ends) { header, _, _, _ in
            sequences.append(header.sequence)
        }
        #expect(sequences == Array(1...30))
        #expect((end.sequence, end.segment, end.offset) == (30, last.number, last.byteCount))
        #expect(end.droppedByteCount == 0)
    }

    @Test("a mapped log is read as a written one, over several segments and with records larger than one")
    func mappedRoundTrip() throws {
        let log = try LogFixture(segmentByteCount: 4096, writing: .mapped)
        try log.append(100)
        try log.append(1, payload: 9000)
        try log.append(30)
        // The large one is written.
        #expect(log.disk.operationCount(of: .store) == 130)
        let (sequences, end) = try log.replay()
        #expect(sequences == Array(1...131))
        #expect((end.sequence, end.droppedByteCount) == (131, 0))
        #expect(end.segment == 4)
        let (segment, previous) = log.writer.start(afterFlushOfAllThrough: 70)
        #expect(try log.replay(from: segment, previous: previous).sequences == Array(previous + 1...131))
    }

    @Test("a segment made of an old one's file holds its own records only", arguments: 1...8)
    func recycling(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let log = try LogFixture(segmentByteCount: 4096, writing: .mapped)
        var kept: UInt64 = 0
        for _ in 0..<12 {
            try log.append(Int.random(in: 1...60, using: &random), payload: 40)
            try log.writer.sync()
            if Bool.random(using: &random) {
                kept = UInt64.random(in: kept...log.writer.appendedSequence, using: &random)
                try log.writer.removeSegments(below: log.writer.start(afterFlushOfAllThrough: kept).segment)
            }
        }
        let creations = log.disk.operationCount(of: .create)
        let renames = log.disk.operationCount(of: .rename)
        #expect(renames > creations, "no file was recycled, seed \(seed)")
        let (segment, previous) = log.writer.start(afterFlushOfAllThrough: kept)
        let last = log.writer.appendedSequence
        #expect(try log.replay(from: segment, previous: previous).sequences == Array(previous + 1...last))
        // The last segment ends in old records: after damage to the newest one, none of them takes its place.
        let path = try #require(log.writer.segments(from: segment).last)
        try log.append(1)
        try log.disk.flipBit(path: path.path, bitOffset: (Int(path.byteCount) + 70) * 8)
        guard log.writer.segments(from: segment).last?.path == path.path else { return }
        #expect(try log.replay(from: segment, previous: previous).sequences == Array(previous + 1...last))
    }

    @Test("where the disk has no room for a mapped segment, records are written until it is full")
    func mappedOnFullDisk() throws {
        let log = try LogFixture(segmentByteCount: 8192, writing: .mapped)
        try log.append(10)
        log.disk.capacity = log.disk.usedByteCount + 3000
        try log.append(80)
        #expect(log.disk.operationCount(of: .write) > 2)
        #expect(errorCode { try log.append(80) } == .diskFull)
        #expect(!log.writer.isBroken)
        let appended = log.writer.appendedSequence
        #expect(try log.replay().sequences == Array(1...appended))
        log.disk.capacity = nil
    }

    @Test("payloads of every length keep their alignment and their bytes", arguments: 0...17)
    func payloads(count: Int) throws {
        let log = try LogFixture()
        try log.append(3, payload: count)
        #expect(try log.replay().sequences == [1, 2, 3])
        #expect(log.writer.byteCount % 8 == 0)
    }

    @Test("a log cut anywhere in records that were not synced ends before the cut")
    func tornTail() throws {
        let log = try LogFixture()
        try log.append(2)
        try log.writer.sync()
        try log.append(2)
        let whole = try log.disk.readFile(log.path())
        for cut in log.offset(of: 3)..<whole.count {
            try log.disk.writeFile(log.path(), Array(whole.prefix(cut)))
            let (sequences, end) = try log.replay()
            let expected = cut < log.offset(of: 4) ? 2 : 3
            #expect(sequences == Array(1...UInt64(expected)), "cut at \(cut)")
            #expect(end.droppedByteCount == cut - log.offset(of: expected + 1), "cut at \(cut)")
        }
    }

    @Test("a damaged record that a later one calls synced is corruption, with file and offset")
    func damagedSyncedRecord() throws {
        for damaged in 1...3 {
            let log = try LogFixture()
            try log.append(3)
            try log.writer.sync()
            try log.append(2)
            try log.damage(damaged)
            do {
                _ = try log.replay()
                Issue.record("record \(damaged) is damaged, and nobody says so")
            } catch let error as StorageError {
                #expect(error.code == .corruption)
                #expect(error.location?.file == log.path())
                #expect(error.location?.offset == Int64(log.offset(of: damaged)))
            }
        }
    }

    @Test("a damaged record that no later one calls synced is where the log ends")
    func damagedUnsyncedRecord() throws {
        let log = try LogFixture()
        try log.append(2)
        try log.writer.sync()
        try log.append(3)
        try log.damage(4)
        let (sequences, end) = try log.replay()
        #expect(sequences == [1, 2, 3])
        #expect(end.droppedByteCount > 0)
        // Damage to the last synced group with nothing after it can't be told from a torn tail.
        let other = try LogFixture()
        try other.append(2)
        try other.writer.sync()
        try other.damage(2)
        #expect(try other.replay().sequences == [1])
    }

    @Test("a segment that is missing is corruption")
    func gap() throws {
        for missing in [1, 3] as [UInt64] {
            let log = try LogFixture(segmentByteCount: 300)
            try log.append(12)
            try log.disk.remove(log.path(missing))
            #expect(errorCode { try log.replay() } == .corruption)
        }
    }

    @Test("a segment of another storage, of another number, or with a damaged header is corruption")
    func wrongHeader() throws {
        let log = try LogFixture()
        try log.append(2)
        #expect(errorCode { try log.replay(identity: 78) } == .corruption)
        try log.disk.rename(log.path(1), to: log.path(2))
        #expect(errorCode { try log.replay(from: 2) } == .corruption)
        try log.disk.rename(log.path(2), to: log.path(1))
        for bit in 0..<LogSegmentHeader.byteCount * 8 {
            try log.disk.flipBit(path: log.path(), bitOffset: bit)
            #expect(errorCode { try log.replay() } == .corruption, "bit \(bit)")
            try log.disk.flipBit(path: log.path(), bitOffset: bit)
        }
        #expect(try log.replay().sequences == [1, 2])
    }

    @Test("a segment of which only a part of the header was written ends the log")
    func tornHeader() throws {
        let log = try LogFixture(segmentByteCount: 300)
        try log.append(2)
        let next = LogSegmentHeader(number: 2, identity: LogFixture.identity, salt: 9).bytes
        for count in 0..<next.count {
            try log.disk.writeFile(log.path(2), Array(next.prefix(count)))
            #expect(try log.replay().sequences == [1, 2])
        }
    }

    @Test("a newer format and unknown features are refused by name", arguments: [8, 12])
    func newerFormat(offset: Int) throws {
        let log = try LogFixture()
        var header = try log.disk.readFile(log.path())
        header[offset] = 2
        let sum = checksum(of: header.rawSpan.extracting(first: 60))
        for index in 0..<4 { header[60 + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
        try log.disk.writeFile(log.path(), header)
        #expect(errorCode { try log.replay() } == .unsupportedFormat)
    }

    @Test("random bytes and random damage are refused or end the log, and never trap", arguments: 1...20)
    func randomBytes(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let log = try LogFixture()
        try log.append(6)
        let whole = try log.disk.readFile(log.path())
        for _ in 0..<30 {
            var damaged = whole
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let offset = Int.random(in: LogSegmentHeader.byteCount..<whole.count, using: &random)
                damaged[offset] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { damaged += random.bytes(Int.random(in: 0...200, using: &random)) }
            if Int.random(in: 0..<4, using: &random) == 0 {
                damaged = Array(whole.prefix(64)) + random.bytes(Int.random(in: 0...500, using: &random))
            }
            try log.disk.writeFile(log.path(), damaged)
            let (sequences, _) = try log.replay()
            #expect(sequences == Array(1...6).prefix(sequences.count).map(UInt64.init), "seed \(seed)")
        }
    }

    @Test("segments go only when they are synced and nobody reads them")
    func removal() throws {
        let log = try LogFixture(segmentByteCount: 300)
        try log.append(12)
        let count = log.writer.segments(from: 1).count
        try log.writer.removeSegments(below: 3)
        #expect(log.writer.segments(from: 1).count == count, "not synced yet")
        try log.writer.sync()
        try log.writer.keepingSegments { try log.writer.removeSegments(below: 3) }
        #expect(log.writer.segments(from: 1).count == count, "being read")
        try log.writer.removeSegments(below: 3)
        #expect(try LogFiles.numbers(in: "/log", log.disk).first == 3)
    }

    @Test("an append that a full disk refuses leaves the log as it was; after another failure it takes no more")
    func failedAppend() throws {
        let log = try LogFixture()
        try log.append(2)
        log.disk.failOperation(
            number: log.disk.operationCount(of: .write) + 1, once: true, with: .diskFull, kind: .write)
        #expect(errorCode { try log.append() } == .diskFull)
        #expect(!log.writer.isBroken)
        #expect(log.writer.appendedSequence == 2)
        #expect(try log.replay().sequences == [1, 2])
        log.disk.failOperation(number: log.disk.operationCount(of: .write) + 1, once: true, kind: .write)
        #expect(errorCode { try log.append() } == .ioFailure)
        #expect(log.writer.isBroken)
        #expect(log.writer.appendedSequence == 2)
    }

    // MARK: Payloads

    @Test("a batch survives its encoding; volatile keyspaces are left out, and what the batch folded away")
    func batchRoundTrip() throws {
        let storage = try smallStorage()
        let plain = try storage.keyspace("k", options: KeyspaceOptions(expiry: .engine))
        let scratch = try storage.keyspace("s", options: KeyspaceOptions(isVolatile: true))
        var batch = WriteBatch()
        try batch.put(plain, [1].rawSpan, [1].rawSpan)
        try batch.put(plain, [9].rawSpan, [1].rawSpan)
        try batch.deleteRange(plain, KeyRange(lower: [9]))
        let nothing: [UInt8] = []
        try batch.put(plain, [2].rawSpan, nothing.rawSpan, expiry: StorageInstant(microseconds: -5))
        try batch.delete(plain, [3].rawSpan)
        try batch.put(scratch, [4].rawSpan, [4].rawSpan)
        try batch.deleteRange(scratch, .all)
        let encoded = encodedPayload(batch)
        var ranges = 0
        var found: [PlainEntry] = []
        try BatchEncoding.decode(encoded.rawSpan, file: "f", offset: 0) { lower, upper in
            ranges += 1
            let (lower, upper) = (lower.array(), upper.array())
            #expect(lower == plain.prefix + [9])
            #expect(upper == Keyspace.prefix(of: plain.id + 1))
        } entry: { kind, expiry, key, value in
            found.append(
                PlainEntry(Array(key.array().dropFirst(4)), 0, kind: kind, expiry: expiry, value: value.array()))
        }
        #expect(ranges == 1)
        #expect(
            found == [
                PlainEntry([1], 0, value: [1]), PlainEntry([2], 0, expiry: -5), PlainEntry([3], 0, kind: .delete),
            ])
        var volatileOnly = WriteBatch()
        try volatileOnly.put(scratch, [4].rawSpan, [4].rawSpan)
        #expect(encodedPayload(volatileOnly).isEmpty)
    }

    @Test("a payload of random bytes is read or refused as corruption, and never traps", arguments: 1...10)
    func randomPayloads(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        var batch = WriteBatch()
        for key in UInt8(0)..<5 { try batch.put(keyspace, [key].rawSpan, random.bytes(9).rawSpan) }
        try batch.deleteRange(keyspace, KeyRange(lower: [7]))
        let whole = encodedPayload(batch)
        for _ in 0..<300 {
            var damaged = Int.random(in: 0..<3, using: &random) == 0 ? random.bytes(40) : whole
            let offset = Int.random(in: 0..<damaged.count, using: &random)
            damaged[offset] = UInt8.random(in: 0...255, using: &random)
            if Bool.random(using: &random) { damaged = Array(damaged.prefix(offset)) }
            let code = errorCode {
                try BatchEncoding.decode(damaged.rawSpan, file: "f", offset: 0) { _, _ in
                } entry: { _, _, key, _ in
                    let count = key.byteCount
                    #expect(count >= Keyspace.prefixByteCount)
                }
            }
            #expect(code == nil || code == .corruption, "seed \(seed)")
        }
    }
}
