import BenchmarkKit
import Foundation
import Testing

@Suite("Report as a page")
struct DocumentTests {
    private func timing(_ operations: Int, userBytes: Int = 0, busyFor delay: Duration = .milliseconds(1)) -> Timing {
        measure { meter in
            let end = ContinuousClock.now.advanced(by: delay)
            while ContinuousClock.now < end {}
            for _ in 0..<operations { meter.lap() }
            meter.count(userBytes: userBytes)
            return 1
        }
    }

    private func contender(_ name: String, rounds: Int = .max, _ timing: @escaping () -> Timing?) -> Contender {
        Contender(name: name, rounds: rounds) { timing() }
    }

    private func written(_ report: Report) throws -> (page: String, files: [String], folder: ScratchDirectory) {
        let folder = try ScratchDirectory(in: NSTemporaryDirectory(), named: "report")
        try report.write(to: "\(folder.path)/storage.json")
        try report.writeDocument(beside: "\(folder.path)/storage.json", introduction: "# Title")
        let page = try String(contentsOfFile: "\(folder.path)/storage.md", encoding: .utf8)
        return (page, try FileManager.default.contentsOfDirectory(atPath: folder.path), folder)
    }

    @Test("every peer has a line in the JSON file and a column in the table of ratios")
    func peers() async throws {
        let report = Report(rounds: 2, print: { _ in })
        report.heading("Puts")
        report.note("a note")
        try await report.line(
            "fill <burst>", ours: contender("ours") { timing(100) },
            peers: [contender("One 1.0") { timing(100) }, contender("Two & 2", rounds: 1) { timing(100) }])
        try await report.line(
            "scan", unit: .milliseconds, ours: contender("ours") { timing(10) },
            peers: [contender("One 1.0") { timing(10) }, contender("Two & 2") { nil }])
        #expect(report.lines.map(\.peerName) == ["One 1.0", "Two & 2", "One 1.0"])

        let (page, files, folder) = try written(report)
        #expect(page.hasPrefix("# Title") && page.contains("| line | ours | ÷ One 1.0 | ÷ Two & 2 |"))
        #expect(page.contains("## Puts") && page.contains("a note") && page.contains("### scan"))
        // The second peer has no figure for the second line.
        #expect(page.split(separator: "\n").contains { $0.hasPrefix("| scan ") && $0.hasSuffix("| – |") })
        #expect(Set(files) == ["storage.json", "storage.md", "storage-ratios.svg", "storage-latencies.svg"])
        for file in files where file.hasSuffix(".svg") {
            let parser = XMLParserCheck(Data(try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(file)"))))
            #expect(parser.isBalanced, "\(file)")
        }
    }

    @Test("a sustained line gets a plot of its throughput over time")
    func timeline() async throws {
        let report = Report(rounds: 1, print: { _ in })
        try await report.line(
            "fill sustained",
            ours: Contender(name: "ours") {
                measure { meter in
                    let end = ContinuousClock.now.advanced(by: .milliseconds(600))
                    while ContinuousClock.now < end { meter.lap() }
                    return 1
                }
            }, peers: [])
        #expect(report.results[0].ours.timing.marks.count >= 2)
        let (_, files, folder) = try written(report)
        #expect(files.contains("storage-time-fill-sustained.svg") && !files.contains("storage-ratios.svg"))
        withExtendedLifetime(folder) {}
    }

    @Test("write amplification is what the process wrote by what the caller did")
    func writes() throws {
        let folder = try ScratchDirectory(in: NSTemporaryDirectory(), named: "writes")
        let timing = try measure { meter in
            meter.count(userBytes: 1 << 20)
            try Data(count: 3 << 20).write(to: URL(fileURLWithPath: "\(folder.path)/file"))
            return 1
        }
        #if os(Linux)
            let amplification = try #require(timing.writeAmplification)
            #expect((3.0..<3.5).contains(amplification))
        #endif
        #expect(folder.byteCount >= 3 << 20)
        let copy = try folder.copy(named: "copy")
        #expect(copy.byteCount >= 3 << 20)
    }

    @Test("a peer with fewer rounds runs in the first ones only")
    func fewerRounds() async throws {
        let report = Report(rounds: 3, print: { _ in })
        var order = ""
        func side(_ letter: String, rounds: Int = .max) -> Contender {
            contender(letter, rounds: rounds) {
                order += letter
                return timing(1, busyFor: .zero)
            }
        }
        try await report.line("line", ours: side("o"), peers: [side("p"), side("q", rounds: 1)])
        #expect(order == "opqpoop")
    }
}

/// Whether every element that opens also closes; enough to find a plot that no browser would show.
private struct XMLParserCheck {
    let isBalanced: Bool

    init(_ data: Data) {
        let text = String(decoding: data, as: UTF8.self)
        var depth = 0
        var isBalanced = text.hasPrefix("<svg")
        for element in text.split(separator: "<") {
            if element.hasPrefix("/") { depth -= 1 } else if !element.contains("/>") { depth += 1 }
            if depth < 0 || element.filter({ $0 == ">" }).count != 1 { isBalanced = false }
        }
        self.isBalanced = isBalanced && depth == 0
    }
}
