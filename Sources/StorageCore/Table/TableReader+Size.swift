// TableReader+Size.swift — how much of a table is whose.

extension TableReader {
    /// About how many bytes of the file hold entries before `key`: where the block begins that may hold it.
    func approximateOffset(of key: UnsafeRawBufferPointer) throws -> Int64 {
        let sequence = SequenceNumber.max.rawValue
        var top = UnsafeBlockCursor()
        top.load(topIndex)
        unsafe try top.seek(key, sequence)
        guard top.isValid else { return Int64(clamping: properties.fileByteCount) }
        var partition = UnsafeBlockCursor()
        let index = unsafe try self.partition(top.restart, top.value)
        partition.load(index)
        unsafe try partition.seek(key, sequence)
        guard partition.isValid else { return Int64(clamping: properties.fileByteCount) }
        return Int64(clamping: unsafe try blockHandle(partition.value, in: index).offset)
    }

    /// What the table says that it has of each keyspace; estimated from the index where it says nothing.
    func readKeyspaceSizes() throws -> [KeyspaceSize] {
        let origin = try TableMetaIndex(blocks, footer.metaIndex).readOrigin(blocks)
        guard let origin else { return [] }
        return origin.sizes.isEmpty ? try origin.keyspaces.map(\.id).sorted().compactMap(estimate) : origin.sizes
    }

    private func estimate(of id: UInt32) throws -> KeyspaceSize? {
        let start = try unsafe Keyspace.prefix(of: id).withUnsafeBytes { unsafe try approximateOffset(of: $0) }
        let end = try unsafe Keyspace.prefix(of: id &+ 1).withUnsafeBytes { unsafe try approximateOffset(of: $0) }
        guard end > start else { return nil }
        let part =
            min(Double(end) / Double(max(properties.fileByteCount, 1)), 1)
            - min(Double(start) / Double(max(properties.fileByteCount, 1)), 1)
        return KeyspaceSize(
            id: id, entryCount: Int(exactly: (Double(properties.entryCount) * part).rounded()) ?? 0,
            rawByteCount: Int(exactly: (Double(properties.rawByteCount) * part).rounded()) ?? 0)
    }
}
