// Sessions and live state: tokens that slide, carts, positions, viewers, chat, the showcase; expired means gone.

import ShopStreamKit
import Testing

@Suite("Sessions and live state")
struct SessionTests {
    private let machine = Machine()

    @Test("each use of a token renews it; unused, it expires; signed out, it is gone")
    func tokens() async throws {
        let shop = try machine.open { $0.sessions.tokenTimeToLive = .seconds(60) }
        let token = try await shop.sessions.signIn("usr_1")
        #expect(token.utf8.count == 64)
        #expect(try await shop.sessions.signIn("usr_1") != token)
        for _ in 0..<5 {
            machine.clock.advance(by: .seconds(59))
            #expect(try await shop.sessions.authenticate(token) == "usr_1")
        }
        machine.clock.advance(by: .seconds(60))
        #expect(try await shop.sessions.authenticate(token) == nil)
        let second = try await shop.sessions.signIn("usr_1")
        try await shop.sessions.signOut(second)
        #expect(try await shop.sessions.authenticate(second) == nil)
        #expect(try await shop.sessions.authenticate("forged") == nil)
    }

    @Test("a cart adds up its lines, drops empty ones, and expires a while after its last change")
    func cart() async throws {
        let shop = try machine.open { $0.sessions.cartTimeToLive = .seconds(100) }
        #expect(try await shop.sessions.addToCart("b", quantity: 2, of: "usr_1") == 2)
        #expect(try await shop.sessions.addToCart("a", quantity: 1, of: "usr_1") == 1)
        #expect(try await shop.sessions.addToCart("b", quantity: 3, of: "usr_1") == 5)
        #expect(try await shop.sessions.addToCart("a", quantity: -4, of: "usr_1") == 0)
        let line = CartLine(productID: "b", quantity: 5)
        #expect(try await shop.sessions.cart(of: "usr_1") == [line])
        #expect(try await shop.sessions.cart(of: "usr_2").isEmpty)
        #expect(try await shop.sessions.addToCart("a", quantity: 1, of: "usr_1") == 1)
        machine.clock.advance(by: .seconds(99))
        try await shop.sessions.addToCart("a", quantity: -1, of: "usr_1")
        machine.clock.advance(by: .seconds(99))
        #expect(try await shop.sessions.cart(of: "usr_1") == [line])
        machine.clock.advance(by: .seconds(1))
        #expect(try await shop.sessions.cart(of: "usr_1").isEmpty)
        try await shop.sessions.addToCart("a", quantity: 1, of: "usr_1")
        try await shop.sessions.emptyCart(of: "usr_1")
        #expect(try await shop.sessions.cart(of: "usr_1").isEmpty)
    }

    @Test("a viewer has a position in each stream")
    func position() async throws {
        let shop = try machine.open()
        try await shop.sessions.setPosition(.milliseconds(61_500), of: "usr_1", in: "live_1")
        try await shop.sessions.setPosition(.seconds(5), of: "usr_1", in: "live_2")
        #expect(try await shop.sessions.position(of: "usr_1", in: "live_1") == .milliseconds(61_500))
        #expect(try await shop.sessions.position(of: "usr_1", in: "live_2") == .seconds(5))
        #expect(try await shop.sessions.position(of: "usr_2", in: "live_1") == nil)
        machine.clock.advance(by: .seconds(30 * 86_400))
        #expect(try await shop.sessions.position(of: "usr_1", in: "live_1") == nil)
    }

    @Test("positions keep every millisecond, and one beyond all time is kept as far as it can be")
    func positionRange() async throws {
        let shop = try machine.open()
        for milliseconds in stride(from: Int64(1), to: 50_000_000, by: 99_991) {
            try await shop.sessions.setPosition(.milliseconds(milliseconds), of: "usr_1", in: "live_1")
            #expect(try await shop.sessions.position(of: "usr_1", in: "live_1") == .milliseconds(milliseconds))
        }
        try await shop.sessions.setPosition(.seconds(Int64.max), of: "usr_1", in: "live_1")
        #expect(try await shop.sessions.position(of: "usr_1", in: "live_1") ?? .zero > .seconds(1_000_000_000))
    }

    @Test("time goes on while the platform is closed: a token expires")
    func expiryWhileClosed() async throws {
        let shop = try machine.open()
        let token = try await shop.sessions.signIn("usr_1")
        try await shop.close()
        machine.clock.advance(by: .seconds(29 * 60))
        let second = try machine.open()
        #expect(try await second.sessions.authenticate(token) == "usr_1")
        try await second.close()
        machine.clock.advance(by: .seconds(31 * 60))
        #expect(try await machine.open().sessions.authenticate(token) == nil)
    }

    @Test("viewers are counted once each, per stream, and are events too")
    func viewers() async throws {
        let shop = try machine.open()
        #expect(try await shop.live.join("live_1", "usr_1") == 1)
        #expect(try await shop.live.join("live_1", "usr_2") == 2)
        #expect(try await shop.live.join("live_1", "usr_1") == 2)
        #expect(try await shop.live.join("live_2", "usr_1") == 1)
        machine.clock.advance(by: .milliseconds(5))
        #expect(try await shop.live.leave("live_1", "usr_1") == 1)
        #expect(try await shop.live.leave("live_1", "usr_1") == 1)
        #expect(try await shop.live.viewerCount(of: "live_1") == 1)
        #expect(try await shop.live.viewerCount(of: "none") == 0)
        let events = try await shop.events.events(ofSession: "live_1", after: .distantPast, limit: 10)
        #expect(events.map(\.type) == [.join, .join, .leave])
    }

    @Test("the chat keeps its newest hundred messages in order, whatever they contain; all of them are events")
    func chat() async throws {
        let shop = try machine.open()
        for index in 0..<130 {
            machine.clock.advance(by: .milliseconds(1))
            try await shop.live.say("12 \(index) ünd  \"more\"", by: "usr \(index)", in: "live_1")
        }
        let recent = try await shop.live.recentChat(of: "live_1", limit: 1000)
        #expect(recent.map(\.text) == (30..<130).map { "12 \($0) ünd  \"more\"" })
        #expect(recent.map(\.userID) == (30..<130).map { "usr \($0)" })
        #expect(recent.map(\.sentAt) == recent.map(\.sentAt).sorted())
        let last = try await shop.live.recentChat(of: "live_1", limit: 2)
        #expect(last == Array(recent.suffix(2)))
        #expect(try await shop.live.recentChat(of: "live_1", limit: 0).isEmpty)
        let events = try await shop.events.events(ofSession: "live_1", after: .distantPast, limit: 1000)
        #expect(events.count == 130)
        #expect(try ExtendedJSON.document(#require(events.last?.payload))["text"]?.stringValue == recent.last?.text)
    }

    @Test("the showcase shows one product until it is taken away or the stream is over")
    func showcase() async throws {
        let shop = try machine.open { $0.liveTimeToLive = .seconds(60) }
        try await shop.live.showcase("prod_1", in: "live_1")
        try await shop.live.showcase("prod_2", in: "live_1")
        #expect(try await shop.live.showcasedProduct(in: "live_1") == "prod_2")
        try await shop.live.showcase(nil, in: "live_1")
        #expect(try await shop.live.showcasedProduct(in: "live_1") == nil)
        try await shop.live.showcase("prod_1", in: "live_1")
        try await shop.live.join("live_1", "usr_1")
        try await shop.live.say("hello", by: "usr_1", in: "live_1")
        machine.clock.advance(by: .seconds(60))
        #expect(try await shop.live.showcasedProduct(in: "live_1") == nil)
        #expect(try await shop.live.viewerCount(of: "live_1") == 0)
        #expect(try await shop.live.recentChat(of: "live_1", limit: 5).isEmpty)
    }
}
