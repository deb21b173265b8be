// ServeCommand.swift — `shopstream serve --data DIR --cql HOST:PORT`.
#if Servers

    internal import ArgumentParser
    internal import CQLServer
    internal import Dispatch
    internal import ShopStreamKit
    internal import Synchronization
    #if canImport(Glibc)
        internal import Glibc
    #else
        internal import Darwin
    #endif

    struct ServeCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "serve",
            abstract: "Serves a data directory to clients of the original systems, until SIGINT or SIGTERM.",
            discussion: """
                So far to those of Cassandra, by its native protocol: cqlsh and the drivers. Only programs of this machine \
                can connect unless --users names who may, and then TLS keeps the passwords from being read on the way.
                """)

        @Option(help: "The data directory; it is created if there is none.")
        var data: String

        @Option(help: "The address for Cassandra's native protocol. Port 0 takes one that is free.")
        var cql = "127.0.0.1:9042"

        @Option(
            help: "The address at which clients reach the server, where that is not the one it listens on.")
        var advertise: String?

        @Option(help: "Who may connect: a file with a line of `shopstream user NAME` for each.")
        var users: String?

        @Option(name: .customLong("tls-certificate"), help: "The certificate chain, a file in PEM form.")
        var certificate: String?

        @Option(name: .customLong("tls-key"), help: "The certificate's private key, a file in PEM form.")
        var key: String?

        @Option(help: "How many seconds a SELECT may read, after which it fails; as long as it takes without.")
        var readTimeout: Double?

        @Flag(help: "Answer modifications only when they are on the device.")
        var synced = false

        @Flag(help: "Without --users, let everybody who reaches the address do everything.")
        var allowRemoteStrangers = false

        func validate() throws {
            guard (certificate == nil) == (key == nil) else {
                throw ValidationError("--tls-certificate and --tls-key go together.")
            }
            if let readTimeout {
                // More is no limit, and less would round to nothing.
                guard readTimeout >= 0.001, readTimeout <= 1_000_000_000 else {
                    throw ValidationError("--read-timeout must be between 0.001 and 1000000000 seconds.")
                }
            }
            _ = try hostAndPort()
        }

        func run() async throws {
            var options = try listenerOptions()
            let signals = TerminationSignals()
            let shopOptions = ShopStreamOptions()
            options.connectionCount = try Self.connectionCount(
                options.connectionCount, storage: shopOptions.storage.descriptorBudget)
            let shop = try ShopStream.open(at: data, options: shopOptions)
            do {
                let listener = try await CQLListener.start(serving: shop.wideColumns, options: options)
                // Whoever started it may wait for this line.
                print("CQL: listening on \(listener.address)")
                fflush(nil)
                await signals.first()
                print("Stopping: answering what is under way")
                try await listener.shutDown()
            } catch {
                // What went wrong first is what the user should read.
                try? await shop.close()
                throw error
            }
            try await shop.close()
        }

        /// A connection that finds no descriptor would stop the listener, a file that finds none the storage.
        private static func connectionCount(_ connectionCount: Int, storage: Int) throws -> Int {
            let limit = DescriptorLimit.raise()
            if let count = DescriptorLimit.connectionCount(connectionCount, limit: limit, storage: storage) {
                return count
            }
            let least = DescriptorLimit.leastLimit(connectionCount, storage: storage)
            throw ValidationError(
                "This process may open \(limit) files, and a server needs \(least): raise the limit (ulimit -n).")
        }

        private func listenerOptions() throws -> CQLListenerOptions {
            var options = CQLListenerOptions()
            (options.host, options.port) = try hostAndPort()
            options.advertisedAddress = advertise
            options.allowsRemoteStrangers = allowRemoteStrangers
            options.readTimeout = readTimeout.map { .seconds($0) }
            options.durability = synced ? .synced : .buffered
            options.users = try users.map { try Self.users(in: $0) }
            if let certificate, let key {
                options.tls = CQLListenerOptions.TLSFiles(certificate: certificate, key: key)
            }
            return options
        }

        private func hostAndPort() throws -> (String, Int) {
            guard let colon = cql.lastIndex(of: ":"), let port = UInt16(cql[cql.index(after: colon)...]),
                colon > cql.startIndex
            else { throw ValidationError("--cql takes HOST:PORT, such as 127.0.0.1:9042 or [::1]:9042.") }
            let host = cql[..<colon]
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
            return (String(isBracketed ? host.dropFirst().dropLast() : host), Int(port))
        }

        /// Many more than one machine serves.
        static let largestUsersByteCount = 16 * 1024 * 1024

        /// The users that a file names. It may be a pipe, whose length nobody knows before its end.
        ///
        /// - Throws: `StorageError` for a file that can't be read, is too large, names nobody, or has a line of another form.
        static func users(in path: String) throws -> CQLUsers {
            let users = try CQLUsers(fileContents: String(decoding: try contents(of: path), as: UTF8.self))
            // Nobody could connect: it is a mistake, such as a file that was to be written first.
            guard !users.isEmpty else {
                throw StorageError(
                    .invalidArgument, "The users' file names no user; `shopstream user NAME` prints a line for one.",
                    file: path)
            }
            return users
        }

        private static func contents(of path: String) throws -> [UInt8] {
            let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw unreadable(path) }
            defer { close(descriptor) }
            var bytes: [UInt8] = []
            var part = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = unsafe read(descriptor, &part, part.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw unreadable(path) }
                if count == 0 { return bytes }
                bytes.append(contentsOf: part.prefix(count))
                guard bytes.count <= largestUsersByteCount else {
                    throw StorageError(
                        .invalidArgument, "The users' file has more than \(largestUsersByteCount) bytes.", file: path)
                }
            }
        }

        /// By the number of the error that was met last.
        private static func unreadable(_ path: String) -> StorageError {
            let number = errno
            let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
            return StorageError(
                number == ENOENT ? .notFound : .ioFailure, "The users' file can't be read: \(reason).", file: path)
        }
    }

    /// Waits for SIGINT or SIGTERM, the first of which does not end the process any more. The second does, at once.
    private struct TerminationSignals {
        private let stream: AsyncStream<Void>
        private let sources: [any DispatchSourceSignal]

        init() {
            let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
            self.stream = stream
            // One after another, so that only one is the first.
            let queue = DispatchQueue(label: "signals")
            let count = Counter()
            sources = [SIGINT, SIGTERM].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
                source.setEventHandler {
                    // What is committed is safe, as after a crash.
                    if count.next() > 1 { _exit(130) }
                    continuation.yield()
                }
                source.resume()
                return source
            }
        }

        private final class Counter: Sendable {
            private let count = Atomic(0)

            func next() -> Int { count.add(1, ordering: .relaxed).newValue }
        }

        func first() async {
            for await _ in stream { return }
        }
    }

#endif
