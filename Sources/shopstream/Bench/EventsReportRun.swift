// EventsReportRun.swift — the parts of the events report, one after the other, each in a storage of its own.

import ArgumentParser
import StorageCore
import StorageTypes
import WideColumnEngine

struct EventsReportSizes {
    var burst: Int
    var sustained: Int
    var view: Int
    var reads: Int
    var coldReads: Int
    var seconds: Double
}

struct EventsReportRun {
    let sizes: EventsReportSizes
    let workload: EventsWorkload
    let directory: String
    private let clock = SystemClock()

    init(sizes: EventsReportSizes, workload: EventsWorkload, directory: String) {
        self.sizes = sizes
        self.workload = workload
        self.directory = directory
    }

    func all(into report: inout EventsReport) throws {
        try Self.withFreshStorage("\(directory)/burst") { try burst(in: $0, into: &report) }
        try Self.withFreshStorage("\(directory)/view") { try viewOverhead(in: $0, into: &report) }
        try Self.withFreshStorage("\(directory)/events", reopening: true) { storage in
            let times = try sustained(in: storage, into: &report)
            try reads(in: storage, times, isCold: false, into: &report)
            try scan(in: storage, into: &report)
            return times
        } reopened: { storage, times in
            try reads(in: storage, times, isCold: true, into: &report)
        }
    }

    // MARK: Storages

    static func withFreshStorage(_ directory: String, _ body: (Storage) async throws -> Void) async throws {
        let storage = try openNew(directory)
        do {
            try await body(storage)
        } catch {
            try? storage.close()
            throw error
        }
        try storage.close()
        try DataOptions.remove(directory)
    }

    private static func withFreshStorage(_ directory: String, _ body: (Storage) throws -> Void) throws {
        try withOpen(openNew(directory), body)
        try DataOptions.remove(directory)
    }

    /// Opens the storage a second time, and keeps it: whoever named a folder may look into it.
    private static func withFreshStorage<R>(
        _ directory: String, reopening: Bool, _ body: (Storage) throws -> R, reopened: (Storage, R) throws -> Void
    ) throws {
        let result = try withOpen(openNew(directory), body)
        try withOpen(Storage.open(at: directory)) { try reopened($0, result) }
    }

    private static func withOpen<R>(_ storage: Storage, _ body: (Storage) throws -> R) throws -> R {
        do {
            let result = try body(storage)
            try storage.close()
            return result
        } catch {
            try? storage.close()
            throw error
        }
    }

    private static func openNew(_ directory: String) throws -> Storage {
        guard try !POSIXFileSystem().exists(directory) else {
            throw ValidationError("\(directory) exists already: remove it, or name another folder with --data.")
        }
        return try Storage.open(at: directory)
    }

    // MARK: Writing

    /// One caller, as fast as it gets.
    private func insert(
        _ count: Int, _ title: String, with statement: PreparedStatement, in storage: Storage
    ) throws -> LoadOutcome {
        var workload = workload
        let progress = LoadProgress(title, operationCount: count)
        defer { progress.finish() }
        return try ClosedLoad(operationCount: count, clock: clock).run(progress: progress.update) { _ in
            try statement.execute(workload.event(at: storage.clock.now))
        }
    }

    private func burst(in storage: Storage, into report: inout EventsReport) throws {
        let tables = try EventTables(in: storage)
        let before = ProcessUsage.current
        let outcome = try insert(sizes.burst, "burst", with: tables.insert, in: storage)
        let used = ProcessUsage.current.processorSeconds - before.processorSeconds
        var section = FigureSection("burst", "Burst of \(grouped(Double(sizes.burst))) events, table and view")
        section.note = "one caller, one by one; flushes run beside it; making the events is in the time"
        section.add("events", "events", .count(outcome.operations))
        section.add("events_per_second", "throughput", .rate(outcome.operationsPerSecond))
        section.add(outcome.latencies)
        section.add("cpu_us_per_event", "CPU by event", .microseconds(used * 1e6 / Double(outcome.operations)))
        report.add(section)
        report.add(EventsSeries("burst", outcome.intervals))
    }

    /// Returns the times between which the events are.
    private func sustained(
        in storage: Storage, into report: inout EventsReport
    ) throws -> ClosedRange<Int64> {
        let tables = try EventTables(in: storage)
        let before = ProcessUsage.current
        let first = storage.clock.now.milliseconds
        let outcome = try insert(sizes.sustained, "sustained", with: tables.insert, in: storage)
        let last = storage.clock.now.milliseconds
        StandardError.write("sustained: until flushes and compactions are done\n")
        let settling = clock.monotonicNanoseconds
        try storage.settle()
        let settleSeconds = Double(clock.monotonicNanoseconds - settling) / 1e9
        let usage = ProcessUsage.current
        let events = Double(outcome.operations)
        var section = FigureSection(
            "sustained", "Sustained: \(grouped(events)) events, table and view, until settled")
        section.note = "one caller, one by one; settled: nothing is left to flush or to compact"
        section.add("events", "events", .count(outcome.operations))
        section.add("events_per_second", "throughput, writing", .rate(outcome.operationsPerSecond))
        section.add(
            "settled_events_per_second", "throughput, until settled", .rate(events / (outcome.seconds + settleSeconds)))
        section.add("settle_s", "settling after the last event", .seconds(settleSeconds))
        section.add(outcome.latencies)
        let used = usage.processorSeconds - before.processorSeconds
        section.add("cpu_us_per_event", "CPU by event, until settled", .microseconds(used * 1e6 / events))
        add(storage.statistics, events: events, to: &section)
        section.add("peak_memory_bytes", "peak resident memory of the process", .bytes(usage.peakByteCount))
        report.add(section)
        report.add(EventsSeries("sustained", outcome.intervals))
        return first...max(first, last)
    }

    private func add(_ statistics: StorageStatistics, events: Double, to section: inout FigureSection) {
        let total = statistics.total
        section.add(
            "write_amplification", "write amplification, with the log",
            statistics.writeAmplification.map { .ratio($0) } ?? .missing)
        section.add(
            "disk_bytes_per_event", "on disk by event, table and view", .bytes(Double(total.byteCount) / events))
        section.add(
            "user_bytes_per_event", "keys and values by event, table and view",
            .bytes(Double(statistics.commits.userByteCount) / events))
        section.add("stalls", "waits for a flush", .count(statistics.stalls.count))
        section.add("longest_stall_us", "longest wait", .microseconds(microseconds(statistics.stalls.maximum)))
        section.add(
            "held_back_s", "held back for compaction, together", .seconds(statistics.delays.total / .seconds(1)))
    }

    private func microseconds(_ duration: Duration) -> Double { duration / .microseconds(1) }

    // MARK: The view

    /// The same operations on the table with the view and on the one without, by turns of small rounds, so that whatever
    /// else the machine does hits both.
    private func viewOverhead(in storage: Storage, into report: inout EventsReport) throws {
        let tables = try EventTables(in: storage)
        var workload = workload
        StandardError.write("view: \(grouped(Double(sizes.view))) events with and without\n")
        // Made ahead, with the times that they would have if they came at the platform's rate.
        let start = storage.clock.now.microseconds
        let events = (0..<sizes.view).map { index in
            workload.event(at: StorageInstant(microseconds: start + Int64(index) * 1_000_000 / 33_333))
        }
        let new = try compare(events, with: tables.insert, without: tables.insertWithoutView)
        let changes = events.map { [.text(workload.user()), $0[0], $0[1], $0[2]] }
        let changed = try compare(changes, with: tables.changeUser, without: tables.changeUserWithoutView)
        var section = FigureSection("view", "What the view costs, \(grouped(Double(sizes.view))) events")
        section.note = "CPU of the process by operation, flushes included, with the view and without, by turns"
        section.add("insert_with_view_us", "new row, with view", .microseconds(new.with))
        section.add("insert_without_view_us", "new row, without", .microseconds(new.without))
        section.add("insert_overhead", "new row, times as much", .ratio(new.with / new.without))
        section.add("key_change_with_view_us", "change of the view's key, with view", .microseconds(changed.with))
        section.add("key_change_without_view_us", "the same update, without", .microseconds(changed.without))
        section.add("key_change_overhead", "change of key, times as much", .ratio(changed.with / changed.without))
        report.add(section)
    }

    /// Microseconds of processor time by operation.
    private func compare(
        _ values: [[CQLValue]], with: PreparedStatement, without: PreparedStatement
    ) throws -> (with: Double, without: Double) {
        var seconds = (with: 0.0, without: 0.0)
        let roundCount = min(20, values.count)
        for round in 0..<roundCount {
            let part = values[values.count * round / roundCount..<values.count * (round + 1) / roundCount]
            seconds.without += try processorSeconds { for values in part { try without.execute(values) } }
            seconds.with += try processorSeconds { for values in part { try with.execute(values) } }
        }
        let scale = 1e6 / Double(values.count)
        return (seconds.with * scale, seconds.without * scale)
    }

    private func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
        let before = ProcessUsage.current.processorSeconds
        try body()
        return ProcessUsage.current.processorSeconds - before
    }

    // MARK: Reading

    private func reads(
        in storage: Storage, _ times: ClosedRange<Int64>, isCold: Bool, into report: inout EventsReport
    ) throws {
        let tables = try EventTables(in: storage)
        let temperature = isCold ? "cold" : "warm"
        StandardError.write("reads: \(temperature)\n")
        let count = isCold ? sizes.coldReads : sizes.reads
        var workload = workload
        let sessions = (0..<count).map { _ in
            // Between the first event and the last: of most sessions more than 500 are left after it.
            [.text(workload.session()), CQLValue.timestamp(Int64.random(in: times, using: &workload.random))]
        }
        let users = (0..<count).map { _ in [.text(workload.user()), CQLValue.timestamp(times.lowerBound - 1)] }
        var section = FigureSection("reads_\(temperature)", "Reads, \(temperature)")
        section.note =
            isCold
            ? "storage reopened, so that its caches were empty; "
                + (PageCache.canDrop
                    ? "the system's cache of its tables is dropped before each read" : "the system's are not")
            : "the same reads were made once before"
        for (key, title, statement, values) in [
            ("session", "up to 500 events of a session after a time", tables.bySession, sessions),
            ("user", "a user's last 100 events, through the view", tables.byUser, users),
        ] {
            if !isCold { _ = try read(statement, values, in: storage, isCold: false) }
            let (histogram, rows) = try read(statement, values, in: storage, isCold: isCold)
            section.add("\(key)_reads", title, .count(count))
            section.add("\(key)_rows_per_read", "… rows by read", .ratio(Double(rows) / Double(count)))
            section.add(histogram, prefix: "\(key)_", label: "… ")
        }
        report.add(section)
    }

    private func read(
        _ statement: PreparedStatement, _ reads: [[CQLValue]], in storage: Storage, isCold: Bool
    ) throws -> (LatencyHistogram, rows: Int) {
        var histogram = LatencyHistogram()
        var rowCount = 0
        for values in reads {
            if isCold { try dropCachedTables() }
            let begin = clock.monotonicNanoseconds
            let result = try statement.execute(values)
            for row in result where row["payload", as: String.self] != nil { rowCount += 1 }
            histogram.record(nanoseconds: clock.monotonicNanoseconds - begin)
        }
        return (histogram, rowCount)
    }

    private func dropCachedTables() throws {
        let folder = "\(directory)/events/tables"
        let tables = try POSIXFileSystem().list(folder).filter { $0.hasSuffix(".sst") }
        guard !tables.isEmpty else { throw ValidationError("\(folder) has no tables: nothing can be read cold.") }
        for name in tables { PageCache.drop("\(folder)/\(name)") }
    }

    private func scan(in storage: Storage, into report: inout EventsReport) throws {
        let tables = try EventTables(in: storage)
        StandardError.write("scan: the whole table\n")
        let begin = clock.monotonicNanoseconds
        var rowCount = 0
        var page: PagingState?
        repeat {
            let result = try tables.all.execute(pageSize: 5_000, pagingState: page)
            rowCount += result.count
            page = result.pagingState
        } while page != nil
        let seconds = Double(clock.monotonicNanoseconds - begin) / 1e9
        guard rowCount == sizes.sustained else {
            throw ValidationError("The table has \(rowCount) rows, \(sizes.sustained) were inserted.")
        }
        var section = FigureSection("scan", "Scan of the whole table, by pages of 5,000 rows")
        section.add("rows", "rows", .count(rowCount))
        section.add("rows_per_second", "rows read", .rate(Double(rowCount) / seconds))
        report.add(section)
    }
}
