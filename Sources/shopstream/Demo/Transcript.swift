// Transcript.swift — what the demo prints: statements, results, and whether they are what was expected.

internal import CStorage

/// A readable transcript that counts what went wrong.
final class Transcript {
    private(set) var checkCount = 0
    private(set) var failureCount = 0
    private let isTerminal = cstorage_is_terminal(1)

    func chapter(_ title: String) {
        write("\n\(bold(title))")
    }

    func note(_ text: String) {
        write("  \(text)")
    }

    /// Flushed at once, so that what is logged in between stands where it belongs.
    private func write(_ line: String) {
        print(line)
        cstorage_flush_output()
    }

    /// A statement as a user would type it.
    func statement(_ text: String) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            write((index == 0 ? "  > " : "    ") + line)
        }
    }

    func result(_ text: some CustomStringConvertible) {
        for line in text.description.split(separator: "\n", omittingEmptySubsequences: false) {
            write("    \(dim(String(line)))")
        }
    }

    /// Says whether what was expected came about.
    func check(_ expectation: String, _ holds: Bool) {
        checkCount += 1
        if !holds { failureCount += 1 }
        write("  \(holds ? green("✓") : red("✗")) \(expectation)")
    }

    /// As `check`, with what was found where it is not what was expected.
    func check<Value: Equatable>(_ expectation: String, _ found: Value, equals expected: Value) {
        check(expectation, found == expected)
        if found != expected { result("found \(found), expected \(expected)") }
    }

    func summary() {
        let verdict =
            failureCount == 0
            ? green("All \(checkCount) expectations hold.")
            : red("\(failureCount) of \(checkCount) expectations do not hold.")
        write("\n\(verdict)")
    }

    /// A bar for something that takes a while.
    func progress(_ title: String, total: Int) -> ProgressBar {
        ProgressBar(title: title, total: total, isTerminal: isTerminal)
    }

    // MARK: Style, where the output is a terminal

    private func bold(_ text: String) -> String { styled(text, "1") }
    private func dim(_ text: String) -> String { styled(text, "2") }
    private func green(_ text: String) -> String { styled(text, "32") }
    private func red(_ text: String) -> String { styled(text, "31") }
    private func styled(_ text: String, _ code: String) -> String {
        isTerminal ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// A progress bar: redrawn in place on a terminal, a line for each quarter elsewhere.
final class ProgressBar {
    private let title: String
    private let total: Int
    private let isTerminal: Bool
    private var lastPercent = -1
    private let started = Stopwatch()

    fileprivate init(title: String, total: Int, isTerminal: Bool) {
        self.title = title
        self.total = max(total, 1)
        self.isTerminal = isTerminal
    }

    func update(_ done: Int) {
        let percent = min(100, done * 100 / total)
        let isDue = isTerminal ? percent != lastPercent : percent / 25 > lastPercent / 25 && percent > 0
        guard isDue else { return }
        lastPercent = percent
        let rate = Double(done) / max(started.seconds, 0.001)
        let figures = "\(done) of \(total), \(decimal(rate, 0))/s"
        guard isTerminal else { return print("    \(title): \(percent) % (\(figures))") }
        let filled = percent * 30 / 100
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        print("\r    \(title) \(bar) \(percent) % (\(figures))  ", terminator: percent == 100 ? "\n" : "")
        cstorage_flush_output()
    }

    func finish() { update(total) }
}

/// Time since it was made.
struct Stopwatch {
    private let started = cstorage_monotonic_nanoseconds()

    var nanoseconds: UInt64 { cstorage_monotonic_nanoseconds() - started }
    var seconds: Double { Double(nanoseconds) / 1e9 }
    var milliseconds: Double { Double(nanoseconds) / 1e6 }
}

/// A number with a fixed count of decimals.
func decimal(_ value: Double, _ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (value * scale).rounded()
    guard scaled.magnitude < 9e15 else { return "\(value)" }
    let whole = Int(scaled.magnitude)
    let sign = scaled < 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(whole)" }
    let fraction = String(whole % Int(scale))
    return "\(sign)\(whole / Int(scale)).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
}
