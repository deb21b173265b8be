// CQLListenerOptions.swift — how a server listens, and its bounds.
#if Servers

    internal import NIOCore
    public import WideColumnEngine

    /// How a ``CQLListener`` listens.
    public struct CQLListenerOptions: Sendable {
        /// A name or an address. Without ``users`` it has to be of the loopback, unless ``allowsRemoteStrangers``.
        public var host = "127.0.0.1"
        /// 0: one that is free, which ``CQLListener/port`` tells.
        public var port = 9042
        /// The address at which clients reach the server, as `system.local` tells it to those that ask; `nil`: the one that is
        /// listened on, and where that is on all of the machine's, the first one that is not of the loopback. (Cassandra's
        /// `broadcast_rpc_address`.)
        public var advertisedAddress: String?
        /// Who may connect; `nil`: everybody who can reach the port.
        public var users: CQLUsers?
        /// Whether everybody who reaches the machine may do everything.
        public var allowsRemoteStrangers = false
        /// Files in PEM form; `nil`: the connection is not encrypted.
        public var tls: TLSFiles?
        /// How far a modification has to get before it is answered.
        public var durability: Durability = .buffered

        /// The most connections at a time; what comes beyond is closed at once.
        public var connectionCount = 1024
        /// The most requests of one connection at a time; beyond it, its bytes are not read.
        public var requestCountPerConnection = 128
        /// The most bytes of requests in flight, over all connections, and of one address a quarter of it; a request that does
        /// not fit waits unread. (Cassandra's `native_transport_max_request_data_in_flight`, and that `_per_ip`.)
        public var requestByteCount = 512 * 1024 * 1024
        /// The most bytes of answers that peers have not taken, over all connections; beyond it those are closed that leave
        /// most of them lie.
        public var answerByteCount = 1024 * 1024 * 1024
        /// The largest body of a request. A batch holds 64 MiB at most.
        public var largestRequestByteCount = 64 * 1024 * 1024 + 64 * 1024
        /// The largest body of an answer. Before they are sent answers count against no bound but this one, which twice as many
        /// have as there are threads: those that are made, and those that wait for the event loop.
        public var largestAnswerByteCount = 64 * 1024 * 1024
        /// How many requests the engine works on at a time. One connection has one less at most, if there are more.
        public var threadCount = 16
        /// How long a SELECT may read, once a thread has begun with it; then its answer is a `ReadTimeout`. `nil`: as long as it
        /// takes. (Cassandra's `read_request_timeout` and `range_request_timeout`, 5 and 10 seconds.)
        public var readTimeout: Duration?
        /// How long a connection may take until it is ready.
        public var handshakeTimeout: Duration = .seconds(10)
        /// How long a ready connection may say nothing; `nil`: as long as it likes. Drivers send something every half minute.
        public var idleTimeout: Duration?
        /// How long a peer may take nothing of the answers that wait for it.
        var writeStallTimeout: Duration = .seconds(30)
        /// How long a closing connection waits for its peer to take the last answers.
        var closeTimeout: Duration = .seconds(10)
        /// The most bytes of events that a peer leaves lie.
        var unreadEventByteCount = 64 * 1024
        /// How long a request that is coming, or a peer that requests with room wait for, may be slow.
        var receiveGrace: Duration = .seconds(10)
        /// How often the progress of connections is looked at.
        var progressInterval: Duration = .seconds(1)

        public struct TLSFiles: Hashable, Sendable {
            public var certificate: String
            public var key: String

            /// - Parameter certificate: the chain, the server's own first.
            public init(certificate: String, key: String) {
                self.certificate = certificate
                self.key = key
            }
        }

        public init() {}

        /// Addresses that stand for all of the machine's.
        static let wildcards = ["0.0.0.0", "::"]

        /// - Throws: `StorageError` (`invalidArgument`) for what no server can have.
        func check() throws {
            let counts = [
                ("connectionCount", connectionCount), ("requestCountPerConnection", requestCountPerConnection),
                ("requestByteCount", requestByteCount), ("answerByteCount", answerByteCount),
                ("largestRequestByteCount", largestRequestByteCount),
                ("largestAnswerByteCount", largestAnswerByteCount), ("threadCount", threadCount),
            ]
            for (name, count) in counts where count < 1 {
                throw StorageError.invalidArgument("\(name) is \(count), and has to be 1 at least")
            }
            let times = [
                ("handshakeTimeout", handshakeTimeout), ("idleTimeout", idleTimeout), ("readTimeout", readTimeout),
            ]
            for case (let name, let time?) in times where time <= .zero {
                throw StorageError.invalidArgument("\(name) is \(time), and has to be longer than nothing")
            }
            if let address = advertisedAddress {
                guard let text = (try? SocketAddress(ipAddress: address, port: 0))?.ipAddress,
                    !Self.wildcards.contains(text)
                else {
                    throw StorageError.invalidArgument(
                        "advertisedAddress is \(address), and has to be an address that clients can reach")
                }
            }
            guard (0...Int(UInt16.max)).contains(port) else {
                throw StorageError.invalidArgument("port is \(port), and has to be 0 to 65535")
            }
        }
    }

#endif
