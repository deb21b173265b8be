// RequestQueue.swift — requests that wait for a thread: connections take turns, each with its oldest request.
//
// A connection that sends many requests waits behind itself and not before others. Its owner calls it from one thread.
// Invariant: a connection is in the ring once if it has requests and is not held, and else not at all.

/// The requests of all connections that were not begun.
struct RequestQueue<Request> {
    private struct Line {
        var requests: ArraySlice<Request> = []
        var isHeld = false
        var isInRing = false
    }

    private var lines: [RequestBudget.ConnectionID: Line] = [:]
    /// In the order of their turns.
    private var ring: ArraySlice<RequestBudget.ConnectionID> = []
    private(set) var count = 0

    mutating func append(_ request: Request, of connection: RequestBudget.ConnectionID) {
        lines[connection, default: Line()].requests.append(request)
        count += 1
        enterRing(connection)
    }

    /// Whether none of a connection's requests is to be begun.
    mutating func hold(_ connection: RequestBudget.ConnectionID, _ isHeld: Bool) {
        lines[connection, default: Line()].isHeld = isHeld
        enterRing(connection)
    }

    /// Whether there is such a request of a connection.
    func contains(of connection: RequestBudget.ConnectionID, where predicate: (Request) -> Bool) -> Bool {
        lines[connection]?.requests.contains(where: predicate) == true
    }

    /// The request whose turn it is.
    mutating func next() -> (connection: RequestBudget.ConnectionID, request: Request)? {
        while let connection = ring.popFirst() {
            // It is put in place again, so that the requests are not copied.
            guard var line = lines.removeValue(forKey: connection) else { continue }
            line.isInRing = false
            let request = line.isHeld ? nil : line.requests.popFirst()
            lines[connection] = line
            guard let request else { continue }
            count -= 1
            enterRing(connection)
            return (connection, request)
        }
        return nil
    }

    /// Forgets a connection.
    ///
    /// - Returns: its requests.
    mutating func remove(_ connection: RequestBudget.ConnectionID) -> [Request] {
        guard let line = lines.removeValue(forKey: connection) else { return [] }
        count -= line.requests.count
        if line.isInRing { ring.removeAll { $0 == connection } }
        return Array(line.requests)
    }

    private mutating func enterRing(_ connection: RequestBudget.ConnectionID) {
        guard let line = lines[connection], !line.isHeld, !line.isInRing, !line.requests.isEmpty else { return }
        lines[connection]?.isInRing = true
        ring.append(connection)
    }
}
