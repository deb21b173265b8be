// The plots of a report: ratios, latencies, and throughput over time.

import Foundation

struct Plot {
    let title: String
    /// The end of its file's name.
    let file: String
    let svg: String
}

extension Report {
    var plots: [Plot] {
        var plots: [Plot] = []
        if !peerNames.isEmpty { plots.append(ratioPlot) }
        if results.contains(where: { !$0.ours.timing.percentiles.isEmpty }) { plots.append(latencyPlot) }
        plots += results.filter { !$0.ours.timing.marks.isEmpty && $0.name.contains("sustained") }.map(Self.timePlot)
        return plots
    }

    // MARK: Ratios

    /// A group of bars for each line, one for each peer, on a logarithmic axis around 1.
    private var ratioPlot: Plot {
        let peers = peerNames
        let scale = LogarithmicScale(covering: results.flatMap { result in result.peers.map(result.ratio) } + [1])
        let (labels, plotWidth, barHeight) = (300.0, 640.0, 9.0)
        let rows = results.filter { !$0.peers.isEmpty }
        let heights = rows.map { Double($0.peers.count) * barHeight + 8 }
        let top = 56.0
        var picture = SVGDocument(width: labels + plotWidth + 60, height: top + heights.reduce(0, +) + 40)
        picture.text("Ours ÷ peer; right of 1 ours is better", x: 12, y: 22, size: 15, isBold: true)
        Self.legend(&picture, peers, firstColour: 1, x: labels, y: 40)
        let bottom = picture.height - 32
        for tick in scale.ticks {
            let x = labels + scale.position(of: tick) * plotWidth
            picture.line(x1: x, y1: top, x2: x, y2: bottom, stroke: tick == 1 ? "#222" : "#ddd")
            picture.text(Self.plain(tick), x: x, y: bottom + 16, size: 11, anchor: .middle)
        }
        var y = top
        for (row, height) in zip(rows, heights) {
            picture.text(row.name, x: labels - 8, y: y + height / 2 + 4, size: 11, anchor: .end)
            for (index, peer) in row.peers.enumerated() {
                let (one, end) = (scale.position(of: 1), scale.position(of: row.ratio(to: peer)))
                let colour = Palette.colour(1 + (peers.firstIndex(of: peer.name) ?? 0))
                let barY = y + 4 + Double(index) * barHeight
                picture.rectangle(
                    x: labels + min(one, end) * plotWidth, y: barY, width: max(abs(end - one) * plotWidth, 1),
                    height: barHeight - 1, fill: colour)
                picture.text(
                    String(format: "%.2f", row.ratio(to: peer)), x: labels + max(one, end) * plotWidth + 3,
                    y: barY + barHeight - 1.5, size: 8)
            }
            y += height
        }
        return Plot(title: "Ratios", file: "ratios", svg: picture.source)
    }

    // MARK: Latencies

    /// For each line and side a bar from the median to the 99.9th percentile, with ticks at the 99th and the maximum.
    private var latencyPlot: Plot {
        let rows = results.filter { !$0.ours.timing.percentiles.isEmpty }
        let sides = ["ours"] + peerNames
        let all = rows.flatMap { [$0.ours] + $0.peers }.flatMap(\.timing.percentiles).map(\.microseconds)
        let scale = LogarithmicScale(covering: all)
        let (labels, plotWidth, barHeight, top) = (300.0, 640.0, 9.0, 56.0)
        let heights = rows.map { Double($0.peers.count + 1) * barHeight + 8 }
        var picture = SVGDocument(width: labels + plotWidth + 60, height: top + heights.reduce(0, +) + 40)
        picture.text("Latency: bars from p50 to p99.9, ticks at p99 and max", x: 12, y: 22, size: 15, isBold: true)
        Self.legend(&picture, sides, firstColour: 0, x: labels, y: 40)
        let bottom = picture.height - 32
        for tick in scale.ticks {
            let x = labels + scale.position(of: tick) * plotWidth
            picture.line(x1: x, y1: top, x2: x, y2: bottom, stroke: "#ddd")
            picture.text(Figure.ofMicroseconds(tick), x: x, y: bottom + 16, size: 10, anchor: .middle)
        }
        var y = top
        for (row, height) in zip(rows, heights) {
            picture.text(row.name, x: labels - 8, y: y + height / 2 + 4, size: 11, anchor: .end)
            for (index, side) in ([row.ours] + row.peers).enumerated() {
                let colour = index == 0 ? 0 : 1 + (peerNames.firstIndex(of: side.name) ?? 0)
                Self.latencyBar(
                    &picture, side.timing, scale, x: labels, width: plotWidth, y: y + 4 + Double(index) * barHeight,
                    height: barHeight - 1, colour: Palette.colour(colour))
            }
            y += height
        }
        return Plot(title: "Latencies", file: "latencies", svg: picture.source)
    }

    private static func latencyBar(
        _ picture: inout SVGDocument, _ timing: Timing, _ scale: LogarithmicScale, x: Double, width: Double, y: Double,
        height: Double, colour: String
    ) {
        let positions = timing.percentiles.map { x + scale.position(of: $0.microseconds) * width }
        guard positions.count == 4 else { return }
        picture.rectangle(
            x: positions[0], y: y + 2, width: max(positions[2] - positions[0], 1), height: height - 4, fill: colour)
        for tick in [positions[1], positions[3]] {
            picture.line(x1: tick, y1: y, x2: tick, y2: y + height, stroke: colour, width: 2)
        }
    }

    // MARK: Throughput over time

    private static func timePlot(of result: LineResult) -> Plot {
        let (left, plotWidth, top, plotHeight) = (80.0, 800.0, 64.0, 280.0)
        let sides = [result.ours] + result.peers
        let curves = sides.map { rates($0.timing) }
        let seconds = max(curves.compactMap { $0.last?.seconds }.max() ?? 1, 0.001)
        let highest = max(curves.flatMap { $0 }.map(\.rate).max() ?? 1, 1)
        var picture = SVGDocument(width: left + plotWidth + 30, height: top + plotHeight + 50)
        picture.text("\(result.name): operations a second over time", x: 12, y: 22, size: 15, isBold: true)
        legend(&picture, sides.map(\.name), firstColour: 0, x: left, y: 42)
        for step in 0...4 {
            let y = top + plotHeight * (1 - Double(step) / 4)
            let x = left + plotWidth * Double(step) / 4
            picture.line(x1: left, y1: y, x2: left + plotWidth, y2: y, stroke: "#ddd")
            let rate = Figure.of(highest * Double(step) / 4, .operationsPerSecond)
            picture.text(rate, x: left - 6, y: y + 4, size: 10, anchor: .end)
            let time = String(format: "%.1f s", seconds * Double(step) / 4)
            picture.text(time, x: x, y: top + plotHeight + 18, size: 10, anchor: .middle)
        }
        for (index, curve) in curves.enumerated() where !curve.isEmpty {
            let points = curve.map {
                (x: left + $0.seconds / seconds * plotWidth, y: top + plotHeight * (1 - $0.rate / highest))
            }
            picture.path(points, stroke: Palette.colour(index))
        }
        let file = result.name.lowercased().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
        return Plot(title: result.name, file: "time-\(file)", svg: picture.source)
    }

    /// Operations a second between neighbouring marks, thinned out to what a plot can show.
    private static func rates(_ timing: Timing) -> [(seconds: Double, rate: Double)] {
        var rates: [(seconds: Double, rate: Double)] = []
        var last: (nanoseconds: UInt64, operations: Int) = (0, 0)
        let step = max(1, timing.marks.count / 200)
        for mark in stride(from: step - 1, to: timing.marks.count, by: step).map({ timing.marks[$0] }) {
            let elapsed = Double(mark.nanoseconds - last.nanoseconds) / 1e9
            rates.append((Double(mark.nanoseconds) / 1e9, Double(mark.operations - last.operations) / elapsed))
            last = (mark.nanoseconds, mark.operations)
        }
        return rates
    }

    // MARK: Shared

    private static func legend(
        _ picture: inout SVGDocument, _ names: [String], firstColour: Int, x: Double, y: Double
    ) {
        var x = x
        for (index, name) in names.enumerated() {
            picture.rectangle(x: x, y: y - 9, width: 10, height: 10, fill: Palette.colour(firstColour + index))
            picture.text(name, x: x + 14, y: y, size: 11)
            x += 34 + Double(name.count) * 6
        }
    }

    private static func plain(_ value: Double) -> String {
        value >= 1 ? String(format: "%.0f", value) : String(format: "%g", value)
    }
}
