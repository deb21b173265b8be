// engine-bench: the five engines on ShopStream's access patterns, beside SQLite where SQL says the same work.

import ArgumentParser
import BenchmarkKit

@main
struct EngineBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine-bench",
        abstract: "Measures the engines on ShopStream's access patterns.")

    @OptionGroup var options: RunOptions

    func run() async throws {
        let report = Report(rounds: options.rounds, filter: options.filter)
        print("engine-bench: \(options.machine)")
        let context = EngineContext(
            report: report, directory: options.directory, workload: ShopWorkload(seed: options.seed),
            sizes: options.quick ? .quick : .full)
        try await context.runLines()
        try report.write(to: options.outputPath(defaultName: "engines"))
        if !report.resultsAgree { throw ExitCode.failure }
    }
}
