// ErrorMessage.swift — ERROR with every code and what it carries beside the text (v4 and v5 specifications, §9).
//
// Drivers read fields behind the text by the code alone, so a code never goes out without its fields.

internal import WideColumnEngine

/// An error as a client sees it.
struct ErrorMessage: Hashable, Sendable {
    /// The error and its fields. The numbers of codes go over the wire: do not renumber.
    enum Code: Hashable, Sendable {
        case serverError, protocolError, badCredentials
        case unavailable(Consistency, required: Int32, alive: Int32)
        case overloaded, isBootstrapping, truncateError
        case writeTimeout(Replicas, writeType: WriteType)
        case readTimeout(Replicas, isDataPresent: Bool)
        case readFailure(Replicas, failures: [Failure], isDataPresent: Bool)
        case functionFailure(keyspace: String, function: String, argumentTypes: [String])
        case writeFailure(Replicas, failures: [Failure], writeType: WriteType)
        case changeDataCaptureFailure
        case conditionOutcomeUnknown(Replicas)
        case syntaxError, unauthorized, invalid, configurationError
        case alreadyExists(keyspace: String, table: String)
        case unprepared(id: [UInt8])
    }

    /// How many replicas answered, and how many had to.
    struct Replicas: Hashable, Sendable {
        var consistency = Consistency.localOne
        var received: Int32 = 0
        var required: Int32 = 1
    }

    /// A replica that failed.
    struct Failure: Hashable, Sendable {
        /// Four or sixteen bytes.
        var address: [UInt8]
        var reason: UInt16

        /// The one replica there is, which failed for a reason.
        static func here(_ reason: CQLError.FailureReason?) -> [Failure] {
            reason.map { [Failure(address: [127, 0, 0, 1], reason: $0.rawValue)] } ?? []
        }
    }

    enum WriteType: String, Hashable, Sendable {
        case simple = "SIMPLE"
        case batch = "BATCH"
        case unloggedBatch = "UNLOGGED_BATCH"
        case counter = "COUNTER"
        case compareAndSet = "CAS"
    }

    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// - Parameters:
    ///   - consistency: of the request, for errors that tell it.
    ///   - serialConsistency: of the request, for a condition of which nobody knows whether it was met.
    ///   - writeType: of the request, for a write that failed or of which nobody knows whether it will survive.
    init(
        _ error: any Error, consistency: Consistency = .localOne, serialConsistency: Consistency = .serial,
        writeType: @autoclosure () -> WriteType = .simple
    ) {
        let replicas = Replicas(consistency: consistency)
        switch error {
        case let error as ErrorMessage: self = error
        case let error as CQLError: self.init(Code(error, replicas, writeType), error.message)
        case let error as StorageError:
            self.init(Code(error, replicas, Replicas(consistency: serialConsistency), writeType), "\(error)")
        default: self.init(.serverError, "\(error)")
        }
    }
}

extension ErrorMessage: Error {}

extension ErrorMessage.Code {
    fileprivate init(
        _ error: CQLError, _ replicas: ErrorMessage.Replicas, _ writeType: () -> ErrorMessage.WriteType
    ) {
        self =
            switch error.code {
            case .serverError: .serverError
            case .protocolError: .protocolError
            case .badCredentials: .badCredentials
            case .unavailable: .unavailable(replicas.consistency, required: 1, alive: 0)
            case .overloaded: .overloaded
            case .isBootstrapping: .isBootstrapping
            case .truncateError: .truncateError
            case .writeTimeout: .writeTimeout(replicas, writeType: writeType())
            case .readTimeout: .readTimeout(replicas, isDataPresent: false)
            case .readFailure:
                .readFailure(replicas, failures: ErrorMessage.Failure.here(error.failureReason), isDataPresent: false)
            case .functionFailure:
                .functionFailure(
                    keyspace: error.failedFunction?.keyspace ?? "", function: error.failedFunction?.name ?? "",
                    argumentTypes: error.failedFunction?.argumentTypes ?? [])
            case .writeFailure:
                .writeFailure(
                    replicas, failures: ErrorMessage.Failure.here(error.failureReason), writeType: writeType())
            case .syntaxException: .syntaxError
            case .unauthorized: .unauthorized
            case .invalidRequest: .invalid
            case .configurationException: .configurationError
            case .alreadyExists:
                .alreadyExists(keyspace: error.existing?.keyspace ?? "", table: error.existing?.name ?? "")
            case .unprepared: .unprepared(id: [])
            }
    }

    fileprivate init(
        _ error: StorageError, _ replicas: ErrorMessage.Replicas, _ serialReplicas: ErrorMessage.Replicas,
        _ writeType: () -> ErrorMessage.WriteType
    ) {
        self =
            switch error.code {
            // The commit may survive or not, which is what a client takes a time-out of a write for; of a condition there is a
            // code of its own ([CA] exceptions/CasWriteUnknownResultException.java).
            case .commitOutcomeUnknown:
                switch writeType() {
                case .compareAndSet: .conditionOutcomeUnknown(serialReplicas)
                case let type: .writeTimeout(replicas, writeType: type)
                }
            case .batchTooLarge, .keyTooLarge, .valueTooLarge: .invalid
            case .diskFull: .overloaded
            case .readOnly: .unauthorized
            default: .serverError
            }
    }

    var number: Int32 {
        switch self {
        case .serverError: 0x0000
        case .protocolError: 0x000A
        case .badCredentials: 0x0100
        case .unavailable: 0x1000
        case .overloaded: 0x1001
        case .isBootstrapping: 0x1002
        case .truncateError: 0x1003
        case .writeTimeout: 0x1100
        case .readTimeout: 0x1200
        case .readFailure: 0x1300
        case .functionFailure: 0x1400
        case .writeFailure: 0x1500
        case .changeDataCaptureFailure: 0x1600
        case .conditionOutcomeUnknown: 0x1700
        case .syntaxError: 0x2000
        case .unauthorized: 0x2100
        case .invalid: 0x2200
        case .configurationError: 0x2300
        case .alreadyExists: 0x2400
        case .unprepared: 0x2500
        }
    }
}

extension ErrorMessage {
    func write(to writer: inout WireWriter, _ version: ProtocolVersion) {
        // Version 4 has no such code; a write of which nothing is known is a time-out there.
        if version == .v4, case .conditionOutcomeUnknown(let replicas) = code {
            return ErrorMessage(.writeTimeout(replicas, writeType: .compareAndSet), message).write(to: &writer, version)
        }
        writer.int(code.number)
        writer.string(message)
        switch code {
        case .unavailable(let consistency, let required, let alive):
            writer.short(consistency.rawValue)
            writer.int(required)
            writer.int(alive)
        case .writeTimeout(let replicas, let writeType):
            replicas.write(to: &writer)
            writer.string(writeType.rawValue)
            if version == .v5, writeType == .compareAndSet { writer.short(0) }
        case .readTimeout(let replicas, let isDataPresent):
            replicas.write(to: &writer)
            writer.byte(isDataPresent ? 1 : 0)
        case .readFailure(let replicas, let failures, let isDataPresent):
            replicas.write(to: &writer)
            Self.write(failures, to: &writer, version)
            writer.byte(isDataPresent ? 1 : 0)
        case .functionFailure(let keyspace, let function, let argumentTypes):
            writer.string(keyspace)
            writer.string(function)
            writer.stringList(argumentTypes)
        case .writeFailure(let replicas, let failures, let writeType):
            replicas.write(to: &writer)
            Self.write(failures, to: &writer, version)
            writer.string(writeType.rawValue)
        case .conditionOutcomeUnknown(let replicas): replicas.write(to: &writer)
        case .alreadyExists(let keyspace, let table):
            writer.string(keyspace)
            writer.string(table)
        case .unprepared(let id): writer.shortBytes(id)
        default: break
        }
    }

    /// Version 4 tells their number, version 5 each with its reason.
    private static func write(_ failures: [Failure], to writer: inout WireWriter, _ version: ProtocolVersion) {
        writer.count(failures.count)
        guard version == .v5 else { return }
        for failure in failures {
            writer.byte(UInt8(clamping: failure.address.count))
            writer.bytes.append(contentsOf: failure.address)
            writer.short(failure.reason)
        }
    }
}

extension ErrorMessage.Replicas {
    fileprivate func write(to writer: inout WireWriter) {
        writer.short(consistency.rawValue)
        writer.int(received)
        writer.int(required)
    }
}
