// ListenerTests+SystemTables.swift — what the system tables tell of a listener and of its clients.
#if Servers

    import NIOCore
    import Testing

    @testable import CQLServer
    @testable import WideColumnEngine

    extension ListenerTests {
        @Test("a server on all addresses tells one that others can reach, or the one that it is given")
        func advertisedAddresses() async throws {
            func advertised(_ change: (inout CQLListenerOptions) -> Void) async throws -> [CQLValue] {
                let listener = try await start(change)
                let columns = "broadcast_address, listen_address, rpc_address"
                let values = try store.execute("SELECT \(columns) FROM system.local")[0].values
                try await listener.shutDown()
                #expect(values == Array(repeating: values[0], count: 3))
                return values
            }
            #expect(try await advertised { _ in }.first == .inet([127, 0, 0, 1]))
            let given = try await advertised { $0.advertisedAddress = "10.1.2.3" }
            #expect(given.first == .inet([10, 1, 2, 3]))
            let all = try await advertised {
                $0.host = "0.0.0.0"
                $0.allowsRemoteStrangers = true
            }
            let addresses = try System.enumerateDevices().compactMap(\.address?.ipAddress)
            guard case .inet(let bytes)? = all.first else {
                Issue.record("\(all)")
                return
            }
            #expect(addresses.contains(bytes.map(String.init).joined(separator: ".")))
            #expect(bytes[0] != 127 || addresses.allSatisfy { $0.hasPrefix("127.") || $0.contains(":") })
        }

        /// The connections that `system_views.clients` shows, by what of them is no port.
        private func clients() throws -> [String] {
            try store.execute(
                """
                SELECT address, connection_stage, driver_name, driver_version, hostname, keyspace_name, protocol_version,
                request_count, ssl_enabled, ssl_protocol, username FROM system_views.clients
                """
            ).map { $0.values.map(\.description).joined(separator: " ") }
        }

        @Test("system tables show who is connected, and where the server listens")
        func systemTables() async throws {
            let listener = try await start()
            let local = "SELECT rpc_address, rpc_port FROM system.local"
            #expect(try store.execute(local)[0].values == [.inet([127, 0, 0, 1]), .int(Int32(listener.port))])
            #expect(try clients() == [])
            try await LoopbackClient.run(port: listener.port) { client in
                let options = [("CQL_VERSION", "3.0.0"), ("DRIVER_NAME", "a driver"), ("DRIVER_VERSION", "1.2")]
                try await client.send(RequestBytes().map(options).envelope(0x01))
                #expect(try await client.next()?.opcode == 2)
                try await client.send(RequestBytes.query("USE ks"))
                #expect(try await client.next()?.resultKind == 3)
                let ready = "ready 'a driver' '1.2' '127.0.0.1' 'ks' 4"
                #expect(
                    try clients() == [
                        "'127.0.0.1' \(ready.replacing("ready", with: "'ready'")) 2 false null 'anonymous'"
                    ])
                try await LoopbackClient.run(port: listener.port) { second in
                    // A client sees itself, its request counted.
                    try await second.startUp(5)
                    try await second.send(
                        RequestBytes.query("SELECT * FROM system_views.clients WHERE address = '127.0.0.1'", version: 5)
                    )
                    #expect(try await second.next()?.resultKind == 2)
                    #expect(try clients().count == 2)
                    #expect(
                        try clients().contains(
                            "'127.0.0.1' 'ready' null null '127.0.0.1' null 5 2 false null 'anonymous'"))
                    let options = try store.execute("SELECT client_options FROM system_views.clients").map {
                        "\($0[0])"
                    }
                    #expect(options.contains { $0.contains("'DRIVER_NAME': 'a driver'") })
                }
            }
            try await listener.shutDown()
            #expect(try clients() == [])
            #expect(try store.execute(local)[0].values == [.inet([127, 0, 0, 1]), .int(9042)])
        }

        @Test("system tables show users, stages and TLS")
        func usersInSystemTables() async throws {
            let files = try TLSFixture()
            defer { files.remove() }
            let users = CQLUsers(["ann": PasswordHash(password: "x", iterationCount: 1)])
            let listener = try await start {
                $0.users = users
                $0.tls = .init(certificate: files.certificate, key: files.key)
            }
            try await LoopbackClient.run(port: listener.port, tls: files.clientContext()) { client in
                try await client.send(RequestBytes().envelope(0x05))
                #expect(try await client.next()?.opcode == 6)
                let address = "'127.0.0.1'"
                #expect(
                    try clients() == [
                        "\(address) 'established' null null \(address) null null 1 true 'TLSv1.3' 'anonymous'"
                    ])
                try await client.send(RequestBytes.startup())
                #expect(try await client.next()?.opcode == 3)
                #expect(
                    try clients() == [
                        "\(address) 'authenticating' null null \(address) null 4 2 true 'TLSv1.3' 'anonymous'"
                    ])
                try await client.send(RequestBytes.plain("ann", "x"))
                #expect(try await client.next()?.opcode == 0x10)
                #expect(try clients() == ["\(address) 'ready' null null \(address) null 4 3 true 'TLSv1.3' 'ann'"])
            }
            try await listener.shutDown()
        }
    }

#endif
