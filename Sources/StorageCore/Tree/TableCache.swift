// TableCache.swift — opens tables and keeps no more of them open than the descriptor budget allows.

internal import Synchronization

final class TableCache: Sendable {
    private struct Entry {
        weak var file: TableFile?
    }

    let fileSystem: any FileSystem
    let directory: String
    let blocks: BlockCache
    /// Mixed into the block checksums of new tables; differs from run to run, so that a stale block of a file that had the
    /// same number does not pass.
    let salt: UInt64
    private let maximumOpenCount: Int
    private let ticks = Atomic<UInt64>(0)
    private let entries = Mutex<[Entry]>([])

    init(
        fileSystem: any FileSystem, directory: String, blocks: BlockCache, maximumOpenCount: Int, salt: UInt64 = 0
    ) {
        self.salt = salt
        self.fileSystem = fileSystem
        self.directory = directory
        self.blocks = blocks
        self.maximumOpenCount = max(maximumOpenCount, 8)
    }

    func path(of number: UInt64) -> String { TableFiles.path(of: number, in: directory) }

    func tick() -> UInt64 { ticks.add(1, ordering: .relaxed).newValue }

    /// Opens a table and holds it against what the manifest says.
    func open(number: UInt64, expected: TableMetadata) throws -> TableReader {
        let path = path(of: number)
        let file: any StorageFile
        do {
            file = try fileSystem.open(path, .read)
        } catch let error as StorageError where error.code == .notFound {
            throw StorageError(.corruption, "A table that the manifest lists is missing.", file: path, cause: error)
        }
        let reader = try TableReader.open(file: file, path: path, fileNumber: number, cache: blocks)
        guard TableMetadata(number: number, properties: reader.properties) == expected else {
            throw StorageError.corruption(
                "The table is not the one that the manifest lists under its number.", file: path)
        }
        return reader
    }

    /// Counts a newly opened table and closes the least recently used ones over the budget.
    func didOpen(_ file: TableFile) {
        let surplus: [TableFile] = entries.withLock { entries in
            entries.append(Entry(file: file))
            guard entries.count > maximumOpenCount else { return [] }
            let open = entries.compactMap(\.file).filter(\.isOpen)
            let byUse = open.sorted { $0.lastUse.load(ordering: .relaxed) > $1.lastUse.load(ordering: .relaxed) }
            // An eighth below the budget, so that not every opening has to sort.
            let kept = byUse.prefix(maximumOpenCount - maximumOpenCount / 8)
            entries = kept.map { Entry(file: $0) }
            return Array(byUse.dropFirst(kept.count))
        }
        for file in surplus { file.closeReader() }
    }

    /// Removes a table nobody reads any more. A file that can't be removed is left to the next opening.
    func removeFile(of number: UInt64) {
        blocks.removeAll(fileNumber: number)
        try? fileSystem.remove(path(of: number))
    }
}

/// Names of table files.
enum TableFiles {
    static let suffix = ".sst"

    static func path(of number: UInt64, in directory: String) -> String {
        "\(directory)/\(FileNumbers.text(number))\(suffix)"
    }

    static func numbers(in directory: String, _ fileSystem: any FileSystem) throws -> [UInt64] {
        try FileNumbers.list(directory, suffix: suffix, fileSystem)
    }
}
