// EntrySource.swift — the kinds of cursor that a merging cursor reads from, dispatched by an enum.

/// A cursor over the entries of one source, in tree order.
enum EntrySource {
    case memtable(MemtableCursor)
    case batch(BatchCursor)
    case table(TableCursor)
    case level(LevelCursor)
    case sqlite(SQLiteCursor)

    var isValid: Bool {
        switch self {
        case .memtable(let cursor): cursor.isValid
        case .batch(let cursor): cursor.isValid
        case .table(let cursor): cursor.isValid
        case .level(let cursor): cursor.isValid
        case .sqlite(let cursor): cursor.isValid
        }
    }

    /// Valid until this source moves.
    var entry: UnsafeEntry {
        switch self {
        case .memtable(let cursor): unsafe cursor.entry
        case .batch(let cursor): unsafe cursor.entry
        case .table(let cursor): unsafe cursor.entry
        case .level(let cursor): unsafe cursor.entry
        case .sqlite(let cursor): unsafe cursor.entry
        }
    }

    /// Of the group that the reader stays in, what the source may have; nil where that is not known.
    var groupKeys: GroupKeys? {
        if case .level(let cursor) = self { cursor.groupKeys } else { nil }
    }

    func seekToFirst() throws {
        switch self {
        case .memtable(let cursor): cursor.seekToFirst()
        case .batch(let cursor): cursor.seekToFirst()
        case .table(let cursor): try cursor.seekToFirst()
        case .level(let cursor): try cursor.seekToFirst()
        case .sqlite(let cursor): try cursor.seekToFirst()
        }
    }

    func seekToLast() throws {
        switch self {
        case .memtable(let cursor): cursor.seekToLast()
        case .batch(let cursor): cursor.seekToLast()
        case .table(let cursor): try cursor.seekToLast()
        case .level(let cursor): try cursor.seekToLast()
        case .sqlite(let cursor): try cursor.seekToLast()
        }
    }

    /// The first entry at or after (key, sequence).
    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        switch self {
        case .memtable(let cursor): unsafe cursor.seek(key: key, sequence: sequence)
        case .batch(let cursor): unsafe cursor.seek(key: key, sequence: sequence)
        case .table(let cursor): unsafe try cursor.seek(key: key, sequence: sequence)
        case .level(let cursor): unsafe try cursor.seek(key: key, sequence: sequence)
        case .sqlite(let cursor): unsafe try cursor.seek(key: key, sequence: sequence)
        }
    }

    /// The last entry at or before (key, sequence).
    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        switch self {
        case .memtable(let cursor): unsafe cursor.seekBackward(key: key, sequence: sequence)
        case .batch(let cursor): unsafe cursor.seekBackward(key: key, sequence: sequence)
        case .table(let cursor): unsafe try cursor.seekBackward(key: key, sequence: sequence)
        case .level(let cursor): unsafe try cursor.seekBackward(key: key, sequence: sequence)
        case .sqlite(let cursor): unsafe try cursor.seekBackward(key: key, sequence: sequence)
        }
    }

    func next() throws {
        switch self {
        case .memtable(let cursor): cursor.next()
        case .batch(let cursor): cursor.next()
        case .table(let cursor): try cursor.next()
        case .level(let cursor): try cursor.next()
        case .sqlite(let cursor): try cursor.next()
        }
    }

    func previous() throws {
        switch self {
        case .memtable(let cursor): cursor.previous()
        case .batch(let cursor): cursor.previous()
        case .table(let cursor): try cursor.previous()
        case .level(let cursor): try cursor.previous()
        case .sqlite(let cursor): try cursor.previous()
        }
    }
}

/// A way into a source without reference counting, for whoever keeps the source alive.
@unsafe
enum UnsafeSourceHandle {
    case table(UnsafeMutablePointer<TablePosition>)
    case level(UnsafeMutablePointer<LevelPosition>)
    /// Goes through the source.
    case other
}

extension EntrySource {
    var handle: UnsafeSourceHandle {
        switch self {
        case .table(let cursor): unsafe .table(cursor.position)
        case .level(let cursor): unsafe .level(cursor.position)
        default: unsafe .other
        }
    }
}
