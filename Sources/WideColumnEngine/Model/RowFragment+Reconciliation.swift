// RowFragment+Reconciliation.swift — two fragments of one row become one: last write wins, cell by cell.

extension RowFragment {
    /// Reconciles two encoded fragments of one row. Which of the two was written first makes no difference.
    static func merge(_ left: RawSpan, _ right: RawSpan, into result: inout [UInt8]) throws {
        let first = try RowFragment(left)
        let second = try RowFragment(right)
        var merged = RowFragment()
        var isOther: [Bool] = []
        merged.reconcile(first, left, second, right) { isOther.append($0) }
        let writer = merged.writer(into: &result)
        for (cell, isOther) in zip(merged.cells, isOther) {
            writer.append(cell, from: isOther ? right : left, into: &result)
        }
    }

    /// What is left of a fragment beside a row that is stored already: merged into that row, it makes what the whole fragment
    /// would make. Its ranges are those of `fragment`.
    static func survivors(of fragment: RawSpan, beside stored: RawSpan) throws -> RowFragment {
        let first = try RowFragment(stored)
        let second = try RowFragment(fragment)
        var merged = RowFragment()
        var isOther: [Bool] = []
        merged.reconcile(first, stored, second, fragment) { isOther.append($0) }
        var survivors = RowFragment()
        if merged.marker != first.marker { survivors.marker = merged.marker }
        if merged.deletion != first.deletion { survivors.deletion = merged.deletion }
        survivors.cells = zip(merged.cells, isOther).compactMap { $1 ? $0 : nil }
        return survivors
    }

    /// Becomes two fragments of one row in one, keeping its memory.
    ///
    /// - Parameter keeps: called for each cell that is kept, with whether it is of the second.
    @inline(__always)
    mutating func reconcile(
        _ first: RowFragment, _ values: RawSpan, _ second: RowFragment, _ otherValues: RawSpan,
        keeps: (Bool) -> Void = { _ in }
    ) {
        deletion = .later(first.deletion, second.deletion)
        marker = Self.survivor(first.marker, second.marker, deletion)
        cells.removeAll(keepingCapacity: true)
        var complexDeletion = ComplexDeletion()
        var (index, otherIndex) = (0, 0)
        while index < first.cells.count || otherIndex < second.cells.count {
            let order = Self.order(first.cells, index, values, second.cells, otherIndex, otherValues)
            var isSecond = order > 0
            if order == 0 {
                isSecond = !first.cells[index].wins(
                    over: second.cells[otherIndex], values: values, otherValues: otherValues)
            }
            let cell = isSecond ? second.cells[otherIndex] : first.cells[index]
            if !deletion.covers(cell.timestamp), !complexDeletion.covers(cell) {
                cells.append(cell)
                keeps(isSecond)
            }
            if order <= 0 { index += 1 }
            if order >= 0 { otherIndex += 1 }
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
