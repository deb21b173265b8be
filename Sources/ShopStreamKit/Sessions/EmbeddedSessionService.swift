// EmbeddedSessionService.swift — sessions on the cache engine: a string for each token and position, a hash for each cart.

internal import CacheEngine

struct EmbeddedSessionService: SessionService {
    let cache: CacheStore
    let options: SessionOptions

    // MARK: Tokens

    func signIn(_ userID: String) async throws -> String {
        var random = SystemRandomNumberGenerator()
        let token = (0..<4).map { _ in
            let word = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - word.count) + word
        }.joined()
        try cache.set(key(ofToken: token), userID, expiresIn: options.tokenTimeToLive)
        return token
    }

    func authenticate(_ token: String) async throws -> String? {
        try cache.get(key(ofToken: token), renewing: .after(options.tokenTimeToLive))
            .map { String(decoding: $0, as: UTF8.self) }
    }

    func signOut(_ token: String) async throws {
        _ = try cache.delete(key(ofToken: token))
    }

    // MARK: Carts

    func addToCart(_ productID: String, quantity: Int, of userID: String) async throws -> Int {
        let cart = key(ofCart: userID)
        let total = try cache.incrementField(productID, of: cart, by: Int64(quantity))
        if total <= 0 { _ = try cache.removeFields([productID], of: cart) }
        _ = try cache.expire(cart, after: options.cartTimeToLive)
        return max(0, Int(total))
    }

    func cart(of userID: String) async throws -> [CartLine] {
        try cache.allFields(of: key(ofCart: userID))
            .compactMap { field in
                Int(String(decoding: field.value, as: UTF8.self)).map {
                    CartLine(productID: String(decoding: field.name, as: UTF8.self), quantity: $0)
                }
            }
            .sorted { $0.productID < $1.productID }
    }

    func emptyCart(of userID: String) async throws {
        _ = try cache.delete(key(ofCart: userID))
    }

    // MARK: Positions

    func setPosition(_ position: Duration, of userID: String, in streamID: String) async throws {
        // In whole numbers, clamped: a quotient of durations is a Double, which drops milliseconds and may not fit.
        let milliseconds = StorageInstant(microseconds: 0).advanced(by: position).milliseconds
        try cache.set(
            key(ofPosition: userID, streamID), String(milliseconds), expiresIn: options.positionTimeToLive)
    }

    func position(of userID: String, in streamID: String) async throws -> Duration? {
        try cache.string(key(ofPosition: userID, streamID)).flatMap { Int64($0) }.map { .milliseconds($0) }
    }

    // MARK: Keys

    private func key(ofToken token: String) -> String { "token:" + token }
    private func key(ofCart userID: String) -> String { "cart:" + userID }
    private func key(ofPosition userID: String, _ streamID: String) -> String { "position:\(streamID):\(userID)" }
}
