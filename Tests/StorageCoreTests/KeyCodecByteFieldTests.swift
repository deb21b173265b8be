// KeyCodecByteFieldTests.swift — the little-endian fields of file formats.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Byte fields")
struct KeyCodecByteFieldTests {
    @Test("fields are read back as they were written")
    func roundTrip() throws {
        var writer = ByteWriter(reservingCapacity: 64)
        writer.u8(1)
        writer.u16(0x0203)
        writer.u32(0x0405_0607)
        writer.u64(0x0809_0A0B_0C0D_0E0F)
        writer.i64(-2)
        for value: UInt64 in [0, 127, 128, 16383, 16384, .max] { writer.varint(value) }
        writer.lengthPrefixed([1, 2, 3].rawSpan)
        writer.string("äöü")
        writer.raw([9, 9].rawSpan)
        let bytes = writer.bytes
        #expect(bytes.prefix(7) == [1, 3, 2, 7, 6, 5, 4])
        #expect(writer.count == bytes.count)

        var reader = ByteReader(bytes.rawSpan, file: "f")
        let fixed = (try reader.u8(), try reader.u16(), try reader.u32(), try reader.u64(), try reader.i64())
        #expect(fixed == (1, 0x0203, 0x0405_0607, 0x0809_0A0B_0C0D_0E0F, -2))
        for expected: UInt64 in [0, 127, 128, 16383, 16384, .max] {
            let value = try reader.varint()
            #expect(value == expected)
        }
        let field = try reader.lengthPrefixed().array()
        let text = try reader.string()
        let (offset, rest) = (reader.offset, reader.remaining.array())
        let raw = try reader.raw(2).array()
        try reader.expectEnd()
        let isAtEnd = reader.isAtEnd
        #expect(field == [1, 2, 3])
        #expect(text == "äöü")
        #expect(rest == [9, 9])
        #expect(offset == bytes.count - 2)
        #expect(raw == [9, 9])
        #expect(isAtEnd)
    }

    @Test("a field can be filled in afterwards")
    func replace() {
        var writer = ByteWriter()
        writer.u8(1)
        writer.u32(0)
        writer.u8(2)
        writer.replaceU32(at: 1, with: 0x0102_0304)
        #expect(writer.bytes == [1, 4, 3, 2, 1, 2])
    }

    @Test("what doesn't fit is corruption, with file and offset of the field")
    func refusals() {
        expectCorruption([1], at: 104) { _ = try $0.u16() }
        expectCorruption([1, 2, 3], at: 104) { _ = try $0.u32() }
        expectCorruption([1, 2, 3, 4, 5, 6, 7], at: 104) { _ = try $0.u64() }
        expectCorruption([], at: 104) { _ = try $0.u8() }
        expectCorruption([0x80], at: 104) { _ = try $0.varint() }
        expectCorruption([UInt8](repeating: 0xFF, count: 9) + [2], at: 104) { _ = try $0.varint() }
        expectCorruption([UInt8](repeating: 0x80, count: 11), at: 104) { _ = try $0.varint() }
        expectCorruption([7, 5, 1, 2], at: 106) {
            _ = try $0.u8()
            _ = try $0.lengthPrefixed()
        }
        expectCorruption([UInt8](repeating: 0xFF, count: 9) + [1, 1], at: 104) { _ = try $0.count() }
        expectCorruption([2, 0xC3, 0x28], at: 104) { _ = try $0.string() }
        expectCorruption([1, 2], at: 104) { _ = try $0.raw(-1) }
        expectCorruption([1, 2], at: 105) {
            _ = try $0.u8()
            try $0.expectEnd()
        }
    }

    private func expectCorruption(
        _ bytes: [UInt8], at offset: Int64, sourceLocation: SourceLocation = #_sourceLocation,
        _ read: (inout ByteReader) throws -> Void
    ) {
        let error = #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
            var reader = ByteReader(bytes.rawSpan, file: "f", offset: 104)
            try read(&reader)
        }
        #expect(error?.code == .corruption, sourceLocation: sourceLocation)
        #expect(error?.location == StorageError.Location(file: "f", offset: offset), sourceLocation: sourceLocation)
    }
}
