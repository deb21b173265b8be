// Figures.swift — what a load found out, by name, and how it is written: as text, Markdown or JSON.
//
// Invariant: a figure's key in JSON ends with its unit (`_us`, `_s`, `_bytes`); without one it is a plain number.

/// One number with its unit.
enum Figure {
    case count(Int)
    /// By second.
    case rate(Double)
    case microseconds(Double)
    case seconds(Double)
    case bytes(Double)
    /// So many for each one.
    case ratio(Double)
    /// Not known.
    case missing

    var text: String {
        switch self {
        case .count(let value): grouped(Double(value))
        case .rate(let value): "\(grouped(value))/s"
        case .microseconds(let value): "\(decimal(value, 1)) µs"
        case .seconds(let value): "\(decimal(value, 1)) s"
        case .bytes(let value) where value >= 10_000_000: "\(grouped(value / 1_048_576)) MiB"
        case .bytes(let value): "\(decimal(value, 1)) bytes"
        case .ratio(let value): decimal(value, 2)
        case .missing: "–"
        }
    }

    var json: String {
        switch self {
        case .count(let value): "\(value)"
        case .rate(let value), .microseconds(let value): decimal(value, 1)
        case .seconds(let value), .bytes(let value), .ratio(let value): decimal(value, 3)
        case .missing: "null"
        }
    }
}

/// The figures of one part of a report.
struct FigureSection {
    struct Line {
        var key: String
        var label: String
        var figure: Figure
    }

    let key: String
    let title: String
    /// What the figures mean, in a sentence or two.
    var note = ""
    private(set) var lines: [Line] = []

    init(_ key: String, _ title: String) {
        self.key = key
        self.title = title
    }

    mutating func add(_ key: String, _ label: String, _ figure: Figure) {
        lines.append(Line(key: key, label: label, figure: figure))
    }

    /// Percentiles, each as a figure of its own.
    mutating func add(_ histogram: LatencyHistogram, prefix: String = "", label: String = "") {
        for (key, name, percentile) in [
            ("p50", "p50", 50.0), ("p90", "p90", 90), ("p99", "p99", 99), ("p999", "p99.9", 99.9),
        ] {
            add(
                "\(prefix)\(key)_us", "\(label)\(name)", .microseconds(histogram.microseconds(atPercentile: percentile))
            )
        }
        add("\(prefix)max_us", "\(label)max", .microseconds(histogram.maximumMicroseconds))
    }

    /// The members of a JSON object, without its braces.
    var jsonMembers: String { lines.map { "\"\($0.key)\": \($0.figure.json)" }.joined(separator: ", ") }

    var text: String {
        let width = lines.map(\.label.count).max() ?? 0
        let body = lines.map { line in
            "  \(line.label)\(String(repeating: " ", count: width - line.label.count))  \(line.figure.text)"
        }
        return ([title] + (note.isEmpty ? [] : ["  (\(note))"]) + body).joined(separator: "\n")
    }

    var markdown: String {
        let rows = lines.map { "| \($0.label) | \($0.figure.text) |" }.joined(separator: "\n")
        return "## \(title)\n\n\(note.isEmpty ? "" : "\(note)\n\n")| | |\n|---|---:|\n\(rows)\n"
    }
}

extension FigureSection {
    /// What a load at a fixed rate found out.
    init(_ key: String, _ title: String, offeredRate: Double, _ outcome: LoadOutcome) {
        self.init(key, title)
        add("offered_rate", "offered rate", .rate(offeredRate))
        add("achieved_rate", "achieved rate", .rate(outcome.operationsPerSecond))
        add("operations", "operations", .count(outcome.operations))
        add("duration_s", "duration", .seconds(outcome.seconds))
        add("average_in_flight", "in flight on average", .ratio(outcome.averageInFlight))
        add(outcome.latencies, label: "latency ")
        add(outcome.serviceTimes, prefix: "service_", label: "time in the call ")
        note = "Latency runs from when each operation was due."
    }

    /// Prints the section by itself: as text, or as one JSON object.
    func print(asJSON: Bool) {
        Swift.print(asJSON ? "{\"benchmark\": \"\(key)\", \(jsonMembers)}" : text)
    }
}
