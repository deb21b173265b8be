// RestartChapter.swift — closed, opened again from disk, verified.

internal import ShopStreamKit

struct RestartChapter {
    let transcript: Transcript
    let directory: String
    let options: ShopStreamOptions

    init(_ transcript: Transcript, _ directory: String, _ options: ShopStreamOptions) {
        self.transcript = transcript
        self.directory = directory
        self.options = options
    }

    /// Closes the platform and gives back the one that was opened from its directory.
    func play(closing shop: ShopStream) async throws -> ShopStream {
        transcript.chapter("7. Restart: everything is on disk")
        let sequence = shop.storage.visibleSequence
        let history = try await shop.users.orderHistory(of: "usr_8821")
        let stock = try await shop.orders.stock(of: "prod_001")
        try await shop.close()
        transcript.statement("close(); open(at: \"\(directory)\")")
        let watch = Stopwatch()
        let reopened = try ShopStream.open(at: directory, options: options)
        transcript.result(
            "opened in \(decimal(watch.milliseconds, 1)) ms at sequence \(reopened.storage.visibleSequence)")
        transcript.check("nothing committed is missing", reopened.storage.visibleSequence >= sequence)
        transcript.check("users", try await reopened.users.orderHistory(of: "usr_8821"), equals: history)
        let events = try await reopened.events.events(ofSession: "sess_live_882", after: .distantPast, limit: 2000)
        transcript.check("events", events.count, equals: 1001)
        transcript.check("orders", try await reopened.orders.stock(of: "prod_001"), equals: stock)
        let counts = try await reopened.recommendations.alsoBought("camera", limit: 1)
        transcript.check("recommendations", counts.first?.productID, equals: "lens")
        transcript.check(
            "sessions", try await reopened.sessions.cart(of: "usr_8821"),
            equals: [CartLine(productID: "prod_001", quantity: 2)])
        let received = try await reopened.fulfilment.receive(max: 1)
        transcript.check("fulfilment", received.first?.request.orderId, equals: "ord_1001")
        try await verify(reopened)
        return reopened
    }

    private func verify(_ shop: ShopStream) async throws {
        transcript.statement("verify()")
        let report = try shop.verify()
        transcript.result(report)
        transcript.check("every checksum and every cross-check holds", report.isHealthy)
    }
}

/// The end: a checkpoint, and a last verification.
struct FinalChapter {
    let transcript: Transcript
    let shop: ShopStream

    init(_ transcript: Transcript, _ shop: ShopStream) {
        self.transcript = transcript
        self.shop = shop
    }

    func play() async throws {
        transcript.chapter("9. The last look")
        let watch = Stopwatch()
        let report = try shop.verify()
        transcript.statement("verify()")
        transcript.result("\(report) in \(decimal(watch.seconds, 1)) s")
        transcript.check("all engines agree", report.isHealthy)
    }
}
