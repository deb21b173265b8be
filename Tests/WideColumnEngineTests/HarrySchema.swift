// HarrySchema.swift — a table made up from a seed, with views and indexes.

@testable import WideColumnEngine

struct HarryView {
    var name: String
    /// Its key by columns of the table: the partition key is the first alone.
    var key: [Int]
    /// The columns that it has beside its key.
    var selected: [Int]
    /// The one column of the key that is no key of the table.
    var keyCell: Int?
    /// A condition on the first clustering column of the table: only values from this index on.
    var firstClustering: Int?
    /// The order of its clustering columns, where that is not as the table has it.
    var order: [Bool]?
    /// The last commit before it was whole.
    var firstSequence: UInt64 = 0
    /// Whether it is not whole yet.
    var isBeingBuilt = false
}

struct HarryIndex {
    enum Kind: String { case values, keys, entries, plain }

    var name: String
    var column: Int
    var kind: Kind
    /// The last commit before it was whole.
    var firstSequence: UInt64 = 0
    /// Whether it is not whole yet.
    var isBeingBuilt = false
}

struct HarrySchema {
    /// Timestamps are few, so many are equal and late, and nothing is forgotten; else they differ, and much time passes.
    var hasTies: Bool
    var columns: [HarryColumn] = []
    var defaultTimeToLive: Int64 = 0
    var graceSeconds: Int64
    /// Of compaction; empty for none.
    var compaction = ""
    var views: [HarryView] = []
    var indexes: [HarryIndex] = []

    /// How many views and indexes there have been.
    private var dependentCount = 0

    func indices(_ kind: HarryColumn.Kind) -> [Int] {
        columns.indices.filter { columns[$0].kind == kind && !columns[$0].isDropped }
    }

    /// The columns that there are, in the order of `SELECT *`.
    var ordered: [Int] {
        func byName(_ kind: HarryColumn.Kind) -> [Int] {
            indices(kind).sorted { columns[$0].name.utf8.lexicographicallyPrecedes(columns[$1].name.utf8) }
        }
        return indices(.partition) + indices(.clustering) + byName(.static) + byName(.regular)
    }
    var hasLists: Bool { columns.contains { if case .list = $0.shape { true } else { false } } }
    var keyIndices: [Int] { indices(.partition) + indices(.clustering) }

    init(_ random: inout SeededRandom) {
        hasTies = Bool.random(using: &random)
        graceSeconds = hasTies ? 1_000_000 : 60
        defaultTimeToLive = random.oneIn(4) ? 45 : 0
        compaction = Self.compactions.randomElement(using: &random) ?? ""
        addKeys(&random)
        let hasStatics = !indices(.clustering).isEmpty && random.oneIn(2)
        for (kind, count) in [
            (HarryColumn.Kind.static, hasStatics ? Int.random(in: 1...2, using: &random) : 0),
            (.regular, Int.random(in: 1...4, using: &random)),
        ] {
            for index in 0..<count { columns.append(Self.column(kind, index, &random)) }
        }
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            if let view = newView(&random) { views.append(view) }
        }
        for column in columns.indices where random.oneIn(3) {
            if let index = newIndex(column, &random) { indexes.append(index) }
        }
    }

    private static let compactions = [
        "", "{'class': 'LeveledCompactionStrategy', 'tombstone_threshold': 0.1}",
        "{'class': 'SizeTieredCompactionStrategy', 'min_threshold': 2}",
        """
        {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'MINUTES', 'compaction_window_size': 1,
        'min_threshold': 2, 'tombstone_threshold': 0.2}
        """,
        "{'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T2', 'tombstone_threshold': 0.1}",
        "{'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'L4'}",
    ]

    private mutating func addKeys(_ random: inout SeededRandom) {
        for index in 0..<Int.random(in: 1...2, using: &random) {
            var column = HarryColumn(name: "p\(index)", kind: .partition, type: .any(&random))
            // No partition key is empty.
            column.type.values.removeAll { $0.bytes.isEmpty }
            column.type.values = Array(column.type.values.prefix(2))
            columns.append(column)
        }
        for index in 0..<Int.random(in: 0...3, using: &random) {
            var column = HarryColumn(name: "c\(index)", kind: .clustering, type: .any(&random))
            column.isDescending = Bool.random(using: &random)
            columns.append(column)
        }
    }

    static func column(_ kind: HarryColumn.Kind, _ index: Int, _ random: inout SeededRandom) -> HarryColumn {
        let name = "\(kind == .static ? "s" : "r")\(index)"
        var column = HarryColumn(name: name, kind: kind, type: .any(&random))
        switch Int.random(in: 0..<10, using: &random) {
        case 0: column.shape = .map(.any(&random))
        case 1: column.shape = .set
        case 2: column.shape = .user
        case 3...5: column.shape = .list
        default: break
        }
        return column
    }

    private mutating func newName(_ letter: String) -> String {
        dependentCount += 1
        return "\(letter)\(dependentCount)"
    }

    /// A view that the table has not yet, if one can be made up.
    mutating func newView(_ random: inout SeededRandom) -> HarryView? {
        let (partition, clustering, regular) = (indices(.partition), indices(.clustering), indices(.regular))
        var view = HarryView(
            name: newName("v"), key: (partition + clustering).shuffled(using: &random), selected: [])
        let candidates = regular.filter {
            // An empty value can be no partition key.
            columns[$0].isScalar && !columns[$0].type.values.contains { $0.bytes.isEmpty }
        }
        if random.oneIn(2), let cell = candidates.randomElement(using: &random) {
            view.keyCell = cell
            view.key.insert(cell, at: 0)
        } else if let first = view.key.first, columns[first].type.values.contains(where: { $0.bytes.isEmpty }) {
            return nil
        }
        view.selected = regular.filter { $0 != view.keyCell && !random.oneIn(3) }
        let literals = ["int", "bigint", "smallint", "tinyint"]
        if let first = clustering.first, literals.contains(columns[first].type.name), random.oneIn(2) {
            view.firstClustering = 1
        }
        if view.key.count > 1, random.oneIn(2) {
            view.order = view.key.dropFirst().map { _ in Bool.random(using: &random) }
        }
        return view
    }

    /// The clustering columns of a view, in its order.
    func clustering(of view: HarryView) -> [HarryColumn] {
        view.key.dropFirst().enumerated().map { position, index in
            var column = columns[index]
            column.isDescending = view.order?[position] ?? column.isDescending
            return column
        }
    }

    /// An index of the column, if it can have one.
    mutating func newIndex(_ column: Int, _ random: inout SeededRandom) -> HarryIndex? {
        guard columns[column].kind != .partition, !columns[column].isDropped else { return nil }
        let kind: HarryIndex.Kind
        switch columns[column].shape {
        case .scalar:
            // A frozen collection has another kind of index.
            if columns[column].type.name.hasPrefix("frozen<list") { return nil }
            kind = .plain
        case .set, .list: kind = .values
        case .map: kind = [.keys, .values, .entries].randomElement(using: &random) ?? .keys
        case .user: return nil
        }
        guard !indexes.contains(where: { $0.column == column && $0.kind == kind }) else { return nil }
        return HarryIndex(name: newName("i"), column: column, kind: kind)
    }

    // MARK: Statements

    var statements: [String] {
        var lines = columns.map(\.definition)
        lines.append(
            "PRIMARY KEY ((\(names(indices(.partition)))) \(indices(.clustering).map { ", \(columns[$0].name)" }.joined()))"
        )
        let order = indices(.clustering).map { "\(columns[$0].name) \(columns[$0].isDescending ? "DESC" : "ASC")" }
        let clause = order.isEmpty ? "" : "CLUSTERING ORDER BY (\(order.joined(separator: ", "))) AND "
        let table = """
            CREATE TABLE t (\(lines.joined(separator: ", "))) WITH \(clause)gc_grace_seconds = \(graceSeconds)
            AND default_time_to_live = \(defaultTimeToLive)\(compaction.isEmpty ? "" : " AND compaction = \(compaction)")
            """
        return ["CREATE TYPE u (a int, b text)", table] + views.map { statement(of: $0) }
            + indexes.map { statement(of: $0) }
    }

    private func names(_ indices: [Int]) -> String { indices.map { columns[$0].name }.joined(separator: ", ") }

    func statement(of view: HarryView) -> String {
        var conditions = view.key.map { "\(columns[$0].name) IS NOT NULL" }
        if let value = view.firstClustering, let first = indices(.clustering).first {
            conditions.append("\(columns[first].name) >= \(columns[first].type.values[value].cql)")
        }
        let order = clustering(of: view).map { "\($0.name) \($0.isDescending ? "DESC" : "ASC")" }
        let options =
            (view.order == nil ? [] : ["CLUSTERING ORDER BY (\(order.joined(separator: ", ")))"])
            + (compaction.isEmpty ? [] : ["compaction = \(compaction)"])
        return """
            CREATE MATERIALIZED VIEW \(view.name) AS SELECT \(names(view.key + view.selected)) FROM t
            WHERE \(conditions.joined(separator: " AND ")) PRIMARY KEY (\(names(view.key)))
            \(options.isEmpty ? "" : "WITH \(options.joined(separator: " AND "))")
            """
    }

    func statement(of index: HarryIndex) -> String {
        let name = columns[index.column].name
        let isMap = columns[index.column].typeName.hasPrefix("map")
        let target =
            index.kind == .plain || index.kind == .values && !isMap ? name : "\(index.kind.rawValue)(\(name))"
        return "CREATE INDEX \(index.name) ON t (\(target))"
    }
}

extension HarryType {
    static func any(_ random: inout SeededRandom) -> HarryType { all.randomElement(using: &random) ?? int }
}

extension SeededRandom {
    mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
}
