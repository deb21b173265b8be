// A storage on the measured disk for one line, closed and removed afterwards.

import BenchmarkKit
import StorageCore

/// Opens a storage with default options in a new folder below `parent`, and gives `body` it and that folder.
func withFreshStorage<Result>(
    in parent: String, _ body: (Storage, String) async throws -> Result
) async throws -> Result {
    let directory = try ScratchDirectory(in: parent, named: "engine")
    let storage = try Storage.open(at: "\(directory.path)/storage")
    let result: Result
    do {
        result = try await body(storage, directory.path)
    } catch {
        try? storage.close()
        throw error
    }
    try storage.close()
    return withExtendedLifetime(directory) { result }
}

/// A new folder for a peer's files.
func withScratchDirectory<Result>(
    in parent: String, _ body: (String) async throws -> Result
) async throws -> Result {
    let directory = try ScratchDirectory(in: parent, named: "peer")
    let result = try await body(directory.path)
    return withExtendedLifetime(directory) { result }
}
