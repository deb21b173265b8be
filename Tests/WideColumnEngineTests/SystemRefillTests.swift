// SystemRefillTests.swift — whoever reads the schema's tables sees one version of it whole, and never an older one than
// before.

import Foundation
import StorageTypes
import Synchronization
import Testing

@testable import WideColumnEngine

@Suite("System tables while the schema changes")
struct SystemRefillTests {
    @Test("no read finds the tables empty, half full or older than a read before")
    func changes() throws {
        let store = try makeStore()
        let system = try SystemTables(
            clock: ManualClock(), hostID: CQLUUID(mostSignificantBits: 0, leastSignificantBits: 0), limits: store.limits
        )
        let schemas = try (1...12).map { number in
            try store.execute("CREATE TABLE t\(number) (k int PRIMARY KEY, v int)")
            return store.catalog.schema
        }
        try system.show(schemas[0])
        let failures = Mutex<[String]>([])
        let isOver = Atomic(false)
        DispatchQueue.concurrentPerform(iterations: 3) { thread in
            do {
                if thread == 0 {
                    defer { isOver.store(true, ordering: .relaxed) }
                    for schema in schemas { try system.show(schema) }
                    return
                }
                var (tableCount, columnCount) = (1, 2)
                while !isOver.load(ordering: .relaxed) {
                    let tables = try system.store.execute(
                        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'ks'"
                    ).count
                    let columns = try system.store.execute(
                        "SELECT column_name FROM system_schema.columns WHERE keyspace_name = 'ks'"
                    ).count
                    if tables < tableCount { failures.withLock { $0.append("\(tables) tables after \(tableCount)") } }
                    if columns < max(columnCount, 2 * tables) || columns % 2 == 1 {
                        failures.withLock { $0.append("\(columns) columns after \(columnCount), \(tables) tables") }
                    }
                    (tableCount, columnCount) = (tables, columns)
                }
            } catch { failures.withLock { $0.append("\(error)") } }
        }
        #expect(failures.withLock { $0.prefix(5) } == [])
        #expect(try system.store.execute("SELECT * FROM system_schema.tables WHERE keyspace_name = 'ks'").count == 12)
    }

    @Test("a schema that was replaced since does not come back")
    func older() throws {
        let store = try makeStore()
        let system = try SystemTables(
            clock: ManualClock(), hostID: CQLUUID(mostSignificantBits: 0, leastSignificantBits: 0), limits: store.limits
        )
        let before = store.catalog.schema
        try store.execute("CREATE TABLE t (k int PRIMARY KEY)")
        try system.show(store.catalog.schema)
        try system.show(before)
        #expect(
            try system.store.lines("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'ks'") == ["'t'"])
        try store.execute("DROP TABLE t")
        try system.show(store.catalog.schema)
        #expect(try system.store.execute("SELECT * FROM system_schema.tables WHERE keyspace_name = 'ks'").isEmpty)
        #expect(try system.store.storage.verify().problems.isEmpty)
    }
}
