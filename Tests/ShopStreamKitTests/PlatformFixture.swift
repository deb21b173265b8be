// PlatformFixture.swift — the platform over a simulated disk and a clock that moves when it is told to.

import ShopStreamKit
import Testing

/// One machine: its disk and its clock. Platforms are opened on it one after the other.
struct Machine {
    let disk: SimulatedFileSystem
    let clock: ManualClock
    /// Whether platforms live in one SQLite file instead of a directory of trees.
    let usesSQLite: Bool

    init(
        disk: SimulatedFileSystem = SimulatedFileSystem(seed: 7), clock: ManualClock = ManualClock(),
        usesSQLite: Bool = false
    ) {
        self.disk = disk
        self.clock = clock
        self.usesSQLite = usesSQLite
    }

    /// Background work is driven by hand and consumers don't run by themselves, unless `change` says so.
    func open(_ directory: String = "/shop", _ change: (inout ShopStreamOptions) -> Void = { _ in }) throws
        -> ShopStream
    {
        var options = ShopStreamOptions()
        options.storage.fileSystem = disk
        options.storage.clock = clock
        options.storage.backgroundWork = .manual
        options.startsFanOut = false
        options.fanOut.maximumRetryAttempts = 1
        options.fanOut.backoff = BackoffPolicy(base: .zero, maximum: .zero)
        change(&options)
        return try ShopStream.open(usesSQLite ? .sqlite(directory) : .directory(directory), options: options)
    }

    /// The machine after its process died or its power went.
    func crashed(_ survivors: SimulatedFileSystem.Survivors) -> Machine {
        Machine(disk: disk.crash(survivors), clock: clock, usesSQLite: usesSQLite)
    }
}

func order(
    _ user: String, _ product: String = "prod_001", _ id: String? = nil, token: String? = nil, cents: Int = 1999
) -> OrderRequest {
    OrderRequest(userID: user, productID: product, amountCents: cents, orderID: id, clientRequestToken: token)
}

/// The refusal that `body` ends with; nil if it succeeds.
func refusal(_ body: () async throws -> Void) async throws -> OrderRefusal? {
    do {
        try await body()
        return nil
    } catch let refusal as OrderRefusal {
        return refusal
    }
}

extension ShopStream {
    var userCollection: DocumentCollection { documents.database("shopstream").collection("users") }

    func createUser(_ userID: String) async throws {
        try await users.create([
            "userId": .string(userID), "email": .string("\(userID)@example.com"), "createdAt": .date(storage.clock.now),
        ])
    }

    func items(of table: String) throws -> [Item] {
        var request = ScanRequest(table: table)
        var items: [Item] = []
        repeat {
            let page = try tables.scan(request)
            items += page.items
            request.exclusiveStartKey = page.lastEvaluatedKey
        } while request.exclusiveStartKey != nil
        return items
    }

    var orderIDs: Set<String> {
        get throws { Set(try items(of: "Orders").compactMap { $0["SK"]?.string.map { String($0.dropFirst(6)) } }) }
    }

    /// The order ids on the `PURCHASED` edges, sorted: an edge too many shows.
    var purchaseEdges: [String] {
        get throws {
            let result = try graph.execute(
                "MATCH (:User)-[p:PURCHASED]->(:Product) RETURN p.orderId AS id ORDER BY id")
            return result.rows.compactMap { row in
                guard case .string(let id) = row["id"] else { return nil }
                return id
            }
        }
    }

    /// The order ids of all fulfilment messages in the order of their delivery; takes them from the queue.
    func shipAll() async throws -> [String] {
        var shipped: [String] = []
        while true {
            let received = try await fulfilment.receive(max: 10)
            if received.isEmpty { return shipped }
            for message in received {
                shipped.append(message.request.orderId)
                try await fulfilment.complete(message)
            }
        }
    }
}
