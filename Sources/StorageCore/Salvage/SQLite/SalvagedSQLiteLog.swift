// SalvagedSQLiteLog.swift — the pages in the log of a SQLite database, as far as its checksums hold.
//
//   header  magic 0x377F0682 or …83 (the byte order of the checksums), version, page size, checkpoint number,
//           two salts, two checksums
//   frame   page number, pages of the database after the commit (0 where none ends here), the two salts,
//           two checksums; then the page
//
// Checksums go on from frame to frame. SQLite itself stops at the first that does not fit; here the one behind it goes on
// from what the damaged frame says its checksums are, so that damage costs a frame or two, not all that came later.

struct SalvagedSQLiteLog {
    static let headerByteCount = 32
    static let frameHeaderByteCount = 24

    private struct Frame {
        var page: UInt32
        var pageCount: UInt32
        var isIntact: Bool
    }

    let path: String
    let pageByteCount: Int
    private let file: any StorageFile
    /// Where the newest committed version of a page begins.
    private(set) var offsets: [UInt32: Int64] = [:]
    /// The pages of the database as of the last commit; nil if there is none here.
    private(set) var pageCount: UInt32?
    private(set) var commitCount = 0
    private(set) var damage: [SalvageReport.Damage] = []

    /// Nil if there is nothing in the log.
    init?(path: String, _ fileSystem: any FileSystem, expectedPageByteCount: Int?) throws {
        guard try fileSystem.exists(path) else { return nil }
        let file = try fileSystem.open(path, .read)
        let byteCount = try file.byteCount()
        guard byteCount > Int64(Self.headerByteCount + Self.frameHeaderByteCount) else { return nil }
        let header = try file.read(at: 0, byteCount: Self.headerByteCount)
        let checked = Header(header)
        self.path = path
        self.file = file
        pageByteCount = checked?.pageByteCount ?? expectedPageByteCount ?? SQLiteSchema.pageByteCount
        if checked == nil {
            damage.append(Self.damage(path, 0..<Int64(Self.headerByteCount), "The header of the log is damaged."))
            damage[0].lostEntryCount = 0
        }
        // Of a damaged header the sums may be left; the first frame tells.
        readFrames(checked, from: checked?.checksums ?? SQLiteLogChecksums(header, at: 24), byteCount)
    }

    private static func damage(_ path: String, _ offsets: Range<Int64>, _ message: String) -> SalvageReport.Damage {
        SalvageReport.Damage(file: path, offsets: offsets, message: message)
    }

    // MARK: Header

    private struct Header {
        var isBigEndian: Bool
        var pageByteCount: Int
        var salts: ArraySlice<UInt8>
        var checksums: SQLiteLogChecksums

        init?(_ bytes: [UInt8]) {
            guard let magic = bytes.pageNumber(at: 0), magic & ~1 == 0x377F_0682,
                let size = bytes.pageNumber(at: 8), SQLitePages.isPageByteCount(Int(size))
            else { return nil }
            isBigEndian = magic & 1 == 1
            pageByteCount = Int(size)
            salts = bytes[16..<24]
            var sums = SQLiteLogChecksums()
            sums.add(bytes[0..<24], isBigEndian: isBigEndian)
            guard sums == SQLiteLogChecksums(bytes, at: 24) else { return nil }
            checksums = sums
        }
    }

    // MARK: Frames

    private mutating func readFrames(_ header: Header?, from sums: SQLiteLogChecksums, _ byteCount: Int64) {
        let stride = Self.frameHeaderByteCount + pageByteCount
        var frames: [Frame] = []
        var salts = header?.salts
        var previous: SQLiteLogChecksums? = sums
        var offset = Int64(Self.headerByteCount)
        while offset + Int64(stride) <= byteCount {
            guard let bytes = try? file.read(at: offset, byteCount: stride), bytes.count == stride else {
                frames.append(Frame(page: 0, pageCount: 0, isIntact: false))
                (previous, offset) = (nil, offset + Int64(stride))
                continue
            }
            // Without a header, the frame that the log begins with tells the salts of this round.
            salts = salts ?? bytes[8..<16]
            let orders = header.map { [$0.isBigEndian] } ?? [false, true]
            let isIntact =
                bytes[8..<16] == salts
                && orders.contains { Self.fits(bytes, after: previous, isBigEndian: $0) }
            frames.append(
                Frame(page: bytes.pageNumber(at: 0) ?? 0, pageCount: bytes.pageNumber(at: 4) ?? 0, isIntact: isIntact))
            previous = SQLiteLogChecksums(bytes, at: 16)
            offset += Int64(stride)
        }
        take(frames, stride)
    }

    private static func fits(_ frame: [UInt8], after previous: SQLiteLogChecksums?, isBigEndian: Bool) -> Bool {
        guard var sums = previous else { return false }
        sums.add(frame[0..<8], isBigEndian: isBigEndian)
        sums.add(frame[frameHeaderByteCount...], isBigEndian: isBigEndian)
        return sums == SQLiteLogChecksums(frame, at: 16)
    }

    /// Takes the frames up to the last commit; what is damaged before that is lost, what lies behind was never there.
    private mutating func take(_ frames: [Frame], _ stride: Int) {
        guard let last = frames.lastIndex(where: { $0.isIntact && $0.pageCount > 0 }) else { return }
        pageCount = frames[last].pageCount
        for (index, frame) in frames[...last].enumerated() {
            let offset = Int64(Self.headerByteCount + index * stride)
            guard frame.isIntact else {
                let range = offset..<offset + Int64(stride)
                if let open = damage.last?.offsets, open.upperBound == offset, damage.last?.lostEntryCount == nil {
                    damage[damage.count - 1].offsets = open.lowerBound..<range.upperBound
                } else {
                    damage.append(
                        Self.damage(
                            path, range,
                            "The checksum of a page in the log does not fit: older entries may have come to light."))
                }
                continue
            }
            offsets[frame.page] = offset + Int64(Self.frameHeaderByteCount)
            if frame.pageCount > 0 { commitCount += 1 }
        }
    }

    // MARK: Pages

    /// The newest version of a page; nil if it is not in the log.
    func page(_ number: UInt32) throws -> [UInt8]? {
        try offsets[number].map { try file.read(at: $0, byteCount: pageByteCount) }
    }
}

/// The two running sums over the words of a log.
struct SQLiteLogChecksums: Equatable {
    private var first: UInt32 = 0
    private var second: UInt32 = 0

    init() {}

    /// Sums as they are stored.
    init(_ bytes: [UInt8], at offset: Int) {
        first = bytes.pageNumber(at: offset) ?? 0
        second = bytes.pageNumber(at: offset + 4) ?? 0
    }

    /// Adds bytes, eight at a time.
    mutating func add(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) {
        let span = unsafe bytes.span.bytes
        for offset in stride(from: 0, to: span.byteCount & ~7, by: 8) {
            first &+= second &+ Self.word(span, offset, isBigEndian)
            second &+= first &+ Self.word(span, offset + 4, isBigEndian)
        }
    }

    private static func word(_ span: RawSpan, _ offset: Int, _ isBigEndian: Bool) -> UInt32 {
        let word = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
    }
}
