import Testing

@testable import GraphEngine

@Suite("Graph records")
struct RecordCodecTests {
    private static func randomValue(_ random: inout SeededRandom, nested: Bool = false) -> GraphValue {
        switch Int.random(in: 0...(nested ? 4 : 5), using: &random) {
        case 0: .boolean(Bool.random(using: &random))
        case 1: .integer(Int64.random(in: .min ... .max, using: &random))
        case 2: .float(Double(bitPattern: UInt64.random(in: .min ... .max, using: &random)))
        case 3: .integer(Int64.random(in: -100...100, using: &random))
        case 4:
            .string(
                String(
                    (0..<Int.random(in: 0...20, using: &random)).map { _ in "aé😀".randomElement(using: &random) ?? "a" }
                ))
        default: .list((0..<Int.random(in: 0...5, using: &random)).map { _ in randomValue(&random, nested: true) })
        }
    }

    private static func randomNode(_ random: inout SeededRandom) -> NodeRecord {
        var record = NodeRecord()
        record.labels = Set((0..<3).map { _ in UInt32.random(in: 0...300, using: &random) }).sorted()
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            record.properties[UInt32.random(in: 0...1_000, using: &random)] = randomValue(&random)
        }
        return record
    }

    @Test("a record reads back as it was written")
    func roundTrip() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let record = Self.randomNode(&random)
            let bytes = RecordWriter.encode(record)
            let read = try RecordReader.node(bytes.rawSpan)
            #expect(read.labels == record.labels, "seed \(seed)")
            #expect(read.properties.entries.map(\.key) == record.properties.entries.map(\.key), "seed \(seed)")
            for (key, value) in record.properties.entries {
                #expect(read.properties[key] == value, "seed \(seed)")
                #expect(try RecordReader.property(key, ofNode: bytes.rawSpan) == value, "seed \(seed)")
            }
            #expect(try RecordReader.property(5_000, ofNode: bytes.rawSpan) == nil)
        }
    }

    @Test("damaged records are refused with an error, whatever the damage")
    func damage() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        var refused = 0
        for _ in 0..<3_000 {
            var bytes = RecordWriter.encode(Self.randomNode(&random))
            if Bool.random(using: &random) {
                bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            } else {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            }
            do {
                _ = try RecordReader.node(bytes.rawSpan)
                _ = try RecordReader.property(3, ofNode: bytes.rawSpan)
                _ = try RecordReader.relationship(bytes.rawSpan)
            } catch let error as StorageError {
                #expect([.corruption, .unsupportedFormat].contains(error.code), "seed \(seed)")
                refused += 1
            }
        }
        #expect(refused > 1_000)
    }

    @Test("a record cut short is always refused")
    func truncation() {
        var record = NodeRecord(labels: [1, 2])
        record.properties[7] = ["a", 2, 3.5]
        let bytes = RecordWriter.encode(record)
        for length in 0..<bytes.count {
            let cut = Array(bytes[..<length])
            #expect(throws: StorageError.self) { try RecordReader.node(cut.rawSpan) }
        }
    }

    @Test("equal values have one unique key, different values have different ones")
    func canonicalKeys() {
        #expect(RecordWriter.canonicalKey(1) == RecordWriter.canonicalKey(1.0))
        #expect(RecordWriter.canonicalKey([1, 2.0]) == RecordWriter.canonicalKey([1.0, 2]))
        let different: [GraphValue] = [1, 1.5, "1", true, false, "", [1], ["1"], [], -1]
        #expect(Set(different.map { RecordWriter.canonicalKey($0) }).count == different.count)
    }

    @Test("adjacency keys order by node, direction, type, neighbour and relationship")
    func adjacencyKeys() throws {
        let entry = AdjacencyEntry(node: 1, side: .incoming, type: 300, neighbour: 70_000, relationship: 1 << 40)
        let key = GraphKeys.adjacency(entry)
        #expect(key.count == GraphKeys.adjacencyByteCount)
        #expect(try GraphKeys.adjacencyEntry(of: key.rawSpan) == entry)
        #expect(throws: StorageError.self) { try GraphKeys.adjacencyEntry(of: Array(key.dropLast()).rawSpan) }
        var wrong = key
        wrong[4] = 2
        #expect(throws: StorageError.self) { try GraphKeys.adjacencyEntry(of: wrong.rawSpan) }
    }
}
