// BenchCommand.swift — `shopstream bench`: load at a fixed offered rate, latencies as those who wait see them.

import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Drives load at a fixed offered rate and prints its latencies.",
        discussion: """
            Latency runs from the instant an operation was due, so a stall counts for every operation it delayed. \
            Progress goes to standard error, results to standard output. Ratios beside other engines come from \
            `make bench`.
            """,
        subcommands: [EventsBench.self, PurchasesBench.self, CacheBench.self])
}

/// What every kind of load takes.
struct LoadOptions: ParsableArguments {
    @Option(
        name: [.customLong("duration"), .customLong("seconds")], help: "Seconds that the load lasts. (default: 30)")
    private var givenDuration: Double?

    @Flag(help: "One JSON object on standard output instead of text.")
    var json = false

    var duration: Double { givenDuration ?? 30 }

    func duration(orElse usual: Double) -> Double { givenDuration ?? usual }

    func validate() throws {
        guard duration > 0, duration <= 86_400 else {
            throw ValidationError("--duration must be between 0 and 86,400 seconds.")
        }
    }

    static func validate(rate: Double) throws {
        guard rate > 0, rate <= 10_000_000 else {
            throw ValidationError("--rate must be between 0 and 10,000,000.")
        }
    }
}
