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
        seconds = context.nowInSeconds ?? transaction.commitTime.seconds
        timestamp =
            try Self.timestamp(plan.timestamp, context) ?? batchTimestamp
            ?? (plan.isConditional || plan.table.definition.isCounter ? nil : context.timestamp)
            ?? transaction.commitTime.microseconds
        guard timestamp != .min else { throw Self.timestampOutOfBounds }
        timeToLive = try Self.timeToLive(plan.timeToLive, plan.table.definition.options.defaultTimeToLive, context)
    }

    private static var timestampOutOfBounds: CQLError {
        .invalid("Out of bound timestamp, must be in [\(Int64.min + 1), \(Int64.max)]")
    }

    /// The bytes written so far: what a batch's size is measured by.
    private(set) var byteCount = 0
    /// Of reads that passed many tombstones.
    private(set) var warnings: [String] = []
    /// What is not read any more, because other members of the batch have changed it since.
    var rowsBefore = RowsBefore()

    mutating func run() throws {
        if plan.needsRead { return try runReading() }
        let cells = try rowFragment()
        let staticCells = try fragment(plan.staticOperations, marker: nil)
        for prefix in try plan.partition.prefixes(context) {
            if let staticCells { try writeStatic(staticCells, prefix) }
            if let cells {
                for clustering in try plan.clustering.rows(context) {
                    try checkLength(of: clustering)
                    try write(
                        cells, prefix + [RecordKind.row.rawValue] + clustering,
                        hasDependents: plan.table.hasDependents)
                }
            } else if isWholeDelete {
                try deleteRanges(prefix)
            }
        }
    }

    /// Reads the rows that the statement has to read, as far as they lie in some partitions, for when it runs.
    mutating func readAhead(in partitions: Set<RowsBefore.Partition>) throws {
        for prefix in try plan.partition.prefixes(context) {
            guard partitions.contains(.init(table: plan.table.identifier, prefix: prefix)) else { continue }
            var rows: [[UInt8]?] = plan.staticOperations.isEmpty ? [] : [nil]
            if plan.clustering.isComplete, !plan.operations.isEmpty { rows += try plan.clustering.rows(context) }
            var reading = TombstoneGuard.Reading()
            for clustering in rows {
                let place = place(prefix, clustering)
                guard rowsBefore[place] == nil else { continue }
                rowsBefore[place] = try read(prefix, clustering, &reading)
            }
            warnings += context.tombstoneGuard?.warnings(reading) ?? []
        }
    }

    private func place(_ prefix: [UInt8], _ clustering: [UInt8]?) -> RowsBefore.Place {
        RowsBefore.Place(
            partition: .init(table: plan.table.identifier, prefix: prefix), clustering: clustering,
            columns: plan.readColumns)
    }

    /// Some operation depends on the row as it is: every row has cells of its own.
    private mutating func runReading() throws {
        let isComplete = plan.clustering.isComplete
        for prefix in try plan.partition.prefixes(context) {
            let rows = isComplete ? try plan.clustering.rows(context) : []
            var reading = TombstoneGuard.Reading()
            if !plan.staticOperations.isEmpty {
                let current = try read(prefix, nil, &reading)
                if let cells = try fragment(plan.staticOperations, marker: nil, current) {
                    try writeStatic(cells, prefix)
                }
            }
            for clustering in rows where !plan.operations.isEmpty || plan.kind == .insert {
                try checkLength(of: clustering)
                let current = try read(prefix, clustering, &reading)
                let marker = plan.kind == .insert ? marker : nil
                guard let cells = try fragment(plan.operations, marker: marker, current) else { continue }
                try write(
                    cells, prefix + [RecordKind.row.rawValue] + clustering, hasDependents: plan.table.hasDependents)
            }
            warnings += context.tombstoneGuard?.warnings(reading) ?? []
        }
    }

    /// The row as it is, one of those of a partition that are one read.
    private func read(
        _ prefix: [UInt8], _ clustering: [UInt8]?, _ reading: inout TombstoneGuard.Reading
    ) throws -> RowContext {
        if !rowsBefore.isEmpty, let row = rowsBefore[place(prefix, clustering)] { return row }
        var row = RowContext(plan.table, now: seconds)
        row.countedColumns = plan.readColumns
        let isLive = try row.load(
            plan.table.storage, partition: prefix, clustering: clustering, transaction.view)
        guard let tombstoneGuard = context.tombstoneGuard, !plan.table.definition.isCounter else { return row }
        reading.note(row, isLive: isLive)
        let key = prefix + (clustering.map { [RecordKind.row.rawValue] + $0 } ?? [RecordKind.staticRow.rawValue])
        try tombstoneGuard.check(reading.tombstoneCount, plan.table.definition, row: key)
        return row
    }

    /// Refuses clustering values that are longer together than Cassandra allows. Rows that were taken all the same, by an earlier
    /// version, can be deleted.
    private func checkLength(of clustering: [UInt8]) throws {
        let maximum = Int(UInt16.max)
        // The ordered form is never shorter than the values.
        guard clustering.count > maximum, plan.kind != .delete else { return }
        var values: [UInt8] = []
        var offset = 0
        for column in plan.table.definition.clustering {
            try OrderedComponent.decode(
                clustering.rawSpan, at: &offset, column.type, descending: column.isDescending, into: &values)
        }
        guard values.count <= maximum else {
            throw CQLError.invalid("The sum of all clustering columns is too long (\(values.count) > \(maximum))")
        }
    }

    private mutating func writeStatic(_ cells: EncodedFragment, _ prefix: [UInt8]) throws {
        try write(cells, prefix + [RecordKind.staticRow.rawValue], hasDependents: !plan.table.indexes.isEmpty)
    }

    private var isWholeDelete: Bool {
        plan.kind == .delete && plan.operations.isEmpty && plan.staticOperations.isEmpty
    }

    // MARK: USING

    static func timestamp(_ term: BoundTerm?, _ context: ExecutionContext) throws -> Int64? {
        guard let term else { return nil }
        let bytes: [UInt8]
        switch try term.evaluate(context) {
        case .unset: return nil
        case .null: throw CQLError.invalid("Invalid null value of timestamp")
        case .bytes(let value): bytes = value
        }
        guard case .bigint(let timestamp) = try CQLValue(bytes.rawSpan, type: .bigint), timestamp != .min else {
            throw timestampOutOfBounds
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
        var hidesOlder: Bool
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
        _ operations: [CellOperation], marker: RowMarker?, _ current: RowContext? = nil
    ) throws -> EncodedFragment? {
        if operations.isEmpty, marker == nil { return nil }
        var builder = FragmentBuilder(
            context, timestamp: timestamp, timeToLive: timeToLive, seconds: seconds, marker: marker)
        try builder.apply(operations, current: current)
        return builder.row.isEmpty ? nil : encode(builder.row, builder.values)
    }

    private func encode(_ row: RowFragment, _ values: [UInt8]) -> EncodedFragment {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count + row.cells.count * 4 + 40)
        row.encode(from: values.rawSpan, into: &bytes)
        return EncodedFragment(
            bytes: bytes, expiry: plan.table.rowOperator.droppableAfter(row), hidesOlder: row.hidesOlder)
    }

    /// What is left of a fragment beside everything written to the row, and above it, before. For writes that come late.
    private func reconciled(_ fragment: EncodedFragment, _ key: [UInt8]) throws -> EncodedFragment? {
        let parts = try StorageKey.Parts(key.rawSpan)
        let maintenance = DependentMaintenance(table: plan.table, transaction: transaction)
        let tombstones = try maintenance.tombstones(ofPartition: Array(key[..<parts.prefixByteCount]))
        let stored = try transaction.get(plan.table.storage, key.rawSpan)
        var row =
            try stored.map { try RowFragment.survivors(of: fragment.bytes.rawSpan, beside: $0.rawSpan) }
            ?? RowFragment(fragment.bytes.rawSpan)
        _ = row.apply(tombstones, key.rawSpan, prefixByteCount: parts.prefixByteCount)
        return row.isEmpty ? nil : encode(row, fragment.bytes)
    }

    private mutating func write(_ fragment: EncodedFragment, _ key: [UInt8], hasDependents: Bool) throws {
        let isInOrder = try plan.table.rowOperator.isInOrder(timestamp, hides: fragment.hidesOlder, transaction)
        byteCount += key.count + fragment.bytes.count
        // A counter's new total is never late: it was counted from what is there.
        let isTaken = isInOrder || plan.table.definition.isCounter
        guard let fragment = isTaken ? fragment : try reconciled(fragment, key) else { return }
        if hasDependents {
            return try DependentMaintenance(table: plan.table, transaction: transaction)
                .merge(key: key, fragment: fragment.bytes, expiry: fragment.expiry)
        }
        // Only views ask for edges, and not for those of static rows.
        if !plan.table.hasDependents { plan.table.rowOperator.partitions.forgetEdges() }
        if plan.needsRead || plan.isConditional {
            // The row was read already, for a condition or an operation.
            let stored = try transaction.get(plan.table.storage, key.rawSpan)
            try transaction.write(
                fragment.bytes.rawSpan, expiry: fragment.expiry, key: key.rawSpan, stored: stored,
                to: plan.table.storage, plan.table.rowOperator, hasTotals: plan.table.definition.isCounter)
        } else {
            try transaction.mergeUnread(
                fragment.bytes.rawSpan, expiry: fragment.expiry, key: key.rawSpan, to: plan.table.storage,
                plan.table.rowOperator)
        }
    }

    // MARK: Deletions of many rows

    /// Statements commit whole, views and indexes with them; what does not fit is for the user to divide.
    private var tooManyRows: CQLError {
        .invalid(
            "Deleting so many rows of \(plan.table.identifier) at once takes more than one commit holds, because its views "
                + "and indexes change with every row; delete them in several ranges of clustering keys")
    }

    /// Deletes the partition, or the ranges of rows that the restrictions name.
    private mutating func deleteRanges(_ prefix: [UInt8]) throws {
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

    private mutating func merge(
        _ tombstones: PartitionTombstones, _ prefix: [UInt8], lower: [UInt8], upper: [UInt8]?
    ) throws {
        let rows = prefix + [RecordKind.row.rawValue]
        if plan.table.hasDependents {
            let range = KeyRange(
                lower: rows + lower, upper: upper.map { rows + $0 } ?? StorageKey.successor(ofPrefix: rows))
            do {
                try DependentMaintenance(table: plan.table, transaction: transaction)
                    .merge(tombstones: tombstones, partition: prefix, range: range)
            } catch let error as StorageError where error.code == .batchTooLarge { throw tooManyRows }
        }
        var bytes: [UInt8] = []
        tombstones.encode(into: &bytes)
        byteCount += prefix.count + bytes.count
        let key = prefix + [RecordKind.partitionTombstones.rawValue]
        plan.table.rowOperator.noteDeletion()
        // Whatever it covers and comes later is late, also where a compaction is about to forget the deletion.
        _ = try plan.table.rowOperator.isInOrder(timestamp, hides: true, transaction)
        // When they may go depends on the rows, which only a compaction looks at.
        try transaction.merge(plan.table.storage, key.rawSpan, bytes.rawSpan, expiry: nil)
    }
}
