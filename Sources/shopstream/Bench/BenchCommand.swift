// BenchCommand.swift — `shopstream bench`: load at a fixed offered rate, latencies as those who wait see them.

import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Drives load at a fixed offered rate and prints its latencies.",
        discussion: """
            Latency runs from the instant an operation was due, so a stall counts for every operation it delayed. \
            Ratios beside other engines come from `make bench`.
            """,
        subcommands: [EventsBench.self, PurchasesBench.self, CacheBench.self])
}

/// What every kind of load takes.
struct LoadOptions: ParsableArguments {
    @Option(help: "Operations offered each second.")
    var rate: Double = 33_333

    @Option(help: "How long the load lasts.")
    var seconds: Double = 30

    func validate() throws {
        guard rate > 0, rate <= 10_000_000, seconds > 0, seconds <= 86_400 else {
            throw ValidationError("--rate must be between 0 and 10,000,000, --seconds between 0 and 86,400.")
        }
    }

    var description: String { "\(Int(rate)) offered each second for \(Int(seconds)) s" }
}
