// PlainSelection.swift — the short way of a SELECT: which columns of a result lie where in a stored row.
//
// It takes selections of key columns and single-celled regular columns from tables without static columns, and rows of
// partitions without deletions. Of such a row nothing has to be worked out but whether it lives. See PlainRows.swift.

/// The columns of a SELECT by where their values lie.
struct PlainSelection: Sendable {
    /// A clustering column.
    struct Component: Sendable {
        /// `nil`: decoded by the type alone.
        let form: OrderedForm?
        let isDescending: Bool
        /// The column of the result; -1 where it is none.
        let target: Int
    }

    /// The number of columns of the result.
    let width: Int
    let components: [Component]
    /// The types of `components`.
    let types: [CQLType]
    /// By the number of a regular column, the column of the result; -1 where it is none.
    let cellTargets: [Int]
    /// Columns of the result that are components of the partition key.
    let partitionTargets: [(component: Int, target: Int)]
    /// Columns of the result that are the same as others.
    let copies: [(source: Int, target: Int)]
    /// Whether nothing is stored in a row that is not selected.
    let takesWholeRows: Bool
    /// The numbers of dropped columns, whose cells count for nothing.
    let deadColumns: Set<UInt16>
    let hasDeadColumns: Bool
    /// By the number of a column, whether it was dropped; columns behind those are not.
    let isDead: [Bool]

    /// `nil` where a row has to be taken apart.
    init?(_ selection: [SelectedValue], _ table: Table) {
        let definition = table.definition
        guard definition.staticColumns.isEmpty else { return nil }
        var targets = Targets(clusteringCount: definition.clustering.count)
        for selected in selection {
            guard case .column(let column) = selected, !column.isMultiCell, targets.add(column) else { return nil }
        }
        width = selection.count
        components = zip(definition.clustering, targets.clustering).map { column, target in
            Component(form: OrderedForm(column.type), isDescending: column.isDescending, target: target)
        }
        types = definition.clustering.map(\.type)
        cellTargets = targets.cells
        partitionTargets = targets.partition
        copies = targets.copies
        let cellCount = targets.cells.count { $0 >= 0 }
        deadColumns = table.deadColumns
        hasDeadColumns = !deadColumns.isEmpty
        isDead = (0..<(Int(deadColumns.max() ?? 0) + 1)).map { table.deadColumns.contains(UInt16($0)) }
        takesWholeRows =
            cellCount > 0 && cellCount == definition.regularColumns.count && !hasDeadColumns
    }

    /// Where the selected columns go, as far as they are known.
    private struct Targets {
        var partition: [(component: Int, target: Int)] = []
        var clustering: [Int]
        var cells: [Int] = []
        var copies: [(source: Int, target: Int)] = []
        private var count = 0

        init(clusteringCount: Int) {
            clustering = Array(repeating: -1, count: clusteringCount)
        }

        /// False if the column has no short way.
        mutating func add(_ column: ColumnDefinition) -> Bool {
            defer { count += 1 }
            switch column.kind {
            case .partitionKey: partition.append((column.position, count))
            case .clustering: set(\.clustering, column.position)
            case .static: return false
            case .regular:
                let missing = Int(column.id) + 1 - cells.count
                if missing > 0 { cells += repeatElement(-1, count: missing) }
                set(\.cells, Int(column.id))
            }
            return true
        }

        private mutating func set(_ targets: WritableKeyPath<Targets, [Int]>, _ index: Int) {
            let known = self[keyPath: targets][index]
            if known >= 0 { copies.append((known, count)) } else { self[keyPath: targets][index] = count }
        }
    }
}
