// SystemSchema.swift — the definitions of the system tables that drivers and tools read ([CA] db/SystemKeyspace.java,
// schema/SchemaKeyspace.java, db/virtual/*.java, tracing/TraceKeyspace.java).

enum SystemSchema {
    /// The one that `cqlsh` from PyPI was built with; it warns of others.
    static let releaseVersion = "5.0.0"
    static let cqlVersion = "3.4.7"
    static let protocolVersion = "5"
    static let partitioner = "org.apache.cassandra.dht.Murmur3Partitioner"
    static let clusterName = "ShopStream"
    static let dataCenter = "datacenter1"
    static let rack = "rack1"

    static let keyspaces = [
        "system", "system_schema", "system_traces", "system_views", "system_virtual_schema", "system_auth",
        "system_distributed",
    ]

    /// Those whose replication may be altered.
    static let replicatedKeyspaces: Set<String> = ["system_auth", "system_distributed", "system_traces"]
    static let standardReplication = [
        Property(name: "replication", value: .map(["class": "SimpleStrategy", "replication_factor": "1"]))
    ]

    /// Whether a keyspace is of tables that Cassandra does not store: tools look for them in `system_virtual_schema`.
    static func isVirtual(_ keyspace: String) -> Bool {
        keyspace == "system_views" || keyspace == "system_virtual_schema"
    }

    private static let options = """
        additional_write_policy text, allow_auto_snapshot boolean, bloom_filter_fp_chance double,
        caching frozen<map<text, text>>, cdc boolean, comment text, compaction frozen<map<text, text>>,
        compression frozen<map<text, text>>, crc_check_chance double, dclocal_read_repair_chance double,
        default_time_to_live int, extensions frozen<map<text, blob>>, gc_grace_seconds int, id uuid,
        incremental_backups boolean, max_index_interval int, memtable text, memtable_flush_period_in_ms int,
        min_index_interval int, read_repair text, read_repair_chance double, speculative_retry text
        """

    private static let peers = """
        data_center text, host_id uuid, preferred_ip inet, rack text, release_version text, schema_version uuid,
        tokens set<text>
        """

    /// CREATE TABLE statements, by keyspace.
    static let tables: [(keyspace: String, definition: String)] = [
        (
            "system",
            """
            local (key text PRIMARY KEY, bootstrapped text, broadcast_address inet, broadcast_port int, cluster_name text,
            cql_version text, data_center text, gossip_generation int, host_id uuid, listen_address inet, listen_port int,
            native_protocol_version text, partitioner text, rack text, release_version text, rpc_address inet,
            rpc_port int, schema_version uuid, tokens set<text>, truncated_at map<uuid, blob>)
            """
        ),
        ("system", "peers (peer inet PRIMARY KEY, rpc_address inet, \(peers))"),
        (
            "system",
            """
            peers_v2 (peer inet, peer_port int, native_address inet, native_port int, preferred_port int, \(peers),
            PRIMARY KEY (peer, peer_port))
            """
        ),
        (
            "system",
            "built_views (keyspace_name text, view_name text, status_replicated boolean, PRIMARY KEY (keyspace_name, view_name))"
        ),
        (
            "system",
            """
            views_builds_in_progress (keyspace_name text, view_name text, generation_number int, last_token text,
            PRIMARY KEY (keyspace_name, view_name))
            """
        ),
        (
            "system",
            """
            view_builds_in_progress (keyspace_name text, view_name text, start_token text, end_token text, keys_built bigint,
            last_token text, PRIMARY KEY (keyspace_name, view_name, start_token, end_token))
            """
        ),
        (
            "system",
            "\"IndexInfo\" (table_name text, index_name text, value blob, PRIMARY KEY (table_name, index_name))"
        ),
        (
            "system",
            """
            size_estimates (keyspace_name text, table_name text, range_start text, range_end text,
            mean_partition_size bigint, partitions_count bigint,
            PRIMARY KEY (keyspace_name, table_name, range_start, range_end))
            """
        ),
        (
            "system_schema",
            "keyspaces (keyspace_name text PRIMARY KEY, durable_writes boolean, replication frozen<map<text, text>>)"
        ),
        (
            "system_schema",
            "tables (keyspace_name text, table_name text, flags frozen<set<text>>, \(options), PRIMARY KEY (keyspace_name, table_name))"
        ),
        (
            "system_schema",
            """
            columns (keyspace_name text, table_name text, column_name text, clustering_order text,
            column_name_bytes blob, kind text, position int, type text,
            PRIMARY KEY (keyspace_name, table_name, column_name))
            """
        ),
        (
            "system_schema",
            """
            column_masks (keyspace_name text, table_name text, column_name text, function_keyspace text, function_name text,
            function_argument_types frozen<list<text>>, function_argument_values frozen<list<text>>,
            function_argument_nulls frozen<list<boolean>>, PRIMARY KEY (keyspace_name, table_name, column_name))
            """
        ),
        (
            "system_schema",
            """
            dropped_columns (keyspace_name text, table_name text, column_name text, dropped_time timestamp, kind text,
            type text, PRIMARY KEY (keyspace_name, table_name, column_name))
            """
        ),
        (
            "system_schema",
            """
            views (keyspace_name text, view_name text, base_table_id uuid, base_table_name text,
            include_all_columns boolean, where_clause text, \(options), PRIMARY KEY (keyspace_name, view_name))
            """
        ),
        (
            "system_schema",
            """
            types (keyspace_name text, type_name text, field_names frozen<list<text>>, field_types frozen<list<text>>,
            PRIMARY KEY (keyspace_name, type_name))
            """
        ),
        (
            "system_schema",
            """
            indexes (keyspace_name text, table_name text, index_name text, kind text, options frozen<map<text, text>>,
            PRIMARY KEY (keyspace_name, table_name, index_name))
            """
        ),
        (
            "system_schema",
            """
            functions (keyspace_name text, function_name text, argument_types frozen<list<text>>,
            argument_names frozen<list<text>>, body text, called_on_null_input boolean, language text, return_type text,
            PRIMARY KEY (keyspace_name, function_name, argument_types))
            """
        ),
        (
            "system_schema",
            """
            aggregates (keyspace_name text, aggregate_name text, argument_types frozen<list<text>>, final_func text,
            initcond text, return_type text, state_func text, state_type text,
            PRIMARY KEY (keyspace_name, aggregate_name, argument_types))
            """
        ),
        (
            "system_schema",
            """
            triggers (keyspace_name text, table_name text, trigger_name text, options frozen<map<text, text>>,
            PRIMARY KEY (keyspace_name, table_name, trigger_name))
            """
        ),
        (
            "system_traces",
            """
            sessions (session_id uuid PRIMARY KEY, client inet, command text, coordinator inet, coordinator_port int,
            duration int, parameters map<text, text>, request text, started_at timestamp)
            WITH default_time_to_live = 86400 AND gc_grace_seconds = 0
            """
        ),
        (
            "system_traces",
            """
            events (session_id uuid, event_id timeuuid, activity text, source inet, source_elapsed int, source_port int,
            thread text, PRIMARY KEY (session_id, event_id)) WITH default_time_to_live = 86400 AND gc_grace_seconds = 0
            """
        ),
        ("system_views", "settings (name text PRIMARY KEY, value text) WITH comment = 'current settings'"),
        (
            "system_views",
            """
            clients (address inet, port int, client_options frozen<map<text, text>>, connection_stage text,
            driver_name text, driver_version text, hostname text, keyspace_name text, protocol_version int,
            request_count bigint, ssl_cipher_suite text, ssl_enabled boolean, ssl_protocol text, username text,
            PRIMARY KEY (address, port)) WITH comment = 'currently connected clients'
            """
        ),
        (
            "system_views",
            """
            disk_usage (keyspace_name text, table_name text, mebibytes bigint, PRIMARY KEY (keyspace_name, table_name))
            WITH comment = 'disk usage by tables, their indexes included'
            """
        ),
        (
            "system_virtual_schema",
            "keyspaces (keyspace_name text PRIMARY KEY) WITH comment = 'virtual keyspace definitions'"
        ),
        (
            "system_virtual_schema",
            """
            tables (keyspace_name text, table_name text, comment text, PRIMARY KEY (keyspace_name, table_name))
            WITH comment = 'virtual table definitions'
            """
        ),
        (
            "system_virtual_schema",
            """
            columns (keyspace_name text, table_name text, column_name text, clustering_order text,
            column_name_bytes blob, kind text, position int, type text,
            PRIMARY KEY (keyspace_name, table_name, column_name)) WITH comment = 'virtual column definitions'
            """
        ),
    ]
}
