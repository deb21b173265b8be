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
}

struct HarryIndex {
    enum Kind: String { case values, keys, entries, plain }

    var column: Int
    var kind: Kind
}

struct HarrySchema {
    /// Timestamps are few, so many are equal and late, and nothing expires; else they differ, and time passes.
    var hasTies: Bool
    var columns: [HarryColumn] = []
    var defaultTimeToLive: Int64 = 0
    var graceSeconds: Int64 = 60
    var views: [HarryView] = []
    var indexes: [HarryIndex] = []

    func indices(_ kind: HarryColumn.Kind) -> [Int] { columns.indices.filter { columns[$0].kind == kind } }
    var hasLists: Bool { columns.contains { if case .list = $0.shape { true } else { false } } }
    var keyIndices: [Int] { indices(.partition) + indices(.clustering) }

    init(_ random: inout SeededRandom) {
        hasTies = Bool.random(using: &random)
        defaultTimeToLive = !hasTies && random.oneIn(4) ? 45 : 0
        addKeys(&random)
        let hasStatics = !indices(.clustering).isEmpty && random.oneIn(2)
        for (kind, count) in [
            (HarryColumn.Kind.static, hasStatics ? Int.random(in: 1...2, using: &random) : 0),
            (.regular, Int.random(in: 1...4, using: &random)),
        ] {
            for index in 0..<count { columns.append(Self.column(kind, index, &random)) }
        }
        addViews(&random)
        addIndexes(&random)
    }

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

    private static func column(_ kind: HarryColumn.Kind, _ index: Int, _ random: inout SeededRandom) -> HarryColumn {
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

    private mutating func addViews(_ random: inout SeededRandom) {
        let (partition, clustering, regular) = (indices(.partition), indices(.clustering), indices(.regular))
        for index in 0..<Int.random(in: 0...2, using: &random) {
            var view = HarryView(
                name: "v\(index)", key: (partition + clustering).shuffled(using: &random), selected: [])
            let candidates = regular.filter {
                // An empty value can be no partition key.
                columns[$0].isScalar && !columns[$0].type.values.contains { $0.bytes.isEmpty }
            }
            if random.oneIn(2), let cell = candidates.randomElement(using: &random) {
                view.keyCell = cell
                view.key.insert(cell, at: 0)
            } else if let first = view.key.first, columns[first].type.values.contains(where: { $0.bytes.isEmpty }) {
                continue
            }
            view.selected = regular.filter { $0 != view.keyCell && !random.oneIn(3) }
            let literals = ["int", "bigint", "smallint", "tinyint"]
            if let first = clustering.first, literals.contains(columns[first].type.name), random.oneIn(2) {
                view.firstClustering = 1
            }
            views.append(view)
        }
    }

    private mutating func addIndexes(_ random: inout SeededRandom) {
        for index in columns.indices where columns[index].kind != .partition && random.oneIn(3) {
            switch columns[index].shape {
            case .scalar:
                // A frozen collection has another kind of index.
                if !columns[index].type.name.hasPrefix("frozen<list") {
                    indexes.append(HarryIndex(column: index, kind: .plain))
                }
            case .set, .list: indexes.append(HarryIndex(column: index, kind: .values))
            case .map:
                let kind = [HarryIndex.Kind.keys, .values, .entries].randomElement(using: &random) ?? .keys
                indexes.append(HarryIndex(column: index, kind: kind))
            case .user: break
            }
        }
    }

    // MARK: Statements

    var statements: [String] {
        var lines = columns.map { "\($0.name) \($0.typeName)\($0.kind == .static ? " STATIC" : "")" }
        lines.append(
            "PRIMARY KEY ((\(names(indices(.partition)))) \(indices(.clustering).map { ", \(columns[$0].name)" }.joined()))"
        )
        let order = indices(.clustering).map { "\(columns[$0].name) \(columns[$0].isDescending ? "DESC" : "ASC")" }
        let clause = order.isEmpty ? "" : "CLUSTERING ORDER BY (\(order.joined(separator: ", "))) AND "
        let table = """
            CREATE TABLE t (\(lines.joined(separator: ", "))) WITH \(clause)gc_grace_seconds = \(graceSeconds)
            AND default_time_to_live = \(defaultTimeToLive)
            """
        return ["CREATE TYPE u (a int, b text)", table] + views.map { statement(of: $0) }
            + indexes.map { statement(of: $0) }
    }

    private func names(_ indices: [Int]) -> String { indices.map { columns[$0].name }.joined(separator: ", ") }

    private func statement(of view: HarryView) -> String {
        var conditions = view.key.map { "\(columns[$0].name) IS NOT NULL" }
        if let value = view.firstClustering, let first = indices(.clustering).first {
            conditions.append("\(columns[first].name) >= \(columns[first].type.values[value].cql)")
        }
        return """
            CREATE MATERIALIZED VIEW \(view.name) AS SELECT \(names(view.key + view.selected)) FROM t
            WHERE \(conditions.joined(separator: " AND ")) PRIMARY KEY (\(names(view.key)))
            """
    }

    private func statement(of index: HarryIndex) -> String {
        let name = columns[index.column].name
        let isMap = columns[index.column].typeName.hasPrefix("map")
        return index.kind == .plain || index.kind == .values && !isMap
            ? "CREATE INDEX ON t (\(name))" : "CREATE INDEX ON t (\(index.kind.rawValue)(\(name)))"
    }
}

extension HarryType {
    static func any(_ random: inout SeededRandom) -> HarryType { all.randomElement(using: &random) ?? int }
}

extension SeededRandom {
    mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
}
