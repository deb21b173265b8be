// KeyCodecTupleTests.swift — random tuples: their bytes compare as the tuples do, and come back as they were.

import StorageCore
import StorageTypes
import Testing

/// One component of a key, with the direction it sorts in.
private enum Component: Hashable {
    case int(Int64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case small(UInt8)

    func append(to encoder: inout KeyEncoder, descending: Bool) {
        switch self {
        case .int(let value): encoder.append(int64: value, descending: descending)
        case .double(let value): encoder.append(double: value, descending: descending)
        case .string(let value): encoder.append(string: value, descending: descending)
        case .bytes(let value): encoder.append(bytes: value, descending: descending)
        case .small(let value): encoder.append(uint8: value, descending: descending)
        }
    }

    /// The next component, which is of this one's kind.
    func decodeSame(from decoder: inout KeyDecoder, descending: Bool) throws -> Component {
        switch self {
        case .int: .int(try decoder.int64(descending: descending))
        case .double: .double(try decoder.double(descending: descending))
        case .string: .string(try decoder.string(descending: descending))
        case .bytes: .bytes(try decoder.bytes(descending: descending))
        case .small: .small(try decoder.uint8(descending: descending))
        }
    }

    /// The order of the values themselves; both are of one kind.
    static func order(_ left: Component, _ right: Component) -> Int {
        switch (left, right) {
        case (.int(let a), .int(let b)): a < b ? -1 : a > b ? 1 : 0
        case (.double(let a), .double(let b)): a < b ? -1 : a > b ? 1 : 0
        case (.small(let a), .small(let b)): a < b ? -1 : a > b ? 1 : 0
        case (.string(let a), .string(let b)):
            a.unicodeScalars.elementsEqual(b.unicodeScalars)
                ? 0 : a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars) ? -1 : 1
        case (.bytes(let a), .bytes(let b)): a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
        default: 0
        }
    }

    /// A random value of a kind; few enough different ones that components are often equal or alike.
    static func random(kind: Int, _ random: inout SeededRandom) -> Component {
        func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
        switch kind {
        case 0: return .int(pick([.min, -1, 0, 1, .max, Int64.random(in: -300...300, using: &random)]))
        case 1:
            return .double(
                pick([-.infinity, -1.5, 0, 1e-300, 7, .infinity, Double.random(in: -1...1, using: &random)]))
        case 2:
            return .string(
                (0..<Int.random(in: 0...3, using: &random)).map { _ in pick(["\0", "a", "é", "\u{7F}", "😀"]) }.joined())
        case 3: return .bytes((0..<Int.random(in: 0...4, using: &random)).map { _ in pick([0, 1, 254, 255]) })
        default: return .small(UInt8.random(in: 0...255, using: &random))
        }
    }
}

@Suite("Key codec: tuples")
struct KeyCodecTupleTests {
    @Test("random tuples compare component by component, each in its direction, and come back")
    func randomTuples() throws {
        let seed = TestSeed.draw("key tuples")
        var random = SeededRandom(seed: seed)
        for _ in 0..<2000 {
            let shape = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                (kind: Int.random(in: 0...4, using: &random), descending: Bool.random(using: &random))
            }
            let left = shape.map { Component.random(kind: $0.kind, &random) }
            let right = shape.map { Component.random(kind: $0.kind, &random) }
            let order = encode(left, shape.map(\.descending)).rawSpan.compare(
                encode(right, shape.map(\.descending)).rawSpan)
            #expect(order.signum() == compare(left, right, shape.map(\.descending)), "\(left) \(right) \(shape)")
            #expect(try decode(encode(left, shape.map(\.descending)), like: left, shape.map(\.descending)) == left)
        }
    }

    @Test("random bytes decode to something that encodes to the same bytes, or are refused")
    func randomBytes() {
        let seed = TestSeed.draw("key bytes")
        var random = SeededRandom(seed: seed)
        for _ in 0..<4000 {
            let bytes = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                [0, 1, 2, 3, 0x7F, 0x80, 0xF4, 0xFF, UInt8.random(in: 0...255, using: &random)][
                    Int.random(in: 0..<9, using: &random)]
            }
            for descending in [false, true] {
                expectCanonical(bytes) {
                    $0.append(string: try $1.string(descending: descending), descending: descending)
                }
                expectCanonical(bytes) {
                    $0.append(bytes: try $1.bytes(descending: descending), descending: descending)
                }
                expectCanonical(bytes) {
                    $0.append(double: try $1.double(descending: descending), descending: descending)
                }
                expectCanonical(bytes) {
                    $0.append(decimal: try $1.decimal(descending: descending), descending: descending)
                }
            }
        }
    }

    private func expectCanonical(_ bytes: [UInt8], _ copy: (inout KeyEncoder, inout KeyDecoder) throws -> Void) {
        var encoder = KeyEncoder()
        var decoder = KeyDecoder(bytes.rawSpan)
        do {
            try copy(&encoder, &decoder)
        } catch let error as StorageError {
            if error.code != .corruption { Issue.record("\(error)") }
            return
        } catch {
            Issue.record("\(error)")
        }
        let consumed = Array(bytes.prefix(bytes.count - decoder.remaining.byteCount))
        if encoder.bytes != consumed { Issue.record("\(bytes) became \(encoder.bytes)") }
    }

    private func encode(_ tuple: [Component], _ descending: [Bool]) -> [UInt8] {
        key { encoder in
            for (component, descending) in zip(tuple, descending) {
                component.append(to: &encoder, descending: descending)
            }
        }
    }

    private func decode(_ bytes: [UInt8], like tuple: [Component], _ descending: [Bool]) throws -> [Component] {
        var decoder = KeyDecoder(bytes.rawSpan)
        var decoded: [Component] = []
        for (component, descending) in zip(tuple, descending) {
            decoded.append(try component.decodeSame(from: &decoder, descending: descending))
        }
        return decoder.isAtEnd ? decoded : []
    }

    private func compare(_ left: [Component], _ right: [Component], _ descending: [Bool]) -> Int {
        for index in left.indices {
            let order = Component.order(left[index], right[index])
            if order != 0 { return descending[index] ? -order : order }
        }
        return 0
    }
}
