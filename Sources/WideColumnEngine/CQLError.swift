// CQLError.swift — what a CQL user sees when a statement fails: the native protocol's code and Cassandra's text.

/// A statement that Cassandra would refuse, with the error code of the native protocol (v4 specification, §9).
///
/// Failures of the environment (disk, closed storage) are `StorageError`, never this.
public struct CQLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The native protocol's error codes. They go over the wire: do not renumber.
    public enum Code: Int32, Sendable, Hashable, CaseIterable {
        case serverError = 0x0000
        case protocolError = 0x000A
        case unavailable = 0x1000
        case overloaded = 0x1001
        case isBootstrapping = 0x1002
        case truncateError = 0x1003
        case writeTimeout = 0x1100
        case readTimeout = 0x1200
        case readFailure = 0x1300
        case functionFailure = 0x1400
        case writeFailure = 0x1500
        case badCredentials = 0x0100
        case syntaxException = 0x2000
        case unauthorized = 0x2100
        case invalidRequest = 0x2200
        case configurationException = 0x2300
        case alreadyExists = 0x2400
        case unprepared = 0x2500
    }

    /// What was to be created and is there already.
    public struct Existing: Sendable, Hashable {
        public var keyspace: String
        /// Of a table or view; empty where it is the keyspace itself.
        public var name: String
    }

    /// The function by which a statement failed.
    public struct FailedFunction: Sendable, Hashable {
        public var keyspace: String
        /// That of an operator is Cassandra's: `_divide`.
        public var name: String
        /// As CQL writes them.
        public var argumentTypes: [String]
    }

    /// Why a replica failed. They go over the wire: do not renumber.
    public enum FailureReason: UInt16, Sendable, Hashable {
        case unknown = 0
        case tooManyTombstones = 1
    }

    public let code: Code
    public let message: String
    /// Of `readFailure` and `writeFailure`, where it is known.
    public let failureReason: FailureReason?
    /// Of `alreadyExists`, where it is a keyspace or a table.
    public let existing: Existing?
    /// Of `functionFailure`, where it is known.
    public let failedFunction: FailedFunction?

    public init(_ code: Code, _ message: String) {
        self.init(code, message, existing: nil)
    }

    private init(
        _ code: Code, _ message: String, existing: Existing?, failureReason: FailureReason? = nil,
        failedFunction: FailedFunction? = nil
    ) {
        self.failedFunction = failedFunction
        self.failureReason = failureReason
        self.code = code
        self.message = message
        self.existing = existing
    }

    static func syntax(_ message: String) -> CQLError { CQLError(.syntaxException, message) }
    static func invalid(_ message: String) -> CQLError { CQLError(.invalidRequest, message) }
    static func configuration(_ message: String) -> CQLError { CQLError(.configurationException, message) }
    static func alreadyExists(_ message: String, keyspace: String, name: String = "") -> CQLError {
        CQLError(.alreadyExists, message, existing: Existing(keyspace: keyspace, name: name))
    }

    /// The failure of a function or of an operator, which are all of the keyspace `system`.
    static func functionFailure(_ message: String, of name: String, _ argumentTypes: [CQLType]) -> CQLError {
        CQLError(
            .functionFailure, message, existing: nil,
            failedFunction: FailedFunction(
                keyspace: "system", name: name, argumentTypes: argumentTypes.map(\.description)))
    }

    /// What a client is told in the place of an answer that is larger than it may be.
    package static func responseTooBig(byteCount: Int, maximum: Int) -> CQLError {
        .invalid(
            "Response is too big: length \(byteCount) exceeds maximum allowed length \(maximum). Use paging or LIMIT.")
    }

    static func tooManyTombstones(_ message: String) -> CQLError {
        CQLError(.readFailure, message, existing: nil, failureReason: .tooManyTombstones)
    }

    /// [CA] exceptions/ReadTimeoutException.java.
    static let readTimeout = CQLError(.readTimeout, "Operation timed out - received only 0 responses.")

    public var description: String { "\(code.title): \(message)" }

    /// Errors are equal by what their message says, which names what exists too.
    public static func == (left: CQLError, right: CQLError) -> Bool {
        left.code == right.code && left.message == right.message
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(message)
    }
}

extension CQLError.Code {
    /// Cassandra's name of the exception.
    public var title: String {
        switch self {
        case .serverError: "ServerError"
        case .protocolError: "ProtocolException"
        case .truncateError: "TruncateException"
        case .unavailable: "UnavailableException"
        case .overloaded: "OverloadedException"
        case .isBootstrapping: "IsBootstrappingException"
        case .writeTimeout: "WriteTimeoutException"
        case .readTimeout: "ReadTimeoutException"
        case .readFailure: "ReadFailureException"
        case .functionFailure: "FunctionFailure"
        case .writeFailure: "WriteFailureException"
        case .badCredentials: "AuthenticationException"
        case .syntaxException: "SyntaxException"
        case .unauthorized: "UnauthorizedException"
        case .invalidRequest: "InvalidRequest"
        case .configurationException: "ConfigurationException"
        case .alreadyExists: "AlreadyExists"
        case .unprepared: "Unprepared"
        }
    }
}
