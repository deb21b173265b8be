// ViewRowEncoder.swift — the rows that a view has for a row of its table, put together where that one was.
//
// Invariant: they are byte for byte what `View.row` makes of the table's row, with the same expiry.

/// A row of a view as ranges of the buffer that it was put together in; the key is empty where there is none.
struct EncodedRow {
    static var none: EncodedRow { EncodedRow(key: 0..<0, fragment: 0..<0) }

    var key: Range<Int>
    var fragment: Range<Int>
    var expiry: StorageInstant?
}

/// How a planned modification's row becomes that of a view.
final class ViewRowEncoder: Sendable {
    private let view: View
    let storage: Keyspace
    private let rowOperator: RowMergeOperator
    private let partition: [RowEncoder.Component]
    private let clustering: [RowEncoder.Component]
    /// The markers of the columns that the view requires; rows without have none.
    private let requiredMarkers: [Int]
    /// The statement leaves such a column out, so it makes no row of the view where there was none.
    private let lacksRequired: Bool
    /// The columns that the view has; of the others it keeps that they live, if `isVirtual`.
    private let setters: [(setter: RowEncoder.Setter, isVirtual: Bool)]

    /// - Parameter key: the components of the table's key.
    init?(_ view: View, key: [RowEncoder.Component], _ setters: [RowEncoder.Setter]) {
        guard !view.hasConditions, let rowOperator = view.storage.options.mergeOperator as? RowMergeOperator else {
            return nil
        }
        let keySetter = setters.first { $0.column == view.keyCell }
        func component(_ source: View.Source, _ column: ColumnDefinition) -> RowEncoder.Component? {
            var component: RowEncoder.Component
            switch source {
            case .key(let index): component = key[index]
            case .cell:
                guard let type = ScalarType(column.type) else { return nil }
                component = RowEncoder.Component(marker: keySetter?.marker ?? 0, type: type, isKeyCell: true)
            }
            component.isDescending = column.isDescending
            return component
        }
        let definition = view.definition
        let partition = zip(view.partitionKey, definition.partitionKey).map(component)
        let clustering = zip(view.clustering, definition.clustering).map(component)
        self.partition = partition.compactMap { $0 }
        self.clustering = clustering.compactMap { $0 }
        guard self.partition.count == partition.count, self.clustering.count == clustering.count else { return nil }
        self.view = view
        storage = view.storage
        self.rowOperator = rowOperator
        requiredMarkers = view.requiredCells.compactMap { column in setters.first { $0.column == column }?.marker }
        lacksRequired = requiredMarkers.count < view.requiredCells.count
        self.setters = setters.compactMap { setter in
            guard setter.column != view.keyCell else { return nil }
            if view.selects(setter.column) { return (setter, false) }
            return view.needsMarker ? nil : (setter, true)
        }
    }

    // MARK: New rows

    /// The view's row for a row of the table that was not there before; `nil` where a value is not plain.
    func encode(
        _ values: [CQLValue], _ times: WriteTimes, isInsert: Bool, into buffer: inout UnsafeRowBuffer
    ) -> EncodedRow? {
        if lacksRequired { return EncodedRow.none }
        for marker in requiredMarkers {
            switch values[marker] {
            case .null, .unset: return EncodedRow.none
            default: break
            }
        }
        guard let prefix = buffer.appendPartition(partition, values) else { return nil }
        buffer.append(RecordKind.row.rawValue)
        guard buffer.appendClustering(clustering, values) else { return nil }
        let key = prefix.lowerBound..<buffer.count
        guard key.count <= StorageKey.maximumByteCount else { return nil }
        var isThere = isInsert || view.needsMarker
        buffer.appendFragmentHead(times, hasMarker: isThere)
        for (setter, isVirtual) in setters {
            switch values[setter.marker] {
            case .null, .unset: continue
            case let value:
                isThere = true
                buffer.append(times.cellFlags)
                buffer.appendVarint(Int(setter.column))
                if isVirtual {
                    buffer.append(0)
                } else if !setter.type.append(value, isSized: true, to: &buffer) {
                    return nil
                }
            }
        }
        guard isThere else { return EncodedRow.none }
        let expiry =
            rowOperator.needsMarker && times.timeToLive != 0
            ? StorageInstant(seconds: times.expiry) : times.droppableAfter(graceSeconds: rowOperator.graceSeconds)
        return EncodedRow(key: key, fragment: key.upperBound..<buffer.count, expiry: expiry)
    }

    // MARK: Any row

    /// The view's row for a row of the table; `nil` where it is not known how.
    ///
    /// - Parameters:
    ///   - row: its values lie in the buffer.
    ///   - values: those that name the row.
    ///   - viewRow: memory for the view's row.
    func encode(
        _ row: borrowing RowFragment, _ values: [CQLValue], _ viewRow: inout RowFragment,
        into buffer: inout UnsafeRowBuffer
    ) -> EncodedRow? {
        guard let keyValue = fill(&viewRow, from: row) else { return EncodedRow.none }
        guard let prefix = buffer.appendPartition(partition, values, cell: keyValue) else { return nil }
        buffer.append(RecordKind.row.rawValue)
        guard buffer.appendClustering(clustering, values, cell: keyValue) else { return nil }
        let key = prefix.lowerBound..<buffer.count
        guard key.count <= StorageKey.maximumByteCount else { return nil }
        let writer = viewRow.writer(into: &buffer)
        for cell in viewRow.cells { writer.copy(cell, in: &buffer) }
        return EncodedRow(
            key: key, fragment: key.upperBound..<buffer.count, expiry: rowOperator.droppableAfter(viewRow))
    }

    /// Makes the view's row of the table's, and tells where the value of the key cell lies, if the view has one; `nil` if
    /// there is no row.
    private func fill(_ viewRow: inout RowFragment, from row: borrowing RowFragment) -> Range<Int>? {
        var keyValue = 0..<0
        if view.needsMarker {
            viewRow.marker = view.marker(of: row)
            guard viewRow.marker != nil else { return nil }
            if let keyCell = view.keyCell, let cell = row.cell(keyCell) { keyValue = cell.value }
        } else {
            viewRow.marker = row.marker
        }
        viewRow.cells.removeAll(keepingCapacity: true)
        view.appendCells(of: row.cells, to: &viewRow.cells)
        return viewRow.marker != nil || !viewRow.cells.isEmpty ? keyValue : nil
    }
}
