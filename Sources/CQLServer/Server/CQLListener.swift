// CQLListener.swift — the server: it listens, and has a ConnectionHandler for each connection.
#if Servers

    internal import NIOCore
    internal import NIOPosix
    internal import NIOSSL
    internal import Synchronization
    public import WideColumnEngine

    /// Serves a store to clients of Cassandra's native protocol, versions 4 and 5.
    ///
    /// The store stays the caller's, who may go on using it and closes its storage after ``shutDown(within:)``.
    public final class CQLListener: Sendable {
        let server: ServerContext
        let connections: Connections
        private let channel: any Channel
        private let group: MultiThreadedEventLoopGroup
        private let stopObserving: @Sendable () -> Void
        private let stopAnnouncing: @Sendable () -> Void
        private let progressChecks: RepeatedTask
        private let stopping = Mutex<Task<Void, any Error>?>(nil)

        /// The port that is listened on.
        public let port: Int
        /// The address that is listened on, with the port.
        public let address: String

        /// Begins to listen.
        ///
        /// - Throws: `StorageError` (`invalidArgument`) for bounds below 1, for an address beyond the loopback without users, and
        ///   for TLS files that can't be used; ``CQLListenerError`` where the address can't be had.
        public static func start(
            serving store: WideColumnStore, options: CQLListenerOptions = CQLListenerOptions()
        ) async throws -> CQLListener {
            let listener = try await bind(serving: store, options: options)
            do { try await listener.accept() } catch {
                try? await listener.shutDown(within: .zero)
                throw error
            }
            return listener
        }

        /// Takes the address, and shows the server in the system tables. Clients that come wait for `accept`: the first one
        /// finds the server announced, and misses no change of the schema.
        static func bind(serving store: WideColumnStore, options: CQLListenerOptions) async throws -> CQLListener {
            try options.check()
            let address = try resolve(options)
            let tls = try options.tls.map { try context($0, shutdownTimeout: options.closeTimeout) }
            let connections = Connections(largestCount: options.connectionCount)
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let loop = group.next()
            let server = try await loop.submit { ServerContext(store, options, loop) }.get()
            server.threads.start()
            server.passwordThreads.start()
            do {
                let channel = try await bootstrap(group, server, connections, tls).bind(to: address).get()
                return CQLListener(server, channel, group, connections)
            } catch {
                try await server.threads.shutdownGracefully()
                try await server.passwordThreads.shutdownGracefully()
                try await group.shutdownGracefully()
                throw CQLListenerError(refusal: error, options)
            }
        }

        private init(
            _ server: ServerContext, _ channel: any Channel, _ group: MultiThreadedEventLoopGroup,
            _ connections: Connections
        ) {
            self.server = server
            self.channel = channel
            self.group = group
            self.connections = connections
            port = channel.localAddress?.port ?? 0
            let host = channel.localAddress?.ipAddress ?? server.options.host
            address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            let advertised = server.options.advertisedAddress ?? Self.reachableAddress(host)
            let description = ServerDescription(address: advertised, port: port) { [weak connections] in
                connections?.clients ?? []
            }
            let interval = TimeAmount(server.options.progressInterval)
            progressChecks = group.next().scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
                connections.forEachNow { $0.checkProgress(at: .now()) }
            }
            stopAnnouncing = server.store.announce(description)
            stopObserving = server.store.observeSchemaChanges { change in
                connections.forEach { $0.schemaChanged(change) }
            }
        }

        /// Lets clients in.
        func accept() async throws {
            try await channel.setOption(.autoRead, value: true).get()
        }

        /// How many connections there are.
        public var connectionCount: Int { connections.count }

        /// Stops: takes no more connections and requests, lets those under way finish and be answered, then closes.
        ///
        /// - Parameter patience: how long to wait for answers; after it connections are closed as they are, and SELECTs that
        ///   read are stopped. Another statement that is being executed is finished by the engine in any case, and this
        ///   waits for it.
        ///   Who calls it again waits for what the first call began.
        public func shutDown(within patience: Duration = .seconds(10)) async throws {
            let task = stopping.withLock { stopping in
                let task = stopping ?? Task { try await self.stop(within: patience) }
                stopping = task
                return task
            }
            try await task.value
        }

        private func stop(within patience: Duration) async throws {
            stopObserving()
            stopAnnouncing()
            try? await channel.close()
            connections.forEach { $0.drain() }
            await connections.waitUntilEmpty(within: patience)
            await connections.closeAll()
            progressChecks.cancel()
            try await server.threads.shutdownGracefully()
            try await server.passwordThreads.shutdownGracefully()
            try await group.shutdownGracefully()
        }
    }

    // MARK: - Starting

    extension CQLListener {
        private static func resolve(_ options: CQLListenerOptions) throws -> SocketAddress {
            let address: SocketAddress
            do {
                address = try SocketAddress.makeAddressResolvingHost(options.host, port: options.port)
            } catch { throw CQLListenerError(unresolved: error, options) }
            let text = address.ipAddress ?? ""
            let isLoopback = text.hasPrefix("127.") || text == "::1"
            guard isLoopback || options.users != nil || options.allowsRemoteStrangers else {
                throw StorageError.invalidArgument(
                    "Without users, \(options.host) would let everybody who reaches it do everything: name users, or "
                        + "listen on 127.0.0.1, or allow it explicitly")
            }
            return address
        }

        /// An address by which others reach a server that listens on `host`: where that is on all, the first one beyond the
        /// loopback.
        private static func reachableAddress(_ host: String) -> String {
            guard CQLListenerOptions.wildcards.contains(host) else { return host }
            // Where the system does not tell them, nobody knows of any.
            let addresses = ((try? System.enumerateDevices()) ?? []).compactMap(\.address)
            let address = addresses.first { $0.protocol == .inet && $0.ipAddress?.hasPrefix("127.") == false }
            return address?.ipAddress ?? "127.0.0.1"
        }

        private static func context(
            _ files: CQLListenerOptions.TLSFiles, shutdownTimeout: Duration
        ) throws -> NIOSSLContext {
            do {
                let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map {
                    NIOSSLCertificateSource.certificate($0)
                }
                let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
                var configuration = TLSConfiguration.makeServerConfiguration(
                    certificateChain: chain, privateKey: .privateKey(key))
                // The versions before it are broken, and no driver needs them.
                configuration.minimumTLSVersion = .tlsv12
                configuration.shutdownTimeout = TimeAmount(shutdownTimeout)
                return try NIOSSLContext(configuration: configuration)
            } catch {
                throw StorageError(
                    .invalidArgument,
                    "The TLS certificate '\(files.certificate)' and key '\(files.key)' can't be used together",
                    cause: error)
            }
        }

        private static func bootstrap(
            _ group: MultiThreadedEventLoopGroup, _ server: ServerContext, _ connections: Connections,
            _ tls: NIOSSLContext?
        ) -> ServerBootstrap {
            ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.autoRead, value: false)
                .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                        if let timeout = server.options.idleTimeout {
                            try pipeline.addHandler(IdleStateHandler(allTimeout: TimeAmount(timeout)))
                        }
                        let handler = try ConnectionHandler(server)
                        try pipeline.addHandler(handler)
                        try connections.add(channel, handler)
                    }
                }
        }
    }

#endif
