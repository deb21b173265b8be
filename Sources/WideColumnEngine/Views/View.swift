// View.swift — what row of a materialized view a row of its table stands for.
//
// Invariant: a view's row is a function of the table's row alone (its reconciled fragment and key). Whoever changes a
// table's row replaces, in the same commit, the view's row by the new value of that function. So the view needs no
// timestamps of deletions of its own, and late, repeated and concurrent writes can't make it differ from its query.

/// A materialized view from the side of its table.
final class View: Sendable {
    /// Where a component of the view's key comes from.
    enum Source: Hashable, Sendable {
        /// The key component with this index: partition key first, then clustering.
        case key(Int)
        /// The one column in the view's key that is no key of the table.
        case cell(UInt16)
    }

    /// A condition of the view's WHERE clause on columns of the table's key, on ordered bytes; the operands are prepared.
    ///
    /// No value's ordered bytes begin with those of another, so the bytes of several columns, one after another, compare as
    /// their tuple does.
    struct KeyCondition: Sendable {
        var components: [(index: Int, type: CQLType)]
        var comparison: Comparison
        var operands: [[UInt8]]
    }

    let definition: TableDefinition
    let storage: Keyspace
    let partitionKey: [Source]
    let clustering: [Source]
    /// The column in the view's key that is no key of the table.
    let keyCell: UInt16?
    /// The columns without which a row of the table has no row in the view: `keyCell` and those that are to be NOT NULL.
    let requiredCells: [UInt16]
    /// By the numbers of columns, whether the view has their values; of the others it keeps only that they live.
    private let selectedCells: [Bool]
    private let conditions: [KeyCondition]
    /// The numbers of the table's dropped columns, whose cells count for nothing.
    private let deadCells: Set<UInt16>

    /// Whether rows of the table may be left out because of their keys.
    var hasConditions: Bool { !conditions.isEmpty }

    /// Whether the view has the values of this column.
    func selects(_ column: UInt16) -> Bool { column < selectedCells.count && selectedCells[Int(column)] }

    /// Whether the view's rows live and die with a marker, made of the cells that they require.
    var needsMarker: Bool { !requiredCells.isEmpty }

    var name: String { definition.identifier.name }

    init(_ definition: TableDefinition, of base: TableDefinition, storage: Keyspace) throws {
        self.definition = definition
        self.storage = storage
        let baseKey = base.partitionKey + base.clustering
        func source(_ column: ColumnDefinition) -> Source {
            baseKey.firstIndex { $0.name == column.name }.map(Source.key) ?? .cell(column.id)
        }
        partitionKey = definition.partitionKey.map(source)
        clustering = definition.clustering.map(source)
        keyCell =
            (partitionKey + clustering).lazy
            .compactMap { source in if case .cell(let id) = source { id } else { nil } }.first
        requiredCells = try Self.requiredCells(of: definition, base: base)
        selectedCells = definition.regularColumns.reduce(into: []) { selected, column in
            let missing = Int(column.id) + 1 - selected.count
            if missing > 0 { selected += repeatElement(false, count: missing) }
            selected[Int(column.id)] = true
        }
        conditions = try Self.conditions(definition.view?.whereText ?? "", base)
        deadCells = Set(base.droppedColumns.map(\.id))
    }

    /// The numbers of the columns that a view, not yet opened, requires to have a value and that are no keys of its table.
    static func requiredCells(of definition: TableDefinition, base: TableDefinition) throws -> [UInt16] {
        let notNull = try Parser.parseRelations(definition.view?.whereText ?? "").compactMap { relation -> String? in
            guard case .column(let name) = relation.target, relation.comparison == .isNotNull else { return nil }
            return name
        }
        let names = Set(notNull + (definition.partitionKey + definition.clustering).map(\.name))
        return base.regularColumns.filter { names.contains($0.name) }.map(\.id)
    }

    private static func conditions(_ text: String, _ base: TableDefinition) throws -> [KeyCondition] {
        let key = base.partitionKey + base.clustering
        var binder = TermBinder([], scope: UserTypes(keyspace: base.identifier.keyspace))
        return try Parser.parseRelations(text).compactMap { relation in
            guard relation.comparison != .isNotNull else { return nil }
            let components = relation.target.columns.compactMap { name in key.firstIndex { $0.name == name } }
            guard components.count == relation.target.columns.count else { return nil }
            let columns = components.map { key[$0] }
            let operands = try relation.tuples.map { tuple in
                try zip(tuple, columns).flatMap { try operand($0, $1, &binder) }
            }
            return KeyCondition(
                components: zip(components, columns).map { ($0, $1.type) }, comparison: relation.comparison,
                operands: relation.comparison.prepared(operands))
        }
    }

    /// The value of a term, in ordered form.
    private static func operand(
        _ term: Term, _ column: ColumnDefinition, _ binder: inout TermBinder
    ) throws -> [UInt8] {
        guard term.isFixed else {
            throw CQLError.invalid("Only constants are supported in the WHERE clause of a materialized view")
        }
        let context = ExecutionContext(
            values: [], now: StorageInstant(seconds: 0), generators: Generators(SystemRandomNumberGenerator()))
        let value = try KeyValues.required(try binder.bind(term, to: column), context, column.name)
        return try OrderedComponent.bytes(value, column.type)
    }

    /// The view's row of a table's row; `nil` if it has none.
    func row(of base: BaseRow) throws -> ViewRow? {
        try image(of: base).row
    }

    /// What a table's row is in the view.
    func image(of base: BaseRow) throws -> ViewImage {
        var row = RowFragment()
        var keyValue: Range<Int>?
        if needsMarker {
            row.marker = marker(of: base.fragment)
            guard row.marker != nil else { return .none }
            keyValue = keyCell.flatMap { base.fragment.cell($0)?.value }
        } else {
            row.marker = base.fragment.marker
        }
        appendCells(of: base.fragment.cells, to: &row.cells)
        guard row.marker != nil || !row.cells.isEmpty, try accepts(base) else { return .none }
        func component(_ source: Source) -> [UInt8] {
            switch source {
            case .key(let index): base.keyComponents[index]
            case .cell: keyValue.map { Array(base.bytes[$0]) } ?? []
            }
        }
        var partition: [UInt8] = []
        PartitionKeyCodec.append(partitionKey.map(component), to: &partition)
        // No partition key may be empty.
        guard !partition.isEmpty else { return .none }
        guard partition.count <= StorageKey.maximumPartitionKeyByteCount else {
            return .unkeyed(partition, maximum: StorageKey.maximumPartitionKeyByteCount)
        }
        let key = try key(partition, clustering.map(component))
        guard key.count <= StorageKey.maximumByteCount else {
            return .unkeyed(key, maximum: StorageKey.maximumByteCount)
        }
        var bytes: [UInt8] = []
        row.encode(from: base.bytes.rawSpan, into: &bytes)
        return .row(ViewRow(key: key, fragment: bytes, row: row))
    }

    /// The marker of a view's row that lives as long as all the cells it requires: the cell that expires first; `nil` where
    /// one is missing.
    func marker(of row: borrowing RowFragment) -> RowMarker? {
        var marker: RowMarker?
        for column in requiredCells {
            guard let cell = row.longestLived(column) else { return nil }
            if let marker, marker.expiry <= cell.localDeletionTime { continue }
            marker = RowMarker(timestamp: cell.timestamp, timeToLive: cell.timeToLive, expiry: cell.localDeletionTime)
        }
        return marker
    }

    /// Appends the cells that the view has for those of a table's row.
    func appendCells(of cells: [Cell], to result: inout [Cell]) {
        for cell in cells {
            guard cell.kind == .live || cell.kind == .expiring, cell.column != keyCell else { continue }
            if selects(cell.column) {
                result.append(cell)
            } else if !needsMarker, !deadCells.contains(cell.column) {
                // A row lives as long as any of its columns, selected or not; where required cells decide, they alone count.
                var virtual = cell
                virtual.value = 0..<0
                result.append(virtual)
            }
        }
    }

    private func accepts(_ base: BaseRow) throws -> Bool {
        for condition in conditions {
            let value = try condition.components.flatMap { component in
                try OrderedComponent.bytes(base.keyComponents[component.index], component.type)
            }
            guard condition.comparison.holds(value, condition.operands) else { return false }
        }
        return true
    }

    private func key(_ partition: [UInt8], _ values: [[UInt8]]) throws -> [UInt8] {
        var key: [UInt8] = []
        try StorageKey.appendPartition(partition.rawSpan, to: &key)
        key.append(RecordKind.row.rawValue)
        for (column, value) in zip(definition.clustering, values) {
            try OrderedComponent.append(value.rawSpan, column.type, descending: column.isDescending, to: &key)
        }
        return key
    }
}

/// A row of a table with its key's components in their binary format, as view maintenance reads it.
struct BaseRow {
    var keyComponents: [[UInt8]]
    var fragment: RowFragment
    /// What the fragment's ranges refer to.
    var bytes: [UInt8]
}

/// What a row of a table is in a view.
enum ViewImage: Equatable {
    case none
    case row(ViewRow)
    /// It has what the view asks for, and no row in it, because these bytes, the key or the partition key, are more than
    /// the maximum. Statements that give a row such a key are refused; it may have had it before there was the view.
    case unkeyed([UInt8], maximum: Int)

    var row: ViewRow? {
        if case .row(let row) = self { return row }
        return nil
    }

    /// Refuses the image in the place of another one.
    func check(insteadOf old: ViewImage) throws {
        guard case .unkeyed(let key, let maximum) = self, self != old else { return }
        throw CQLError.invalid("Key length of \(key.count) is longer than maximum of \(maximum)")
    }
}

/// A row of a view, ready to be written.
struct ViewRow: Hashable {
    var key: [UInt8]
    var fragment: [UInt8]
    var row: RowFragment

    static func == (left: ViewRow, right: ViewRow) -> Bool {
        left.key == right.key && left.fragment == right.fragment
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(key)
    }
}

extension Relation {
    /// The operands, each with a term for every column that the relation is about.
    fileprivate var tuples: [[Term]] {
        terms.map { term in
            if case .columns = target, case .tuple(let members) = term { return members }
            return [term]
        }
    }
}

extension Term {
    /// Whether it has the same value whenever it is evaluated. All functions without arguments make a new one each time.
    fileprivate var isFixed: Bool {
        switch self {
        case .constant: true
        case .marker: false
        case .call(_, let arguments): !arguments.isEmpty && arguments.allSatisfy(\.isFixed)
        case .list(let terms), .set(let terms), .tuple(let terms): terms.allSatisfy(\.isFixed)
        case .map(let entries): entries.allSatisfy { $0.key.isFixed && $0.value.isFixed }
        case .userDefined(let fields): fields.allSatisfy(\.value.isFixed)
        case .binary(_, let left, let right): left.isFixed && right.isFixed
        case .negation(let term), .cast(_, let term), .conversion(let term, _): term.isFixed
        }
    }
}
