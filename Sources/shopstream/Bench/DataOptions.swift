// DataOptions.swift — the folder a load works in.

import ArgumentParser
import StorageCore
import StorageTypes

/// Where the storage of a load lies: a given folder is kept, a new one is removed at the end.
struct DataOptions: ParsableArguments {
    @Option(help: "The folder to work in, kept afterwards. Default: a new one below /tmp, removed afterwards.")
    var data: String?

    /// Hands the folder to `body`; a new one is removed afterwards.
    func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = data ?? "/tmp/shopstream-bench-\(SystemClock().now.microseconds)"
        do {
            try await body(directory)
        } catch {
            // What went wrong first is what the user should read.
            try? removeIfTemporary(directory)
            throw error
        }
        try removeIfTemporary(directory)
    }

    /// Opens the storage, hands it to `body`, and closes it.
    func withStorage(_ body: (Storage) async throws -> Void) async throws {
        try await withDirectory { directory in
            let storage = try Storage.open(at: directory)
            do {
                try await body(storage)
            } catch {
                try? storage.close()
                throw error
            }
            try storage.close()
        }
    }

    private func removeIfTemporary(_ directory: String) throws {
        guard data == nil, try POSIXFileSystem().exists(directory) else { return }
        try Self.remove(directory)
    }

    /// A storage's folder holds files and folders of files.
    static func remove(_ directory: String) throws {
        let fileSystem = POSIXFileSystem()
        for name in try fileSystem.list(directory) {
            let path = "\(directory)/\(name)"
            do {
                try fileSystem.remove(path)
            } catch {
                try remove(path)
            }
        }
        try fileSystem.removeDirectory(directory)
    }
}
