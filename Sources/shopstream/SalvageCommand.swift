// SalvageCommand.swift — `shopstream salvage DIR TARGET`.

internal import ArgumentParser
internal import ShopStreamKit

struct SalvageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "salvage",
        abstract: "Rescues what is intact of a damaged data directory or SQLite file into a new one.",
        discussion: """
            Reads every block, log record and edit whose checksum holds, also without manifest, or every page that makes \
            sense, and reports what was lost. What is damaged is not changed and must not be open elsewhere. Exits with \
            status 1 if anything was lost.
            """)

    @Argument(help: "The damaged data directory, or SQLite file.")
    var directory: String

    @Argument(help: "An absent or empty directory for what is rescued; for a SQLite file a name that is not taken.")
    var target: String

    func run() async throws {
        let report = try Storage.salvage(directory, into: target)
        print(report)
        if !report.isComplete { throw ExitCode.failure }
    }
}
