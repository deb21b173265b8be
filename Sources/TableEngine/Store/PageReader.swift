// PageReader.swift — one page of items from a range of keys.

internal import StorageCore

/// Reads items from a range until the page is full, and filters and projects them.
struct PageReader {
    /// Bytes that a page reads, before the filter.
    static let byteLimit = 1024 * 1024

    let source: PageSource
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
        var cursor = try view.cursor(source.keyspace, range)
        try isForward ? cursor.seekToFirst() : cursor.seekToLast()
        var items: [Item] = []
        var scanned = 0
        var byteCount = 0
        while cursor.isValid {
            let entry = try ItemCodec.decode(cursor.value)
            let item = try source.readsWholeItems ? source.wholeItem(of: entry, in: view) : entry
            scanned += 1
            byteCount += item.sizeInBytes
            if filter?.isMet(by: item) ?? true { items.append(projection?.applied(to: item) ?? item) }
            try isForward ? cursor.next() : cursor.previous()
            let isFull = scanned == limit || (byteCount >= Self.byteLimit && cursor.isValid)
            if isFull {
                return ItemPage(items: items, scannedCount: scanned, lastEvaluatedKey: item.selecting(source.keyNames))
            }
        }
        return ItemPage(items: items, scannedCount: scanned, lastEvaluatedKey: nil)
    }
}

extension KeyCondition {
    /// The keys that meet the condition.
    ///
    /// - Throws: `ValidationException` if a value does not fit the schema.
    func range(in source: PageSource) throws -> KeyRange {
        let schema = source.schema
        guard partition.type == schema.partitionKey.type else { throw Self.typeMismatch }
        let prefix = try ItemKey.prefix(ofPartition: partition, schema)
        guard let sort, let sortKey = schema.sortKey else { return .prefix(prefix) }
        for value in sortValues {
            guard value.type == sortKey.type else { throw Self.typeMismatch }
            try ItemKey.check(sort: value, sortKey)
        }
        let bounds = SortBounds(partition: .prefix(prefix), prefix: prefix, isLast: source.index == nil)
        return bounds.range(of: sort)
    }

    private static let typeMismatch = TableError.invalidParameter(
        "Condition parameter type does not match schema type")
}

/// Where values of the sort key lie within a partition.
private struct SortBounds {
    let partition: KeyRange
    let prefix: [UInt8]
    /// Whether keys end with the sort key, as in a table; in an index the table's key follows.
    let isLast: Bool

    func range(of sort: KeyCondition.SortCondition) -> KeyRange {
        switch sort {
        case .compare(.equal, let value): KeyRange(lower: at(value), upper: behind(value))
        case .compare(.less, let value): KeyRange(lower: prefix, upper: at(value))
        case .compare(.lessOrEqual, let value): KeyRange(lower: prefix, upper: behind(value))
        case .compare(.greater, let value): KeyRange(lower: behind(value), upper: partition.upper)
        case .compare(.greaterOrEqual, let value): KeyRange(lower: at(value), upper: partition.upper)
        case .compare(.notEqual, _): partition
        case .between(let lower, let upper): KeyRange(lower: at(lower), upper: behind(upper))
        // The two bytes that end a component are not part of what continuations share.
        case .beginsWith(let value): .prefix(isLast ? at(value) : Array(at(value).dropLast(2)))
        }
    }

    private func at(_ value: AttributeValue) -> [UInt8] {
        var bytes = prefix
        ItemKey.append(sort: value, to: &bytes, isLast: isLast)
        return bytes
    }

    /// The bound right behind the keys with this value.
    private func behind(_ value: AttributeValue) -> [UInt8]? {
        // A key with a zero behind it is the next possible key.
        isLast ? at(value) + [0] : KeyRange.prefix(at(value)).upper
    }
}
