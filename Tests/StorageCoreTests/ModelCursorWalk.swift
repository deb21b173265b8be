// ModelCursorWalk.swift — a cursor, moved at random beside an index into a sorted array.

import StorageCore

struct ModelCursorWalk {
    var expected: [ModelEntry]
    var context: String

    /// Both ways from end to end, then `moves` random moves.
    func run(_ cursor: inout Cursor, moves: Int, random: inout SeededRandom, key: (inout SeededRandom) -> [UInt8])
        throws
    {
        guard !cursor.isValid else { throw ModelMismatch(description: "\(context): a new cursor is positioned") }
        try cursor.seekToFirst()
        var index = 0
        try check(cursor, index, "seekToFirst")
        while cursor.isValid {
            try cursor.next()
            index += 1
            try check(cursor, index, "next")
        }
        try cursor.seekToLast()
        index = expected.count - 1
        try check(cursor, index, "seekToLast")
        while cursor.isValid {
            try cursor.previous()
            index -= 1
            try check(cursor, index, "previous")
        }
        for _ in 0..<moves { try move(&cursor, &index, &random, key) }
    }

    private func move(
        _ cursor: inout Cursor, _ index: inout Int, _ random: inout SeededRandom, _ key: (inout SeededRandom) -> [UInt8]
    ) throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            try cursor.seekToFirst()
            index = 0
            try check(cursor, index, "seekToFirst")
        case 1:
            try cursor.seekToLast()
            index = expected.count - 1
            try check(cursor, index, "seekToLast")
        case 2:
            let target = key(&random)
            try cursor.seek(target.rawSpan)
            index = expected.firstIndex { !$0.key.lexicographicallyPrecedes(target) } ?? expected.count
            try check(cursor, index, "seek \(target)")
        case 3:
            let target = key(&random)
            try cursor.seekBackward(target.rawSpan)
            index = expected.lastIndex { !target.lexicographicallyPrecedes($0.key) } ?? -1
            try check(cursor, index, "seekBackward \(target)")
        case 4...6 where cursor.isValid:
            try cursor.next()
            index += 1
            try check(cursor, index, "next")
        case 7...9 where cursor.isValid:
            try cursor.previous()
            index -= 1
            try check(cursor, index, "previous")
        default:
            break
        }
    }

    private func check(_ cursor: borrowing Cursor, _ index: Int, _ move: String) throws {
        let wanted = expected.indices.contains(index) ? expected[index] : nil
        let found = cursor.isValid ? ModelEntry(key: cursor.key.array(), value: cursor.value.array()) : nil
        guard wanted != found else { return }
        throw ModelMismatch(
            description: "\(context): after \(move) the cursor is at \(String(describing: found)), not at "
                + String(describing: wanted))
    }
}

/// Every entry that a cursor meets on its way forwards.
func modelScan(_ view: ReadView, _ keyspace: Keyspace, _ range: KeyRange = .all) throws -> [ModelEntry] {
    var entries: [ModelEntry] = []
    var cursor = try view.cursor(keyspace, range)
    try cursor.seekToFirst()
    while cursor.isValid {
        entries.append(ModelEntry(key: cursor.key.array(), value: cursor.value.array()))
        try cursor.next()
    }
    return entries
}

/// Every entry that a cursor meets on its way backwards, put in key order.
func modelScanBackward(_ view: ReadView, _ keyspace: Keyspace, _ range: KeyRange = .all) throws -> [ModelEntry] {
    var entries: [ModelEntry] = []
    var cursor = try view.cursor(keyspace, range)
    try cursor.seekToLast()
    while cursor.isValid {
        entries.append(ModelEntry(key: cursor.key.array(), value: cursor.value.array()))
        try cursor.previous()
    }
    return entries.reversed()
}
