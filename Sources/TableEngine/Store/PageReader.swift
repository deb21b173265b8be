// PageReader.swift — one page of items from a range of keys.

internal import StorageCore

/// Reads items from a range until the page is full, and filters and projects them.
struct PageReader {
    /// Bytes that a page reads, before the filter.
    static let byteLimit = 1024 * 1024

    let table: Table
    var range: KeyRange
    var isForward = true
    let limit: Int?
    let filter: BoundCondition?
    let projection: Projection?

    /// Goes on behind a key, in the reader's direction.
    mutating func start(after key: [UInt8]) {
        if isForward {
            // No key lies between these bytes and the same with a zero behind them.
            range.lower = key + [0]
        } else {
            range.upper = key
        }
    }

    /// The page. That it was cut short by the limit shows as a last key, whether or not more items follow.
    func page(in view: ReadView) throws -> ItemPage {
        var cursor = try view.cursor(table.keyspace, range)
        try isForward ? cursor.seekToFirst() : cursor.seekToLast()
        var items: [Item] = []
        var scanned = 0
        var byteCount = 0
        while cursor.isValid {
            let item = try ItemCodec.decode(cursor.value)
            scanned += 1
            byteCount += item.sizeInBytes
            if filter?.isMet(by: item) ?? true { items.append(projection?.applied(to: item) ?? item) }
            try isForward ? cursor.next() : cursor.previous()
            let isFull = scanned == limit || (byteCount >= Self.byteLimit && cursor.isValid)
            if isFull {
                return ItemPage(items: items, scannedCount: scanned, lastEvaluatedKey: table.schema.key(of: item))
            }
        }
        return ItemPage(items: items, scannedCount: scanned, lastEvaluatedKey: nil)
    }
}

extension KeyCondition {
    /// The keys that meet the condition.
    ///
    /// - Throws: `ValidationException` if a value does not fit the schema.
    func range(_ schema: KeySchema) throws -> KeyRange {
        guard partition.type == schema.partitionKey.type else { throw Self.typeMismatch }
        let prefix = try ItemKey.prefix(ofPartition: partition, schema)
        guard let sort, let sortKey = schema.sortKey else { return .prefix(prefix) }
        for value in sortValues {
            guard value.type == sortKey.type else { throw Self.typeMismatch }
            try ItemKey.check(sort: value, sortKey)
        }
        return Self.range(of: sort, in: .prefix(prefix))
    }

    private static func range(of sort: SortCondition, in partition: KeyRange) -> KeyRange {
        let prefix = partition.lower ?? []
        func key(_ value: AttributeValue) -> [UInt8] {
            var bytes = prefix
            ItemKey.append(sort: value, to: &bytes)
            return bytes
        }
        // A key with a zero behind it is the bound right after the key itself.
        switch sort {
        case .compare(.equal, let value): return KeyRange(lower: key(value), upper: key(value) + [0])
        case .compare(.less, let value): return KeyRange(lower: prefix, upper: key(value))
        case .compare(.lessOrEqual, let value): return KeyRange(lower: prefix, upper: key(value) + [0])
        case .compare(.greater, let value): return KeyRange(lower: key(value) + [0], upper: partition.upper)
        case .compare(.greaterOrEqual, let value): return KeyRange(lower: key(value), upper: partition.upper)
        case .compare(.notEqual, _): return partition
        case .between(let lower, let upper): return KeyRange(lower: key(lower), upper: key(upper) + [0])
        case .beginsWith(let value): return .prefix(key(value))
        }
    }

    private static let typeMismatch = TableError.invalidParameter(
        "Condition parameter type does not match schema type")
}
