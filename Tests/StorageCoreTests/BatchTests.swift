import StorageTypes
import Testing

@testable import StorageCore

@Suite struct BatchTests {
    private let storage: Storage
    private let plain: Keyspace
    private let appended: Keyspace
    private let expiring: Keyspace

    init() throws {
        storage = try smallStorage()
        plain = try storage.keyspace("plain")
        appended = try storage.keyspace("appended", options: KeyspaceOptions(mergeOperator: ModelAppend()))
        expiring = try storage.keyspace("expiring", options: KeyspaceOptions(expiry: .engine))
    }

    /// The live entries, by key without the prefix.
    private func live(_ batch: WriteBatch) -> [PlainEntry] {
        batch.entries.indices.filter { batch.entries[$0].isLive }.map { position in
            let entry = batch.entries[position]
            return PlainEntry(
                batch.withKey(of: position) { Array($0.dropFirst(4)) }, 0, kind: entry.kind, expiry: entry.expiry,
                value: batch.withValue(of: position) { Array($0) })
        }
    }

    // MARK: Refused

    @Test("keys and values over the limits are refused, and the batch is as it was")
    func limits() throws {
        var batch = WriteBatch()
        let longKey = [UInt8](repeating: 1, count: 256 << 10)
        #expect(errorCode { try batch.put(plain, longKey.rawSpan, [1].rawSpan) } == .keyTooLarge)
        #expect(errorCode { try batch.delete(plain, longKey.rawSpan) } == .keyTooLarge)
        #expect(errorCode { try batch.merge(appended, longKey.rawSpan, [1].rawSpan) } == .keyTooLarge)
        #expect(errorCode { try batch.deleteRange(plain, KeyRange(lower: longKey + [1])) } == .keyTooLarge)
        #expect(errorCode { try batch.deleteRange(plain, KeyRange(upper: longKey + [1])) } == .keyTooLarge)
        let longValue = [UInt8](repeating: 1, count: (32 << 20) + 1)
        #expect(errorCode { try batch.put(plain, [1].rawSpan, longValue.rawSpan) } == .valueTooLarge)
        #expect(batch.isEmpty)
        let longest = Array(longKey.dropLast(4))
        #expect(throws: Never.self) { try batch.put(plain, longest.rawSpan, [1].rawSpan) }
        #expect(throws: Never.self) { try batch.deleteRange(plain, KeyRange(lower: longest, upper: longest + [])) }
    }

    @Test("a batch over 64 MiB is refused, whether of values, of range deletes or grown by merging")
    func batchTooLarge() throws {
        let value = [UInt8](repeating: 1, count: 20 << 20)
        var batch = WriteBatch()
        for key in UInt8(0)..<3 { try batch.put(plain, [key].rawSpan, value.rawSpan) }
        #expect(errorCode { try batch.put(plain, [3].rawSpan, value.rawSpan) } == .batchTooLarge)
        #expect(live(batch).count == 3)

        var merged = WriteBatch()
        try merged.merge(appended, [1].rawSpan, value.rawSpan)
        #expect(errorCode { try merged.merge(appended, [1].rawSpan, value.rawSpan) } == .valueTooLarge)
        #expect(live(merged).map(\.value.count) == [value.count])

        var ranges = WriteBatch()
        let bound = [UInt8](repeating: 1, count: 250 << 10)
        var code: StorageError.Code?
        for index in UInt8(0)..<255 where code == nil {
            code = errorCode {
                try ranges.deleteRange(plain, KeyRange(lower: bound + [index], upper: bound + [index, 0]))
            }
        }
        #expect(code == .batchTooLarge)
    }

    @Test("an expiry where the keyspace has no policy is refused, and so is a merge without an operator")
    func wrongKeyspace() {
        var batch = WriteBatch()
        let soon = StorageInstant(seconds: 1)
        #expect(errorCode { try batch.put(plain, [1].rawSpan, [1].rawSpan, expiry: soon) } == .invalidArgument)
        #expect(errorCode { try batch.merge(appended, [1].rawSpan, [1].rawSpan, expiry: soon) } == .invalidArgument)
        #expect(errorCode { try batch.merge(plain, [1].rawSpan, [1].rawSpan) } == .invalidArgument)
        #expect(batch.isEmpty)
    }

    // MARK: Folded

    @Test("of several operations on a key one entry is left")
    func folding() throws {
        var batch = WriteBatch()
        try batch.put(plain, [1].rawSpan, [1].rawSpan)
        try batch.put(plain, [1].rawSpan, [2].rawSpan)
        try batch.put(plain, [2].rawSpan, [1].rawSpan)
        try batch.delete(plain, [2].rawSpan)
        try batch.delete(plain, [3].rawSpan)
        try batch.put(plain, [3].rawSpan, [3].rawSpan)
        #expect(
            live(batch) == [
                PlainEntry([1], 0, value: [2]), PlainEntry([2], 0, kind: .delete), PlainEntry([3], 0, value: [3]),
            ])
    }

    @Test("a merge becomes part of what is there: a put, a merge, nothing after a delete")
    func mergeFolding() throws {
        var batch = WriteBatch()
        try batch.merge(appended, [1].rawSpan, [1].rawSpan)
        try batch.merge(appended, [1].rawSpan, [2].rawSpan)
        try batch.put(appended, [2].rawSpan, [1].rawSpan)
        try batch.merge(appended, [2].rawSpan, [2].rawSpan)
        try batch.delete(appended, [3].rawSpan)
        try batch.merge(appended, [3].rawSpan, [2].rawSpan)
        #expect(
            live(batch) == [
                PlainEntry([1], 0, kind: .merge, value: [1, 2]), PlainEntry([2], 0, value: [1, 2]),
                PlainEntry([3], 0, value: [2]),
            ])
    }

    @Test("a range delete takes what was added before it and leaves what comes after; a merge after it is a put")
    func rangeDelete() throws {
        var batch = WriteBatch()
        for key in UInt8(1)...4 { try batch.put(appended, [key].rawSpan, [key].rawSpan) }
        try batch.put(plain, [2].rawSpan, [2].rawSpan)
        try batch.deleteRange(appended, KeyRange(lower: [2], upper: [4]))
        try batch.merge(appended, [3].rawSpan, [9].rawSpan)
        try batch.merge(appended, [5].rawSpan, [9].rawSpan)
        #expect(
            live(batch).sorted() == [
                PlainEntry([1], 0, value: [1]), PlainEntry([2], 0, value: [2]), PlainEntry([3], 0, value: [9]),
                PlainEntry([4], 0, value: [4]), PlainEntry([5], 0, kind: .merge, value: [9]),
            ])
        #expect(batch.rangeDeletes.count == 1)
        try batch.deleteRange(appended, KeyRange(lower: [4], upper: [2]))
        #expect(batch.rangeDeletes.count == 1, "an inverted range is nothing")
    }

    @Test("a key that was covered can be put again, and is found")
    func putAfterCover() throws {
        var batch = WriteBatch()
        try batch.put(plain, [1].rawSpan, [1].rawSpan)
        try batch.deleteRange(plain, .all)
        try batch.put(plain, [1].rawSpan, [2].rawSpan)
        #expect(live(batch) == [PlainEntry([1], 0, value: [2])])
        try batch.deleteRange(plain, .all)
        #expect(live(batch).isEmpty)
        #expect(!batch.isEmpty)
    }

    @Test("of many range deletes in one batch each covers its keys, and no others", arguments: [7, 8, 9, 10, 200])
    func manyRangeDeletes(count: Int) throws {
        var batch = WriteBatch()
        func key(_ number: Int) -> [UInt8] { bytes(String(10_000 + number)) }
        // Every other one reaches into the next.
        var random = SeededRandom(seed: UInt64(count))
        let ranges = (0..<count).shuffled(using: &random).map { number in
            (lower: 10 * number, upper: 10 * number + (number.isMultiple(of: 2) ? 12 : 5))
        }
        for range in ranges {
            try batch.deleteRange(appended, KeyRange(lower: key(range.lower), upper: key(range.upper)))
        }
        for number in 0..<10 * count + 20 {
            let isCovered = ranges.contains { $0.lower <= number && number < $0.upper }
            let treeKey = Keyspace.prefix(of: appended.id) + key(number)
            treeKey.withUnsafeBytes { treeKey in
                switch batch.find(treeKey) {
                case .covered: #expect(isCovered, "key \(number)")
                case .nothing: #expect(!isCovered, "key \(number)")
                case .entry: Issue.record("There is no entry of key \(number).")
                }
            }
            try batch.merge(appended, key(number).rawSpan, [1].rawSpan)
        }
        for entry in live(batch) {
            let number = Int(String(decoding: entry.key, as: UTF8.self)).map { $0 - 10_000 } ?? -1
            let isCovered = ranges.contains { $0.lower <= number && number < $0.upper }
            #expect(entry.kind == (isCovered ? .put : .merge), "key \(number)")
        }
        batch.removeAll()
        let first = Keyspace.prefix(of: appended.id) + key(0)
        first.withUnsafeBytes { key in
            guard case .nothing = batch.find(key) else {
                Issue.record("An emptied batch covers a key.")
                return
            }
        }
    }

    @Test("a batch of many keys finds each of them", arguments: [7, 8, 9, 63, 64, 500])
    func manyKeys(count: Int) throws {
        var batch = WriteBatch()
        for round in 0..<3 {
            for key in 0..<count { try batch.put(plain, bytes("\(key)").rawSpan, [UInt8(round)].rawSpan) }
        }
        #expect(live(batch).count == count)
        #expect(live(batch).allSatisfy { $0.value == [2] })
        try storage.commit(batch)
        #expect(try keys(storage.snapshot().view, plain).count == count)
    }

    @Test("the bound of folded operands is the operator's")
    func droppableAfter() throws {
        let timed = try storage.keyspace(
            "timed", options: KeyspaceOptions(mergeOperator: ModelTimedSet(), expiry: .operator))
        var batch = WriteBatch()
        let (early, late) = (StorageInstant(seconds: 1), StorageInstant(seconds: 2))
        try batch.merge(timed, [1].rawSpan, ModelTimedSet.encode([1: late.microseconds]).rawSpan, expiry: late)
        try batch.merge(timed, [1].rawSpan, ModelTimedSet.encode([2: early.microseconds]).rawSpan, expiry: early)
        #expect(live(batch).map(\.expiry) == [late.microseconds])
        try batch.merge(timed, [1].rawSpan, ModelTimedSet.encode([3: .max]).rawSpan)
        #expect(live(batch).map(\.expiry) == [.max])
    }

    @Test("a batch that was large once gives its memory back")
    func memory() throws {
        let keyspace = try smallStorage().keyspace("k")
        var batch = WriteBatch()
        for count in [100, 50_000] {
            for number in 0..<count { try batch.put(keyspace, bytes("\(number)").rawSpan, [1].rawSpan) }
            batch.removeAll()
            #expect(batch.isEmpty && (batch.entries.capacity >= 100) == (count == 100))
        }
    }
}
