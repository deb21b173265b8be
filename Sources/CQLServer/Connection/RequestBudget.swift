// RequestBudget.swift — the server's bounds on the bytes of requests in flight: of all connections, and of one address.
//
// A message is reserved whole before its body is read, so no message waits half-way with what it has. One that does not fit
// waits in line, and its connection is not read meanwhile. The budget decides only, and knows no connection but by its
// number; its owner calls it from one thread. Invariants:
//
//   1. What is counted is the sum of the charges that were granted and not released.
//   2. A charge beyond a bound is granted only where nothing else is counted against that bound: large messages pass too.
//   3. Nobody waits who could be granted, but behind one that waits for the bound of all, or for that of the same address.
//   4. Who has an allowance of its own that is large enough does not wait. Who does not want to wait has no place in line,
//      and passes those that have one.

/// Counts the bytes of requests in flight.
struct RequestBudget {
    typealias ConnectionID = Int

    /// What one message holds of the budget until it is released.
    struct Charge: Hashable, Sendable {
        let connection: ConnectionID
        fileprivate let address: String
        let byteCount: Int
        /// Whether it is of the connection's own allowance, which counts against no bound.
        let isFree: Bool

        fileprivate init(_ waiter: Waiter, isFree: Bool) {
            connection = waiter.connection
            address = waiter.address
            byteCount = waiter.byteCount
            self.isFree = isFree
        }
    }

    fileprivate struct Waiter {
        var connection: ConnectionID
        var address: String
        var byteCount: Int
    }

    private struct Connection {
        var address: String
        var freeByteCount = 0
        var isWaiting = false
    }

    let largestByteCount: Int
    let largestByteCountPerAddress: Int
    /// What each connection has for itself, so that small requests never wait.
    let freeByteCount: Int
    /// In flight, without what is free.
    private(set) var byteCount = 0
    private var byteCounts: [String: Int] = [:]
    private var connections: [ConnectionID: Connection] = [:]
    private var nextID = 0
    /// In the order in which they came.
    private var waiters: [Waiter] = []

    init(largestByteCount: Int, connectionCount: Int) {
        self.largestByteCount = largestByteCount
        largestByteCountPerAddress = largestByteCount / 4
        freeByteCount = min(128 * 1024, largestByteCount / 4 / max(1, connectionCount))
    }

    var waitingCount: Int { waiters.count }

    // MARK: Connections

    mutating func add(address: String) -> ConnectionID {
        defer { nextID += 1 }
        connections[nextID] = Connection(address: address)
        return nextID
    }

    /// The connection is gone and does not wait any more; its charges are still to be released.
    ///
    /// - Returns: charges that are granted now.
    mutating func remove(_ connection: ConnectionID) -> [Charge] {
        connections[connection] = nil
        waiters.removeAll { $0.connection == connection }
        return grantWaiters()
    }

    // MARK: Charges

    /// Reserves a message; `nil`: it waits, and is granted by a later release. A connection has one that waits at most.
    mutating func reserve(_ byteCount: Int, for connection: ConnectionID) -> Charge? {
        guard let address = connections[connection]?.address else { return nil }
        let waiter = Waiter(connection: connection, address: address, byteCount: byteCount)
        if let charge = takeFree(waiter) { return charge }
        waiters.append(waiter)
        connections[connection]?.isWaiting = true
        // Others were not granted before, and nothing was released since.
        return grantWaiters().first
    }

    /// Reserves a message that must not wait.
    ///
    /// - Throws: `ErrorMessage` (0x1001) with Cassandra's text ([CA] transport/CQLMessageHandler.java).
    mutating func reserveAtOnce(_ byteCount: Int, for connection: ConnectionID) throws -> Charge? {
        guard let address = connections[connection]?.address else { return nil }
        let waiter = Waiter(connection: connection, address: address, byteCount: byteCount)
        if let charge = takeFree(waiter) ?? takeShared(waiter) { return charge }
        throw ErrorMessage(
            .overloaded,
            "Request breached limit(s) on bytes in flight (Endpoint: \(byteCounts[address] ?? 0)/"
                + "\(largestByteCountPerAddress) bytes, Global: \(self.byteCount)/\(largestByteCount) bytes.)")
    }

    /// Gives charges back, each of them once.
    ///
    /// - Returns: charges that are granted now.
    mutating func release(_ charges: some Sequence<Charge>) -> [Charge] {
        var granted: [Charge] = []
        for charge in charges {
            guard !charge.isFree else {
                connections[charge.connection]?.freeByteCount -= charge.byteCount
                if let charge = takeFreeWaiter(of: charge.connection) { granted.append(charge) }
                continue
            }
            byteCount -= charge.byteCount
            let rest = byteCounts[charge.address, default: 0] - charge.byteCount
            byteCounts[charge.address] = rest > 0 ? rest : nil
        }
        assert(byteCount >= 0, "A charge was released twice.")
        return granted + grantWaiters()
    }

    private mutating func takeFree(_ waiter: Waiter) -> Charge? {
        let used = connections[waiter.connection]?.freeByteCount ?? 0
        guard used + waiter.byteCount <= freeByteCount else { return nil }
        connections[waiter.connection]?.freeByteCount = used + waiter.byteCount
        return Charge(waiter, isFree: true)
    }

    /// Takes the connection that waits out of the line if its own allowance has become large enough.
    private mutating func takeFreeWaiter(of connection: ConnectionID) -> Charge? {
        guard connections[connection]?.isWaiting == true,
            let index = waiters.firstIndex(where: { $0.connection == connection }),
            let charge = takeFree(waiters[index])
        else { return nil }
        waiters.remove(at: index)
        connections[connection]?.isWaiting = false
        return charge
    }

    /// Takes what the waiter needs of what is shared, if it is within both bounds.
    private mutating func takeShared(_ waiter: Waiter) -> Charge? {
        let used = byteCounts[waiter.address] ?? 0
        guard fits(waiter.byteCount, byteCount, largestByteCount),
            fits(waiter.byteCount, used, largestByteCountPerAddress)
        else { return nil }
        byteCount += waiter.byteCount
        byteCounts[waiter.address] = used + waiter.byteCount
        return Charge(waiter, isFree: false)
    }

    private mutating func grantWaiters() -> [Charge] {
        var granted: [Charge] = []
        var blocked: Set<String> = []
        var passedOver: [Waiter] = []
        var index = 0
        while index < waiters.count, fits(waiters[index].byteCount, byteCount, largestByteCount) {
            let waiter = waiters[index]
            index += 1
            // Counted here and not by whoever is woken: it would find that another one was faster.
            if !blocked.contains(waiter.address), let charge = takeShared(waiter) {
                granted.append(charge)
                connections[waiter.connection]?.isWaiting = false
            } else {
                blocked.insert(waiter.address)
                passedOver.append(waiter)
            }
        }
        if !granted.isEmpty { waiters.replaceSubrange(..<index, with: passedOver) }
        return granted
    }

    private func fits(_ byteCount: Int, _ used: Int, _ largest: Int) -> Bool {
        used == 0 || used + byteCount <= largest
    }
}
