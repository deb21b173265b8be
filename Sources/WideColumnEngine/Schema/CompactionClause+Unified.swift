// CompactionClause+Unified.swift — UnifiedCompactionStrategy's options ([CA] db/compaction/unified/Controller.java, doc
// managing/operating/compaction/ucs.adoc), and what the storage does for them.
//
// A scaling parameter W says how a level is compacted: a negative one in levels of which each holds 2 - W times as much as the
// one above, others in tiers with a fan factor of 2 + W, which is how many similar tables call for a compaction. `Ln` is 2 - n, `Tn` is n - 2, `N` is 0. There may be one for each
// level, the last for all that follow; the storage goes by that one, since nearly all of the data is on those levels.
//
// `max_sstables_to_compact` bounds a compaction of tiers, and `target_sstable_size` is where one of levels cuts its output. The
// rest is checked and has no effect: shards and the growth of tables with them are unknown here, a tier's compaction writes
// one table, and when expired ones are looked for is the storage's own.

extension CompactionClause {
    private static let leastTargetByteCount: Double = 1_048_576

    func unified() throws -> CompactionStrategy {
        let parameter = try scalingParameters().last ?? 2
        guard parameter >= 0 else {
            var options = LeveledOptions(multiplier: 2 - Int(parameter))
            if let size = try byteCount("target_sstable_size") {
                options.tableByteCount = Int(min(size, Double(Int32.max) * 1_048_576))
            }
            return .leveled(options)
        }
        let fanFactor = Int(clamping: parameter) + 2
        let maximum = try integer("max_sstables_to_compact").map { $0 <= 0 ? Int64(Int32.max) : $0 } ?? 32
        return .sizeTiered(
            SizeTieredOptions(
                minimumThreshold: fanFactor, maximumThreshold: max(fanFactor, Int(min(maximum, Int64(Int32.max))))))
    }

    private func scalingParameters() throws -> [Int32] {
        guard let text = options["scaling_parameters"] else { return [] }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            try Self.scalingParameter(part.filter { !$0.isWhitespace })
        }
    }

    private static func scalingParameter(_ text: String) throws -> Int32 {
        if text == "N" { return 0 }
        let digits = text.dropFirst()
        if let letter = text.first, "LT".contains(letter), !digits.isEmpty, digits.utf8.allSatisfy({ $0.isDigit }),
            let fanFactor = Int32(digits), fanFactor < .max - 2
        {
            guard fanFactor >= 2 else { throw CQLError.configuration("Fan factor cannot be lower than 2 in \(text)") }
            return letter == "L" ? 2 - fanFactor : fanFactor - 2
        }
        guard let number = Int32(text), number < .max - 2 else {
            throw CQLError.configuration("Scaling parameter \(text) must match (N)|L(\\d+)|T(\\d+)|([+-]?\\d+)")
        }
        return number
    }

    // MARK: Without effect

    func checkUnified() throws {
        for name in ["base_shard_count", "expired_sstable_check_frequency_seconds"] {
            guard let value = try integer(name) else { continue }
            guard value > 0 else {
                throw CQLError.configuration("Invalid configuration, \(name) should be positive: \(value)")
            }
        }
        if let text = options["unsafe_aggressive_sstable_expiration"], !TableOptions.isFlag(text) {
            throw CQLError.configuration(
                "unsafe_aggressive_sstable_expiration should either be 'true' or 'false', not \(text)")
        }
        if let text = options["overlap_inclusion_method"],
            !["NONE", "SINGLE", "TRANSITIVE"].contains(text.uppercased())
        {
            throw CQLError.configuration(
                "Invalid overlap inclusion method \(text). The valid options are [NONE, SINGLE, TRANSITIVE].")
        }
        if let text = options["sstable_growth"] {
            guard let growth = Self.fraction(text) else {
                throw CQLError.configuration("sstable_growth \(text) is not a valid number between 0 and 1")
            }
            guard (0...1).contains(growth) else {
                throw CQLError.configuration("sstable_growth \(text) must be between 0 and 1")
            }
        }
        try checkSizes()
    }

    private func checkSizes() throws {
        for name in ["target_sstable_size", "flush_size_override"] {
            guard let size = try byteCount(name) else { continue }
            guard size >= Self.leastTargetByteCount else {
                throw CQLError.configuration(
                    "\(name) \(options[name] ?? "") is not acceptable, size must be at least 1.000MiB")
            }
        }
        guard let least = try byteCount("min_sstable_size") else { return }
        guard least >= 0 else {
            throw CQLError.configuration(
                "Invalid configuration, min_sstable_size should be greater than or equal to 0 (zero)")
        }
        // Tables are allowed to be smaller than the target by the square root of two.
        let target = try byteCount("target_sstable_size") ?? 1_073_741_824
        guard least < target * 0.5.squareRoot() else {
            throw CQLError.configuration(
                "Invalid configuration, min_sstable_size (\(options["min_sstable_size"] ?? "")) should be less than the "
                    + "target size minimum: \(Int64(target * 0.5.squareRoot()))")
        }
    }

    /// A number of bytes with a unit, such as `1.5 GiB`.
    private func byteCount(_ name: String) throws -> Double? {
        guard let text = options[name] else { return nil }
        var rest = text.trimmingSpaces()
        if rest.hasSuffix("B") { rest = rest.dropLast() }
        var factor: Double = 1
        for (index, unit) in ["Ki", "Mi", "Gi", "Ti", "Pi"].enumerated() where rest.hasSuffix(unit) {
            rest = rest.dropLast(2)
            factor = Double(Int64(1) << Int64(10 * (index + 1)))
            break
        }
        guard let number = Double(String(rest).trimmingSpaces()), number.isFinite, number * factor < 1e18 else {
            throw CQLError.configuration("\(name) \(text) is not a valid size in bytes: \(text)")
        }
        return number * factor
    }

    /// A number, or one of percent.
    private static func fraction(_ text: String) -> Double? {
        guard text.hasSuffix("%") else { return Double(text) }
        return Double(text.dropLast()).map { $0 / 100 }
    }
}

extension String {
    fileprivate func trimmingSpaces() -> Substring {
        let head = drop { $0.isWhitespace }
        return head.dropLast(head.reversed().prefix { $0.isWhitespace }.count)
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (48...57).contains(self) }
}
