// SQLiteSalvage.swift — one salvage of a SQLite database: from its pages to a new one.
//
// SQLite ends a walk at the first page that it does not understand. So the pages are read here, as its format describes them:
// 1. The pages of the log that are intact, up to its last commit, lie over those of the file.
// 2. The schema says where the trees begin; where it is lost, rows are known by what they look like.
// 3. Keyspaces, then the row of progress, then the entries: from the root, and what nothing refers to any more.
// 4. Everything is written, by SQLite, into a database that gets its name at the end.
// Pages of the database have no checksums: bytes of a value that have changed are not noticed.

internal import StorageTypes

struct SQLiteSalvage {
    private let pages: SQLitePages
    private let options: StorageOptions
    private let output: SQLiteSalvageOutput
    private var walk: SQLiteTreeWalk
    private var report = SalvageReport()
    /// Pages that are free; empty where that is unknown.
    private var free: Set<UInt32> = []
    private var keyspaces: [UInt32: SQLiteKeyspaceRecord] = [:]
    /// Whether all keyspaces are known, so that rows of others are of dropped ones.
    private var isCatalogCertain = true
    private var largestID: UInt32 = 0
    /// Keyspaces whose options are lost.
    private var unknown: Set<UInt32> = []

    /// - Throws: `.locked` if the source is open, `.unsupportedFormat`, `.ioFailure`, `.diskFull`; `.corruption` for an empty file.
    static func run(_ source: String, into target: String, options: StorageOptions) throws -> SalvageReport {
        let fileSystem = options.fileSystem
        let lock = try fileSystem.lock(source)
        defer { lock.release() }
        let pages = try SQLitePages(fileSystem.resolve(source), fileSystem)
        let output = try SQLiteSalvageOutput(target: target, options: options)
        do {
            var salvage = SQLiteSalvage(pages, output, options)
            return try salvage.run()
        } catch {
            output.abandon()
            throw error
        }
    }

    private init(_ pages: SQLitePages, _ output: SQLiteSalvageOutput, _ options: StorageOptions) {
        self.pages = pages
        self.output = output
        self.options = options
        walk = SQLiteTreeWalk(pages)
    }

    private mutating func run() throws -> SalvageReport {
        noteFiles()
        let roots = readSchema()
        readKeyspaces(roots["keyspaces"])
        let meta = readMeta(roots["meta"])
        try readEntries(roots["entries"])
        try output.finish(keyspaces.values, finalMeta(meta))
        report.keyspaceCount = keyspaces.count
        return report
    }

    // MARK: Files

    private mutating func noteFiles() {
        report.tableCount = 1
        if let message = pages.headerDamage {
            report.damage.append(
                SalvageReport.Damage(file: pages.path, offsets: 0..<100, message: message, lostEntryCount: 0))
        }
        if let log = pages.log {
            report.logRecordCount = log.commitCount
            report.damage += log.damage
        }
        if let found = pages.freePages() {
            free = found
        } else if pages.headerDamage == nil {
            report.damage.append(
                SalvageReport.Damage(
                    file: pages.path, offsets: 32..<40, message: "The list of free pages is damaged.",
                    lostEntryCount: 0))
        }
    }

    /// The trees' first pages, by the names of their tables.
    private mutating func readSchema() -> [String: UInt32] {
        var roots: [String: UInt32] = [:]
        walk.visitTable(1) { row in
            guard let values = SQLiteValue.decode(row.record), values.count == 5, let type = values[0].string,
                let name = values[1].string, let root = values[3].integer.flatMap({ UInt32(exactly: $0) })
            else { return false }
            if type == "table" { roots[name] = root }
            return true
        }
        noteCatalogDamage()
        // Else where SQLite puts them in a new database, and in one that it rewrites.
        if roots["entries"] == nil, !walk.isReferredTo(2) { roots["entries"] = 2 }
        return roots.merging(["keyspaces": 3, "meta": 5]) { known, _ in known }
    }

    /// Damage of what has no entries.
    private mutating func noteCatalogDamage() {
        for loss in walk.removeLosses() {
            report.damage.append(
                SalvageReport.Damage(
                    file: loss.file, offsets: loss.offsets, message: loss.message, lostEntryCount: 0))
        }
    }

    // MARK: Catalog

    private mutating func readKeyspaces(_ root: UInt32?) {
        var found: [SQLiteKeyspaceRecord] = []
        let take = { (row: SQLiteTreeWalk.TableRow) -> Bool in
            guard let record = SQLiteKeyspaceRecord(row.record, rowID: row.id) else { return false }
            found.append(record)
            return true
        }
        if let root { walk.visitTable(root, take) }
        isCatalogCertain = root != nil && walk.losses.isEmpty
        if !isCatalogCertain { walk.visitLostTablePages(free, take) }
        // Of two rows with one id or name the first was found in its place.
        var names: Set<String> = []
        for record in found where keyspaces[record.id] == nil && names.insert(record.name).inserted {
            keyspaces[record.id] = record
        }
        noteCatalogDamage()
        if !isCatalogCertain {
            readNames(&names)
            report.remarks.append(
                "Rows of the catalog are lost: keyspaces that have no entries may be missing, dropped ones be there.")
        }
    }

    /// The index of keyspaces by their names has what the rows no longer tell.
    private mutating func readNames(_ names: inout Set<String>) {
        var found: [SQLiteKeyspaceRecord] = []
        walk.visitLostIndexRecords(free) { record in
            guard let values = SQLiteValue.decode(record), values.count == 2, let name = values[0].string,
                let id = values[1].integer.flatMap({ UInt32(exactly: $0) }), id > 0, id < .max - 1
            else { return }
            found.append(SQLiteKeyspaceRecord(id: id, name: name))
        }
        for record in found where keyspaces[record.id] == nil && names.insert(record.name).inserted {
            keyspaces[record.id] = record
            unknown.insert(record.id)
            report.remarks.append("Of keyspace \"\(record.name)\" only the name is left: its options are lost.")
        }
    }

    private mutating func readMeta(_ root: UInt32?) -> SQLiteMetaRecord? {
        var found: [SQLiteMetaRecord] = []
        let take = { (row: SQLiteTreeWalk.TableRow) -> Bool in
            guard let record = SQLiteMetaRecord(row.record) else { return false }
            found.append(record)
            return true
        }
        if let root { walk.visitTable(root, take) }
        if found.isEmpty { walk.visitLostTablePages(free, take) }
        noteCatalogDamage()
        return found.max { $0.sequence < $1.sequence }
    }

    /// What the new database says of its commits.
    private mutating func finalMeta(_ found: SQLiteMetaRecord?) -> SQLiteMetaRecord {
        let now = options.clock.now.microseconds
        if found == nil {
            report.remarks.append("The number and time of the last commit are lost: numbers begin anew.")
        }
        // What had expired until now may have been removed before.
        var meta = found ?? SQLiteMetaRecord(sequence: 1, commitTime: now, nextKeyspace: 1, purgedThrough: now)
        let nextID = Int64(max(largestID, keyspaces.keys.max() ?? 0)) + 1
        meta.nextKeyspace = max(meta.nextKeyspace, nextID)
        return meta
    }

    // MARK: Entries

    private mutating func readEntries(_ root: UInt32?) throws {
        var entries = Entries(keyspaces, unknown: unknown, isCatalogCertain: isCatalogCertain, output)
        if let root { try walk.visitEntries(root) { try entries.add($0) } }
        var losses = walk.removeLosses()
        if root == nil {
            let (file, offsets) = pages.place(of: 1)
            losses.append(
                SQLiteTreeWalk.Loss(
                    file: file, offsets: offsets, message: "Where the entries begin is lost.", hidesPages: true))
        }
        let hiding = losses.filter(\.hidesPages)
        if !hiding.isEmpty {
            let count = entries.count
            try walk.visitLostEntries(hiding, free) { try entries.add($0) }
            if entries.count > count {
                report.remarks.append(
                    "\(entries.count - count) entries are from pages that nothing refers to any more: deleted ones may be "
                        + "among them.")
            }
        }
        keyspaces = entries.keyspaces
        largestID = entries.largestID
        report.entryCount = entries.count
        report.remarks += entries.remarks
        for loss in losses { note(loss) }
    }

    private mutating func note(_ loss: SQLiteTreeWalk.Loss) {
        let first = loss.lower.map { Keyspace.id(ofTreeKey: $0) } ?? 0
        let last = loss.upper.map { Keyspace.id(ofTreeKey: $0) } ?? .max
        let met = keyspaces.values.filter { first <= $0.id && $0.id <= last }.sorted { $0.id < $1.id }
        var damage = SalvageReport.Damage(
            file: loss.file, offsets: loss.offsets, message: loss.message, keyspaces: met.map(\.name))
        if met.count == 1, let lower = loss.lower, let upper = loss.upper, first == last {
            damage.range = KeyRange(
                lower: Array(lower.dropFirst(Keyspace.prefixByteCount)),
                upper: Array(upper.dropFirst(Keyspace.prefixByteCount)))
        }
        report.damage.append(damage)
    }
}

/// The entries on their way into the new database.
private struct Entries {
    private(set) var keyspaces: [UInt32: SQLiteKeyspaceRecord]
    private(set) var count = 0
    private(set) var largestID: UInt32 = 0
    private(set) var remarks: [String] = []
    private let isCatalogCertain: Bool
    private let output: SQLiteSalvageOutput
    /// Keyspaces whose options are lost.
    private var unknown: Set<UInt32>

    init(
        _ keyspaces: [UInt32: SQLiteKeyspaceRecord], unknown: Set<UInt32>, isCatalogCertain: Bool,
        _ output: SQLiteSalvageOutput
    ) {
        self.keyspaces = keyspaces
        self.unknown = unknown
        self.isCatalogCertain = isCatalogCertain
        self.output = output
    }

    mutating func add(_ entry: SQLiteEntryRecord) throws {
        let id = Keyspace.id(ofTreeKey: entry.key)
        guard id > 0, id < .max - 1 else { return }
        largestID = max(largestID, id)
        if keyspaces[id] == nil {
            // A keyspace that was dropped, and whose rows had still to go.
            if isCatalogCertain { return }
            let record = SQLiteKeyspaceRecord(id: id, name: "lost+found/\(id)")
            keyspaces[id] = record
            unknown.insert(id)
            remarks.append("The name and options of keyspace \(id) are lost: it is called \"\(record.name)\".")
        }
        // The next opening would empty it.
        if keyspaces[id]?.isVolatile ?? false { return }
        if unsafe entry.expiry != UnsafeEntry.noExpiry, unknown.contains(id) { keyspaces[id]?.expiry = .engine }
        if try output.add(entry) { count += 1 }
    }
}
