// HarryConditions.swift — light-weight transactions made up from a seed, with what the model says of their conditions
// ([CA] cql3/conditions/ColumnCondition.java: comparing with null, and of what has no row).

@testable import WideColumnEngine

/// A condition on columns, and whether it holds of a row and its static row.
private struct HarryTest {
    var clause: String
    var values: [CQLValue]
    var column: Int
    var holds: (HarryContent?, HarryContent?) -> Bool
}

extension HarryGenerator {
    /// An INSERT, UPDATE or DELETE with a condition, in a partition.
    mutating func conditional(_ partition: [Int]) -> HarryStatement {
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            var statement = insert(partition, nil, isConditional: true)
            let row = statement.row
            statement.condition = { row?.clustering == nil ? $0?.staticRow == nil : Self.row(row, in: $0) == nil }
            return statement
        case 1: return deleteRow(partition)
        case 2:
            let statement = deleteColumns(partition, nil)
            return conditioned(statement, mayExist: false)
        default:
            let statement = update(partition, nil)
            return conditioned(statement, mayExist: true)
        }
    }

    private static func row(_ row: HarryRow?, in partition: HarryPartition?) -> HarryContent? {
        partition?.rows.first { $0.clustering == row?.clustering }
    }

    private mutating func deleteRow(_ partition: [Int]) -> HarryStatement {
        let row = HarryRow(partition: partition, clustering: key(.clustering))
        let keys = [equal(.partition), equal(.clustering)].filter { !$0.isEmpty }.joined(separator: " AND ")
        return HarryStatement(
            cql: "DELETE FROM t WHERE \(keys) IF EXISTS",
            values: values(.partition, partition) + values(.clustering, row.clustering ?? []),
            effects: { time, _ in
                [.deleteRows(partition: partition, timestamp: time, where: { $0 == row.clustering })]
            }, row: row, condition: { Self.row(row, in: $0) != nil }, namesRows: true)
    }

    /// The statement with IF EXISTS, or with one or two tests of columns.
    private mutating func conditioned(_ statement: HarryStatement, mayExist: Bool) -> HarryStatement {
        var statement = statement
        let row = statement.row
        let isStatic = row?.clustering == nil
        if mayExist, !isStatic, random.oneIn(4) {
            statement.cql += " IF EXISTS"
            statement.condition = { Self.row(row, in: $0) != nil }
            return statement
        }
        let candidates = schema.indices(.static) + (isStatic ? [] : schema.indices(.regular))
        var tests: [HarryTest] = []
        for index in candidates.shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random)) {
            tests.append(test(index))
        }
        statement.cql += " IF " + tests.map(\.clause).joined(separator: " AND ")
        statement.values += tests.flatMap(\.values)
        statement.tests = tests.map(\.column)
        statement.condition = { [tests] partition in
            tests.allSatisfy { $0.holds(Self.row(row, in: partition), partition?.staticRow) }
        }
        return statement
    }

    // MARK: Tests of columns

    private mutating func test(_ index: Int) -> HarryTest {
        let column = columns[index]
        func cells(_ row: HarryContent?, _ staticRow: HarryContent?) -> [(path: Int?, version: HarryVersion)] {
            (column.kind == .static ? staticRow : row)?.cells[index] ?? []
        }
        switch column.shape {
        case .scalar:
            return valueTest(index, column.name, [], column.type) { cells($0, $1).first?.version.value }
        case .map(let key) where random.oneIn(2):
            let path = pick(key)(&random)
            return valueTest(index, "\(column.name)[?]", [key.values[path].cql], column.type) { row, staticRow in
                cells(row, staticRow).first { $0.path == path }?.version.value
            }
        case .list where random.oneIn(2):
            let position = Int.random(in: 0...2, using: &random)
            return valueTest(index, "\(column.name)[?]", [.int(Int32(position))], column.type) { row, staticRow in
                let cells = cells(row, staticRow)
                return position < cells.count ? cells[position].version.value : nil
            }
        case .user where random.oneIn(2):
            let field = Int.random(in: 0..<2, using: &random)
            let name = "\(column.name).\(field == 0 ? "a" : "b")"
            return valueTest(index, name, [], field == 0 ? .int : .text) { row, staticRow in
                cells(row, staticRow).first { $0.path == field }?.version.value
            }
        default:
            let elements = elements(of: column)
            let value = elements.isEmpty ? .null : column.value(elements)
            let isEqual = random.oneIn(2)
            return HarryTest(clause: "\(column.name) \(isEqual ? "=" : "!=") ?", values: [value], column: index) {
                column.content(cells($0, $1)).isSame(as: value) == isEqual
            }
        }
    }

    /// "A comparison with null holds for `=` where there is none, and for `!=` where there is one; others refuse it."
    private mutating func valueTest(
        _ index: Int, _ target: String, _ keys: [CQLValue], _ type: HarryType,
        _ read: @escaping (HarryContent?, HarryContent?) -> Int?
    ) -> HarryTest {
        let operand = pick(type)(&random)
        let comparison = ["=", "!=", "<", "<=", ">", ">=", "IN"].randomElement(using: &random) ?? "="
        if comparison == "IN" {
            let operands = [operand, pick(type)(&random)]
            return HarryTest(
                clause: "\(target) IN (?, ?)", values: keys + operands.map { type.values[$0].cql }, column: index
            ) { row, staticRow in read(row, staticRow).map { operands.contains($0) } ?? false }
        }
        let isNull = ["=", "!="].contains(comparison) && random.oneIn(3)
        return HarryTest(
            clause: "\(target) \(comparison) ?", values: keys + [isNull ? .null : type.values[operand].cql],
            column: index
        ) { row, staticRow in
            let value = read(row, staticRow)
            switch comparison {
            case "=": return value == (isNull ? nil : operand)
            case "!=": return value != (isNull ? nil : operand)
            default: break
            }
            guard let value else { return false }
            return switch comparison {
            case "<": value < operand
            case "<=": value <= operand
            case ">": value > operand
            default: value >= operand
            }
        }
    }
}
