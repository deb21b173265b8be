// Storage+SQLiteVerify.swift — reading every row, and holding it against the catalog.

internal import Synchronization

extension Storage {
    /// Runs SQLite's own check of its pages, and looks at every row.
    func verify(_ sqlite: SQLiteEngine, _ report: inout VerificationReport) {
        do {
            let snapshot = snapshot()
            guard let reader = snapshot.reader else { return }
            try reader.withConnection { connection in
                try connection.checkIntegrity(&report)
                try check(connection, sqlite, &report)
            }
            report.tableCount += 1
            report.byteCount += try options.fileSystem.open(sqlite.path, .read).byteCount()
        } catch {
            report.problems.append("\(sqlite.path): \(error)")
        }
    }

    private func check(
        _ connection: SQLiteConnection, _ sqlite: SQLiteEngine, _ report: inout VerificationReport
    ) throws {
        let keyspaces = catalog.withLock { $0.keyspacesByID }
        let nextID = try connection.integer("SELECT next_keyspace FROM meta")
        let statement = try connection.prepare("SELECT key, expiry FROM entries ORDER BY key")
        var last: [UInt8] = []
        while try statement.step() {
            let key = unsafe Array(statement.bytes(0))
            report.entryCount += 1
            guard key.count >= Keyspace.prefixByteCount else {
                report.problems.append("The key \(key) is too short.")
                continue
            }
            if report.entryCount > 1, compareBytes(last, key) >= 0 {
                report.problems.append("The key \(key) is out of order.")
            }
            last = key
            let id = Keyspace.id(ofTreeKey: key)
            if Int64(id) >= nextID {
                report.problems.append("There is a row of keyspace \(id), which there never was.")
            }
            if !statement.isNull(1), keyspaces[id]?.options.expiry == ExpiryPolicy.none {
                report.problems.append("A row of keyspace \(id) expires, which none of it may.")
            }
        }
    }
}

extension SQLiteConnection {
    fileprivate func checkIntegrity(_ report: inout VerificationReport) throws {
        let statement = try prepare("PRAGMA integrity_check(100)")
        while try statement.step() {
            let line = statement.text(0)
            if line != "ok" { report.problems.append("\(path): \(line)") }
        }
    }
}
