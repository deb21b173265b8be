// LoopbackClient.swift — a tiny client: bytes out, envelopes in.
#if Servers

    #if canImport(Glibc)
        import Glibc
    #else
        import Darwin
    #endif
    import NIOCore
    import NIOPosix
    import NIOSSL

    struct LoopbackClient {
        private struct Closed: Error {}

        private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private var frames: [UInt8] = []
        private var envelopes: [UInt8] = []
        private var hasFrames = false

        /// - Parameter resets: whether the connection ends by a reset, as that of a machine that is gone.
        static func run(
            port: Int, tls: NIOSSLContext? = nil, resets: Bool = false,
            _ body: (inout LoopbackClient) async throws -> Void
        ) async throws {
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            let handler = try NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                            try channel.pipeline.syncOperations.addHandler(handler)
                        }
                        return try NIOAsyncChannel(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(inboundType: ByteBuffer.self, outboundType: ByteBuffer.self))
                    }
                }
            if resets {
                let provider = channel.channel as? any SocketOptionProvider
                try await provider?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            }
            try await channel.executeThenClose { inbound, outbound in
                var client = LoopbackClient(iterator: inbound.makeAsyncIterator(), outbound: outbound)
                try await body(&client)
            }
        }

        private init(
            iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        ) {
            self.iterator = iterator
            self.outbound = outbound
        }

        mutating func startUp(_ version: UInt8) async throws {
            try await send(RequestBytes.startup(version: version))
            guard try await next()?.opcode == 2 else { throw Closed() }
            hasFrames = version == 5
        }

        func send(_ envelope: [UInt8]) async throws {
            try await outbound.write(ByteBuffer(bytes: hasFrames ? ClientFrames.plain(envelope) : envelope))
        }

        /// The next envelope; `nil` where the server closed the connection.
        mutating func next() async throws -> ResponseBytes? {
            while true {
                if let (response, byteCount) = ResponseBytes.first(envelopes) {
                    envelopes.removeFirst(byteCount)
                    return response
                }
                guard let buffer = try await iterator.next(isolation: #isolation) else { return nil }
                if hasFrames {
                    frames += buffer.readableBytesView
                    let (payload, consumed, _) = ClientFrames.payloads(frames)
                    frames.removeFirst(consumed)
                    envelopes += payload
                } else {
                    envelopes += buffer.readableBytesView
                }
            }
        }
    }

#endif
