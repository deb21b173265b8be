// RowFragment+Reconciliation.swift — two fragments of one row become one: last write wins, cell by cell.

extension RowFragment {
    /// Reconciles two encoded fragments of one row. Which of the two was written first makes no difference.
    static func merge(_ left: RawSpan, _ right: RawSpan, into result: inout [UInt8]) throws {
        let first = try RowFragment(left)
        let second = try RowFragment(right)
        first.merge(left, with: second, right, into: &result)
    }

    private func merge(_ values: RawSpan, with other: RowFragment, _ otherValues: RawSpan, into result: inout [UInt8]) {
        var merged = RowFragment()
        merged.deletion = .later(deletion, other.deletion)
        merged.marker = Self.survivor(marker, other.marker, merged.deletion)
        var isOther: [Bool] = []
        var complexDeletion = ComplexDeletion()
        func keep(_ cell: Cell, fromOther: Bool) {
            guard !merged.deletion.covers(cell.timestamp), !complexDeletion.covers(cell) else { return }
            merged.cells.append(cell)
            isOther.append(fromOther)
        }
        var (index, otherIndex) = (0, 0)
        while index < cells.count || otherIndex < other.cells.count {
            let order = Self.order(cells, index, values, other.cells, otherIndex, otherValues)
            if order < 0 {
                keep(cells[index], fromOther: false)
            } else if order > 0 {
                keep(other.cells[otherIndex], fromOther: true)
            } else {
                let wins = cells[index].wins(over: other.cells[otherIndex], values: values, otherValues: otherValues)
                keep(wins ? cells[index] : other.cells[otherIndex], fromOther: !wins)
            }
            if order <= 0 { index += 1 }
            if order >= 0 { otherIndex += 1 }
        }
        let writer = merged.writer(into: &result)
        for (cell, isOther) in zip(merged.cells, isOther) {
            writer.append(cell, from: isOther ? otherValues : values, into: &result)
        }
    }

    /// The deletion of the collection whose elements are being merged.
    private struct ComplexDeletion {
        var column: UInt16?
        var timestamp = Int64.min

        /// Takes note of a complex deletion; tells whether it covers an element.
        mutating func covers(_ cell: Cell) -> Bool {
            if cell.kind == .complexDeletion {
                (column, timestamp) = (cell.column, cell.timestamp)
                return false
            }
            return cell.column == column && !cell.path.isEmpty && cell.timestamp <= timestamp
        }
    }

    private static func survivor(_ left: RowMarker?, _ right: RowMarker?, _ deletion: DeletionTime) -> RowMarker? {
        let winner =
            switch (left, right) {
            case (let left?, let right?): RowMarker.winner(left, right)
            case (let left?, nil): left
            case (nil, let right): right
            }
        guard let winner, !deletion.covers(winner.timestamp) else { return nil }
        return winner
    }

    /// The order of two cells by column, then path; a side that has ended comes last.
    private static func order(
        _ cells: [Cell], _ index: Int, _ values: RawSpan, _ others: [Cell], _ otherIndex: Int, _ otherValues: RawSpan
    ) -> Int {
        guard index < cells.count else { return 1 }
        guard otherIndex < others.count else { return -1 }
        let (cell, other) = (cells[index], others[otherIndex])
        if cell.column != other.column { return cell.column < other.column ? -1 : 1 }
        if (cell.kind == .complexDeletion) != (other.kind == .complexDeletion) {
            return cell.kind == .complexDeletion ? -1 : 1
        }
        return values.extracting(cell.path).compare(otherValues.extracting(other.path))
    }
}
