// FragmentBuilder.swift — what one statement says of one row: the operations of its columns as cells
// ([CA] cql3/terms: Constants, Lists, Sets, Maps, UserTypes, their `Setter`s and friends).

/// Collects the cells of one row.
struct FragmentBuilder {
    let context: ExecutionContext
    let timestamp: Int64
    /// Seconds.
    let timeToLive: Int32
    /// The time of the write in seconds.
    let seconds: Int64
    private(set) var row = RowFragment()
    /// What the cells' ranges refer to.
    private(set) var values: [UInt8] = []
    private var hasElements = false

    init(_ context: ExecutionContext, timestamp: Int64, timeToLive: Int32, seconds: Int64, marker: RowMarker?) {
        self.context = context
        self.timestamp = timestamp
        self.timeToLive = timeToLive
        self.seconds = seconds
        row.marker = marker
    }

    /// - Parameter current: the row as it is, for operations that need it.
    mutating func apply(_ operations: [CellOperation], current: RowContext?) throws {
        row.cells.reserveCapacity(operations.count)
        for operation in operations {
            if case .set(let term) = operation.action {
                try set(operation.column, try term.evaluate(context))
            } else {
                try apply(operation, current)
            }
        }
        if hasElements { sortElements() }
    }

    private mutating func apply(_ operation: CellOperation, _ current: RowContext?) throws {
        let column = operation.column
        switch operation.action {
        case .set(let term): try set(column, try term.evaluate(context))
        case .setAll(let term): try setAll(column, term)
        case .deleteAll: deleteAll(column, before: timestamp)
        case .add(let term): try add(column, term)
        case .prepend(let term): try prepend(column, term)
        case .subtract(let term): try subtract(column, term, current)
        case .setElement(let key, let term): try setElement(column, key, term, current)
        case .deleteElement(let key): try deleteElement(column, key, current)
        case .setField(let index, let term):
            let result = try term.evaluate(context)
            guard result != .unset else { return }
            appendElement(column, ElementPath.path(ofField: index), result)
        case .increment(let term): try increment(column, term, sign: 1, current)
        case .decrement(let term): try increment(column, term, sign: -1, current)
        }
    }

    private mutating func set(_ column: ColumnDefinition, _ result: BoundTerm.Result) throws {
        switch result {
        case .unset: return
        case .null:
            row.cells.append(
                Cell(column: column.id, kind: .tombstone, timestamp: timestamp, localDeletionTime: seconds))
        case .bytes(let bytes): append(bytes, column, path: 0..<0)
        }
    }

    private mutating func append(_ bytes: [UInt8], _ column: ColumnDefinition, path: Range<Int>) {
        var cell = Cell(column: column.id, kind: timeToLive == 0 ? .live : .expiring, timestamp: timestamp)
        cell.timeToLive = timeToLive
        cell.localDeletionTime = timeToLive == 0 ? .max : seconds + Int64(timeToLive)
        cell.path = path
        cell.value = values.count..<values.count + bytes.count
        values.append(contentsOf: bytes)
        row.cells.append(cell)
    }

    // MARK: Elements

    private mutating func appendElement(_ column: ColumnDefinition, _ path: [UInt8], _ result: BoundTerm.Result) {
        hasElements = true
        let range = values.count..<values.count + path.count
        values.append(contentsOf: path)
        if case .bytes(let bytes) = result { return append(bytes, column, path: range) }
        row.cells.append(
            Cell(column: column.id, kind: .tombstone, timestamp: timestamp, localDeletionTime: seconds, path: range))
    }

    private mutating func deleteAll(_ column: ColumnDefinition, before: Int64) {
        hasElements = true
        row.cells.append(
            Cell(column: column.id, kind: .complexDeletion, timestamp: before, localDeletionTime: seconds))
    }

    /// Whole assignment deletes what is older than the statement, and adds what is new.
    private mutating func setAll(_ column: ColumnDefinition, _ term: BoundTerm) throws {
        let result = try term.evaluate(context)
        guard result != .unset else { return }
        deleteAll(column, before: timestamp - 1)
        guard case .bytes(let bytes) = result else { return }
        try add(column, try CQLValue(bytes.rawSpan, type: column.type))
    }

    private mutating func add(_ column: ColumnDefinition, _ term: BoundTerm) throws {
        guard case .bytes(let bytes) = try term.evaluate(context) else { return }
        try add(column, try CQLValue(bytes.rawSpan, type: column.type))
    }

    private mutating func add(_ column: ColumnDefinition, _ value: CQLValue) throws {
        switch (column.type, value) {
        case (.list(let type), .list(let elements)):
            for element in elements {
                let id = context.generators.timeUUIDs.next(at: context.now)
                appendElement(column, ElementPath.path(ofListElement: id), .bytes(try element.serialized(as: type)))
            }
        case (.set(let type), .set(let elements)):
            for element in elements {
                let path = try ElementPath.path(ofKey: element.serialized(as: type), type)
                appendElement(column, path, .bytes([]))
            }
        case (.map(let keyType, let type), .map(let entries)):
            for entry in entries {
                let path = try ElementPath.path(ofKey: entry.key.serialized(as: keyType), keyType)
                appendElement(column, path, .bytes(try entry.value.serialized(as: type)))
            }
        case (.userType(let type), .userDefined(let fields)):
            for (index, field) in fields.enumerated() where !field.value.isNull {
                let bytes = try field.value.serialized(as: type.fields[index].type)
                appendElement(column, ElementPath.path(ofField: index), .bytes(bytes))
            }
        default: return
        }
    }

    private mutating func prepend(_ column: ColumnDefinition, _ term: BoundTerm) throws {
        guard case .list(let type) = column.type,
            case .list(let elements) = try term.value(as: column.type, context)
        else { return }
        // Identifiers go backwards in time, so the last element gets the first of them.
        for element in elements.reversed() {
            let id = context.generators.timeUUIDs.nextMirrored(at: context.now)
            appendElement(column, ElementPath.path(ofListElement: id), .bytes(try element.serialized(as: type)))
        }
    }

    private mutating func subtract(_ column: ColumnDefinition, _ term: BoundTerm, _ current: RowContext?) throws {
        switch column.type {
        case .set(let type), .map(let type, _):
            guard case .set(let keys) = try term.value(as: .set(type), context) else { return }
            for key in keys {
                appendElement(column, try ElementPath.path(ofKey: key.serialized(as: type), type), .null)
            }
        case .list(let type):
            guard case .list(let removed) = try term.value(as: column.type, context), let current else { return }
            let bytes = Set(try removed.map { try $0.serialized(as: type) })
            let stored = current.storedBytes(column)
            for cell in current.liveElements(column) where bytes.contains(Array(stored[cell.value])) {
                appendElement(column, Array(stored[cell.path]), .null)
            }
        default: return
        }
    }

    private mutating func setElement(
        _ column: ColumnDefinition, _ key: BoundTerm, _ term: BoundTerm, _ current: RowContext?
    ) throws {
        let result = try term.evaluate(context)
        if case .map(let keyType, _) = column.type {
            let path = try mapPath(key, keyType)
            guard result != .unset else { return }
            return appendElement(column, path, result)
        }
        let path = try listPath(column, key, current, "set an element on")
        guard result != .unset else { return }
        appendElement(column, path, result)
    }

    private mutating func deleteElement(_ column: ColumnDefinition, _ key: BoundTerm, _ current: RowContext?) throws {
        switch column.type {
        case .set(let type): appendElement(column, try mapPath(key, type, "set element"), .null)
        case .map(let type, _): appendElement(column, try mapPath(key, type), .null)
        default:
            guard try key.evaluate(context) != .unset else { return }
            appendElement(column, try listPath(column, key, current, "delete an element from"), .null)
        }
    }

    /// - Parameter role: what the key is, as messages say it.
    private func mapPath(_ key: BoundTerm, _ type: CQLType, _ role: String = "map key") throws -> [UInt8] {
        switch try key.evaluate(context) {
        case .null: throw CQLError.invalid("Invalid null \(role)")
        case .unset: throw CQLError.invalid("Invalid unset \(role)")
        case .bytes(let bytes): return try ElementPath.path(ofKey: bytes, type)
        }
    }

    private func listPath(
        _ column: ColumnDefinition, _ key: BoundTerm, _ current: RowContext?, _ action: String
    ) throws -> [UInt8] {
        switch try key.evaluate(context) {
        case .null: throw CQLError.invalid("Invalid null value for list index")
        case .unset: throw CQLError.invalid("Invalid unset value for list index")
        case .bytes(let bytes):
            let cells = current?.liveElements(column) ?? []
            guard let current, !cells.isEmpty else {
                throw CQLError.invalid("Attempted to \(action) a list which is null")
            }
            guard case .int(let index) = try CQLValue(bytes.rawSpan, type: .int), cells.indices.contains(Int(index))
            else {
                let index = try CQLValue(bytes.rawSpan, type: .int)
                throw CQLError.invalid("List index \(index) out of bound, list has size \(cells.count)")
            }
            return Array(current.storedBytes(column)[cells[Int(index)].path])
        }
    }

    /// Cells ascend by column and path; of several for one element the one that wins stays.
    private mutating func sortElements() {
        let values = values
        func path(_ cell: Cell) -> ArraySlice<UInt8> { values[cell.path] }
        let sorted = row.cells.sorted { left, right in
            if left.column != right.column { return left.column < right.column }
            if (left.kind == .complexDeletion) != (right.kind == .complexDeletion) {
                return left.kind == .complexDeletion
            }
            return path(left).lexicographicallyPrecedes(path(right))
        }
        row.cells.removeAll(keepingCapacity: true)
        for cell in sorted {
            guard let last = row.cells.last, last.column == cell.column, path(last) == path(cell),
                (last.kind == .complexDeletion) == (cell.kind == .complexDeletion)
            else {
                row.cells.append(cell)
                continue
            }
            if cell.wins(over: last, values: values.rawSpan, otherValues: values.rawSpan) {
                row.cells[row.cells.count - 1] = cell
            }
        }
    }

    // MARK: Counters

    /// Writes the counter's new total. A counter that was deleted stays so ([CA] db/rows/Cells.java `resolveCounter`). What one
    /// statement adds several times to a counter is one sum.
    private mutating func increment(
        _ column: ColumnDefinition, _ term: BoundTerm, sign: Int64, _ current: RowContext?
    ) throws {
        let delta: Int64
        switch try term.evaluate(context) {
        case .null: throw CQLError.invalid("Invalid null value for counter increment")
        case .unset: return
        case .bytes(let bytes):
            guard case .bigint(let value) = try CQLValue(bytes.rawSpan, type: .bigint) else { return }
            delta = value
        }
        if let earlier = row.cells.last, earlier.column == column.id {
            let sum = try Self.total(values.rawSpan.extracting(earlier.value)) &+ delta &* sign
            row.cells.removeLast()
            return appendTotal(sum, column)
        }
        var total: Int64 = 0
        if let cell = current?.cell(column) {
            guard cell.kind == .live else { return }
            let stored = current?.storedBytes(column) ?? []
            total = try Self.total(stored.rawSpan.extracting(cell.value))
        }
        appendTotal(total &+ delta &* sign, column)
    }

    private static func total(_ bytes: RawSpan) throws -> Int64 {
        guard case .bigint(let value) = try CQLValue(bytes, type: .bigint) else { return 0 }
        return value
    }

    private mutating func appendTotal(_ total: Int64, _ column: ColumnDefinition) {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(total)
        append(bytes, column, path: 0..<0)
    }
}
