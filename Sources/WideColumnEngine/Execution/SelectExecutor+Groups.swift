// SelectExecutor+Groups.swift — rows that become one: GROUP BY, aggregates, and DISTINCT; and what partitions that are
// merged come to.

extension SelectExecutor {
    /// Adds the current row to its group. Where it begins another one, the one before goes into the result.
    mutating func addToGroup(key: RawSpan, clusteringOffset: Int) throws -> Progress {
        let groupKey = try plan.grouping.map { try $0.key(of: row, key, clusteringOffset, context) } ?? []
        if group?.key != groupKey {
            if let finished = group {
                guard try finish(finished) == .more else { return .done }
                if remaining == 0 { return .done }
                if builder.count >= pageSize {
                    nextPage = PagingState(
                        remaining: remaining, remainingInPartition: max(0, finished.remainingInPartition),
                        lastKey: finished.lastKey)
                    return .done
                }
            }
            guard remainingInPartition > 0 else { return .partitionDone }
            remainingInPartition -= 1
            group = RowGroup(
                key: groupKey, row: row, states: plan.aggregates.map { AggregateState($0.function) },
                remainingInPartition: remainingInPartition)
            if plan.mergesPartitions {
                let end = row.clusteringOffset(ofComponent: plan.orderedColumnCount, in: clusteringOffset)
                group?.sortKey = key.extracting(clusteringOffset..<min(end, key.byteCount)).array()
            }
        }
        for (index, aggregate) in plan.aggregates.enumerated() {
            let value = try aggregate.argument.map { try row.value($0, context) } ?? .null
            try group?.states[index].add(value)
        }
        if pageSize != .max { group?.lastKey = key.array() }
        // DISTINCT counts partitions: the first row stands for its own.
        return plan.isDistinct ? .partitionDone : .more
    }

    /// Adds a group to the result, unless the page has no room for it, and has ended.
    private mutating func finish(_ finished: RowGroup) throws -> Progress {
        group = nil
        let mark = builder.rows.mark
        do {
            try appendRow(finished.row, try finished.states.map { try $0.result() })
        } catch { return try endPage(before: mark, because: error) }
        if pageBound?.admitsLastRow(of: builder.rows) == false { return endPage(before: mark) }
        if plan.mergesPartitions { sortKeys.append(finished.sortKey) } else { remaining -= 1 }
        pageBound?.note(
            finished.lastKey.rawSpan, remaining: remaining, remainingInPartition: finished.remainingInPartition)
        return .more
    }

    /// Without GROUP BY aggregates have a result also where there are no rows.
    mutating func finishGroups() throws {
        if let group {
            _ = try finish(group)
        } else if plan.grouping == nil, builder.count == 0 {
            let states = plan.aggregates.map { AggregateState($0.function) }
            try appendRow(RowContext(plan.table, now: row.now), try states.map { try $0.result() })
        }
    }

    /// Brings the rows of several partitions into one order.
    mutating func mergePartitions() {
        let keys = sortKeys
        let isReversed = plan.isReversed
        let order = keys.indices.sorted { left, right in
            if keys[left] == keys[right] { return left < right }
            return keys[left].lexicographicallyPrecedes(keys[right]) != isReversed
        }
        let limit = Int(clamping: remaining)
        builder.reorder(Array(order.prefix(limit)))
    }
}

/// Rows that become one: those of a GROUP BY's group, or all.
struct RowGroup {
    var key: [UInt8]
    /// The first row: what is selected beside aggregates is of it.
    var row: RowContext
    var states: [AggregateState]
    /// Groups that PER PARTITION LIMIT still allows behind this one.
    var remainingInPartition: Int64
    /// The stored key of the last row.
    var lastKey: [UInt8] = []
    /// What ORDER BY compares of the first row, where groups of several partitions are merged.
    var sortKey: [UInt8] = []
}

extension Grouping {
    /// What all rows of a group have in common.
    fileprivate func key(
        of row: RowContext, _ key: RawSpan, _ clusteringOffset: Int, _ context: ExecutionContext
    ) throws -> [UInt8] {
        let end = min(row.clusteringOffset(ofComponent: clusteringCount, in: clusteringOffset), key.byteCount)
        var group = key.extracting(0..<end).array()
        if let function {
            let value = try row.value(function, context)
            if !value.isNull { group += try value.orderedBytes(function.type) }
        }
        return group
    }
}
