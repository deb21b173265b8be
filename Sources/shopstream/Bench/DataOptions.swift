// DataOptions.swift — the folder a load works in.

import ArgumentParser
import StorageCore
import StorageTypes

/// Where the storage of a load lies: a given folder is kept, a new one is removed at the end.
struct DataOptions: ParsableArguments {
    @Option(help: "The folder to work in, kept afterwards. Default: a new one below /tmp, removed afterwards.")
    var data: String?

    /// Opens the storage, hands it to `body`, and closes it.
    func withStorage(_ body: (Storage) async throws -> Void) async throws {
        let directory = data ?? "/tmp/shopstream-bench-\(SystemClock().now.microseconds)"
        let storage = try Storage.open(at: directory)
        do {
            try await body(storage)
        } catch {
            // What went wrong first is what the user should read.
            try? storage.close()
            try? removeIfTemporary(directory)
            throw error
        }
        try storage.close()
        try removeIfTemporary(directory)
    }

    private func removeIfTemporary(_ directory: String) throws {
        guard data == nil else { return }
        try Self.remove(directory, from: POSIXFileSystem())
    }

    /// A storage's folder holds files and folders of files.
    private static func remove(_ directory: String, from fileSystem: POSIXFileSystem) throws {
        for name in try fileSystem.list(directory) {
            let path = "\(directory)/\(name)"
            do {
                try fileSystem.remove(path)
            } catch {
                try remove(path, from: fileSystem)
            }
        }
        try fileSystem.removeDirectory(directory)
    }
}
