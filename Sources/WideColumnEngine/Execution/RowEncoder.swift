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
    }

    /// A column that is set.
    struct Setter: Sendable {
        var marker: Int
        var type: ScalarType
        var column: UInt16
    }

    private let table: Table
    private let isInsert: Bool
    private let timeToLive: Int32
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
    }

    /// `nil` where the statement has to go the longer way.
    init?(_ plan: ModificationPlan) {
        let definition = plan.table.definition
        guard plan.kind != .delete, !plan.isConditional, !plan.needsRead, plan.staticOperations.isEmpty,
            plan.timestamp == nil, plan.timeToLive == nil, !definition.isCounter, plan.table.indexes.isEmpty,
            plan.table.deadColumns.isEmpty, plan.clustering.isComplete, plan.clustering.tuples == nil,
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
        /// The row or a deletion in its partition is there, so the views' old rows have to be found.
        case known(key: [UInt8], fragment: [UInt8])
    }

    /// Writes the row that the values name.
    ///
    /// - Parameters:
    ///   - values: one for each marker of the statement.
    ///   - timestamp: microseconds; `nil`: the commit's time.
    /// - Returns: whether it did; if not, nothing was written.
    func write(_ values: [CQLValue], timestamp: Int64?, _ transaction: WriteTransaction) throws -> Bool {
        let commitTimestamp = transaction.commitTime.microseconds
        let times = WriteTimes(
            timestamp: timestamp ?? commitTimestamp, timeToLive: timeToLive, seconds: transaction.commitTime.seconds)
        let outcome = try scratch.withLock { try write(values, times, transaction, &$0) }
        switch outcome {
        case .written: return true
        case .unusual: return false
        case .known(let key, let fragment):
            try DependentMaintenance(table: table, transaction: transaction)
                .merge(key: key, fragment: fragment, expiry: expiry(times))
            return true
        }
    }

    private func write(
        _ values: [CQLValue], _ times: WriteTimes, _ transaction: WriteTransaction, _ scratch: inout Scratch
    ) throws -> Outcome {
        scratch.buffer.removeAll()
        scratch.viewRows.removeAll(keepingCapacity: true)
        guard let prefix = scratch.buffer.appendPartition(partition, values) else { return .unusual }
        scratch.buffer.append(RecordKind.row.rawValue)
        guard scratch.buffer.appendClustering(clustering, values) else { return .unusual }
        let key = prefix.lowerBound..<scratch.buffer.count
        guard let fragment = appendFragment(values, times, &scratch.buffer) else { return .unusual }
        for view in views {
            guard view.encode(values, times, isInsert: isInsert, into: &scratch.buffer, &scratch.viewRows) else {
                return .unusual
            }
        }
        // What comes late has to be written without what is deleted already. The operator takes note of the timestamp, so
        // from here on there is no other way.
        guard
            table.rowOperator.isInOrder(
                times.timestamp, sharesTimestamp: times.timestamp == transaction.commitTime.microseconds)
        else { return .unusual }
        if !views.isEmpty, try isKnown(key, prefixByteCount: prefix.count, transaction, &scratch.buffer) {
            return .known(key: scratch.buffer.span(key).array(), fragment: scratch.buffer.span(fragment).array())
        }
        for row in scratch.viewRows {
            try transaction.put(
                row.storage, scratch.buffer.span(row.key), scratch.buffer.span(row.fragment), expiry: row.expiry)
        }
        try transaction.merge(
            table.storage, scratch.buffer.span(key), scratch.buffer.span(fragment), expiry: expiry(times))
        return .written
    }

    private func expiry(_ times: WriteTimes) -> StorageInstant? {
        times.droppableAfter(graceSeconds: table.rowOperator.graceSeconds)
    }

    /// Whether there is a row with this key, or some deletion in its partition.
    private func isKnown(
        _ key: Range<Int>, prefixByteCount: Int, _ transaction: WriteTransaction, _ buffer: inout UnsafeRowBuffer
    ) throws -> Bool {
        if try transaction.contains(table.storage, buffer.span(key)) { return true }
        let start = buffer.count
        buffer.copy(key.lowerBound..<key.lowerBound + prefixByteCount)
        buffer.append(RecordKind.partitionTombstones.rawValue)
        return try transaction.contains(table.storage, buffer.span(start..<buffer.count))
    }

    /// Appends what the statement says of the row.
    private func appendFragment(
        _ values: [CQLValue], _ times: WriteTimes, _ buffer: inout UnsafeRowBuffer
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

/// A row of a view as ranges of the buffer that it was put together in.
struct EncodedRow {
    var storage: Keyspace
    var key: Range<Int>
    var fragment: Range<Int>
    var expiry: StorageInstant?
}

/// The row of a view that a row stands for which was not there before.
struct ViewRowEncoder: Sendable {
    private let view: View
    private let partition: [RowEncoder.Component]
    private let clustering: [RowEncoder.Component]
    /// The marker that the view's key has its one column from that is no key of the table; rows without have none.
    private let keyMarker: Int?
    /// The statement leaves that column out, so it makes no row of the view.
    private let lacksKey: Bool
    /// The columns that the view has; of the others it keeps that they live, if `isVirtual`.
    private let setters: [(setter: RowEncoder.Setter, isVirtual: Bool)]
    private let needsMarker: Bool
    private let graceSeconds: Int64

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
                component = RowEncoder.Component(marker: keySetter?.marker ?? 0, type: type)
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
        keyMarker = keySetter?.marker
        lacksKey = view.keyCell != nil && keySetter == nil
        self.setters = setters.compactMap { setter in
            guard setter.column != view.keyCell else { return nil }
            if view.selects(setter.column) { return (setter, false) }
            return view.keyCell == nil ? (setter, true) : nil
        }
        needsMarker = rowOperator.needsMarker
        graceSeconds = rowOperator.graceSeconds
    }

    /// Adds the view's row to `rows`, if there is one; false where a value is not plain.
    func encode(
        _ values: [CQLValue], _ times: WriteTimes, isInsert: Bool, into buffer: inout UnsafeRowBuffer,
        _ rows: inout [EncodedRow]
    ) -> Bool {
        if lacksKey { return true }
        if let keyMarker {
            switch values[keyMarker] {
            case .null, .unset: return true
            default: break
            }
        }
        guard let prefix = buffer.appendPartition(partition, values) else { return false }
        buffer.append(RecordKind.row.rawValue)
        guard buffer.appendClustering(clustering, values) else { return false }
        let key = prefix.lowerBound..<buffer.count
        var isThere = isInsert || keyMarker != nil
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
                    return false
                }
            }
        }
        guard isThere else { return true }
        let expiry =
            needsMarker && times.timeToLive != 0
            ? StorageInstant(seconds: times.expiry) : times.droppableAfter(graceSeconds: graceSeconds)
        rows.append(
            EncodedRow(storage: view.storage, key: key, fragment: key.upperBound..<buffer.count, expiry: expiry))
        return true
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
    fileprivate mutating func appendPartition(
        _ components: [RowEncoder.Component], _ values: [CQLValue]
    ) -> Range<Int>? {
        let serialized = count
        if components.count == 1 {
            guard components[0].type.append(values[components[0].marker], isSized: false, to: &self) else {
                return nil
            }
        } else {
            for component in components {
                let start = count
                appendBigEndian(UInt16(0))
                guard component.type.append(values[component.marker], isSized: false, to: &self),
                    let byteCount = UInt16(exactly: count - start - 2)
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

    fileprivate mutating func appendClustering(_ components: [RowEncoder.Component], _ values: [CQLValue]) -> Bool {
        for component in components
        where !component.type.appendOrdered(
            values[component.marker], descending: component.isDescending, to: &self)
        { return false }
        return true
    }

    /// Appends what comes before a fragment's cells; see RowFragment+Codec.swift.
    fileprivate mutating func appendFragmentHead(_ times: WriteTimes, hasMarker: Bool) {
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
