// TableReader+Size.swift — how much of a table lies before a key, from the index alone.

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
}
