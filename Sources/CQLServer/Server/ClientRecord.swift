// ClientRecord.swift — what is known of a connection, for system tables: written on its event loop, read from anywhere.
#if Servers

    internal import NIOCore
    internal import NIOSSL
    internal import Synchronization
    internal import WideColumnEngine

    /// What a connection shows of itself.
    final class ClientRecord: Sendable {
        private let executor: RequestExecutor
        private let requestCount = Atomic<Int64>(0)
        private let connection: Mutex<ClientConnection>

        init(_ executor: RequestExecutor) {
            self.executor = executor
            connection = Mutex(ClientConnection(address: "", port: 0))
        }

        /// The connection as it is now.
        var current: ClientConnection {
            var current = connection.withLock { $0 }
            current.requestCount = requestCount.load(ordering: .relaxed)
            current.keyspace = executor.keyspace
            return current
        }

        func note(requestCount: Int64) { self.requestCount.store(requestCount, ordering: .relaxed) }

        /// The connection has a new phase. Call it on the event loop.
        func note(_ state: ConnectionState, userName: String?, _ context: ChannelHandlerContext) {
            let (address, handler) = (
                context.channel.remoteAddress,
                try? context.channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
            )
            connection.withLock { connection in
                connection.address = address?.ipAddress ?? ""
                connection.port = address?.port ?? 0
                switch state.phase {
                case .established: connection.stage = .established
                case .authenticating: connection.stage = .authenticating
                case .ready: connection.stage = .ready
                case .closing, .closed: break
                }
                if connection.stage != .established { connection.protocolVersion = Int(state.encoder.version.rawValue) }
                connection.options = state.startupOptions
                connection.userName = userName
                connection.isEncrypted = handler != nil
                connection.encryptionProtocol = handler?.tlsVersion?.name
            }
        }
    }

    extension TLSVersion {
        /// As other implementations name it.
        fileprivate var name: String {
            switch self {
            case .tlsv1: "TLSv1"
            case .tlsv11: "TLSv1.1"
            case .tlsv12: "TLSv1.2"
            case .tlsv13: "TLSv1.3"
            }
        }
    }

#endif
