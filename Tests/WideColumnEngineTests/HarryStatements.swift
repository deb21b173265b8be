// HarryStatements.swift — modifications made up from a seed, each with what it means to the model.

@testable import WideColumnEngine

/// One modification: its text, its values, and the changes that it makes at a time.
struct HarryStatement {
    var cql: String
    var values: [CQLValue] = []
    var effects: (_ timestamp: Int64, _ seconds: Int64) -> [HarryChange.Effect]
    /// The row that it names, if it names one.
    var row: HarryRow?
    /// Of a conditional statement: whether it should be applied.
    var condition: ((HarryPartition?) -> Bool)?
    /// The columns that its condition is about; none of one of existence.
    var tests: [Int] = []
    var assignsStatics = false
    /// Whether it is about rows, not about a partition or its static row.
    var namesRows = false
}

struct HarryGenerator {
    var schema: HarrySchema
    var random: SeededRandom
    /// What lives now; empty where statements may not depend on it.
    var present: [HarryPartition] = []
    /// Elements added to lists so far.
    var addedCount = 0

    var columns: [HarryColumn] { schema.columns }

    init(_ schema: HarrySchema, _ random: SeededRandom) {
        self.schema = schema
        self.random = random
    }

    // MARK: Keys

    mutating func key(_ kind: HarryColumn.Kind) -> [Int] {
        schema.indices(kind).map { Int.random(in: 0..<columns[$0].type.values.count, using: &random) }
    }

    func values(_ kind: HarryColumn.Kind, _ key: [Int]) -> [CQLValue] {
        zip(schema.indices(kind), key).map { columns[$0].type.values[$1].cql }
    }

    func equal(_ kind: HarryColumn.Kind) -> String {
        schema.indices(kind).map { "\(columns[$0].name) = ?" }.joined(separator: " AND ")
    }

    /// The condition that names a row, or a static row.
    private func condition(_ row: HarryRow) -> (String, [CQLValue]) {
        let partition = (equal(.partition), values(.partition, row.partition))
        guard let clustering = row.clustering, !clustering.isEmpty else { return partition }
        return ("\(partition.0) AND \(equal(.clustering))", partition.1 + values(.clustering, clustering))
    }

    /// A random row, or with `kind` static its static row.
    private mutating func row(_ kind: HarryColumn.Kind, in partition: [Int]) -> HarryRow {
        HarryRow(partition: partition, clustering: kind == .static ? nil : key(.clustering))
    }

    // MARK: Statements

    mutating func statement(in partition: [Int]? = nil, timestamp: Int64?) -> HarryStatement {
        let isAlone = partition == nil
        let partition = partition ?? key(.partition)
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<4: return insert(partition, timestamp)
        case 4..<8: return update(partition, timestamp)
        case 8, 9: return deleteColumns(partition, timestamp)
        default: return deleteRows(partition, timestamp, isAlone: isAlone)
        }
    }

    /// The texts and values after USING; the time to live as the rules have it.
    private mutating func using(_ timestamp: Int64?, allowsTTL: Bool) -> (clause: String, [CQLValue], ttl: Int64) {
        var parts: [String] = []
        var values: [CQLValue] = []
        var timeToLive = schema.defaultTimeToLive
        if allowsTTL, random.oneIn(3) {
            parts.append("TTL ?")
            switch Int.random(in: 0..<5, using: &random) {
            case 0: (values, timeToLive) = ([.null], 0)
            case 1: values = [.unset]
            case 2: (values, timeToLive) = ([.int(0)], 0)
            default:
                timeToLive =
                    schema.hasTies ? .random(in: 3...60, using: &random) : .random(in: 5...120, using: &random)
                values = [.int(Int32(timeToLive))]
            }
        }
        if let timestamp {
            parts.append("TIMESTAMP ?")
            values.append(.bigint(timestamp))
        }
        return (parts.isEmpty ? "" : "USING \(parts.joined(separator: " AND "))", values, timeToLive)
    }

    mutating func insert(_ partition: [Int], _ timestamp: Int64?, isConditional: Bool = false) -> HarryStatement {
        let onlyStatic = !schema.indices(.static).isEmpty && random.oneIn(5)
        let row = row(onlyStatic ? .static : .regular, in: partition)
        let isStatic = row.clustering == nil
        let candidates = isStatic ? schema.indices(.static) : schema.indices(.static) + schema.indices(.regular)
        let chosen = candidates.filter { _ in !random.oneIn(3) }
        // Without a clustering key some static column must be named.
        let assigned = isStatic && chosen.isEmpty ? Array(candidates.prefix(1)) : chosen
        var names = schema.indices(.partition).map { columns[$0].name }
        var values = values(.partition, partition)
        if let clustering = row.clustering {
            names += schema.indices(.clustering).map { columns[$0].name }
            values += self.values(.clustering, clustering)
        }
        var effects: [HarryAssignment.Effects] = []
        for column in assigned {
            let isStatic = columns[column].kind == .static
            let whole = wholeAssignment(column, isStatic ? HarryRow(partition: partition) : row)
            names.append(columns[column].name)
            values.append(whole.value)
            effects.append(whole.effects)
        }
        let using = using(timestamp, allowsTTL: true)
        let marks = names.map { _ in "?" }.joined(separator: ", ")
        let ttl = using.ttl
        return HarryStatement(
            cql: "INSERT INTO t (\(names.joined(separator: ", "))) VALUES (\(marks)) "
                + "\(isConditional ? "IF NOT EXISTS " : "")\(using.clause)",
            values: values + using.1,
            effects: { time, seconds in
                let life = HarryLife(timestamp: time, timeToLive: ttl, seconds: seconds)
                let marker: [HarryChange.Effect] = row.clustering == nil ? [] : [.marker(row, life.version(0))]
                return marker + effects.flatMap { $0(life) }
            }, row: row, assignsStatics: assigned.contains { columns[$0].kind == .static }, namesRows: !isStatic)
    }

    mutating func update(_ partition: [Int], _ timestamp: Int64?) -> HarryStatement {
        let kind: HarryColumn.Kind = !schema.indices(.static).isEmpty && random.oneIn(4) ? .static : .regular
        let row = row(kind, in: partition)
        let candidates = schema.indices(kind).shuffled(using: &random)
        let using = using(timestamp, allowsTTL: true)
        var clauses: [String] = []
        var values = using.1
        var effects: [HarryAssignment.Effects] = []
        for column in candidates.prefix(Int.random(in: 1...2, using: &random)) {
            let assignment = assignment(column, row)
            clauses.append(assignment.clause)
            values += assignment.values
            effects.append(assignment.effects)
        }
        let (condition, keys) = condition(row)
        let ttl = using.ttl
        return HarryStatement(
            cql: "UPDATE t \(using.clause) SET \(clauses.joined(separator: ", ")) WHERE \(condition)",
            values: values + keys,
            effects: { time, seconds in
                effects.flatMap { $0(HarryLife(timestamp: time, timeToLive: ttl, seconds: seconds)) }
            }, row: row, assignsStatics: kind == .static, namesRows: kind != .static)
    }

    mutating func deleteColumns(_ partition: [Int], _ timestamp: Int64?) -> HarryStatement {
        let kind: HarryColumn.Kind = !schema.indices(.static).isEmpty && random.oneIn(4) ? .static : .regular
        let row = row(kind, in: partition)
        let column = schema.indices(kind).randomElement(using: &random) ?? 0
        let deletion = deletion(of: column, row)
        let using = using(timestamp, allowsTTL: false)
        let (condition, keys) = condition(row)
        return HarryStatement(
            cql: "DELETE \(deletion.clause) FROM t \(using.clause) WHERE \(condition)",
            values: deletion.values + using.1 + keys,
            effects: { time, seconds in
                deletion.effects(HarryLife(timestamp: time, timeToLive: 0, seconds: seconds))
            }, row: row, assignsStatics: kind == .static, namesRows: kind != .static)
    }

    /// Deletes a partition, a row, or a range of rows.
    ///
    /// - Parameter isAlone: it may name other partitions too.
    private mutating func deleteRows(_ partition: [Int], _ timestamp: Int64?, isAlone: Bool) -> HarryStatement {
        let using = using(timestamp, allowsTTL: false)
        var keys = values(.partition, partition)
        var partitions = [partition]
        var condition = equal(.partition)
        if isAlone, random.oneIn(4), let last = schema.indices(.partition).last {
            // IN on the last column of the partition key.
            let other = Int.random(in: 0..<columns[last].type.values.count, using: &random)
            keys.append(columns[last].type.values[other].cql)
            condition = String(condition.dropLast(3)) + "IN (?, ?)"
            partitions.append(partition.dropLast() + [other])
        }
        let restriction = restriction()
        if let restriction { condition += " AND \(restriction.clause)" }
        return HarryStatement(
            cql: "DELETE FROM t \(using.clause) WHERE \(condition)",
            values: using.1 + keys + (restriction?.values ?? []),
            effects: { [partitions] time, _ in
                partitions.map { partition in
                    guard let restriction else { return .deletePartition(partition, timestamp: time) }
                    return .deleteRows(partition: partition, timestamp: time, where: restriction.matches)
                }
            }, namesRows: restriction != nil)
    }

    // MARK: Restrictions

    struct Restriction {
        var clause: String
        var values: [CQLValue]
        var matches: ([Int]) -> Bool
    }

    /// A condition on clustering columns: equal ones, then perhaps a slice, of one column or several; nil for none.
    mutating func restriction() -> Restriction? { restriction(of: schema.indices(.clustering).map { columns[$0] }) }

    /// Of a table or view with these clustering columns.
    mutating func restriction(of clustering: [HarryColumn]) -> Restriction? {
        if clustering.count > 1, random.oneIn(3) { return tupleRestriction(clustering) }
        let count = Int.random(in: 0...clustering.count, using: &random)
        var result = Restriction(clause: "", values: [], matches: { _ in true })
        var clauses: [String] = []
        for (position, column) in clustering.prefix(count).enumerated() {
            let type = column.type
            let value = Int.random(in: 0..<type.values.count, using: &random)
            let before = result.matches
            if position == count - 1, random.oneIn(2) {
                let (text, holds) = comparison()
                clauses.append("\(column.name) \(text) ?")
                result.values.append(type.values[value].cql)
                result.matches = { before($0) && holds($0[position], value) }
                let isLower = text.hasPrefix(">")
                let other = Int.random(in: 0..<type.values.count, using: &random)
                if random.oneIn(3) {
                    clauses.append("\(column.name) \(isLower ? "<=" : ">=") ?")
                    result.values.append(type.values[other].cql)
                    let both = result.matches
                    result.matches = { both($0) && (isLower ? $0[position] <= other : $0[position] >= other) }
                }
            } else if random.oneIn(3) {
                let other = Int.random(in: 0..<type.values.count, using: &random)
                clauses.append("\(column.name) IN (?, ?)")
                result.values += [type.values[value].cql, type.values[other].cql]
                result.matches = { before($0) && [value, other].contains($0[position]) }
            } else {
                clauses.append("\(column.name) = ?")
                result.values.append(type.values[value].cql)
                result.matches = { before($0) && $0[position] == value }
            }
        }
        result.clause = clauses.joined(separator: " AND ")
        return clauses.isEmpty ? nil : result
    }

    /// A slice with one bound or two over several columns, or IN with tuples, behind columns that `=` gives a value.
    private mutating func tupleRestriction(_ clustering: [HarryColumn]) -> Restriction {
        let first = Int.random(in: 0..<clustering.count - 1, using: &random)
        func key() -> [Int] { clustering.map { Int.random(in: 0..<$0.type.values.count, using: &random) } }
        let head = key()
        var result = Restriction(clause: "", values: [], matches: { $0.prefix(first) == head.prefix(first) })
        var clauses = clustering.prefix(first).map { "\($0.name) = ?" }
        result.values = zip(clustering, head).prefix(first).map { $0.type.values[$1].cql }

        func add(_ count: Int, _ comparison: String, _ tuples: [[Int]], _ holds: @escaping ([Int]) -> Bool) {
            let targets = clustering[first..<first + count]
            let marks = "(\(targets.map { _ in "?" }.joined(separator: ", ")))"
            let operand = tuples.map { _ in marks }.joined(separator: ", ")
            clauses.append(
                "(\(targets.map(\.name).joined(separator: ", "))) \(comparison) "
                    + (comparison == "IN" ? "(\(operand))" : operand))
            for tuple in tuples { result.values += zip(targets, tuple).map { $0.type.values[$1].cql } }
            let before = result.matches
            result.matches = { before($0) && holds(Array($0[first..<first + count])) }
        }
        func count() -> Int { Int.random(in: 1...clustering.count - first, using: &random) }
        func tuple(_ count: Int) -> [Int] { Array(key()[first..<first + count]) }
        if random.oneIn(4) {
            let count = max(count(), 2)
            let tuples = [tuple(count), tuple(count)]
            add(count, "IN", tuples) { tuples.contains($0) }
        } else {
            let bounds =
                [[">"], [">="], ["<"], ["<="], [">", "<="], [">=", "<"]].randomElement(using: &random) ?? [">"]
            for comparison in bounds {
                let count = count()
                let bound = tuple(count)
                add(count, comparison, [bound]) { row in
                    let isBelow = row.lexicographicallyPrecedes(bound)
                    return switch comparison {
                    case "<": isBelow
                    case "<=": isBelow || row == bound
                    case ">": !isBelow && row != bound
                    default: !isBelow
                    }
                }
            }
        }
        result.clause = clauses.joined(separator: " AND ")
        return result
    }

    mutating func comparison() -> (String, (Int, Int) -> Bool) {
        let all: [(String, (Int, Int) -> Bool)] = [
            ("<", { $0 < $1 }), ("<=", { $0 <= $1 }), (">", { $0 > $1 }), (">=", { $0 >= $1 }),
        ]
        return all[Int.random(in: 0..<4, using: &random)]
    }
}
