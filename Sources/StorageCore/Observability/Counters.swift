// Counters.swift — what a storage counts while it works.
//
// They must cost next to nothing where work is done:
// - Commits are counted in the writer lane, which has one writer at a time: a load and a store, no atomic addition.
// - Look-ups are counted once each, in one of several cache lines that the reading thread chooses: a load and a store
//   again. Two threads that share a line may lose a count to each other; such counts are for rates, not for books.
// - Flushes, compactions, syncs and stalls are rare: an atomic addition or a lock.

internal import CStorage
internal import Synchronization

/// A number that one writer at a time adds to, and anybody reads.
struct LaneCounter: ~Copyable, Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .relaxed) }

    func add(_ amount: Int) { value.store(value.load(ordering: .relaxed) &+ amount, ordering: .relaxed) }
}

/// Of a whole storage.
final class StorageCounters: Sendable {
    // In the writer lane.
    let commits = LaneCounter()
    let entries = LaneCounter()
    let userBytes = LaneCounter()
    let logBytes = LaneCounter()

    let syncs = Mutex(LatencyHistogram())
    let stalls = Mutex(LatencyHistogram())
    let delays = Mutex(LatencyHistogram())
    /// Writers that wait for room now.
    let stalledWriters = Atomic<Int>(0)
}

/// Of one tree.
final class TreeCounters: Sendable {
    // In the writer lane.
    let entries = LaneCounter()
    let userBytes = LaneCounter()

    let flushes = WorkCounters()
    let compactions = WorkCounters()
    /// Tables that a compaction gave another level, or dropped, without reading them.
    let unreadTables = Atomic<Int>(0)
    let lookups = LookupCounters()
}

/// Of one keyspace.
struct KeyspaceCounters: ~Copyable, Sendable {
    // In the writer lane.
    let entries = LaneCounter()
    let userBytes = LaneCounter()
}

/// Of one kind of background work.
struct WorkCounters: ~Copyable, Sendable {
    let running = Atomic<Int>(0)
    private let count = Atomic<Int>(0)
    private let inputBytes = Atomic<Int>(0)
    private let outputBytes = Atomic<Int>(0)
    private let nanoseconds = Atomic<Int>(0)

    func ended(inputByteCount: Int, outputByteCount: Int, nanoseconds elapsed: UInt64) {
        count.add(1, ordering: .relaxed)
        inputBytes.add(inputByteCount, ordering: .relaxed)
        outputBytes.add(outputByteCount, ordering: .relaxed)
        nanoseconds.add(Int(clamping: elapsed), ordering: .relaxed)
    }

    var statistics: WorkStatistics {
        WorkStatistics(
            count: count.load(ordering: .relaxed), runningCount: running.load(ordering: .relaxed),
            inputByteCount: inputBytes.load(ordering: .relaxed), outputByteCount: outputBytes.load(ordering: .relaxed),
            duration: .nanoseconds(nanoseconds.load(ordering: .relaxed)))
    }
}

/// What one look-up has met on its way down.
struct LookupTally {
    /// Tables whose filter said that the key is not there.
    var ruledOut = 0
    /// Tables that were searched.
    var searched = 0
    /// Tables that were searched in vain.
    var misled = 0
}

/// A cache line of counters.
private struct LookupLine: ~Copyable {
    let count = LaneCounter()
    let ruledOut = LaneCounter()
    let searched = LaneCounter()
    let misled = LaneCounter()
    // Up to 64 bytes, so that lines next to each other don't meet in the processor's cache.
    private let padding0 = LaneCounter()
    private let padding1 = LaneCounter()
    private let padding2 = LaneCounter()
    private let padding3 = LaneCounter()
}

/// Of all look-ups in a tree, in lines that threads choose by who they are.
@safe final class LookupCounters: @unchecked Sendable {  // The counters are atomic, and never move.
    private static let lineCount = 8
    private let lines: UnsafeMutablePointer<LookupLine>

    init() {
        unsafe lines = .allocate(capacity: Self.lineCount)
        for index in 0..<Self.lineCount { unsafe (lines + index).initialize(to: LookupLine()) }
    }

    deinit {
        unsafe lines.deinitialize(count: Self.lineCount)
        unsafe lines.deallocate()
    }

    func add(_ tally: LookupTally) {
        // The address of a thread's control block: its low bits are always the same.
        let identity = UInt64(cstorage_thread_identity()) &* 0x9E37_79B9_7F4A_7C15
        let line = unsafe lines + Int(truncatingIfNeeded: identity >> 61)
        unsafe line.pointee.count.add(1)
        if tally.ruledOut > 0 { unsafe line.pointee.ruledOut.add(tally.ruledOut) }
        if tally.searched > 0 { unsafe line.pointee.searched.add(tally.searched) }
        if tally.misled > 0 { unsafe line.pointee.misled.add(tally.misled) }
    }

    var statistics: LookupStatistics {
        var sum = LookupStatistics()
        for index in 0..<Self.lineCount {
            let line = unsafe lines + index
            unsafe sum.count += line.pointee.count.count
            unsafe sum.ruledOutTableCount += line.pointee.ruledOut.count
            unsafe sum.searchedTableCount += line.pointee.searched.count
            unsafe sum.misledTableCount += line.pointee.misled.count
        }
        return sum
    }
}
