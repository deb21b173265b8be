// TableReader+PointRead.swift — the versions of one key: filter, one index partition, one data block.

internal import StorageTypes

extension TableReader {
    /// Calls `visit` with the versions of `key` with sequence ≤ `maxSequence`, newest first, until it returns false.
    ///
    /// The entries given are valid during the call only. Builds no keys and, with the blocks in the cache, allocates nothing.
    func forEachVersion(
        of key: UnsafeRawBufferPointer, maxSequence: UInt64, _ visit: (UnsafeEntry) throws -> Bool
    ) throws {
        guard unsafe mayContain(key) else { return }
        unsafe try forEachUnfilteredVersion(of: key, hash: xxHash64(key), maxSequence: maxSequence, visit)
    }

    /// The same for a caller who has asked the filter of the whole table.
    /// - Parameter hash: That of the key; any number where the index partitions have no filters.
    func forEachUnfilteredVersion(
        of key: UnsafeRawBufferPointer, hash: UInt64, maxSequence: UInt64, _ visit: (UnsafeEntry) throws -> Bool
    ) throws {
        guard var position = unsafe try partitionPosition(of: key, hash: hash, maxSequence) else { return }
        guard unsafe try position.enterPartition(key, maxSequence) else { return }
        unsafe position.block = unsafe try block(position.handle, fillCache: true)
        unsafe try forEachVersion(of: key, maxSequence: maxSequence, from: position, visit)
    }

    /// The index partition that leads to the versions of a key; nil if there are none.
    /// - Parameter hash: That of the key; any number where the index partitions have no filters.
    func partitionPosition(
        of key: UnsafeRawBufferPointer, hash: UInt64, _ maxSequence: UInt64
    ) throws -> UnsafePointPosition? {
        guard let top = unsafe try UnsafeBlockSearch(topIndex, key, maxSequence) else { return nil }
        if !filterPartitions.isEmpty, unsafe try !mayContain(hash: hash, inPartition: top.position) { return nil }
        return unsafe UnsafePointPosition(top: top, index: try partition(top.position, top.value))
    }

    /// Visits the versions from the block of a position on.
    func forEachVersion(
        of key: UnsafeRawBufferPointer, maxSequence: UInt64, from start: UnsafePointPosition,
        _ visit: (UnsafeEntry) throws -> Bool
    ) throws {
        guard var partition = unsafe start.partition, var dataBlock = unsafe start.block else { return }
        var top = unsafe start.top
        // The searches hold pointers into these two; the cache may drop a data block at any time.
        var partitionBlock = unsafe start.index
        defer { extendLifetime(partitionBlock) }
        defer { extendLifetime(dataBlock) }
        var search = unsafe try UnsafeBlockSearch(dataBlock, key, maxSequence)
        // Where a key's versions go on in the next block, the separator is the last version in this one; all other
        // separators have sequence 0.
        while unsafe try visitVersions(search, key, visit) {
            guard unsafe partition.keyOrder == 0, unsafe partition.entry.sequence > 0 else { return }
            if unsafe try !partition.next() {
                guard unsafe try top.next() else { return }
                partitionBlock = unsafe try self.partition(top.position, top.value)
                guard let first = unsafe try UnsafeBlockSearch(first: partitionBlock, key) else { return }
                unsafe partition = unsafe first
            }
            dataBlock = unsafe try block(partition.value, in: partitionBlock)
            unsafe search = unsafe try UnsafeBlockSearch(first: dataBlock, key)
        }
    }

    /// Visits versions up to the end of the block; whether there may be more in the next one.
    private func visitVersions(
        _ search: UnsafeBlockSearch?, _ key: UnsafeRawBufferPointer, _ visit: (UnsafeEntry) throws -> Bool
    ) throws -> Bool {
        guard var position = unsafe search else { return false }
        repeat {
            guard unsafe position.keyOrder == 0 else { return false }
            let entry = unsafe position.entry
            let goesOn = unsafe try visit(
                UnsafeEntry(
                    key: key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry, value: position.value))
            guard goesOn else { return false }
        } while unsafe try position.next()
        return true
    }
}

/// How far the search for one key in a table has come. Whoever uses it keeps table and key alive.
@unsafe
struct UnsafePointPosition {
    let top: UnsafeBlockSearch
    /// The index partition.
    let index: Block
    fileprivate(set) var partition: UnsafeBlockSearch?
    private(set) var handle = BlockHandle(offset: 0, byteCount: 0)
    /// The data block; nil as long as nobody has got it.
    var block: Block?

    init(top: UnsafeBlockSearch, index: Block) {
        unsafe self.top = unsafe top
        unsafe self.index = index
    }

    /// Finds the data block's handle; false if no block can have the key.
    mutating func enterPartition(_ key: UnsafeRawBufferPointer, _ maxSequence: UInt64) throws -> Bool {
        guard let found = unsafe try UnsafeBlockSearch(index, key, maxSequence) else { return false }
        unsafe partition = unsafe found
        guard let handle = unsafe BlockHandle(found.value) else {
            throw unsafe index.location.corruption("An index entry does not hold a block handle.")
        }
        unsafe self.handle = handle
        return true
    }
}
