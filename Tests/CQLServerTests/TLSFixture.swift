#if Servers

    import NIOSSL
    import StorageCore
    import StorageTypes

    /// A certificate of localhost that signed itself, for a hundred years, and its key: for these tests only.
    struct TLSFixture {
        private static let keyPEM = """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKw9sKq3Xfebqzodq
            2NzVDfKWKkyJofQtP7SVv7WZVP6hRANCAASFoUsTq20xS9+8OtO4JZsE9+WJJt4N
            dWzTCMhHeX+QfJFvq5edtoP/FO6XzLs4bEbCACvJ3I/uZhPBqYBOy0mk
            -----END PRIVATE KEY-----
            """
        private static let certificatePEM = """
            -----BEGIN CERTIFICATE-----
            MIIBmjCCAUGgAwIBAgIUMxOmHbg0Rrfp5CdtkZ9876RJ9DEwCgYIKoZIzj0EAwIw
            FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTA2NTAxOVoYDzIxMjYxMTA1
            MDY1MDE5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
            PQMBBwNCAASFoUsTq20xS9+8OtO4JZsE9+WJJt4NdWzTCMhHeX+QfJFvq5edtoP/
            FO6XzLs4bEbCACvJ3I/uZhPBqYBOy0mko28wbTAdBgNVHQ4EFgQU/M4sKUbMuOOb
            7tKHmdjFwCciyqswHwYDVR0jBBgwFoAU/M4sKUbMuOOb7tKHmdjFwCciyqswDwYD
            VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
            zj0EAwIDRwAwRAIgCsUDOI9kEJCHdFecwADzvVq7qby/YuwrylmGHH9tuKcCIA/r
            RDZfOu+WVudHzdUW4YYN5TmM0jFfSDRQeNOktW7k
            -----END CERTIFICATE-----
            """

        private let files = POSIXFileSystem()
        private let directory: String
        var certificate: String { directory + "/certificate.pem" }
        var key: String { directory + "/key.pem" }

        init() throws {
            directory = "/tmp/cql-server-tests-\(UInt64.random(in: 0 ... .max))"
            try files.createDirectory(directory)
            try write(Self.certificatePEM, to: certificate)
            try write(Self.keyPEM, to: key)
        }

        private func write(_ text: String, to path: String) throws {
            let file = try files.open(path, .create)
            try Array(text.utf8).withUnsafeBytes { try file.write($0, at: 0) }
            try file.close()
        }

        func remove() {
            for path in [certificate, key] { try? files.remove(path) }
            try? files.removeDirectory(directory)
        }

        /// - Parameter newest: the newest version that the client speaks.
        func clientContext(newest: TLSVersion = .tlsv13) throws -> NIOSSLContext {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv1
            configuration.maximumTLSVersion = newest
            configuration.trustRoots = .file(certificate)
            return try NIOSSLContext(configuration: configuration)
        }
    }

#endif
