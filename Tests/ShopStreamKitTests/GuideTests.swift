// The code of Docs/guides/shopstream.md, compiled and run.

import Foundation
import ShopStreamKit
import StorageCore
import Synchronization
import Testing

@Suite("ShopStream guide")
struct GuideTests {
    @Test("the guide's code does what the guide says")
    func code() async throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "shopstream-guide-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: parent) }
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        let directory = parent.appending(path: "data").path
        let backup = parent.appending(path: "backup").path

        var options = ShopStreamOptions()
        options.sessions.tokenTimeToLive = .seconds(3600)
        options.cacheByteCount = 64 << 20
        options.fanOut.maximumRetryAttempts = 3
        options.startsFanOut = false
        let shop = try ShopStream.open(at: directory, options: options)

        try await shop.users.create([
            "userId": "usr_8821", "email": "ada@example.com", "createdAt": .date(shop.storage.clock.now),
            "streamingQuality": "1080p",
        ])
        try await shop.live.join("live_882", "usr_8821")
        try await shop.live.say("is it waterproof?", by: "usr_8821", in: "live_882")
        let token = try await shop.sessions.signIn("usr_8821")
        try await shop.sessions.addToCart("prod_001", quantity: 1, of: "usr_8821")
        let whose = try await shop.sessions.authenticate(token)
        #expect(whose == "usr_8821")

        try await shop.orders.setStock(1, of: "prod_001")
        let request = OrderRequest(
            userID: "usr_8821", productID: "prod_001", amountCents: 1999, clientRequestToken: "tok_77")
        let placed = try await shop.orders.place(request)
        let again = try await shop.orders.place(request)
        #expect(placed == again)

        do {
            _ = try await shop.orders.place(OrderRequest(userID: "usr_1", productID: "prod_001", amountCents: 1999))
        } catch let refusal as OrderRefusal where refusal.reason == .outOfStock {
            print(refusal.cancellationReasons)
        }

        try await shop.fanOut.drain()
        let history = try await shop.users.orderHistory(of: "usr_8821")
        for fulfilment in try await shop.fulfilment.receive(max: 10) {
            try await shop.orders.capturePayment(of: fulfilment.request.orderId, by: fulfilment.request.userId)
            try await shop.orders.fulfil(fulfilment.request.orderId, by: fulfilment.request.userId)
            try await shop.fulfilment.complete(fulfilment)
        }
        let poisoned = try shop.fanOut.deadLetters.documents(ofMapping: "orders-profile")
        #expect(history == [placed.orderID] && poisoned.isEmpty)
        #expect(try await shop.orders.order(placed.orderID, by: "usr_8821")?.status == .fulfilled)

        let revenue = Mutex(0)
        let analytics = try shop.orderStreamConsumer(
            named: "analytics",
            options: EventSourceMappingOptions(filters: [.eventName(.insert).and(.key("SK", hasPrefix: "ORDER#"))]),
            handler: .external { batch in
                for record in batch.records {
                    revenue.withLock { $0 += record.newImage?["amountCents"]?.int ?? 0 }
                }
                return .success
            })
        try await analytics.drain()
        #expect(revenue.withLock { $0 } == 1999)

        let alsoBought = try await shop.recommendations.alsoBought("prod_001", limit: 5)
        #expect(alsoBought.isEmpty)

        try shop.checkpoint(to: backup)
        let report = try shop.verify()
        print(report.isHealthy ? "healthy" : report.problems.joined(separator: "\n"))
        try await shop.close()
        #expect(report.isHealthy)

        let restored = try ShopStream.open(at: backup, options: options)
        #expect(try await restored.orders.stock(of: "prod_001") == 0)
        try await restored.close()
    }

    @Test("what is intact of a damaged directory is rescued as the guide says")
    func salvage() async throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "shopstream-salvage-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: parent) }
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        let damaged = parent.appending(path: "damaged").path
        let rescued = parent.appending(path: "rescued").path
        let shop = try ShopStream.open(at: damaged)
        try await shop.live.join("live_882", "usr_8821")
        try await shop.close()
        try FileManager.default.removeItem(atPath: "\(damaged)/CURRENT")
        #expect(throws: StorageError.self) { _ = try ShopStream.open(at: damaged) }

        do {
            let report = try Storage.salvage(damaged, into: rescued)
            print(report)
        }
        let reopened = try ShopStream.open(at: rescued)
        #expect(try reopened.verify().isHealthy)
        try await reopened.close()
    }

    @Test("the guide quotes this file's code")
    func quotation() throws {
        let here = URL(filePath: #filePath)
        let guide = here.deletingLastPathComponent().appending(path: "../../Docs/guides/shopstream.md").standardized
        let source = Self.lines(try String(contentsOf: here, encoding: .utf8))
        let blocks = try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst()
        #expect(blocks.count == 7)
        for block in blocks {
            let code = Self.lines(block.components(separatedBy: "```")[0])
            let isQuoted = source.indices.contains { source[$0...].starts(with: code) }
            #expect(isQuoted, "not in the tests: \(code.joined(separator: "\n"))")
        }
    }

    /// The lines that are not empty, without indentation.
    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
