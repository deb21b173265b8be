import StorageCore
import Testing

@testable import TableEngine

@Suite("Time to live")
struct TimeToLiveTests {
    @Test("items whose time has passed are deleted, and the stream says by whom")
    func expiry() throws {
        let shop = try Shop()
        let now = Int(shop.clock.now.seconds)
        try shop.store.updateTimeToLive("Inventory", attribute: "expires")
        let times: [(String, AttributeValue)] = [
            ("past", .n(now - 10)), ("fraction", try .number("\(now - 10).5")), ("future", .n(now + 10)),
            ("ancient", .n(now - 6 * 365 * 86_400)), ("text", "1"), ("huge", try .number("1e100")),
        ]
        for (name, time) in times {
            try shop.store.putItem(PutItemRequest(table: "Inventory", item: ["productId": .s(name), "expires": time]))
        }
        try shop.store.putItem(PutItemRequest(table: "Inventory", item: ["productId": "never"]))
        // Expired items are there until they are deleted.
        #expect(try shop.store.scan(ScanRequest(table: "Inventory")).count == 7)
        var deleted = 0
        var next: Item?
        repeat {
            let step = try shop.store.deleteExpiredItems(in: "Inventory", limit: 2, after: next, durability: .synced)
            deleted += step.deletedCount
            next = step.next
        } while next != nil
        #expect(deleted == 2)
        let left = try shop.store.scan(ScanRequest(table: "Inventory")).items.compactMap { $0["productId"]?.string }
        #expect(Set(left) == ["future", "ancient", "text", "huge", "never"])
        let records = try shop.store.stream(of: "Inventory").records(after: nil, limit: 100).suffix(2)
        #expect(records.allSatisfy { $0.eventName == .remove && $0.userIdentity == .timeToLive })
    }

    @Test("a table without the setting keeps everything, and the setting is turned on once")
    func settings() throws {
        let shop = try Shop()
        try shop.store.putItem(PutItemRequest(table: "Inventory", item: ["productId": "a", "expires": 1]))
        #expect(try shop.store.deleteExpiredItems(in: "Inventory").deletedCount == 0)
        try shop.store.updateTimeToLive("Inventory", attribute: "expires")
        expectRefusal(.validation, "TimeToLive is already enabled") {
            try shop.store.updateTimeToLive("Inventory", attribute: "other")
        }
        try shop.store.updateTimeToLive("Inventory", attribute: nil)
        expectRefusal(.validation, "TimeToLive is already disabled") {
            try shop.store.updateTimeToLive("Inventory", attribute: nil)
        }
    }
}
