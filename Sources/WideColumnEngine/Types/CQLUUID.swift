// CQLUUID.swift — the 128 bits of `uuid` and `timeuuid`, and how CQL orders them.

/// A universally unique identifier (RFC 4122).
///
/// Comparison is Cassandra's order of the type `uuid`: version first, version 1 by its time, everything else by its
/// bytes ([CA] db/marshal/UUIDType.java).
public struct CQLUUID: Hashable, Sendable {
    public let mostSignificantBits: UInt64
    public let leastSignificantBits: UInt64

    public init(mostSignificantBits: UInt64, leastSignificantBits: UInt64) {
        self.mostSignificantBits = mostSignificantBits
        self.leastSignificantBits = leastSignificantBits
    }

    /// A random identifier, version 4.
    public static func random(using generator: inout some RandomNumberGenerator) -> CQLUUID {
        CQLUUID(
            mostSignificantBits: (generator.next() & ~0xF000) | 0x4000,
            leastSignificantBits: (generator.next() & ~(0b11 << 62)) | (0b10 << 62))
    }

    /// A random identifier, version 4.
    public static func random() -> CQLUUID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    public var version: Int { Int(mostSignificantBits >> 12) & 0xF }

    /// The identifier in its canonical text form, 8-4-4-4-12 hexadecimal digits; `nil` if it has another form.
    public init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 36, [8, 13, 18, 23].allSatisfy({ digits[$0] == UInt8(ascii: "-") }) else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0
        for (offset, digit) in digits.enumerated() where ![8, 13, 18, 23].contains(offset) {
            guard let value = Hexadecimal.value(digit) else { return nil }
            if count < 16 { high = high << 4 | UInt64(value) } else { low = low << 4 | UInt64(value) }
            count += 1
        }
        self.init(mostSignificantBits: high, leastSignificantBits: low)
    }
}

extension CQLUUID: CustomStringConvertible {
    public var description: String {
        var text = ""
        text.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += Hexadecimal.text(CollectionOfOne(byte))
        }
        return text
    }

    /// The sixteen bytes in network order.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        bytes.appendBigEndian(mostSignificantBits)
        bytes.appendBigEndian(leastSignificantBits)
        return bytes
    }
}

extension CQLUUID: Comparable {
    public static func < (left: CQLUUID, right: CQLUUID) -> Bool {
        (left.orderedHigh, left.leastSignificantBits) < (right.orderedHigh, right.leastSignificantBits)
    }

    /// The upper half, rearranged so that its unsigned order is the order of the type `uuid`: the version on top, and
    /// for version 1 the time from its high bits to its low ones.
    var orderedHigh: UInt64 {
        let high = mostSignificantBits
        guard version != 1 else { return high << 48 | (high << 16) & 0xFFFF_0000_0000 | high >> 32 }
        return (high & 0xF000) << 48 | (high >> 4) & ~0xFFF | high & 0xFFF
    }

    /// The identifier whose `orderedHigh` this is.
    init(orderedHigh ordered: UInt64, leastSignificantBits: UInt64) {
        let high: UInt64
        if ordered >> 60 == 1 {
            high = ordered << 32 | (ordered >> 16) & 0xFFFF_0000 | ordered >> 48
        } else {
            high = (ordered & 0x0FFF_FFFF_FFFF_F000) << 4 | (ordered >> 60) << 12 | ordered & 0xFFF
        }
        self.init(mostSignificantBits: high, leastSignificantBits: leastSignificantBits)
    }
}

extension CQLUUID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let uuid = CQLUUID(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a UUID.")
        }
        self = uuid
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

// MARK: - Version 1

extension CQLUUID {
    /// 100-nanosecond intervals between 1582-10-15, where version 1 starts counting, and 1970-01-01.
    static let intervalsBefore1970: Int64 = 0x01B2_1DD2_1381_4000

    /// The 60-bit count of 100-nanosecond intervals of a version 1 identifier.
    var timestampIntervals: Int64? {
        guard version == 1 else { return nil }
        return Int64(orderedHigh & 0x0FFF_FFFF_FFFF_FFFF)
    }

    /// The milliseconds since 1970 that a version 1 identifier holds.
    public var unixMilliseconds: Int64? {
        timestampIntervals.map { ($0 - Self.intervalsBefore1970) / 10_000 }
    }

    /// A version 1 identifier. `intervals` counts 100-nanosecond steps since 1582-10-15.
    init(intervals: Int64, clockAndNode: UInt64) {
        let ordered = UInt64(truncatingIfNeeded: intervals) & 0x0FFF_FFFF_FFFF_FFFF | 1 << 60
        self.init(orderedHigh: ordered, leastSignificantBits: clockAndNode)
    }
}
