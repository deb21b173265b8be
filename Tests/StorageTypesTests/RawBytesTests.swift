import StorageTypes
import Testing

@Suite("Raw bytes")
struct RawBytesTests {
    @Test("spans compare like memcmp, a prefix first")
    func compare() {
        let ordered: [[UInt8]] = [[], [0], [0, 0], [0, 1], [1], [127], [128], [255], [255, 0]]
        for (index, left) in ordered.enumerated() {
            for (otherIndex, right) in ordered.enumerated() {
                #expect(
                    left.rawSpan.compare(right.rawSpan).signum() == (index - otherIndex).signum(), "\(left) \(right)")
                #expect(left.rawSpan.equals(right.rawSpan) == (index == otherIndex))
            }
        }
    }

    @Test("every span starts with its prefixes, the empty one too")
    func startsWith() {
        let bytes: [UInt8] = [1, 2, 3]
        func starts(with prefix: [UInt8]) -> Bool { bytes.rawSpan.starts(with: prefix.rawSpan) }
        for prefix: [UInt8] in [[], [1], [1, 2], [1, 2, 3]] { #expect(starts(with: prefix)) }
        for other: [UInt8] in [[2], [1, 3], [1, 2, 3, 4]] { #expect(!starts(with: other)) }
    }

    @Test("bytes are copied out of a span")
    func copies() {
        let bytes: [UInt8] = [1, 2, 3]
        let copies = [bytes.rawSpan.array(), [UInt8](bytes.span.rawSpan)]
        #expect(copies == [bytes, bytes])
        var target: [UInt8] = [0]
        target.append(bytes.rawSpan)
        target.append([UInt8]().rawSpan)
        #expect(target == [0, 1, 2, 3])
    }
}
