// Storage+Checkpoint.swift — a consistent copy of an open storage.

internal import Synchronization

extension Storage {
    /// Makes a copy of the storage as of now, while writes go on: of a directory in `target`, an absent or empty directory,
    /// of a SQLite database in `target`, the name of a file that is not there.
    ///
    /// A directory's tables are hard-linked where the file system allows, its log is copied up to a synced offset. Every
    /// commit that was visible when the call began is in the copy. It opens like any storage, also read-only. Of a
    /// checkpoint that fails nothing is left.
    ///
    /// - Throws: `StorageError`: `.alreadyExists` if something is there, `.closed`, `.readOnly`, `.poisoned`, and what
    ///   reading and writing files can fail with.
    public func checkpoint(to target: String) throws {
        try checkProcess()
        if let refusal = lastingRefusal() { throw refusal }
        if let sqlite { return try checkpoint(sqlite, to: target) }
        try finishOpening()
        guard let manifest, let log else { return }
        let fileSystem = options.fileSystem
        let isThere = try fileSystem.exists(target)
        if isThere, try !fileSystem.list(target).isEmpty {
            throw StorageError(.alreadyExists, "A checkpoint needs an absent or empty directory.", file: target)
        }
        do {
            try copy(to: target, manifest, log)
        } catch {
            // What is there is no storage, and would be in the way of the next attempt.
            removeUnfinished(target, directoryToo: !isThere)
            throw error
        }
    }

    private func copy(to target: String, _ manifest: ManifestWriter, _ log: LogWriter) throws {
        let fileSystem = options.fileSystem
        try fileSystem.createDirectory(target + "/log")
        try fileSystem.createDirectory(target + "/tables")
        try log.keepingSegments {
            // Under the manifest's lock, trees and manifest agree, and the log knows no keyspace that the manifest doesn't.
            let (state, tables, segments, end) = try manifest.whileUnchanged { state in
                let tables = catalog.withLock { $0.persistentTrees }.flatMap { $0.state.levels.all }
                let segments = log.segments(from: state.logStart)
                return (state, tables, segments, segments.reduce(log.appendedSequence) { max($0, $1.lastSequence) })
            }
            // Not only what is visible: a commit is in the log before, and the copy must have none that a power cut may take
            // from this storage.
            try gate.wait(for: end)
            try withExtendedLifetime(tables) {
                for number in state.tableNumbers.sorted() {
                    try fileSystem.link(
                        tableCache.path(of: number), to: TableFiles.path(of: number, in: target + "/tables"))
                }
            }
            try fileSystem.syncDirectory(target + "/tables")
            for segment in segments {
                try copyLog(segment.path, segment.byteCount, to: LogFiles.path(of: segment.number, in: target + "/log"))
            }
            try fileSystem.syncDirectory(target + "/log")
            let copy = try ManifestWriter(
                number: 1, manifest: state, identity: manifest.identity, salt: UInt32(truncatingIfNeeded: options.seed),
                directory: target, fileSystem: fileSystem)
            try copy.close()
        }
    }

    /// As far as it can be removed.
    private func removeUnfinished(_ target: String, directoryToo: Bool) {
        let fileSystem = options.fileSystem
        for directory in [target + "/log", target + "/tables", target] {
            for name in (try? fileSystem.list(directory)) ?? [] { try? fileSystem.remove("\(directory)/\(name)") }
            if directory != target || directoryToo { try? fileSystem.removeDirectory(directory) }
        }
    }

    private func copyLog(_ source: String, _ byteCount: Int64, to target: String) throws {
        let input = try options.fileSystem.open(source, .read)
        let output = try options.fileSystem.open(target, .create)
        let chunk = 1 << 20
        var offset: Int64 = 0
        while offset < byteCount {
            let bytes = try input.read(at: offset, byteCount: Int(min(Int64(chunk), byteCount - offset)))
            guard !bytes.isEmpty else {
                throw StorageError.corruption(
                    "A log segment is shorter than what was written.", file: source, offset: offset)
            }
            try output.write(bytes, at: offset)
            offset += Int64(bytes.count)
        }
        try output.sync()
        try output.close()
        try input.close()
    }
}
