// The report as a file: an array of {name, unit, ours, peer, peerName, ratio}, null where a line ran without a peer.

import Foundation

extension Report {
    public var json: String {
        "[\n" + lines.map { "  " + Self.json(of: $0) }.joined(separator: ",\n") + "\n]\n"
    }

    /// Writes the lines to `path`, making its folder. Writes nothing when no line ran.
    public func write(to path: String) throws {
        guard !lines.isEmpty else { return }
        let file = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(json.utf8).write(to: file, options: .atomic)
    }

    private static func json(of line: Line) -> String {
        let members = [
            ("name", string(line.name)), ("unit", string(line.unit.rawValue)), ("ours", number(line.ours)),
            ("peer", number(line.peer)), ("peerName", string(line.peerName)), ("ratio", number(line.ratio)),
        ]
        return "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }

    private static func string(_ text: String?) -> String {
        guard let text else { return "null" }
        let escaped = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
        return "\"\(escaped)\""
    }

    private static func number(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "null" }
        return String(format: "%.4g", value).contains("e")
            ? String(format: "%.0f", value) : String(format: "%.4g", value)
    }
}
