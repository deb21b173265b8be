// StatsCommand.swift — `shopstream stats --data DIR`.

internal import ArgumentParser
internal import StorageCore

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Shows what a data directory holds: trees, levels, tables, log.",
        discussion: """
            Opens the directory read-only and changes nothing in it; it must not be open elsewhere. What a storage counts \
            while it runs (commits, stalls, syncs) starts at zero: a program reads it from Storage.statistics.
            """)

    @Option(help: "The data directory.")
    var data: String

    @Flag(help: "One JSON object instead of a page.")
    var json = false

    func run() throws {
        var options = StorageOptions()
        options.isReadOnly = true
        let storage = try Storage.open(at: data, options: options)
        let statistics = storage.statistics
        try storage.close()
        print(json ? statistics.json : statistics.description)
    }
}
