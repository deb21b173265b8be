// SalvageReport.swift — what a salvage rescued, and what it could not.

/// What ``Storage/salvage(_:into:options:)`` rescued from a damaged storage, and what was lost.
public struct SalvageReport: Sendable, CustomStringConvertible {
    /// A part of a file that could not be read.
    public struct Damage: Sendable, CustomStringConvertible {
        public var file: String
        /// The damaged bytes; nil where the whole file is missing.
        public var offsets: Range<Int64>?
        /// What is wrong.
        public var message: String
        /// The keyspaces that lost entries, as far as known.
        public var keyspaces: [String] = []
        /// Where in that keyspace the lost entries lay; nil where they may lie anywhere, or in several keyspaces.
        public var range: KeyRange?
        /// The commits of which entries may be lost; nil where nothing is known.
        public var sequences: ClosedRange<SequenceNumber>?
        /// The number of entries and range deletes lost; nil where it is not known, 0 where the damage cost none.
        public var lostEntryCount: Int?

        public var description: String {
            var text = file
            if let offsets { text += " bytes \(offsets.lowerBound)..<\(offsets.upperBound)" }
            text += ": \(message)"
            switch lostEntryCount {
            case 0?: return text + " Nothing was lost by it."
            case let count?: text += " Lost entries: \(count)."
            case nil: text += " Lost entries: unknown."
            }
            if !keyspaces.isEmpty { text += " Keyspaces: \(keyspaces.joined(separator: ", "))." }
            if let sequences { text += " Commits \(sequences.lowerBound) to \(sequences.upperBound)." }
            return text
        }
    }

    /// Keyspaces of the rescued storage.
    public var keyspaceCount = 0
    /// Tables read in whole or in part.
    public var tableCount = 0
    /// Log records read beyond what the tables hold.
    public var logRecordCount = 0
    /// Versions of keys that were rescued, deletes among them.
    public var entryCount = 0
    public var rangeDeleteCount = 0
    /// Everything found damaged.
    public var damage: [Damage] = []
    /// What the user has to know besides: names that were lost, how tables were chosen.
    public var remarks: [String] = []

    /// Whether everything that was damaged cost no entry.
    public var isComplete: Bool { damage.allSatisfy { $0.lostEntryCount == 0 } }

    public var description: String {
        let summary =
            "rescued \(entryCount) entries and \(rangeDeleteCount) range deletes of \(keyspaceCount) keyspaces "
            + "from \(tableCount) tables and \(logRecordCount) log records"
        guard !damage.isEmpty || !remarks.isEmpty else { return "\(summary); nothing was damaged" }
        let headline = isComplete ? "\(summary); nothing was lost" : "\(summary); something was lost"
        return ([headline] + damage.map(\.description) + remarks).joined(separator: "\n")
    }
}
