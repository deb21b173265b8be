// DependentBuilder.swift — fills a view or an index from existing rows, a bounded chunk for each commit.

/// Walks a table once. Writes that happen between chunks maintain the view or index themselves, so no row is missed.
struct DependentBuilder {
    enum Target {
        case view(View)
        case index(SecondaryIndex)

        var storage: Keyspace {
            switch self {
            case .view(let view): view.storage
            case .index(let index): index.storage
            }
        }
    }

    private static let chunkByteCount = 1 << 20

    private var table: Table
    private(set) var target: Target
    private(set) var progress: BuildProgress
    private let chunkRowCount: Int

    /// - Parameters:
    ///   - earlier: What another builder has done of the same; `nil`: nothing.
    ///   - chunkRowCount: The most rows that a chunk is made of.
    init(table: Table, target: Target, after earlier: BuildProgress? = nil, chunkRowCount: Int = 500) {
        self.table = table
        self.target = target
        self.chunkRowCount = chunkRowCount
        progress = earlier ?? BuildProgress(generation: 0, partitionCount: 0, lastKey: [])
        progress.generation &+= 1
    }

    /// Goes on with the table and the target as a schema has them; false where it has not that target any more.
    mutating func follow(_ schema: Schema) -> Bool {
        guard let current = schema.table(table.identifier) else { return false }
        switch target {
        case .view(let view):
            guard let same = current.views.first(where: { $0.storage.id == view.storage.id }) else { return false }
            target = .view(same)
        case .index(let index):
            guard let same = current.indexes.first(where: { $0.storage.id == index.storage.id }) else { return false }
            target = .index(same)
        }
        table = current
        return true
    }

    /// Writes what belongs to the next chunk of rows; tells whether there is more.
    mutating func buildChunk(_ transaction: WriteTransaction) throws -> Bool {
        let lastKey = progress.lastKey
        // An index may hold what an earlier schema put there; entries written since it began come again below.
        if lastKey.isEmpty, case .index(let index) = target { try transaction.deleteRange(index.storage, .all) }
        let maintenance = DependentMaintenance(table: table, transaction: transaction)
        let range = lastKey.isEmpty ? KeyRange.all : KeyRange(lower: lastKey + [0])
        var cursor = try transaction.cursor(table.storage, range)
        try cursor.seekToFirst()
        var rowCount = 0
        var byteCount = 0
        var partition: [UInt8] = []
        var tombstones = PartitionTombstones()
        while cursor.isValid, rowCount < chunkRowCount, byteCount < Self.chunkByteCount {
            let key = cursor.key.array()
            let parts = try StorageKey.Parts(key.rawSpan)
            if parts.kind != .partitionTombstones {
                let prefix = Array(key[..<parts.prefixByteCount])
                if prefix != partition {
                    partition = prefix
                    tombstones = try maintenance.tombstones(ofPartition: prefix)
                    if !lastKey.starts(with: prefix) { progress.partitionCount += 1 }
                }
                let fragment = cursor.value.array()
                try maintenance.build(target, key: key, fragment: fragment, tombstones: tombstones)
                rowCount += 1
                byteCount += key.count + fragment.count
            }
            progress.lastKey = key
            try cursor.next()
        }
        return cursor.isValid
    }
}
