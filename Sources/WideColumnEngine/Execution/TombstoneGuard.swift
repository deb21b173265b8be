// TombstoneGuard.swift — how many deletions a read may pass before it warns, and before it fails ([CA]
// db/ReadCommand.java `withMetricsRecording`, db/filter/TombstoneOverwhelmingException.java).
//
// Reads are those of SELECT, of conditions, and of lists whose elements are looked up before they are written; not those of
// counters ([CA] db/CounterMutation.java reads past the count).
//
// Cassandra counts deleted and expired cells, rows that are deleted without such cells, and the bounds of deleted ranges; not
// what those cover, nor the deletion that an assignment to a whole collection begins with. So is it here, but for where a
// deleted range is counted: once all rows in it were read, not when the read comes by its bounds.

/// The bounds of one statement's reads, and its text, which warnings name.
struct TombstoneGuard {
    let warningCount: Int
    let failureCount: Int
    private let cql: String

    init(_ limits: StatementLimits, cql: String) {
        warningCount = limits.tombstoneWarningCount
        failureCount = limits.tombstoneFailureCount
        self.cql = cql
    }

    func warnings(_ reading: Reading) -> [String] {
        guard reading.tombstoneCount > warningCount else { return [] }
        return [
            warning(
                liveRowCount: reading.liveRowCount, tombstoneCount: reading.tombstoneCount, token: reading.token)
        ]
    }

    func warning(liveRowCount: Int, tombstoneCount: Int, token: Int64) -> String {
        "Read \(liveRowCount) live rows and \(tombstoneCount) tombstone cells for query \(cql.prefix(512)); "
            + "token \(token) (see tombstone_warn_threshold)"
    }

    /// - Parameter row: the stored key of the last row.
    func failure(tombstoneCount: Int, _ table: TableDefinition, row key: RawSpan) throws -> CQLError {
        let parts = try StorageKey.Parts(key)
        let values = try zip(table.keyComponents(of: key, parts), table.partitionKey + table.clustering).map {
            try CQLValue($0.rawSpan, type: $1.type).plainText
        }
        var text = values.prefix(table.partitionKey.count).joined(separator: ", ")
        let clustering = values.dropFirst(table.partitionKey.count)
        if !clustering.isEmpty { text = "(\(text)), \(clustering.joined(separator: ", "))" }
        return .tooManyTombstones(
            "Scanned over \(tombstoneCount) tombstones during query '\(cql)' (last scanned row token was "
                + "\(parts.token) and partion key was (\(text))); query aborted")
    }
}

extension TombstoneGuard {
    /// What one read before a write has passed so far: the rows of one partition, each loaded by its key.
    struct Reading {
        fileprivate(set) var liveRowCount = 0
        fileprivate(set) var tombstoneCount = 0
        fileprivate(set) var token: Int64 = 0
        private var hasHead = false

        /// Takes note of a row that was loaded. The partition's deletion and its static row count with the first one.
        mutating func note(_ row: RowContext, isLive: Bool) {
            token = row.token
            if isLive { liveRowCount += 1 }
            tombstoneCount += hasHead ? row.tombstoneCount - row.headTombstoneCount : row.tombstoneCount
            hasHead = true
        }
    }

    /// - Parameter key: the stored key of the row that was loaded last.
    func check(_ tombstoneCount: Int, _ table: TableDefinition, row key: @autoclosure () throws -> [UInt8]) throws {
        guard tombstoneCount > failureCount else { return }
        let key = try key()
        throw try failure(tombstoneCount: tombstoneCount, table, row: key.rawSpan)
    }
}

extension CQLValue {
    fileprivate var plainText: String {
        if case .text(let text) = self { text } else { description }
    }
}

extension RowFragment {
    /// The tombstones that the row counts as.
    ///
    /// - Parameter columns: those whose cells are read; nil: all.
    func tombstoneCount(at seconds: Int64, isLive: Bool, columns: Set<UInt16>? = nil) -> Int {
        var count = 0
        for cell in cells where cell.kind != .complexDeletion && !cell.isLive(at: seconds) {
            if columns?.contains(cell.column) ?? true { count += 1 }
        }
        let isDeleted = !isLive && count == 0 && (marker != nil || !deletion.isNone || !cells.isEmpty)
        return isDeleted ? 1 : count
    }
}

extension PartitionTombstones {
    /// The bounds of deleted ranges between two clustering keys: those that touch share one.
    func boundCount(from lower: ArraySlice<UInt8>, to upper: ArraySlice<UInt8>?) -> Int {
        var count = 0
        var last: [UInt8]?
        for range in ranges {
            if let upper, !range.lower.lexicographicallyPrecedes(upper) { break }
            if let end = range.upper, !lower.lexicographicallyPrecedes(end) { continue }
            if partition.covers(range.deletion.timestamp) { continue }
            count += last == range.lower ? 1 : 2
            last = range.upper
        }
        return count
    }
}
