// SystemTables+Live.swift — system tables that follow more than the schema: they are compared with what they show when a
// SELECT names them, and changed where they differ.

internal import Synchronization

/// A row of a system table.
struct SystemRow: Hashable, Sendable {
    struct Field: Hashable, Sendable {
        var column: String
        var value: CQLValue
    }

    var key: [Field]
    var values: [Field]

    init(key: KeyValuePairs<String, CQLValue>, _ values: KeyValuePairs<String, CQLValue>) {
        self.key = key.map { Field(column: $0.key, value: $0.value) }
        self.values = values.map { Field(column: $0.key, value: $0.value) }
    }
}

extension SystemTables {
    /// Brings the table up to date that a statement is about to read.
    func show(_ table: TableIdentifier, of source: WideColumnStore) throws {
        switch (table.keyspace, table.name) {
        case ("system", "views_builds_in_progress"), ("system", "view_builds_in_progress"):
            try showBuilds(source.catalog)
        default: break
        }
    }

    /// Views that are being built, and those whose build waits for the next opening.
    private func showBuilds(_ catalog: SchemaCatalog) throws {
        var legacy: [SystemRow] = []
        var rows: [SystemRow] = []
        for name in catalog.schema.definitions.unbuilt where name.index.isEmpty {
            let progress = try catalog.progress(of: name)
            let token = try progress.map { CQLValue.text("\(try StorageKey.Parts($0.lastKey.rawSpan).token)") } ?? .null
            let (keyspace, view) = (CQLValue.text(name.table.keyspace), CQLValue.text(name.table.name))
            let minimum = CQLValue.text("\(Int64.min)")
            legacy.append(
                SystemRow(
                    key: ["keyspace_name": keyspace, "view_name": view],
                    [
                        "generation_number": .int(Int32(clamping: progress?.generation ?? 1)), "last_token": token,
                    ]))
            rows.append(
                SystemRow(
                    key: [
                        "keyspace_name": keyspace, "view_name": view, "start_token": minimum, "end_token": minimum,
                    ], ["keys_built": .bigint(progress?.partitionCount ?? 0), "last_token": token]))
        }
        try show(legacy, in: "system.views_builds_in_progress")
        try show(rows, in: "system.view_builds_in_progress")
    }

    /// Makes these rows the only ones of a table, in one commit.
    private func show(_ rows: [SystemRow], in table: String) throws {
        try shownRows.withLock { shown in
            let new = Set(rows)
            let old = shown[table] ?? []
            guard new != old else { return }
            let keys = Set(rows.map(\.key))
            try store.storage.write { transaction in
                for row in old where !keys.contains(row.key) {
                    let condition = row.key.map { "\($0.column) = ?" }.joined(separator: " AND ")
                    try store.execute("DELETE FROM \(table) WHERE \(condition)", row.key.map(\.value), in: transaction)
                }
                for row in new.subtracting(old) {
                    let fields = row.key + row.values
                    let names = fields.map(\.column).joined(separator: ", ")
                    let markers = fields.map { _ in "?" }.joined(separator: ", ")
                    try store.execute(
                        "INSERT INTO \(table) (\(names)) VALUES (\(markers))", fields.map(\.value), in: transaction)
                }
            }
            shown[table] = new
        }
    }
}
