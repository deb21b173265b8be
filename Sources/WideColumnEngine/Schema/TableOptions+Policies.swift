// TableOptions+Policies.swift — what caching, retries and repairs on reading may be ([CA] schema/CachingParams.java,
// service/reads/SpeculativeRetryPolicy.java, service/reads/repair/ReadRepairStrategy.java). They are kept and shown.

extension TableOptions {
    static func checkCaching(_ options: [String: String]) throws {
        let unknown = options.keys.filter { $0 != "keys" && $0 != "rows_per_partition" }.sorted()
        guard unknown.isEmpty else {
            throw CQLError.configuration(
                "Invalid caching sub-options [\(unknown.joined(separator: ", "))]: "
                    + "only 'keys' and 'rows_per_partition' are allowed")
        }
        if let keys = options["keys"]?.uppercased(), !["ALL", "NONE"].contains(keys) {
            throw CQLError.configuration(
                "Invalid value for caching sub-option 'keys': only 'ALL' and 'NONE' are allowed")
        }
        guard let rows = options["rows_per_partition"]?.uppercased(), !["ALL", "NONE"].contains(rows) else { return }
        guard let count = Int32(rows), count >= 0 else {
            throw CQLError.configuration(
                "Invalid value for caching sub-option 'rows_per_partition': only 'ALL', 'NONE' and integer values are "
                    + "allowed")
        }
    }

    /// `NEVER`, `ALWAYS`, a percentile, a time, or the smaller or greater of a percentile and a time.
    static func checkSpeculativeRetry(_ text: String, of option: String) throws {
        let upper = text.uppercased()
        if ["NEVER", "NONE", "ALWAYS"].contains(upper) { return }
        if let percentile = percentile(upper) {
            guard (0...100).contains(percentile) else {
                throw CQLError.configuration("Invalid value \(text) for option '\(option)'")
            }
            return
        }
        guard milliseconds(upper) != nil || pair(upper) != nil else {
            throw CQLError.configuration("Invalid speculative retry policy: \(text)")
        }
    }

    /// A policy as Cassandra writes it, however it was given: `99p`, `50ms`, `MIN(99p,50ms)`.
    static func speculativeRetry(_ text: String) -> String {
        let upper = text.uppercased()
        if upper == "NONE" { return "NEVER" }
        if let percentile = percentile(upper) { return written(percentile: percentile) }
        if let milliseconds = milliseconds(upper) { return written(milliseconds: milliseconds) }
        guard let pair = pair(upper) else { return upper }
        return "\(upper.prefix(3))(\(written(percentile: pair.percentile)),\(written(milliseconds: pair.milliseconds)))"
    }

    /// With at most four digits behind the point.
    private static func written(percentile: Double) -> String {
        guard (0...100).contains(percentile) else { return "\(percentile)p" }
        let rounded = (percentile * 10_000).rounded(.toNearestOrEven) / 10_000
        return rounded == rounded.rounded() ? "\(Int(rounded))p" : "\(rounded)p"
    }

    private static func written(milliseconds: Double) -> String {
        "\(milliseconds < Double(Int32.max) ? Int32(milliseconds) : .max)ms"
    }

    private static func percentile(_ text: String) -> Double? {
        number(text, before: "PERCENTILE") ?? number(text, before: "P")
    }

    private static func milliseconds(_ text: String) -> Double? { number(text, before: "MS") }

    private static func number(_ text: String, before unit: String) -> Double? {
        guard text.hasSuffix(unit) else { return nil }
        let digits = text.dropLast(unit.count)
        guard digits.allSatisfy({ $0 == "." || "0"..."9" ~= $0 }) else { return nil }
        return Double(digits)
    }

    /// `MIN(99P, 50MS)`: one of each.
    private static func pair(_ text: String) -> (percentile: Double, milliseconds: Double)? {
        guard text.hasSuffix(")"), text.hasPrefix("MIN(") || text.hasPrefix("MAX(") else { return nil }
        let parts = text.dropFirst(4).dropLast().split(separator: ",", omittingEmptySubsequences: false)
            .map { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
        guard parts.count == 2 else { return nil }
        let percentiles = parts.compactMap(percentile).filter { (0...100).contains($0) }
        let times = parts.compactMap(milliseconds)
        return percentiles.count == 1 && times.count == 1 ? (percentiles[0], times[0]) : nil
    }

    static func checkReadRepair(_ text: String) throws {
        guard ["BLOCKING", "NONE"].contains(text.uppercased()) else {
            throw CQLError.configuration(
                "No enum constant org.apache.cassandra.service.reads.repair.ReadRepairStrategy.\(text.uppercased())")
        }
    }
}
