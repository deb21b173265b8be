// SystemTables.swift — the keyspaces system, system_schema, system_traces, system_views, system_virtual_schema.
//
// They are tables of a private store in memory, so that every SELECT works on them. It is made when the first statement
// names a system keyspace, and filled anew when the schema has changed since. SystemTables+Live.swift has the rest.
//
// Invariant: what shows the schema changes in one commit, to a later version only. So every snapshot has one version whole;
// but for a schema with more rows than a commit holds, which only reads that begin later are sure to find whole.

internal import Synchronization

/// The system tables of a store.
final class SystemTables: Sendable {
    let store: WideColumnStore
    /// The version of the schema that the tables show.
    private let shownVersion = Mutex<UInt64>(0)
    /// What the tables show that follow more than the schema.
    let shownRows = Mutex<[String: Set<SystemRow>]>([:])
    private let traces = Mutex(TraceLog())

    init(clock: any StorageClock, hostID: CQLUUID, limits: StatementLimits) throws {
        store = try WideColumnStore(systemStorage: .inMemory(clock: clock))
        for keyspace in SystemSchema.keyspaces {
            try store.execute(
                "CREATE KEYSPACE \(keyspace) WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'}")
        }
        for (keyspace, definition) in SystemSchema.tables {
            try store.execute("CREATE TABLE \(keyspace).\(definition)")
        }
        try store.storage.write { transaction in
            try fillLocal(hostID, transaction)
            try fillSettings(limits, transaction)
            try fillVirtualSchema(transaction)
        }
    }

    /// Brings the tables of the schema up to date. Others may have shown a later one meanwhile: that stays.
    ///
    /// - Parameter commitByteCount: about as many bytes as a commit is given.
    func show(_ schema: Schema, commitByteCount: Int = SystemRows.commitByteCount) throws {
        try shownVersion.withLock { version in
            guard version < schema.version else { return }
            try fill(schema, commitByteCount)
            version = schema.version
        }
    }

    // MARK: Filling

    private func insert(
        _ table: String, _ values: [(String, CQLValue)], _ transaction: WriteTransaction
    ) throws {
        let names = values.map(\.0).joined(separator: ", ")
        let markers = values.map { _ in "?" }.joined(separator: ", ")
        try store.execute(
            "INSERT INTO \(table) (\(names)) VALUES (\(markers))", values.map(\.1), in: transaction)
    }

    private func fillLocal(_ hostID: CQLUUID, _ transaction: WriteTransaction) throws {
        let loopback = CQLValue.inet([127, 0, 0, 1])
        try insert(
            "system.local",
            [
                ("key", "local"), ("bootstrapped", "COMPLETED"), ("broadcast_address", loopback),
                ("broadcast_port", 7000), ("cluster_name", .text(SystemSchema.clusterName)),
                ("cql_version", .text(SystemSchema.cqlVersion)), ("data_center", .text(SystemSchema.dataCenter)),
                ("gossip_generation", 1), ("host_id", .uuid(hostID)), ("listen_address", loopback),
                ("listen_port", 7000), ("native_protocol_version", .text(SystemSchema.protocolVersion)),
                ("partitioner", .text(SystemSchema.partitioner)), ("rack", .text(SystemSchema.rack)),
                ("release_version", .text(SystemSchema.releaseVersion)),
                ("tokens", .set([.text("-9223372036854775808")])),
            ], transaction)
    }

    private func fillSettings(_ limits: StatementLimits, _ transaction: WriteTransaction) throws {
        func size(_ byteCount: Int) -> String {
            byteCount.isMultiple(of: 1024) ? "\(byteCount / 1024)KiB" : "\(byteCount)B"
        }
        let settings = [
            "cluster_name": SystemSchema.clusterName, "partitioner": SystemSchema.partitioner,
            "materialized_views_enabled": "true",
            "batch_size_warn_threshold": size(limits.batchSizeWarningByteCount),
            "batch_size_fail_threshold": size(limits.batchSizeFailureByteCount),
            "unlogged_batch_across_partitions_warn_threshold": "\(limits.unloggedBatchWarningPartitionCount)",
            "tombstone_warn_threshold": "\(limits.tombstoneWarningCount)",
            "tombstone_failure_threshold": "\(limits.tombstoneFailureCount)",
        ]
        for (name, value) in settings {
            try insert("system_views.settings", [("name", .text(name)), ("value", .text(value))], transaction)
        }
    }

    private func fillVirtualSchema(_ transaction: WriteTransaction) throws {
        var rows = SystemRows()
        for keyspace in SystemSchema.keyspaces where SystemSchema.isVirtual(keyspace) {
            let name = CQLValue.text(keyspace)
            rows.add("system_virtual_schema.keyspaces", [("keyspace_name", name)])
            for table in store.catalog.schema.definitions.tables(in: keyspace) {
                rows.add(
                    "system_virtual_schema.tables",
                    [
                        ("keyspace_name", name), ("table_name", .text(table.identifier.name)),
                        ("comment", .text(table.options.comment)),
                    ])
                addColumns(of: table, to: "system_virtual_schema.columns", &rows)
            }
        }
        for row in rows.commits.joined() { try insert(row.table, row.values, transaction) }
    }

    private func fill(_ schema: Schema, _ commitByteCount: Int) throws {
        let system = store.catalog.schema
        let others = ["built_views", "IndexInfo"].compactMap {
            system.table(TableIdentifier(keyspace: "system", name: $0))
        }
        var rows = SystemRows(commitByteCount: commitByteCount)
        for definitions in [system.definitions, schema.definitions] { try add(definitions, &rows) }
        for (index, commit) in rows.commits.enumerated() {
            try store.storage.write { transaction in
                if index == 0 {
                    for table in system.tables(in: "system_schema") + others {
                        try transaction.deleteRange(table.storage, .all)
                    }
                }
                for row in commit { try insert(row.table, row.values, transaction) }
                guard index == rows.commits.count - 1 else { return }
                try store.execute(
                    "UPDATE system.local SET schema_version = ? WHERE key = 'local'",
                    [.uuid(schema.definitions.fingerprint)], in: transaction)
            }
        }
    }

    private func add(_ definitions: SchemaDefinitions, _ rows: inout SystemRows) throws {
        for keyspace in definitions.keyspaces.values where !SystemSchema.isVirtual(keyspace.name) {
            rows.add(
                "system_schema.keyspaces",
                [
                    ("keyspace_name", .text(keyspace.name)), ("durable_writes", .boolean(keyspace.durableWrites)),
                    ("replication", Self.map(keyspace.replicationWithFullClass)),
                ])
        }
        for type in definitions.types.values.flatMap(\.values) {
            rows.add(
                "system_schema.types",
                [
                    ("keyspace_name", .text(type.keyspace)), ("type_name", .text(type.name)),
                    ("field_names", .list(type.fields.map { .text($0.name) })),
                    ("field_types", .list(type.fields.map { .text($0.type.description) })),
                ])
        }
        for table in definitions.tables.values where !SystemSchema.isVirtual(table.identifier.keyspace) {
            try add(table, definitions, &rows)
        }
    }

    private func add(
        _ table: TableDefinition, _ definitions: SchemaDefinitions, _ rows: inout SystemRows
    ) throws {
        let keyspace = CQLValue.text(table.identifier.keyspace)
        let name = CQLValue.text(table.identifier.name)
        let options =
            table.options.systemColumns(timeToLive: definitions.timeToLive(of: table)) + [("id", .uuid(table.id))]
        if let view = table.view {
            let source = TableIdentifier(keyspace: table.identifier.keyspace, name: view.source)
            rows.add(
                "system_schema.views",
                [
                    ("keyspace_name", keyspace), ("view_name", name), ("base_table_name", .text(view.source)),
                    ("base_table_id", definitions.tables[source].map { .uuid($0.id) } ?? .null),
                    ("include_all_columns", .boolean(view.selectsAllColumns)), ("where_clause", .text(view.whereText)),
                ] + options)
            if view.isBuilt {
                rows.add(
                    "system.built_views",
                    [("keyspace_name", keyspace), ("view_name", name), ("status_replicated", true)])
            }
        } else {
            let flags = table.isCounter ? ["compound", "counter"] : ["compound"]
            rows.add(
                "system_schema.tables",
                [
                    ("keyspace_name", keyspace), ("table_name", name),
                    ("flags", .set(flags.map { CQLValue.text($0) })),
                ] + options)
        }
        addColumns(of: table, to: "system_schema.columns", &rows)
        try addMasks(of: table, &rows)
        for column in table.lastDrops {
            rows.add(
                "system_schema.dropped_columns",
                [
                    ("keyspace_name", keyspace), ("table_name", name), ("column_name", .text(column.name)),
                    ("dropped_time", .timestamp(column.timestamp / 1000)), ("kind", .text(column.kind.cqlName)),
                    ("type", .text(column.type.description)),
                ])
        }
        for index in table.indexes {
            rows.add(
                "system_schema.indexes",
                [
                    ("keyspace_name", keyspace), ("table_name", name), ("index_name", .text(index.name)),
                    ("kind", "COMPOSITES"), ("options", Self.map(["target": index.target(in: table)])),
                ])
            if index.isBuilt {
                rows.add(
                    "system.\"IndexInfo\"", [("table_name", keyspace), ("index_name", .text(index.name))])
            }
        }
    }

    private func addColumns(of table: TableDefinition, to columns: String, _ rows: inout SystemRows) {
        for column in table.numbered().columns {
            let isKey = column.isPrimaryKey
            rows.add(
                columns,
                [
                    ("keyspace_name", .text(table.identifier.keyspace)), ("table_name", .text(table.identifier.name)),
                    ("column_name", .text(column.name)),
                    (
                        "clustering_order",
                        .text(column.kind != .clustering ? "none" : column.isDescending ? "desc" : "asc")
                    ),
                    ("column_name_bytes", .blob(Array(column.name.utf8))), ("kind", .text(column.kind.cqlName)),
                    ("position", isKey ? .int(Int32(clamping: column.position)) : -1),
                    ("type", .text(column.type.description)),
                ])
        }
    }

    private func addMasks(of table: TableDefinition, _ rows: inout SystemRows) throws {
        for column in table.columns {
            guard let mask = table.masks[column.id] else { continue }
            rows.add(
                "system_schema.column_masks",
                [
                    ("keyspace_name", .text(table.identifier.keyspace)), ("table_name", .text(table.identifier.name)),
                    ("column_name", .text(column.name)), ("function_keyspace", "system"),
                    ("function_name", .text(mask.function)),
                    (
                        "function_argument_types",
                        .list(try mask.argumentTypes(of: column.type).map { .text($0.description) })
                    ),
                    ("function_argument_values", .list(mask.arguments.map { .text($0.plainText) })),
                    ("function_argument_nulls", .list(mask.arguments.map { .boolean($0 == .constant(.null)) })),
                ])
        }
    }

    static func map(_ map: [String: String]) -> CQLValue {
        .map(map.map { .init(key: .text($0.key), value: .text($0.value)) })
    }

    // MARK: Tracing

    /// Keeps a statement's trace where tools look for it, and lets go of the oldest ones.
    func record(_ trace: StatementTrace, of cql: String) throws {
        let query = cql.shortened(toByteCount: TraceLog.maximumQueryByteCount)
        try store.storage.write { transaction in
            try insert(trace, query, transaction)
            let parameterByteCount = trace.context.parameters.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
            let byteCount = trace.events.reduce(query.utf8.count + parameterByteCount) {
                $0 + $1.activity.utf8.count + 128
            }
            for id in traces.withLock({ $0.add(trace.id, byteCount: byteCount) }) {
                for table in ["sessions", "events"] {
                    try store.execute(
                        "DELETE FROM system_traces.\(table) WHERE session_id = ?", [.uuid(id)], in: transaction)
                }
            }
        }
    }

    private func insert(_ trace: StatementTrace, _ query: String, _ transaction: WriteTransaction) throws {
        let source = CQLValue.inet([127, 0, 0, 1])
        let client = trace.context.clientAddress.flatMap { InternetAddress.bytes($0) }.map(CQLValue.inet) ?? source
        var parameters = trace.context.parameters
        // A batch's are many ([CA] transport/messages/BatchMessage.java, `traceQuery`).
        if trace.context.request != .batch { parameters["query"] = query }
        let id = CQLValue.uuid(trace.id)
        for event in trace.events {
            try insert(
                "system_traces.events",
                [
                    ("session_id", id), ("event_id", .uuid(event.id)), ("activity", .text(event.activity)),
                    ("source", source), ("source_elapsed", .int(event.elapsedMicroseconds)), ("source_port", 7000),
                    ("thread", "Native-Transport-Requests"),
                ], transaction)
        }
        try insert(
            "system_traces.sessions",
            [
                ("session_id", id), ("client", client), ("command", "QUERY"), ("coordinator", source),
                ("coordinator_port", 7000), ("duration", .int(trace.events.last?.elapsedMicroseconds ?? 0)),
                ("parameters", Self.map(parameters)), ("request", .text(trace.context.request.rawValue)),
                ("started_at", .timestamp(trace.startedAt)),
            ], transaction)
    }
}

/// Rows of system tables, in as many commits as they need.
struct SystemRows {
    typealias Row = (table: String, values: [(String, CQLValue)])

    /// Less than the 64 MiB that a commit holds by far, since keys are longer than what they are of, and a single row may be as
    /// long as a statement.
    static let commitByteCount = 16 << 20

    private let commitByteCount: Int
    /// At least one.
    private(set) var commits: [[Row]] = [[]]
    /// Of the last one.
    private var byteCount = 0

    /// - Parameter commitByteCount: about as many bytes as a commit is given.
    init(commitByteCount: Int = commitByteCount) {
        self.commitByteCount = commitByteCount
    }

    mutating func add(_ table: String, _ values: [(String, CQLValue)]) {
        let added = values.reduce(256) { $0 + $1.1.approximateByteCount }
        if byteCount + added > commitByteCount, byteCount > 0 {
            commits.append([])
            byteCount = 0
        }
        commits[commits.count - 1].append((table, values))
        byteCount += added
    }
}

extension CQLValue {
    fileprivate var approximateByteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .blob(let bytes): bytes.count
        case .list(let members), .set(let members): members.reduce(16) { $0 + $1.approximateByteCount }
        case .map(let entries):
            entries.reduce(16) { $0 + $1.key.approximateByteCount + $1.value.approximateByteCount }
        default: 16
        }
    }
}

/// Which traces are kept: the latest, up to a number of bytes.
struct TraceLog {
    static let maximumQueryByteCount = 4096
    static let maximumByteCount = 8 << 20

    private var traces: [(id: CQLUUID, byteCount: Int)] = []
    private(set) var byteCount = 0

    /// Adds a trace; gives those that have to go, a quarter of all at once.
    mutating func add(_ id: CQLUUID, byteCount added: Int) -> [CQLUUID] {
        traces.append((id, added))
        byteCount += added
        guard byteCount > Self.maximumByteCount else { return [] }
        var count = 0
        while count < traces.count - 1, byteCount > Self.maximumByteCount / 4 * 3 {
            byteCount -= traces[count].byteCount
            count += 1
        }
        defer { traces.removeFirst(count) }
        return traces.prefix(count).map(\.id)
    }
}

extension Term {
    /// A constant without the quotes that CQL has for it; nothing for null.
    fileprivate var plainText: String {
        switch self {
        case .constant(.null): ""
        case .constant(.string(let text)): text
        default: description
        }
    }
}

extension ColumnDefinition.Kind {
    fileprivate var cqlName: String {
        switch self {
        case .partitionKey: "partition_key"
        case .clustering: "clustering"
        case .static: "static"
        case .regular: "regular"
        }
    }
}

extension KeyspaceDefinition {
    /// As the system tables show it: the strategy with its package.
    fileprivate var replicationWithFullClass: [String: String] {
        var replication = replication
        if let name = replication["class"], !name.contains(".") {
            replication["class"] = "org.apache.cassandra.locator.\(name)"
        }
        return replication
    }
}

extension SchemaDefinitions {
    /// An identifier that is the same for equal schemas: drivers wait until all hosts show the same.
    fileprivate var fingerprint: CQLUUID {
        let entries = SchemaCatalog.encoded(self).sorted { $0.key.lexicographicallyPrecedes($1.key) }
        func hash(_ seed: UInt64) -> UInt64 {
            var hash = seed
            for byte in entries.lazy.flatMap({ $0.key + $0.value }) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            return hash
        }
        // Version 3: an identifier made of a hash.
        return CQLUUID(
            mostSignificantBits: hash(0xCBF2_9CE4_8422_2325) & ~0xF000 | 0x3000,
            leastSignificantBits: hash(0x8422_2325_CBF2_9CE4) & ~(0b11 << 62) | 0b10 << 62)
    }
}
