// HarryChecker+Dependents.swift — views, indexes, and conditions that rows are tested for.

@testable import WideColumnEngine

extension HarryChecker {
    // MARK: Views

    func selection(of view: HarryView, isPlain: Bool) -> String {
        // Time and life of what is a key in the view can't be asked for.
        let key = view.key.map { columns[$0].name }.joined(separator: ", ")
        return view.selected.isEmpty ? key : "\(key), \(selection(view.selected, isPlain: isPlain))"
    }

    /// A view's rows with the indices of their keys' values, in its order within a partition.
    func rows(of view: HarryView, isPlain: Bool) -> [Slice.Row] {
        let clustering = schema.clustering(of: view)
        return partitions.flatMap { partition in
            partition.rows.compactMap { row -> Slice.Row? in
                if let first = view.firstClustering, let value = row.clustering?.first, value < first { return nil }
                var key: [Int] = []
                for index in view.key {
                    guard let value = self.value(index, partition, row) else { return nil }
                    key.append(value)
                }
                let values =
                    zip(view.key, key).map { columns[$0].type.values[$1].cql }
                    + self.row(partition, row, view.selected, isPlain: isPlain)
                return Slice.Row(key: key, values: values)
            }
        }.sorted { HarryModel.precedes(Array($0.key?.dropFirst() ?? []), Array($1.key?.dropFirst() ?? []), clustering) }
    }

    /// The index of the value that a row has in a key of the table or in a column of one cell.
    private func value(_ index: Int, _ partition: HarryPartition, _ row: HarryContent) -> Int? {
        switch columns[index].kind {
        case .partition: schema.indices(.partition).firstIndex(of: index).map { partition.key[$0] }
        case .clustering: schema.indices(.clustering).firstIndex(of: index).flatMap { row.clustering?[$0] }
        case .static: partition.staticRow?.cell(index)?.value
        case .regular: row.cell(index)?.value
        }
    }

    /// "Each view always equals the query that defines it."
    func check(_ view: HarryView) throws {
        let selection = selection(of: view, isPlain: false)
        let rows = rows(of: view, isPlain: false)
        try expect("SELECT \(selection) FROM \(view.name)", [], rows.map(\.values), ordered: false)
        let partition = columns[view.key[0]]
        for value in partition.type.values.indices {
            try expect(
                "SELECT \(selection) FROM \(view.name) WHERE \(partition.name) = ?", [partition.type.values[value].cql],
                rows.filter { $0.key?[0] == value }.map(\.values), ordered: true)
        }
    }

    // MARK: Conditions

    /// A condition on a column, and which of its cells make it true.
    struct Condition {
        var column: Int
        var clause: String
        var values: [CQLValue]
        var matches: ((path: Int?, version: HarryVersion)) -> Bool
    }

    /// The condition that the value of this index is in a column, as an index of this kind answers it; nil where there is no
    /// such value.
    private func condition(_ column: Int, _ kind: HarryIndex.Kind, _ value: Int) -> Condition? {
        let (index, column) = (column, columns[column])
        func condition(
            _ clause: String, _ values: [CQLValue]? = nil,
            _ matches: @escaping ((path: Int?, version: HarryVersion)) -> Bool = { $0.version.value == value }
        ) -> Condition {
            Condition(
                column: index, clause: "\(column.name)\(clause)", values: values ?? [column.type.values[value].cql],
                matches: matches)
        }
        switch (column.shape, kind) {
        case (.scalar, _): return condition(" = ?")
        case (.set, _): return condition(" CONTAINS ?") { $0.path == value }
        case (.map(let key), .keys):
            guard value < key.values.count else { return nil }
            return condition(" CONTAINS KEY ?", [key.values[value].cql]) { $0.path == value }
        case (.map(let key), .entries):
            return condition("[?] = ?", [key.values[0].cql, column.type.values[value].cql]) {
                $0.path == 0 && $0.version.value == value
            }
        case (.list, _), (.map, _): return condition(" CONTAINS ?")
        case (.user, _): return nil
        }
    }

    /// The rows for which all conditions hold.
    private func rows(
        _ conditions: [Condition], _ selected: [Int], isPlain: Bool, in key: [Int]? = nil
    ) -> [[CQLValue]] {
        partitions.filter { key == nil || $0.key == key }.flatMap { partition -> [[CQLValue]] in
            // A static row alone is no answer where clustering columns are restricted.
            let restrictsRows = conditions.contains { columns[$0.column].kind == .clustering }
            let rows = partition.rows.isEmpty && !restrictsRows ? [HarryContent()] : partition.rows
            return rows.filter { row in conditions.allSatisfy { holds($0, partition, row) } }
                .map { self.row(partition, $0, selected, isPlain: isPlain) }
        }
    }

    private func holds(_ condition: Condition, _ partition: HarryPartition, _ row: HarryContent) -> Bool {
        switch columns[condition.column].kind {
        case .partition, .clustering:
            let value = value(condition.column, partition, row)
            return value.map { condition.matches((nil, HarryVersion(timestamp: 0, value: $0))) } ?? false
        case .static: return partition.staticRow?.cells[condition.column]?.contains(where: condition.matches) ?? false
        case .regular: return row.cells[condition.column]?.contains(where: condition.matches) ?? false
        }
    }

    // MARK: Indexes and filters

    func check(_ index: HarryIndex) throws {
        let selected = schema.keyIndices + schema.indices(.static)
        for value in columns[index.column].type.values.indices {
            guard let condition = condition(index.column, index.kind, value) else { continue }
            let expected = rows([condition], selected, isPlain: false)
            let cql = "SELECT \(selection(selected)) FROM t WHERE \(condition.clause)"
            try expect(cql, condition.values, expected, ordered: false)
            try expect("\(cql) ALLOW FILTERING", condition.values, expected, ordered: false)
        }
    }

    /// One condition or two, on any columns, in one partition or all, whether or not an index helps.
    mutating func checkFilter() throws {
        let candidates = schema.ordered.filter { columns[$0].kind != .partition }
        var conditions: [Condition] = []
        for column in candidates.shuffled(using: &generator.random).prefix(generator.random.oneIn(3) ? 2 : 1) {
            let value = Int.random(in: 0..<columns[column].type.values.count, using: &generator.random)
            let kind = [HarryIndex.Kind.values, .keys, .entries].randomElement(using: &generator.random) ?? .values
            guard var condition = condition(column, kind, value) else { continue }
            if columns[column].isScalar {
                let (comparison, holds) = generator.comparison()
                if generator.random.oneIn(2) {
                    condition.clause = "\(columns[column].name) \(comparison) ?"
                    condition.matches = { $0.version.value.map { holds($0, value) } ?? false }
                }
            }
            conditions.append(condition)
        }
        guard !conditions.isEmpty else { return }
        let isPlain = generator.random.oneIn(2)
        let key = generator.random.oneIn(3) ? generator.key(.partition) : nil
        let expected = rows(conditions, schema.ordered, isPlain: isPlain, in: key)
        let clauses = (key == nil ? [] : [generator.equal(.partition)]) + conditions.map(\.clause)
        let values = (key.map { generator.values(.partition, $0) } ?? []) + conditions.flatMap(\.values)
        let cql = """
            SELECT \(selection(schema.ordered, isPlain: isPlain)) FROM t WHERE \(clauses.joined(separator: " AND "))
            ALLOW FILTERING
            """
        try expect(cql, values, expected, ordered: key != nil)
        if generator.random.oneIn(2) { try checkPages(of: cql, values, Self.texts(try execute(cql, values))) }
    }
}
