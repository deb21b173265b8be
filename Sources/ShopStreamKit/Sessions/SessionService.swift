// SessionService.swift — tokens, carts and viewer positions: read well below a millisecond, gone when they expire.

/// What was put into a cart.
public struct CartLine: Sendable, Hashable {
    public let productID: String
    public let quantity: Int

    public init(productID: String, quantity: Int) {
        self.productID = productID
        self.quantity = quantity
    }
}

/// Short-lived state of a viewer. Losing it is acceptable; keeping it across restarts is an option of the facade.
public protocol SessionService: Sendable {
    /// Starts a session.
    /// - Returns: A token of 256 random bits.
    func signIn(_ userID: String) async throws -> String
    /// Whose token it is; nil if it is unknown or has expired. Each call renews the token's time to live.
    func authenticate(_ token: String) async throws -> String?
    func signOut(_ token: String) async throws

    /// Puts more (or, with a negative number, less) of a product into the cart; the cart's time to live starts anew.
    /// - Returns: How many of it are in the cart now; at 0 or below the line goes.
    @discardableResult
    func addToCart(_ productID: String, quantity: Int, of userID: String) async throws -> Int
    /// The cart, by product id.
    func cart(of userID: String) async throws -> [CartLine]
    func emptyCart(of userID: String) async throws

    /// Remembers how far a viewer has watched a stream, in whole milliseconds.
    func setPosition(_ position: Duration, of userID: String, in streamID: String) async throws
    func position(of userID: String, in streamID: String) async throws -> Duration?
}
