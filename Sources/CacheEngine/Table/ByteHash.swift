// ByteHash.swift — a seeded 64-bit hash of a key's bytes, folded from 64×64→128-bit multiplications.

/// The construction of wyhash (Wang Yi, 2019): eight bytes at a time are mixed with odd constants and folded by a full
/// multiplication. A random seed per cache keeps keys from being chosen to collide.
struct ByteHash: Sendable {
    private let seed: UInt64

    private static let secret0: UInt64 = 0xA076_1D64_78BD_642F
    private static let secret1: UInt64 = 0xE703_7ED1_A0B4_28DB
    private static let secret2: UInt64 = 0x8EBC_6AF0_9C88_C6E3

    init(seed: UInt64) {
        self.seed = Self.fold(seed ^ Self.secret0, Self.secret1)
    }

    func hash(_ bytes: RawSpan) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe hash($0) }
    }

    @inline(__always)
    private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let count = bytes.count
        var state = seed
        var offset = 0
        while count - offset > 16 {
            let low = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let high = unsafe bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
            state = Self.fold(low ^ Self.secret1, high ^ state)
            offset += 16
        }
        let (first, second) = unsafe Self.tail(bytes, from: offset)
        return Self.fold(
            Self.secret2 ^ UInt64(truncatingIfNeeded: count), Self.fold(first ^ Self.secret1, second ^ state))
    }

    /// The last zero to sixteen bytes as two words; the length is hashed too, so overlapping loads are unambiguous.
    @inline(__always)
    private static func tail(_ bytes: UnsafeRawBufferPointer, from offset: Int) -> (UInt64, UInt64) {
        let rest = bytes.count - offset
        if rest >= 8 {
            return unsafe (
                bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
            )
        }
        if rest >= 4 {
            return unsafe (
                UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)),
                UInt64(bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self))
            )
        }
        guard rest > 0 else { return (0, 0) }
        let first = unsafe UInt64(bytes[offset]) << 16
        let middle = unsafe UInt64(bytes[offset + rest / 2]) << 8
        return unsafe (first | middle | UInt64(bytes[bytes.count - 1]), 0)
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
