// UTF8TextTests.swift — texts of bytes, valid or not.

import StorageTypes
import Testing

@Suite("Texts of bytes")
struct UTF8TextTests {
    @Test("a text is what the standard library makes of the bytes, and nothing where it refuses them")
    func againstStandardLibrary() {
        var random = SeededRandom(seed: 7)
        let parts: [[UInt8]] = [
            Array("a".utf8), Array("ü".utf8), Array("€".utf8), Array("😀".utf8), Array("\u{FFFD}".utf8), [0], [0x7F],
            [0x80],
            [0xC0, 0x80], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
            [0xFF],
        ]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<8, using: &random)
            let bytes = (0..<count).flatMap { _ in
                parts[min(Int.random(in: 0..<40, using: &random), parts.count * 3 - 1) % parts.count]
            }
            let text = String(validUTF8: bytes.rawSpan)
            let expected = String(validating: bytes, as: UTF8.self)
            #expect(text.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(bytes)")
        }
    }

    @Test("a repair that is as long as what it replaces is noticed")
    func sameLength() {
        let truncated: [UInt8] = [0xF0, 0x9F, 0x98]
        #expect(String(validUTF8: truncated.rawSpan) == nil)
        let replacement = Array("\u{FFFD}".utf8)
        #expect(String(validUTF8: replacement.rawSpan) == "\u{FFFD}")
        #expect(String(validUTF8: [UInt8]().rawSpan)?.isEmpty == true)
    }
}
