// ModificationExecutor.swift — applies one INSERT, UPDATE or DELETE inside a transaction.

/// Executes one planned modification.
struct ModificationExecutor {
    let plan: ModificationPlan
    let context: ExecutionContext
    let transaction: WriteTransaction
    /// Microseconds; carried by every cell and deletion that the statement writes.
    let timestamp: Int64
    private let timeToLive: Int32
    private let seconds: Int64

    /// - Parameter batchTimestamp: the timestamp of the batch around the statement, used where it has none itself.
    init(
        _ plan: ModificationPlan, _ context: ExecutionContext, _ transaction: WriteTransaction,
        batchTimestamp: Int64? = nil
    ) throws {
        self.plan = plan
        self.context = context
        self.transaction = transaction
        seconds = transaction.commitTime.seconds
        timestamp =
            try Self.timestamp(plan.timestamp, context) ?? batchTimestamp ?? transaction.commitTime.microseconds
        timeToLive = try Self.timeToLive(plan.timeToLive, plan.table.definition.options.defaultTimeToLive, context)
    }

    func run() throws {
        let cells = try rowFragment()
        let staticCells = try fragment(plan.staticOperations, marker: nil)
        for prefix in try plan.partition.prefixes(context) {
            if let staticCells { try write(staticCells, prefix + [RecordKind.staticRow.rawValue], hasViews: false) }
            if let cells {
                for clustering in try plan.clustering.rows(context) {
                    try write(cells, prefix + [RecordKind.row.rawValue] + clustering, hasViews: true)
                }
            } else if isWholeDelete {
                try deleteRanges(prefix)
            }
        }
    }

    private var isWholeDelete: Bool {
        plan.kind == .delete && plan.operations.isEmpty && plan.staticOperations.isEmpty
    }

    // MARK: USING

    static func timestamp(_ term: BoundTerm?, _ context: ExecutionContext) throws -> Int64? {
        guard let term, case .bytes(let bytes) = try term.evaluate(context) else { return nil }
        guard case .bigint(let timestamp) = try CQLValue(bytes.rawSpan, type: .bigint), timestamp != .min else {
            throw CQLError.invalid(
                "Out of bound timestamp, must be in [\(Int64.min + 1), \(Int64.max)]")
        }
        return timestamp
    }

    /// Absent or unset: the table's default; null or zero: none, even if there is a default.
    private static func timeToLive(
        _ term: BoundTerm?, _ defaultTimeToLive: Int32, _ context: ExecutionContext
    ) throws -> Int32 {
        guard let term else { return defaultTimeToLive }
        switch try term.evaluate(context) {
        case .unset: return defaultTimeToLive
        case .null: return 0
        case .bytes(let bytes):
            guard case .int(let seconds) = try CQLValue(bytes.rawSpan, type: .int) else { return 0 }
            return try TimeToLive.checked(Int64(seconds))
        }
    }

    // MARK: Rows

    /// A fragment with what its ranges refer to and how long it matters.
    private struct EncodedFragment {
        var bytes: [UInt8]
        var expiry: StorageInstant?
    }

    /// What the statement says of each row it names; `nil` if it names none.
    private func rowFragment() throws -> EncodedFragment? {
        if isWholeDelete {
            guard plan.clustering.isComplete else { return nil }
            var row = RowFragment()
            row.deletion = deletion
            return encode(row, [])
        }
        if plan.kind == .insert, plan.clustering.isComplete {
            return try fragment(plan.operations, marker: marker)
        }
        return plan.clustering.isComplete ? try fragment(plan.operations, marker: nil) : nil
    }

    private var marker: RowMarker {
        RowMarker(timestamp: timestamp, timeToLive: timeToLive, expiry: expirySeconds)
    }

    private var expirySeconds: Int64 { timeToLive == 0 ? .max : seconds + Int64(timeToLive) }

    private var deletion: DeletionTime { DeletionTime(timestamp: timestamp, localDeletionTime: seconds) }

    private func fragment(
        _ operations: [ModificationPlan.CellOperation], marker: RowMarker?
    ) throws -> EncodedFragment? {
        var row = RowFragment()
        row.marker = marker
        var values: [UInt8] = []
        row.cells.reserveCapacity(operations.count)
        for operation in operations {
            var cell = Cell(column: operation.column.id, kind: .tombstone, timestamp: timestamp)
            switch try operation.term.evaluate(context) {
            case .unset: continue
            case .null: cell.localDeletionTime = seconds
            case .bytes(let bytes):
                cell.kind = timeToLive == 0 ? .live : .expiring
                cell.timeToLive = timeToLive
                cell.localDeletionTime = expirySeconds
                cell.value = values.count..<values.count + bytes.count
                values.append(contentsOf: bytes)
            }
            row.cells.append(cell)
        }
        return row.isEmpty ? nil : encode(row, values)
    }

    private func encode(_ row: RowFragment, _ values: [UInt8]) -> EncodedFragment {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count + row.cells.count * 4 + 40)
        row.encode(from: values.rawSpan, into: &bytes)
        return EncodedFragment(bytes: bytes, expiry: plan.table.rowOperator.droppableAfter(row))
    }

    private func write(_ fragment: EncodedFragment, _ key: [UInt8], hasViews: Bool) throws {
        if hasViews, !plan.table.views.isEmpty {
            try ViewMaintenance(table: plan.table, transaction: transaction)
                .merge(key: key, fragment: fragment.bytes, expiry: fragment.expiry)
        } else {
            try transaction.merge(
                plan.table.storage, key.rawSpan, fragment.bytes.rawSpan, expiry: fragment.expiry)
        }
    }

    // MARK: Deletions of many rows

    /// Deletes the partition, or the ranges of rows that the restrictions name.
    private func deleteRanges(_ prefix: [UInt8]) throws {
        if plan.clustering.isUnrestricted {
            try merge(PartitionTombstones(partition: deletion), prefix, lower: [], upper: nil)
            return
        }
        for range in try plan.clustering.ranges(context) {
            let tombstones = PartitionTombstones(
                range: .init(lower: range.lower, upper: range.upper, deletion: deletion))
            try merge(tombstones, prefix, lower: range.lower, upper: range.upper)
        }
    }

    private func merge(
        _ tombstones: PartitionTombstones, _ prefix: [UInt8], lower: [UInt8], upper: [UInt8]?
    ) throws {
        let rows = prefix + [RecordKind.row.rawValue]
        if !plan.table.views.isEmpty {
            let range = KeyRange(
                lower: rows + lower, upper: upper.map { rows + $0 } ?? StorageKey.successor(ofPrefix: rows))
            try ViewMaintenance(table: plan.table, transaction: transaction)
                .merge(tombstones: tombstones, partition: prefix, range: range)
        }
        var bytes: [UInt8] = []
        tombstones.encode(into: &bytes)
        let key = prefix + [RecordKind.partitionTombstones.rawValue]
        try transaction.merge(
            plan.table.storage, key.rawSpan, bytes.rawSpan,
            expiry: tombstones.droppableAfter(graceSeconds: plan.table.rowOperator.graceSeconds))
    }
}
