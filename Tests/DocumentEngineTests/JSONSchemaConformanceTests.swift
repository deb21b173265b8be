import Foundation
import Testing

@testable import DocumentEngine

/// The official test-suite of draft 4 (json-schema-org/JSON-Schema-Test-Suite), for the keywords that MongoDB supports.
@Suite struct JSONSchemaConformanceTests {
    static let folder: URL? = {
        let shared = ProcessInfo.processInfo.environment["SHOPSTREAM_CONFORMANCE"]
        let root =
            shared.map { URL(fileURLWithPath: $0) }
            ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "../shared/conformance")
        let folder = root.appending(path: "json-schema-draft4")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    /// Files about what MongoDB leaves out: $ref, definitions, format, default, and meta-schemas.
    static let unsupported: Set<String> = [
        "ref.json", "refRemote.json", "definitions.json", "format.json", "default.json", "infinite-loop-detection.json",
    ]

    @Test("the draft-4 suite passes for the supported keywords", .enabled(if: folder != nil))
    func suite() throws {
        let folder = try #require(Self.folder)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        var (passed, skipped) = (0, 0)
        for file in files.sorted() where !Self.unsupported.contains(file) {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for group in try #require(ExtendedJSON.value(text).arrayValue) {
                let group = try #require(group.documentValue)
                let tests = try #require(group["tests"]?.arrayValue).compactMap(\.documentValue)
                guard let schema = try Self.schema(of: group) else {
                    skipped += tests.count
                    continue
                }
                for test in tests {
                    let data = try #require(test["data"])
                    let isValid = schema.accepts(data)
                    #expect(isValid == test["valid"]?.boolValue, "\(file): \(group["description"] ?? "") – \(test)")
                    #expect(schema.failures(data).isEmpty == isValid)
                    passed += 1
                }
            }
        }
        print("JSON Schema draft 4: \(passed) cases run, \(skipped) skipped for keywords MongoDB refuses")
        #expect(passed > 300)
    }

    private static func schema(of group: Document) throws -> JSONSchema? {
        do {
            return try JSONSchema(try #require(group["schema"]?.documentValue))
        } catch let error as DocumentError where error.code == .failedToParse {
            return nil
        }
    }
}
