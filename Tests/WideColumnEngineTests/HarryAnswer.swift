// HarryAnswer.swift — what a light-weight transaction answers that is not applied, as the model has it ([CA]
// cql3/statements/ModificationStatement.java, `buildCasFailureResultSet`).

@testable import WideColumnEngine

struct HarryAnswer {
    private let schema: HarrySchema
    private let isBatch: Bool

    init(_ schema: HarrySchema, isBatch: Bool) {
        self.schema = schema
        self.isBatch = isBatch
    }

    /// The names of its columns, and its rows: the rows that conditions name and that exist. Where none names a row, the first
    /// one of the partition; where none of these exists, the static row, if anything of it was asked for.
    func rows(
        _ statements: [HarryStatement], _ content: HarryPartition?
    ) -> (names: [String], values: [[CQLValue]]) {
        let conditional = statements.filter { $0.condition != nil }
        let naming = conditional.filter { $0.row?.clustering != nil && !testsStaticsOnly($0) }
        var shown = (content?.rows ?? []).filter { row in naming.contains { $0.row?.clustering == row.clustering } }
        if naming.isEmpty { shown = Array(content?.rows.prefix(1) ?? []) }
        if shown.isEmpty, let content, conditional.contains(where: { asksForStatics($0, content) }) {
            shown = [HarryContent()]
        }
        guard !shown.isEmpty, let content else { return (["[applied]"], [[.boolean(false)]]) }
        let selected = selected(conditional)
        // What belongs to rows is not read for the partition alone.
        let readsRows = schema.indices(.clustering).isEmpty || statements.contains(where: \.namesRows)
        // Nor is, where existence is tested, what no statement writes.
        let readsStatics =
            !conditional.contains(where: \.tests.isEmpty) || statements.contains(where: \.assignsStatics)
        return (
            ["[applied]"] + selected.map { schema.columns[$0].name },
            shown.map { row in
                [.boolean(false)]
                    + selected.map { column in
                        switch schema.columns[column].kind {
                        case .regular where !readsRows, .static where !readsStatics: .null
                        default: value(column, content, row)
                        }
                    }
            }
        )
    }

    /// All columns where existence is tested; else those that are, in a batch behind the key.
    private func selected(_ conditional: [HarryStatement]) -> [Int] {
        if conditional.contains(where: \.tests.isEmpty) { return schema.ordered }
        return conditional.flatMap(\.tests).reduce(into: isBatch ? schema.keyIndices : []) { selected, column in
            if !selected.contains(column) { selected.append(column) }
        }
    }

    private func asksForStatics(_ statement: HarryStatement, _ content: HarryPartition) -> Bool {
        if statement.assignsStatics { return content.staticRow != nil }
        return statement.tests.contains { content.staticRow?.cells[$0] != nil }
    }

    private func testsStaticsOnly(_ statement: HarryStatement) -> Bool {
        !statement.tests.isEmpty && statement.tests.allSatisfy { schema.columns[$0].kind == .static }
    }

    private func value(_ index: Int, _ partition: HarryPartition, _ row: HarryContent) -> CQLValue {
        let column = schema.columns[index]
        switch column.kind {
        case .partition:
            let position = schema.indices(.partition).firstIndex(of: index) ?? 0
            return column.type.values[partition.key[position]].cql
        case .clustering:
            let position = schema.indices(.clustering).firstIndex(of: index) ?? 0
            return row.clustering.map { column.type.values[$0[position]].cql } ?? .null
        case .static: return column.content(partition.staticRow?.cells[index] ?? [])
        case .regular: return column.content(row.cells[index] ?? [])
        }
    }
}
