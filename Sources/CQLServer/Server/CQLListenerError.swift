// CQLListenerError.swift — why a server can't listen where it was told to.
#if Servers

    internal import NIOCore

    #if canImport(Glibc)
        internal import Glibc
    #elseif canImport(Musl)
        internal import Musl
    #else
        internal import Darwin
    #endif

    /// An address that a ``CQLListener`` can't have. Its description is a sentence for whoever chose the address, such as
    /// `Cannot listen on 127.0.0.1:9042: Address already in use`.
    public struct CQLListenerError: Error, Sendable, CustomStringConvertible {
        public enum Code: String, Sendable, Hashable, CaseIterable {
            /// The host is neither an address nor a name that has one.
            case unknownHost
            /// The system does not let this process listen there: the port is taken or needs privileges, or the address is
            /// of another machine.
            case addressUnavailable
        }

        public let code: Code
        /// As it was asked for.
        public let host: String
        /// As it was asked for: 0 is any.
        public let port: Int
        /// In the system's words where there are any.
        public let reason: String
        public let cause: any Error

        public var description: String {
            "Cannot listen on \(host.contains(":") ? "[\(host)]" : host):\(port): \(reason)"
        }

        private init(_ code: Code, _ options: CQLListenerOptions, _ reason: String, _ cause: any Error) {
            self.code = code
            host = options.host
            port = options.port
            self.reason = reason
            self.cause = cause
        }

        /// - Parameter error: by which the host's name was not resolved.
        init(unresolved error: any Error, _ options: CQLListenerOptions) {
            let text = (error as? SocketAddressError.UnknownHost)?.errorDescription
            self.init(.unknownHost, options, "unknown host" + (text.map { " (\($0))" } ?? ""), error)
        }

        /// - Parameter error: with which the system answered.
        init(refusal error: any Error, _ options: CQLListenerOptions) {
            let reason = (error as? IOError).map { Self.systemText($0.errnoCode) } ?? "\(error)"
            self.init(.addressUnavailable, options, reason, error)
        }

        private static func systemText(_ number: CInt) -> String {
            var buffer = [CChar](repeating: 0, count: 256)
            _ = unsafe strerror_r(number, &buffer, buffer.count)
            let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return text.isEmpty ? "error \(number)" : String(decoding: text, as: UTF8.self)
        }
    }

#endif
