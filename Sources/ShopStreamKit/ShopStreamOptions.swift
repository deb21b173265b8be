// ShopStreamOptions.swift — how the platform is opened.

public import CacheEngine
public import EventPipeline
public import Logging

/// How long short-lived state lives.
public struct SessionOptions: Sendable, Hashable {
    /// Renewed with every use of the token.
    public var tokenTimeToLive = Duration.seconds(30 * 60)
    /// Renewed with every change of the cart.
    public var cartTimeToLive = Duration.seconds(7 * 86_400)
    public var positionTimeToLive = Duration.seconds(30 * 86_400)

    public init() {}
}

/// How the consumers of the order stream treat a record that they can't process.
public struct FanOutOptions: Sendable, Hashable {
    /// Repetitions before the record goes to the dead letters.
    public var maximumRetryAttempts = 10
    /// How long they wait between repetitions; the records behind wait too.
    public var backoff = BackoffPolicy()

    public init() {}
}

public struct ShopStreamOptions: Sendable {
    /// The storage under all services.
    public var storage = StorageOptions()
    /// How far an order has to get before `place` and the changes of an order return.
    public var orderDurability = Durability.synced
    public var sessions = SessionOptions()
    /// Live state of a stream that nothing happens in goes after this time.
    public var liveTimeToLive = Duration.seconds(86_400)
    /// Whether tokens, carts and live state survive a restart.
    public var cachePersistence = CachePersistence.writeBehind
    /// The most memory that sessions and live state may take; the least recently used goes first. Nil is no limit.
    public var cacheByteCount: Int? = 256 << 20
    public var fanOut = FanOutOptions()
    /// Whether the consumers of the order stream are started at once.
    public var startsFanOut = true
    public var logger = Logger(label: "shopstream")

    public init() {}
}
