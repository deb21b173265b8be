// LevelTombstones.swift — the range deletes of one level below 0: those of the table in whose bounds a key lies, read once a
// cursor gets there.

/// The range deletes that a reader at one sequence sees of a level; not for several threads at once.
final class LevelTombstones {
    private let tables: [TableFile]
    private let sequence: UInt64
    /// The table that was asked last, and what it has.
    private var current: (table: TableFile, view: RangeTombstoneView)?

    /// - Parameters:
    ///   - tables: In key order, sharing no key: what a table deletes lies inside its bounds.
    ///   - sequence: Later range deletes are not seen.
    init(_ tables: [TableFile], atMost sequence: UInt64) {
        self.tables = tables
        self.sequence = sequence
    }

    /// The range deletes of the table in whose bounds `key` lies; nil if there is none.
    func view(of key: UnsafeRawBufferPointer) throws -> RangeTombstoneView? {
        if let current, unsafe current.table.mayHold(key) { return current.view }
        guard let table = unsafe table(holding: key) else { return nil }
        let view = RangeTombstoneView(try table.rangeTombstones(), atMost: sequence)
        current = (table, view)
        return view
    }

    private func table(holding key: UnsafeRawBufferPointer) -> TableFile? {
        let index = tables.partitioningIndex { unsafe !$0.isBelow(key) }
        return index < tables.count && (unsafe tables[index].mayHold(key)) ? tables[index] : nil
    }
}
