// TableCache.swift — opens tables, and keeps what they hold in memory and their descriptors within the budgets.

internal import Synchronization

final class TableCache: Sendable {
    private struct Entry {
        weak var file: TableFile?
        var byteCount: Int
    }

    private struct State {
        var entries: [Entry] = []
        /// What the entries' readers held when they were opened, those included that are closed by now.
        var byteCount = 0
    }

    private struct Obsolete {
        var numbers: [UInt64] = []
        /// Asks for `removeObsoleteFiles`; nil where nobody would call it.
        var request: (@Sendable () -> Void)?
    }

    let fileSystem: any FileSystem
    let directory: String
    let blocks: BlockCache
    /// In which readers look at trees and tables without references of their own.
    let sections = UnsafeReadSections()
    /// Mixed into the block checksums of new tables; differs from run to run, so that a stale block of a file that had the
    /// same number does not pass.
    let salt: UInt64
    let descriptors: DescriptorPool
    private let readerByteCapacity: Int
    private let ticks = Atomic<UInt64>(0)
    private let state = Mutex(State())
    /// Tables that nobody reads any more, while their files wait for the thread that removes them.
    private let obsolete = Mutex(Obsolete())

    /// - Parameters:
    ///   - descriptorCount: Files that may be open at once.
    ///   - readerByteCapacity: What open tables may hold in memory: index, filter, properties.
    init(
        fileSystem: any FileSystem, directory: String, blocks: BlockCache, descriptorCount: Int,
        readerByteCapacity: Int, salt: UInt64 = 0
    ) {
        self.salt = salt
        self.fileSystem = fileSystem
        self.directory = directory
        self.blocks = blocks
        self.readerByteCapacity = readerByteCapacity
        descriptors = DescriptorPool(fileSystem: fileSystem, capacity: descriptorCount)
    }

    /// Reading a table throws `.closed` from now on, where it needs the file.
    func close() {
        sections.deferRelease(nil)
        obsolete.withLock { $0.request = nil }
        removeObsoleteFiles()
        descriptors.close()
    }

    func path(of number: UInt64) -> String { TableFiles.path(of: number, in: directory) }

    /// How many tables were opened so far: which ones were used since the last opening is all that closing asks for.
    var tick: UInt64 { ticks.load(ordering: .relaxed) }

    /// Opens a table and holds it against what the manifest says.
    func open(number: UInt64, expected: TableMetadata) throws -> TableReader {
        let path = path(of: number)
        let file: any StorageFile
        do {
            file = try descriptors.open(path)
        } catch let error as StorageError where error.code == .notFound {
            throw StorageError(.corruption, "A table that the manifest lists is missing.", file: path, cause: error)
        }
        // Where there are many tables, or where the index is large, it shares the cache with the data, and only what is in
        // use stays. A quarter is left to those that are opened later.
        let heldByteCount = state.withLock { $0.byteCount }
        let limit = heldByteCount <= readerByteCapacity / 2 ? readerByteCapacity / 4 * 3 - heldByteCount : 0
        let reader = try TableReader.open(
            file: file, path: path, fileNumber: number, cache: blocks, pinnedIndexLimit: limit)
        guard TableMetadata(number: number, properties: reader.properties) == expected else {
            throw StorageError.corruption(
                "The table is not the one that the manifest lists under its number.", file: path)
        }
        return reader
    }

    /// Counts a newly opened table and closes those not used lately if all of them hold too much.
    func didOpen(_ file: TableFile, _ reader: TableReader) {
        ticks.add(1, ordering: .relaxed)
        let byteCount = reader.memoryByteCount + Self.readerOverhead
        // Freed after the lock is released: what goes here may be the last reference to a table.
        var seen: [TableFile] = []
        let surplus = state.withLock { state -> [TableFile] in
            state.entries.append(Entry(file: file, byteCount: byteCount))
            state.byteCount += byteCount
            return state.byteCount > readerByteCapacity ? takeSurplus(&state, seen: &seen) : []
        }
        for file in surplus { file.closeReader() }
    }

    /// About what a reader takes besides its blocks: the object itself, its properties and bounds.
    private static let readerOverhead = 1 << 10

    /// Down to an eighth below the capacity, so that not every opening has to sort. The table that was opened last stays in any
    /// case: whoever opened it is about to read it. Of the others those stay that were used last, as far as they fit; they have
    /// half of the room at least, be that one as large as it is.
    private func takeSurplus(_ state: inout State, seen: inout [TableFile]) -> [TableFile] {
        var open: [(file: TableFile, byteCount: Int, lastUse: UInt64)] = []
        let latest = state.entries.last?.file
        for entry in state.entries {
            guard let file = entry.file else { continue }
            seen.append(file)
            let lastUse = file === latest ? .max : file.lastUse.load(ordering: .relaxed)
            if file.isOpen { open.append((file, entry.byteCount, lastUse)) }
        }
        open.sort { $0.lastUse > $1.lastUse }
        state = State()
        let goal = readerByteCapacity - readerByteCapacity / 8
        var room = goal
        var surplus: [TableFile] = []
        for table in open {
            if table.file === latest {
                room = max(goal - table.byteCount, goal / 2)
            } else if table.byteCount <= room {
                room -= table.byteCount
            } else {
                surplus.append(table.file)
                continue
            }
            state.byteCount += table.byteCount
            state.entries.append(Entry(file: table.file, byteCount: table.byteCount))
        }
        return surplus
    }

    var statistics: OpenTableStatistics {
        // Freed after the lock is released, as above.
        let entries = state.withLock { $0.entries.map { ($0.file, $0.byteCount) } }
        let open = entries.filter { $0.0?.isOpen ?? false }
        return OpenTableStatistics(
            count: open.count, byteCount: open.reduce(0) { $0 + $1.1 }, byteCapacity: readerByteCapacity)
    }

    /// Leaves the removal of files to a thread that calls `removeObsoleteFiles` when `request` asks for it. Whoever is the last
    /// to let go of a table may be a reader, or in the writer lane, and it can take milliseconds to remove a large file.
    /// What readers in sections have let go of is left to it as well.
    func deferRemovals(_ request: @escaping @Sendable () -> Void) {
        obsolete.withLock { $0.request = request }
        sections.deferRelease(request)
    }

    /// Removes the file of a table that nobody reads any more, or has it removed soon.
    func retireFile(of number: UInt64) {
        let request = obsolete.withLock { obsolete in
            if obsolete.request != nil { obsolete.numbers.append(number) }
            return obsolete.request
        }
        if let request { request() } else { removeFile(of: number) }
    }

    /// Removes what waits for it.
    func removeObsoleteFiles() {
        // The last that hold a table may be among them.
        sections.letGo()
        let numbers = obsolete.withLock { obsolete in
            defer { obsolete.numbers = [] }
            return obsolete.numbers
        }
        for number in numbers { removeFile(of: number) }
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
