// SQLiteTreeWalk.swift — everything that is left of a B-tree, and what of it was lost.
//
// A tree is read from its root, each page within the keys that the pages above leave to it. What can't be read is a loss, between
// the keys around it. Whole pages of a loss may have pages below them that nothing refers to any more: those are
// looked for among all pages that are neither reached nor free.

internal import StorageTypes

struct SQLiteTreeWalk {
    /// Something of the tree that can't be read.
    struct Loss {
        var file: String
        var offsets: Range<Int64>
        var message: String
        /// The tree keys around it; nil where there is no bound.
        var lower: [UInt8]?
        var upper: [UInt8]?
        /// Whether pages may have become unreachable.
        var hidesPages: Bool

        func contains(_ key: [UInt8]) -> Bool {
            if let lower, compareBytes(lower, key) >= 0 { return false }
            if let upper, compareBytes(upper, key) <= 0 { return false }
            return true
        }
    }

    /// A row of a table with row ids.
    struct TableRow {
        var id: Int64
        var record: [UInt8]
    }

    let pages: SQLitePages
    /// Pages that were read, of any tree.
    private(set) var used: Set<UInt32> = []
    private(set) var losses: [Loss] = []
    /// SQLite's own limit is 20.
    private static let maximumDepth = 20
    private static let isIncomplete = "The page does not account for all of its bytes: some may have been entries."

    init(_ pages: SQLitePages) { self.pages = pages }

    mutating func removeLosses() -> [Loss] {
        defer { losses = [] }
        return losses
    }

    // MARK: Losses

    private mutating func lose(
        _ page: UInt32, _ message: String, lower: [UInt8]? = nil, upper: [UInt8]? = nil, hidesPages: Bool
    ) {
        let (file, offsets) = pages.place(of: page)
        let loss = Loss(
            file: file, offsets: offsets, message: message, lower: lower, upper: upper, hidesPages: hidesPages)
        // Neighbours in the tree that lie side by side, or both behind the end of the file, are one loss.
        if var last = losses.last, last.file == file, last.message == message,
            last.offsets == offsets || last.offsets.upperBound == offsets.lowerBound,
            last.upper == lower && lower != nil || last.lower == lower && last.upper == upper
        {
            last.offsets = last.offsets.lowerBound..<offsets.upperBound
            last.upper = upper
            last.hidesPages = last.hidesPages || hidesPages
            losses[losses.count - 1] = last
        } else {
            losses.append(loss)
        }
    }

    /// The page of a tree, if it is one of the kind.
    private mutating func enter(_ number: UInt32, _ kinds: [SQLiteTreePage.Kind], depth: Int) throws -> SQLiteTreePage {
        guard number > 0, number <= pages.pageCount else {
            throw SQLitePageDamage(message: "A page refers to page \(number), which there is not.")
        }
        guard depth < Self.maximumDepth, used.insert(number).inserted else {
            throw SQLitePageDamage(message: "Two pages refer to page \(number).")
        }
        let bytes = try pages.page(number)
        guard let page = SQLiteTreePage(bytes, number: number, usableByteCount: pages.usableByteCount),
            kinds.contains(page.kind)
        else { throw SQLitePageDamage(message: "The page is none of a tree.") }
        return page
    }

    // MARK: Tables with row ids

    /// Calls `visit` with the rows that are left.
    mutating func visitTable(_ root: UInt32, depth: Int = 0, _ visit: (TableRow) -> Bool) {
        do {
            let page = try enter(root, [.leafTable, .interiorTable], depth: depth)
            let cells = (0..<page.cellCount).compactMap { page.cell($0) }
            if cells.count < page.cellCount || !page.isFilled(by: cells) {
                lose(root, Self.isIncomplete, hidesPages: page.kind.isInterior)
            }
            for cell in cells {
                if let child = cell.child {
                    visitTable(child, depth: depth + 1, visit)
                } else if !visitRow(of: cell, page, visit) {
                    lose(root, "A row of the page is damaged.", hidesPages: false)
                }
            }
            if let child = page.rightChild { visitTable(child, depth: depth + 1, visit) }
        } catch {
            lose(root, (error as? SQLitePageDamage)?.message ?? "\(error)", hidesPages: true)
        }
    }

    /// Whether the row was there, and what it should be.
    private mutating func visitRow(
        of cell: SQLiteTreePage.Cell, _ page: SQLiteTreePage, _ visit: (TableRow) -> Bool
    ) -> Bool {
        guard let id = cell.rowID, let record = cell.record,
            let (bytes, more) = page.bytes(of: record, in: pages, unless: used), visit(TableRow(id: id, record: bytes))
        else { return false }
        used.formUnion(more)
        return true
    }

    /// Calls `visit` with the rows of pages that nothing refers to; it tells whether a row is of the table.
    mutating func visitLostTablePages(_ free: Set<UInt32>, _ visit: (TableRow) -> Bool) {
        for number in pages.presentPages where !used.contains(number) && !free.contains(number) {
            guard let page = treePage(number), page.kind == .leafTable else { continue }
            for index in 0..<page.cellCount {
                if let cell = page.cell(index), visitRow(of: cell, page, visit) { used.insert(number) }
            }
        }
    }

    /// Calls `visit` with the records of index pages that nothing refers to, and that were no entries.
    func visitLostIndexRecords(_ free: Set<UInt32>, _ visit: ([UInt8]) -> Void) {
        for number in pages.presentPages where !used.contains(number) && !free.contains(number) {
            guard let page = treePage(number), page.kind == .leafIndex else { continue }
            for index in 0..<page.cellCount {
                guard let record = page.cell(index)?.record,
                    let (bytes, _) = page.bytes(of: record, in: pages, unless: used)
                else { continue }
                visit(bytes)
            }
        }
    }

    /// Whether some page of an index has a page below it, which can't be a root then.
    func isReferredTo(_ number: UInt32) -> Bool {
        pages.presentPages.contains { above in
            guard let page = treePage(above), page.kind == .interiorIndex else { return false }
            return page.rightChild == number || (0..<page.cellCount).contains { page.cell($0)?.child == number }
        }
    }

    private func treePage(_ number: UInt32) -> SQLiteTreePage? {
        (try? pages.page(number)).flatMap {
            SQLiteTreePage($0, number: number, usableByteCount: pages.usableByteCount)
        }
    }

    // MARK: Entries

    /// Calls `visit` with the entries that are left, in the order of their keys.
    mutating func visitEntries(
        _ number: UInt32, lower: [UInt8]? = nil, upper: [UInt8]? = nil, depth: Int = 0,
        _ visit: (SQLiteEntryRecord) throws -> Void
    ) throws {
        let page: SQLiteTreePage
        do {
            page = try enter(number, [.leafIndex, .interiorIndex], depth: depth)
        } catch let damage as SQLitePageDamage {
            return lose(number, damage.message, lower: lower, upper: upper, hidesPages: true)
        }
        let cells = (0..<page.cellCount).map { page.cell($0) }
        let entries = Self.inOrder(cells.map { entry(of: $0, page) }, lower, upper)
        var last = lower
        for (index, cell) in cells.enumerated() {
            let next = entries[index...].lazy.compactMap { $0?.key }.first ?? upper
            if let child = cell?.child {
                try visitEntries(child, lower: last, upper: next, depth: depth + 1, visit)
            }
            if let entry = entries[index] {
                try visit(entry)
                last = entry.key
            } else {
                let hidesPages = page.kind.isInterior && cell == nil
                lose(number, "An entry of the page is damaged.", lower: last, upper: next, hidesPages: hidesPages)
            }
        }
        let found = cells.compactMap { $0 }
        if found.count == cells.count, !page.isFilled(by: found) {
            lose(number, Self.isIncomplete, lower: lower, upper: upper, hidesPages: page.kind.isInterior)
        }
        if let child = page.rightChild {
            try visitEntries(child, lower: last, upper: upper, depth: depth + 1, visit)
        }
    }

    private mutating func entry(of cell: SQLiteTreePage.Cell?, _ page: SQLiteTreePage) -> SQLiteEntryRecord? {
        guard let record = cell?.record, let (bytes, more) = page.bytes(of: record, in: pages, unless: used),
            let entry = SQLiteEntryRecord(bytes)
        else { return nil }
        used.formUnion(more)
        return entry
    }

    /// The entries without those whose keys are out of place: as many as possible that ascend, between the bounds.
    private static func inOrder(
        _ entries: [SQLiteEntryRecord?], _ lower: [UInt8]?, _ upper: [UInt8]?
    ) -> [SQLiteEntryRecord?] {
        let entries = entries.map { entry -> SQLiteEntryRecord? in
            guard let entry else { return nil }
            if let lower, compareBytes(lower, entry.key) >= 0 { return nil }
            if let upper, compareBytes(entry.key, upper) >= 0 { return nil }
            return entry
        }
        let present = entries.indices.filter { entries[$0] != nil }
        func ascends(_ left: Int, _ right: Int) -> Bool {
            guard let left = entries[left], let right = entries[right] else { return false }
            return compareBytes(left.key, right.key) < 0
        }
        if zip(present, present.dropFirst()).allSatisfy({ ascends($0, $1) }) { return entries }
        // The longest ascending run that ends with each, and what comes before it there.
        var best: [(length: Int, previous: Int?)] = []
        for (position, index) in present.enumerated() {
            let before = (0..<position).filter { ascends(present[$0], index) }.max { best[$0].length < best[$1].length }
            best.append((1 + (before.map { best[$0].length } ?? 0), before))
        }
        var kept = [SQLiteEntryRecord?](repeating: nil, count: entries.count)
        var position = best.indices.max { best[$0].length < best[$1].length }
        while let found = position {
            kept[present[found]] = entries[present[found]]
            position = best[found].previous
        }
        return kept
    }

    /// Calls `visit` with the entries of pages that nothing refers to, as far as they lie within what was lost.
    mutating func visitLostEntries(
        _ lost: [Loss], _ free: Set<UInt32>, _ visit: (SQLiteEntryRecord) throws -> Void
    ) throws {
        for number in pages.presentPages where !used.contains(number) && !free.contains(number) {
            guard let page = treePage(number), page.kind == .leafIndex || page.kind == .interiorIndex else { continue }
            // A page of another tree, or bytes of a long value, have nothing that could be an entry.
            let entries = Self.inOrder((0..<page.cellCount).map { entry(of: page.cell($0), page) }, nil, nil)
                .compactMap { $0 }
            guard !entries.isEmpty, entries.count * 2 >= page.cellCount else { continue }
            used.insert(number)
            for entry in entries where lost.contains(where: { $0.contains(entry.key) }) { try visit(entry) }
        }
    }
}
