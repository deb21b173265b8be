// VerifyCommand.swift — `shopstream verify DIR`.

internal import ArgumentParser
internal import ShopStreamKit

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads every checksum of a data directory and runs the cross-checks of all engines.",
        discussion: "Exits with status 1 if anything is wrong. The directory must not be open elsewhere.")

    @Argument(help: "The data directory.")
    var directory: String

    func run() async throws {
        var options = ShopStreamOptions()
        options.startsFanOut = false
        let shop = try ShopStream.open(at: directory, options: options)
        let report = try shop.verify()
        try await shop.close()
        print(report)
        if !report.isHealthy { throw ExitCode.failure }
    }
}
