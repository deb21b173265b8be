// TableOutput.swift — writes rewritten entries into tables, cut at a size and between keys.
//
// Invariant: the outputs share no key. A range delete is cut where the outputs are.

@safe final class TableOutput {
    struct Options {
        var splitter: OutputSplitter
        var table: TableOptions
        /// Of all outputs; what tells them apart is filled in here. A group and position that it has already are those of
        /// an output that this one continues.
        var origin: TableOrigin?
        /// Bounds the commit times of the entries.
        var commitTimes = CommitTimes.unknown
        /// Called with the number of bytes before each write.
        var willWrite: (@Sendable (Int) -> Void)?
    }

    private let cache: TableCache
    private let options: Options
    // These two are asked for each entry, by the one thread that writes.
    @exclusivity(unchecked) private var splitter: OutputSplitter
    @exclusivity(unchecked) private var builder: TableBuilder?
    private let newNumber: () -> UInt64
    /// Those that begin where no output has got to yet, in key order.
    private var upcoming: ArraySlice<RangeTombstone>
    /// What is left of those that reach beyond the outputs that are finished.
    private var begun: [RangeTombstone] = []
    private var file: (any StorageFile)?
    private var number: UInt64 = 0
    private(set) var tables: [TableMetadata] = []

    /// - Parameter tombstones: Everything that the outputs together have to keep, in key order.
    init(
        cache: TableCache, options: Options, tombstones: [RangeTombstone], newNumber: @escaping () -> UInt64
    ) {
        self.cache = cache
        self.options = options
        unsafe splitter = options.splitter
        upcoming = tombstones[...]
        self.newNumber = newNumber
    }

    func add(_ entry: UnsafeEntry) throws {
        if let builder = unsafe builder, unsafe builder.isNew(entry.key),
            unsafe splitter.endsTable(before: entry.key, byteCount: builder.estimatedByteCount)
        {
            try unsafe finishTable(before: Array(entry.key))
        }
        let builder = try currentBuilder()
        unsafe try builder.add(
            key: entry.key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry, value: entry.value)
    }

    /// Writes what is left and makes the names durable.
    func finish() throws -> [TableMetadata] {
        if unsafe builder != nil || !upcoming.isEmpty || !begun.isEmpty { try finishTable(before: nil) }
        if !tables.isEmpty { try cache.fileSystem.syncDirectory(cache.directory) }
        return tables
    }

    /// Removes what was written; the compaction failed.
    func abandon() {
        try? file?.close()
        for number in tables.map(\.number) + (file == nil ? [] : [number]) { cache.removeFile(of: number) }
    }

    private func currentBuilder() throws -> TableBuilder {
        if let builder = unsafe builder { return builder }
        number = newNumber()
        let path = cache.path(of: number)
        var opened = try cache.fileSystem.open(path, .createOrTruncate)
        if let willWrite = options.willWrite { opened = PacedFile(opened, willWrite: willWrite) }
        var random = SeededRandom(seed: cache.salt ^ number)
        let created = TableBuilder(
            file: opened, path: path, fileNumber: number, salt: random.next(), options: options.table)
        file = opened
        unsafe builder = created
        return created
    }

    /// - Parameter boundary: The first key of the next table; nil if there is none.
    private func finishTable(before boundary: [UInt8]?) throws {
        let builder = try currentBuilder()
        for tombstone in takeTombstones(before: boundary) {
            builder.addRangeTombstone(lower: tombstone.lower, upper: tombstone.upper, sequence: tombstone.sequence)
        }
        var origin = options.origin
        if origin?.group == 0 { origin?.group = tables.first?.number ?? number }
        origin?.position += tables.count
        if boundary != nil { origin?.isLast = false }
        let properties = try builder.finish(origin: origin, commitTimes: options.commitTimes)
        tables.append(TableMetadata(number: number, properties: properties))
        try file?.close()
        unsafe self.builder = nil
        file = nil
    }

    /// What is deleted before a boundary; everything if there is none.
    private func takeTombstones(before boundary: [UInt8]?) -> [RangeTombstone] {
        guard let boundary else {
            defer { (begun, upcoming) = ([], []) }
            return begun + upcoming
        }
        let reached = upcoming.prefix { compareBytes($0.lower, boundary) < 0 }
        upcoming = upcoming.dropFirst(reached.count)
        let taken = begun + reached
        begun = []
        return taken.map { tombstone in
            guard compareBytes(tombstone.upper, boundary) > 0 else { return tombstone }
            begun.append(RangeTombstone(lower: boundary, upper: tombstone.upper, sequence: tombstone.sequence))
            return RangeTombstone(lower: tombstone.lower, upper: boundary, sequence: tombstone.sequence)
        }
    }
}
