// PageBound.swift — where a page of a SELECT ends so that its answer is no larger than it may be.

/// Measures the rows of a page, and knows where the page ends if the next row does not fit.
struct PageBound {
    private let maximumByteCount: Int
    private var byteCount = 0
    private var remaining: Int64 = 0
    private var remainingInPartition: Int64 = 0
    /// The stored key of the last row that was noted; its memory is kept from row to row.
    private var lastKey: [UInt8] = []

    /// - Parameter maximumByteCount: of the whole answer: what stands beside the rows, columns and the paging state, has room too.
    init(maximumByteCount: Int) {
        self.maximumByteCount = maximumByteCount - maximumByteCount / 64
    }

    /// Whether the last of some rows still belongs to the page: the first does, whatever its size.
    mutating func admitsLastRow(of rows: borrowing UnsafeRows) -> Bool {
        byteCount &+= rows.lastRowByteCount
        return rows.count == 1 || byteCount <= maximumByteCount
    }

    /// Takes note of the row that the page ends with, unless there is room for another one.
    mutating func note(_ key: RawSpan, remaining: Int64, remainingInPartition: Int64) {
        self.remaining = remaining
        self.remainingInPartition = max(0, remainingInPartition)
        lastKey.removeAll(keepingCapacity: true)
        lastKey.append(key)
    }

    /// Behind the row that was noted.
    var nextPage: PagingState {
        PagingState(remaining: remaining, remainingInPartition: remainingInPartition, lastKey: lastKey)
    }
}
