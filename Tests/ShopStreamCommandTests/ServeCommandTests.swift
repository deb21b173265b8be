// `shopstream serve` as users run it: the program itself, a socket to it, and the signal that ends it.
#if Servers

    import CQLServer
    import Foundation
    import StorageTypes
    import Testing

    #if canImport(Glibc)
        import Glibc
    #else
        import Darwin
    #endif

    @testable import shopstream

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

        @Test("a port that is in use is told in one sentence")
        func portInUse() throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("serve-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let server = try RunningServer(["--data", folder.path + "/a", "--cql", "127.0.0.1:0"])
            defer { server.stop() }
            let port = try #require(try server.firstLine().split(separator: ":").last)
            let run = try CommandRun("serve", "--data", folder.path + "/b", "--cql", "127.0.0.1:\(port)")
            #expect(run.status != 0 && run.output.isEmpty)
            #expect(run.errors == "Error: Cannot listen on 127.0.0.1:\(port): Address already in use\n")
            #expect(try server.terminate() == 0)
        }
    }

    @Suite("The users of shopstream serve")
    struct ServeUsersTests {
        private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("users-\(UUID().uuidString)")

        /// A file of this content; `nil`: none.
        private func path(_ content: String?) throws -> String {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appendingPathComponent("users.txt")
            if let content { try Data(content.utf8).write(to: file) }
            return file.path
        }

        private static let hash = PasswordHash(password: "secret", iterationCount: 1)

        @Test("they are read from a pipe to its end, as from a file")
        func pipes() throws {
            defer { try? FileManager.default.removeItem(at: folder) }
            // Of more lines than a pipe holds at once. Of the last one there is an error.
            let lines = (1...5000).map { "user\($0):\(Self.hash)\n" }.joined() + "ann"
            let pipe = Pipe()
            // A thread of its own: this one waits for it.
            Thread.detachNewThread {
                try? pipe.fileHandleForWriting.write(contentsOf: Data(lines.utf8))
                try? pipe.fileHandleForWriting.close()
            }
            let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
            let error = #expect(throws: StorageError.self) { try ServeCommand.users(in: path) }
            #expect(error?.message.hasPrefix("Line 5001 of the users' file is not NAME:HASH") == true)
            let short = Pipe()
            try short.fileHandleForWriting.write(contentsOf: Data("ann:\(Self.hash)\n".utf8))
            try short.fileHandleForWriting.close()
            #expect(try !ServeCommand.users(in: "/dev/fd/\(short.fileHandleForReading.fileDescriptor)").isEmpty)
            #expect(try !ServeCommand.users(in: self.path("ann:\(Self.hash)")).isEmpty)
        }

        @Test("a file that is missing, names nobody or never ends is refused with its name and the reason")
        func refusals() throws {
            defer { try? FileManager.default.removeItem(at: folder) }
            func refusal(_ path: String) -> StorageError? {
                let error = #expect(throws: StorageError.self) { try ServeCommand.users(in: path) }
                #expect(error?.location?.file == path)
                return error
            }
            let missing = refusal(try path(nil))
            #expect(missing?.code == .notFound)
            #expect(missing?.message == "The users' file can't be read: No such file or directory.")
            for content in ["", "\n# nobody yet\n"] {
                let empty = refusal(try path(content))
                #expect(empty?.code == .invalidArgument)
                #expect(empty?.message.hasPrefix("The users' file names no user;") == true)
            }
            #expect(refusal(folder.path)?.code == .ioFailure)
            #expect(refusal("/dev/zero")?.message == "The users' file has more than 16777216 bytes.")
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
