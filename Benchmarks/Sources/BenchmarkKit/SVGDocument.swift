// A picture in SVG, as much of it as bar and line plots need. Coordinates are pixels from the top left.

import Foundation

struct SVGDocument {
    let width: Double
    let height: Double
    private var elements: [String] = []

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    enum Anchor: String { case start, middle, end }

    mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String) {
        elements.append(
            "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
                + "height=\"\(Self.number(height))\" fill=\"\(fill)\"/>")
    }

    mutating func line(x1: Double, y1: Double, x2: Double, y2: Double, stroke: String, width: Double = 1) {
        elements.append(
            "<line x1=\"\(Self.number(x1))\" y1=\"\(Self.number(y1))\" x2=\"\(Self.number(x2))\" "
                + "y2=\"\(Self.number(y2))\" stroke=\"\(stroke)\" stroke-width=\"\(Self.number(width))\"/>")
    }

    mutating func path(_ points: [(x: Double, y: Double)], stroke: String, width: Double = 1.5) {
        let coordinates = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
        elements.append(
            "<polyline points=\"\(coordinates)\" fill=\"none\" stroke=\"\(stroke)\" "
                + "stroke-width=\"\(Self.number(width))\"/>")
    }

    mutating func text(
        _ text: String, x: Double, y: Double, size: Double = 12, anchor: Anchor = .start, fill: String = "#222",
        isBold: Bool = false
    ) {
        elements.append(
            "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" font-size=\"\(Self.number(size))\" "
                + "text-anchor=\"\(anchor.rawValue)\" fill=\"\(fill)\"\(isBold ? " font-weight=\"bold\"" : "")>"
                + "\(Self.escaped(text))</text>")
    }

    /// The whole file.
    var source: String {
        let size = "\(Self.number(width)) \(Self.number(height))"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" width="\(Self.number(width))" \
            height="\(Self.number(height))" font-family="Helvetica, Arial, sans-serif">
            <rect width="100%" height="100%" fill="white"/>
            \(elements.joined(separator: "\n"))
            </svg>

            """
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;")
    }
}

/// Colours that stay apart on white, ours first.
enum Palette {
    static let colours = ["#d1495b", "#30638e", "#3d9970", "#edae49", "#7d5ba6", "#6c757d"]

    static func colour(_ index: Int) -> String { colours[index % colours.count] }
}

/// A logarithmic axis from a power of ten to a power of ten.
struct LogarithmicScale {
    let lowerExponent: Int
    let upperExponent: Int

    /// Covers all positive values; one decade at least.
    init(covering values: [Double]) {
        let logarithms = values.filter { $0 > 0 && $0.isFinite }.map(log10)
        lowerExponent = Int((logarithms.min() ?? 0).rounded(.down))
        upperExponent = max(Int((logarithms.max() ?? 1).rounded(.up)), lowerExponent + 1)
    }

    /// From 0 at the lower end to 1 at the upper.
    func position(of value: Double) -> Double {
        let position =
            (log10(max(value, .leastNormalMagnitude)) - Double(lowerExponent))
            / Double(upperExponent - lowerExponent)
        return min(max(position, 0), 1)
    }

    /// The powers of ten.
    var ticks: [Double] { (lowerExponent...upperExponent).map { pow(10, Double($0)) } }
}
