// Gherkin.swift — reads the feature files of the openCypher Technology Compatibility Kit.

struct Feature {
    var name: String
    var scenarios: [Scenario]
}

struct Scenario {
    var name: String
    var steps: [Step]
}

struct Step {
    var text: String
    var document: String?
    var table: [[String]] = []
}

/// Outlines are expanded: one scenario for each row of their examples. Background steps stand before every scenario's.
struct GherkinParser {
    private let lines: [String]
    private let trimmedLines: [String]
    private var index = 0
    private var background: [Step] = []
    private var scenarios: [Scenario] = []

    static func parse(_ text: String) -> Feature {
        var parser = GherkinParser(
            lines: text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init))
        return parser.feature()
    }

    private init(lines: [String]) {
        self.lines = lines
        trimmedLines = lines.map(Self.trimmed)
    }

    private static func trimmed(_ line: String) -> String {
        let bytes = line.utf8.drop { $0 == 0x20 || $0 == 0x09 }
        let end = bytes.lastIndex { $0 != 0x20 && $0 != 0x09 }
        return end.map { String(bytes[...$0]) ?? "" } ?? ""
    }

    private var line: String { trimmedLines[index] }

    private mutating func feature() -> Feature {
        var name = ""
        while index < lines.count {
            let line = line
            if line.hasPrefix("Feature:") {
                name = Self.trimmed(String(line.dropFirst(8)))
                index += 1
            } else if line.hasPrefix("Background:") {
                index += 1
                background = steps()
            } else if line.hasPrefix("Scenario Outline:") || line.hasPrefix("Scenario:") {
                scenario(named: Self.trimmed(String(line.drop { $0 != ":" }.dropFirst())))
            } else {
                index += 1
            }
        }
        return Feature(name: name, scenarios: scenarios)
    }

    private mutating func scenario(named name: String) {
        index += 1
        let steps = background + steps()
        var examples: [[String]] = []
        while index < lines.count {
            if line.isEmpty || line.hasPrefix("#") {
                index += 1
            } else if line.hasPrefix("Examples:") {
                index += 1
                let table = table()
                examples += examples.isEmpty ? table : Array(table.dropFirst())
            } else {
                break
            }
        }
        guard let header = examples.first else {
            scenarios.append(Scenario(name: name, steps: steps))
            return
        }
        for (number, row) in examples.dropFirst().enumerated() {
            let expanded = steps.map { $0.replacing(Array(zip(header, row))) }
            scenarios.append(Scenario(name: "\(name) #\(number + 1)", steps: expanded))
        }
    }

    private mutating func steps() -> [Step] {
        var steps: [Step] = []
        while index < lines.count {
            let line = line
            if line.isEmpty || line.hasPrefix("#") {
                index += 1
            } else if line.hasPrefix("|") {
                steps[steps.count - 1].table = table()
            } else if line == "\"\"\"" {
                steps[steps.count - 1].document = document()
            } else if let keyword = ["Given ", "When ", "Then ", "And ", "But "].first(where: line.hasPrefix) {
                steps.append(Step(text: String(line.dropFirst(keyword.count))))
                index += 1
            } else {
                break
            }
        }
        return steps
    }

    private mutating func document() -> String {
        index += 1
        var text: [String] = []
        while index < lines.count, line != "\"\"\"" {
            text.append(lines[index])
            index += 1
        }
        index += 1
        return text.joined(separator: "\n")
    }

    private mutating func table() -> [[String]] {
        var rows: [[String]] = []
        while index < lines.count {
            if line.hasPrefix("#") || line.isEmpty {
                index += 1
                continue
            }
            guard line.hasPrefix("|") else { break }
            rows.append(Self.cells(line))
            index += 1
        }
        return rows
    }

    /// Cells may hold `\|`.
    private static func cells(_ line: String) -> [String] {
        var cells: [String] = []
        var current = ""
        var isEscaped = false
        for character in line.dropFirst() {
            if isEscaped {
                current += character == "|" ? "|" : "\\\(character)"
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "|" {
                cells.append(trimmed(current))
                current = ""
            } else {
                current.append(character)
            }
        }
        return cells
    }
}

extension Step {
    fileprivate func replacing(_ values: [(String, String)]) -> Step {
        func replace(_ text: String) -> String {
            values.reduce(text) { $0.replacing("<\($1.0)>", with: $1.1) }
        }
        return Step(text: replace(text), document: document.map(replace), table: table.map { $0.map(replace) })
    }
}
