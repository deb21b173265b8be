// PlainSelection.swift — the short way of a SELECT: columns of stored rows go into the result without a row in between.
//
// It takes selections of key columns and single-celled regular columns from tables without dropped columns, and rows of
// partitions without deletions. Of such a row nothing has to be worked out but whether it lives, so one walk over its
// bytes finds all there is to know.
//
// Invariant: what it appends is what `RowContext` would.

/// The columns of a SELECT by where their values lie.
struct PlainSelection: Sendable {
    enum Source: Sendable {
        case partitionKey(Int)
        case clustering(Int)
        /// An index into `cells`.
        case cell(Int)
    }

    let sources: [Source]
    let clustering: [ColumnDefinition]
    /// By the number of a column, its index among the selected regular ones; -1 where it is none.
    let cellIndices: [Int]
    let cellCount: Int
    /// Whether nothing is stored in a row that is not selected.
    let takesWholeRows: Bool

    /// `nil` where a row has to be taken apart.
    init?(_ selection: [SelectedValue], _ table: Table) {
        guard table.deadColumns.isEmpty, table.definition.staticColumns.isEmpty else { return nil }
        var sources: [Source] = []
        var cellIndices: [Int] = []
        var cellCount = 0
        for selected in selection {
            guard case .column(let column) = selected, !column.isMultiCell else { return nil }
            switch column.kind {
            case .partitionKey: sources.append(.partitionKey(column.position))
            case .clustering: sources.append(.clustering(column.position))
            case .static: return nil
            case .regular:
                let id = Int(column.id)
                if id >= cellIndices.count { cellIndices += repeatElement(-1, count: id + 1 - cellIndices.count) }
                if cellIndices[id] < 0 {
                    cellIndices[id] = cellCount
                    cellCount += 1
                }
                sources.append(.cell(cellIndices[id]))
            }
        }
        self.sources = sources
        self.cellIndices = cellIndices
        self.cellCount = cellCount
        clustering = table.definition.clustering
        takesWholeRows = cellCount == table.definition.regularColumns.count
    }
}

/// Appends rows to a result as a plain selection says. Its memory is kept from row to row.
struct PlainRows {
    private let selection: PlainSelection
    /// Seconds.
    private let now: Int64
    private let needsMarker: Bool
    /// Where the partition's key lies in the result, once a row of it is there.
    private var partitionKey: [RowStorage.CellRange] = []
    private var clustering: [RowStorage.CellRange] = []
    /// Where the selected cells lie in the row's value.
    private var cells: [RowStorage.CellRange]

    init(_ selection: PlainSelection, now: Int64, needsMarker: Bool) {
        self.selection = selection
        self.now = now
        self.needsMarker = needsMarker
        cells = Array(repeating: .null, count: selection.cellCount)
    }

    /// The rows to come are of another partition.
    mutating func enterPartition() {
        partitionKey.removeAll(keepingCapacity: true)
    }

    /// Appends a row, if it lives; tells whether it does.
    mutating func append(
        key: RawSpan, clusteringOffset: Int, value: RawSpan, of row: borrowing RowContext,
        to builder: inout RowBuilder
    ) throws -> Bool {
        guard try find(in: value) else { return false }
        if partitionKey.isEmpty { try appendPartitionKey(row, to: &builder) }
        if selection.takesWholeRows {
            let start = try builder.appendBytes { $0.append(value) }.lowerBound
            for index in cells.indices where cells[index].byteCount >= 0 {
                cells[index].offset += Int32(truncatingIfNeeded: start)
            }
        } else {
            for index in cells.indices where cells[index].byteCount >= 0 {
                let range = Int(cells[index].offset)..<Int(cells[index].offset + cells[index].byteCount)
                cells[index] = .init(try builder.appendBytes { $0.append(value.extracting(range)) })
            }
        }
        try appendClustering(key, clusteringOffset, to: &builder)
        for source in selection.sources {
            switch source {
            case .partitionKey(let index): builder.appendCell(partitionKey[index])
            case .clustering(let index): builder.appendCell(clustering[index])
            case .cell(let index): builder.appendCell(cells[index])
            }
        }
        builder.endRow()
        return true
    }

    private mutating func appendPartitionKey(_ row: borrowing RowContext, to builder: inout RowBuilder) throws {
        for index in 0..<row.partitionKeyCount {
            partitionKey.append(.init(try builder.appendBytes { row.appendPartitionKey(index, to: &$0) }))
        }
    }

    private mutating func appendClustering(
        _ key: RawSpan, _ clusteringOffset: Int, to builder: inout RowBuilder
    ) throws {
        clustering.removeAll(keepingCapacity: true)
        var offset = clusteringOffset
        for column in selection.clustering {
            let range = try builder.appendBytes { bytes in
                try OrderedComponent.decode(
                    key, at: &offset, column.type, descending: column.isDescending, into: &bytes)
            }
            clustering.append(.init(range))
        }
    }

    /// Finds the selected cells in a fragment; false if the row does not live. See RowFragment+Codec.swift.
    private mutating func find(in value: RawSpan) throws -> Bool {
        for index in cells.indices { cells[index] = .null }
        var reader = RowFragmentReader(value)
        guard Int32(exactly: value.byteCount) != nil else { throw ByteReader.tooShort }
        let marker = try reader.begin()
        var isLive = marker?.isLive(at: now) ?? false
        while !reader.isAtEnd {
            let cell = try reader.cell()
            guard cell.isLive(at: now) else { continue }
            if !needsMarker { isLive = true }
            let column = Int(cell.column)
            guard column < selection.cellIndices.count, selection.cellIndices[column] >= 0 else { continue }
            cells[selection.cellIndices[column]] = .init(cell.value)
        }
        return isLive
    }
}
