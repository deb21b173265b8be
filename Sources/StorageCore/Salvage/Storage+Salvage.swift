// Storage+Salvage.swift — rescuing what is left of a damaged storage.

extension Storage {
    /// Rescues every intact entry of a damaged storage into a new one, and reports what was lost.
    ///
    /// Reads what there is without trusting one file more than another: every block of every table, record of the log
    /// and edit of the manifest whose checksum holds is used, also where indexes, footers, headers or the manifest are
    /// gone. Nothing of `source` is changed. What comes out opens like any storage: with its keyspaces, with all
    /// versions, deletes and merge operands that were left, under their commit numbers.
    ///
    /// What was deleted stays deleted as far as the delete itself was rescued. Of a lost entry an older version may come
    /// to light; the report says where. Names and options of keyspaces survive the loss of the manifest where any of
    /// their tables is left; else the keyspace is called `lost+found/ID`.
    ///
    /// A SQLite file becomes a new SQLite file. Every page of it and of its log that can be read as one is used, also where the
    /// pages above are gone; the log beyond a page whose checksum fails too. Pages of the database have no checksums, so
    /// changed bytes of a value are not noticed.
    ///
    /// - Parameters:
    ///   - source: The damaged storage, a directory or a SQLite file; not open anywhere.
    ///   - target: An absent or empty directory; for a SQLite file the name of a file that is not there.
    ///   - options: The file system of both, and sizes; the rest has no meaning here.
    /// - Throws: `StorageError`: `.locked` if the source is open, `.notFound` if there is none, `.alreadyExists` if the
    ///   target is not empty, `.unsupportedFormat` for a manifest or log of a newer version, `.ioFailure`, `.diskFull`.
    public static func salvage(
        _ source: String, into target: String, options: StorageOptions = StorageOptions()
    ) throws -> SalvageReport {
        let fileSystem = options.fileSystem
        guard try fileSystem.exists(source) else {
            throw StorageError(.notFound, "There is no storage to salvage.", file: source)
        }
        if (try? fileSystem.list(source)) == nil {
            guard try !fileSystem.exists(target) else {
                throw StorageError(
                    .alreadyExists, "A salvage needs the name of a file that is not there.", file: target)
            }
            return try SQLiteSalvage.run(source, into: target, options: options)
        }
        if try fileSystem.exists(target), try !fileSystem.list(target).isEmpty {
            throw StorageError(.alreadyExists, "A salvage needs an absent or empty directory.", file: target)
        }
        // Locking creates the file where it is missing; then nobody has it locked.
        let lock = try fileSystem.exists(source + "/LOCK") ? fileSystem.lock(source + "/LOCK") : nil
        defer { lock?.release() }
        var salvage = try Salvage(source: source, target: target, options: options)
        return try salvage.run()
    }
}
