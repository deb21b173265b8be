// Levels.swift — the tables of a tree.
//
// Invariants:
// (1) Level 0 is newest first; its tables may overlap.
// (2) From level 1 on, the tables of a level are in key order and share no key.
// (3) For any key, what a level holds is newer than what a deeper one holds; in level 0, what an earlier table holds is
//     newer than what a later one holds.

struct Levels: Sendable {
    static let count = 7

    private(set) var tables: [[TableFile]] = Array(repeating: [], count: Levels.count)

    subscript(level: Int) -> [TableFile] { tables[level] }

    var all: [TableFile] { tables.flatMap { $0 } }

    var isEmpty: Bool { tables.allSatisfy(\.isEmpty) }

    /// The deepest level that holds a table; 0 if none does.
    var deepest: Int { tables.lastIndex { !$0.isEmpty } ?? 0 }

    func byteCount(_ level: Int) -> Int64 { tables[level].reduce(0) { $0 + $1.metadata.byteCount } }

    mutating func add(_ table: TableFile, level: Int) {
        if level == 0 {
            let position = tables[0].firstIndex { isNewer(table.metadata, $0.metadata) } ?? tables[0].count
            tables[0].insert(table, at: position)
        } else {
            let position =
                tables[level].firstIndex { compareBytes($0.metadata.smallestKey, table.metadata.smallestKey) > 0 }
                ?? tables[level].count
            tables[level].insert(table, at: position)
        }
    }

    private func isNewer(_ left: TableMetadata, _ right: TableMetadata) -> Bool {
        (left.largestSequence, left.number) > (right.largestSequence, right.number)
    }

    mutating func remove(numbers: Set<UInt64>) {
        for level in tables.indices { tables[level].removeAll { numbers.contains($0.number) } }
    }

    /// The table of a level below 0 that may hold `key`.
    func table(in level: Int, containing key: UnsafeRawBufferPointer) -> TableFile? {
        let position = unsafe firstTable(in: level, notBelow: key)
        guard position < tables[level].count else { return nil }
        let table = tables[level][position]
        return unsafe compareBytes(table.metadata.smallestKey, key) <= 0 ? table : nil
    }

    /// The index of the first table of a level below 0 that does not end before `key`.
    func firstTable(in level: Int, notBelow key: UnsafeRawBufferPointer) -> Int {
        tables[level].partitioningIndex { unsafe !$0.metadata.isBelow(key) }
    }

    /// The tables of a level that may hold something in `lower..<upper`.
    func overlapping(_ level: Int, lower: [UInt8], upper: [UInt8]) -> [TableFile] {
        let tables = tables[level]
        return unsafe lower.withUnsafeBytes { lower in
            unsafe upper.withUnsafeBytes { upper in
                guard level > 0 else { return tables.filter { unsafe !$0.isBelow(lower) && $0.begins(before: upper) } }
                let start = tables.partitioningIndex { unsafe !$0.isBelow(lower) }
                let end = tables.partitioningIndex { unsafe !$0.begins(before: upper) }
                if start == 0, end == tables.count { return tables }
                return start < end ? Array(tables[start..<end]) : []
            }
        }
    }
}
