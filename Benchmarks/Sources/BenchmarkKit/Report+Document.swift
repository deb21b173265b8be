// The report as a Markdown page with plots, for people.

import Foundation

extension Report {
    /// Writes a page and its plots beside the JSON file at `path`, under its name. Nothing when no line ran.
    public func writeDocument(beside path: String, introduction: String) throws {
        guard !results.isEmpty else { return }
        let page = URL(fileURLWithPath: path).deletingPathExtension()
        let name = page.lastPathComponent
        let folder = page.deletingLastPathComponent()
        var plots: [(title: String, file: String)] = []
        for plot in self.plots {
            let file = "\(name)-\(plot.file).svg"
            try Data(plot.svg.utf8).write(to: folder.appendingPathComponent(file), options: .atomic)
            plots.append((plot.title, file))
        }
        let text = document(introduction: introduction, plots: plots)
        try Data(text.utf8).write(to: page.appendingPathExtension("md"), options: .atomic)
    }

    func document(introduction: String, plots: [(title: String, file: String)]) -> String {
        var text = introduction + "\n\n" + ratioTable
        for plot in plots { text += "\n![\(plot.title)](\(plot.file))\n" }
        var heading = ""
        for result in results {
            if result.heading != heading {
                heading = result.heading
                text += "\n## \(heading)\n"
                for note in notes where note.heading == heading { text += "\n\(note.text)\n" }
            }
            text += "\n### \(result.name)\n\n" + Self.table(of: result)
        }
        return text
    }

    /// A row for each line, a column for each peer.
    private var ratioTable: String {
        let peers = peerNames
        guard !peers.isEmpty else { return "" }
        var text = "| line | ours | \(peers.map { "÷ \($0)" }.joined(separator: " | ")) |\n"
        text += "|---|--:|\(peers.map { _ in "--:|" }.joined())\n"
        for result in results {
            let figure = Figure.of(result.figure(of: result.ours), result.unit)
            let ratios = peers.map { name in
                result.peers.first { $0.name == name }.map { String(format: "%.2f", result.ratio(to: $0)) } ?? "–"
            }
            text += "| \(result.name) | \(figure) \(result.unit.rawValue) | \(ratios.joined(separator: " | ")) |\n"
        }
        return text
    }

    /// In the order in which they first ran.
    var peerNames: [String] {
        results.flatMap(\.peers).map(\.name).reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }

    private static func table(of result: LineResult) -> String {
        var text = "| | \(result.unit.rawValue) | ratio | p50 | p99 | p99.9 | max | CPU/op | write | dirty | space |\n"
        text += "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        for side in [result.ours] + result.peers {
            let isOurs = side.name == result.ours.name
            let latencies = side.timing.percentiles.map { Figure.ofMicroseconds($0.microseconds) }
            var cells = [side.name, Figure.of(result.figure(of: side), result.unit)]
            cells.append(isOurs ? "" : String(format: "%.2f", result.ratio(to: side)))
            cells += latencies.isEmpty ? ["", "", "", ""] : latencies
            cells.append(Figure.ofMicroseconds(side.timing.processorMicrosecondsPerOperation))
            for value in [
                side.timing.writeAmplification, side.timing.dirtyAmplification, side.timing.space?.amplification,
            ] {
                cells.append(value.map { String(format: "%.2f", $0) } ?? "")
            }
            text += "| \(cells.joined(separator: " | ")) |\n"
        }
        return text
    }
}
