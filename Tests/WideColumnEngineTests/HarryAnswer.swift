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

    /// The names of its columns, and its rows: one for each row that is tested and exists. Where none does the partition
    /// answers for them, if anything was read of it: its static row was asked for.
    func rows(
        _ statements: [HarryStatement], _ content: HarryPartition?
    ) -> (names: [String], values: [[CQLValue]]) {
        let conditional = statements.filter { $0.condition != nil }
        var shown: [HarryContent] = (content?.rows ?? []).filter { row in
            conditional.contains { $0.row?.clustering == row.clustering }
        }
        if shown.isEmpty, let content, conditional.contains(where: { readsPartition($0, content, conditional) }) {
            shown = [HarryContent()]
        }
        guard !shown.isEmpty, let content else { return (["[applied]"], [[.boolean(false)]]) }
        var selected = isBatch ? schema.keyIndices : []
        for statement in conditional {
            for column in statement.answer where !selected.contains(column) { selected.append(column) }
        }
        return (
            ["[applied]"] + selected.map { schema.columns[$0].name },
            shown.map { row in [.boolean(false)] + selected.map { value($0, content, row) } }
        )
    }

    /// Whether a statement whose row does not exist has something read all the same.
    private func readsPartition(
        _ statement: HarryStatement, _ content: HarryPartition, _ all: [HarryStatement]
    ) -> Bool {
        if statement.assignsStatics {
            if content.staticRow != nil { return true }
        } else if statement.tests.contains(where: { content.staticRow?.cells[$0] != nil }) {
            return true
        }
        // Where only static columns are tested, and in vain, other rows of the partition tell that it exists.
        let isOfPartition = statement.row?.clustering == nil
        let looksForRows =
            isOfPartition
            ? content.staticRow == nil : testsStaticsOnly(statement) && statement.condition?(content) == false
        let namesRow = all.contains { $0.row?.clustering != nil && !testsStaticsOnly($0) }
        return looksForRows && !namesRow && !content.rows.isEmpty
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
