import Foundation
import ShopStreamKit
import Testing

@Suite("README") struct ReadmeTests {
    @Test("the twenty lines of the README run, and say what its comments say")
    func twentyLines() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("readme-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: directory) }

        let shop = try ShopStream.open(at: directory)

        try await shop.users.create([
            "userId": "usr_8821", "email": "ada@example.com", "createdAt": .date(shop.storage.clock.now),
            "preferences": ["theme": "dark"],  // whatever a profile needs: the schema asks for three fields
        ])
        try await shop.orders.setStock(10, of: "prod_001")
        let order = try await shop.orders.place(
            OrderRequest(userID: "usr_8821", productID: "prod_001", amountCents: 1999))

        // A moment later, through the change stream:
        try await caughtUp(shop)
        let history = try await shop.users.orderHistory(of: "usr_8821")
        let toSend = try await shop.fulfilment.receive(max: 10)
        let also = try await shop.recommendations.alsoBought("prod_001", limit: 5)
        #expect(history == [order.orderID])
        #expect(toSend.map(\.request.orderId) == [order.orderID])
        #expect(also.isEmpty)

        let rows = try shop.wideColumns.execute(
            "SELECT * FROM shopstream.user_events WHERE user_id = ? LIMIT 100", ["usr_8821"])
        #expect(rows.isEmpty)

        try await shop.close()
    }

    private func caughtUp(_ shop: ShopStream) async throws {
        for _ in 0..<2000 {
            let isDone = try await shop.users.orderHistory(of: "usr_8821").count == 1
            if isDone, try await shop.fulfilment.backlog() == 1 { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
