// PlatformMath.swift — the C library's functions on doubles; the one file that knows which C library it is.

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

enum PlatformMath {
    static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

    /// Functions of one number, by their Cypher names.
    static let functions: [String: @Sendable (Double) -> Double] = [
        "exp": { exp($0) }, "log": { log($0) }, "log10": { log10($0) },
        "sin": { sin($0) }, "cos": { cos($0) }, "tan": { tan($0) }, "cot": { 1 / tan($0) },
        "asin": { asin($0) }, "acos": { acos($0) }, "atan": { atan($0) },
        "degrees": { $0 * 180 / .pi }, "radians": { $0 * .pi / 180 },
        "sqrt": { $0.squareRoot() }, "ceil": { $0.rounded(.up) }, "floor": { $0.rounded(.down) },
        "haversin": { (1 - cos($0)) / 2 },
    ]

    static func arcTangent(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
}
