// ChecksumAlgebra.swift — CRC-32C run backwards and in pieces, to find what its seed or its limits were.
//
// A CRC is linear over GF(2): taking in a byte is an invertible step of a 32-bit register. So a seed follows from a
// checksum and the bytes that it covers, and the register behind any piece of a file from those behind its ends.

internal import CStorage

enum ChecksumAlgebra {
    private static let polynomial: UInt32 = 0x82F6_3B78

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { register, _ in register & 1 == 1 ? register >> 1 ^ polynomial : register >> 1 }
    }

    /// The index into `table` of the value with a given top byte: these are all different.
    private static let indexOfTopByte: [UInt8] = {
        var index = [UInt8](repeating: 0, count: 256)
        for (position, value) in table.enumerated() { index[Int(value >> 24)] = UInt8(position) }
        return index
    }()

    /// The register after a byte.
    @inline(__always)
    static func step(_ register: UInt32, _ byte: UInt8) -> UInt32 {
        register >> 8 ^ table[Int(UInt8(truncatingIfNeeded: register) ^ byte)]
    }

    /// The register before a byte.
    static func stepBack(_ register: UInt32, _ byte: UInt8) -> UInt32 {
        let index = indexOfTopByte[Int(register >> 24)]
        return (register ^ table[Int(index)]) << 8 | UInt32(index ^ byte)
    }

    /// The seed with which `bytes` have the checksum `checksum`.
    static func seed(of bytes: RawSpan, checksum: UInt32) -> UInt32 {
        var register = ~checksum
        for offset in stride(from: bytes.byteCount - 1, through: 0, by: -1) {
            register = stepBack(register, bytes.byte(at: offset))
        }
        return ~register
    }
}

extension RawSpan {
    /// The byte at an offset, which must lie inside.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}

/// The linear map that some number of zero bytes makes of the register, applied to any value in 32 steps at most.
struct ChecksumShift {
    private var columns: [UInt32] = (0..<32).map { 1 << $0 }

    /// One zero byte more.
    mutating func advance() {
        for bit in 0..<32 { columns[bit] = ChecksumAlgebra.step(columns[bit], 0) }
    }

    func callAsFunction(_ register: UInt32) -> UInt32 {
        var result: UInt32 = 0
        var rest = register
        while rest != 0 {
            result ^= columns[rest.trailingZeroBitCount]
            rest &= rest - 1
        }
        return result
    }
}
