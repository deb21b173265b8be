// VerificationReport.swift — what `verify()` found.

/// What a verification read and what it found wrong.
public struct VerificationReport: Sendable, CustomStringConvertible {
    /// Tables read block by block.
    public var tableCount = 0
    public var entryCount = 0
    /// Bytes of tables read.
    public var byteCount: Int64 = 0
    /// Names of the cross-checks that ran, in order.
    public var crossChecks: [String] = []
    /// One sentence for each thing wrong; empty if all is well.
    public var problems: [String] = []
    /// What of the problems is damage to a file, with the file and, where known, the offset in it.
    public var damage: [StorageError] = []

    public init() {}

    /// Adds a problem, as damage if it is an error that says so.
    /// - Parameter what: What was looked at.
    mutating func add(_ error: any Error, in what: String) {
        problems.append("\(what): \(error)")
        if let error = error as? StorageError { damage.append(error) }
    }

    public var isHealthy: Bool { problems.isEmpty }

    public var description: String {
        let summary =
            "\(tableCount) tables, \(entryCount) entries, \(byteCount) bytes, \(crossChecks.count) cross-checks"
        return isHealthy
            ? "healthy: \(summary)" : "\(problems.count) problems: \(summary)\n" + problems.joined(separator: "\n")
    }
}
