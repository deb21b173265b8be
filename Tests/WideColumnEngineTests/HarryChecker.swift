// HarryChecker.swift — SELECTs of every shape, and what the model says that they give.

import StorageCore
import StorageTypes

@testable import WideColumnEngine

struct HarryChecker {
    private let schema: HarrySchema
    private let store: WideColumnStore
    private let snapshot: Snapshot
    private let now: Int64
    private let partitions: [HarryPartition]
    private let columns: [HarryColumn]
    private var generator: HarryGenerator

    var random: SeededRandom { generator.random }

    init(_ run: HarryRun, _ snapshot: Snapshot, _ partitions: [HarryPartition]) {
        schema = run.schema
        columns = run.schema.columns
        store = run.store
        self.snapshot = snapshot
        now = snapshot.readTime.seconds
        self.partitions = partitions
        generator = run.generator
    }

    mutating func check() throws {
        try checkWhole()
        for _ in 0..<3 { try checkSlice() }
        try checkDistinct()
        try checkPages()
    }

    /// The whole table, every view and every index.
    mutating func checkWhole() throws {
        try expect("SELECT \(selection) FROM t", [], partitions.flatMap { rows($0) }, ordered: false)
        for partition in partitions {
            try expect(
                "SELECT \(selection) FROM t WHERE \(generator.equal(.partition))",
                generator.values(.partition, partition.key), rows(partition), ordered: true)
        }
        try expect(
            "SELECT count(*) FROM t", [], [[.bigint(Int64(partitions.flatMap { rows($0) }.count))]], ordered: true)
        for view in schema.views { try check(view) }
        for index in schema.indexes { try check(index) }
    }

    // MARK: Rows

    private var selection: String { selection(Array(columns.indices)) }

    private func selection(_ selected: [Int]) -> String {
        selected.flatMap { index -> [String] in
            let (name, kind) = (columns[index].name, columns[index].kind)
            guard kind == .regular || kind == .static else { return [name] }
            let times = [name, "writetime(\(name))", "ttl(\(name))"]
            return columns[index].isScalar ? times : times + ["maxwritetime(\(name))"]
        }.joined(separator: ", ")
    }

    /// A partition's rows; one of nulls where only its static row lives.
    private func rows(_ partition: HarryPartition, restricted: Bool = false) -> [[CQLValue]] {
        let rows = partition.rows.isEmpty && !restricted ? [HarryContent()] : partition.rows
        return rows.map { row(partition, $0) }
    }

    private func row(_ partition: HarryPartition, _ row: HarryContent, _ selected: [Int]? = nil) -> [CQLValue] {
        (selected ?? Array(columns.indices)).flatMap { index -> [CQLValue] in
            let column = columns[index]
            switch column.kind {
            case .partition:
                let position = schema.indices(.partition).firstIndex(of: index) ?? 0
                return [column.type.values[partition.key[position]].cql]
            case .clustering:
                let position = schema.indices(.clustering).firstIndex(of: index) ?? 0
                return [row.clustering.map { column.type.values[$0[position]].cql } ?? .null]
            case .static: return cells(column, partition.staticRow?.cells[index] ?? [])
            case .regular: return cells(column, row.cells[index] ?? [])
            }
        }
    }

    private func cells(_ column: HarryColumn, _ cells: [(path: Int?, version: HarryVersion)]) -> [CQLValue] {
        func ttl(_ version: HarryVersion?) -> CQLValue {
            guard let version, version.timeToLive > 0 else { return .null }
            return .int(Int32(version.seconds - now))
        }
        guard column.isScalar else {
            guard let latest = cells.map(\.version.timestamp).max() else { return [.null, .null, .null, .null] }
            var versions: [HarryVersion?] = cells.map(\.version)
            // A user-defined type tells the times of all of its fields.
            if case .user = column.shape {
                versions = (0..<2).map { field in cells.first { $0.path == field }?.version }
            }
            let times = versions.map { version -> CQLValue in version.map { .bigint($0.timestamp) } ?? .null }
            return [column.content(cells), .list(times), .list(versions.map(ttl)), .bigint(latest)]
        }
        guard let version = cells.first?.version else { return [.null, .null, .null] }
        return [column.content(cells), .bigint(version.timestamp), ttl(version)]
    }

    private func expect(_ cql: String, _ values: [CQLValue], _ expected: [[CQLValue]], ordered: Bool) throws {
        let result = try execute(cql, values)
        guard ordered ? result != expected : Self.sorted(result) != Self.sorted(expected) else { return }
        throw HarryFailure(description: "\(cql) \(values) at \(now)\n  is   \(result)\n  not  \(expected)")
    }

    private func execute(_ cql: String, _ values: [CQLValue]) throws -> [[CQLValue]] {
        do { return try store.execute(cql, values, on: snapshot).map(\.values) } catch {
            throw HarryFailure(description: "\(cql) \(values): \(error)")
        }
    }

    private static func sorted(_ rows: [[CQLValue]]) -> [String] { rows.map { "\($0)" }.sorted() }

    // MARK: Shapes

    /// Slices, IN, reverse order, limits, of one partition or several.
    private mutating func checkSlice() throws {
        let restriction = generator.restriction()
        let partition = generator.key(.partition)
        let isReversed = !schema.indices(.clustering).isEmpty && generator.random.oneIn(2)
        var conditions = [generator.equal(.partition)]
        var values = generator.values(.partition, partition)
        if let restriction {
            conditions.append(restriction.clause)
            values += restriction.values
        }
        var expected = partitions.filter { $0.key == partition }.flatMap { partition -> [[CQLValue]] in
            guard let restriction else { return rows(partition) }
            return partition.rows.filter { restriction.matches($0.clustering ?? []) }.map { row(partition, $0) }
        }
        var cql = "SELECT \(selection) FROM t WHERE \(conditions.joined(separator: " AND "))"
        if isReversed {
            let order = schema.indices(.clustering).map {
                "\(columns[$0].name) \(columns[$0].isDescending ? "ASC" : "DESC")"
            }
            cql += " ORDER BY \(order.joined(separator: ", "))"
            expected.reverse()
        }
        if generator.random.oneIn(3) {
            let limit = Int.random(in: 1...4, using: &generator.random)
            cql += generator.random.oneIn(2) ? " LIMIT \(limit)" : " PER PARTITION LIMIT \(limit)"
            expected = Array(expected.prefix(limit))
        }
        try expect(cql, values, expected, ordered: true)
    }

    private mutating func checkDistinct() throws {
        let selected = schema.indices(.partition) + schema.indices(.static)
        let expected = partitions.map { row($0, HarryContent(), selected) }
        try expect("SELECT DISTINCT \(selection(selected)) FROM t", [], expected, ordered: false)
        guard !schema.indices(.clustering).isEmpty else { return }
        let limit = Int.random(in: 1...3, using: &generator.random)
        try expect(
            "SELECT \(selection) FROM t PER PARTITION LIMIT \(limit)", [],
            partitions.flatMap { rows($0).prefix(limit) },
            ordered: false)
    }

    /// Pages, one after the other, are the whole; partitions come in the order of their tokens.
    private mutating func checkPages() throws {
        guard snapshot.sequence == store.storage.visibleSequence else { return }
        let tokens = try execute(
            "SELECT token(\(schema.indices(.partition).map { columns[$0].name }.joined(separator: ", "))) FROM t", [])
        let numbers = tokens.compactMap { if case .bigint(let token) = $0[0] { token } else { nil } }
        guard numbers == numbers.sorted() else { throw HarryFailure(description: "tokens \(numbers)") }
        let limit =
            generator.random.oneIn(2) ? " PER PARTITION LIMIT \(Int.random(in: 1...3, using: &generator.random))" : ""
        for cql in [
            "SELECT \(selection) FROM t\(limit)", "SELECT DISTINCT \(selection(schema.indices(.partition))) FROM t",
        ] {
            let whole = try execute(cql, [])
            let statement = try store.prepare(cql)
            var pages: [[CQLValue]] = []
            var state: PagingState?
            let size = Int.random(in: 1...3, using: &generator.random)
            repeat {
                let page = try statement.execute(pageSize: size, pagingState: state)
                guard page.count <= size else {
                    throw HarryFailure(description: "a page of \(page.count) rows, not \(size)")
                }
                pages += page.map(\.values)
                state = try page.pagingState.map { try PagingState(bytes: $0.bytes) }
            } while state != nil && pages.count <= whole.count
            guard pages == whole else {
                throw HarryFailure(description: "\(cql) in pages of \(size)\n  is   \(pages)\n  not  \(whole)")
            }
        }
    }

    // MARK: Views and indexes

    /// "Each view always equals the query that defines it."
    private func check(_ view: HarryView) throws {
        let selected = view.key + view.selected
        let expected = partitions.flatMap { partition in
            partition.rows.filter { row in
                if let cell = view.keyCell, row.cell(cell) == nil { return false }
                guard let first = view.firstClustering, let value = row.clustering?.first else { return true }
                return value >= first
            }.map {
                row(partition, $0, selected).enumerated().filter { view.keyCell == nil || ![1, 2].contains($0.offset) }
                    .map(\.element)
            }
        }
        // Time and life of what is a key in the view can't be asked for.
        let key = view.key.map { columns[$0].name }.joined(separator: ", ")
        let rest = view.selected.isEmpty ? "" : ", \(selection(view.selected))"
        try expect("SELECT \(key)\(rest) FROM \(view.name)", [], expected, ordered: false)
    }

    private func check(_ index: HarryIndex) throws {
        let column = columns[index.column]
        let selected = schema.keyIndices + schema.indices(.static)
        for value in column.type.values.indices {
            var condition = "\(column.name) = ?"
            var values = [column.type.values[value].cql]
            var matches: ((path: Int?, version: HarryVersion)) -> Bool = { $0.version.value == value }
            switch (column.shape, index.kind) {
            case (.set, _):
                condition = "\(column.name) CONTAINS ?"
                matches = { $0.path == value }
            case (.list, _): condition = "\(column.name) CONTAINS ?"
            case (.map(let key), .keys):
                guard value < key.values.count else { continue }
                condition = "\(column.name) CONTAINS KEY ?"
                values = [key.values[value].cql]
                matches = { $0.path == value }
            case (.map(let key), .entries):
                condition = "\(column.name)[?] = ?"
                values.insert(key.values[0].cql, at: 0)
                matches = { $0.path == 0 && $0.version.value == value }
            case (.map, _): condition = "\(column.name) CONTAINS ?"
            default: break
            }
            let expected = partitions.flatMap { partition -> [[CQLValue]] in
                switch column.kind {
                case .static:
                    guard partition.staticRow?.cells[index.column]?.contains(where: matches) ?? false else { return [] }
                    return (partition.rows.isEmpty ? [HarryContent()] : partition.rows).map {
                        row(partition, $0, selected)
                    }
                case .clustering:
                    let position = schema.indices(.clustering).firstIndex(of: index.column) ?? 0
                    return partition.rows.filter { $0.clustering?[position] == value }.map {
                        row(partition, $0, selected)
                    }
                default:
                    return partition.rows.filter { $0.cells[index.column]?.contains(where: matches) ?? false }
                        .map { row(partition, $0, selected) }
                }
            }
            let cql = "SELECT \(selection(selected)) FROM t WHERE \(condition)"
            try expect(cql, values, expected, ordered: false)
            try expect("\(cql) ALLOW FILTERING", values, expected, ordered: false)
        }
    }
}
