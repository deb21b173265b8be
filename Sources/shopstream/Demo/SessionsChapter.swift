// SessionsChapter.swift — tokens, carts, positions, viewer counts, chat.

internal import ShopStreamKit

struct SessionsChapter {
    private static let readCount = 10_000

    let transcript: Transcript
    let shop: ShopStream

    init(_ transcript: Transcript, _ shop: ShopStream) {
        self.transcript = transcript
        self.shop = shop
    }

    func play() async throws {
        transcript.chapter("6. Sessions and live state (TTL cache)")
        try await tokens()
        try await carts()
        try await expiry()
        try await live()
    }

    private func tokens() async throws {
        let token = try await shop.sessions.signIn("usr_8821")
        transcript.statement(
            "signIn(\"usr_8821\") → \(token.prefix(12))…, then \(Self.readCount) × authenticate(token)")
        let watch = Stopwatch()
        var hits = 0
        for _ in 0..<Self.readCount {
            if try await shop.sessions.authenticate(token) == "usr_8821" { hits += 1 }
        }
        let each = watch.milliseconds / Double(Self.readCount)
        transcript.result("\(decimal(each * 1000, 2)) µs each")
        transcript.check("the token names its user, and each use renews it", hits, equals: Self.readCount)
        transcript.check("well below a millisecond", each < 1)
        try await shop.sessions.signOut(token)
        transcript.check("signed out means gone", try await shop.sessions.authenticate(token), equals: nil)
    }

    private func carts() async throws {
        try await shop.sessions.addToCart("prod_001", quantity: 2, of: "usr_8821")
        try await shop.sessions.addToCart("prod_002", quantity: 1, of: "usr_8821")
        try await shop.sessions.addToCart("prod_002", quantity: -1, of: "usr_8821")
        transcript.check(
            "a cart adds up", try await shop.sessions.cart(of: "usr_8821"),
            equals: [CartLine(productID: "prod_001", quantity: 2)])
        try await shop.sessions.setPosition(.milliseconds(83_500), of: "usr_8821", in: "live_882")
        transcript.check(
            "a viewer's position is kept for each stream",
            try await shop.sessions.position(of: "usr_8821", in: "live_882"), equals: .milliseconds(83_500))
    }

    private func expiry() async throws {
        transcript.statement("SET flash-sale on PX 50, and 50 ms later")
        try shop.cache.set("flash-sale", "on", expiresIn: .milliseconds(50))
        transcript.check("there at first", try shop.cache.string("flash-sale"), equals: "on")
        try await Task.sleep(for: .milliseconds(80))
        transcript.check("expired means gone", try shop.cache.string("flash-sale"), equals: nil)
    }

    private func live() async throws {
        for viewer in 0..<25 { try await shop.live.join("live_882", "viewer_\(viewer)") }
        try await shop.live.join("live_882", "viewer_3")
        try await shop.live.leave("live_882", "viewer_4")
        transcript.check("25 joined, one twice, one left", try await shop.live.viewerCount(of: "live_882"), equals: 24)
        for index in 0..<120 { try await shop.live.say("message \(index)", by: "viewer_1", in: "live_882") }
        let chat = try await shop.live.recentChat(of: "live_882", limit: 3)
        transcript.check(
            "the newest chat messages, in order", chat.map(\.text),
            equals: ["message 117", "message 118", "message 119"])
        try await shop.live.showcase("prod_001", in: "live_882")
        transcript.check(
            "the product that is shown", try await shop.live.showcasedProduct(in: "live_882"), equals: "prod_001")
        let events = try await shop.events.events(ofSession: "live_882", after: .distantPast, limit: 1000)
        transcript.check("all of it is in the events as well", events.count, equals: 25 + 1 + 120)
    }
}
