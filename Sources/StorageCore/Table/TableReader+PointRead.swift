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
        unsafe try forEachUnfilteredVersion(of: key, maxSequence: maxSequence, visit)
    }

    /// The same for a caller who has asked the filter of the whole table.
    func forEachUnfilteredVersion(
        of key: UnsafeRawBufferPointer, maxSequence: UInt64, _ visit: (UnsafeEntry) throws -> Bool
    ) throws {
        guard var top = unsafe try UnsafeBlockSearch(topIndex, key, maxSequence) else { return }
        if !filterPartitions.isEmpty, unsafe try !mayContain(key, inPartition: top.position) { return }
        // The searches hold pointers into these two; the cache may drop a data block at any time.
        var partitionBlock = unsafe try partition(top.position, top.value)
        defer { extendLifetime(partitionBlock) }
        guard var partition = unsafe try UnsafeBlockSearch(partitionBlock, key, maxSequence) else { return }
        var dataBlock = unsafe try block(partition.value, in: partitionBlock)
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
