// RowEncoder.swift — the short way of an INSERT or UPDATE: bound values become the stored key and fragment of one row,
// and those of its rows in views, without anything in between.
//
// It takes statements that set single-celled columns of scalar types to markers, in a row whose key is markers too, and
// that ask for nothing else: no condition, USING, static column, index. Whatever it meets at execution that is not
// plain (a value in an uncommon form, a null in a key), it leaves to `ModificationExecutor` before it has written
// anything; that one also has the error texts.
//
// Invariant: what it writes is byte for byte what `ModificationExecutor` and `DependentMaintenance` write.

internal import Synchronization

/// A planned modification as a list of what to append where.
final class RowEncoder: Sendable {
    /// A component of a key.
    struct Component: Sendable {
        var marker: Int
        var type: ScalarType
        var isDescending = false
        /// Of a view's key: the column that is no key of the table.
        var isKeyCell = false
    }

    /// A column that is set.
    struct Setter: Sendable {
        var marker: Int
        var type: ScalarType
        var column: UInt16
    }

    private let table: Table
    private let storage: Keyspace
    private let rowOperator: RowMergeOperator
    private let isInsert: Bool
    private let timeToLive: Int32
    /// Whether rows with a greater clustering value come before those with a smaller one.
    private let isDescending: Bool
    private let partition: [Component]
    private let clustering: [Component]
    /// In the order of their columns.
    private let setters: [Setter]
    private let views: [ViewRowEncoder]
    /// Held for one row at a time.
    private let scratch = Mutex(Scratch())

    /// What a row is put together in.
    private struct Scratch: ~Copyable {
        var buffer = UnsafeRowBuffer()
        var viewRows: [EncodedRow] = []
        /// The row as it is stored.
        var stored = UnsafeRowBuffer()
        /// The row as it was, what the statement says of it, and the row as it is then.
        var before = RowFragment()
        var change = RowFragment()
        var after = RowFragment()
        var viewRow = RowFragment()
    }

    /// Where in the buffer the parts of a row's key lie.
    private struct KeyPlace {
        var prefix: Range<Int>
        var clustering: Range<Int>
        /// Where the partition is among those that are known.
        var slot: UnsafeKnownPartitions.Slot?

        var key: Range<Int> { prefix.lowerBound..<clustering.upperBound }
    }

    /// `nil` where the statement has to go the longer way.
    init?(_ plan: ModificationPlan) {
        let definition = plan.table.definition
        guard plan.kind != .delete, !plan.isConditional, !plan.needsRead, plan.staticOperations.isEmpty,
            plan.timestamp == nil, plan.timeToLive == nil, !definition.isCounter, plan.table.indexes.isEmpty,
            plan.clustering.isComplete,
            let partition = Self.components(definition.partitionKey, plan.partition.values),
            let clustering = Self.components(definition.clustering, plan.clustering.values)
        else { return nil }
        var setters: [Setter] = []
        for operation in plan.operations {
            guard case .set(.marker(let marker, let type)) = operation.action, type == operation.column.type,
                let scalar = ScalarType(type)
            else { return nil }
            setters.append(Setter(marker: marker, type: scalar, column: operation.column.id))
        }
        var views: [ViewRowEncoder] = []
        for view in plan.table.views {
            guard let encoder = ViewRowEncoder(view, key: partition + clustering, setters) else { return nil }
            views.append(encoder)
        }
        table = plan.table
        isDescending = definition.isClusteringDescending
        storage = plan.table.storage
        rowOperator = plan.table.rowOperator
        isInsert = plan.kind == .insert
        timeToLive = definition.options.defaultTimeToLive
        self.partition = partition
        self.clustering = clustering
        self.setters = setters
        self.views = views
    }

    private static func components(_ columns: [ColumnDefinition], _ values: [KeyValues]) -> [Component]? {
        guard columns.count == values.count else { return nil }
        var components: [Component] = []
        for (column, values) in zip(columns, values) {
            guard case .marker(let marker, let type)? = values.single, type == column.type,
                let scalar = ScalarType(type)
            else { return nil }
            components.append(Component(marker: marker, type: scalar, isDescending: column.isDescending))
        }
        return components
    }

    // MARK: Executing

    private enum Outcome {
        case written
        /// Some value is not plain.
        case unusual
        /// The row's views have to be found the longer way.
        case entangled(key: [UInt8], fragment: [UInt8])
    }

    /// Writes the row that the values name.
    ///
    /// - Parameters:
    ///   - values: one for each marker of the statement.
    ///   - timestamp: microseconds; `nil`: the commit's time.
    /// - Returns: whether it did; if not, nothing was written.
    func write(_ values: [CQLValue], timestamp: Int64?, _ transaction: WriteTransaction) throws -> Bool {
        // Refused with an error the longer way.
        if timestamp == .min { return false }
        let times = WriteTimes(
            timestamp: timestamp ?? transaction.commitTime.microseconds, timeToLive: timeToLive,
            seconds: transaction.commitTime.seconds)
        switch try scratch.withLock({ try write(values, times, transaction, &$0) }) {
        case .written: return true
        case .unusual: return false
        case .entangled(let key, let fragment):
            try DependentMaintenance(table: table, transaction: transaction)
                .merge(key: key, fragment: fragment, expiry: expiry(times))
            return true
        }
    }

    private func write(
        _ values: [CQLValue], _ times: WriteTimes, _ transaction: WriteTransaction, _ scratch: inout Scratch
    ) throws -> Outcome {
        scratch.buffer.removeAll()
        scratch.viewRows.clear()
        guard let prefix = scratch.buffer.appendPartition(partition, values) else { return .unusual }
        scratch.buffer.append(RecordKind.row.rawValue)
        let clusteringStart = scratch.buffer.count
        guard scratch.buffer.appendClustering(clustering, values) else { return .unusual }
        // The longer way tells whether the values are longer together than Cassandra allows.
        guard scratch.buffer.count &- clusteringStart <= Int(UInt16.max) else { return .unusual }
        var place = KeyPlace(prefix: prefix, clustering: clusteringStart..<scratch.buffer.count)
        let key = place.key
        var hasTombstones = false
        guard let fragment = appendFragment(values, times, &scratch.buffer, &hasTombstones) else { return .unusual }
        // What comes late has to be written without what is deleted already. The operator takes note of the timestamp, so
        // from here on there is no other way.
        let hides = hasTombstones || timeToLive != 0
        guard try rowOperator.isInOrder(times.timestamp, hides: hides, transaction) else { return .unusual }
        if views.isEmpty {
            rowOperator.partitions.forgetEdges()
            try transaction.mergeUnread(
                scratch.buffer.span(fragment), expiry: expiry(times), key: scratch.buffer.span(key), to: storage,
                rowOperator)
            return .written
        }
        place.slot = rowOperator.partitions.slot(of: scratch.buffer.span(prefix))
        guard try !hasDeletions(place, transaction, &scratch.buffer) else { return entangled(key, fragment, scratch) }
        if try isThere(place, transaction, &scratch) {
            guard try replaceViewRows(fragment, values, transaction, &scratch) else {
                return entangled(key, fragment, scratch)
            }
            guard
                RowReplacement.isDue(
                    storedByteCount: scratch.stored.count, fragmentByteCount: fragment.count,
                    at: transaction.commitTime)
            else {
                try transaction.merge(
                    storage, scratch.buffer.span(key), scratch.buffer.span(fragment), expiry: expiry(times))
                return .written
            }
            let row = Self.append(scratch.after, to: &scratch.buffer)
            try transaction.put(
                storage, scratch.buffer.span(key), scratch.buffer.span(row),
                expiry: rowOperator.droppableAfter(scratch.after))
            return .written
        }
        guard encodeNewRows(values, times, &scratch) else { return entangled(key, fragment, scratch) }
        for (view, row) in zip(views, scratch.viewRows) where !row.key.isEmpty {
            try transaction.put(
                view.storage, scratch.buffer.span(row.key), scratch.buffer.span(row.fragment), expiry: row.expiry)
        }
        // Nothing is there to merge with, which spares those who read it a look for more.
        try transaction.put(
            storage, scratch.buffer.span(key), scratch.buffer.span(fragment), expiry: expiry(times))
        return .written
    }

    private func encodeNewRows(_ values: [CQLValue], _ times: WriteTimes, _ scratch: inout Scratch) -> Bool {
        for view in views {
            guard let row = view.encode(values, times, isInsert: isInsert, into: &scratch.buffer) else { return false }
            scratch.viewRows.append(row)
        }
        return true
    }

    private func entangled(_ key: Range<Int>, _ fragment: Range<Int>, _ scratch: borrowing Scratch) -> Outcome {
        .entangled(key: scratch.buffer.span(key).array(), fragment: scratch.buffer.span(fragment).array())
    }

    private func expiry(_ times: WriteTimes) -> StorageInstant? {
        times.droppableAfter(graceSeconds: rowOperator.graceSeconds)
    }

    /// Whether there is some deletion in the partition.
    private func hasDeletions(
        _ place: KeyPlace, _ transaction: WriteTransaction, _ buffer: inout UnsafeRowBuffer
    ) throws -> Bool {
        let (known, generation) = (rowOperator.partitions, rowOperator.deletionGeneration)
        if let slot = place.slot, known.hasNoDeletions(slot, generation: generation) { return false }
        let start = buffer.count
        buffer.copy(place.prefix)
        buffer.append(RecordKind.partitionTombstones.rawValue)
        if try transaction.contains(storage, buffer.span(start..<buffer.count)) { return true }
        if let slot = place.slot { known.noteNoDeletions(slot, generation: generation) }
        return false
    }

    // MARK: Rows that are there

    /// Reads the row, which is about to be written, into `stored`; false if there is none.
    private func isThere(
        _ place: KeyPlace, _ transaction: WriteTransaction, _ scratch: inout Scratch
    ) throws -> Bool {
        scratch.stored.removeAll()
        if try isBeyondEdge(place, transaction, scratch.buffer) { return false }
        if try read(place.key, transaction, scratch.buffer, into: &scratch.stored) { return true }
        if let slot = place.slot { rowOperator.partitions.noteSearchInVain(slot) }
        return false
    }

    private func read(
        _ key: Range<Int>, _ transaction: WriteTransaction, _ buffer: borrowing UnsafeRowBuffer,
        into stored: inout UnsafeRowBuffer
    ) throws -> Bool {
        try transaction.view.read(storage, buffer.span(key)) { stored.append($0) }
    }

    /// Whether the row lies beyond all that its partition has, as far as is known; the partition ends with it then.
    private func isBeyondEdge(
        _ place: KeyPlace, _ transaction: WriteTransaction, _ buffer: borrowing UnsafeRowBuffer
    ) throws -> Bool {
        guard let slot = place.slot, !clustering.isEmpty else { return false }
        let known = rowOperator.partitions
        if known.isEdgeWanted(slot) { try findEdge(place, slot, transaction, buffer) }
        let row = buffer.span(place.clustering)
        guard known.isBeyondEdge(row, slot, isDescending: isDescending) else { return false }
        known.setEdge(row, slot)
        return true
    }

    /// Looks where the rows of the partition end. Where there is none, that is before the row at hand, which is about to be
    /// written.
    private func findEdge(
        _ place: KeyPlace, _ slot: UnsafeKnownPartitions.Slot, _ transaction: WriteTransaction,
        _ buffer: borrowing UnsafeRowBuffer
    ) throws {
        let rows = buffer.span(place.prefix).array() + [RecordKind.row.rawValue]
        var cursor = try transaction.cursor(storage, .prefix(rows))
        if isDescending { try cursor.seekToFirst() } else { try cursor.seekToLast() }
        guard cursor.isValid else { return rowOperator.partitions.setEdge(buffer.span(place.clustering), slot) }
        rowOperator.partitions.setEdge(cursor.key.extracting(rows.count..<cursor.key.byteCount), slot)
    }

    /// Writes the rows that views have instead of those for the stored row; false, and nothing written, where one of them
    /// has to go the longer way.
    private func replaceViewRows(
        _ fragment: Range<Int>, _ values: [CQLValue], _ transaction: WriteTransaction, _ scratch: inout Scratch
    ) throws -> Bool {
        let stored = Self.append(scratch.stored, to: &scratch.buffer)
        try Self.decode(stored, of: scratch.buffer, into: &scratch.before)
        try Self.decode(fragment, of: scratch.buffer, into: &scratch.change)
        Self.reconcile(scratch.before, scratch.change, of: scratch.buffer, into: &scratch.after)
        for view in views {
            guard let old = view.encode(scratch.before, values, &scratch.viewRow, into: &scratch.buffer),
                let new = view.encode(scratch.after, values, &scratch.viewRow, into: &scratch.buffer)
            else { return false }
            scratch.viewRows.append(old)
            scratch.viewRows.append(new)
        }
        for (index, view) in views.enumerated() {
            try replace(
                scratch.viewRows[index * 2], by: scratch.viewRows[index * 2 + 1], of: view, scratch.buffer, transaction)
        }
        return true
    }

    private static func append(
        _ bytes: borrowing UnsafeRowBuffer, to buffer: inout UnsafeRowBuffer
    ) -> Range<Int> {
        let start = buffer.count
        buffer.append(bytes.span(upTo: bytes.count))
        return start..<buffer.count
    }

    /// Appends a row whose values lie in the buffer.
    private static func append(_ row: borrowing RowFragment, to buffer: inout UnsafeRowBuffer) -> Range<Int> {
        let start = buffer.count
        let writer = row.writer(into: &buffer)
        for cell in row.cells { writer.copy(cell, in: &buffer) }
        return start..<buffer.count
    }

    private static func decode(
        _ range: Range<Int>, of buffer: borrowing UnsafeRowBuffer, into fragment: inout RowFragment
    ) throws {
        try fragment.decode(buffer.span(upTo: range.upperBound), at: range.lowerBound)
    }

    private static func reconcile(
        _ first: RowFragment, _ second: RowFragment, of buffer: borrowing UnsafeRowBuffer,
        into merged: inout RowFragment
    ) {
        let bytes = buffer.span(upTo: buffer.count)
        merged.reconcile(first, bytes, second, bytes)
    }

    /// As `DependentMaintenance` does. Rows that are not there have no key.
    private func replace(
        _ old: EncodedRow, by new: EncodedRow, of view: ViewRowEncoder, _ buffer: borrowing UnsafeRowBuffer,
        _ transaction: WriteTransaction
    ) throws {
        let isSameKey = buffer.span(old.key).equals(buffer.span(new.key))
        if isSameKey, buffer.span(old.fragment).equals(buffer.span(new.fragment)) { return }
        if !old.key.isEmpty, !isSameKey { try transaction.delete(view.storage, buffer.span(old.key)) }
        guard !new.key.isEmpty else { return }
        try transaction.put(view.storage, buffer.span(new.key), buffer.span(new.fragment), expiry: new.expiry)
    }

    /// Appends what the statement says of the row.
    private func appendFragment(
        _ values: [CQLValue], _ times: WriteTimes, _ buffer: inout UnsafeRowBuffer, _ hasTombstones: inout Bool
    ) -> Range<Int>? {
        let start = buffer.count
        buffer.appendFragmentHead(times, hasMarker: isInsert)
        var hasCells = isInsert
        for setter in setters {
            switch values[setter.marker] {
            case .unset: continue
            case .null:
                // Without a marker the first cell is what the others' times are measured by.
                guard hasCells else { return nil }
                hasTombstones = true
                buffer.append(Cell.Kind.tombstone.rawValue)
                buffer.appendVarint(Int(setter.column))
                buffer.appendBigEndian(times.seconds)
            case let value:
                hasCells = true
                buffer.append(times.cellFlags)
                buffer.appendVarint(Int(setter.column))
                guard setter.type.append(value, isSized: true, to: &buffer) else { return nil }
            }
        }
        return hasCells ? start..<buffer.count : nil
    }
}

/// What every cell of one statement carries.
struct WriteTimes {
    /// Microseconds.
    var timestamp: Int64
    /// Seconds; 0 lives for ever.
    var timeToLive: Int32
    /// When it is written.
    var seconds: Int64

    var expiry: Int64 { timeToLive == 0 ? .max : seconds + Int64(timeToLive) }

    /// The flags of a cell with a value: everything else is the base's.
    var cellFlags: UInt8 { timeToLive == 0 ? Cell.Kind.live.rawValue : Cell.Kind.expiring.rawValue }

    /// As `RowFragment.droppableAfter`, of a fragment with a marker or a cell with a value.
    func droppableAfter(graceSeconds: Int64) -> StorageInstant? {
        guard timeToLive != 0 else { return nil }
        let (graceEnd, overflow) = seconds.addingReportingOverflow(graceSeconds)
        let (end, isLast) = max(expiry, overflow ? .max : graceEnd).addingReportingOverflow(1)
        return StorageInstant(seconds: isLast ? .max : end)
    }
}

extension UnsafeRowBuffer {
    /// Appends the prefix of the values' partition and tells where it lies; `nil` where there is none.
    ///
    /// - Parameter cell: where the value of a view's key cell lies, unless it comes from its marker.
    mutating func appendPartition(
        _ components: [RowEncoder.Component], _ values: [CQLValue], cell: Range<Int>? = nil
    ) -> Range<Int>? {
        let serialized = count
        if components.count == 1 {
            guard appendSerialized(components[0], values, cell) else { return nil }
        } else {
            for component in components {
                let start = count
                appendBigEndian(UInt16(0))
                guard appendSerialized(component, values, cell), let byteCount = UInt16(exactly: count - start - 2)
                else { return nil }
                replace(at: start, with: byteCount)
                append(0)
            }
        }
        let partitionKey = serialized..<count
        guard !partitionKey.isEmpty, partitionKey.count <= StorageKey.maximumPartitionKeyByteCount else { return nil }
        let prefix = count
        appendBigEndian(UInt64(bitPattern: Murmur3.token(span(partitionKey))) ^ 1 << 63)
        copyEscaped(partitionKey)
        return prefix..<count
    }

    @inline(__always)
    private mutating func appendSerialized(
        _ component: RowEncoder.Component, _ values: [CQLValue], _ cell: Range<Int>?
    ) -> Bool {
        if component.isKeyCell, let cell {
            copy(cell)
            return true
        }
        return component.type.append(values[component.marker], isSized: false, to: &self)
    }

    mutating func appendClustering(
        _ components: [RowEncoder.Component], _ values: [CQLValue], cell: Range<Int>? = nil
    ) -> Bool {
        for component in components {
            let isAppended =
                if component.isKeyCell, let cell {
                    component.type.copyOrdered(cell, descending: component.isDescending, in: &self)
                } else {
                    component.type.appendOrdered(
                        values[component.marker], descending: component.isDescending, to: &self)
                }
            guard isAppended else { return false }
        }
        return true
    }

    /// Appends what comes before a fragment's cells; see RowFragment+Codec.swift.
    mutating func appendFragmentHead(_ times: WriteTimes, hasMarker: Bool) {
        var flags: UInt8 = hasMarker ? RowFragmentFlags.marker : 0
        if times.timeToLive != 0 { flags |= RowFragmentFlags.baseTimeToLive }
        append(flags)
        appendBigEndian(times.timestamp)
        if times.timeToLive != 0 {
            appendBigEndian(times.timeToLive)
            appendBigEndian(times.expiry)
        }
        if hasMarker { append(times.cellFlags) }
    }
}
