// RowContext.swift — the row that a read is looking at: its partition, its static row and its cells.

/// The current partition and row of a read. Its buffers are kept from row to row.
struct RowContext {
    let definition: TableDefinition
    /// Seconds; expiry is judged against it.
    let now: Int64
    let needsMarker: Bool

    private(set) var token: Int64 = 0
    private(set) var tombstones = PartitionTombstones()
    private var partitionKey: [UInt8] = []
    private var partitionRanges: [Range<Int>] = []
    private var staticRow = RowFragment()
    private var staticBytes: [UInt8] = []
    private var row = RowFragment()
    private var rowBytes: [UInt8] = []
    private var clustering: [UInt8] = []
    private var clusteringRanges: [Range<Int>] = []

    init(_ table: Table, now: Int64) {
        definition = table.definition
        needsMarker = table.needsMarker
        self.now = now
    }

    // MARK: Moving

    /// Enters the partition of a stored key.
    mutating func enter(_ parts: StorageKey.Parts) throws {
        token = parts.token
        partitionKey = parts.partitionKey
        partitionRanges = try PartitionKeyCodec.components(
            of: partitionKey.rawSpan, count: definition.partitionKey.count)
        tombstones = PartitionTombstones()
        staticRow = RowFragment()
        staticBytes = []
    }

    mutating func setTombstones(_ value: RawSpan) throws {
        tombstones = try PartitionTombstones(value)
        staticRow.apply(tombstones.partition)
    }

    mutating func setStaticRow(_ value: RawSpan) throws {
        staticBytes = value.array()
        try staticRow.decode(value)
        staticRow.apply(tombstones.partition)
    }

    /// Looks at a row; tells whether it lives.
    mutating func setRow(key: RawSpan, clusteringOffset: Int, value: RawSpan) throws -> Bool {
        try row.decode(value)
        if !tombstones.isEmpty {
            row.apply(tombstones.deletion(of: key.extracting(clusteringOffset..<key.byteCount)))
        }
        guard row.isLive(at: now, needsMarker: needsMarker) else { return false }
        rowBytes.removeAll(keepingCapacity: true)
        rowBytes.append(value)
        clustering.removeAll(keepingCapacity: true)
        clusteringRanges.removeAll(keepingCapacity: true)
        var offset = clusteringOffset
        for column in definition.clustering {
            let start = clustering.count
            try OrderedComponent.decode(
                key, at: &offset, column.type, descending: column.isDescending, into: &clustering)
            clusteringRanges.append(start..<clustering.count)
        }
        return true
    }

    /// Looks at the partition alone: clustering and regular columns are null.
    mutating func clearRow() {
        row = RowFragment()
        clusteringRanges.removeAll(keepingCapacity: true)
    }

    var hasLiveStaticRow: Bool { staticRow.isLive(at: now) }

    // MARK: Values

    /// Calls `body` with the column's value, if it has one.
    func withValue(of column: ColumnDefinition, _ body: (RawSpan) throws -> Void) rethrows -> Bool {
        switch column.kind {
        case .partitionKey:
            guard column.position < partitionRanges.count else { return false }
            try body(partitionKey.rawSpan.extracting(partitionRanges[column.position]))
        case .clustering:
            guard column.position < clusteringRanges.count else { return false }
            try body(clustering.rawSpan.extracting(clusteringRanges[column.position]))
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

    /// The column's value in its binary format.
    func bytes(of column: ColumnDefinition) -> [UInt8]? {
        var bytes: [UInt8]?
        _ = withValue(of: column) { bytes = $0.array() }
        return bytes
    }

    func accepts(_ filters: [Filter.Evaluated]) throws -> Bool {
        for filter in filters {
            var isAccepted = false
            _ = try withValue(of: filter.column) { isAccepted = try filter.accepts($0) }
            guard isAccepted else { return false }
        }
        return true
    }
}

extension RowContext {
    /// Appends a selected value of the current row.
    func append(_ value: SelectedValue, _ context: ExecutionContext, to builder: inout RowBuilder) throws {
        guard case .column(let column) = value else {
            return try builder.append(try self.value(value, context), value.type)
        }
        if !(try withValue(of: column) { try builder.append($0) }) { builder.appendNull() }
    }

    private func value(_ selected: SelectedValue, _ context: ExecutionContext) throws -> CQLValue {
        switch selected {
        case .column(let column):
            guard let bytes = bytes(of: column) else { return .null }
            return try CQLValue(bytes.rawSpan, type: column.type)
        case .count: return .null
        case .writetime(let column): return liveCell(column).map { .bigint($0.timestamp) } ?? .null
        case .timeToLive(let column):
            guard let cell = liveCell(column), cell.isExpiring else { return .null }
            return .int(Int32(clamping: cell.localDeletionTime &- now))
        case .token: return .bigint(token)
        case .call(let function, let arguments):
            return try function.call(try arguments.map { try value($0, context) }, context)
        case .term(let term, let type): return try term.value(as: type, context)
        }
    }
}
