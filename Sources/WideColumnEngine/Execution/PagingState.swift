// PagingState.swift — where a page of a result ended.
//
//   ┌ version 1 ┬ remaining 8 ┬ remaining in partition 8 ┬ stored key of the last row … ┐
//
// A client may keep it, send it back later, and tamper with it: it is checked like any other input.

/// Where the next page of a result begins. It stays valid across restarts.
public struct PagingState: Hashable, Sendable {
    private static let formatVersion: UInt8 = 1

    /// Rows that LIMIT still allows.
    var remaining: Int64
    /// Rows that PER PARTITION LIMIT still allows in the partition of `lastKey`.
    var remainingInPartition: Int64
    var lastKey: [UInt8]

    init(remaining: Int64, remainingInPartition: Int64, lastKey: [UInt8]) {
        self.remaining = remaining
        self.remainingInPartition = remainingInPartition
        self.lastKey = lastKey
    }

    /// The state in the form that goes over a wire.
    public var bytes: [UInt8] {
        var bytes = [Self.formatVersion]
        bytes.appendBigEndian(remaining)
        bytes.appendBigEndian(remainingInPartition)
        return bytes + lastKey
    }

    private static var invalid: CQLError { CQLError(.protocolError, "Invalid value for the paging state") }

    /// - Throws: `ProtocolException` if these are not the bytes of a state.
    public init(bytes: [UInt8]) throws {
        guard bytes.count > 17, bytes[0] == Self.formatVersion else { throw Self.invalid }
        var reader = ByteReader(bytes.rawSpan, at: 1)
        remaining = try reader.bigEndian(Int64.self)
        remainingInPartition = try reader.bigEndian(Int64.self)
        lastKey = Array(bytes[17...])
        guard remaining > 0, remainingInPartition >= 0, (try? StorageKey.Parts(lastKey.rawSpan)) != nil else {
            throw Self.invalid
        }
    }

    /// Refuses the state of a query of another table.
    ///
    /// - Throws: `ProtocolException` if the table can't have a row with the state's key.
    func check(of table: TableDefinition) throws {
        guard (try? isKey(of: table)) == true else { throw Self.invalid }
    }

    /// What is still to be read of a part of the ring.
    ///
    /// - Returns: the state, if its row is in that part, else `nil`: the part is still to be read whole, or not at all, which
    ///   `isDone` tells.
    func resumption(in range: KeyRange) -> (state: PagingState?, isDone: Bool) {
        if let upper = range.upper, !lastKey.lexicographicallyPrecedes(upper) { return (nil, true) }
        if let lower = range.lower, lastKey.lexicographicallyPrecedes(lower) { return (nil, false) }
        return (self, false)
    }

    private func isKey(of table: TableDefinition) throws -> Bool {
        let parts = try StorageKey.Parts(lastKey.rawSpan)
        let partitionKey = parts.partitionKey
        guard parts.kind == .row, parts.token == Murmur3.token(partitionKey.rawSpan) else { return false }
        let ranges = try PartitionKeyCodec.components(of: partitionKey.rawSpan, count: table.partitionKey.count)
        for (range, column) in zip(ranges, table.partitionKey) {
            _ = try CQLValue(partitionKey.rawSpan.extracting(range), type: column.type)
        }
        var offset = parts.clusteringOffset
        // A static row alone is a row without a clustering key.
        if offset == lastKey.count { return true }
        for column in table.clustering {
            var value: [UInt8] = []
            try OrderedComponent.decode(
                lastKey.rawSpan, at: &offset, column.type, descending: column.isDescending, into: &value)
            _ = try CQLValue(value.rawSpan, type: column.type)
        }
        return offset == lastKey.count
    }
}
