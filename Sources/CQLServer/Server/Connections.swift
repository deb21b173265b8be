// Connections.swift — the connections that a server has.
#if Servers

    internal import NIOCore
    internal import Synchronization
    internal import WideColumnEngine

    /// The connections there are, each with its handler, which only its event loop touches.
    final class Connections: Sendable {
        private struct Connection {
            var channel: any Channel
            var handler: NIOLoopBound<ConnectionHandler>
            var record: ClientRecord
        }

        private let largestCount: Int
        private let connections = Mutex<[ObjectIdentifier: Connection]>([:])

        init(largestCount: Int) {
            self.largestCount = largestCount
        }

        var count: Int { connections.withLock { $0.count } }

        /// The connections as they show themselves.
        var clients: [ClientConnection] { connections.withLock { $0.values.map(\.record) }.map(\.current) }

        /// Notes a connection until it closes. Call it on its event loop.
        ///
        /// - Throws: where there are too many; the channel is closed then.
        func add(_ channel: any Channel, _ handler: ConnectionHandler) throws {
            let id = ObjectIdentifier(channel)
            let connection = Connection(
                channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop), record: handler.record)
            try connections.withLock { connections in
                guard connections.count < largestCount else {
                    throw CQLError(.overloaded, "There are \(largestCount) connections, the most that are allowed")
                }
                connections[id] = connection
            }
            channel.closeFuture.whenComplete { [weak self] _ in
                self?.connections.withLock { $0[id] = nil }
            }
        }

        /// Calls `body` for each connection, on its event loop, soon.
        func forEach(_ body: @escaping @Sendable (ConnectionHandler) -> Void) {
            for connection in connections.withLock({ Array($0.values) }) {
                connection.channel.eventLoop.execute { body(connection.handler.value) }
            }
        }

        /// The same at once. Call it on the event loop, which is that of all connections.
        func forEachNow(_ body: (ConnectionHandler) -> Void) {
            for connection in connections.withLock({ Array($0.values) }) { body(connection.handler.value) }
        }

        /// Waits until there is no connection, or the time is over.
        func waitUntilEmpty(within patience: Duration) async {
            let clock = ContinuousClock()
            let deadline = clock.now.advanced(by: patience)
            while count > 0, clock.now < deadline {
                try? await clock.sleep(for: .milliseconds(5))
            }
        }

        /// Closes them all without waiting for their peers.
        func closeAll() async {
            let channels = connections.withLock { $0.values.map(\.channel) }
            forEach { $0.closeAtOnce() }
            for channel in channels {
                // A channel that fails to close has closed.
                try? await channel.closeFuture.get()
            }
        }
    }

#endif
