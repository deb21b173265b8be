// The command as users run it: the program itself, with what it prints and writes.

import Foundation
import Testing

@Suite("shopstream bench", .serialized)
struct BenchCommandTests {
    @Test("events at one rate print one JSON object, and progress elsewhere", arguments: ["--duration", "--seconds"])
    func eventsAtOneRate(option: String) throws {
        let run = try CommandRun("bench", "events", "--rate", "200", option, "1.2", "--json", "--users", "50")
        let object = try run.object()
        #expect(run.status == 0 && run.output.filter { $0 == "\n" }.count == 1)
        #expect(run.errors.contains("/s, p99 "))
        #expect(object["benchmark"] as? String == "events")
        #expect(object["offered_rate"] as? Double == 200 && object["operations"] as? Int == 240)
        let achieved = try #require(object["achieved_rate"] as? Double)
        #expect(achieved > 0 && achieved <= 200.1)
        try expectPercentiles(in: object, prefix: "")
        try expectPercentiles(in: object, prefix: "service_")
        try expectPercentiles(in: object, prefix: "machine_")
        // What waits for its turn has waited before the call.
        #expect(try number("p50_us", object) >= number("service_p50_us", object) * 0.99)
    }

    @Test("purchases and the cache take the same options")
    func otherLoads() throws {
        for arguments in [
            ["cache", "--rate", "500", "--keys", "100"],
            ["purchases", "--rate", "50", "--buyers", "4", "--products", "5", "--durability", "buffered"],
        ] {
            let run = try CommandRun(["bench"] + arguments + ["--duration", "1", "--json"])
            let object = try run.object()
            #expect(run.status == 0 && object["benchmark"] as? String == arguments[0])
            #expect(object["operations"] as? Int == (arguments[0] == "cache" ? 500 : 50))
            try expectPercentiles(in: object, prefix: "")
        }
    }

    @Test("the report has every part, with figures that fit together")
    func report() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (plot, page) = (folder.appendingPathComponent("plot.svg"), folder.appendingPathComponent("report.md"))
        let run = try CommandRun(
            "bench", "events", "--quick", "--events", "1500", "--burst", "500", "--view-events", "100", "--reads", "10",
            "--cold-reads", "2", "--sessions", "2", "--users", "10", "--duration", "0.01", "--json",
            "--data", folder.appendingPathComponent("data").path, "--plot", plot.path, "--report", page.path)
        #expect(run.status == 0, "\(run.errors)")
        let object = try run.object()
        func section(_ key: String) throws -> [String: Any] { try #require(object[key] as? [String: Any]) }

        #expect(try section("burst")["events"] as? Int == 500)
        let sustained = try section("sustained")
        #expect(sustained["events"] as? Int == 1500)
        #expect(try number("settled_events_per_second", sustained) <= number("events_per_second", sustained))
        #expect(try number("write_amplification", sustained) > 1)
        // Identifiers are random: an event takes its sixteen bytes at least once in the table and once in the view.
        #expect(try number("disk_bytes_per_event", sustained) > 32)
        #expect(try number("peak_memory_bytes", sustained) > 1_000_000)
        #expect(try number("cpu_us_per_event", sustained) > 0)
        #expect(try section("scan")["rows"] as? Int == 1500)
        #expect(try number("insert_overhead", section("view")) > 0)
        #expect(try number("key_change_overhead", section("view")) > 0)
        for temperature in ["warm", "cold"] {
            let reads = try section("reads_\(temperature)")
            // A hundred and fifty events for each of ten users, of which a read takes a hundred.
            #expect(try number("user_rows_per_read", reads) > 90 && number("user_rows_per_read", reads) <= 100)
            #expect(try number("session_rows_per_read", reads) > 0 && number("session_rows_per_read", reads) <= 500)
            try expectPercentiles(in: reads, prefix: "session_")
            try expectPercentiles(in: reads, prefix: "user_")
        }
        #expect(try number("offered_rate", section("offered")) == 33_333)
        let series = try #require(object["series"] as? [[String: Any]])
        #expect(series.compactMap { $0["name"] as? String } == ["burst", "sustained", "33,333/s offered"])

        let picture = try String(contentsOf: plot, encoding: .utf8)
        #expect(picture.hasPrefix("<svg ") && picture.hasSuffix("</svg>\n"))
        #expect(picture.components(separatedBy: "<g ").count == 4)
        let text = try String(contentsOf: page, encoding: .utf8)
        #expect(text.contains("## Scan of the whole table") && text.contains("| rows | 1,500 |"))
    }

    @Test("a rate or a size that makes no sense is refused, with the option's name")
    func refusals() throws {
        let rate = try CommandRun("bench", "events", "--rate", "0")
        #expect(rate.status != 0 && rate.errors.contains("--rate must be between") && rate.output.isEmpty)
        let duration = try CommandRun("bench", "cache", "--duration", "0")
        #expect(duration.status != 0 && duration.errors.contains("--duration must be between"))
        #expect(try CommandRun("bench", "events", "--burst", "0").errors.contains("at least 1"))
    }

    private func number(_ key: String, _ object: [String: Any]) throws -> Double {
        try #require(object[key] as? Double, "\(key) is no number")
    }

    private func expectPercentiles(in object: [String: Any], prefix: String) throws {
        let values = try ["p50", "p90", "p99", "p999", "max"].map { try number("\(prefix)\($0)_us", object) }
        #expect(values == values.sorted() && values[0] > 0)
    }
}

/// One run of the program that was built beside the tests.
struct CommandRun {
    let status: Int32
    let output: String
    let errors: String

    init(_ arguments: String...) throws { try self.init(arguments) }

    init(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = try Self.program()
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // Both are small: neither fills its pipe while the other is read.
        self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
    }

    func object() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }

    private final class Anchor {}

    private struct MissingProgram: Error {}

    /// Beside the bundle of the tests.
    static func program() throws -> URL {
        let places = [Bundle(for: Anchor.self).bundleURL, Bundle.main.bundleURL, Bundle.main.executableURL]
        for place in places.compactMap({ $0 }) {
            for folder in [place, place.deletingLastPathComponent()] {
                let program = folder.appendingPathComponent("shopstream")
                var isFolder: ObjCBool = false
                let exists = FileManager.default.fileExists(atPath: program.path, isDirectory: &isFolder)
                if exists, !isFolder.boolValue { return program }
            }
        }
        throw MissingProgram()
    }
}
