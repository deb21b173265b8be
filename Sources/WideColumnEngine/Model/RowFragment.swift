// RowFragment.swift — what one write says about one row, or what many writes said, reconciled.

/// A row's marker, deletion and cells. Values stay in the bytes the fragment was decoded from.
///
/// Invariants: cells ascend by column, then path, a complex deletion before the elements of its column; no cell and
/// no marker has a timestamp that the row deletion covers.
struct RowFragment: Sendable {
    var marker: RowMarker?
    var deletion = DeletionTime.none
    var cells: [Cell] = []

    /// The cell of a column that holds a single value.
    func cell(_ column: UInt16) -> Cell? {
        // Rows have few columns, so a walk beats a search.
        for cell in cells where cell.column == column { return cell }
        return nil
    }

    /// The cell with a value that a column keeps longest: of a collection, that of its last element to expire.
    func longestLived(_ column: UInt16) -> Cell? {
        var result: Cell?
        for cell in cells where cell.column == column && (cell.kind == .live || cell.kind == .expiring) {
            if let known = result, known.localDeletionTime >= cell.localDeletionTime { continue }
            result = cell
        }
        return result
    }

    /// Whether a read at this time sees the row.
    ///
    /// - Parameter needsMarker: for a view that requires columns that are no keys of the table: its rows live and die
    ///   with those columns' cells, which their marker stands for ([CA] "strict liveness").
    func isLive(at seconds: Int64, needsMarker: Bool = false) -> Bool {
        if let marker, marker.isLive(at: seconds) { return true }
        return !needsMarker && cells.contains { $0.isLive(at: seconds) }
    }

    /// Whether it has deletions or something that expires: what may cover older data and be forgotten one day.
    var hidesOlder: Bool {
        !deletion.isNone || (marker.map { $0.timeToLive != 0 } ?? false) || cells.contains { $0.kind != .live }
    }

    /// Drops what a deletion from outside (of the partition, of a range) covers.
    mutating func apply(_ outer: DeletionTime) {
        guard !outer.isNone else { return }
        if let current = marker, outer.covers(current.timestamp) { marker = nil }
        cells.removeAll { outer.covers($0.timestamp) }
        if outer.covers(deletion.timestamp) { deletion = .none }
    }

    /// Removes the cells of these columns; tells whether there were any.
    mutating func removeCells(of columns: Set<UInt16>) -> Bool {
        let count = cells.count
        cells.removeAll { columns.contains($0.column) }
        return cells.count != count
    }

    /// The time from which nothing in the fragment matters any more: all has expired or is a deletion past its
    /// grace period. `nil` if something lives for ever.
    func droppableAfter(graceSeconds: Int64) -> StorageInstant? {
        var latest = Int64.min
        if let marker {
            guard marker.timeToLive != 0 else { return nil }
            latest = Self.droppable(marker.expiry, marker.timeToLive, graceSeconds)
        }
        if !deletion.isNone { latest = max(latest, Self.sum(deletion.localDeletionTime, graceSeconds)) }
        for cell in cells {
            switch cell.kind {
            case .live: return nil
            case .expiring, .expired:
                latest = max(latest, Self.droppable(cell.localDeletionTime, cell.timeToLive, graceSeconds))
            case .tombstone, .complexDeletion:
                latest = max(latest, Self.sum(cell.localDeletionTime, graceSeconds))
            }
        }
        return StorageInstant(seconds: Self.sum(latest, 1))
    }

    /// Expired data counts as deleted when it was written ([CA] db/rows/AbstractCell.java `purge`), so the grace
    /// period runs from then.
    private static func droppable(_ expiry: Int64, _ timeToLive: Int32, _ graceSeconds: Int64) -> Int64 {
        max(expiry, sum(expiry &- Int64(timeToLive), graceSeconds))
    }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}
