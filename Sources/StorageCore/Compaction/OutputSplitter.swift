// OutputSplitter.swift — where a leveled compaction ends one output table and starts the next.
//
// At a size; and before, where the tables of the level after the output's begin: an output that ends there shares fewer of
// them with its neighbours when it is compacted itself. An output that meets too much there is ended early, so that no
// single table is expensive to move down.

struct OutputSplitter {
    private let tableByteCount: Int
    private let maximumOverlapByteCount: Int64
    /// The tables of the level below the output's, in key order.
    private let below: [TableMetadata]
    private var next = 0
    private var met: Int64 = 0

    init(tableByteCount: Int, below: [TableMetadata] = [], maximumOverlapByteCount: Int64 = .max) {
        self.tableByteCount = tableByteCount
        self.below = below
        self.maximumOverlapByteCount = maximumOverlapByteCount
    }

    /// Whether a table of `byteCount` bytes so far ends before `key`. Keys come in ascending order.
    mutating func endsTable(before key: UnsafeRawBufferPointer, byteCount: Int) -> Bool {
        var crossed = false
        while next < below.count, unsafe below[next].isBelow(key) {
            met += below[next].byteCount
            next += 1
            crossed = true
        }
        guard byteCount > 0 else {
            met = 0
            return false
        }
        let ends =
            byteCount >= tableByteCount || crossed && byteCount >= tableByteCount / 2 || met > maximumOverlapByteCount
        if ends { met = 0 }
        return ends
    }
}
