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

/// How the scenarios of a feature, or of a folder of them, went.
private struct Tally: Sendable {
    var folder: String
    var passed = 0
    var failed = 0
    var skipped = 0
    var log: [String] = []

    mutating func add(_ other: Tally) {
        passed += other.passed
        failed += other.failed
        skipped += other.skipped
    }
}

/// `SHOPSTREAM_TCK_ONLY=match` runs the files with that in their path; `SHOPSTREAM_TCK_FAILURES=1` tells what failed.
@Suite("openCypher compatibility kit")
struct CompatibilityKitTests {
    /// Raise it with every improvement; it never goes down.
    static let expectedMinimum = 2_121

    @Test("at least as many scenarios pass as ever before", .enabled(if: CompatibilityKit.directory != nil))
    func scenarios() async throws {
        let directory = try #require(CompatibilityKit.directory)
        let environment = ProcessInfo.processInfo.environment
        let only = environment["SHOPSTREAM_TCK_ONLY"]
        let features = try CompatibilityKit.features(in: directory).filter { only.map($0.path.contains) ?? true }
        var all = Tally(folder: "all")
        var folders: [String: Tally] = [:]
        try await withThrowingTaskGroup(of: Tally.self) { group in
            for (path, feature) in features {
                group.addTask { try Self.run(feature, path, graphsDirectory: "\(directory)/graphs") }
            }
            for try await tally in group {
                all.add(tally)
                folders[tally.folder, default: Tally(folder: tally.folder)].add(tally)
                if environment["SHOPSTREAM_TCK_FAILURES"] != nil { tally.log.forEach { print($0) } }
            }
        }
        for (folder, tally) in folders.sorted(by: { $0.key < $1.key }) {
            print("openCypher TCK \(folder): \(tally.passed) of \(tally.passed + tally.failed + tally.skipped)")
        }
        print("openCypher TCK: \(all.passed) passed, \(all.failed) failed, \(all.skipped) skipped")
        if only == nil { #expect(all.passed >= Self.expectedMinimum) }
    }

    /// One graph for each file: what was deleted costs time too.
    private static func run(_ feature: Feature, _ path: String, graphsDirectory: String) throws -> Tally {
        let graph = try GraphStore(storage: Storage.inMemory())
        var tally = Tally(folder: path.split(separator: "/").dropLast().joined(separator: "/"))
        for scenario in feature.scenarios {
            switch ScenarioRunner.run(scenario, on: graph, graphsDirectory: graphsDirectory) {
            case .passed: tally.passed += 1
            case .failed(let reason):
                tally.failed += 1
                tally.log.append("FAILED \(path) \(scenario.name): \(reason.prefix(300))")
            case .skipped(let reason):
                tally.skipped += 1
                tally.log.append("SKIPPED \(path) \(scenario.name): \(reason)")
            }
        }
        #expect(try graph.storage.verify().problems == [], "\(path)")
        return tally
    }
}
