// SQLiteSalvageTests.swift — what is rescued from damaged SQLite files: everything that is left, and an account of the rest.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("SQLite: salvage")
struct SQLiteSalvageTests {
    private struct Appending: MergeOperator {
        var name: String { "appending" }
        func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) throws {
            result += older.array() + newer.array()
        }
    }

    private typealias Content = [String: [[UInt8]: [UInt8]]]

    /// A file as a storage left it, closed or killed, and what was in it.
    private struct Image {
        var disk: SimulatedFileSystem
        var content: Content
        var sequence: SequenceNumber

        var pageCount: Int { get throws { try disk.readFile("/data/shop.db").count / 4096 } }

        /// A copy with one page changed.
        func damaging(page: Int, _ change: (inout [UInt8]) -> Void) throws -> SimulatedFileSystem {
            try damaging("/data/shop.db", (page - 1) * 4096..<page * 4096, change)
        }

        func damaging(_ path: String, _ range: Range<Int>, _ change: (inout [UInt8]) -> Void) throws
            -> SimulatedFileSystem
        {
            let copy = disk.crash(.everything)
            var bytes = try copy.readFile(path)
            var part = Array(bytes[range])
            change(&part)
            bytes.replaceSubrange(range, with: part)
            try copy.writeFile(path, bytes)
            return copy
        }
    }

    private static func image(closed: Bool = true, entryCount: Int = 300) throws -> Image {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        // A killed storage has most of its pages in the log, and the older ones in the file.
        options.logSegmentByteCount = closed ? 1 << 20 : 200 << 10
        let storage = try Storage.open(.sqlite("/data/shop.db"), options: options)
        let plain = try storage.keyspace("plain")
        let large = try storage.keyspace("large", options: KeyspaceOptions(isDedicated: true))
        let timed = try storage.keyspace("timed", options: KeyspaceOptions(expiry: .engine, isArchived: false))
        let lists = try storage.keyspace("lists", options: KeyspaceOptions(mergeOperator: Appending()))
        let volatile = try storage.keyspace("volatile", options: KeyspaceOptions(isVolatile: true))
        let dropped = try storage.keyspace("dropped")
        var random = SeededRandom(seed: 7)
        for number in 0..<entryCount {
            let key = bytes("key \(number * 7919 % entryCount)")
            try storage.write { transaction in
                try transaction.put(plain, key.rawSpan, random.bytes(150).rawSpan)
                if number % 40 == 0 { try transaction.put(large, key.rawSpan, random.bytes(9000).rawSpan) }
                if number % 5 == 0 { try transaction.put(timed, key.rawSpan, key.rawSpan, expiry: .distantFuture) }
                if number % 6 == 0 { try transaction.merge(lists, bytes("list").rawSpan, bytes("\(number),").rawSpan) }
                if number % 20 == 0 { try transaction.put(dropped, key.rawSpan, random.bytes(60).rawSpan) }
                if number % 90 == 0 { try transaction.put(volatile, key.rawSpan, key.rawSpan) }
            }
        }
        try storage.write { try $0.deleteRange(plain, KeyRange(lower: bytes("key 3"), upper: bytes("key 4"))) }
        try storage.dropKeyspace("dropped")
        var content: Content = ["volatile": [:]]
        for keyspace in [plain, large, timed, lists] {
            content[keyspace.name] = try crashContent(storage.snapshot().view, keyspace)
        }
        let sequence = storage.visibleSequence
        if closed { try storage.close() } else { try storage.sync() }
        return Image(disk: disk.crash(.everything), content: content, sequence: sequence)
    }

    private struct Rescued {
        var report: SalvageReport
        var content: Content
        var sequence: SequenceNumber
    }

    private static func salvage(_ disk: SimulatedFileSystem) throws -> Rescued {
        let report = try Storage.salvage("/data/shop.db", into: "/rescued.db", options: smallOptions(disk))
        let storage = try Storage.open(.sqlite("/rescued.db"), options: smallOptions(disk))
        #expect(try storage.verify().problems == [])
        var content: Content = [:]
        for name in storage.keyspaceNames {
            let keyspace = try #require(storage.existingKeyspace(name))
            let isMerging = keyspace.life.mergeOperator == "appending"
            let options = KeyspaceOptions(mergeOperator: Appending())
            content[name] = try crashContent(
                storage.snapshot().view, isMerging ? storage.keyspace(name, options: options) : keyspace)
        }
        let sequence = storage.visibleSequence
        try storage.close()
        return Rescued(report: report, content: content, sequence: sequence)
    }

    /// Every entry that is missing lies where the report says that some are, and nothing else is there.
    private static func check(
        _ rescued: Rescued, _ image: Image, allowsOtherValues: Bool = false, _ comment: Comment
    ) -> Int {
        var missingCount = 0
        for (name, entries) in image.content {
            let found = rescued.content[name] ?? [:]
            for (key, value) in entries where found[key] != value {
                if allowsOtherValues, found[key] != nil { continue }
                missingCount += 1
                let isTold = rescued.report.damage.contains { damage in
                    damage.lostEntryCount == nil && (damage.keyspaces.isEmpty || damage.keyspaces.contains(name))
                        && (damage.range?.contains(key.rawSpan) ?? true)
                }
                #expect(isTold, "\(comment): \(name) \(String(decoding: key, as: UTF8.self)) of \(rescued.report)")
            }
            // Of pages that nothing refers to some may have been free; the report says so.
            let addedCount =
                rescued.report.remarks.contains { $0.contains("deleted ones") }
                ? 0 : found.keys.count { entries[$0] == nil }
            #expect(addedCount == 0, "\(comment): \(name)")
        }
        if missingCount > 0 { #expect(!rescued.report.isComplete, comment) }
        return missingCount
    }

    // MARK: Nothing damaged

    @Test("a file that is not damaged is salvaged as it was, and stays as it was", arguments: [true, false])
    func sound(closed: Bool) throws {
        let image = try Self.image(closed: closed)
        let before = try image.disk.list("/data").map { try image.disk.readFile("/data/\($0)") }
        let rescued = try Self.salvage(image.disk)
        #expect((rescued.content == image.content) as Bool)
        #expect(rescued.sequence == image.sequence)
        #expect(rescued.report.damage.isEmpty, "\(rescued.report)")
        #expect(rescued.report.remarks.isEmpty)
        #expect(rescued.report.keyspaceCount == 5)
        #expect(rescued.report.entryCount == image.content.values.reduce(0) { $0 + $1.count })
        #expect((rescued.report.logRecordCount > 0) == !closed)
        #expect(try image.disk.list("/data").map { try image.disk.readFile("/data/\($0)") } == before)
        #expect(try image.disk.list("/").sorted() == ["data", "rescued.db"])
    }

    @Test("keyspaces keep their numbers and options, and dropped ones stay dropped")
    func catalog() throws {
        let disk = try Self.image().disk
        _ = try Storage.salvage("/data/shop.db", into: "/rescued.db", options: smallOptions(disk))
        let (old, new) = try (
            Storage.open(.sqlite("/data/shop.db"), options: smallOptions(disk)),
            Storage.open(.sqlite("/rescued.db"), options: smallOptions(disk))
        )
        #expect(old.keyspaceNames == new.keyspaceNames)
        for name in old.keyspaceNames {
            let (old, new) = try (
                #require(old.existingKeyspace(name)), #require(new.existingKeyspace(name))
            )
            #expect(old.id == new.id && old.life.mergeOperator == new.life.mergeOperator)
            #expect(old.options.expiry == new.options.expiry && old.isVolatile == new.isVolatile)
            #expect(old.options.isArchived == new.options.isArchived)
            #expect(old.options.isDedicated == new.options.isDedicated)
        }
        #expect(try new.keyspace("new").id == old.keyspace("new").id)
    }

    // MARK: Damaged pages

    @Test(
        "of a page that is overwritten the rest is rescued, and the report says where it lay", arguments: [true, false])
    func everyPage(closed: Bool) throws {
        let image = try Self.image(closed: closed)
        var random = SeededRandom(seed: 3)
        var losses: [Int] = []
        let catalog = try Self.catalogPages(image)
        for page in try stride(from: 1, through: image.pageCount, by: closed ? 1 : 4) where !catalog.contains(page) {
            let disk = try image.damaging(page: page) { $0 = random.bytes($0.count) }
            losses.append(Self.check(try Self.salvage(disk), image, "page \(page)"))
        }
        // A page has some thirty entries; that of an interior page are fewer, and what lies below is found.
        #expect(losses.allSatisfy { $0 <= 140 }, "\(losses)")
        #expect(losses.count { $0 > 0 } > losses.count / 4, "\(losses)")
    }

    @Test("pages that read as zeros lose what was on them")
    func zeroPages() throws {
        let image = try Self.image()
        let catalog = try Self.catalogPages(image)
        for page in try stride(from: 1, through: image.pageCount, by: 3) where !catalog.contains(page) {
            let disk = try image.damaging(page: page) { $0 = [UInt8](repeating: 0, count: $0.count) }
            // The last page of a long value can't be told from one of zeros.
            let lost = Self.check(try Self.salvage(disk), image, allowsOtherValues: true, "page \(page)")
            #expect(lost <= 140)
        }
    }

    @Test("of a file that ends too early the rest is rescued")
    func truncated() throws {
        let image = try Self.image()
        let byteCount = try image.pageCount * 4096
        var lastCount = Int.max
        for cut in stride(from: 0, through: byteCount, by: 5 * 4096 + 1234) where cut < byteCount {
            let disk = image.disk.crash(.everything)
            try disk.writeFile("/data/shop.db", Array(disk.readFile("/data/shop.db")[..<cut]))
            if cut == 0 {
                #expect(errorCode { try Self.salvage(disk) } == .corruption)
                continue
            }
            let rescued = try Self.salvage(disk)
            let lost = Self.check(rescued, image, "\(cut) of \(byteCount) bytes")
            #expect(!rescued.report.damage.isEmpty)
            lastCount = lost
        }
        #expect(lastCount < 100)
    }

    @Test("whatever bits are changed, what comes out is a sound storage", arguments: [true, false])
    func anyBits(closed: Bool) throws {
        let image = try Self.image(closed: closed)
        let seed: UInt64 = 11
        var random = SeededRandom(seed: seed)
        for round in 0..<60 {
            let name = !closed && round % 2 == 0 ? "/data/shop.db-wal" : "/data/shop.db"
            let count = try image.disk.readFile(name).count
            let start = Int.random(in: 0..<count, using: &random) & ~7
            let disk = try image.damaging(name, start..<min(count, start + 8)) { part in
                for index in part.indices { part[index] ^= UInt8.random(in: 0...3, using: &random) & 2 }
            }
            let rescued = try Self.salvage(disk)
            let lost = image.content.reduce(0) { count, keyspace in
                count + keyspace.value.count { rescued.content[keyspace.key]?[$0.key] == nil }
            }
            #expect(lost < 60, "seed \(seed), round \(round): \(rescued.report)")
        }
    }

    // MARK: The catalog

    @Test("without the schema, rows are known by what they look like")
    func withoutSchema() throws {
        let image = try Self.image()
        let disk = try image.damaging(page: 1) { $0 = [UInt8](repeating: 0x5A, count: $0.count) }
        let rescued = try Self.salvage(disk)
        // What is free can't be told any more, but nothing of it was needed.
        #expect((rescued.content == image.content) as Bool)
        #expect(rescued.sequence == image.sequence)
        #expect(rescued.report.damage.contains { $0.message.contains("header") })
        #expect(rescued.report.isComplete)
    }

    @Test("names of keyspaces are found in their index, and without it they are called by their numbers")
    func withoutKeyspaces() throws {
        let image = try Self.image()
        let roots = try Self.roots(image.disk)
        let rows = try #require(roots["keyspaces"])
        let names = try #require(roots["sqlite_autoindex_keyspaces_1"])
        let disk = try image.damaging(page: rows) { $0 = [UInt8](repeating: 0xFF, count: $0.count) }
        let both = Image(disk: disk.crash(.everything), content: image.content, sequence: image.sequence)
        let named = try Self.salvage(disk)
        #expect((named.content["plain"] == image.content["plain"]) as Bool)
        #expect((named.content["large"] == image.content["large"]) as Bool)
        #expect(named.report.remarks.contains { $0.contains("\"plain\"") })

        let nameless = try Self.salvage(both.damaging(page: names) { $0 = [UInt8](repeating: 0xFF, count: $0.count) })
        #expect((nameless.content["lost+found/1"] == image.content["plain"]) as Bool)
        #expect((nameless.content["lost+found/3"] == image.content["timed"]) as Bool)
        #expect(nameless.report.remarks.contains { $0.contains("keyspace 1 are lost") })
    }

    /// The pages whose loss costs what tests of their own look at.
    private static func catalogPages(_ image: Image) throws -> Set<Int> {
        var roots = try roots(image.disk.crash(.everything))
        roots["entries"] = nil
        return Set(roots.values)
    }

    /// The first page of each tree.
    private static func roots(_ disk: SimulatedFileSystem) throws -> [String: Int] {
        let files = SQLiteFiles(disk, path: "/data/shop.db", isReadOnly: true)
        let connection = try SQLiteConnection(path: "/data/shop.db", files: files)
        defer { connection.close() }
        let statement = try connection.prepare("SELECT name, rootpage FROM sqlite_schema")
        var roots: [String: Int] = [:]
        while try statement.step() { roots[statement.text(0)] = Int(statement.integer(1)) }
        return roots
    }

    @Test("without the row of progress, numbers begin anew")
    func withoutProgress() throws {
        let image = try Self.image()
        let page = try #require(Self.roots(image.disk)["meta"])
        let rescued = try Self.salvage(image.damaging(page: page) { $0 = [UInt8](repeating: 1, count: $0.count) })
        #expect((rescued.content == image.content) as Bool)
        #expect(rescued.sequence.rawValue == 1)
        #expect(rescued.report.remarks.contains { $0.contains("begin anew") })
    }

    // MARK: The log

    @Test("of a log with a damaged page, what was committed behind it is rescued")
    func damagedLog() throws {
        let image = try Self.image(closed: false)
        let log = "/data/shop.db-wal"
        let frameCount = try Self.frameCount(image.disk)
        #expect(frameCount > 10)
        for frame in stride(from: 0, to: frameCount, by: max(frameCount / 8, 1)) {
            let start = 32 + frame * 4120
            let disk = try image.damaging(log, start + 1000..<start + 1001) { $0[0] ^= 0x10 }
            let rescued = try Self.salvage(disk)
            // Pages that a later frame has again lose nothing.
            #expect(rescued.sequence == image.sequence || frame >= frameCount - 4, "frame \(frame)")
            let lost = image.content["plain"].map { plain in
                plain.count { rescued.content["plain"]?[$0.key] == nil }
            }
            #expect(lost ?? 0 < 60, "frame \(frame): \(rescued.report)")
            guard frame < frameCount - 4 else { continue }
            #expect(
                rescued.report.damage.contains {
                    $0.file == log && $0.offsets == Int64(start)..<Int64(start + 4120) && $0.lostEntryCount == nil
                }, "frame \(frame): \(rescued.report)")
        }
        let headless = try Self.salvage(image.damaging(log, 0..<24) { $0 = [UInt8](repeating: 9, count: 24) })
        #expect((headless.content == image.content) as Bool)
        #expect(headless.report.damage.map(\.offsets) == [0..<32] && headless.report.isComplete)
    }

    /// The frames since the log was last started from its beginning.
    private static func frameCount(_ disk: SimulatedFileSystem) throws -> Int {
        let log = try disk.readFile("/data/shop.db-wal")
        return stride(from: 32, to: log.count, by: 4120).prefix { log[$0 + 8..<$0 + 16] == log[16..<24] }.count
    }

    @Test("a log that ends torn is the ordinary end of a crash")
    func tornLog() throws {
        let image = try Self.image(closed: false)
        let disk = image.disk.crash(.everything)
        let frameCount = try Self.frameCount(disk)
        for lostCount in [1, 2, 3, 5, 12, 13, frameCount] {
            let disk = disk.crash(.everything)
            let cut = 32 + 4120 * (frameCount - lostCount) + 4000
            try disk.writeFile("/data/shop.db-wal", Array(disk.readFile("/data/shop.db-wal")[..<cut]))
            let rescued = try Self.salvage(disk)
            #expect(rescued.report.damage.isEmpty, "\(rescued.report)")
            let reopened = try Storage.open(.sqlite("/data/shop.db"), options: smallOptions(disk))
            #expect(reopened.visibleSequence == rescued.sequence)
            let plain = try crashContent(reopened.snapshot().view, reopened.keyspace("plain"))
            #expect((rescued.content["plain"] == plain) as Bool, "\(lostCount) frames cut off")
        }
    }

    // MARK: Refusals

    @Test("a file that can't be salvaged is refused by what is wrong with it")
    func refusals() throws {
        let disk = SimulatedFileSystem()
        let salvage = { (source: String, target: String) in
            errorCode { try Storage.salvage(source, into: target, options: smallOptions(disk)) }
        }
        #expect(salvage("/none.db", "/rescued.db") == .notFound)
        let storage = try Storage.open(.sqlite("/data/shop.db"), options: smallOptions(disk))
        _ = try storage.keyspace("k")
        #expect(salvage("/data/shop.db", "/rescued.db") == .locked)
        try storage.close()
        #expect(salvage("/data/shop.db", "/data/shop.db") == .alreadyExists)
        var foreign = try disk.readFile("/data/shop.db")
        foreign[68] ^= 1
        try disk.writeFile("/foreign.db", foreign)
        #expect(salvage("/foreign.db", "/rescued.db") == .unsupportedFormat)
        var newer = try disk.readFile("/data/shop.db")
        newer[63] = 9
        try disk.writeFile("/newer.db", newer)
        #expect(salvage("/newer.db", "/rescued.db") == .unsupportedFormat)
        #expect(try disk.list("/") == ["data", "foreign.db", "newer.db"])
        #expect(salvage("/data/shop.db", "/new/place/rescued.db") == nil)
    }

    @Test("a salvage for which there is no room leaves nothing behind")
    func fullDisk() throws {
        let disk = try Self.image().disk
        for room in [0, 5000, 60_000] as [Int64] {
            disk.capacity = disk.usedByteCount + room
            #expect(
                errorCode { try Storage.salvage("/data/shop.db", into: "/rescued.db", options: smallOptions(disk)) }
                    == .diskFull)
            #expect(try disk.list("/") == ["data"])
        }
    }

    @Test("pages that the device can't read are lost like damaged ones")
    func unreadable() throws {
        let image = try Self.image()
        var messages: Set<String> = []
        for number in stride(from: 1, through: 41, by: 4) {
            let disk = image.disk.crash(.everything)
            disk.failReads(number: number, pathSuffix: "shop.db")
            let rescued = try Self.salvage(disk)
            _ = Self.check(rescued, image, "read \(number)")
            #expect(!rescued.report.damage.isEmpty, "read \(number): \(rescued.report)")
            messages.formUnion(rescued.report.damage.map(\.message))
        }
        #expect(messages.contains { $0.contains("can't be read") }, "\(messages)")
    }
}
