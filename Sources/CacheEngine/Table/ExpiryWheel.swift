// ExpiryWheel.swift — which entries may be due when: a hierarchical timer wheel of block references.
//
// Four levels of 64 buckets; a tick is 1.024 s, and a bucket of level n spans 64^n ticks (1 s, 65 s, 70 min, 3.1 days).
// Times beyond the fourth level (199 days) wait in one overflow bucket. A time's level is that of the highest bit in
// which its tick differs from the current one, so a bucket comes due exactly when the current tick enters it.
//
// Invariants:
//  1. A block's `wheelBucket` names a bucket that holds a reference to it, or none does.
//  2. An entry with an expiry is in a bucket that comes due no later than the expiry's tick. It may come due earlier
//     (the expiry was put off since): then the entry is registered anew. So renewing a session costs no memory.
//  3. References are hints: whoever takes one asks the block what it holds.

struct ExpiryWheel {
    private var buckets = [[BlockReference]](repeating: [], count: bucketCount)
    private var levelCounts = [Int](repeating: 0, count: levelCount + 1)
    /// What waited in the overflow bucket when the current round of the fourth level began; still to be looked at.
    private var overflowing: [BlockReference] = []
    /// Every earlier tick has been dealt with.
    private(set) var currentTick: UInt64

    static let noBucket = UInt16.max
    static let tickBits: UInt64 = 10
    private static let levelCount = 4
    private static let bucketBits = 6
    private static let bucketCount = levelCount << bucketBits + 1
    private static let overflow = levelCount << bucketBits
    /// Ticks that all four levels span together.
    private static let roundTickCount: UInt64 = 1 << UInt64(levelCount * bucketBits)

    init(now: Int64) {
        currentTick = Self.tick(now)
    }

    static func tick(_ milliseconds: Int64) -> UInt64 { UInt64(max(0, milliseconds)) >> tickBits }

    var referenceCount: Int { levelCounts.reduce(0, +) }

    /// Notes that `block`, which has an expiry, has to be looked at by then.
    mutating func register(_ reference: BlockReference, _ block: UnsafeBlock) {
        let tick = max(Self.tick(block.expiry), currentTick)
        let registered = block.wheelBucket
        if registered != Self.noBucket, firstTick(ofBucket: Int(registered)) <= tick { return }
        let bucket = bucket(for: tick)
        buckets[bucket].append(reference)
        levelCounts[bucket >> Self.bucketBits] += 1
        block.wheelBucket = UInt16(bucket)
    }

    /// The next reference to look at, or `nil` when every tick before that of `now` is done.
    ///
    /// What comes from an upper level may not be due yet: the caller registers it again.
    mutating func next(now: Int64) -> (reference: BlockReference, bucket: UInt16)? {
        let nowTick = Self.tick(now)
        while true {
            if let reference = overflowing.popLast() {
                levelCounts[Self.levelCount] -= 1
                return (reference, UInt16(Self.overflow))
            }
            if let bucket = cascadingBucket { return take(from: bucket) }
            guard currentTick < nowTick else { return nil }
            let bucket = Int(currentTick & 63)
            if !buckets[bucket].isEmpty { return take(from: bucket) }
            advance(to: nowTick)
        }
    }

    private mutating func take(from bucket: Int) -> (reference: BlockReference, bucket: UInt16)? {
        guard let reference = buckets[bucket].popLast() else { return nil }
        levelCounts[bucket >> Self.bucketBits] -= 1
        if buckets[bucket].isEmpty { buckets[bucket] = [] }
        return (reference, UInt16(bucket))
    }

    /// A bucket of an upper level that the current tick has entered and that still holds references.
    private var cascadingBucket: Int? {
        for level in 1..<Self.levelCount where levelCounts[level] > 0 {
            let bucket = level << Self.bucketBits + Int(currentTick >> UInt64(level * Self.bucketBits)) & 63
            if !buckets[bucket].isEmpty { return bucket }
        }
        return nil
    }

    /// Moves to the next tick that can hold something, at most to `nowTick`.
    private mutating func advance(to nowTick: UInt64) {
        guard let level = levelCounts.firstIndex(where: { $0 > 0 }) else {
            currentTick = nowTick
            return
        }
        // With the lower levels empty nothing happens before the next bucket of this one begins.
        let span: UInt64 = 1 << UInt64(level * Self.bucketBits)
        currentTick = min(nowTick, (currentTick / span + 1) * span)
        if currentTick & (Self.roundTickCount - 1) == 0 { swap(&overflowing, &buckets[Self.overflow]) }
    }

    private func bucket(for tick: UInt64) -> Int {
        let difference = tick ^ currentTick
        guard difference >= 64 else { return Int(tick & 63) }
        let level = (UInt64.bitWidth - 1 - difference.leadingZeroBitCount) / Self.bucketBits
        guard level < Self.levelCount else { return Self.overflow }
        return level << Self.bucketBits + Int(tick >> UInt64(level * Self.bucketBits)) & 63
    }

    /// The tick at which a bucket that holds something comes due.
    private func firstTick(ofBucket bucket: Int) -> UInt64 {
        guard bucket != Self.overflow else { return (currentTick / Self.roundTickCount + 1) * Self.roundTickCount }
        let level = UInt64(bucket >> Self.bucketBits)
        let shift = level * UInt64(Self.bucketBits)
        let spanOfLevel: UInt64 = 64 << shift
        return currentTick / spanOfLevel * spanOfLevel + UInt64(bucket & 63) << shift
    }
}
