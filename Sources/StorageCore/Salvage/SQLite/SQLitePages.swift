// SQLitePages.swift — the pages of a damaged database: those of its log before those of the file.

internal import StorageTypes

/// Why a page, or a part of one, can't be used.
struct SQLitePageDamage: Error {
    var message: String
}

struct SQLitePages {
    let path: String
    let log: SalvagedSQLiteLog?
    private let file: any StorageFile
    let fileByteCount: Int64
    let pageByteCount: Int
    /// What of a page its content may use.
    let usableByteCount: Int
    /// How many pages the database should have.
    let pageCount: UInt32
    /// What is wrong with the header; nil if nothing is.
    private(set) var headerDamage: String?

    static func isPageByteCount(_ count: Int) -> Bool { count >= 512 && count <= 65536 && count.nonzeroBitCount == 1 }

    /// - Throws: `.unsupportedFormat` for a database that is no storage, or one of a newer version; `.corruption` if there
    ///   is nothing at all.
    init(_ path: String, _ fileSystem: any FileSystem) throws {
        self.path = path
        let file = try fileSystem.open(path, .read)
        let byteCount = try file.byteCount()
        let stored = Header(try? file.read(at: 0, byteCount: Int(min(byteCount, Int64(Header.byteCount)))))
        let log = try SalvagedSQLiteLog(
            path: path + "-wal", fileSystem, expectedPageByteCount: stored?.pageByteCount)
        let header = try Header(log?.page(1)) ?? stored
        (self.file, self.log, fileByteCount) = (file, log, byteCount)
        try header?.check(path)
        pageByteCount = log?.pageByteCount ?? header?.pageByteCount ?? SQLiteSchema.pageByteCount
        usableByteCount = pageByteCount - (header?.reservedByteCount ?? 0)
        let present = UInt32(clamping: (byteCount + Int64(pageByteCount) - 1) / Int64(pageByteCount))
        pageCount = max(log?.pageCount ?? header?.pageCount ?? present, log?.offsets.keys.max() ?? 0)
        if header == nil { headerDamage = "The header of the database is damaged." }
        guard pageCount > 0 else { throw StorageError.corruption("The database is empty.", file: path) }
    }

    /// The first hundred bytes.
    private struct Header {
        static let byteCount = 100

        var pageByteCount: Int
        var reservedByteCount: Int
        /// Nil where an old version of SQLite has not kept it.
        var pageCount: UInt32?
        var applicationID: Int64
        var version: Int64

        init?(_ bytes: [UInt8]?) {
            guard let bytes, bytes.count >= Self.byteCount, bytes.starts(with: "SQLite format 3\0".utf8),
                let size = bytes.bigEndian(at: 16, byteCount: 2), let version = bytes.pageNumber(at: 60),
                let application = bytes.pageNumber(at: 68), let count = bytes.pageNumber(at: 28),
                bytes[20] <= 32, bytes[21...23].elementsEqual([64, 32, 32])
            else { return nil }
            pageByteCount = size == 1 ? 65536 : Int(size)
            guard SQLitePages.isPageByteCount(pageByteCount) else { return nil }
            reservedByteCount = Int(bytes[20])
            pageCount = count > 0 && bytes[24..<28] == bytes[92..<96] ? count : nil
            applicationID = Int64(application)
            self.version = Int64(version)
        }

        func check(_ path: String) throws {
            guard applicationID == SQLiteSchema.applicationID else {
                throw StorageError(.unsupportedFormat, "The file is a SQLite database, but not a storage.", file: path)
            }
            guard version == SQLiteSchema.version else {
                throw StorageError(
                    .unsupportedFormat,
                    "The storage has format \(version), this version salvages format "
                        + "\(SQLiteSchema.version): salvage it with a newer one.", file: path)
            }
        }
    }

    // MARK: Pages

    /// The bytes of a page.
    /// - Throws: `SQLitePageDamage` if they are not all there, or can't be read.
    func page(_ number: UInt32) throws -> [UInt8] {
        do {
            if let page = try log?.page(number) { return page }
            let offset = Int64(number - 1) * Int64(pageByteCount)
            guard number > 0, offset + Int64(pageByteCount) <= fileByteCount else {
                throw SQLitePageDamage(message: "The page lies behind the end of the file.")
            }
            let bytes = try file.read(at: offset, byteCount: pageByteCount)
            guard bytes.count == pageByteCount else {
                throw SQLitePageDamage(message: "The page could not be read to its end.")
            }
            return bytes
        } catch let error as StorageError {
            throw SQLitePageDamage(message: "The page can't be read: \(error.message)")
        }
    }

    /// The pages that are there.
    var presentPages: [UInt32] {
        let count = UInt32(clamping: fileByteCount / Int64(pageByteCount))
        let logged = log.map { $0.offsets.keys.filter { $0 > count }.sorted() } ?? []
        return Array(0..<count).map { $0 + 1 } + logged
    }

    /// Where a page lies: in the log or the database.
    func place(of number: UInt32) -> (file: String, offsets: Range<Int64>) {
        let count = Int64(pageByteCount)
        if let log, let offset = log.offsets[number] { return (log.path, offset..<offset + count) }
        let offset = Int64(max(number, 1) - 1) * count
        // All that is missing at the end is one piece.
        if offset + count > fileByteCount {
            return (path, fileByteCount..<max(Int64(pageCount) * count, fileByteCount + 1))
        }
        return (path, offset..<offset + count)
    }

    /// The pages that the list of free pages names; nil if it is damaged.
    func freePages() -> Set<UInt32>? {
        guard let first = try? page(1), var trunk = first.pageNumber(at: 32), let count = first.pageNumber(at: 36)
        else {
            return nil
        }
        var free: Set<UInt32> = []
        while trunk != 0 {
            guard trunk <= pageCount, free.insert(trunk).inserted, let bytes = try? page(trunk),
                let next = bytes.pageNumber(at: 0), let leafCount = bytes.pageNumber(at: 4),
                leafCount <= usableByteCount / 4 - 2
            else { return nil }
            for index in 0..<Int(leafCount) {
                guard let leaf = bytes.pageNumber(at: 8 + 4 * index), leaf > 1, leaf <= pageCount,
                    free.insert(leaf).inserted
                else { return nil }
            }
            trunk = next
        }
        return free.count == Int(count) ? free : nil
    }
}
