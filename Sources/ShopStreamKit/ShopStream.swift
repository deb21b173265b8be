// ShopStream.swift — the platform: one storage, five engines, seven services, and the fan-out that connects them.
//
// The services share no tables. Orders reach the others through the change stream of the order table only.

public import CacheEngine
public import DocumentEngine
public import EventPipeline
public import GraphEngine
public import TableEngine
public import WideColumnEngine

/// The data platform of a live-commerce application, in one directory or one file.
///
/// ```swift
/// let shop = try ShopStream.open(at: "/var/lib/shopstream")
/// try await shop.orders.setStock(10, of: "prod_001")
/// let order = try await shop.orders.place(
///     OrderRequest(userID: "usr_8821", productID: "prod_001", amountCents: 1999))
/// try await shop.close()
/// ```
///
/// All services write to one log: a backup holds them all at one moment. Each service is a protocol; the ones given here
/// are embedded.
public final class ShopStream: Sendable {
    public let users: any UserService
    public let events: any EventService
    public let orders: any OrderService
    public let recommendations: any RecommendationService
    public let sessions: any SessionService
    public let live: any LiveService
    public let fulfilment: any FulfilmentService
    /// The consumers of the order stream.
    public let fanOut: OrderFanOut

    /// What the services stand on, for everything that they don't offer.
    public let storage: Storage
    public let documents: DocumentStore
    public let wideColumns: WideColumnStore
    public let tables: TableStore
    public let graph: GraphStore
    public let cache: CacheStore

    /// Opens the platform in a directory, or creates it there.
    /// - Throws: `StorageError`, as ``Storage/open(at:options:)`` does.
    public static func open(at directory: String, options: ShopStreamOptions = ShopStreamOptions()) throws -> ShopStream
    {
        try open(.directory(directory), options: options)
    }

    /// Opens the platform at a location, a directory or a single file, or creates it there.
    /// - Throws: `StorageError`, as ``Storage/open(_:options:)`` does.
    public static func open(
        _ location: StorageLocation, options: ShopStreamOptions = ShopStreamOptions()
    ) throws -> ShopStream {
        let storage = try Storage.open(location, options: options.storage)
        do {
            return try ShopStream(storage: storage, options: options)
        } catch {
            try? storage.close()
            throw error
        }
    }

    /// The platform over an open storage, which it takes over.
    public init(storage: Storage, options: ShopStreamOptions = ShopStreamOptions()) throws {
        self.storage = storage
        documents = try DocumentStore(storage: storage, logger: options.logger)
        wideColumns = try WideColumnStore(storage: storage)
        tables = try TableStore(storage: storage)
        graph = try GraphStore(storage: storage)
        cache = try CacheStore(
            storage: storage,
            options: CacheOptions(
                maxMemoryByteCount: options.cacheByteCount, evictionPolicy: .allKeysLRU,
                persistence: options.cachePersistence, clock: storage.clock))

        let users = try EmbeddedUserService(documents: documents)
        let events = try EmbeddedEventService(wideColumns: wideColumns)
        let orders = try EmbeddedOrderService(tables: tables, durability: options.orderDurability)
        let recommendations = try EmbeddedRecommendationService(graph: graph)
        let fulfilment = try EmbeddedFulfilmentService(storage: storage)
        self.users = users
        self.events = events
        self.orders = orders
        self.recommendations = recommendations
        self.fulfilment = fulfilment
        sessions = EmbeddedSessionService(cache: cache, options: options.sessions)
        live = EmbeddedLiveService(
            cache: cache, events: events, clock: storage.clock, timeToLive: options.liveTimeToLive)
        fanOut = try OrderFanOut(
            storage: storage, stream: tables.stream(of: OrderTables.orders), users: users, fulfilment: fulfilment,
            recommendations: recommendations, options: options.fanOut)
        if options.startsFanOut { fanOut.start() }
    }

    /// Adds a consumer of the order stream: analytics, e-mail. The order service does not change.
    ///
    /// The caller keeps it, starts it, and stops it before the platform is closed.
    public func orderStreamConsumer(
        named name: String, options: EventSourceMappingOptions = EventSourceMappingOptions(), handler: EventHandler
    ) throws -> EventSourceMapping {
        try EventSourceMapping(
            name: name, stream: tables.stream(of: OrderTables.orders), storage: storage, options: options,
            handler: handler)
    }

    /// Stops the consumers, writes everything to disk and lets go of the directory. Closing twice is fine.
    ///
    /// If something can't be written, its error is thrown, and the directory is let go of all the same: opening it again is
    /// the way on after a failed sync.
    public func close() async throws {
        await fanOut.stop()
        let saved = Result { try cache.close() }
        try storage.close()
        try saved.get()
    }

    /// Makes a consistent copy of all services while work goes on: in an absent or empty directory, or of a platform over
    /// one file, in a file that is not there.
    public func checkpoint(to target: String) throws {
        try cache.save()
        try storage.checkpoint(to: target)
    }

    /// Reads every checksum and holds every structure against those that follow from it: index against documents, view
    /// against table, stream against items, adjacency against relationships.
    public func verify() throws -> VerificationReport {
        try storage.verify()
    }
}
