// SQLiteTreePage.swift — one page of a B-tree of a SQLite database, and the cells in it.
//
//   header (behind the hundred bytes of the database's on page 1): kind, first free block (2), count of cells (2), start of
//   their content (2), free bytes; in an interior page the rightmost child (4). Then the offset of each cell (2).
//   cell:  in an interior page the left child (4); but in an interior table page the row id alone follows, as a varint.
//          Else: byte count of the record, in a table leaf the row id, the record's first bytes, the number of the page
//          with more of it (4) if these are not all.
//   more:  the number of the next such page (4, 0 at the end), then bytes of the record
//
// A page is one if (1) its kind is known and (2) its cell offsets fit in. A cell is one if (3) it lies behind them and ends
// inside the page, and (4) its record has exactly the pages that it needs.

struct SQLiteTreePage {
    enum Kind: UInt8 {
        // From SQLite's format; do not renumber.
        case interiorIndex = 2
        case interiorTable = 5
        case leafIndex = 10
        case leafTable = 13

        var isInterior: Bool { self == .interiorIndex || self == .interiorTable }
    }

    struct Cell {
        var child: UInt32?
        /// Nil in an index.
        var rowID: Int64?
        /// Nil in an interior page of a table.
        var record: Record?
        var byteCount = 0
    }

    /// Where a record lies.
    struct Record {
        var byteCount: Int
        var local: Range<Int>
        /// The page with more of it.
        var overflow: UInt32?
    }

    let kind: Kind
    let cellCount: Int
    let rightChild: UInt32?
    private let bytes: [UInt8]
    private let usableByteCount: Int
    private let cellOffsetsStart: Int

    init?(_ bytes: [UInt8], number: UInt32, usableByteCount: Int) {
        let start = number == 1 ? 100 : 0
        guard bytes.count >= usableByteCount, start < bytes.count, let kind = Kind(rawValue: bytes[start]),
            let count = bytes.bigEndian(at: start + 3, byteCount: 2).map({ Int($0) })
        else { return nil }
        let headerByteCount = kind.isInterior ? 12 : 8
        guard start + headerByteCount + 2 * count <= usableByteCount else { return nil }
        self.kind = kind
        cellCount = count
        rightChild = kind.isInterior ? bytes.pageNumber(at: start + 8) : nil
        self.bytes = bytes
        self.usableByteCount = usableByteCount
        cellOffsetsStart = start + headerByteCount
    }

    /// A cell; nil if it is damaged.
    func cell(_ index: Int) -> Cell? {
        guard let stored = bytes.bigEndian(at: cellOffsetsStart + 2 * index, byteCount: 2) else { return nil }
        var offset = Int(stored)
        guard offset >= cellOffsetsStart + 2 * cellCount else { return nil }
        var cell = Cell()
        if kind.isInterior {
            guard let child = bytes.pageNumber(at: offset) else { return nil }
            cell.child = child
            offset += 4
        }
        if kind != .interiorTable {
            guard let byteCount = bytes.byteCount(at: &offset) else { return nil }
            cell.record = Record(byteCount: byteCount, local: 0..<0)
        }
        if kind == .leafTable || kind == .interiorTable {
            guard let id = bytes.varint(at: &offset) else { return nil }
            cell.rowID = Int64(bitPattern: id)
        }
        guard var record = cell.record else {
            cell.byteCount = max(offset - Int(stored), 4)
            return offset <= usableByteCount ? cell : nil
        }
        let localByteCount = localByteCount(record.byteCount)
        let end = offset + localByteCount + (localByteCount < record.byteCount ? 4 : 0)
        guard end <= usableByteCount else { return nil }
        record.local = offset..<offset + localByteCount
        if localByteCount < record.byteCount { record.overflow = bytes.pageNumber(at: record.local.upperBound) }
        cell.record = record
        cell.byteCount = max(end - Int(stored), 4)
        return cell
    }

    /// How many bytes of a record lie in the cell itself.
    private func localByteCount(_ count: Int) -> Int {
        let usable = usableByteCount
        let most = kind == .leafTable ? usable - 35 : (usable - 12) * 64 / 255 - 23
        guard count > most else { return count }
        let least = (usable - 12) * 32 / 255 - 23
        let kept = least + (count - least) % (usable - 4)
        return kept <= most ? kept : least
    }

    /// Whether the cells, the free blocks and the free bytes between them fill what the page says they fill. Where they don't,
    /// cells may be missing.
    func isFilled(by cells: [Cell]) -> Bool {
        let start = cellOffsetsStart - (kind.isInterior ? 12 : 8)
        guard let content = bytes.bigEndian(at: start + 5, byteCount: 2),
            var block = bytes.bigEndian(at: start + 1, byteCount: 2).map({ Int($0) })
        else { return false }
        var byteCount = cells.reduce(Int(bytes[start + 7])) { $0 + $1.byteCount }
        while block != 0 {
            guard let next = bytes.bigEndian(at: block, byteCount: 2).map({ Int($0) }),
                let count = bytes.bigEndian(at: block + 2, byteCount: 2), next == 0 || next > block
            else { return false }
            byteCount += Int(count)
            block = next
        }
        return byteCount == usableByteCount - (content == 0 ? 65536 : Int(content))
    }

    /// The bytes of a record, and the pages that more of it lies on, none of them among `used`; nil if they are not all there.
    func bytes(of record: Record, in pages: SQLitePages, unless used: Set<UInt32>) -> (bytes: [UInt8], more: [UInt32])?
    {
        var found = Array(bytes[record.local])
        var next = record.overflow ?? 0
        var chain: [UInt32] = []
        var met: Set<UInt32> = []
        while found.count < record.byteCount {
            guard next > 1, next <= pages.pageCount, !used.contains(next), met.insert(next).inserted,
                let page = try? pages.page(next), let following = page.pageNumber(at: 0)
            else { return nil }
            chain.append(next)
            found += page[4..<4 + min(record.byteCount - found.count, usableByteCount - 4)]
            next = following
        }
        return next == 0 ? (found, chain) : nil
    }
}
