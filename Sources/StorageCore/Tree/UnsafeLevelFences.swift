// UnsafeLevelFences.swift — the key bounds of a level's tables as numbers side by side: which table a key is in, without touching
// the others.
//
// Invariant: two bounds whose numbers differ compare as their numbers do; where a bound and a key have the same number, the
// whole bound is compared. A number is the eight bytes behind what all bounds of the level have in common, filled up with
// zeros.

/// The bounds of the tables of one level, in memory of their own, so that a look-up counts no references.
@safe
struct UnsafeLevelFences: ~Copyable, @unchecked Sendable {
    // Guarded by immutability: written by `init` only.
    private let tables: UnsafeReferences<TableFile>
    private let common: UnsafeMutableRawBufferPointer
    private let smallest: UnsafeMutablePointer<UInt64>
    private let largest: UnsafeMutablePointer<UInt64>
    let count: Int

    init(_ tables: [TableFile]) {
        self.tables = UnsafeReferences(tables)
        count = tables.count
        let bounds = tables.flatMap { [$0.metadata.smallestKey, $0.metadata.largestKey] }
        var common = bounds.first ?? []
        for bound in bounds {
            let count = zip(common, bound).prefix { $0 == $1 }.count
            common.removeLast(common.count - count)
        }
        unsafe self.common = .allocate(byteCount: max(common.count, 1), alignment: 8)
        unsafe self.common.copyBytes(from: common)
        commonCount = common.count
        unsafe smallest = .allocate(capacity: max(count, 1))
        unsafe largest = .allocate(capacity: max(count, 1))
        for (index, table) in tables.enumerated() {
            unsafe (smallest + index).initialize(to: leadingNumber(table.metadata.smallestKey, from: common.count))
            unsafe (largest + index).initialize(to: leadingNumber(table.metadata.largestKey, from: common.count))
        }
    }

    private let commonCount: Int

    deinit {
        unsafe common.deallocate()
        unsafe smallest.deallocate()
        unsafe largest.deallocate()
    }

    /// - Parameter index: Below `count`.
    @inline(__always)
    func table(_ index: Int) -> Unmanaged<TableFile> { unsafe tables[index] }

    /// The number of a key; nil if the key lies outside of all bounds.
    @inline(__always)
    func number(of key: UnsafeRawBufferPointer) -> UInt64? {
        guard key.count >= commonCount, count > 0 else { return nil }
        let order = unsafe compareBytes(
            UnsafeRawBufferPointer(start: common.baseAddress, count: commonCount),
            UnsafeRawBufferPointer(start: key.baseAddress, count: commonCount))
        return order == 0 ? unsafe leadingNumber(key, from: commonCount) : nil
    }

    /// Whether a table may hold a key.
    @inline(__always)
    func mayHold(_ index: Int, _ key: UnsafeRawBufferPointer, _ number: UInt64) -> Bool {
        if unsafe smallest[index] > number || largest[index] < number { return false }
        if unsafe smallest[index] < number && largest[index] > number { return true }
        return unsafe tables[index]._withUnsafeGuaranteedRef { unsafe $0.mayHold(key) }
    }

    /// The place of the table that may hold a key, in a level whose tables are in key order and share no key.
    @inline(__always)
    func index(holding key: UnsafeRawBufferPointer, _ number: UInt64) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) / 2
            if unsafe largest[middle] < number { low = middle &+ 1 } else { high = middle }
        }
        while low < count, unsafe largest[low] == number, unsafe isBelow(low, key) { low &+= 1 }
        guard low < count, unsafe mayHold(low, key, number) else { return nil }
        return low
    }

    private func isBelow(_ index: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        unsafe tables[index]._withUnsafeGuaranteedRef { unsafe $0.isBelow(key) }
    }
}

/// The fences of all levels of a tree.
@safe
final class TreeFences: @unchecked Sendable {
    // Guarded by immutability.
    private let levels: UnsafeMutablePointer<UnsafeLevelFences>
    let levelCount: Int

    init(_ tables: Levels) {
        levelCount = tables.deepest + 1
        unsafe levels = .allocate(capacity: levelCount)
        for level in 0..<levelCount { unsafe (levels + level).initialize(to: UnsafeLevelFences(tables[level])) }
    }

    deinit {
        unsafe levels.deinitialize(count: levelCount)
        unsafe levels.deallocate()
    }

    /// - Parameter level: Below `levelCount`.
    @inline(__always)
    func level(_ level: Int) -> UnsafePointer<UnsafeLevelFences> { unsafe UnsafePointer(levels + level) }
}
