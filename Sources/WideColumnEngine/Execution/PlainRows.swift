// PlainRows.swift — stored rows go into a result without a row in between.
//
// A row's key is decoded, and its value walked over, straight into the result. What is unusual in either (a key's empty
// value, a column number of two bytes, damage) is left to the readers that know everything.
//
// Invariants: what is appended is what `RowContext` would append; bytes that it would reject are rejected alike.

internal import StorageTypes

/// Appends rows to a result as a plain selection says.
struct PlainRows {
    private let selection: PlainSelection
    /// Seconds.
    private let now: Int64
    private let needsMarker: Bool
    /// Tombstones met since it was set to 0.
    var tombstoneCount = 0
    /// The row before anything is known of it but the partition's key, once a row of the partition is in the result.
    private var template: [CellRange]
    private var isTemplateReady = false
    private var partitionKey = PartitionKey()
    /// Memory for what is unusual.
    private var fragment = RowFragment()
    private var scratch: [UInt8] = []

    init(_ selection: PlainSelection, now: Int64, needsMarker: Bool) {
        self.selection = selection
        self.now = now
        self.needsMarker = needsMarker
        template = Array(repeating: .null, count: selection.width)
    }

    /// The rows to come are of another partition.
    mutating func enterPartition(_ key: PartitionKey) {
        partitionKey = key
        isTemplateReady = false
    }

    /// Appends a row, if it lives; tells whether it does.
    mutating func append(
        key: RawSpan, clusteringOffset: Int, value: RawSpan, to rows: inout UnsafeRows
    ) throws -> Bool {
        if !isTemplateReady { try appendPartitionKey(to: &rows) }
        // More than there is in a row: what is decoded from a key by its form is no longer than the key.
        try rows.reserve(value.byteCount + key.byteCount)
        try rows.beginRow(template)
        // Where the value begins, if it goes into the result as it is.
        let base = Int32(truncatingIfNeeded: selection.takesWholeRows ? rows.byteCount : 0)
        guard try findCells(in: value, base, &rows) else { return false }
        if selection.takesWholeRows { rows.append(value) } else { appendCells(value, to: &rows) }
        try appendClustering(key, clusteringOffset, to: &rows)
        for copy in selection.copies { rows[copy.target] = rows[copy.source] }
        rows.endRow()
        return true
    }

    private mutating func appendPartitionKey(to rows: inout UnsafeRows) throws {
        let partitionKey = partitionKey
        for (component, target) in selection.partitionTargets {
            let bytes = partitionKey.bytes.rawSpan.extracting(partitionKey.components[component])
            try rows.reserve(bytes.byteCount)
            template[target] = rows.append(bytes)
        }
        isTemplateReady = true
    }

    // MARK: Cells

    /// Puts the ranges that the selected cells have in a fragment, which begins at `base`, into the row; false if the row
    /// does not live.
    @inline(__always)
    private mutating func findCells(in value: RawSpan, _ base: Int32, _ rows: inout UnsafeRows) throws -> Bool {
        var walk = RowFragmentWalk(value, now: now)
        guard walk.begin() else { return try findAnyCells(in: value, base, &rows) }
        var isLive = walk.isMarkerLive
        var deadCount = 0
        let hasDeadColumns = selection.hasDeadColumns
        while !walk.isAtEnd {
            guard walk.next() else { return try findAnyCells(in: value, base, &rows) }
            if hasDeadColumns, walk.column < selection.isDead.count, selection.isDead[walk.column] { continue }
            guard walk.isCellLive else {
                deadCount &+= 1
                continue
            }
            if !needsMarker { isLive = true }
            if let target = target(walk.column) {
                rows[target] = CellRange(offset: base &+ walk.value.offset, byteCount: walk.value.byteCount)
            }
        }
        // Whether anything but dropped columns is left of a row that does not live is not known here.
        if hasDeadColumns, !isLive, deadCount == 0 { return try findAnyCells(in: value, base, &rows) }
        if deadCount != 0 || !isLive { tombstoneCount &+= max(deadCount, 1) }
        return isLive
    }

    /// As `findCells`, of every fragment.
    @inline(never)
    private mutating func findAnyCells(in value: RawSpan, _ base: Int32, _ rows: inout UnsafeRows) throws -> Bool {
        try fragment.decode(value)
        if selection.hasDeadColumns { _ = fragment.removeCells(of: selection.deadColumns) }
        let isLive = fragment.isLive(at: now, needsMarker: needsMarker)
        tombstoneCount &+= fragment.tombstoneCount(at: now, isLive: isLive)
        guard isLive else { return false }
        try rows.beginRow(template)
        for (column, target) in selection.cellTargets.enumerated() where target >= 0 {
            guard let cell = fragment.cell(UInt16(truncatingIfNeeded: column)), cell.isLive(at: now) else { continue }
            rows[target] = CellRange(
                offset: base &+ Int32(truncatingIfNeeded: cell.value.lowerBound),
                byteCount: Int32(truncatingIfNeeded: cell.value.count))
        }
        return true
    }

    @inline(__always)
    private func target(_ column: Int) -> Int? {
        guard column < selection.cellTargets.count else { return nil }
        let target = selection.cellTargets[column]
        return target >= 0 ? target : nil
    }

    /// Appends the cells whose ranges in the value are in the row.
    @inline(__always)
    private func appendCells(_ value: RawSpan, to rows: inout UnsafeRows) {
        for target in selection.cellTargets where target >= 0 && !rows[target].isNull {
            rows[target] = rows.append(value.extracting(rows[target].range))
        }
    }

    // MARK: Clustering key

    @inline(__always)
    private mutating func appendClustering(
        _ key: RawSpan, _ clusteringOffset: Int, to rows: inout UnsafeRows
    ) throws {
        var offset = clusteringOffset
        for index in selection.components.indices {
            let component = selection.components[index]
            let start = rows.byteCount
            var cell: CellRange?
            if let form = component.form {
                cell = form.decode(key, at: &offset, descending: component.isDescending, to: &rows)
            }
            let decoded = try cell ?? appendAny(key, &offset, index, to: &rows)
            if component.target >= 0 { rows[component.target] = decoded } else { rows.removeBytes(from: start) }
        }
    }

    /// Appends a component of any type and form.
    @inline(never)
    private mutating func appendAny(
        _ key: RawSpan, _ offset: inout Int, _ index: Int, to rows: inout UnsafeRows
    ) throws -> CellRange {
        scratch.removeAll(keepingCapacity: true)
        try OrderedComponent.decode(
            key, at: &offset, selection.types[index], descending: selection.components[index].isDescending,
            into: &scratch)
        // Room for this one, and for the ones behind it.
        try rows.reserve(scratch.count + key.byteCount)
        return rows.append(scratch.rawSpan)
    }
}
