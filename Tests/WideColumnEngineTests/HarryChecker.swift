// HarryChecker.swift — SELECTs of every shape, and what the model says that they give.

import StorageCore
import StorageTypes

@testable import WideColumnEngine

struct HarryChecker {
    let schema: HarrySchema
    let store: WideColumnStore
    let snapshot: Snapshot
    let partitions: [HarryPartition]
    var generator: HarryGenerator
    private let now: Int64

    var columns: [HarryColumn] { schema.columns }
    var random: SeededRandom { generator.random }

    init(_ run: HarryRun, _ snapshot: Snapshot, _ partitions: [HarryPartition]) {
        schema = run.schema
        store = run.store
        self.snapshot = snapshot
        now = snapshot.readTime.seconds
        self.partitions = partitions
        generator = run.generator
    }

    mutating func check() throws {
        try checkWhole()
        for _ in 0..<3 { try checkSlice() }
        for _ in 0..<2 { try checkFilter() }
        try checkDistinct()
        try checkPages()
        for view in schema.views where isWhole(view.firstSequence, view.isBeingBuilt) { try checkSlice(of: view) }
    }

    /// The whole table, every view and every index.
    mutating func checkWhole() throws {
        try expect("SELECT \(selection) FROM t", [], partitions.flatMap { rows($0) }, ordered: false)
        // Without times a SELECT goes a shorter way.
        let plain = partitions.flatMap { rows($0, isPlain: true) }
        try expect("SELECT * FROM t", [], plain, ordered: false)
        for partition in partitions {
            let (condition, values) = (generator.equal(.partition), generator.values(.partition, partition.key))
            try expect("SELECT \(selection) FROM t WHERE \(condition)", values, rows(partition), ordered: true)
            try expect("SELECT * FROM t WHERE \(condition)", values, rows(partition, isPlain: true), ordered: true)
        }
        try expect("SELECT count(*) FROM t", [], [[.bigint(Int64(plain.count))]], ordered: true)
        for view in schema.views where isWhole(view.firstSequence, view.isBeingBuilt) { try check(view) }
        for index in schema.indexes where isWhole(index.firstSequence, index.isBeingBuilt) { try check(index) }
    }

    /// Whether the snapshot may be read by a view or index.
    private func isWhole(_ firstSequence: UInt64, _ isBeingBuilt: Bool) -> Bool {
        !isBeingBuilt && snapshot.sequence.rawValue >= firstSequence
    }

    // MARK: Rows

    var selection: String { selection(schema.ordered) }

    func selection(_ selected: [Int], isPlain: Bool = false) -> String {
        selected.flatMap { index -> [String] in
            let (name, kind) = (columns[index].name, columns[index].kind)
            guard !isPlain, kind == .regular || kind == .static else { return [name] }
            let times = [name, "writetime(\(name))", "ttl(\(name))"]
            return columns[index].isScalar ? times : times + ["maxwritetime(\(name))"]
        }.joined(separator: ", ")
    }

    /// A partition's rows; one of nulls where only its static row lives.
    func rows(_ partition: HarryPartition, isPlain: Bool = false) -> [[CQLValue]] {
        (partition.rows.isEmpty ? [HarryContent()] : partition.rows).map { row(partition, $0, isPlain: isPlain) }
    }

    func row(
        _ partition: HarryPartition, _ row: HarryContent, _ selected: [Int]? = nil, isPlain: Bool = false
    ) -> [CQLValue] {
        (selected ?? schema.ordered).flatMap { index -> [CQLValue] in
            let column = columns[index]
            switch column.kind {
            case .partition:
                let position = schema.indices(.partition).firstIndex(of: index) ?? 0
                return [column.type.values[partition.key[position]].cql]
            case .clustering:
                let position = schema.indices(.clustering).firstIndex(of: index) ?? 0
                return [row.clustering.map { column.type.values[$0[position]].cql } ?? .null]
            case .static: return cells(column, partition.staticRow?.cells[index] ?? [], isPlain)
            case .regular: return cells(column, row.cells[index] ?? [], isPlain)
            }
        }
    }

    private func cells(
        _ column: HarryColumn, _ cells: [(path: Int?, version: HarryVersion)], _ isPlain: Bool
    ) -> [CQLValue] {
        func ttl(_ version: HarryVersion?) -> CQLValue {
            guard let version, version.timeToLive > 0 else { return .null }
            return .int(Int32(version.seconds - now))
        }
        if isPlain { return [column.content(cells)] }
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

    // MARK: Comparing

    func expect(_ cql: String, _ values: [CQLValue], _ expected: [[CQLValue]], ordered: Bool) throws {
        let result = Self.texts(try execute(cql, values))
        let texts = Self.texts(expected)
        guard ordered ? result != texts : result.sorted() != texts.sorted() else { return }
        throw failure(cql, values, result, texts)
    }

    func failure(_ cql: String, _ values: [CQLValue], _ result: [String], _ expected: [String]) -> HarryFailure {
        HarryFailure(
            description: "\(cql) \(values) at \(now)\n  is   \(result.joined(separator: "; "))\n  not  "
                + expected.joined(separator: "; "))
    }

    func execute(_ cql: String, _ values: [CQLValue]) throws -> [[CQLValue]] {
        do { return try store.execute(cql, values, on: snapshot).map(\.values) } catch {
            throw HarryFailure(description: "\(cql) \(values): \(error)")
        }
    }

    /// As texts, in which a NaN is one value and the zeros are two.
    static func texts(_ rows: [[CQLValue]]) -> [String] { rows.map { "\($0)" } }

    // MARK: Shapes

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
        let tokens = try execute(
            "SELECT token(\(schema.indices(.partition).map { columns[$0].name }.joined(separator: ", "))) FROM t", [])
        let numbers = tokens.compactMap { if case .bigint(let token) = $0[0] { token } else { nil } }
        guard numbers == numbers.sorted() else { throw HarryFailure(description: "tokens \(numbers)") }
        let limit =
            generator.random.oneIn(2) ? " PER PARTITION LIMIT \(Int.random(in: 1...3, using: &generator.random))" : ""
        for cql in [
            "SELECT \(selection) FROM t\(limit)", "SELECT DISTINCT \(selection(schema.indices(.partition))) FROM t",
        ] { try checkPages(of: cql, [], Self.texts(try execute(cql, []))) }
    }

    /// Pages of a statement are what is expected as a whole, whatever is written to disk and merged in between.
    mutating func checkPages(of cql: String, _ values: [CQLValue], _ expected: [String]) throws {
        let statement = try store.prepare(cql)
        var pages: [String] = []
        var state: PagingState?
        let size = Int.random(in: 1...3, using: &generator.random)
        repeat {
            let page = try statement.execute(values, pageSize: size, pagingState: state)
            guard page.count <= size else {
                throw HarryFailure(description: "a page of \(page.count) rows, not \(size)")
            }
            pages += Self.texts(page.map(\.values))
            state = try page.pagingState.map { try PagingState(bytes: $0.bytes) }
            guard state != nil else { break }
            switch Int.random(in: 0..<12, using: &generator.random) {
            case 0: try store.storage.flush()
            case 1: try store.storage.compact()
            default: break
            }
        } while pages.count <= expected.count
        guard pages == expected else { throw failure("\(cql) in pages of \(size)", values, pages, expected) }
    }
}
