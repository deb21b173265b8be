// ShopStream's data in the shape and sizes of a live shop, the same on every run and on both sides of a line.

import BenchmarkKit

struct ShopWorkload: Sendable {
    let seed: UInt64
    var sessionCount = 200
    var userCount = 20_000
    var productCount = 2_000

    /// 2025-03-10 14:00:00 UTC, in milliseconds.
    static let firstInstant: Int64 = 1_741_615_200_000

    private func random(_ index: Int, _ stream: UInt64) -> UInt64 {
        mix(seed &+ mix(stream &* 0x1_0000_0001 &+ UInt64(truncatingIfNeeded: index)))
    }

    private func pick(_ index: Int, _ stream: UInt64, of count: Int) -> Int {
        Int(random(index, stream) % UInt64(count))
    }

    // MARK: Events

    func session(ofEvent index: Int) -> String { "sess_live_\(pick(index, 1, of: sessionCount))" }
    func user(ofEvent index: Int) -> String { "usr_\(pick(index, 2, of: userCount))" }
    func milliseconds(ofEvent index: Int) -> Int64 { Self.firstInstant + Int64(index) }
    func identifier(ofEvent index: Int) -> (UInt64, UInt64) { (random(index, 3), random(index, 4)) }

    func type(ofEvent index: Int) -> String {
        switch random(index, 5) % 100 {
        case ..<10: "join"
        case ..<18: "leave"
        case ..<45: "chat"
        case ..<97: "product_view"
        default: "purchase"
        }
    }

    func payload(ofEvent index: Int) -> String {
        "{\"productId\":\"\(product(pick(index, 6, of: productCount)))\",\"dwellMs\":\(pick(index, 7, of: 60_000))}"
    }

    // MARK: Orders

    func product(_ index: Int) -> String { "prod_\(index)" }
    func product(ofOrder index: Int) -> String { product(pick(index, 8, of: productCount)) }
    func user(ofOrder index: Int) -> String { "usr_\(pick(index, 9, of: userCount))" }
    func order(_ index: Int) -> String { "ord_\(index)" }
    func amountCents(ofOrder index: Int) -> Int { 500 + pick(index, 10, of: 20_000) }

    // MARK: Profiles

    func userIdentifier(_ index: Int) -> String { "usr_\(index)" }
    func email(_ index: Int) -> String { "user\(index)@example.com" }

    func city(_ index: Int) -> String {
        ["London", "Paris", "Berlin", "Madrid", "Rome", "Vienna"][pick(index, 11, of: 6)]
    }

    // MARK: Purchases for recommendations

    /// Buyer and product of a purchase. A few products sell most, as in a real shop.
    func purchase(_ index: Int) -> (buyer: Int, product: Int) {
        let popularity = Double(random(index, 12) >> 11) / Double(1 << 53)
        let product = Int(Double(productCount) * popularity * popularity * popularity)
        return (pick(index, 13, of: userCount / 5), min(product, productCount - 1))
    }
}
