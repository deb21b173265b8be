// HarryAssignments.swift — what statements do to single columns: values, elements, fields, and their deletion.

@testable import WideColumnEngine

/// The time of a write and how long it lives.
struct HarryLife {
    var timestamp: Int64
    var timeToLive: Int64
    /// Of the write.
    var seconds: Int64

    func version(_ value: Int) -> HarryVersion {
        HarryVersion(
            timestamp: timestamp, value: value, timeToLive: timeToLive,
            seconds: timeToLive == 0 ? .max : seconds + timeToLive)
    }

    var deletion: HarryVersion { HarryVersion(timestamp: timestamp, value: nil, seconds: seconds) }
}

struct HarryAssignment {
    typealias Effects = (HarryLife) -> [HarryChange.Effect]

    var clause = ""
    var values: [CQLValue] = []
    var effects: Effects
}

extension HarryGenerator {
    func pick(_ type: HarryType) -> (inout SeededRandom) -> Int {
        { Int.random(in: 0..<type.values.count, using: &$0) }
    }

    /// A bound value for the whole column: a value, null or unset.
    mutating func wholeAssignment(_ index: Int, _ row: HarryRow) -> (value: CQLValue, effects: HarryAssignment.Effects)
    {
        if random.oneIn(8) { return (.unset, { _ in [] }) }
        let column = schema.columns[index]
        if random.oneIn(8) { return (.null, deletionEffects(index, row, isAssignment: true)) }
        switch column.shape {
        case .scalar:
            let value = pick(column.type)(&random)
            return (column.type.values[value].cql, { [.cell(row, column: index, path: nil, $0.version(value))] })
        default:
            let elements = elements(of: column)
            let clear = deletionEffects(index, row, isAssignment: true)
            return (
                column.value(elements),
                { life in
                    clear(life) + elements.map { .cell(row, column: index, path: $0.path, life.version($0.value)) }
                }
            )
        }
    }

    /// Elements with different paths.
    mutating func elements(of column: HarryColumn) -> [(path: Int, value: Int)] {
        let count = Int.random(in: 0...2, using: &random)
        switch column.shape {
        case .user: return (0..<2).filter { _ in !random.oneIn(3) }.map { ($0, pick($0 == 0 ? .int : .text)(&random)) }
        case .set: return Set((0..<count).map { _ in pick(column.type)(&random) }).sorted().map { ($0, 0) }
        case .list:
            return (0..<count).map { _ in
                addedCount += 1
                return (addedCount, pick(column.type)(&random))
            }
        case .map(let key):
            return Set((0..<count).map { _ in pick(key)(&random) }).sorted().map { ($0, pick(column.type)(&random)) }
        case .scalar: return []
        }
    }

    private func deletionEffects(_ index: Int, _ row: HarryRow, isAssignment: Bool) -> HarryAssignment.Effects {
        guard schema.columns[index].isScalar else {
            // "Whole assignment writes a complex deletion at ts-1 plus cells."
            return { [.deleteElements(row, column: index, timestamp: $0.timestamp - (isAssignment ? 1 : 0))] }
        }
        return { [.cell(row, column: index, path: nil, $0.deletion)] }
    }

    /// An assignment of UPDATE's SET.
    mutating func assignment(_ index: Int, _ row: HarryRow) -> HarryAssignment {
        let column = schema.columns[index]
        guard !column.isScalar, !random.oneIn(3) else {
            let whole = wholeAssignment(index, row)
            return HarryAssignment(clause: "\(column.name) = ?", values: [whole.value], effects: whole.effects)
        }
        switch column.shape {
        case .user: return fieldAssignment(index, row)
        case .map(let key) where random.oneIn(2): return elementAssignment(index, key, row)
        case .list: return listAssignment(index, row)
        default: break
        }
        let elements = elements(of: column)
        if random.oneIn(2) {
            let type: HarryType = if case .map(let key) = column.shape { key } else { column.type }
            return HarryAssignment(
                clause: "\(column.name) = \(column.name) - ?",
                values: [.set(elements.map { type.values[$0.path].cql })],
                effects: { life in elements.map { .cell(row, column: index, path: $0.path, life.deletion) } })
        }
        return HarryAssignment(
            clause: "\(column.name) = \(column.name) + ?", values: [column.value(elements)],
            effects: { life in elements.map { .cell(row, column: index, path: $0.path, life.version($0.value)) } })
    }

    private mutating func elementAssignment(_ index: Int, _ key: HarryType, _ row: HarryRow) -> HarryAssignment {
        let column = schema.columns[index]
        let (path, value) = (pick(key)(&random), pick(column.type)(&random))
        let isNull = random.oneIn(4)
        return HarryAssignment(
            clause: "\(column.name)[?] = ?",
            values: [key.values[path].cql, isNull ? .null : column.type.values[value].cql],
            effects: { [.cell(row, column: index, path: path, isNull ? $0.deletion : $0.version(value))] })
    }

    // MARK: Lists

    /// The live elements of a list, where statements may depend on them.
    private func liveElements(_ index: Int, _ row: HarryRow) -> [(path: Int?, version: HarryVersion)] {
        let partition = present.first { $0.key == row.partition }
        if schema.columns[index].kind == .static { return partition?.staticRow?.cells[index] ?? [] }
        return partition?.rows.first { $0.clustering == row.clustering }?.cells[index] ?? []
    }

    /// Adds at the end or in front, or changes or removes what is there.
    private mutating func listAssignment(_ index: Int, _ row: HarryRow) -> HarryAssignment {
        let column = schema.columns[index]
        let live = liveElements(index, row)
        if let element = live.indices.randomElement(using: &random), random.oneIn(2) {
            let value = pick(column.type)(&random)
            let path = live[element].path
            if random.oneIn(3) {
                return HarryAssignment(
                    clause: "\(column.name) = \(column.name) - ?", values: [.list([column.type.values[value].cql])],
                    effects: { life in
                        live.filter { $0.version.value == value }
                            .map { .cell(row, column: index, path: $0.path, life.deletion) }
                    })
            }
            let isNull = random.oneIn(4)
            return HarryAssignment(
                clause: "\(column.name)[?] = ?",
                values: [.int(Int32(element)), isNull ? .null : column.type.values[value].cql],
                effects: { [.cell(row, column: index, path: path, isNull ? $0.deletion : $0.version(value))] })
        }
        let isPrepended = random.oneIn(2)
        // The last of several is the first to be put in front.
        var added = elements(of: column)
        if isPrepended {
            let paths = added.map { -$0.path }
            added = zip(paths.reversed(), added).map { ($0, $1.value) }
        }
        return HarryAssignment(
            clause: isPrepended ? "\(column.name) = ? + \(column.name)" : "\(column.name) = \(column.name) + ?",
            values: [column.value(added)],
            effects: { life in added.map { .cell(row, column: index, path: $0.path, life.version($0.value)) } })
    }

    private mutating func listDeletion(_ index: Int, _ row: HarryRow) -> HarryAssignment? {
        let live = liveElements(index, row)
        guard let element = live.indices.randomElement(using: &random) else { return nil }
        let path = live[element].path
        return HarryAssignment(
            clause: "\(schema.columns[index].name)[?]", values: [.int(Int32(element))],
            effects: { [.cell(row, column: index, path: path, $0.deletion)] })
    }

    // MARK: Fields

    private mutating func fieldAssignment(_ index: Int, _ row: HarryRow) -> HarryAssignment {
        let path = Int.random(in: 0..<2, using: &random)
        let type = path == 0 ? HarryType.int : .text
        let value = pick(type)(&random)
        let isNull = random.oneIn(4)
        return HarryAssignment(
            clause: "\(schema.columns[index].name).\(path == 0 ? "a" : "b") = ?",
            values: [isNull ? .null : type.values[value].cql],
            effects: { [.cell(row, column: index, path: path, isNull ? $0.deletion : $0.version(value))] })
    }

    /// What DELETE may name of a column.
    mutating func deletion(of index: Int, _ row: HarryRow) -> HarryAssignment {
        let column = schema.columns[index]
        let whole = HarryAssignment(clause: column.name, effects: deletionEffects(index, row, isAssignment: false))
        guard random.oneIn(2) else { return whole }
        switch column.shape {
        case .scalar: return whole
        case .user:
            return HarryAssignment(
                clause: "\(column.name).a", effects: { [.cell(row, column: index, path: 0, $0.deletion)] })
        case .map(let key): return elementDeletion(index, key, row)
        case .set: return elementDeletion(index, column.type, row)
        case .list: return listDeletion(index, row) ?? whole
        }
    }

    private mutating func elementDeletion(_ index: Int, _ type: HarryType, _ row: HarryRow) -> HarryAssignment {
        let path = pick(type)(&random)
        return HarryAssignment(
            clause: "\(schema.columns[index].name)[?]", values: [type.values[path].cql],
            effects: { [.cell(row, column: index, path: path, $0.deletion)] })
    }
}

extension HarryColumn {
    /// The value that live cells make; null without any.
    func content(_ cells: [(path: Int?, version: HarryVersion)]) -> CQLValue {
        guard !cells.isEmpty else { return .null }
        guard !isScalar else { return cells[0].version.value.map { type.values[$0].cql } ?? .null }
        return value(cells.map { ($0.path ?? 0, $0.version.value ?? 0) })
    }

    /// The value that elements make.
    func value(_ elements: [(path: Int, value: Int)]) -> CQLValue {
        switch shape {
        case .scalar: .null
        case .set: .set(elements.map { type.values[$0.path].cql })
        case .list: .list(elements.map { type.values[$0.value].cql })
        case .map(let key):
            .map(elements.map { CQLValue.Entry(key: key.values[$0.path].cql, value: type.values[$0.value].cql) })
        case .user:
            .userDefined(
                [("a", HarryType.int), ("b", .text)].enumerated().map { index, field in
                    let value = elements.first { $0.path == index }?.value
                    return CQLValue.Field(field.0, value.map { field.1.values[$0].cql } ?? .null)
                })
        }
    }
}
