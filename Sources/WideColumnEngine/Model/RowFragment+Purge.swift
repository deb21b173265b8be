// RowFragment+Purge.swift — what compaction may forget.
//
// [CA] db/rows/AbstractCell.java `purge`: an expired cell becomes a tombstone as of when it was written, so a cell
// whose time to live is longer than the grace period never becomes one; a tombstone goes once its grace period is
// over. The caller guarantees that nothing older lies below.
// Times come from disk, so sums and differences wrap or saturate; they never trap.

extension RowFragment {
    /// Removes what is past its grace period, turns other expired cells into tombstones. Tells whether it changed
    /// anything.
    mutating func purge(now: Int64, graceSeconds: Int64) -> Bool {
        var changed = false
        func isPast(_ localDeletionTime: Int64) -> Bool {
            let (end, overflow) = localDeletionTime.addingReportingOverflow(graceSeconds)
            return !overflow && end < now
        }
        if let current = marker, !current.isLive(at: now), isPast(current.expiry &- Int64(current.timeToLive)) {
            marker = nil
            changed = true
        }
        if !deletion.isNone, isPast(deletion.localDeletionTime) {
            deletion = .none
            changed = true
        }
        cells = cells.compactMap { cell in
            guard !cell.isLive(at: now) else { return cell }
            let deleted = cell.isExpiring ? cell.asTombstone : cell
            changed = changed || cell.isExpiring || isPast(deleted.localDeletionTime)
            return isPast(deleted.localDeletionTime) ? nil : deleted
        }
        return changed
    }

    /// Says nothing at all.
    var isEmpty: Bool { marker == nil && deletion.isNone && cells.isEmpty }
}

extension Cell {
    /// An expired cell as a deletion made when the cell was written.
    fileprivate var asTombstone: Cell {
        var tombstone = self
        tombstone.kind = .tombstone
        tombstone.localDeletionTime = localDeletionTime &- Int64(timeToLive)
        tombstone.timeToLive = 0
        tombstone.value = 0..<0
        return tombstone
    }
}
