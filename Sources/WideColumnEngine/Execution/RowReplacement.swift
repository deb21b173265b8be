// RowReplacement.swift — how a row is written that was read whole before it is changed.
//
// What is merged into a row lies beside it until a compaction, and each read puts it together again. A row that is read
// before every one of its updates would make each of them slower than the one before. So the whole row is written in its
// place every now and then: where it is small as often as makes the bytes written for that about as many as those of the
// updates themselves, or every fourth time; where it is large as often as makes them a few times as many.
//
// A row that is never read before it is changed gathers changes in memory, which each read has to put together. So one
// change in sixteen looks how many there are; where they are many, it reads the row and writes it whole, unless the row is
// large, or larger than they are by far.
//
// A counter's new total has the timestamp of the commit, and so has the total before it where one commit counts several
// times: reconciled, the greater of the two would win. So such a row is always written whole, without the totals before.
//
// Invariant: but for those, the whole row is, byte for byte and with its expiry, what merging would have made of the two.

/// Decides whether to write a whole row or the change alone.
enum RowReplacement {
    private static let smallByteCount = 4096
    /// The changes that wait beside a small row, on average, at most.
    private static let smallInterval = 4
    /// The bytes of large rows that are written for one byte of changes, on average.
    private static let amplification = 4

    /// Fewer changes than so many are few.
    private static let fewestChangeCount = 16
    /// Larger numbers of changes are not told apart.
    private static let largestChangeCount = 4096
    /// A row that was not read is not written whole if it is larger: each later change of it in the same commit copies it.
    private static let largestUnreadByteCount = 64 << 10

    /// A value of the storage is no longer; a row may become so by what is merged into it.
    private static let maximumByteCount = 32 << 20

    /// - Parameter storedByteCount: of the row as it was read.
    static func isDue(storedByteCount: Int, fragmentByteCount: Int, at time: StorageInstant) -> Bool {
        guard storedByteCount + fragmentByteCount <= maximumByteCount else { return false }
        let ratio = storedByteCount / max(fragmentByteCount, 1)
        let interval =
            storedByteCount <= smallByteCount
            ? UInt64(max(1, min(ratio, smallInterval))) : UInt64(ratio / amplification + 1)
        return draw(at: time, storedByteCount) % interval == 0
    }

    /// A random number of 32 bits. Commits have times of their own, and the updates of one commit differ in `number`: what
    /// rhythm these have is gone from the upper half of the second product, down to its last bit.
    private static func draw(at time: StorageInstant, _ number: Int) -> UInt64 {
        var mixed = (UInt64(bitPattern: time.microseconds) ^ UInt64(number) << 40) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 32) &* 0x9E37_79B9_7F4A_7C15
        return mixed >> 32
    }

    /// How many changes lie above a row in memory, if it is time to look at it; nil if not.
    ///
    /// Half of all draws are for fewer than 4 changes, a quarter for fewer than 8, and so on. So the row is looked at about
    /// twice while their number doubles, and a draw costs less than twenty steps on average, however many there are.
    static func changeCount(_ key: RawSpan, of keyspace: Keyspace, _ transaction: WriteTransaction) -> Int? {
        let drawn = draw(at: transaction.commitTime, transaction.changeCount)
        let limit = min(4 << min(drawn.trailingZeroBitCount, 32), largestChangeCount)
        guard limit > 2 * fewestChangeCount else { return nil }
        let count = transaction.operandCount(keyspace, key, upTo: limit)
        return count >= fewestChangeCount && (count < limit || limit == largestChangeCount) ? count : nil
    }

    /// Whether a row is small enough to be written whole in the place of one more change.
    static func isWorthIt(storedByteCount: Int, fragmentByteCount: Int, changeCount: Int) -> Bool {
        let changes = min(amplification * fragmentByteCount * changeCount, largestUnreadByteCount)
        return storedByteCount <= max(smallByteCount, changes)
    }

    /// The row as it is stored without the totals of counters that a fragment of the same commit has anew; nil where it has
    /// no such totals.
    static func withoutReplacedTotals(_ stored: [UInt8], _ fragment: RawSpan) throws -> [UInt8]? {
        let new = try RowFragment(fragment)
        var row = try RowFragment(stored.rawSpan)
        let count = row.cells.count
        row.cells.removeAll { old in
            new.cells.contains { cell in
                cell.column == old.column && cell.kind == .live && old.kind == .live && cell.timestamp <= old.timestamp
            }
        }
        guard row.cells.count < count else { return nil }
        var bytes: [UInt8] = []
        row.encode(from: stored.rawSpan, into: &bytes)
        return bytes
    }
}

extension WriteTransaction {
    /// Merges a fragment into the row with this stored key, which nobody has read.
    func mergeUnread(
        _ fragment: RawSpan, expiry: StorageInstant?, key: RawSpan, to keyspace: Keyspace,
        _ rowOperator: RowMergeOperator
    ) throws {
        guard let changeCount = RowReplacement.changeCount(key, of: keyspace, self),
            let stored = try get(keyspace, key),
            RowReplacement.isWorthIt(
                storedByteCount: stored.count, fragmentByteCount: fragment.byteCount, changeCount: changeCount)
        else { return try merge(keyspace, key, fragment, expiry: expiry) }
        try replace(stored, with: fragment, key: key, in: keyspace, rowOperator)
    }

    private func replace(
        _ stored: [UInt8], with fragment: RawSpan, key: RawSpan, in keyspace: Keyspace, _ rowOperator: RowMergeOperator
    ) throws {
        var row: [UInt8] = []
        try RowFragment.merge(stored.rawSpan, fragment, into: &row)
        try put(keyspace, key, row.rawSpan, expiry: rowOperator.droppableAfter(row.rawSpan))
    }

    /// Writes a fragment into the row, or the static row, with this stored key, which is `stored` now; `nil`: there is none.
    ///
    /// - Parameter hasTotals: the fragment's values are totals of counters.
    func write(
        _ fragment: RawSpan, expiry: StorageInstant?, key: RawSpan, stored: [UInt8]?, to keyspace: Keyspace,
        _ rowOperator: RowMergeOperator, hasTotals: Bool = false
    ) throws {
        guard let stored else {
            // Nothing is there to merge with, which spares those who read it a look for more.
            return try put(keyspace, key, fragment, expiry: expiry)
        }
        let rest = hasTotals ? try RowReplacement.withoutReplacedTotals(stored, fragment) : nil
        guard
            rest != nil
                || RowReplacement.isDue(
                    storedByteCount: stored.count, fragmentByteCount: fragment.byteCount, at: commitTime)
        else { return try merge(keyspace, key, fragment, expiry: expiry) }
        try replace(rest ?? stored, with: fragment, key: key, in: keyspace, rowOperator)
    }
}
