// Keys and values of the storage lines, the same bytes on both sides and on every run.
//
//     key    48 bytes: three 64-bit mixes of seed and index in hexadecimal, so that neighbours in insertion order are
//            strangers in key order
//     value  250 bytes: a slice of a seeded pool in which every other 25-byte run is constant, so half of it compresses

public struct KeyGenerator: Sendable {
    public static let byteCount = 48
    private let seed: UInt64

    public init(seed: UInt64) {
        self.seed = seed
    }

    /// Writes the key of `index` over the first 48 bytes of `key`.
    public func write(_ index: Int, into key: inout [UInt8]) {
        var state = mix(seed ^ UInt64(truncatingIfNeeded: index))
        key.withUnsafeMutableBufferPointer { bytes in
            for word in 0..<3 {
                Self.writeHexadecimal(state, to: bytes, at: word * 16)
                state = mix(state)
            }
        }
    }

    public func key(_ index: Int) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: Self.byteCount)
        write(index, into: &key)
        return key
    }

    private static func writeHexadecimal(_ word: UInt64, to bytes: UnsafeMutableBufferPointer<UInt8>, at offset: Int) {
        for digit in 0..<16 {
            let nibble = UInt8(truncatingIfNeeded: word &>> (60 - 4 * digit)) & 15
            bytes[offset + digit] = nibble < 10 ? 48 + nibble : 87 + nibble
        }
    }
}

public struct ValuePool: Sendable {
    public static let byteCount = 250
    private static let runByteCount = 25
    private let pool: [UInt8]

    public init(seed: UInt64, byteCount: Int = 1 << 20) {
        var state = seed
        pool = (0..<byteCount).map { offset in
            state = mix(state &+ UInt64(offset))
            return (offset / Self.runByteCount).isMultiple(of: 2) ? UInt8(ascii: "s") : UInt8(truncatingIfNeeded: state)
        }
    }

    /// Copies the value of `index` over the first 250 bytes of `value`.
    public func write(_ index: Int, into value: inout [UInt8]) {
        let offset = Int(mix(UInt64(truncatingIfNeeded: index)) % UInt64(pool.count - Self.byteCount))
        value.withUnsafeMutableBytes { target in
            pool.withUnsafeBytes { source in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + Self.byteCount]))
            }
        }
    }
}

/// SplitMix64's finaliser: a cheap, well-spread function of 64 bits.
@inlinable
public func mix(_ word: UInt64) -> UInt64 {
    var z = word &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
}

/// A pseudo-random order of 0 ..< count with repetition: which entry the `step`-th read asks for.
@inlinable
public func randomIndex(step: Int, seed: UInt64, count: Int) -> Int {
    Int(mix(seed &+ UInt64(truncatingIfNeeded: step)) % UInt64(count))
}

extension RawSpan {
    /// A digest of a result, cheap beside the read that produced it: its length and its first and last eight bytes.
    /// Summed over results it does not depend on their order.
    public var digest: UInt64 {
        guard byteCount >= 8 else { return mix(UInt64(byteCount)) }
        return withUnsafeBytes { bytes in
            let first = bytes.loadUnaligned(as: UInt64.self)
            let last = bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
            return mix(first ^ mix(last ^ UInt64(bytes.count)))
        }
    }
}
