// EventsReport.swift — the events report as text, Markdown, JSON and a plot.

import StorageTypes

/// Throughput and latency over time of one part.
struct EventsSeries {
    let name: String
    let intervals: [LoadInterval]

    init(_ name: String, _ intervals: [LoadInterval]) {
        self.name = name
        self.intervals = intervals
    }
}

struct EventsReport {
    private let startedAt: StorageInstant
    private(set) var sections: [FigureSection] = []
    private(set) var series: [EventsSeries] = []

    init(startedAt: StorageInstant) {
        self.startedAt = startedAt
    }

    mutating func add(_ section: FigureSection) { sections.append(section) }

    mutating func add(_ part: EventsSeries) { series.append(part) }

    var text: String { sections.map(\.text).joined(separator: "\n\n") }

    var markdown: String {
        let command = CommandLine.arguments.dropFirst().joined(separator: " ")
        return "# Events\n\n`shopstream \(command)`\n\n" + sections.map(\.markdown).joined(separator: "\n")
    }

    /// One object with an object for each section, and the intervals that the plot shows.
    var json: String {
        let parts = sections.map { "\"\($0.key)\": {\($0.jsonMembers)}" }
        let lines = series.map { part in
            let intervals = part.intervals.map { interval in
                "{\"end_s\": \(decimal(interval.seconds, 3)), \"rate\": \(decimal(interval.operationsPerSecond, 1)), "
                    + "\"p99_us\": \(decimal(interval.p99Microseconds, 1))}"
            }
            return "{\"name\": \"\(part.name)\", \"intervals\": [\(intervals.joined(separator: ", "))]}"
        }
        let head = "\"benchmark\": \"events\", \"started_at_s\": \(startedAt.milliseconds / 1000)"
        return "{\(([head] + parts + ["\"series\": [\(lines.joined(separator: ", "))]"]).joined(separator: ", "))}"
    }

    func printSparklines() {
        for part in series where part.intervals.count > 1 {
            let rates = part.intervals.map(\.operationsPerSecond)
            let latencies = part.intervals.map(\.p99Microseconds)
            print("\n\(part.name), over \(Int(part.intervals.last?.seconds.rounded() ?? 0)) s")
            print("  events/s \(sparkline(rates))  up to \(grouped(rates.max() ?? 0))")
            print("  p99      \(sparkline(latencies))  up to \(decimal(latencies.max() ?? 0, 1)) µs")
        }
    }

    var plot: String { TimePlot(series: series).svg }
}

/// Values from zero up to the largest as blocks, at most `width` of them, each the largest of its part.
func sparkline(_ values: [Double], width: Int = 60) -> String {
    let blocks = Array("▁▂▃▄▅▆▇█")
    let top = max(values.max() ?? 0, .leastNormalMagnitude)
    let count = min(width, values.count)
    return String(
        (0..<count).map { index in
            let part = values[values.count * index / count..<values.count * (index + 1) / count]
            return blocks[min(7, Int((part.max() ?? 0) / top * 8))]
        })
}
