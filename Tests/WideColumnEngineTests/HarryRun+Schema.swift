// HarryRun+Schema.swift — views, indexes and columns that come and go in the midst of a run, over the rows that there are.

import StorageCore
import StorageTypes

@testable import WideColumnEngine

/// A view or index whose rows are being written, a few with each step, while statements go on.
struct HarryBuild {
    var name: BuildName
    var builder: DependentBuilder

    static let chunkRowCount = 3
}

extension HarryRun {
    mutating func changeSchema() throws {
        switch Int.random(in: 0..<7, using: &generator.random) {
        case 0, 1: try createView()
        case 2, 3: try createIndex()
        case 4: try dropDependent()
        case 5: try addColumn()
        default: try dropColumn()
        }
    }

    private mutating func execute(_ cql: String) throws {
        disk.note(cql)
        try store.execute(cql)
    }

    // MARK: Views and indexes

    private mutating func createView() throws {
        guard schema.views.count < 3 else { return }
        var new: HarryView?
        alter { schema, random in new = schema.newView(&random) }
        guard var view = new else { return }
        try execute(schema.statement(of: view))
        view.firstSequence = disk.sequence
        view.isBeingBuilt = try begin(BuildName(table: TableIdentifier(keyspace: "ks", name: view.name)))
        alter { [view] schema, _ in schema.views.append(view) }
    }

    private mutating func createIndex() throws {
        var new: HarryIndex?
        alter { schema, random in
            guard let column = schema.ordered.randomElement(using: &random) else { return }
            new = schema.newIndex(column, &random)
        }
        guard var index = new else { return }
        try execute(schema.statement(of: index))
        index.firstSequence = disk.sequence
        index.isBeingBuilt = try begin(
            BuildName(table: TableIdentifier(keyspace: "ks", name: "t"), index: index.name))
        alter { [index] schema, _ in schema.indexes.append(index) }
    }

    private mutating func dropDependent() throws {
        let views = schema.views.map { ("MATERIALIZED VIEW", $0.name) }
        guard
            let (kind, name) = (views + schema.indexes.map { ("INDEX", $0.name) })
                .randomElement(using: &generator.random)
        else { return }
        try execute("DROP \(kind) \(name)")
        if build.map({ $0.name.index == name || $0.name.table.name == name }) ?? false { build = nil }
        alter { schema, _ in
            schema.views.removeAll { $0.name == name }
            schema.indexes.removeAll { $0.name == name }
        }
    }

    // MARK: Builds

    /// Has what was just built built once more, in steps between the statements to come; tells whether it does.
    private mutating func begin(_ name: BuildName) throws -> Bool {
        guard build == nil, !generator.random.oneIn(3) else { return false }
        let catalog = store.catalog
        var definitions = catalog.schema.definitions
        if name.index.isEmpty {
            definitions.tables[name.table]?.view?.isBuilt = false
        } else {
            for position in definitions.tables[name.table]?.indexes.indices ?? 0..<0
            where definitions.tables[name.table]?.indexes[position].name == name.index {
                definitions.tables[name.table]?.indexes[position].isBuilt = false
            }
        }
        try catalog.publish(definitions)
        guard let target = try buildTarget(name) else { return false }
        try store.storage.write(.synced) { try $0.deleteRange(target.storage, .all) }
        disk.note("begin to build \(name)")
        guard let table = table else { return false }
        build = HarryBuild(
            name: name,
            builder: DependentBuilder(table: table, target: target, chunkRowCount: HarryBuild.chunkRowCount))
        return true
    }

    private var table: Table? { store.catalog.schema.table(TableIdentifier(keyspace: "ks", name: "t")) }

    private func buildTarget(_ name: BuildName) throws -> DependentBuilder.Target? {
        if name.index.isEmpty {
            return table?.views.first { $0.definition.identifier == name.table }.map { .view($0) }
        }
        return table?.indexes.first { $0.definition.name == name.index }.map { .index($0) }
    }

    mutating func stepBuild() throws {
        guard var build, generator.random.oneIn(2) else { return }
        let hasMore = try store.catalog.buildChunk(&build.builder, build.name)
        disk.note("build a chunk of \(build.name); more: \(hasMore)")
        self.build = build
        guard !hasMore else { return }
        var definitions = store.catalog.schema.definitions
        definitions.setBuilt(build.name)
        try store.catalog.publish(definitions)
        finishBuild()
    }

    /// Takes note that nothing is being built any more; the opening of a store completes what is left.
    mutating func finishBuild() {
        build = nil
        let sequence = disk.sequence
        alter { schema, _ in
            for index in schema.views.indices where schema.views[index].isBeingBuilt {
                (schema.views[index].isBeingBuilt, schema.views[index].firstSequence) = (false, sequence)
            }
            for index in schema.indexes.indices where schema.indexes[index].isBeingBuilt {
                (schema.indexes[index].isBeingBuilt, schema.indexes[index].firstSequence) = (false, sequence)
            }
        }
    }

    // MARK: Columns

    private mutating func addColumn() throws {
        guard schema.columns.count < 12 else { return }
        var definition = ""
        alter { schema, random in
            let isStatic = !schema.indices(.clustering).isEmpty && random.oneIn(3)
            // No name is used twice: Cassandra would show again what such a column had.
            let column = HarrySchema.column(isStatic ? .static : .regular, 10 + schema.columns.count, &random)
            definition = column.definition
            schema.columns.append(column)
        }
        try execute("ALTER TABLE t ADD \(definition)")
    }

    private mutating func dropColumn() throws {
        let candidates = (schema.indices(.regular).dropFirst() + schema.indices(.static)).filter { column in
            !schema.indexes.contains { $0.column == column }
        }
        guard schema.views.isEmpty, let column = candidates.randomElement(using: &generator.random) else { return }
        try execute("ALTER TABLE t DROP \(schema.columns[column].name)")
        alter { schema, _ in schema.columns[column].isDropped = true }
    }
}
