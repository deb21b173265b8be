// ByteSearch.swift — a byte among eight that are looked at as one number.

/// The place of the first of eight bytes that is `byte`, the first being the lowest of `word`; 8 if none is.
@inlinable
@inline(__always)
package func firstPosition(of byte: UInt8, in word: UInt64) -> Int {
    // Mycroft's test: less one in each byte, a byte that was 00 has its top bit set anew, or one behind it; so only the lowest
    // hit is exact.
    let difference = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
    let zeros = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
    return zeros == 0 ? 8 : zeros.trailingZeroBitCount &>> 3
}
