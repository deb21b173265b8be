// LevelCursor.swift — the tables of one level below 0 as a single source; opens a table only when it gets there.

/// A position in a level; not for several threads at once.
@safe
final class LevelCursor {
    // Behind a pointer: a call then costs no check of exclusive access.
    let position: UnsafeMutablePointer<LevelPosition>
    /// Of the group that the caller stays in, what the tables may have; nil where that is not known.
    let groupKeys: GroupKeys?

    /// - Parameters:
    ///   - tables: In key order, sharing no key.
    ///   - bounds: What the caller will look at.
    init(
        _ tables: [TableFile], fillCache: Bool = true, bounds: TreeKeyBounds? = nil, groupKeys: GroupKeys? = nil,
        traceSink: (any AccessTraceSink)? = nil
    ) {
        self.groupKeys = groupKeys
        unsafe position = .allocate(capacity: 1)
        unsafe position.initialize(
            to: LevelPosition(tables, fillCache: fillCache, bounds: bounds, traceSink: traceSink))
    }

    deinit {
        unsafe position.deinitialize(count: 1)
        unsafe position.deallocate()
    }

    var isValid: Bool { unsafe position.pointee.isValid }

    var entry: UnsafeEntry {
        unsafe precondition(position.pointee.isValid, "A cursor is read only where it is valid.")
        return unsafe position.pointee.entry
    }

    func seekToFirst() throws { unsafe try position.pointee.seekToFirst() }

    func seekToLast() throws { unsafe try position.pointee.seekToLast() }

    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        unsafe try position.pointee.seek(key: key, sequence: sequence)
    }

    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        unsafe try position.pointee.seekBackward(key: key, sequence: sequence)
    }

    func next() throws { unsafe try position.pointee.next() }

    func previous() throws { unsafe try position.pointee.previous() }
}

/// The tables of a level and a cursor in one of them.
@safe
struct LevelPosition: ~Copyable {
    private let tables: [TableFile]
    private let fillCache: Bool
    private let bounds: TreeKeyBounds?
    private let traceSink: (any AccessTraceSink)?
    private var index = 0
    /// Owns the position that `table` points to.
    private var cursor: TableCursor?
    private var table: UnsafeMutablePointer<TablePosition>?

    init(
        _ tables: [TableFile], fillCache: Bool, bounds: TreeKeyBounds?, traceSink: (any AccessTraceSink)?
    ) {
        self.tables = tables
        self.fillCache = fillCache
        self.bounds = bounds
        self.traceSink = traceSink
    }

    var isValid: Bool { unsafe table?.pointee.isValid ?? false }

    /// The current entry. The position must be valid.
    var entry: UnsafeEntry {
        guard let table = unsafe table else { preconditionFailure("A cursor is read only where it is valid.") }
        return unsafe table.pointee.entry
    }

    mutating func seekToFirst() throws {
        try enter(0)
        unsafe try table?.pointee.seekToFirst()
        try skipExhaustedForwards()
    }

    mutating func seekToLast() throws {
        try enter(tables.count - 1)
        unsafe try table?.pointee.seekToLast()
        try skipExhaustedBackwards()
    }

    mutating func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        try enter(tables.partitioningIndex { unsafe !$0.isBelow(key) })
        unsafe try table?.pointee.seek(key: key, sequence: sequence)
        try skipExhaustedForwards()
    }

    mutating func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        try enter(tables.partitioningIndex { unsafe $0.isAbove(key) } - 1)
        unsafe try table?.pointee.seekBackward(key: key, sequence: sequence)
        try skipExhaustedBackwards()
    }

    @inline(__always)
    mutating func next() throws {
        guard let table = unsafe table else { return }
        unsafe try table.pointee.next()
        if unsafe !table.pointee.isValid { try skipExhaustedForwards() }
    }

    @inline(__always)
    mutating func previous() throws {
        guard let table = unsafe table else { return }
        unsafe try table.pointee.previous()
        if unsafe !table.pointee.isValid { try skipExhaustedBackwards() }
    }

    private mutating func enter(_ newIndex: Int) throws {
        if newIndex == index, cursor != nil { return }
        index = newIndex
        unsafe table = nil
        cursor = nil
        guard tables.indices.contains(index) else { return }
        traceSink?.record(.tableEntered(number: tables[index].number))
        cursor = try tables[index].open(tracedBy: traceSink).makeCursor(fillCache: fillCache, bounds: bounds)
        unsafe table = cursor?.position
    }

    private mutating func skipExhaustedForwards() throws {
        while let current = unsafe table, unsafe !current.pointee.isValid {
            let walk = unsafe current.pointee.readahead
            try enter(index + 1)
            unsafe try table?.pointee.seekToFirst()
            unsafe table?.pointee.continueWalk(walk)
        }
    }

    private mutating func skipExhaustedBackwards() throws {
        while let current = unsafe table, unsafe !current.pointee.isValid {
            let walk = unsafe current.pointee.readahead
            try enter(index - 1)
            unsafe try table?.pointee.seekToLast()
            unsafe table?.pointee.continueWalk(walk)
        }
    }
}
