// TimePlot.swift — throughput and p99 over time, in SVG: a panel for each part of a load, one under the other.
//
// Both scales begin at zero and end at the largest value, which is written beside them.

import StorageCore
import StorageTypes

struct TimePlot {
    let series: [EventsSeries]

    private static let width = 860.0
    private static let panelHeight = 230.0
    private static let inset = (left: 90.0, right: 90.0, top: 44.0, bottom: 36.0)
    private static let colours = (rate: "#30638e", latency: "#d1495b")

    /// The whole file.
    var svg: String {
        let shown = series.filter { !$0.intervals.isEmpty }
        let height = max(Self.panelHeight * Double(shown.count), 60)
        let size = "\(decimal(Self.width, 0)) \(decimal(height, 0))"
        let panels = shown.enumerated().map { index, part in
            "<g transform=\"translate(0 \(decimal(Double(index) * Self.panelHeight, 0)))\">\n\(panel(part))\n</g>"
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" width="\(decimal(Self.width, 0))" \
            height="\(decimal(height, 0))" font-family="Helvetica, Arial, sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>
            \(panels.joined(separator: "\n"))
            </svg>

            """
    }

    private func panel(_ part: EventsSeries) -> String {
        let end = max(part.intervals.last?.seconds ?? 0, 0.001)
        let rateTop = Self.roundTop(part.intervals.map(\.operationsPerSecond).max() ?? 0)
        let latencyTop = Self.roundTop(part.intervals.map(\.p99Microseconds).max() ?? 0)
        let bottom = Self.panelHeight - Self.inset.bottom
        let right = Self.width - Self.inset.right
        var lines = [text(part.name, x: Self.inset.left, y: 18, "font-weight=\"bold\"")]
        for step in 0...4 {
            let part = Double(step) / 4
            let y = bottom - part * (bottom - Self.inset.top)
            lines.append(line(Self.inset.left, y, right, y, "#dddddd"))
            lines.append(
                text(
                    grouped(rateTop * part), x: Self.inset.left - 8, y: y + 4,
                    "text-anchor=\"end\" fill=\"\(Self.colours.rate)\""))
            lines.append(
                text(
                    grouped(latencyTop * part), x: right + 8, y: y + 4, "fill=\"\(Self.colours.latency)\""))
            let x = Self.inset.left + part * (right - Self.inset.left)
            lines.append(
                text("\(decimal(end * part, end < 40 ? 1 : 0)) s", x: x, y: bottom + 18, "text-anchor=\"middle\""))
        }
        lines.append(
            text("events/s", x: Self.inset.left - 8, y: 32, "text-anchor=\"end\" fill=\"\(Self.colours.rate)\""))
        lines.append(text("p99, µs", x: right + 8, y: 32, "fill=\"\(Self.colours.latency)\""))
        let x = { (seconds: Double) in Self.inset.left + seconds / end * (right - Self.inset.left) }
        let y = { (value: Double, top: Double) in bottom - value / top * (bottom - Self.inset.top) }
        lines.append(
            path(part.intervals.map { (x($0.seconds), y($0.operationsPerSecond, rateTop)) }, Self.colours.rate))
        lines.append(
            path(part.intervals.map { (x($0.seconds), y($0.p99Microseconds, latencyTop)) }, Self.colours.latency))
        return lines.joined(separator: "\n")
    }

    /// The next of 1, 2, 4, 6, 8 or 10 times a power of ten.
    static func roundTop(_ value: Double) -> Double {
        var power = 1.0
        while power * 10 < value { power *= 10 }
        return ([1, 2, 4, 6, 8, 10].first { $0 * power >= value } ?? 10) * power
    }

    private func text(_ text: String, x: Double, y: Double, _ attributes: String) -> String {
        "<text x=\"\(decimal(x, 1))\" y=\"\(decimal(y, 1))\" \(attributes)>\(text)</text>"
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ stroke: String) -> String {
        "<line x1=\"\(decimal(x1, 1))\" y1=\"\(decimal(y1, 1))\" x2=\"\(decimal(x2, 1))\" y2=\"\(decimal(y2, 1))\" "
            + "stroke=\"\(stroke)\"/>"
    }

    /// A line, or a dot where there is one point only.
    private func path(_ points: [(x: Double, y: Double)], _ colour: String) -> String {
        if points.count == 1, let point = points.first {
            return "<circle cx=\"\(decimal(point.x, 1))\" cy=\"\(decimal(point.y, 1))\" r=\"3\" fill=\"\(colour)\"/>"
        }
        let coordinates = points.map { "\(decimal($0.x, 1)),\(decimal($0.y, 1))" }.joined(separator: " ")
        return "<polyline points=\"\(coordinates)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.5\"/>"
    }
}

extension String {
    /// Replaces the file at `path`.
    func write(to path: String) throws {
        let file = try POSIXFileSystem().open(path, .createOrTruncate)
        try file.write(Array(utf8), at: 0)
        try file.close()
    }
}
