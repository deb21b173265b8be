// ServerDescription.swift — what servers tell a store of themselves, for its system tables to show.

internal import Synchronization

/// A server on a store.
public struct ServerDescription: Sendable {
    /// Where clients reach it, an address as text.
    public var address: String
    public var port: Int
    /// The connections that it has now. Called on the thread of whoever reads `system_views.clients`.
    public var connections: @Sendable () -> [ClientConnection]

    public init(address: String, port: Int, connections: @escaping @Sendable () -> [ClientConnection]) {
        self.address = address
        self.port = port
        self.connections = connections
    }
}

/// A connection of a server's, as `system_views.clients` shows it.
public struct ClientConnection: Hashable, Sendable {
    public enum Stage: String, Hashable, Sendable {
        case established, authenticating, ready
    }

    /// Of the client, as text; a connection without an address is not shown.
    public var address: String
    public var port: Int
    public var stage = Stage.established
    public var protocolVersion: Int?
    /// What the client told of itself at STARTUP.
    public var options: [String: String] = [:]
    public var requestCount: Int64 = 0
    /// `nil` where nobody has to say who they are.
    public var userName: String?
    public var keyspace: String?
    public var isEncrypted = false
    /// As `TLSv1.3`.
    public var encryptionProtocol: String?
    public var cipherSuite: String?

    public init(address: String, port: Int) {
        self.address = address
        self.port = port
    }
}

/// The servers there are on a store.
final class ServerRegistry: Sendable {
    private struct State {
        var servers: [(token: UInt64, server: ServerDescription)] = []
        var count: UInt64 = 0
    }

    private let state = Mutex(State())

    func add(_ server: ServerDescription) -> @Sendable () -> Void {
        let token = state.withLock { state in
            state.count += 1
            state.servers.append((state.count, server))
            return state.count
        }
        return { [weak self] in self?.state.withLock { $0.servers.removeAll { $0.token == token } } }
    }

    /// In the order in which they came.
    var servers: [ServerDescription] { state.withLock { $0.servers.map(\.server) } }
}

extension WideColumnStore {
    /// Shows a server in the system tables, until the returned closure is called: its connections in
    /// `system_views.clients`; where it listens, if no other came before, in `system.local`.
    public func announce(_ server: ServerDescription) -> @Sendable () -> Void { servers.add(server) }
}
