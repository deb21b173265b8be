// SchemaPermissionTests.swift — who lacks UNMASK does not change the schema ([CA] service/ClientState.java, `ensurePermission`,
// and what each schema statement authorizes).

import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Permissions to change the schema")
struct SchemaPermissionTests {
    private func makeTables() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute("CREATE TABLE cards (owner text PRIMARY KEY, number text MASKED WITH DEFAULT, kind int)")
        try store.execute(
            """
            CREATE MATERIALIZED VIEW by_kind AS SELECT kind, owner FROM cards WHERE kind IS NOT NULL AND owner IS NOT NULL
            PRIMARY KEY (kind, owner)
            """)
        try store.execute("CREATE INDEX kinds ON cards (kind)")
        try store.execute("CREATE TYPE point (x int)")
        return store
    }

    @discardableResult
    private func execute(_ store: WideColumnStore, _ cql: String) throws -> ResultSet {
        var options = ExecutionOptions()
        options.maskedUserName = "clerk"
        return try store.execute(cql, options: options)
    }

    private static let replication = "WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"

    @Test(
        "who lacks UNMASK has no permission to create, alter or drop, and is told of which one, on what",
        arguments: [
            ("CREATE KEYSPACE k2 \(replication)", "CREATE permission on <all keyspaces>"),
            ("ALTER KEYSPACE ks \(replication)", "ALTER permission on <keyspace ks>"),
            ("DROP KEYSPACE ks", "DROP permission on <keyspace ks>"),
            ("CREATE TABLE t (a int PRIMARY KEY)", "CREATE permission on <all tables in ks>"),
            ("ALTER TABLE cards ALTER number DROP MASKED", "ALTER permission on <table ks.cards>"),
            ("ALTER TABLE cards ALTER number MASKED WITH mask_inner(9, 9)", "ALTER permission on <table ks.cards>"),
            ("ALTER TABLE nowhere.t ADD v int", "ALTER permission on <table nowhere.t>"),
            ("DROP TABLE cards", "DROP permission on <table ks.cards>"),
            (
                """
                CREATE MATERIALIZED VIEW v AS SELECT * FROM cards WHERE number IS NOT NULL AND owner IS NOT NULL
                PRIMARY KEY (number, owner)
                """, "ALTER permission on <table ks.cards>"
            ),
            ("ALTER MATERIALIZED VIEW by_kind WITH comment = 'x'", "ALTER permission on <table ks.cards>"),
            ("DROP MATERIALIZED VIEW by_kind", "ALTER permission on <table ks.cards>"),
            ("CREATE INDEX ON cards (number)", "ALTER permission on <table ks.cards>"),
            ("DROP INDEX kinds", "ALTER permission on <table ks.cards>"),
            ("CREATE TYPE other (x int)", "CREATE permission on <keyspace ks>"),
            ("ALTER TYPE point ADD y int", "ALTER permission on <keyspace ks>"),
            ("DROP TYPE point", "DROP permission on <keyspace ks>"),
        ])
    func refusals(cql: String, permission: String) throws {
        let store = try makeTables()
        let error = #expect(throws: CQLError.self) { try execute(store, cql) }
        #expect(error?.code == .unauthorized)
        #expect(error?.message == "User clerk has no \(permission) or any of its parents")
    }

    @Test("nothing else is refused, and what is not there is not there for anybody")
    func others() throws {
        let store = try makeTables()
        for cql in [
            "DROP MATERIALIZED VIEW IF EXISTS ks.nothing", "DROP INDEX IF EXISTS ks.nothing", "USE ks",
            "DESCRIBE TABLE ks.cards", "INSERT INTO ks.cards (owner, number) VALUES ('a', '1')", "TRUNCATE ks.cards",
        ] {
            #expect(throws: Never.self, "\(cql)") { try execute(store, cql) }
        }
        let error = #expect(throws: CQLError.self) { try execute(store, "DROP INDEX ks.nothing") }
        #expect(error?.code == .invalidRequest)
        #expect(throws: Never.self) { try store.execute("ALTER TABLE ks.cards ALTER number DROP MASKED") }
    }
}
