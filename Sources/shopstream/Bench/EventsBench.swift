// EventsBench.swift — `shopstream bench events`: the events table and its view, at one offered rate or in a whole report.

import ArgumentParser
import StorageCore
import StorageTypes
import WideColumnEngine

struct EventsBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Inserts events of live sessions into a table with a materialized view, one caller, buffered.",
        discussion: """
            With --rate: one load at that rate. Without: a report of a burst, sustained inserts until flushes and \
            compactions are done, the reads by session and by user warm and cold, a scan, what the view costs, and a \
            load at 33,333 a second; about a minute with --quick.
            """)

    @Option(help: "Events offered each second. Default: the whole report.")
    var rate: Double?

    @OptionGroup var load: LoadOptions
    @OptionGroup var data: DataOptions

    @Flag(help: "The report on small data.")
    var quick = false

    @Option(help: "Events of the report's sustained inserts, which its reads read. (default: 10000000, quick: 300000)")
    var events: Int?

    @Option(help: "Events of the report's burst. (default: 1000000, quick: 100000)")
    var burst: Int?

    @Option(help: "Events of the report's comparison with and without the view. (default: 200000, quick: 30000)")
    var viewEvents: Int?

    @Option(help: "Each of the report's reads, warm. (default: 2000, quick: 300)")
    var reads: Int?

    @Option(help: "Each of the report's reads, cold. (default: 100, quick: 20)")
    var coldReads: Int?

    @Option(help: "Live sessions at once.")
    var sessions = 200

    @Option(
        help: "Viewers. (default: 100000; the report has fewer where not everyone would have 100 events)")
    var users: Int?

    @Option(help: "Seed of sessions, viewers and identifiers.")
    var seed: UInt64 = 42

    @Option(help: "Writes throughput and latency over time to this SVG file.")
    var plot: String?

    @Option(help: "Writes the figures to this file: JSON if its name ends with .json, Markdown otherwise.")
    var report: String?

    func validate() throws {
        if let rate { try LoadOptions.validate(rate: rate) }
        let sizes = [events, burst, viewEvents, reads, coldReads, users, sessions].compactMap { $0 }
        guard sizes.allSatisfy({ $0 > 0 }) else { throw ValidationError("Every size must be at least 1.") }
    }

    func run() async throws {
        var document = EventsReport(startedAt: SystemClock().now)
        if let rate {
            try await data.withStorage { storage in
                let (section, outcome) = try await offer("events", rate, seconds: load.duration, in: storage)
                document.add(section)
                document.add(EventsSeries("\(grouped(rate))/s offered", outcome.intervals))
            }
            document.sections.first?.print(asJSON: load.json)
        } else {
            try await data.withDirectory { directory in
                let workload = makeWorkload(defaultUserCount: min(100_000, max(1, sizes.sustained / 150)))
                let run = EventsReportRun(sizes: sizes, workload: workload, directory: directory)
                try run.all(into: &document)
                // The last part is a load like the one that --rate asks for.
                try await EventsReportRun.withFreshStorage("\(directory)/offered") { storage in
                    let (section, outcome) = try await offer("offered", 33_333, seconds: sizes.seconds, in: storage)
                    document.add(section)
                    document.add(EventsSeries("33,333/s offered", outcome.intervals))
                }
            }
            print(load.json ? document.json : document.text)
        }
        if !load.json { document.printSparklines() }
        if let plot { try document.plot.write(to: plot) }
        if let report { try (report.hasSuffix(".json") ? document.json : document.markdown).write(to: report) }
    }

    private func makeWorkload(defaultUserCount: Int = 100_000) -> EventsWorkload {
        EventsWorkload(sessionCount: sessions, userCount: users ?? defaultUserCount, seed: seed)
    }

    private var sizes: EventsReportSizes {
        EventsReportSizes(
            burst: burst ?? (quick ? 100_000 : 1_000_000), sustained: events ?? (quick ? 300_000 : 10_000_000),
            view: viewEvents ?? (quick ? 30_000 : 200_000), reads: reads ?? (quick ? 300 : 2_000),
            coldReads: coldReads ?? (quick ? 20 : 100), seconds: load.duration(orElse: quick ? 5 : 30))
    }

    private func offer(
        _ key: String, _ rate: Double, seconds: Double, in storage: Storage
    ) async throws -> (FigureSection, LoadOutcome) {
        let offered = OfferedLoad(operationsPerSecond: rate, seconds: seconds, clock: SystemClock())
        let machine = try await offered.machineLatencies(seconds: min(seconds / 3, 10))
        let tables = try EventTables(in: storage)
        var workload = makeWorkload()
        let progress = LoadProgress("events", operationCount: offered.operationCount)
        defer { progress.finish() }
        let outcome = try await offered.run(progress: progress.update) { _ in
            try tables.insert.execute(workload.event(at: storage.clock.now))
        }
        var section = FigureSection(
            key, "Events at a fixed rate, table and view", offeredRate: rate, outcome)
        section.add(machine, prefix: "machine_", label: "the machine alone ")
        section.note += " The machine alone: operations that do nothing, beside one busy thread."
        return (section, outcome)
    }
}
