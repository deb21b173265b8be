// Checksum.swift — the checksums of version 5's frames (v5 specification, §2.3.2).
//
// CRC-24 covers a frame's header; CRC-32 (the one of zlib and Ethernet) covers its payload and is seeded with four fixed
// bytes, so that a run of zeros is not a valid frame.

enum Checksum {
    /// CRC-24 of the lowest `byteCount` bytes of `value`, the lowest byte first.
    static func crc24(_ value: UInt64, byteCount: Int) -> UInt32 {
        var crc: UInt32 = 0x875060
        var rest = value
        for _ in 0..<byteCount {
            crc ^= UInt32(truncatingIfNeeded: rest & 0xFF) << 16
            rest >>= 8
            for _ in 0..<8 {
                crc <<= 1
                if crc & 0x100_0000 != 0 { crc ^= 0x197_4F0B }
            }
        }
        return crc
    }

    /// CRC-32 of a frame's payload.
    static func payload(_ bytes: some Collection<UInt8>) -> UInt32 {
        let seeded = update(UInt32.max, [0xFA, 0x2D, 0x55, 0xCA])
        // A contiguous run goes through the tables without a bounds check for each byte.
        return ~(bytes.withContiguousStorageIfAvailable { unsafe update(seeded, $0) } ?? update(seeded, Array(bytes)))
    }

    private static func update(_ crc: UInt32, _ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { unsafe update(crc, $0) }
    }

    /// Eight bytes at a time: the table of row n gives what a byte contributes that n more bytes follow.
    private static func update(_ crc: UInt32, _ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        unsafe tables.withUnsafeBufferPointer { table in
            var crc = crc
            var index = 0
            while index + 8 <= bytes.count {
                let word = unsafe UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let mixed = UInt64(littleEndian: word) ^ UInt64(crc)
                crc = 0
                for row in 0..<8 {
                    let byte = Int(truncatingIfNeeded: mixed >> UInt64(8 * row) & 0xFF)
                    crc ^= unsafe table[(7 - row) * 256 + byte]
                }
                index += 8
            }
            while index < bytes.count {
                crc = unsafe crc >> 8 ^ table[Int((crc ^ UInt32(bytes[index])) & 0xFF)]
                index += 1
            }
            return crc
        }
    }

    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<tables.count {
            let before = tables[index - 256]
            tables[index] = before >> 8 ^ tables[Int(before & 0xFF)]
        }
        return tables
    }()
}
