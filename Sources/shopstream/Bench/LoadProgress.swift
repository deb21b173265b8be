// LoadProgress.swift — how far a load is, on standard error.

/// Redraws one line on a terminal; elsewhere writes one about every second.
final class LoadProgress {
    private let title: String
    private let operationCount: Double
    private var operations = 0.0
    private var lastSeconds = 0.0
    private let isTerminal = StandardError.isTerminal

    init(_ title: String, operationCount: Int) {
        self.title = title
        self.operationCount = Double(max(operationCount, 1))
    }

    func update(_ interval: LoadInterval) {
        operations += interval.operationsPerSecond * (interval.seconds - lastSeconds)
        lastSeconds = interval.seconds
        let line =
            "\(title): \(grouped(interval.operationsPerSecond))/s, p99 \(decimal(interval.p99Microseconds, 1)) µs, "
            + remaining(interval)
        StandardError.write(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n")
    }

    /// Ends the line.
    func finish() {
        if isTerminal, lastSeconds > 0 { StandardError.write("\n") }
    }

    private func remaining(_ interval: LoadInterval) -> String {
        let part = operations / operationCount
        guard part > 0, part < 0.9999 else { return "done" }
        let left = interval.seconds / part - interval.seconds
        return "\(Int(part * 100)) %, \(Int(left.rounded(.up))) s left"
    }
}

/// A whole number with commas: `1,234,567`.
func grouped(_ value: Double) -> String {
    let digits = decimal(value.magnitude, 0)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
        text.append(digit)
    }
    return value < 0 && digits != "0" ? "-\(text)" : text
}
