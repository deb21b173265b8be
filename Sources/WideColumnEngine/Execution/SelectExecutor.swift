// SelectExecutor.swift — reads partitions, in ring order, and their rows, in clustering order either way.
//
// Deletions come first: an entry of kind 0 is read before the rows it covers. A range of clustering keys is a range of
// stored keys, so a read touches nothing outside of it and stops as soon as it has enough rows.

/// Executes one planned SELECT against one view of the storage.
struct SelectExecutor: ~Copyable {
    let plan: SelectPlan
    let context: ExecutionContext
    let view: ReadView
    private let filters: [Filter.Evaluated]
    let pageSize: Int
    let pagingState: PagingState?
    /// Told of partitions and rows, where the statement is traced.
    var tracer: StatementTracer?
    /// What may end the read early.
    var watch = ReadWatch()
    private let perPartitionLimit: Int64

    var row: RowContext
    private var plainRows: PlainRows?
    var builder: RowBuilder
    var remaining: Int64
    var remainingInPartition: Int64 = .max
    /// The rows that are becoming one.
    var group: RowGroup?
    /// Clustering keys of the rows found, or what is compared of groups, where partitions are merged.
    var sortKeys: [[UInt8]] = []
    var nextPage: PagingState?
    /// Of pages whose bytes are bounded.
    var pageBound: PageBound?
    private var sawLiveRow = false
    private let tombstoneGuard: TombstoneGuard?
    /// More tombstones than these are too many.
    private let tombstoneLimit: Int
    private var liveRowCount = 0
    private var tombstoneWarnings: [String] = []

    init(
        _ plan: SelectPlan, _ context: ExecutionContext, _ view: ReadView, pageSize: Int = .max,
        pagingState: PagingState? = nil, maximumByteCount: Int? = nil, tombstoneGuard: TombstoneGuard? = nil
    ) throws {
        try plan.checkSelection(context.values)
        let limit = try Self.limit(plan.limit, context)
        let perPartitionLimit = plan.isDistinct ? 1 : try Self.limit(plan.perPartitionLimit, context)
        let filters = try plan.whereClause.filters.map { try $0.evaluate(context) }
        if plan.mergesPartitions, limit > pageSize {
            throw CQLError.invalid(
                "Cannot page queries with both ORDER BY and a IN restriction on the partition key; "
                    + "you must either remove the ORDER BY or the IN and sort client side, or disable paging for this query"
            )
        }
        let isWhole = plan.isAggregate && plan.grouping == nil
        let pagingState = isWhole ? nil : pagingState
        try pagingState?.check(of: plan.table.definition)
        self.plan = plan
        self.tombstoneGuard = tombstoneGuard
        tombstoneLimit = tombstoneGuard?.failureCount ?? .max
        self.context = context
        self.view = view
        self.perPartitionLimit = perPartitionLimit
        self.filters = filters
        // Counting, and merging partitions, need every row before the first result.
        self.pageSize = isWhole || plan.mergesPartitions ? .max : max(1, pageSize)
        if self.pageSize != .max { pageBound = maximumByteCount.map { PageBound(maximumByteCount: $0) } }
        self.pagingState = pagingState
        remaining = min(limit, pagingState?.remaining ?? .max)
        let row = RowContext(plan.table, now: context.nowInSeconds ?? view.readTime.seconds)
        self.row = row
        plainRows = plan.plainSelection.map { PlainRows($0, now: row.now, needsMarker: row.needsMarker) }
        builder = RowBuilder(
            plan.layout, maximumCount: min(self.pageSize, Int(clamping: remaining)),
            maximumByteCount: maximumByteCount)
    }

    private static func limit(_ term: BoundTerm?, _ context: ExecutionContext) throws -> Int64 {
        guard let term else { return .max }
        let bytes: [UInt8]
        switch try term.evaluate(context) {
        case .unset: return .max
        case .null: throw CQLError.invalid("Invalid null value of limit")
        case .bytes(let value): bytes = value
        }
        guard case .int(let limit) = try CQLValue(bytes.rawSpan, type: .int), limit > 0 else {
            throw CQLError.invalid("LIMIT must be strictly positive")
        }
        return Int64(limit)
    }

    mutating func run() throws -> ResultSet {
        try watch.check()
        let name = plan.table.identifier.name
        let path: ResultSet.AccessPath
        if let lookup = plan.whereClause.index {
            path = .index(table: name, index: lookup.index.definition.name)
            tracer?.begin(path)
            try readIndex(lookup)
            endRead()
        } else if let partition = plan.whereClause.partition {
            let prefixes = try partition.prefixes(context)
            path =
                prefixes.count == 1
                ? .singlePartition(table: name) : .partitions(table: name, count: prefixes.count)
            tracer?.begin(path)
            try readPartitions(prefixes)
        } else {
            path = .scan(table: name)
            tracer?.begin(path)
            try scan(plan.whereClause.tokens?.range(context) ?? .all)
            endRead()
        }
        tracer?.endReading()
        if plan.isAggregate { try finishGroups() }
        if plan.mergesPartitions { mergePartitions() }
        var result = ResultSet(builder.storage(), accessPath: path, pagingState: nextPage)
        if plan.isAggregate { result.warnings = plan.whereClause.aggregationWarnings }
        result.warnings += tombstoneWarnings
        return result
    }

    // MARK: Whole partition keys

    private mutating func readPartitions(_ prefixes: [[UInt8]]) throws {
        let ranges =
            plan.isReversed
            ? try plan.whereClause.clustering.ranges(context).reversed()
            : try plan.whereClause.clustering.ranges(context)
        let lastPartition = try pagingState.map { state in
            Array(state.lastKey[..<(try StorageKey.Parts(state.lastKey.rawSpan).prefixByteCount)])
        }
        for prefix in prefixes {
            var resumeKey: [UInt8]?
            if let lastPartition, let pagingState {
                if prefix.lexicographicallyPrecedes(lastPartition) { continue }
                if prefix == lastPartition { resumeKey = pagingState.lastKey }
            }
            let goesOn = try readPartition(prefix, ranges, resumeKey)
            endRead()
            guard goesOn else { return }
        }
    }

    /// Returns whether to go on with the next partition.
    mutating func readPartition(
        _ prefix: [UInt8], _ ranges: [(lower: [UInt8], upper: [UInt8]?)], _ resumeKey: [UInt8]?
    ) throws -> Bool {
        try watch.step()
        let tombstoneKey = prefix + [RecordKind.partitionTombstones.rawValue]
        try beginPartition(try StorageKey.Parts(tombstoneKey.rawSpan), isResumed: resumeKey != nil)
        try readHead(ofPartition: prefix)
        let rows = prefix + [RecordKind.row.rawValue]
        for range in ranges {
            var lower = rows + range.lower
            var upper = range.upper.map { rows + $0 } ?? StorageKey.successor(ofPrefix: rows)
            if let resumeKey {
                if plan.isReversed {
                    upper = upper.map { Self.earlier($0, resumeKey) } ?? resumeKey
                } else {
                    lower = Self.later(lower, resumeKey + [0])
                }
                if let upper, !lower.lexicographicallyPrecedes(upper) { continue }
            }
            switch try readRange(KeyRange(lower: lower, upper: upper), clusteringOffset: rows.count) {
            case .more:
                try countRanges(
                    ofPartition: prefix, from: lower[rows.count...],
                    to: upper.flatMap { $0.starts(with: rows) ? $0[rows.count...] : nil })
            case .partitionDone: return true
            case .done: return false
            }
        }
        return try endPartition(prefix) != .done
    }

    private static func earlier(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        left.lexicographicallyPrecedes(right) ? left : right
    }

    private static func later(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        left.lexicographicallyPrecedes(right) ? right : left
    }

    private mutating func readRange(_ range: KeyRange, clusteringOffset: Int) throws -> Progress {
        var cursor = try view.cursor(plan.table.storage, range)
        if plan.isReversed { try cursor.seekToLast() } else { try cursor.seekToFirst() }
        while cursor.isValid {
            try watch.step()
            let progress = try visit(key: cursor.key, value: cursor.value, clusteringOffset: clusteringOffset)
            guard progress == .more else { return progress }
            if plan.isReversed { try cursor.previous() } else { try cursor.next() }
        }
        return .more
    }

    // MARK: The whole ring, or a part of it

    private mutating func scan(_ range: KeyRange) throws {
        var range = range
        // Where the rows of the partition begin that were not on an earlier page.
        var start: [UInt8] = []
        let resumption = pagingState?.resumption(in: range)
        if resumption?.isDone == true { return }
        // Empty before the first one.
        var partition: [UInt8] = []
        var clusteringOffset = 0
        var isPartitionDone = false
        // Of the partition that is done.
        var skippedCount = 0
        if let resumed = resumption?.state {
            range.lower = resumed.lastKey + [0]
            // The page ended inside a partition: its deletions and static row lie before the range.
            let parts = try StorageKey.Parts(resumed.lastKey.rawSpan)
            partition = Array(resumed.lastKey[..<parts.prefixByteCount])
            clusteringOffset = parts.clusteringOffset
            start = Array(resumed.lastKey[clusteringOffset...])
            try beginPartition(parts, isResumed: true)
            try readHead(ofPartition: partition)
        }
        var cursor = try view.cursor(plan.table.storage, range)
        try cursor.seekToFirst()
        while cursor.isValid {
            try watch.step()
            if partition.isEmpty || !cursor.key.starts(with: partition.rawSpan) {
                if !isPartitionDone, try endPartition(partition, from: start) == .done { return }
                start = []
                let parts = try StorageKey.Parts(cursor.key)
                partition = cursor.key.extracting(first: parts.prefixByteCount).array()
                clusteringOffset = parts.clusteringOffset
                isPartitionDone = false
                skippedCount = 0
                try beginPartition(parts, isResumed: false)
            }
            if isPartitionDone {
                skippedCount += 1
                if skippedCount > Self.maximumSkippedCount {
                    skippedCount = 0
                    guard let next = StorageKey.successor(ofPrefix: partition) else { return }
                    try cursor.seek(next.rawSpan)
                    continue
                }
            } else {
                switch try visitAny(key: cursor.key, value: cursor.value, clusteringOffset: clusteringOffset) {
                case .more: break
                case .partitionDone: isPartitionDone = true
                case .done: return
                }
            }
            try cursor.next()
        }
        if !isPartitionDone { _ = try endPartition(partition, from: start) }
    }

    /// Walking past a few rows costs less than looking for the next partition.
    private static let maximumSkippedCount = 16

    mutating func readHead(ofPartition prefix: [UInt8]) throws {
        let storage = plan.table.storage
        let tombstoneKey = prefix + [RecordKind.partitionTombstones.rawValue]
        if let value = try view.get(storage, tombstoneKey.rawSpan) { try row.setTombstones(value.rawSpan) }
        guard !plan.table.definition.staticColumns.isEmpty else { return }
        let staticKey = prefix + [RecordKind.staticRow.rawValue]
        if let value = try view.get(storage, staticKey.rawSpan) { try row.setStaticRow(value.rawSpan) }
    }

    private mutating func visitAny(key: RawSpan, value: RawSpan, clusteringOffset: Int) throws -> Progress {
        let kind = unsafe key.unsafeLoad(fromByteOffset: clusteringOffset - 1, as: UInt8.self)
        switch RecordKind(rawValue: kind) {
        case .partitionTombstones: try row.setTombstones(value)
        case .staticRow: try row.setStaticRow(value)
        case .row: return try visit(key: key, value: value, clusteringOffset: clusteringOffset)
        case nil: throw ByteReader.tooShort
        }
        return .more
    }

    // MARK: Partitions and rows

    enum Progress {
        case more, partitionDone, done
    }

    mutating func beginPartition(_ parts: StorageKey.Parts, isResumed: Bool) throws {
        tracer?.enter(parts, of: plan.table)
        try row.enter(parts)
        plainRows?.enterPartition(row.partitionKey)
        sawLiveRow = isResumed
        let limit = isResumed ? min(pagingState?.remainingInPartition ?? .max, perPartitionLimit) : perPartitionLimit
        // Where partitions are merged, each may give all rows of the result; the rest is cut after the merge.
        remainingInPartition = plan.mergesPartitions ? min(limit, remaining) : limit
    }

    /// Ends a partition of a scan, of whose rows those from `start` on were read.
    private mutating func endPartition(_ prefix: [UInt8], from start: [UInt8]) throws -> Progress {
        if !prefix.isEmpty { try countRanges(ofPartition: prefix, from: start[...], to: nil) }
        return try endPartition(prefix)
    }

    /// A partition with a static row and no others gives one row, unless clustering columns are restricted.
    private mutating func endPartition(_ prefix: [UInt8]) throws -> Progress {
        guard !prefix.isEmpty, !sawLiveRow, row.hasLiveStaticRow, !plan.whereClause.restrictsClustering else {
            return .more
        }
        row.clearRow()
        let key = prefix + [RecordKind.row.rawValue]
        return try emit(key: key.rawSpan, clusteringOffset: key.count)
    }

    mutating func visit(key: RawSpan, value: RawSpan, clusteringOffset: Int) throws -> Progress {
        guard remainingInPartition > 0 || plan.isAggregate else { return .partitionDone }
        if row.tombstones.isEmpty, tracer == nil, plainRows != nil {
            return try visitPlainRow(key: key, value: value, clusteringOffset: clusteringOffset)
        }
        let isLive = try row.setRow(key: key, clusteringOffset: clusteringOffset, value: value)
        tracer?.note(row, isLive: isLive)
        try checkTombstones(key)
        guard isLive else { return .more }
        noteLiveRow()
        return try emit(key: key, clusteringOffset: clusteringOffset)
    }

    private mutating func visitPlainRow(key: RawSpan, value: RawSpan, clusteringOffset: Int) throws -> Progress {
        let mark = builder.rows.mark
        let isLive: Bool
        do {
            isLive =
                try plainRows?.append(key: key, clusteringOffset: clusteringOffset, value: value, to: &builder.rows)
                ?? false
        } catch { return try endPage(before: mark, because: error) }
        try checkTombstones(key)
        guard isLive else { return .more }
        noteLiveRow()
        return countRow(key: key, clusteringOffset: clusteringOffset, from: mark)
    }

    private mutating func noteLiveRow() {
        sawLiveRow = true
        liveRowCount &+= 1
    }

    // MARK: Tombstones

    private var tombstoneCount: Int { row.tombstoneCount &+ (plainRows?.tombstoneCount ?? 0) }

    @inline(__always)
    private func checkTombstones(_ key: RawSpan) throws {
        if tombstoneCount > tombstoneLimit { try failForTombstones(key) }
    }

    @inline(never)
    private func failForTombstones(_ key: RawSpan) throws {
        guard let tombstoneGuard else { return }
        throw try tombstoneGuard.failure(tombstoneCount: tombstoneCount, plan.table.definition, row: key)
    }

    /// Counts the deleted ranges among rows that were all read.
    private mutating func countRanges(
        ofPartition prefix: [UInt8], from lower: ArraySlice<UInt8>, to upper: ArraySlice<UInt8>?
    ) throws {
        guard !row.tombstones.ranges.isEmpty else { return }
        row.tombstoneCount &+= row.tombstones.boundCount(from: lower, to: upper)
        let key = prefix + [RecordKind.partitionTombstones.rawValue]
        try checkTombstones(key.rawSpan)
    }

    /// Ends what Cassandra takes for one read: of a partition that is named, be it by an index, or of all of them.
    mutating func endRead() {
        if let tombstoneGuard, tombstoneCount > tombstoneGuard.warningCount {
            tombstoneWarnings.append(
                tombstoneGuard.warning(
                    liveRowCount: liveRowCount, tombstoneCount: tombstoneCount, token: row.token))
        }
        liveRowCount = 0
        row.tombstoneCount = 0
        plainRows?.tombstoneCount = 0
    }

    // MARK: The result

    /// Adds the current row to the result, if the filters accept it.
    private mutating func emit(key: RawSpan, clusteringOffset: Int) throws -> Progress {
        // With DISTINCT, filters are of what all rows of the partition share.
        guard try row.accepts(filters) else { return plan.isDistinct ? .partitionDone : .more }
        if plan.isAggregate { return try addToGroup(key: key, clusteringOffset: clusteringOffset) }
        let mark = builder.rows.mark
        do {
            if plan.isJSON {
                try appendRow(row, [])
            } else {
                // Not as above: no copy of the row.
                for value in plan.selection { try row.append(value, context, to: &builder) }
                try builder.endRow()
            }
        } catch { return try endPage(before: mark, because: error) }
        return countRow(key: key, clusteringOffset: clusteringOffset, from: mark)
    }

    /// Takes note of a row that is in the result since `mark`; tells how to go on.
    private mutating func countRow(key: RawSpan, clusteringOffset: Int, from mark: UnsafeRows.Mark) -> Progress {
        if pageBound?.admitsLastRow(of: builder.rows) == false { return endPage(before: mark) }
        remainingInPartition -= 1
        if plan.mergesPartitions {
            sortKeys.append(key.extracting(clusteringOffset..<key.byteCount).array())
        } else {
            remaining -= 1
        }
        if remaining == 0 { return .done }
        if builder.count >= pageSize {
            nextPage = PagingState(
                remaining: remaining, remainingInPartition: max(0, remainingInPartition), lastKey: key.array())
            return .done
        }
        pageBound?.note(key, remaining: remaining, remainingInPartition: remainingInPartition)
        return remainingInPartition > 0 ? .more : .partitionDone
    }

    /// Ends the page before the row that was appended since `mark`: the next page begins with that.
    mutating func endPage(before mark: UnsafeRows.Mark) -> Progress {
        builder.removeRows(from: mark)
        nextPage = pageBound?.nextPage
        return .done
    }

    /// As above, where the row could not be appended.
    ///
    /// - Throws: the error, unless the row did not fit on a page that has others.
    mutating func endPage(before mark: UnsafeRows.Mark, because error: any Error) throws -> Progress {
        guard pageBound != nil, builder.rows.isTooLarge, mark.count > 0 else { throw error }
        return endPage(before: mark)
    }

    // MARK: After the last row

    /// Adds the selected values of a row, or of a group by its first row.
    mutating func appendRow(_ row: RowContext, _ aggregates: [CQLValue]) throws {
        if plan.isJSON {
            let members = try zip(plan.names, plan.selection).map { name, selected in
                JSONValue.Member(
                    name: CQLValue.jsonName(name),
                    value: try row.value(selected, context, aggregates).json(as: selected.type))
            }
            try builder.append(.text(JSONValue.object(members).description), .text)
        } else {
            for value in plan.selection { try row.append(value, context, aggregates, to: &builder) }
        }
        try builder.endRow()
    }
}

extension WhereClause {
    /// By what is restricted, however it is read ([CA] cql3/statements/SelectStatement.java, `execute` of aggregation queries).
    fileprivate var aggregationWarnings: [String] {
        guard restrictsPartition else { return ["Aggregation query used without partition key"] }
        return hasPartitionIn ? ["Aggregation query used on multiple partition keys (IN restriction)"] : []
    }
}
