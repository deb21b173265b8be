import Testing

@testable import DocumentEngine

/// A document from Extended JSON.
func doc(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> Document {
    do {
        return try ExtendedJSON.document(text)
    } catch {
        Issue.record("\(text): \(error)", sourceLocation: sourceLocation)
        return Document()
    }
}

func value(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> BSONValue {
    doc("{\"v\": \(text)}", sourceLocation: sourceLocation)["v"] ?? .undefined
}

/// The code and message of the error that the body throws.
func documentError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> some Any
) -> (code: Int, message: String) {
    do {
        _ = try body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as DocumentError {
        return (error.code.rawValue, error.errmsg)
    } catch {
        Issue.record("unexpected error: \(error)", sourceLocation: sourceLocation)
    }
    return (0, "")
}

/// A random value of bounded depth, all types that JSON-like data has.
func randomValue(_ random: inout SeededRandom, depth: Int = 3) -> BSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 15 : 12), using: &random) {
    case 0: .null
    case 1: .bool(Bool.random(using: &random))
    case 2: .int32(Int32.random(in: -3...3, using: &random))
    case 3: .int64(Int64.random(in: -3...3, using: &random))
    case 4: .double(Double(Int.random(in: -6...6, using: &random)) / 2)
    case 5: .string(String("abc".prefix(Int.random(in: 0...3, using: &random))))
    case 6: .string(["a\0b", "é", "\u{10FFFF}", "zz"].randomElement(using: &random) ?? "")
    case 7: .date(BSONDate(milliseconds: Int64.random(in: -5...5, using: &random)))
    case 8: .objectID(ObjectID(high: UInt64.random(in: 0...2, using: &random), low: 7))
    case 9:
        .double([.nan, .infinity, -0.0, 0x1p53, -.infinity, .leastNonzeroMagnitude].randomElement(using: &random) ?? 0)
    case 10: .int64([Int64.max, .min, 1 << 53 + 1, 1 << 53].randomElement(using: &random) ?? 0)
    case 11:
        Decimal128(
            ["1.5", "1.50", "-3", "1E+400", "0.1", "9007199254740993", "NaN", "-Infinity"]
                .randomElement(using: &random) ?? "0"
        ).map { .decimal128($0) } ?? .null
    case 12, 13: .document(randomDocument(&random, depth: depth - 1))
    default: .array((0..<Int.random(in: 0...3, using: &random)).map { _ in randomValue(&random, depth: depth - 1) })
    }
}

func randomDocument(_ random: inout SeededRandom, depth: Int = 2) -> Document {
    let names = ["a", "b", "c", "0"].shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random))
    return Document(names.map { ($0, randomValue(&random, depth: depth)) })
}

// Views can't pass through #expect, so tests ask with owned values.
extension JSONSchema {
    func accepts(_ document: Document) -> Bool { matches(document.view) }
    func accepts(_ value: BSONValue) -> Bool { matches(BSONOperand(value).view) }
    func failures(_ document: Document) -> [BSONValue] {
        SchemaExplanation(isFull: true).failures(of: document.view, under: self)
    }
    func failures(_ value: BSONValue) -> [BSONValue] {
        SchemaExplanation(isFull: true).failures(of: BSONOperand(value).view, under: self)
    }
}

extension MatchExpression {
    func accepts(_ document: Document) -> Bool { matches(document.view) }
}
