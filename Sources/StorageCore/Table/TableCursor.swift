// TableCursor.swift — walks the point entries of a table in both directions.
//
// Invariant: while valid, `data` is on an entry of the block that `partition`'s entry leads to, and `partition` of the one
// that `top`'s leads to. After an error the cursor is on no entry; a seek puts it back to use.

internal import StorageTypes

/// A position in a table; not for several threads at once. It retains the table and its current blocks.
@safe
final class TableCursor {
    // Behind a pointer: a call then costs no check of exclusive access.
    let position: UnsafeMutablePointer<TablePosition>

    init(_ table: TableReader, fillCache: Bool, bounds: TreeKeyBounds? = nil) {
        unsafe position = .allocate(capacity: 1)
        unsafe position.initialize(to: TablePosition(table, fillCache: fillCache, bounds: bounds))
    }

    deinit {
        unsafe position.deinitialize(count: 1)
        unsafe position.deallocate()
    }

    /// Whether the cursor is on an entry.
    var isValid: Bool { unsafe position.pointee.isValid }

    /// The current entry; its pointers are valid until the cursor moves.
    var entry: UnsafeEntry {
        unsafe precondition(position.pointee.isValid, "A cursor has an entry only while it is valid.")
        return unsafe position.pointee.entry
    }

    func seekToFirst() throws { unsafe try position.pointee.seekToFirst() }

    func seekToLast() throws { unsafe try position.pointee.seekToLast() }

    /// To the first entry at or after (key, sequence) in table order.
    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        unsafe try position.pointee.seek(key: key, sequence: sequence)
    }

    /// To the last entry at or before (key, sequence) in table order.
    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        unsafe try position.pointee.seekBackward(key: key, sequence: sequence)
    }

    func next() throws { unsafe try position.pointee.next() }

    func previous() throws { unsafe try position.pointee.previous() }
}

/// The tree keys that a reader will look at: from `lower` up to `upper`, not included.
struct TreeKeyBounds: Sendable {
    var lower: [UInt8]
    var upper: [UInt8]
}

/// The three block cursors of a table cursor, and how they move together.
struct TablePosition: ~Copyable {
    private let table: TableReader
    private let fillCache: Bool
    /// No block that lies outside is entered by a walk.
    private let bounds: TreeKeyBounds?
    /// The bytes of the blocks inside the bounds; known once there was something to announce.
    private var boundedRange: Range<UInt64>?
    private var top = UnsafeBlockCursor()
    private var partition = UnsafeBlockCursor()
    private var data = UnsafeBlockCursor()
    /// Of the walk since the last seek.
    private(set) var readahead = TableReadahead()

    init(_ table: TableReader, fillCache: Bool, bounds: TreeKeyBounds?) {
        self.table = table
        self.fillCache = fillCache
        self.bounds = bounds
        top.load(table.topIndex)
    }

    /// Goes on with the walk through another table that came to its end. To be called after the seek to where it goes on.
    mutating func continueWalk(_ walk: TableReadahead) { readahead = walk.continuing() }

    var isValid: Bool { data.isValid }

    var entry: UnsafeEntry {
        unsafe UnsafeEntry(
            key: data.key, sequence: data.sequence, kind: data.kind, expiry: data.expiry, value: data.value)
    }

    mutating func seekToFirst() throws {
        data.invalidate()
        readahead.reset()
        try top.seekToFirst()
        try enterPartition { try $0.seekToFirst() }
        try enterData(.forward) { try $0.seekToFirst() }
    }

    mutating func seekToLast() throws {
        data.invalidate()
        readahead.reset()
        try top.seekToLast()
        try enterPartition { try $0.seekToLast() }
        try enterData(.backward) { try $0.seekToLast() }
    }

    mutating func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        guard unsafe try enterBlock(key, sequence, .forward) else { return }
        unsafe try data.seek(key, sequence)
        // A separator may lie behind its block's last entry, and the target between the two.
        if !data.isValid { try enterNextBlock() }
    }

    mutating func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        guard unsafe try enterBlock(key, sequence, .backward) else { return try seekToLast() }
        unsafe try data.seekBackward(key, sequence)
        if !data.isValid { try enterPreviousBlock() }
    }

    @inline(__always)
    mutating func next() throws {
        guard data.isValid else { return }
        try data.next()
        if !data.isValid { try enterNextBlock() }
    }

    @inline(__always)
    mutating func previous() throws {
        guard data.isValid else { return }
        try data.previous()
        if !data.isValid { try enterPreviousBlock() }
    }

    /// Loads the block that holds the first entry at or after (key, sequence), or ends right before it; false if
    /// every separator of the table comes before.
    private mutating func enterBlock(
        _ key: UnsafeRawBufferPointer, _ sequence: UInt64, _ direction: TableReadahead.Direction
    ) throws -> Bool {
        data.invalidate()
        readahead.reset()
        unsafe try top.seek(key, sequence)
        try enterPartition { unsafe try $0.seek(key, sequence) }
        guard partition.isValid else { return false }
        try loadData(direction)
        return true
    }

    private mutating func enterNextBlock() throws {
        // The keys of the blocks behind a separator come after it.
        if let bounds, partition.isValid, unsafe compareBytes(bounds.upper, partition.key) <= 0 { return }
        try partition.next()
        if !partition.isValid {
            try top.next()
            try enterPartition { try $0.seekToFirst() }
        }
        try enterData(.forward) { try $0.seekToFirst() }
    }

    private mutating func enterPreviousBlock() throws {
        try partition.previous()
        if !partition.isValid {
            try top.previous()
            try enterPartition { try $0.seekToLast() }
        }
        // The keys of a block come before its separator, or are it.
        if let bounds, partition.isValid, unsafe compareBytes(bounds.lower, partition.key) > 0 { return }
        try enterData(.backward) { try $0.seekToLast() }
    }

    /// Loads the partition that `top` is on, if it is on one, and positions in it.
    private mutating func enterPartition(_ move: (inout UnsafeBlockCursor) throws -> Void) throws {
        partition.invalidate()
        guard top.isValid, let index = top.block else { return }
        let handle = unsafe try table.blockHandle(top.value, in: index)
        if partition.block?.location.offset != handle.offset {
            partition.load(try table.partition(top.restart, handle, fillCache: fillCache))
        }
        try move(&partition)
    }

    /// Loads the data block that `partition` is on, if it is on one, and positions in it.
    private mutating func enterData(
        _ direction: TableReadahead.Direction, _ move: (inout UnsafeBlockCursor) throws -> Void
    ) throws {
        guard partition.isValid else { return }
        try loadData(direction)
        try move(&data)
    }

    private mutating func loadData(_ direction: TableReadahead.Direction) throws {
        guard let index = partition.block else { return }
        let handle = unsafe try table.blockHandle(partition.value, in: index)
        guard data.block?.location.offset != handle.offset else { return }
        let block = try table.block(handle, fillCache: fillCache) { announce(handle, direction) }
        data.load(block)
    }

    /// Tells the file what a walk that has to read a block is likely to read next.
    private mutating func announce(_ handle: BlockHandle, _ direction: TableReadahead.Direction) {
        guard let block = table.blocks.storedRange(handle) else { return }
        let limit = readahead.mayAnnounce ? rangeToRead() : 0..<table.blocks.blocksByteCount
        // Only a walk within the bounds is known to end there.
        guard limit.contains(block.lowerBound),
            let range = readahead.announcement(beforeReading: block, direction, within: limit)
        else { return }
        table.blocks.file.willRead(
            from: Int64(clamping: range.lowerBound), byteCount: Int(clamping: range.upperBound - range.lowerBound))
    }

    /// The bytes of the file that a walk within the bounds may read.
    private mutating func rangeToRead() -> Range<UInt64> {
        if let boundedRange { return boundedRange }
        var range = 0..<table.blocks.blocksByteCount
        // A hint: what can't be found out is not left out.
        if let bounds {
            let first = try? table.storedRange(ofBlockFor: bounds.lower)
            let last = try? table.storedRange(ofBlockFor: bounds.upper)
            let start = first?.lowerBound ?? 0
            let end = last?.upperBound ?? range.upperBound
            if start < end, end <= range.upperBound { range = start..<end }
        }
        boundedRange = range
        return range
    }
}

extension TableReader {
    /// Where the data block lies in which a key would be; nil if every key of the table comes before.
    fileprivate func storedRange(ofBlockFor key: [UInt8]) throws -> Range<UInt64>? {
        try unsafe key.withUnsafeBytes { key in
            guard let top = unsafe try UnsafeBlockSearch(topIndex, key, SequenceNumber.max.rawValue) else { return nil }
            var position = unsafe UnsafePointPosition(top: top, index: try partition(top.position, top.value))
            guard unsafe try position.enterPartition(key, SequenceNumber.max.rawValue) else { return nil }
            return unsafe blocks.storedRange(position.handle)
        }
    }
}
