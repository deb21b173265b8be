// SQLiteEngine+Maintenance.swift — the log copied into the database, the database copied into a file.

internal import Synchronization

extension SQLiteEngine {
    /// Whether so much of the log is not copied into the database yet that it should be.
    func isLogLong(_ options: StorageOptions) -> Bool {
        let length = logByteCount
        let copied = copiedLogByteCount.load(ordering: .relaxed)
        // A log that is shorter than what was copied has started at its beginning again.
        return (length < copied ? length : length - copied) >= options.logSegmentByteCount
    }

    private var logByteCount: Int64 { files.existingNode(logPath)?.writtenByteCount ?? 0 }

    /// Copies the log into the database, as far as no snapshot is in the way, so that it starts at its beginning again.
    /// In the lane.
    func copyLog() throws {
        try checkpoint("PASSIVE")
        copiedLogByteCount.store(logByteCount, ordering: .relaxed)
    }

    /// Copies the whole log. In the lane, without snapshots.
    ///
    /// The log is not truncated: of a truncated one a power cut may leave the first part, whose replay would put old
    /// pages over newer ones. It goes as a whole, by its name.
    func copyWholeLog() throws {
        guard try checkpoint("PASSIVE") else {
            throw StorageError(.ioFailure, "The log could not be copied into the database as a whole.", file: path)
        }
    }

    /// Whether everything in the log was copied.
    @discardableResult
    private func checkpoint(_ mode: String) throws -> Bool {
        try writer.locked {
            let statement = try writer.prepare("PRAGMA wal_checkpoint(\(mode))")
            guard try statement.step() else { return false }
            return statement.integer(0) == 0 && statement.integer(1) == statement.integer(2)
        }
    }

    /// Writes a copy of the database, without what is free in it, to a file that is not there.
    func copy(to target: String) throws {
        let connection = try SQLiteConnection(path: path, files: files)
        connection.keepLogOnClose()
        defer { connection.close() }
        try connection.configure(cacheByteCount: 8 << 20)
        let statement = try connection.prepare("VACUUM INTO ?1")
        statement.bind(1, target)
        while try statement.step() {}
    }

    /// Closes every connection.
    func close() {
        readers.close()
        writer.lockedAlways { writer.close() }
    }
}
