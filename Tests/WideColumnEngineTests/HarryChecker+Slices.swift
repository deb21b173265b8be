// HarryChecker+Slices.swift — parts of partitions of the table and of its views: slices, IN, either order, limits, pages.

@testable import WideColumnEngine

extension HarryChecker {
    /// Slices, IN, reverse order, limits, of one partition or several.
    mutating func checkSlice() throws {
        let restriction = generator.restriction()
        let (condition, values, keys) = generator.partitions()
        var slice = Slice(
            source: "t", condition: condition, values: values,
            clustering: schema.indices(.clustering).map { columns[$0] }, namesPartitions: keys.count > 1)
        let isPlain = generator.random.oneIn(2)
        let groups = partitions.filter { keys.contains($0.key) }.map { partition -> [Slice.Row] in
            let all = partition.rows.isEmpty && restriction == nil ? [HarryContent()] : partition.rows
            let rows = all.filter { restriction?.matches($0.clustering ?? []) ?? true }
            return rows.map { Slice.Row(key: $0.clustering, values: row(partition, $0, isPlain: isPlain)) }
        }
        slice.selection = selection(schema.ordered, isPlain: isPlain)
        try check(&slice, restriction, groups)
    }

    /// The same of a view.
    mutating func checkSlice(of view: HarryView) throws {
        let clustering = schema.clustering(of: view)
        let restriction = generator.restriction(of: clustering)
        let partition = columns[view.key[0]]
        let value = Int.random(in: 0..<partition.type.values.count, using: &generator.random)
        var slice = Slice(
            source: view.name, condition: "\(partition.name) = ?", values: [partition.type.values[value].cql],
            clustering: clustering)
        let isPlain = generator.random.oneIn(2)
        slice.selection = selection(of: view, isPlain: isPlain)
        let rows = rows(of: view, isPlain: isPlain).filter { row in
            row.key?[0] == value && restriction?.matches(Array(row.key?.dropFirst() ?? [])) ?? true
        }
        try check(
            &slice, restriction, [rows.map { Slice.Row(key: $0.key.map { Array($0.dropFirst()) }, values: $0.values) }])
    }

    struct Slice {
        struct Row {
            /// The indices of the values of its clustering key; nil where only its static row lives.
            var key: [Int]?
            var values: [CQLValue]
        }

        var source: String
        var condition: String
        var values: [CQLValue]
        var clustering: [HarryColumn]
        /// Whether it has IN on the partition key: then nothing ordered comes in pages.
        var namesPartitions = false
        var selection = ""

        var cql: String { "SELECT \(selection) FROM \(source) WHERE \(condition)" }
    }

    /// - Parameter groups: The rows of each partition, in the order of a view or table.
    private mutating func check(
        _ slice: inout Slice, _ restriction: HarryGenerator.Restriction?, _ groups: [[Slice.Row]]
    ) throws {
        var groups = groups
        if let restriction {
            slice.condition += " AND \(restriction.clause)"
            slice.values += restriction.values
        }
        var cql = slice.cql
        var order = slice.clustering
        let hasStaticsAlone = groups.contains { $0.contains { $0.key == nil } }
        let isOrdered = !order.isEmpty && !hasStaticsAlone && generator.random.oneIn(2)
        if isOrdered {
            if generator.random.oneIn(4) {
                // The order that it has anyway.
            } else {
                for index in order.indices { order[index].isDescending.toggle() }
                groups = groups.map { $0.reversed() }
            }
            cql +=
                " ORDER BY "
                + order.map { "\($0.name) \($0.isDescending ? "DESC" : "ASC")" }.joined(separator: ", ")
        }
        let merges = isOrdered && slice.namesPartitions && groups.count > 1
        var limit = Int.max
        switch Int.random(in: 0..<6, using: &generator.random) {
        case 0 where !merges:
            limit = Int.random(in: 1...4, using: &generator.random)
            cql += " LIMIT \(limit)"
        case 1:
            let count = Int.random(in: 1...4, using: &generator.random)
            cql += " PER PARTITION LIMIT \(count)"
            groups = groups.map { Array($0.prefix(count)) }
        default: break
        }
        if merges { return try expectMerged(cql, slice.values, groups, order) }
        // In which order partitions come nothing promises.
        let result = Self.texts(try execute(cql, slice.values))
        let forms = [groups, groups.reversed()].map { Self.texts($0.flatMap { $0 }.map(\.values)).prefix(limit) }
        guard forms.contains(result[...]) else { throw failure(cql, slice.values, result, Array(forms[0])) }
        if generator.random.oneIn(2), !isOrdered || !slice.namesPartitions {
            try checkPages(of: cql, slice.values, result)
        }
    }

    /// The rows of several partitions by their clustering keys; those of one key come in any order.
    private func expectMerged(
        _ cql: String, _ values: [CQLValue], _ groups: [[Slice.Row]], _ order: [HarryColumn]
    ) throws {
        let rows = groups.flatMap { $0 }
        let result = Self.texts(try execute(cql, values))
        let keys = Dictionary(zip(Self.texts(rows.map(\.values)), rows.map { $0.key ?? [] })) { first, _ in first }
        let found = result.compactMap { keys[$0] }
        let isSorted = zip(found, found.dropFirst()).allSatisfy { !HarryModel.precedes($1, $0, order) }
        let expected = Self.texts(rows.map(\.values))
        guard isSorted, result.sorted() == expected.sorted() else { throw failure(cql, values, result, expected) }
    }
}

extension HarryGenerator {
    /// A condition that names one partition, or two by IN on the last column of the key; and their keys.
    mutating func partitions() -> (condition: String, values: [CQLValue], keys: [[Int]]) {
        let partition = key(.partition)
        let values = values(.partition, partition)
        guard let last = schema.indices(.partition).last, random.oneIn(3) else {
            return (equal(.partition), values, [partition])
        }
        let other = Int.random(in: 0..<columns[last].type.values.count, using: &random)
        return (
            String(equal(.partition).dropLast(3)) + "IN (?, ?)", values + [columns[last].type.values[other].cql],
            [partition, partition.dropLast() + [other]]
        )
    }
}
