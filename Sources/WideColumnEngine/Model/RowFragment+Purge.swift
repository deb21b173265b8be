// RowFragment+Purge.swift — what compaction may forget.
//
// [CA] db/rows/AbstractCell.java `purge`: an expired cell counts as a tombstone as of when it was written, so a cell whose
// time to live is longer than the grace period is never kept as one; a tombstone goes once its grace period is over. The
// caller guarantees that nothing older lies below.
// Times come from disk, so sums and differences wrap or saturate; they never trap.

extension RowFragment {
    /// Removes what is past its grace period, and the values of other expired cells. Tells whether it changed anything.
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
            let hasExpired = cell.isExpiring || cell.kind == .expired
            let isOver = isPast(hasExpired ? cell.localDeletionTime &- Int64(cell.timeToLive) : cell.localDeletionTime)
            changed = changed || cell.isExpiring || isOver
            if isOver { return nil }
            return cell.isExpiring ? cell.asExpired : cell
        }
        return changed
    }

    /// Says nothing at all.
    var isEmpty: Bool { marker == nil && deletion.isNone && cells.isEmpty }
}

extension Cell {
    fileprivate var asExpired: Cell {
        var expired = self
        expired.kind = .expired
        expired.value = 0..<0
        return expired
    }
}
