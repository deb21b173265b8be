// SelectExecutor+Index.swift — reads by a secondary index: its entries lead to rows, which are read and tested one by one.

extension SelectExecutor {
    mutating func readIndex(_ lookup: IndexLookup) throws {
        let value = try lookup.prefix(context)
        let ranges = try plan.whereClause.clustering.ranges(context)
        if let partition = plan.whereClause.partition {
            let lastPartition = pagingState.map { Self.partition(of: $0.lastKey) }
            for prefix in try partition.prefixes(context) {
                var resumeKey: [UInt8]?
                if let lastPartition {
                    if prefix.lexicographicallyPrecedes(lastPartition) { continue }
                    if prefix == lastPartition { resumeKey = pagingState?.lastKey }
                }
                let upper = StorageKey.successor(ofPrefix: value + prefix)
                let goesOn = try readEntries(
                    lookup.index, value, lower: value + prefix, upper: upper, ranges, after: resumeKey)
                endRead()
                guard goesOn else { return }
            }
            return
        }
        let tokens = try plan.whereClause.tokens?.range(context) ?? .all
        let resumption = pagingState?.resumption(in: tokens)
        if resumption?.isDone == true { return }
        let upper = tokens.upper.map { value + $0 } ?? StorageKey.successor(ofPrefix: value)
        _ = try readEntries(
            lookup.index, value, lower: value + (tokens.lower ?? []), upper: upper, ranges,
            after: resumption?.state?.lastKey)
    }

    private static func partition(of key: [UInt8]) -> [UInt8] {
        guard let parts = try? StorageKey.Parts(key.rawSpan) else { return key }
        return Array(key[..<parts.prefixByteCount])
    }

    /// Reads the rows that a range of an index's entries leads to; tells whether to go on.
    ///
    /// - Parameters:
    ///   - ranges: of clustering keys, ascending and disjoint.
    ///   - resumeKey: the last row of the page before, if it lies in the range.
    private mutating func readEntries(
        _ index: SecondaryIndex, _ value: [UInt8], lower: [UInt8], upper: [UInt8]?,
        _ ranges: [(lower: [UInt8], upper: [UInt8]?)], after resumeKey: [UInt8]?
    ) throws -> Bool {
        var lower = lower
        if let resumeKey {
            guard let resumed = try resume(index, value, ranges, after: resumeKey) else { return false }
            if lower.lexicographicallyPrecedes(resumed) { lower = resumed }
        }
        if let upper, !lower.lexicographicallyPrecedes(upper) { return true }
        var current: [UInt8] = []
        var cursor = try view.cursor(index.storage, KeyRange(lower: lower, upper: upper))
        try cursor.seekToFirst()
        while cursor.isValid {
            try watch.step()
            let key = Array(cursor.key.array().dropFirst(value.count))
            let parts = try StorageKey.Parts(key.rawSpan)
            let partition = Array(key[..<parts.prefixByteCount])
            var progress = Progress.more
            if parts.kind == .staticRow {
                guard try readPartition(partition, ranges, nil) else { return false }
                progress = .partitionDone
            } else {
                if partition != current {
                    current = partition
                    try beginPartition(parts, isResumed: isResumed(partition))
                    try readHead(ofPartition: partition)
                }
                progress = try read(key, parts, ranges)
            }
            switch progress {
            case .more: try cursor.next()
            case .done: return false
            case .partitionDone:
                guard let next = StorageKey.successor(ofPrefix: value + partition) else { return true }
                try cursor.seek(next.rawSpan)
            }
        }
        return true
    }

    private func isResumed(_ partition: [UInt8]) -> Bool {
        pagingState.map { $0.lastKey.starts(with: partition) } ?? false
    }

    private mutating func read(
        _ key: [UInt8], _ parts: StorageKey.Parts, _ ranges: [(lower: [UInt8], upper: [UInt8]?)]
    ) throws -> Progress {
        let clustering = key[parts.clusteringOffset...]
        // The one range that may have the row is the last that does not begin behind it.
        let next = ranges.partitioningIndex { clustering.lexicographicallyPrecedes($0.lower) }
        guard next > 0, ranges[next - 1].upper.map({ clustering.lexicographicallyPrecedes($0) }) ?? true,
            let value = try view.get(plan.table.storage, key.rawSpan)
        else { return .more }
        return try visit(key: key.rawSpan, value: value.rawSpan, clusteringOffset: parts.clusteringOffset)
    }

    /// Where entries go on after a page; `nil` if the page's rest filled this one. A page that ended in a partition found
    /// by its static row goes on inside of it.
    private mutating func resume(
        _ index: SecondaryIndex, _ value: [UInt8], _ ranges: [(lower: [UInt8], upper: [UInt8]?)],
        after lastKey: [UInt8]
    ) throws -> [UInt8]? {
        let partition = Self.partition(of: lastKey)
        let staticEntry = value + partition + [RecordKind.staticRow.rawValue]
        guard try view.get(index.storage, staticEntry.rawSpan) != nil else { return value + lastKey + [0] }
        guard try readPartition(partition, ranges, lastKey) else { return nil }
        return StorageKey.successor(ofPrefix: value + partition) ?? value + lastKey + [0]
    }
}
