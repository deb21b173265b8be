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
        case ("system", "local"): try showListener(source.servers.servers.first)
        case ("system_views", "clients"): try showClients(source.servers.servers.flatMap { $0.connections() })
        case ("system_views", "disk_usage"): try showDiskUsage(source)
        default: break
        }
    }

    /// Where clients are served; without a server, where they would be. The one node there is has one address for everything.
    private func showListener(_ server: ServerDescription?) throws {
        let address = CQLValue.inet(server.flatMap { InternetAddress.bytes($0.address) } ?? [127, 0, 0, 1])
        let port = CQLValue.int(Int32(clamping: server?.port ?? 9042))
        try show(
            [
                SystemRow(
                    key: ["key": "local"],
                    [
                        "broadcast_address": address, "listen_address": address, "rpc_address": address,
                        "rpc_port": port,
                    ])
            ], in: "system.local")
    }

    /// A name is not looked up for an address; Cassandra shows the address too where there is none.
    private func showClients(_ connections: [ClientConnection]) throws {
        let rows = connections.compactMap { connection -> SystemRow? in
            guard let address = InternetAddress.bytes(connection.address) else { return nil }
            func option(_ name: String) -> CQLValue { connection.options[name].map { .text($0) } ?? .null }
            return SystemRow(
                key: ["address": .inet(address), "port": .int(Int32(clamping: connection.port))],
                [
                    "client_options": Self.map(connection.options),
                    "connection_stage": .text(connection.stage.rawValue), "driver_name": option("DRIVER_NAME"),
                    "driver_version": option("DRIVER_VERSION"), "hostname": .text(connection.address),
                    "keyspace_name": connection.keyspace.map { .text($0) } ?? .null,
                    "protocol_version": connection.protocolVersion.map { .int(Int32(clamping: $0)) } ?? .null,
                    "request_count": .bigint(connection.requestCount),
                    "ssl_cipher_suite": connection.cipherSuite.map { .text($0) } ?? .null,
                    "ssl_enabled": .boolean(connection.isEncrypted),
                    "ssl_protocol": connection.encryptionProtocol.map { .text($0) } ?? .null,
                    "username": .text(connection.userName ?? "anonymous"),
                ])
        }
        try show(rows, in: "system_views.clients")
    }

    /// The files of tables and views with those of their indexes, in whole mebibytes, rounded up as Cassandra does.
    private func showDiskUsage(_ source: WideColumnStore) throws {
        var sizes: [String: Int64] = [:]
        for tree in source.storage.statistics.trees {
            // Every table has a tree of its own.
            if let name = tree.keyspaces.first, tree.keyspaces.count == 1 { sizes[name] = tree.byteCount }
        }
        let rows = source.catalog.schema.allTables.compactMap { table -> SystemRow? in
            let parts = table.definition.storageNames.compactMap { sizes[$0] }
            guard !parts.isEmpty else { return nil }
            let mebibyte: Int64 = 1 << 20
            return SystemRow(
                key: [
                    "keyspace_name": .text(table.identifier.keyspace), "table_name": .text(table.identifier.name),
                ], ["mebibytes": .bigint((parts.reduce(0, +) + mebibyte - 1) / mebibyte)])
        }
        try show(rows, in: "system_views.disk_usage")
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
