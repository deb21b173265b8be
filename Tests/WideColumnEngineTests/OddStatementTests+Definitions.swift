// OddStatementTests+Definitions.swift — see OddStatementTests.swift.

extension OddStatementTests {
    /// Statements that change the schema, and what becomes of it.
    static let definitions: StatementTable = [
        ("ALTER TABLE t ALTER v TYPE bigint", "invalidRequest: Altering column types is no longer supported"),
        ("ALTER TABLE t ADD v int", "invalidRequest: Column with name 'v' already exists"),
        ("ALTER TABLE t ADD IF NOT EXISTS v int", "ok"),
        ("ALTER TABLE t ADD (z1 int, z2 text)", "ok"),
        ("ALTER TABLE t ADD z3 int, z4 int", "ok"),
        ("ALTER TABLE t ADD z5 int STATIC", "ok"),
        ("ALTER TABLE t ADD zz nosuch", "invalidRequest: Unknown type ks.nosuch"),
        (
            "ALTER TABLE t ADD zz counter",
            #"invalidRequest: Cannot have a counter column ("zz") in a non counter table"#
        ),
        ("ALTER TABLE t DROP nosuch", "invalidRequest: Column nosuch was not found in table 'ks.t'"),
        ("ALTER TABLE t DROP IF EXISTS nosuch", "ok"),
        ("ALTER TABLE t WITH read_repair_chance = 0.1 AND dclocal_read_repair_chance = 0.2", "ok"),
        ("ALTER TABLE t DROP k", "invalidRequest: Cannot drop PRIMARY KEY column k"),
        ("ALTER TABLE t DROP z1", "ok"),
        (
            "ALTER TABLE t ADD z1 text",
            "invalidRequest: Cannot re-add previously dropped column 'z1' of type text, incompatible with previous type int"
        ),
        (
            "ALTER TABLE t ADD z1 int STATIC",
            "invalidRequest: Cannot re-add previously dropped column 'z1' of kind STATIC, incompatible with previous kind REGULAR"
        ),
        ("ALTER TABLE t ADD z1 int", "ok"),
        ("ALTER TABLE t RENAME v TO v2", "invalidRequest: Cannot rename non PRIMARY KEY column v"),
        (
            "ALTER TABLE t RENAME k TO c",
            "invalidRequest: Cannot rename column k to c in table 'ks.t'; another column with that name already exists"
        ),
        ("ALTER TABLE t RENAME k TO kk AND c TO cc", "ok"),
        ("SELECT kk, cc FROM t LIMIT 1", "nothing"),
        ("ALTER TABLE t RENAME nosuch TO x", "invalidRequest: Column nosuch was not found in table 'ks.t'"),
        ("ALTER TABLE nosuch ADD v int", "invalidRequest: Table 'ks.nosuch' doesn't exist"),
        ("ALTER TABLE IF EXISTS nosuch ADD v int", "ok"),
        ("ALTER TABLE t WITH nosuch = 5", "syntaxException: Unknown property 'nosuch'"),
        (
            "ALTER TABLE t WITH compaction = {'class': 'LeveledCompactionStrategy', 'nosuch': 5}",
            "configurationException: Properties specified [nosuch] are not understood by LeveledCompactionStrategy"
        ),
        (
            "ALTER TABLE t WITH compression = {'class': 'nosuch'}",
            "configurationException: Could not create Compression for type org.apache.cassandra.io.compress.nosuch"
        ),
        (
            "ALTER TABLE t WITH caching = {'keys': 'nosuch'}",
            "configurationException: Invalid value for caching sub-option 'keys': only 'ALL' and 'NONE' are allowed"
        ),
        (
            "ALTER TABLE t WITH",
            "syntaxException: line 1:18 no viable alternative at input '<EOF>' (ALTER TABLE t WITH)"
        ),
        (
            "ALTER TABLE t WITH CLUSTERING ORDER BY (c DESC)",
            "syntaxException: line 1:30 mismatched input 'ORDER' expecting '=' (ALTER TABLE t WITH CLUSTERING [ORDER]...)"
        ),
        ("ALTER TYPE u ADD c int", "ok"),
        (
            "ALTER TYPE u ADD c int",
            "invalidRequest: Cannot add field c to type ks.u: a field with name c already exists"
        ),
        (
            "ALTER TYPE u ADD d frozen<u>",
            "invalidRequest: Cannot add new field d of type frozen<u> to user type ks.u as it would create a circular reference"
        ),
        ("ALTER TYPE u RENAME a TO aa", "ok"),
        ("ALTER TYPE u RENAME b TO aa", "invalidRequest: Duplicate field name aa in type ks.u"),
        ("ALTER TYPE u RENAME nosuch TO y", "invalidRequest: Unknown field nosuch in user type ks.u"),
        ("ALTER TYPE u ALTER aa TYPE text", "invalidRequest: Altering field types is no longer supported"),
        ("ALTER TYPE nosuch ADD a int", "invalidRequest: Type ks.nosuch doesn't exist"),
        ("DROP TYPE u", "invalidRequest: Cannot drop user type 'ks.u' as it is still used by tables t"),
        ("DROP TYPE nosuch", "invalidRequest: Type 'ks.nosuch' doesn't exist"),
        ("DROP TYPE IF EXISTS nosuch", "ok"),
        ("CREATE TYPE u (a int)", "invalidRequest: A user type with name 'u' already exists"),
        ("CREATE TYPE IF NOT EXISTS u (a int)", "ok"),
        ("CREATE TYPE y ()", "syntaxException: line 1:15 no viable alternative at input ')' (CREATE TYPE y ([)])"),
        ("CREATE TYPE y (a int, a int)", "invalidRequest: Duplicate field name 'a' in type 'y'"),
        ("CREATE TYPE y (a counter)", "invalidRequest: A user type cannot contain counters"),
        ("CREATE TYPE y (a y)", "invalidRequest: Unknown type ks.y"),
        ("CREATE TYPE y (a frozen<y>)", "invalidRequest: Unknown type ks.y"),
        ("CREATE TYPE y (a u)", "invalidRequest: A user type cannot contain non-frozen UDTs"),
        (
            "CREATE TYPE text (a int)",
            "syntaxException: line 1:12 no viable alternative at input 'text' (CREATE TYPE [text]...)"
        ),
        (
            "CREATE TYPE int (a int)",
            "syntaxException: line 1:12 no viable alternative at input 'int' (CREATE TYPE [int]...)"
        ),
        ("CREATE TYPE ks2.y (a int)", "invalidRequest: Keyspace 'ks2' doesn't exist"),
        ("CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)", "ok"),
        (
            "CREATE TABLE dup (k int, k int, PRIMARY KEY (k))",
            "invalidRequest: Duplicate column 'k' declaration for table 'dup'"
        ),
        (
            "CREATE TABLE dup (k int, PRIMARY KEY (k, k))",
            "invalidRequest: Duplicate column 'k' in PRIMARY KEY clause for table 'dup'"
        ),
        (
            "CREATE TABLE dup (k int, PRIMARY KEY ())",
            "syntaxException: line 1:38 no viable alternative at input ')' (...int, PRIMARY KEY ([)]...)"
        ),
        (
            "CREATE TABLE dup (k int, PRIMARY KEY (()))",
            "syntaxException: line 1:39 no viable alternative at input ')' (..., PRIMARY KEY (([)]...)"
        ),
        (
            "CREATE TABLE dup (k int STATIC PRIMARY KEY)",
            "invalidRequest: Static column 'k' cannot be part of the PRIMARY KEY"
        ),
        (
            "CREATE TABLE dup (k int, s int STATIC, PRIMARY KEY (k, s))",
            "invalidRequest: Static column 's' cannot be part of the PRIMARY KEY"
        ),
        (
            "CREATE TABLE dup (k int, c int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c)",
            "syntaxException: line 1:79 mismatched input ')' expecting K_ASC (...CLUSTERING ORDER BY (c[)])"
        ),
        (
            "CREATE TABLE dup (k int, c int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (k DESC)",
            "invalidRequest: Only clustering key columns can be defined in CLUSTERING ORDER directive: [k] are not clustering columns"
        ),
        (
            "CREATE TABLE dup (k int, c int, d int, PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (d DESC)",
            "invalidRequest: The order of columns in the CLUSTERING ORDER directive must match that of the clustering columns (c, d)"
        ),
        (
            "CREATE TABLE dup (k int, c int, d int, PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (d DESC, c ASC)",
            "invalidRequest: The order of columns in the CLUSTERING ORDER directive must match that of the clustering columns (c, d)"
        ),
        ("CREATE TABLE dup (k int, c int, d int, PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (c DESC)", "ok"),
        (
            "CREATE TABLE dup2 (k int PRIMARY KEY) WITH CLUSTERING ORDER BY (k DESC)",
            "invalidRequest: Only clustering key columns can be defined in CLUSTERING ORDER directive: [k] are not clustering columns"
        ),
        (
            "CREATE TABLE dup2 (k int PRIMARY KEY) WITH gc_grace_seconds = 'a'",
            "syntaxException: Invalid integer value a for 'gc_grace_seconds'"
        ),
        (
            "CREATE TABLE dup2 (k int PRIMARY KEY) WITH gc_grace_seconds = 5 AND gc_grace_seconds = 6",
            "syntaxException: Multiple definition for property 'gc_grace_seconds'"
        ),
        (
            "CREATE TABLE dup2 (k int PRIMARY KEY) WITH COMPACT STORAGE",
            "invalidRequest: COMPACT STORAGE tables are not allowed starting with version 4.0"
        ),
        ("CREATE TABLE dup2 (k int PRIMARY KEY) WITH comment = 5", "ok"),
        (
            "CREATE TABLE dup2 (k int PRIMARY KEY) WITH comment = {'a': 'b'}",
            #"alreadyExists: Cannot add already existing table "dup2" to keyspace "ks""#
        ),
        (
            "CREATE TABLE dup3 (k int PRIMARY KEY) WITH compaction = 'LeveledCompactionStrategy'",
            "syntaxException: Invalid value for property 'compaction'. It should be a map."
        ),
        (
            "CREATE TABLE dup3 (k int PRIMARY KEY) WITH default_time_to_live = 630720001",
            "configurationException: default_time_to_live must be less than or equal to 630720000 (got 630720001)"
        ),
        ("CREATE TABLE dup3 (k int PRIMARY KEY) WITH ID = 5", "configurationException: Invalid table id"),
        ("CREATE TABLE commas (k int,, v int, PRIMARY KEY (k),)", "ok"), ("DROP TABLE commas", "ok"),
        ("CREATE TYPE commas (a int,, b int,)", "ok"), ("DROP TYPE commas", "ok"),
        (
            "CREATE TABLE dup3 (, k int PRIMARY KEY)",
            "syntaxException: line 1:19 no viable alternative at input ',' (CREATE TABLE dup3 ([,]...)"
        ),
        (
            "CREATE TABLE dup3 (k int PRIMARY KEY",
            "syntaxException: line 1:36 mismatched input '<EOF>' expecting ')' (...(k int PRIMARY KEY)"
        ),
        ("CREATE TABLE dup3 (k integer PRIMARY KEY)", "invalidRequest: Unknown type ks.integer"),
        ("CREATE TABLE classes (k 'org.apache.cassandra.db.marshal.Int32Type' PRIMARY KEY, v 'UTF8Type')", "ok"),
        ("INSERT INTO classes (k, v) VALUES (1, 'a')", "ok"), ("SELECT * FROM classes", "1 'a'"),
        (
            "CREATE TABLE dup3 (k 'org.example.PointType' PRIMARY KEY)",
            "invalidRequest: Error setting type org.example.PointType: custom types are not supported"
        ),
        (
            "CREATE TABLE IF NOT EXISTS classes (k int)",
            "invalidRequest: No PRIMARY KEY specifed for table 'classes' (exactly one required)"
        ),
        ("DROP TABLE classes", "ok"),
        ("CREATE TABLE id1 (k int PRIMARY KEY) WITH id = 5a1c395e-b41f-11e5-9f22-ba0be0483c18", "ok"),
        (
            "CREATE TABLE id2 (k int PRIMARY KEY) WITH id = 5a1c395e-b41f-11e5-9f22-ba0be0483c18",
            "invalidRequest: Cannot give table ks.id2 the id 5a1c395e-b41f-11e5-9f22-ba0be0483c18, which ks.id1 has"
        ),
        ("DROP TABLE id1", "ok"),
        (
            "CREATE TABLE dup3 (k int PRIMARY KEY) WITH max_index_interval = 2147483648",
            "syntaxException: Invalid integer value 2147483648 for 'max_index_interval'"
        ),
        ("CREATE TABLE plain (k int PRIMARY KEY) WITH compression = {'enabled': 'maybe'}", "ok"),
        ("DROP TABLE plain", "ok"),
        (
            "CREATE MATERIALIZED VIEW l AS SELECT * FROM system.local WHERE key IS NOT NULL PRIMARY KEY (key)",
            "invalidRequest: Cannot create a materialized view on a table in a different keyspace"
        ),
        (
            "CREATE KEYSPACE ks",
            "syntaxException: line 1:18 mismatched input '<EOF>' expecting K_WITH (CREATE KEYSPACE ks)"
        ),
        (
            "CREATE KEYSPACE ks3 WITH replication = {'class': 'nosuch'}",
            "configurationException: Unable to find replication strategy class 'nosuch'"
        ),
        (
            "CREATE KEYSPACE ks3 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 'a'}",
            "configurationException: Replication factor must be numeric; found a"
        ),
        (
            "CREATE KEYSPACE ks3 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': -1}",
            "configurationException: Replication factor must be non-negative; found -1"
        ),
        (
            "CREATE KEYSPACE ks3 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1, 'dc1': 1}",
            "configurationException: Unrecognized strategy option {dc1} passed to SimpleStrategy for keyspace ks3"
        ),
        (
            "CREATE KEYSPACE ks3 WITH replication = {'class': 'NetworkTopologyStrategy'}",
            "configurationException: Configuration for at least one datacenter must be present"
        ),
        ("CREATE KEYSPACE ks4 WITH replication = {'class': 'NetworkTopologyStrategy', 'here': 3}", "ok"),
        ("DROP KEYSPACE ks4", "ok"),
        ("CREATE KEYSPACE ks3 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 0}", "ok"),
        (
            "CREATE KEYSPACE ks3 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND durable_writes = 5",
            "syntaxException: Invalid boolean value 5 for 'durable_writes'"
        ),
        (
            #"CREATE KEYSPACE "ks-3" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"#,
            #"invalidRequest: Keyspace name must not be empty, more than 48 characters long, or contain non-alphanumeric-underscore characters (got "ks-3")"#
        ),
        (
            "CREATE KEYSPACE system WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "unauthorized: system keyspace is not user-modifiable."
        ),
        ("DROP KEYSPACE system", "unauthorized: system keyspace is not user-modifiable."),
        ("DROP TABLE system.local", "unauthorized: system keyspace is not user-modifiable."),
        ("INSERT INTO system.local (key) VALUES ('a')", "unauthorized: system keyspace is not user-modifiable."),
        (
            "ALTER KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}", "ok"
        ),
        (
            "ALTER KEYSPACE system_traces WITH replication = {'class': 'Simple'}",
            "configurationException: Unable to find replication strategy class 'Simple'"
        ),
        (
            "CREATE KEYSPACE nts WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}", "ok"
        ),
        (
            "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'nts'",
            "{'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'datacenter1': '1'}"
        ),
        ("DROP KEYSPACE nts", "ok"),
        ("DROP KEYSPACE system_auth", "unauthorized: system_auth keyspace is not user-modifiable."),
        ("TRUNCATE system_traces.events", "ok"),
        ("DROP TABLE t", "ok"),
        ("DROP TABLE t", "invalidRequest: Table 'ks.t' doesn't exist"),
        ("DROP TABLE IF EXISTS t", "ok"),
        ("DROP TABLE simple", "invalidRequest: Cannot drop a table when materialized views still depend on it (mv)"),
        ("TRUNCATE simple", "ok"),
        ("SELECT * FROM mv", "nothing"),
        ("TRUNCATE nosuch", "invalidRequest: table nosuch does not exist"),
        (
            "TRUNCATE TABLE mv",
            "invalidRequest: Cannot TRUNCATE materialized view directly; must truncate base table instead"
        ),
        ("DROP INDEX nosuch", "invalidRequest: Index 'ks.nosuch' doesn't exist"),
        ("DROP INDEX IF EXISTS nosuch", "ok"),
        ("CREATE INDEX ON simple (v)", "ok"),
        (
            "CREATE INDEX ON simple (v)",
            "invalidRequest: Index simple_v_idx_1 is a duplicate of existing index simple_v_idx"
        ),
        ("CREATE INDEX IF NOT EXISTS ON simple (v)", "ok"),
        (
            "CREATE INDEX i2 ON simple (k)",
            "invalidRequest: Cannot create secondary index on the only partition key column k"
        ),
        ("CREATE INDEX i2 ON simple (nosuch)", "invalidRequest: Column 'nosuch' doesn't exist"),
        (
            "CREATE INDEX i2 ON simple (keys(v))",
            "invalidRequest: Cannot create keys() index on v. Non-collection columns only support simple indexes"
        ),
        (
            "CREATE INDEX i2 ON simple (k) WITH OPTIONS = {'a': 'b'}",
            "invalidRequest: Cannot specify options for a non-CUSTOM index"
        ),
        ("CREATE INDEX i2 ON simple (v, k)", "invalidRequest: Only CUSTOM indexes support multiple columns"),
        ("CREATE INDEX i2 ON dur (d)", "invalidRequest: Secondary indexes are not supported on duration columns"),
        ("CREATE INDEX i2 ON mv (k)", "invalidRequest: Secondary indexes on materialized views aren't supported"),
        ("CREATE CUSTOM INDEX i2 ON simple (v)", "invalidRequest: CUSTOM index requires specifying the index class"),
        (
            "CREATE CUSTOM INDEX i2 ON simple (v) USING 'StorageAttachedIndex'",
            "invalidRequest: Unable to find custom indexer class 'StorageAttachedIndex'"
        ),
        (
            #"CREATE INDEX "i-2" ON two (v)"#,
            #"invalidRequest: Index name must not be empty, more than 48 characters long, or contain non-alphanumeric-underscore characters (got "i-2")"#
        ),
        (
            "ALTER TABLE simple DROP v",
            "invalidRequest: Cannot drop column v because it has dependent secondary indexes (simple_v_idx)"
        ),
        ("ALTER TABLE simple RENAME k TO kk", "ok"),
        ("SELECT * FROM mv", "nothing"),
        ("DROP MATERIALIZED VIEW simple", "invalidRequest: Materialized view 'ks.simple' doesn't exist"),
        ("DROP MATERIALIZED VIEW nosuch", "invalidRequest: Materialized view 'ks.nosuch' doesn't exist"),
        ("DROP MATERIALIZED VIEW IF EXISTS nosuch", "ok"),
        (
            "CREATE MATERIALIZED VIEW IF NOT EXISTS mv AS SELECT * FROM simple WHERE kk IS NOT NULL PRIMARY KEY (kk)",
            "ok"
        ),
        ("CREATE MATERIALIZED VIEW m2 AS SELECT kk FROM simple WHERE kk IS NOT NULL PRIMARY KEY (kk)", "ok"),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT count(*) FROM simple WHERE kk IS NOT NULL PRIMARY KEY (kk)",
            "invalidRequest: Can only select columns by name when defining a materialized view (got other)"
        ),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT kk AS x FROM simple WHERE kk IS NOT NULL PRIMARY KEY (kk)",
            "invalidRequest: Cannot use alias when defining a materialized view (got kk AS x)"
        ),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT writetime(v) FROM simple WHERE kk IS NOT NULL PRIMARY KEY (kk)",
            "invalidRequest: Can only select columns by name when defining a materialized view (got other)"
        ),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT * FROM simple PRIMARY KEY (kk)",
            "invalidRequest: Primary key columns kk must be restricted with 'IS NOT NULL' or otherwise"
        ),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT * FROM simple WHERE token(kk) > 1 PRIMARY KEY (kk)",
            "invalidRequest: Cannot use token relation when defining a materialized view"
        ),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT * FROM simple WHERE kk IS NOT NULL AND v IS NOT NULL PRIMARY KEY (v)",
            "invalidRequest: Cannot create materialized view 'm3' without primary key columns kk from base table 'simple'"
        ),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT * FROM simple WHERE kk IS NOT NULL PRIMARY KEY (kk) WITH default_time_to_live = 5",
            "invalidRequest: Cannot set default_time_to_live for a materialized view. Data in a materialized view always expire at the same time than the corresponding data in the parent table."
        ),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT * FROM nosuch WHERE kk IS NOT NULL PRIMARY KEY (kk)",
            "invalidRequest: table nosuch does not exist"
        ),
        (
            "CREATE MATERIALIZED VIEW m3 AS SELECT DISTINCT kk FROM simple WHERE kk IS NOT NULL PRIMARY KEY (kk)",
            "syntaxException: line 1:47 mismatched input 'kk' expecting K_FROM (...VIEW m3 AS SELECT DISTINCT [kk]...)"
        ),
        (
            "ALTER MATERIALIZED VIEW mv WITH default_time_to_live = 5",
            "invalidRequest: Cannot set default_time_to_live for a materialized view. Data in a materialized view always expire at the same time than the corresponding data in the parent table."
        ),
        (
            "ALTER MATERIALIZED VIEW mv WITH gc_grace_seconds = 0",
            "invalidRequest: gc_grace_seconds of a materialized view cannot be 0, since this value is used to TTL undelivered updates. Setting gc_grace_seconds too low might cause undelivered updates to expire before being replayed."
        ),
        (
            "ALTER MATERIALIZED VIEW simple WITH comment = 'a'",
            "invalidRequest: Materialized view 'ks.simple' doesn't exist"
        ),
        (
            "ALTER TABLE simple WITH gc_grace_seconds = 0",
            "invalidRequest: Cannot alter gc_grace_seconds of the base table of a materialized view to 0, since this value is used to TTL undelivered updates. Setting gc_grace_seconds too low might cause undelivered updates to expire before being replayed."
        ),
        ("USE", "syntaxException: line 1:3 no viable alternative at input '<EOF>' (USE)"),
        ("USE nosuch", "invalidRequest: Keyspace 'nosuch' does not exist"),
        (#"USE "KS""#, "invalidRequest: Keyspace 'KS' does not exist"),
        ("DESCRIBE TABLE nosuch", "invalidRequest: Table 'nosuch' not found in keyspace 'ks'"),
        ("DESCRIBE nosuch", "invalidRequest: 'nosuch' not found in keyspace 'ks'"),
        ("DESCRIBE KEYSPACE nosuch", "invalidRequest: 'nosuch' not found in keyspaces"),
        (
            "DESC TABLES",
            "'ks' 'table' 'dup'; 'ks' 'table' 'dup2'; 'ks' 'table' 'dur'; 'ks' 'table' 'n'; 'ks' 'table' 'simple'; 'ks' 'table' 'two'; 'ks' 'table' 'ty'"
        ),
        ("GRANT SELECT ON t TO x", "invalidRequest: GRANT statements are not supported"),
        ("CREATE ROLE x", "invalidRequest: CREATE ROLE statements are not supported"),
        (
            "CREATE FUNCTION f (a int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS 'x'",
            "invalidRequest: CREATE FUNCTION statements are not supported"
        ),
        ("LIST ROLES", "invalidRequest: LIST statements are not supported"),
        (
            "EXPLAIN SELECT * FROM t",
            "syntaxException: line 1:0 no viable alternative at input 'EXPLAIN' ([EXPLAIN]...)"
        ),
        ("SHOW VERSION", "syntaxException: line 1:0 no viable alternative at input 'SHOW' ([SHOW]...)"),
        ("INSERT INTO nosuch.t (k) VALUES (1)", "invalidRequest: keyspace nosuch does not exist"),
        ("SELECT * FROM nosuch.t", "invalidRequest: keyspace nosuch does not exist"),
        (
            "SELECT * FROM ks.t.x",
            "syntaxException: line 1:18 mismatched input '.' expecting EOF (...* FROM ks.t[.]...)"
        ),
        ("DROP KEYSPACE ks", "ok"),
        ("SELECT * FROM simple", "invalidRequest: keyspace ks does not exist"),
        ("CREATE TABLE t (k int PRIMARY KEY)", "invalidRequest: Keyspace 'ks' doesn't exist"),
    ]
}
