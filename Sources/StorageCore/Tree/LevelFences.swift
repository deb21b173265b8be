// LevelFences.swift — the key bounds of a level's tables as numbers side by side: which table a key is in, without touching
// the others.
//
// Invariant: two bounds whose numbers differ compare as their numbers do; where a bound and a key have the same number, the
// whole bound is compared. A number is the eight bytes behind what all bounds of the level have in common, filled up with
// zeros.

/// The bounds of the tables of one level.
struct LevelFences: Sendable {
    let tables: [TableFile]
    private let common: [UInt8]
    private let smallest: [UInt64]
    private let largest: [UInt64]

    init(_ tables: [TableFile]) {
        self.tables = tables
        let bounds = tables.flatMap { [$0.metadata.smallestKey, $0.metadata.largestKey] }
        var common = bounds.first ?? []
        for bound in bounds {
            let count = zip(common, bound).prefix { $0 == $1 }.count
            common.removeLast(common.count - count)
        }
        self.common = common
        smallest = tables.map { Self.number($0.metadata.smallestKey, common.count) }
        largest = tables.map { Self.number($0.metadata.largestKey, common.count) }
    }

    /// The number of a key; nil if the key lies outside of all bounds.
    func number(of key: UnsafeRawBufferPointer) -> UInt64? {
        guard key.count >= common.count, !tables.isEmpty else { return nil }
        let order = unsafe compareBytes(common, UnsafeRawBufferPointer(rebasing: key[..<common.count]))
        return order == 0 ? unsafe Self.number(key, common.count) : nil
    }

    /// Whether a table may hold a key.
    func mayHold(_ index: Int, _ key: UnsafeRawBufferPointer, _ number: UInt64) -> Bool {
        if smallest[index] > number || largest[index] < number { return false }
        if smallest[index] < number && largest[index] > number { return true }
        return unsafe tables[index].mayHold(key)
    }

    /// The place of the table that may hold a key, in a level whose tables are in key order and share no key.
    func index(holding key: UnsafeRawBufferPointer, _ number: UInt64) -> Int? {
        var low = 0
        var high = largest.count
        while low < high {
            let middle = (low &+ high) / 2
            if largest[middle] < number { low = middle &+ 1 } else { high = middle }
        }
        while low < largest.count, largest[low] == number, unsafe tables[low].isBelow(key) { low += 1 }
        guard low < largest.count, unsafe mayHold(low, key, number) else { return nil }
        return low
    }

    private static func number(_ key: [UInt8], _ offset: Int) -> UInt64 {
        unsafe key.withUnsafeBytes { unsafe number($0, offset) }
    }

    private static func number(_ key: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        guard let base = key.baseAddress else { return 0 }
        if key.count &- offset >= 8 {
            return unsafe UInt64(bigEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        var number: UInt64 = 0
        for place in 0..<8 where offset &+ place < key.count {
            number |=
                unsafe UInt64(base.load(fromByteOffset: offset &+ place, as: UInt8.self)) &<< UInt64(56 &- place &* 8)
        }
        return number
    }
}

/// The fences of all levels of a tree.
final class TreeFences: Sendable {
    let levels: [LevelFences]

    init(_ levels: Levels) {
        let deepest = levels.deepest
        self.levels = (0...deepest).map { LevelFences(levels[$0]) }
    }
}
