// UnsafeRestartDirectory.swift — a digest of a block's restart keys, so that a search touches the entries it ends at and no
// others.
//
// The keys of a block that is in the cache lie kilobytes apart, and each one looked at is a cache miss. So a block brings
// along, derived from its contents when it is read:
//
//     common bytes of all restart keys | first four bytes of each behind these, as numbers | offset of each
//
// Invariants:
// (1) The numbers stand in the order of the restart points. Where a block's restart keys are not in order (damage that a
//     checksum let pass), answers are wrong and nothing worse: every index handed out is between 0 and the count.
// (2) Two restart keys whose numbers differ compare as their numbers do; whose numbers are equal, no further than that is
//     known. A key shorter than four bytes behind the common ones is filled up with zeros.
//
// Not part of the file format.

/// Where restart keys lie relative to a key that is looked for.
@safe
struct UnsafeRestartDirectory: @unchecked Sendable {
    // Guarded by immutability: written by `init` only.
    private let base: UnsafeMutableRawPointer?
    // Half as wide as they could be, so that a block's header keeps them on its first line.
    private let commonCount: UInt32
    private let count: UInt32
    private let ownedCount: UInt32
    /// Whether every entry of the block is a restart point.
    let isDense: Bool

    /// For data and index blocks of usual sizes; more is allocated where it does not suffice.
    static func expectedByteCount(contents: Int) -> Int { contents / 32 + 64 }

    private init(base: UnsafeMutableRawPointer?, common: Int, count: Int, owned: Int, isDense: Bool) {
        unsafe self.base = base
        commonCount = UInt32(common)
        self.count = UInt32(count)
        ownedCount = UInt32(owned)
        self.isDense = isDense
    }

    /// A directory that knows nothing.
    init() {
        unsafe self.init(base: nil, common: 0, count: 0, owned: 0, isDense: false)
    }

    /// Knows nothing either if a restart point's entry can't be decoded: whoever gets there tells.
    init(_ entries: UnsafeBlockEntries, _ contents: borrowing UnsafeBlockBytes) {
        let count = entries.restartCount
        guard count > 0, let first = entries.entry(atRestart: 0), let last = entries.entry(atRestart: count - 1),
            count <= Int(UInt32.max) / 16
        else {
            self.init()
            return
        }
        let common = unsafe sharedByteCount(entries.suffix(first), entries.suffix(last))
        let byteCount = Self.padded(common) + count * 8
        let isOwned = byteCount > contents.reserveByteCount
        let base =
            unsafe isOwned
            ? UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
            : contents.base - contents.reserveByteCount
        unsafe base.copyMemory(from: entries.base + first.suffixOffset, byteCount: common)
        guard let isDense = unsafe Self.fill(base + Self.padded(common), entries, common) else {
            if isOwned { unsafe base.deallocate() }
            self.init()
            return
        }
        unsafe self.init(
            base: base, common: common, count: count, owned: isOwned ? byteCount : 0, isDense: isDense)
    }

    /// Writes numbers and offsets; whether every entry is a restart point, nil if one can't be decoded.
    private static func fill(
        _ numbers: UnsafeMutableRawPointer, _ entries: UnsafeBlockEntries, _ common: Int
    ) -> Bool? {
        let count = entries.restartCount
        var isDense = true
        var expectedOffset = 0
        for index in 0..<count {
            let offset = entries.restart(index)
            guard let entry = entries.entry(at: offset), entry.shared == 0 else { return nil }
            let number: UInt32 = unsafe leadingNumber(entries.suffix(entry), from: common)
            unsafe numbers.storeBytes(of: number, toByteOffset: index &* 4, as: UInt32.self)
            unsafe numbers.storeBytes(of: UInt32(offset), toByteOffset: (count &+ index) &* 4, as: UInt32.self)
            if offset != expectedOffset { isDense = false }
            expectedOffset = entry.endOffset
        }
        return isDense && expectedOffset == entries.byteCount
    }

    /// Memory that is the directory's own, because it did not fit in front of the block's contents.
    var ownedByteCount: Int { Int(ownedCount) }

    /// Frees that memory. To be called once, by the owner of the block's memory.
    func deallocate() {
        if ownedCount > 0 { unsafe base?.deallocate() }
    }

    /// The restart points before `low` have keys before `key`, those from `high` on keys after it; nil if nothing is known.
    @inline(__always)
    func candidates(for key: UnsafeRawBufferPointer) -> (low: Int, high: Int)? {
        guard let base = unsafe base else { return nil }
        let commonByteCount = Int(commonCount)
        let count = Int(count)
        let shorter = min(commonByteCount, key.count)
        let common = unsafe UnsafeRawBufferPointer(start: base, count: shorter)
        let order = unsafe compareBytes(UnsafeRawBufferPointer(rebasing: key[..<shorter]), common)
        guard order == 0, key.count >= commonByteCount else { return order > 0 ? (count, count) : (0, 0) }
        let numbers = unsafe UnsafeRawPointer(base + Self.padded(commonByteCount))
        let number: UInt32 = unsafe leadingNumber(key, from: commonByteCount)
        let low = unsafe Self.firstIndex(numbers, count, notBelow: number)
        guard low < count, unsafe numbers.load(fromByteOffset: low &* 4, as: UInt32.self) == number else {
            return (low, low)
        }
        guard number < .max else { return (low, count) }
        return (low, unsafe Self.firstIndex(numbers, count, notBelow: number &+ 1))
    }

    /// The offset of a restart point's entry; nil if nothing is known.
    @inline(__always)
    func offset(_ index: Int) -> Int? {
        guard let base = unsafe base, index < count else { return nil }
        let place = Self.padded(Int(commonCount)) &+ (Int(count) &+ index) &* 4
        return unsafe Int(base.load(fromByteOffset: place, as: UInt32.self))
    }

    /// Without a branch that depends on the keys.
    @inline(__always)
    private static func firstIndex(_ numbers: UnsafeRawPointer, _ count: Int, notBelow number: UInt32) -> Int {
        var low = 0
        var rest = count
        while rest > 1 {
            let half = rest / 2
            let probe = unsafe numbers.load(fromByteOffset: (low &+ half &- 1) &* 4, as: UInt32.self)
            low = probe < number ? low &+ half : low
            rest &-= half
        }
        return unsafe numbers.load(fromByteOffset: low &* 4, as: UInt32.self) < number ? low &+ 1 : low
    }

    @inline(__always)
    private static func padded(_ commonByteCount: Int) -> Int { (commonByteCount &+ 3) & ~3 }
}

/// How many leading bytes both have in common.
private func sharedByteCount(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    guard let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return 0 }
    return unsafe commonPrefixByteCount(leftBase, rightBase, min(left.count, right.count))
}
