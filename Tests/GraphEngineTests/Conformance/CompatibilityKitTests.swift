// CompatibilityKitTests.swift — runs the openCypher Technology Compatibility Kit where its files are at hand.
//
// The kit is Apache-2.0 data of the openCypher project and not part of this package. It is looked for in the folder
// `opencypher-tck` below $SHOPSTREAM_CONFORMANCE or `../shared/conformance`.

import Foundation
import GraphEngine
import Testing

func readText(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
}

enum CompatibilityKit {
    static let directory: String? = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
        let roots: [String?] = [
            ProcessInfo.processInfo.environment["SHOPSTREAM_CONFORMANCE"],
            package.appendingPathComponent("../shared/conformance").standardized.path,
        ]
        return roots.compactMap { $0.map { "\($0)/opencypher-tck" } }
            .first { FileManager.default.fileExists(atPath: "\($0)/features") }
    }()

    /// Folders of what the engine does not have yet: none of their scenarios counts.
    static let unsupported = ["expressions/temporal/", "clauses/call/"]

    static func features(in directory: String) throws -> [(path: String, feature: Feature)] {
        let root = "\(directory)/features"
        let names = (FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []).sorted()
        return try names.filter { name in
            name.hasSuffix(".feature") && !unsupported.contains { name.hasPrefix($0) }
        }.map { name in
            (name, GherkinParser.parse(try readText("\(root)/\(name)")))
        }
    }
}

@Suite("openCypher compatibility kit")
struct CompatibilityKitTests {
    /// Raise it with every improvement; it never goes down.
    static let expectedMinimum = 2_121

    @Test("at least as many scenarios pass as ever before", .enabled(if: CompatibilityKit.directory != nil))
    func scenarios() throws {
        let directory = try #require(CompatibilityKit.directory)
        let log = ProcessInfo.processInfo.environment["SHOPSTREAM_TCK_FAILURES"] != nil
        let only = ProcessInfo.processInfo.environment["SHOPSTREAM_TCK_ONLY"]
        var counts = (passed: 0, failed: 0, skipped: 0)
        var table: [String: (passed: Int, all: Int)] = [:]
        for (path, feature) in try CompatibilityKit.features(in: directory) {
            if let only, !path.contains(only) { continue }
            // One graph for each file: what was deleted costs time too.
            let graph = try GraphStore(storage: Storage.inMemory())
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            for scenario in feature.scenarios {
                let outcome = ScenarioRunner.run(scenario, on: graph, graphsDirectory: "\(directory)/graphs")
                table[folder, default: (0, 0)].all += 1
                switch outcome {
                case .passed:
                    counts.passed += 1
                    table[folder, default: (0, 0)].passed += 1
                case .failed(let reason):
                    counts.failed += 1
                    if log { print("FAILED \(path) \(scenario.name): \(reason.prefix(300))") }
                case .skipped(let reason):
                    counts.skipped += 1
                    if log { print("SKIPPED \(path) \(scenario.name): \(reason)") }
                }
            }
            #expect(try graph.storage.verify().problems == [])
        }
        for (folder, result) in table.sorted(by: { $0.key < $1.key }) {
            print("openCypher TCK \(folder): \(result.passed) of \(result.all)")
        }
        print("openCypher TCK: \(counts.passed) passed, \(counts.failed) failed, \(counts.skipped) skipped")
        if only == nil { #expect(counts.passed >= Self.expectedMinimum) }
    }
}
