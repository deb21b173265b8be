// RequestQueue.swift — requests that wait for a thread: connections take turns, each with its oldest request.
//
// A connection that sends many requests waits behind itself and not before others. Its owner calls it from one thread.
// Invariants:
//
//   1. A connection is in the ring once if it has requests, is not held, and has fewer under way than it may have; and else
//      not at all.
//   2. A request that was taken is not kept: its body may be large.

/// The requests of all connections that were not begun.
struct RequestQueue<Request> {
    private struct Line {
        // An array moves the few that are left, where a slice would keep those that were taken.
        var requests: [Request] = []
        var isHeld = false
        var isInRing = false
        /// Taken, and not finished yet.
        var startedCount = 0
    }

    private var lines: [RequestBudget.ConnectionID: Line] = [:]
    /// In the order of their turns.
    private var ring: ArraySlice<RequestBudget.ConnectionID> = []
    private(set) var count = 0
    private let largestStartedCount: Int

    /// - Parameter largestStartedCount: how many requests of one connection may be under way.
    init(largestStartedCount: Int = .max) {
        self.largestStartedCount = largestStartedCount
    }

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

    /// Requests of a connection that were taken are done with.
    mutating func finish(_ finishedCount: Int, of connection: RequestBudget.ConnectionID) {
        // One that was forgotten has no place in the ring any more.
        guard let startedCount = lines[connection]?.startedCount else { return }
        assert(startedCount >= finishedCount, "More requests were finished than taken.")
        lines[connection]?.startedCount = startedCount - finishedCount
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
            let request = line.isHeld || line.requests.isEmpty ? nil : line.requests.removeFirst()
            if request != nil { line.startedCount += 1 }
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
        return line.requests
    }

    private mutating func enterRing(_ connection: RequestBudget.ConnectionID) {
        guard let line = lines[connection], !line.isHeld, !line.isInRing, !line.requests.isEmpty,
            line.startedCount < largestStartedCount
        else { return }
        lines[connection]?.isInRing = true
        ring.append(connection)
    }
}
