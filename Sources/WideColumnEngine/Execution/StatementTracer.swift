// StatementTracer.swift — collects a statement's trace while it runs.
//
// The executor tells which partitions it enters, the storage which memtables, tables and blocks it reads for that. What
// the storage tells is gathered and written when the partition is done, once for each table however often it was asked.
//
// Texts are Cassandra's where it has one ([CA] db/SinglePartitionReadCommand.java, io/sstable/format/big/BigTableReader.java,
// db/ReadCommand.java, db/Keyspace.java). An sstable's number is that of its file.

internal import Synchronization

/// Notes what a statement does, with the time since it began.
final class StatementTracer: Sendable {
    private let store: WideColumnStore
    private let start: UInt64
    private let state: Mutex<State>

    private struct State {
        var trace: StatementTrace
        var path = ResultSet.AccessPath.none
        var access = TracedAccess()
        var writes = TracedWrites()
        var partitionCount = 0
        var liveRowCount = 0
        var tombstoneCount = 0
    }

    init(_ store: WideColumnStore, _ context: TraceContext) {
        self.store = store
        start = store.monotonicNanoseconds
        let now = store.storage.clock.now
        let trace = StatementTrace(context, id: store.generators.timeUUIDs.next(at: now), startedAt: now.milliseconds)
        state = Mutex(State(trace: trace))
    }

    var trace: StatementTrace { state.withLock { $0.trace } }

    func add(_ activity: String) { add([activity]) }

    /// The statement is over.
    func end() {
        let omittedCount = state.withLock { $0.trace.omittedCount }
        let elapsed = store.monotonicNanoseconds &- start
        let ending = (omittedCount > 0 ? ["\(omittedCount) more activities are left out"] : []) + ["Request complete"]
        for activity in ending {
            let id = store.generators.timeUUIDs.next(at: store.storage.clock.now)
            state.withLock { $0.trace.end(activity, id, elapsedNanoseconds: elapsed) }
        }
    }

    private func add(_ activities: [String]) {
        let elapsed = store.monotonicNanoseconds &- start
        let now = store.storage.clock.now
        for activity in activities {
            let id = store.generators.timeUUIDs.next(at: now)
            state.withLock { $0.trace.add(activity, id, elapsedNanoseconds: elapsed) }
        }
    }

    // MARK: Reading

    /// A SELECT begins to read.
    func begin(_ path: ResultSet.AccessPath) {
        state.withLock { $0.path = path }
        switch path {
        case .index, .scan: add(path.trace)
        case .none, .singlePartition, .partitions: break
        }
    }

    /// A SELECT enters a partition. In a scan partitions are counted only: there may be millions.
    func enter(_ parts: StorageKey.Parts, of table: Table) {
        let path = state.withLock { state in
            state.partitionCount += 1
            return state.path
        }
        switch path {
        case .none, .scan: return
        case .index: break
        case .singlePartition(let name), .partitions(let name, _):
            addAccess()
            add("Executing single-partition query on \(name)")
        }
        add(table.definition.partitionText(parts))
    }

    /// A SELECT has looked at a row.
    func note(_ row: RowContext, isLive: Bool) {
        let deadCellCount = row.deadCellCount
        state.withLock { state in
            if isLive { state.liveRowCount += 1 }
            state.tombstoneCount += isLive ? deadCellCount : max(deadCellCount, 1)
        }
    }

    /// A SELECT has read everything.
    func endReading() {
        addAccess()
        let (path, partitions, live, tombstones) = state.withLock {
            ($0.path, $0.partitionCount, $0.liveRowCount, $0.tombstoneCount)
        }
        switch path {
        case .scan, .index: add("Scanned \(partitions) partitions")
        case .none, .singlePartition, .partitions: break
        }
        add("Read \(live) live rows and \(tombstones) tombstone cells")
    }

    private func addAccess() {
        let access = state.withLock { state in
            defer { state.access = TracedAccess() }
            return state.access
        }
        add(access.activities)
    }

    // MARK: Writing

    /// The statement has committed; says nothing if it changed nothing.
    func endWriting() {
        addAccess()
        let writes = state.withLock { $0.writes }
        add(writes.activities(store.catalog.schema))
    }
}

extension StatementTracer: AccessTraceSink {
    func record(_ event: AccessEvent) {
        state.withLock { state in
            switch event {
            case .keyWritten(let keyspace, let key): state.writes.note(keyspace, key)
            case .rangeDeleted(let keyspace, let range): state.writes.note(keyspace, range.lower ?? [])
            default: state.access.note(event)
            }
        }
    }
}

/// What was read of the storage for one partition.
private struct TracedAccess {
    private struct Blocks {
        var cachedCount = 0
        var readCount = 0
        var readByteCount = 0
    }

    private var isFromDatabase = false
    private var isFromMemtables = false
    /// Each once, in the order in which they were met.
    private var ruledOut: [UInt64] = []
    private var foundNothing: [UInt64] = []
    private var tables: [UInt64] = []
    private var blocks: [UInt64: Blocks] = [:]

    mutating func note(_ event: AccessEvent) {
        switch event {
        case .memtables: isFromMemtables = true
        case .database: isFromDatabase = true
        case .tableRuledOut(let number): Self.append(number, to: &ruledOut)
        case .tableSearched(let number, let isFound):
            if isFound { Self.append(number, to: &tables) } else { Self.append(number, to: &foundNothing) }
        case .tableEntered(let number): Self.append(number, to: &tables)
        case .block(let number, let byteCount, let isCached):
            var tally = blocks[number] ?? Blocks()
            if isCached {
                tally.cachedCount += 1
            } else {
                tally.readCount += 1
                tally.readByteCount += byteCount
            }
            blocks[number] = tally
        default: break
        }
    }

    private static func append(_ number: UInt64, to numbers: inout [UInt64]) {
        if !numbers.contains(number) { numbers.append(number) }
    }

    var activities: [String] {
        if isFromDatabase { return ["Reading from the SQLite database"] }
        guard isFromMemtables else { return [] }
        let skipped = foundNothing.filter { !tables.contains($0) }
        var lines = ruledOut.filter { !tables.contains($0) && !skipped.contains($0) }.map {
            "Bloom filter allows skipping sstable \($0)"
        }
        for number in skipped {
            lines.append("Partition index lookup allows skipping sstable \(number)")
            lines += blockLine(number)
        }
        for number in tables {
            lines.append("Partition index found for sstable \(number)")
            lines += blockLine(number)
        }
        return lines + ["Merged data from memtables and \(tables.count) sstables"]
    }

    private func blockLine(_ number: UInt64) -> [String] {
        guard let tally = blocks[number] else { return [] }
        let count = tally.cachedCount + tally.readCount
        return [
            "Read \(count) blocks of sstable \(number): \(tally.cachedCount) from the cache, "
                + "\(tally.readCount) from disk (\(tally.readByteCount) bytes)"
        ]
    }
}

/// What a commit changed, by keyspace of the storage.
private struct TracedWrites {
    /// In the order in which they were first written.
    private var names: [String] = []
    /// A key of each partition, by its prefix.
    private var partitions: [String: [[UInt8]]] = [:]

    mutating func note(_ name: String, _ key: [UInt8]) {
        if partitions[name] == nil { names.append(name) }
        // Index entries begin with the indexed value and have no partition of their own.
        let prefix = (try? StorageKey.Parts(key.rawSpan)).map { Array(key[...$0.prefixByteCount]) }
        var known = partitions[name] ?? []
        if let prefix, !known.contains(where: { $0.starts(with: prefix.dropLast()) }) { known.append(prefix) }
        partitions[name] = known
    }

    func activities(_ schema: Schema) -> [String] {
        guard !names.isEmpty else { return [] }
        var lines = ["Appending to commitlog"]
        var hasNamedViews = false
        for name in names {
            guard let (label, table) = Self.find(name, schema) else { continue }
            if let table {
                if table.isView, !hasNamedViews {
                    lines.append("Creating materialized view mutations from base table replica")
                    hasNamedViews = true
                }
                for key in partitions[name] ?? [] {
                    guard let parts = try? StorageKey.Parts(key.rawSpan) else { continue }
                    lines.append(table.definition.partitionText(parts))
                }
            }
            lines.append("Adding to \(label) memtable")
        }
        return lines
    }

    /// The table, or the index, in a keyspace of the storage.
    private static func find(_ name: String, _ schema: Schema) -> (label: String, table: Table?)? {
        for table in schema.allTables {
            if table.storage.name == name { return (table.identifier.name, table) }
            if let index = table.indexes.first(where: { $0.storage.name == name }) {
                return ("\(table.identifier.name).\(index.definition.name)", nil)
            }
        }
        return nil
    }
}

extension TableDefinition {
    /// A partition's key as literals, and its place on the ring.
    fileprivate func partitionText(_ parts: StorageKey.Parts) -> String {
        let key = parts.partitionKey
        let ranges = (try? PartitionKeyCodec.components(of: key.rawSpan, count: partitionKey.count)) ?? []
        let values = zip(ranges, partitionKey).map { range, column in
            let value = try? CQLValue(key.rawSpan.extracting(range), type: column.type)
            return value?.description ?? Array(key[range]).cqlHexadecimal
        }
        return "Partition key \(values.joined(separator: ", ")) of \(identifier.name) has token \(parts.token)"
    }
}
