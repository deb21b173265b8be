// RowContext.swift — the row that a read is looking at: its partition, its static row and its cells.

/// A partition's key, as it is hashed, and where its components lie in that.
struct PartitionKey {
    var bytes: [UInt8] = []
    var components: [Range<Int>] = []
}

/// The current partition and row of a read. Its buffers are kept from row to row.
struct RowContext {
    let definition: TableDefinition
    /// Seconds; expiry is judged against it.
    let now: Int64
    let needsMarker: Bool
    private let deadColumns: Set<UInt16>

    /// Tombstones met since it was set to 0.
    var tombstoneCount = 0
    /// Those of them that are of the partition and its static row, where a row was loaded.
    var headTombstoneCount = 0
    /// The columns whose cells count as tombstones; nil: all.
    var countedColumns: Set<UInt16>?
    private(set) var token: Int64 = 0
    private(set) var tombstones = PartitionTombstones()
    private(set) var partitionKey = PartitionKey()
    private var staticRow = RowFragment()
    private var staticBytes: [UInt8] = []
    private var row = RowFragment()
    private var rowBytes: [UInt8] = []
    private var clustering: [UInt8] = []
    private var clusteringRanges: [Range<Int>] = []
    /// Where each clustering component ends in the stored key.
    private var clusteringEnds: [Int] = []

    init(_ table: Table, now: Int64) {
        definition = table.definition
        needsMarker = table.needsMarker
        deadColumns = table.deadColumns
        self.now = now
    }

    // MARK: Moving

    /// Enters the partition of a stored key.
    mutating func enter(_ parts: StorageKey.Parts) throws {
        token = parts.token
        partitionKey = PartitionKey(
            bytes: parts.partitionKey,
            components: try PartitionKeyCodec.components(
                of: parts.partitionKey.rawSpan, count: definition.partitionKey.count))
        tombstones = PartitionTombstones()
        staticRow = RowFragment()
        staticBytes = []
    }

    mutating func setTombstones(_ value: RawSpan) throws {
        tombstones = try PartitionTombstones(value)
        if !tombstones.partition.isNone { tombstoneCount &+= 1 }
        staticRow.apply(tombstones.partition)
    }

    mutating func setStaticRow(_ value: RawSpan) throws {
        staticBytes = value.array()
        try staticRow.decode(value)
        staticRow.apply(tombstones.partition)
        if !deadColumns.isEmpty { _ = staticRow.removeCells(of: deadColumns) }
        tombstoneCount &+= staticRow.tombstoneCount(at: now, isLive: true, columns: countedColumns)
    }

    /// Looks at a row; tells whether it lives.
    mutating func setRow(key: RawSpan, clusteringOffset: Int, value: RawSpan) throws -> Bool {
        try row.decode(value)
        if !tombstones.isEmpty {
            row.apply(tombstones.deletion(of: key.extracting(clusteringOffset..<key.byteCount)))
        }
        if !deadColumns.isEmpty { _ = row.removeCells(of: deadColumns) }
        let isLive = row.isLive(at: now, needsMarker: needsMarker)
        tombstoneCount &+= row.tombstoneCount(at: now, isLive: isLive, columns: countedColumns)
        guard isLive else { return false }
        rowBytes.removeAll(keepingCapacity: true)
        rowBytes.append(value)
        clustering.removeAll(keepingCapacity: true)
        clusteringRanges.removeAll(keepingCapacity: true)
        clusteringEnds.removeAll(keepingCapacity: true)
        var offset = clusteringOffset
        for column in definition.clustering {
            let start = clustering.count
            try OrderedComponent.decode(
                key, at: &offset, column.type, descending: column.isDescending, into: &clustering)
            clusteringRanges.append(start..<clustering.count)
            clusteringEnds.append(offset)
        }
        return true
    }

    /// Looks at the partition alone: clustering and regular columns are null.
    mutating func clearRow() {
        row = RowFragment()
        clusteringRanges.removeAll(keepingCapacity: true)
        clusteringEnds.removeAll(keepingCapacity: true)
    }

    /// Where the first `count` clustering components of the row's stored key end.
    func clusteringOffset(ofComponent count: Int, in clusteringOffset: Int) -> Int {
        count == 0 || clusteringEnds.isEmpty ? clusteringOffset : clusteringEnds[min(count, clusteringEnds.count) - 1]
    }

    /// The row's tombstones and its cells that have expired.
    var deadCellCount: Int { row.cells.count { !$0.isLive(at: now) } }

    var hasLiveStaticRow: Bool { staticRow.isLive(at: now) }

    // MARK: Values

    /// Calls `body` with the column's value, if it has one.
    func withValue(of column: ColumnDefinition, _ body: (RawSpan) throws -> Void) rethrows -> Bool {
        switch column.kind {
        case .partitionKey:
            guard column.position < partitionKey.components.count else { return false }
            try body(partitionKey.bytes.rawSpan.extracting(partitionKey.components[column.position]))
        case .clustering:
            guard column.position < clusteringRanges.count else { return false }
            try body(clustering.rawSpan.extracting(clusteringRanges[column.position]))
        case .static where column.isMultiCell:
            guard let bytes = staticRow.collection(column, staticBytes, at: now) else { return false }
            try body(bytes.rawSpan)
        case .regular where column.isMultiCell:
            guard let bytes = row.collection(column, rowBytes, at: now) else { return false }
            try body(bytes.rawSpan)
        case .static:
            guard let cell = staticRow.cell(column.id), cell.isLive(at: now) else { return false }
            try body(staticBytes.rawSpan.extracting(cell.value))
        case .regular:
            guard let cell = row.cell(column.id), cell.isLive(at: now) else { return false }
            try body(rowBytes.rawSpan.extracting(cell.value))
        }
        return true
    }

    func liveCell(_ column: ColumnDefinition) -> Cell? {
        let cell = (column.kind == .static ? staticRow : row).cell(column.id)
        guard let cell, cell.isLive(at: now) else { return nil }
        return cell
    }

    /// The live cells of a column's elements, in the elements' order.
    func liveElements(_ column: ColumnDefinition) -> [Cell] {
        (column.kind == .static ? staticRow : row).elements(column.id, at: now)
    }

    /// The column's cell, also a tombstone.
    func cell(_ column: ColumnDefinition) -> Cell? {
        (column.kind == .static ? staticRow : row).cell(column.id)
    }

    /// What a cell's ranges refer to.
    func storedBytes(_ column: ColumnDefinition) -> [UInt8] { column.kind == .static ? staticBytes : rowBytes }

    /// The column's value in its binary format.
    func bytes(of column: ColumnDefinition) -> [UInt8]? {
        var bytes: [UInt8]?
        _ = withValue(of: column) { bytes = $0.array() }
        return bytes
    }

    func accepts(_ filters: [Filter.Evaluated]) throws -> Bool {
        for filter in filters where !(try filter.accepts(self)) { return false }
        return true
    }
}
