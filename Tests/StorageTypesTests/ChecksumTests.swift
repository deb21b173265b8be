// ChecksumTests.swift — CRC-32C against RFC 3720, and the processor's instructions against the table.

import CStorage
import StorageTypes
import Testing

@Suite("CRC-32C")
struct ChecksumTests {
    /// RFC 3720, appendix B.4; the last one is the check value of the polynomial's catalogue entry.
    static let vectors: [(bytes: [UInt8], crc: UInt32)] = [
        ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
        ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
        ([UInt8](0..<32), 0x46DD_794E),
        ([UInt8]((0..<32).reversed()), 0x113F_DB5C),
        (
            [
                0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0,
                0x18,
                0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
            ], 0xD996_3A56
        ),
        (Array("123456789".utf8), 0xE306_9283),
        ([], 0),
    ]

    @Test("the vectors of RFC 3720 come out right, by instruction and by table")
    func vectors() {
        for (bytes, crc) in Self.vectors {
            #expect(cstorage_crc32c(0, bytes, bytes.count) == crc)
            #expect(cstorage_crc32c_portable(0, bytes, bytes.count) == crc)
        }
    }

    @Test("instruction and table agree at every length and alignment, and in pieces")
    func agreement() {
        let seed = UInt64.random(in: 0 ... .max)
        print("checksum seed: \(seed)")
        var random = SeededRandom(seed: seed)
        let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
        for count in 0..<200 {
            for start in 0..<9 {
                let part = Array(bytes[start..<start + count])
                let split = Int.random(in: 0...count, using: &random)
                let whole = bytes.withUnsafeBytes { cstorage_crc32c(7, $0.baseAddress! + start, count) }
                let portable = bytes.withUnsafeBytes { cstorage_crc32c_portable(7, $0.baseAddress! + start, count) }
                let first = cstorage_crc32c(7, Array(part[..<split]), split)
                #expect(whole == portable)
                #expect(cstorage_crc32c(first, Array(part[split...]), count - split) == whole)
            }
        }
    }
}
