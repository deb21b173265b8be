// KeyCodecTests.swift — keys compare as their values do, and come back as they were.

import StorageCore
import StorageTypes
import Testing

/// The bytes of one key.
func key(_ build: (inout KeyEncoder) -> Void) -> [UInt8] {
    var encoder = KeyEncoder()
    build(&encoder)
    return encoder.bytes
}

/// Expects that encodings order the values as the values are listed, in both directions, and that equal neighbours in
/// `groups` have equal bytes.
func expectOrder<Value>(
    of groups: [[Value]], sourceLocation: SourceLocation = #_sourceLocation,
    _ append: (inout KeyEncoder, Value, Bool) -> Void
) {
    for (index, group) in groups.enumerated() {
        for (otherIndex, otherGroup) in groups.enumerated() {
            for value in group {
                for other in otherGroup {
                    let expected = (index - otherIndex).signum()
                    let ascending = key { append(&$0, value, false) }.rawSpan
                        .compare(key { append(&$0, other, false) }.rawSpan).signum()
                    let descending = key { append(&$0, value, true) }.rawSpan
                        .compare(key { append(&$0, other, true) }.rawSpan).signum()
                    #expect(ascending == expected, "\(value) \(other)", sourceLocation: sourceLocation)
                    #expect(descending == -expected, "\(value) \(other) descending", sourceLocation: sourceLocation)
                }
            }
        }
    }
}

@Suite("Key codec")
struct KeyCodecTests {
    @Test("integers keep their order and come back")
    func integers() throws {
        let values: [Int64] = [.min, .min + 1, -65536, -256, -1, 0, 1, 255, 256, 1 << 40, .max]
        expectOrder(of: values.map { [$0] }) { $0.append(int64: $1, descending: $2) }
        expectOrder(of: values.map { [UInt64(bitPattern: $0 &- .min)] }) { $0.append(uint64: $1, descending: $2) }
        expectOrder(of: [Int32.min, -2, -1, 0, 1, .max].map { [$0] }) { $0.append(int32: $1, descending: $2) }
        expectOrder(of: [UInt32.min, 1, 256, .max].map { [$0] }) { $0.append(uint32: $1, descending: $2) }
        expectOrder(of: [UInt16.min, 1, 256, .max].map { [$0] }) { $0.append(uint16: $1, descending: $2) }
        expectOrder(of: [UInt8.min, 1, 200, .max].map { [$0] }) { $0.append(uint8: $1, descending: $2) }
        for descending in [false, true] {
            let bytes = key {
                $0.append(int64: -5, descending: descending)
                $0.append(uint64: 6, descending: descending)
                $0.append(int32: -7, descending: descending)
                $0.append(uint32: 8, descending: descending)
                $0.append(uint16: 9, descending: descending)
                $0.append(uint8: 10, descending: descending)
            }
            var decoder = KeyDecoder(bytes.rawSpan)
            let first = (try decoder.int64(descending: descending), try decoder.uint64(descending: descending))
            let second = (try decoder.int32(descending: descending), try decoder.uint32(descending: descending))
            let third = (try decoder.uint16(descending: descending), try decoder.uint8(descending: descending))
            let isAtEnd = decoder.isAtEnd
            #expect(first == (-5, 6))
            #expect(second == (-7, 8))
            #expect(third == (9, 10))
            #expect(isAtEnd)
        }
    }

    @Test("integers have the documented bytes")
    func integerBytes() {
        #expect(key { $0.append(int64: 1) } == [0x80, 0, 0, 0, 0, 0, 0, 1])
        #expect(key { $0.append(int64: -1) } == [0x7F, 255, 255, 255, 255, 255, 255, 255])
        #expect(key { $0.append(uint32: 0x0102_0304) } == [1, 2, 3, 4])
        #expect(key { $0.append(uint16: 0x0102, descending: true) } == [0xFE, 0xFD])
    }

    @Test("doubles keep the IEEE order, zeros are one, NaN is below everything")
    func doubles() throws {
        let groups: [[Double]] = [
            [.nan, -.nan, .signalingNaN, Double(nan: 5, signaling: false)], [-.infinity], [-.greatestFiniteMagnitude],
            [-1.5],
            [-1], [-.leastNormalMagnitude], [-.leastNonzeroMagnitude], [-0.0, 0.0], [.leastNonzeroMagnitude], [0.1],
            [1],
            [1 + Double.ulpOfOne], [1e300], [.greatestFiniteMagnitude], [.infinity],
        ]
        expectOrder(of: groups) { $0.append(double: $1, descending: $2) }
        for value in groups.joined() {
            for descending in [false, true] {
                let bytes = key { $0.append(double: value, descending: descending) }
                var decoder = KeyDecoder(bytes.rawSpan)
                let decoded = try decoder.double(descending: descending)
                #expect(decoded == value || decoded.isNaN && value.isNaN)
                #expect(decoded != 0 || decoded.sign == .plus)
            }
        }
    }

    @Test("strings sort by code point, a prefix before its continuations, whatever follows")
    func strings() throws {
        let values = ["", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "aa", "ab", "b", "ä", "€", "\u{FFFF}", "😀"]
        expectOrder(of: values.map { [$0] }) { $0.append(string: $1, descending: $2) }
        expectOrder(of: values.map { [$0] }) {
            $0.append(string: $1, descending: $2)
            // What follows must not matter, even if it argues the other way.
            $0.append(uint8: $1.utf8.count.isMultiple(of: 2) ? 0 : 255)
        }
        for value in values {
            for descending in [false, true] {
                let bytes = key { $0.append(string: value, descending: descending) }
                var decoder = KeyDecoder(bytes.rawSpan)
                let decoded = try decoder.string(descending: descending)
                let isAtEnd = decoder.isAtEnd
                #expect(decoded.utf8.elementsEqual(value.utf8))
                #expect(isAtEnd)
            }
        }
        #expect(key { $0.append(string: "a\0") } == [0x61, 0, 0xFF, 0, 0])
    }

    @Test("byte strings of zeros and ones keep their order")
    func awkwardBytes() throws {
        var values: [[UInt8]] = [[]]
        for _ in 0..<3 { values += values.flatMap { value in [0, 1, 254, 255].map { value + [$0] } } }
        let ordered = Set(values).sorted { $0.rawSpan.compare($1.rawSpan) < 0 }
        expectOrder(of: ordered.map { [$0] }) { $0.append(bytes: $1, descending: $2) }
        for value in ordered {
            for descending in [false, true] {
                let bytes = key { $0.append(bytes: value.rawSpan, descending: descending) }
                var decoder = KeyDecoder(bytes.rawSpan)
                let decoded = try decoder.bytes(descending: descending)
                #expect(decoded == value)
            }
        }
    }

    @Test("raw bytes come last and are what remains")
    func raw() throws {
        let bytes = key {
            $0.append(uint8: 1)
            $0.append(raw: [0, 2, 0].rawSpan)
        }
        #expect(bytes == [1, 0, 2, 0])
        var decoder = KeyDecoder(bytes.rawSpan)
        _ = try decoder.uint8()
        let remaining = decoder.remaining.array()
        #expect(remaining == [0, 2, 0])
    }

    @Test("a reset encoder begins anew")
    func reset() {
        var encoder = KeyEncoder()
        encoder.append(string: "x")
        encoder.reset()
        encoder.append(uint8: 7)
        #expect(encoder.bytes == [7])
    }

    @Test(
        "bytes that are never written are refused",
        arguments: [
            [], [0x61], [0x61, 0], [0x61, 0, 1], [0x61, 0, 0xFE, 0, 0], [0], [0, 0xFF], [0x80, 0, 0],
            [0xC3, 0x28, 0, 0],
        ] as [[UInt8]])
    func malformedStrings(_ bytes: [UInt8]) {
        let error = #expect(throws: StorageError.self) {
            var decoder = KeyDecoder(bytes.rawSpan)
            _ = try decoder.string()
        }
        #expect(error?.code == .corruption)
    }

    @Test("a truncated number is refused")
    func truncatedNumbers() {
        let bytes = [UInt8](repeating: 1, count: 7)
        #expect(throws: StorageError.self) {
            var decoder = KeyDecoder(bytes.rawSpan)
            _ = try decoder.int64()
        }
        #expect(throws: StorageError.self) {
            var decoder = KeyDecoder(bytes.rawSpan.extracting(first: 3))
            _ = try decoder.uint32()
        }
        #expect(throws: StorageError.self) {
            var decoder = KeyDecoder(bytes.rawSpan.extracting(first: 0))
            _ = try decoder.uint8()
        }
    }

    @Test("a double that is never written is refused: a second NaN, a negative zero")
    func malformedDoubles() {
        for ordered: UInt64 in [1, 0x7FFF_FFFF_FFFF_FFFF, .max, 0xFFF8_0000_0000_0000] {
            let bytes = key { $0.append(uint64: ordered) }
            #expect(throws: StorageError.self) {
                var decoder = KeyDecoder(bytes.rawSpan)
                _ = try decoder.double()
            }
        }
    }
}
