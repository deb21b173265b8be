// DemoCommand.swift — `shopstream demo`: the platform from top to bottom, on disk, with a restart in the middle.

internal import ArgumentParser
internal import Logging
internal import ShopStreamKit

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Plays the platform's acceptance scenario: each statement, its result, and ✓ or ✗.",
        discussion: """
            Everything is on disk; in the middle the platform is closed and opened again. Exits with status 1 if anything \
            is not as expected.

            With --purchases it replays real invoices (the columns of the UCI "Online Retail" data set: InvoiceNo, \
            StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID) through the order service and the \
            fan-out; without, purchases of the same shape from a seeded generator.
            """)

    @Option(help: "The data directory; it must be absent or empty. A new temporary one by default, removed at the end.")
    var data: String?

    @Option(help: ArgumentHelp("Purchases to replay, CSV or CSV compressed by zstd.", valueName: "file.csv"))
    var purchases: String?

    @Option(help: "How many purchases to generate where no file is given.")
    var generated = 20_000

    @Option(help: "Seeds the generator.")
    var seed: UInt64 = 2025

    func validate() throws {
        guard generated > 0 else { throw ValidationError("--generated takes a positive number.") }
    }

    func run() async throws {
        let fileSystem = POSIXFileSystem()
        let directory = data ?? "/tmp/shopstream-demo-\(UInt64.random(in: 0 ... .max))"
        if try fileSystem.exists(directory), try !fileSystem.list(directory).isEmpty {
            throw ValidationError("\(directory) is not empty; the demo starts from nothing.")
        }
        let transcript = Transcript()
        let purchases = try loadPurchases()
        do {
            try await play(transcript, directory, purchases)
        } catch {
            transcript.check("no statement fails: \(error)", false)
        }
        if data == nil { try removeTree(directory, fileSystem) }
        transcript.summary()
        if transcript.failureCount > 0 { throw ExitCode.failure }
    }

    private func loadPurchases() throws -> PurchaseLog {
        guard let path = purchases else { return PurchaseLog.generated(count: generated, seed: seed) }
        return try PurchaseLog.read(path)
    }

    private func play(_ transcript: Transcript, _ directory: String, _ purchases: PurchaseLog) async throws {
        var options = ShopStreamOptions()
        options.startsFanOut = false
        options.fanOut.maximumRetryAttempts = 2
        options.fanOut.backoff = BackoffPolicy(base: .milliseconds(5))
        transcript.note("data directory: \(directory)")

        var shop = try ShopStream.open(at: directory, options: options)
        try await UsersChapter(transcript, shop).play()
        try await EventsChapter(transcript, shop).play()
        try await OrdersChapter(transcript, shop).play()
        try await FanOutChapter(transcript, shop).play()
        try await RecommendationsChapter(transcript, shop).play()
        try await SessionsChapter(transcript, shop).play()

        shop = try await RestartChapter(transcript, directory, options).play(closing: shop)
        try await PurchasesChapter(transcript, shop, purchases).play()
        try await FinalChapter(transcript, shop).play()
        try await shop.close()
    }

    private func removeTree(_ directory: String, _ fileSystem: POSIXFileSystem) throws {
        for subdirectory in ["log", "tables"] where try fileSystem.exists("\(directory)/\(subdirectory)") {
            for name in try fileSystem.list("\(directory)/\(subdirectory)") {
                try fileSystem.remove("\(directory)/\(subdirectory)/\(name)")
            }
            try fileSystem.removeDirectory("\(directory)/\(subdirectory)")
        }
        for name in try fileSystem.list(directory) { try fileSystem.remove("\(directory)/\(name)") }
        try fileSystem.removeDirectory(directory)
    }
}
