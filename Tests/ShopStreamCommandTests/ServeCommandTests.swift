// `shopstream serve` as users run it: the program itself, a socket to it, and the signal that ends it.
#if Servers

    import Foundation
    import Testing

    #if canImport(Glibc)
        import Glibc
    #else
        import Darwin
    #endif

    @Suite("shopstream serve", .serialized, .timeLimit(.minutes(20)))
    struct ServeCommandTests {
        @Test("it tells its port, answers Cassandra's protocol, and ends by SIGTERM without an error")
        func serving() throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("serve-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            for options in [[], ["--read-timeout", "10", "--advertise", "10.0.0.7"]] {
                let server = try RunningServer(["--data", folder.path, "--cql", "127.0.0.1:0"] + options)
                defer { server.stop() }
                let line = try server.firstLine()
                #expect(line.hasPrefix("CQL: listening on 127.0.0.1:"))
                let port = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
                // OPTIONS in version 4, on stream 1, without a body; SUPPORTED has opcode 6.
                let answer = try server.exchange([4, 0, 0, 1, 5, 0, 0, 0, 0], port: port)
                #expect(answer.prefix(5) == [0x84, 0, 0, 1, 6])
                #expect(try server.terminate() == 0)
            }
        }

        @Test("what can't be served is refused with the option's name or the reason, and nothing is printed")
        func refusals() throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("serve-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            for (options, reason) in [
                (["--cql", "9042"], "--cql takes HOST:PORT"), (["--cql", "127.0.0.1:99999"], "--cql takes HOST:PORT"),
                (["--cql", "0.0.0.0:0"], "Without users, 0.0.0.0 would let everybody who reaches it do everything"),
                (["--cql", "127.0.0.1:0", "--tls-key", "key.pem"], "--tls-certificate and --tls-key go together"),
                (["--cql", "127.0.0.1:0", "--read-timeout", "0"], "--read-timeout must be between"),
                (["--cql", "127.0.0.1:0", "--read-timeout", "inf"], "--read-timeout must be between"),
                (["--cql", "127.0.0.1:0", "--advertise", "0.0.0.0"], "advertisedAddress is 0.0.0.0"),
                (["--cql", "127.0.0.1:0", "--advertise", "nowhere"], "advertisedAddress is nowhere"),
            ] {
                let run = try CommandRun(["serve", "--data", folder.path] + options)
                #expect(run.status != 0 && run.output.isEmpty, "\(options)")
                #expect(run.errors.contains(reason), "\(options) \(run.errors)")
            }
        }
    }

    /// `shopstream serve` while it runs.
    private struct RunningServer {
        private struct SocketError: Error {
            var number: Int32
        }

        private let process = Process()
        private let output = Pipe()

        init(_ arguments: [String]) throws {
            process.executableURL = try CommandRun.program()
            process.arguments = ["serve"] + arguments
            process.standardOutput = output
            try process.run()
        }

        /// Waits for the line that it prints once it listens; what there is if it ends before.
        func firstLine() throws -> String {
            var line: [UInt8] = []
            while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
                line.append(byte)
            }
            return String(decoding: line, as: UTF8.self)
        }

        /// Sends bytes to a port of this machine; gives the beginning of what comes back.
        func exchange(_ bytes: [UInt8], port: UInt16) throws -> [UInt8] {
            #if canImport(Glibc)
                let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            #else
                let descriptor = socket(AF_INET, SOCK_STREAM, 0)
            #endif
            guard descriptor >= 0 else { throw SocketError(number: errno) }
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let isConnected = withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard isConnected, write(descriptor, bytes, bytes.count) == bytes.count else {
                throw SocketError(number: errno)
            }
            var answer: [UInt8] = []
            while answer.count < 9 {
                var part = [UInt8](repeating: 0, count: 1024)
                let count = read(descriptor, &part, part.count)
                guard count > 0 else { throw SocketError(number: errno) }
                answer += part.prefix(count)
            }
            return answer
        }

        /// Ends it by SIGTERM; gives its status once it is gone.
        func terminate() throws -> Int32 {
            process.terminate()
            process.waitUntilExit()
            try #require(process.terminationReason == .exit)
            return process.terminationStatus
        }

        /// For a test that has failed: it must not be left running.
        func stop() {
            guard process.isRunning else { return }
            kill(process.processIdentifier, SIGKILL)
        }
    }

#endif
