// LevelCursor.swift — the tables of one level below 0 as a single source; opens a table only when it gets there.

@safe final class LevelCursor {
    private let tables: [TableFile]
    private let fillCache: Bool
    private var position = 0
    private var cursor: TableCursor?

    /// - Parameter tables: In key order, sharing no key.
    init(_ tables: [TableFile], fillCache: Bool = true) {
        self.tables = tables
        self.fillCache = fillCache
    }

    var isValid: Bool { cursor?.isValid ?? false }

    var entry: UnsafeEntry {
        guard let cursor else { preconditionFailure("A cursor is read only where it is valid.") }
        return unsafe cursor.entry
    }

    func seekToFirst() throws {
        try enter(0)
        try cursor?.seekToFirst()
        try skipExhaustedForwards()
    }

    func seekToLast() throws {
        try enter(tables.count - 1)
        try cursor?.seekToLast()
        try skipExhaustedBackwards()
    }

    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        try enter(tables.firstIndex { unsafe !$0.metadata.isBelow(key) } ?? tables.count)
        unsafe try cursor?.seek(key: key, sequence: sequence)
        try skipExhaustedForwards()
    }

    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        try enter((tables.lastIndex { unsafe compareBytes($0.metadata.smallestKey, key) <= 0 } ?? -1))
        unsafe try cursor?.seekBackward(key: key, sequence: sequence)
        try skipExhaustedBackwards()
    }

    func next() throws {
        try cursor?.next()
        try skipExhaustedForwards()
    }

    func previous() throws {
        try cursor?.previous()
        try skipExhaustedBackwards()
    }

    private func enter(_ index: Int) throws {
        if index == position, cursor != nil { return }
        position = index
        cursor = tables.indices.contains(index) ? try tables[index].open().makeCursor(fillCache: fillCache) : nil
    }

    private func skipExhaustedForwards() throws {
        while let current = cursor, !current.isValid {
            try enter(position + 1)
            try cursor?.seekToFirst()
        }
    }

    private func skipExhaustedBackwards() throws {
        while let current = cursor, !current.isValid {
            try enter(position - 1)
            try cursor?.seekToLast()
        }
    }
}
