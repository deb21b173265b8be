// ElementaryFunctions.swift — powers, logarithms and trigonometry of doubles, as the C library computes them.

internal import CStorage

enum ElementaryFunctions {
    static func power(_ base: Double, _ exponent: Double) -> Double { cstorage_pow(base, exponent) }

    static func arcTangent(_ y: Double, _ x: Double) -> Double { cstorage_atan2(y, x) }

    /// Functions of one number, by their Cypher names.
    static let byName: [String: @Sendable (Double) -> Double] = [
        "exp": { cstorage_exp($0) }, "log": { cstorage_log($0) }, "log10": { cstorage_log10($0) },
        "sin": { cstorage_sin($0) }, "cos": { cstorage_cos($0) }, "tan": { cstorage_tan($0) },
        "cot": { 1 / cstorage_tan($0) },
        "asin": { cstorage_asin($0) }, "acos": { cstorage_acos($0) }, "atan": { cstorage_atan($0) },
        "degrees": { $0 * 180 / .pi }, "radians": { $0 * .pi / 180 },
        "sqrt": { $0.squareRoot() }, "ceil": { $0.rounded(.up) }, "floor": { $0.rounded(.down) },
        "haversin": { (1 - cstorage_cos($0)) / 2 },
    ]
}
