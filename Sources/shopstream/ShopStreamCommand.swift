// ShopStreamCommand.swift — the command line.

internal import ArgumentParser

@main
struct ShopStreamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shopstream",
        abstract:
            "An embedded data platform for live commerce: documents, wide columns, transactions, a graph, a cache.",
        subcommands: [
            DemoCommand.self, BenchCommand.self, VerifyCommand.self, SalvageCommand.self, StatsCommand.self,
        ] + servers)

    #if Servers
        private static let servers: [any ParsableCommand.Type] = [ServeCommand.self, UserCommand.self]
    #else
        private static let servers: [any ParsableCommand.Type] = []
    #endif
}
