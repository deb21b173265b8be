// ObjectID.swift — the 12-byte identifier: 4 bytes of time, 5 random, 3 counting, all big-endian.

internal import Synchronization

/// A 12-byte identifier that sorts by the second of its creation.
public struct ObjectID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The first eight bytes, big-endian.
    let high: UInt64
    /// The last four bytes, big-endian.
    let low: UInt32

    init(high: UInt64, low: UInt32) {
        self.high = high
        self.low = low
    }

    /// The identifier with these twelve bytes; `nil` for any other count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 12 else { return nil }
        high = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8..<12].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The identifier written as 24 hexadecimal digits.
    public init?(hex: String) {
        guard let bytes = Hexadecimal.bytes(hex) else { return nil }
        self.init(bytes: bytes)
    }

    public var bytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
            + (0..<4).map { UInt8(truncatingIfNeeded: low >> (24 - 8 * $0)) }
    }

    /// When the identifier was made, to the second.
    public var creationTime: StorageInstant { StorageInstant(seconds: Int64(high >> 32)) }

    public var hex: String { Hexadecimal.text(bytes) }

    public var description: String { "ObjectId('\(hex)')" }

    public static func < (left: ObjectID, right: ObjectID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// Makes object identifiers: unique within the process by the counter, across processes by the random part.
///
/// Source: the driver specification "ObjectID Creation" (bson-objectid).
public final class ObjectIDGenerator: Sendable {
    private let clock: any StorageClock
    private let random: UInt64
    private let counter: Atomic<UInt32>

    /// `random` gives the 5 random bytes and the counter's start, once.
    public init(clock: any StorageClock, random: inout some RandomNumberGenerator) {
        self.clock = clock
        self.random = UInt64.random(in: 0..<(1 << 40), using: &random)
        counter = Atomic(UInt32.random(in: 0..<(1 << 24), using: &random))
    }

    public func next() -> ObjectID {
        let seconds = UInt64(UInt32(truncatingIfNeeded: clock.now.seconds))
        let count = counter.wrappingAdd(1, ordering: .relaxed).oldValue & 0xFF_FFFF
        let high = seconds << 32 | random >> 8
        let low = UInt32(truncatingIfNeeded: random & 0xFF) << 24 | count
        return ObjectID(high: high, low: low)
    }
}
