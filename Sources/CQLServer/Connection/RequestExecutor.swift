// RequestExecutor.swift — requests of one connection, carried out on the engine. It blocks; nothing of it knows a network.

internal import Synchronization
internal import WideColumnEngine

/// Carries out a connection's requests, several at a time.
final class RequestExecutor: Sendable {
    /// A request as it is carried out.
    struct Call: Sendable {
        var request: Request
        var isTracing: Bool
        /// How large a result may be; `nil`: as large as it is.
        var maximumResultByteCount: Int?
        fileprivate let failedTrace = FailedTrace()

        init(request: Request, isTracing: Bool = false, maximumResultByteCount: Int? = nil) {
            self.request = request
            self.isTracing = isTracing
            self.maximumResultByteCount = maximumResultByteCount
        }
    }

    /// The trace of a statement that failed.
    fileprivate final class FailedTrace: Sendable {
        private let state = Mutex<CQLUUID?>(nil)

        var id: CQLUUID? { state.withLock { $0 } }

        func set(_ id: CQLUUID) { state.withLock { $0 = id } }
    }

    private let store: WideColumnStore
    private let prepared: PreparedStatements
    private let durability: Durability
    private let readTimeout: Duration?
    /// Stops the statements that are being carried out.
    let cancellation = StatementCancellation()
    /// Replaced when USE chooses another keyspace.
    private let session: Mutex<CQLSession>
    /// The user, if it is one for whom columns are masked.
    private let maskedUserName = Mutex<String?>(nil)
    /// Of the client, as text.
    private let clientAddress = Mutex<String?>(nil)

    init(
        _ store: WideColumnStore, _ prepared: PreparedStatements, durability: Durability, readTimeout: Duration? = nil
    ) throws {
        self.store = store
        self.prepared = prepared
        self.durability = durability
        self.readTimeout = readTimeout
        session = Mutex(try store.session())
    }

    /// The keyspace that USE chose last.
    var keyspace: String? { session.withLock { $0.keyspace } }

    /// Masks columns from now on, for a user of this name.
    func maskColumns(for userName: String) { maskedUserName.withLock { $0 = userName } }

    /// Traces tell it from now on.
    func setClientAddress(_ address: String) { clientAddress.withLock { $0 = address } }

    /// The answer to a request; an error is an answer too.
    func respond(to call: Call) -> Response {
        do {
            switch call.request {
            case .query(let text, let parameters):
                let statement = try session(parameters.keyspace).prepare(text)
                return try execute(statement, parameters, call) { _ in (parameters.skipsMetadata, nil) }
            case .execute(let id, let metadataID, let parameters):
                let entry = try prepared.entry(id)
                return try execute(entry.statement, parameters, call) { result in
                    Self.metadata(of: result, entry, known: metadataID, skips: parameters.skipsMetadata)
                }
            case .prepare(let text, let keyspace):
                var response = try prepare(text, keyspace)
                if call.isTracing { response.tracingID = trace(unexecuted: call.request) }
                return response
            case .batch(let batch): return try execute(batch, call)
            case .startup, .options, .authResponse, .register:
                throw CQLError(.serverError, "\(call.request.opcode.name) is answered without the engine")
            }
        } catch {
            let request = call.request
            var response = Response(
                .error(
                    ErrorMessage(
                        error, consistency: request.consistency, serialConsistency: request.serialConsistency,
                        writeType: writeType(of: request))))
            if call.isTracing { response.tracingID = call.failedTrace.id ?? trace(unexecuted: request) }
            return response
        }
    }

    /// The id of a trace for a request that executes no statement, or did not come to that, if it is of a kind that is traced.
    private func trace(unexecuted request: Request) -> CQLUUID? {
        var statement: PreparedStatement?
        if case .execute(let id, _, _) = request { statement = try? prepared.entry(id).statement }
        guard let context = traceContext(of: request, executing: statement) else { return nil }
        let cql =
            switch request {
            case .query(let text, _), .prepare(let text, _): text
            case .execute: statement?.cql ?? ""
            case .batch(let batch):
                batch.statements.lazy
                    .compactMap { if case .query(let text) = $0.text { text } else { nil } }.joined(separator: "; ")
            case .startup, .options, .authResponse, .register: ""
            }
        return store.trace(context, notExecuting: cql).id
    }

    /// What a trace says of a request; `nil` where it has none.
    ///
    /// - Parameter statement: that of EXECUTE, if it is known.
    private func traceContext(of request: Request, executing statement: PreparedStatement?) -> TraceContext? {
        request.traced.map {
            TraceContext(
                $0, clientAddress: clientAddress.withLock { $0 }, parameters: request.traceParameters(statement))
        }
    }

    private func session(_ keyspace: String?) throws -> CQLSession {
        try keyspace.map { try store.session(keyspace: $0) } ?? session.withLock { $0 }
    }

    // MARK: QUERY, EXECUTE, PREPARE

    private func execute(
        _ statement: PreparedStatement, _ parameters: QueryParameters, _ call: Call,
        metadata: (ResultSet) -> (skips: Bool, changedID: [UInt8]?)
    ) throws -> Response {
        try statement.refresh()
        let values = try Self.values(parameters.values, for: statement) { expected, count in
            call.request.opcode == .query
                ? "Invalid amount of bind variables"
                : "there were \(expected) markers(?) in CQL but \(count) bound variables"
        }
        try parameters.checkConsistency(of: statement)
        var options = options(parameters, call, executing: statement)
        options.pageSize = parameters.pageSize
        options.pagingState = try parameters.pagingState.map { try PagingState(bytes: $0) }
        let result = try statement.execute(values, options: options)
        if let name = result.currentKeyspace {
            let chosen = try store.session(keyspace: name)
            session.withLock { $0 = chosen }
        }
        return Self.response(result, metadata)
    }

    private func options(
        _ parameters: QueryParameters, _ call: Call, executing statement: PreparedStatement? = nil
    ) -> ExecutionOptions {
        var options = ExecutionOptions(durability: durability)
        options.timestamp = parameters.timestamp
        options.nowInSeconds = parameters.nowInSeconds
        options.cancellation = cancellation
        options.readTimeout = readTimeout
        if call.isTracing, let context = traceContext(of: call.request, executing: statement) {
            options.isTracing = true
            options.traceContext = context
            options.onFailedTrace = { [failedTrace = call.failedTrace] in failedTrace.set($0.id) }
        }
        options.maximumResultByteCount = call.maximumResultByteCount
        options.maskedUserName = maskedUserName.withLock { $0 }
        return options
    }

    private func prepare(_ text: String, _ keyspace: String?) throws -> Response {
        let statement = try session(keyspace).prepare(text)
        let metadata = try statement.currentMetadata()
        try Self.checkMarkers(metadata.markers.count)
        let columns = metadata.resultColumns
        let message = PreparedMessage(
            id: PreparedStatements.id(statement), resultMetadataID: columns.metadataID, markers: metadata.markers,
            partitionKeyMarkers: metadata.partitionKeyMarkers, resultColumns: columns)
        try prepared.keep(statement, message)
        return Response(.prepared(message))
    }

    /// They are counted in sixteen bits ([CA] cql3/QueryProcessor.java, `prepare`).
    static func checkMarkers(_ count: Int) throws {
        let largest = Int(UInt16.max)
        guard count > largest else { return }
        throw CQLError(
            .invalidRequest, "Too many markers(?). \(count) markers exceed the allowed maximum of \(largest)")
    }

    /// Whether the client knows the columns of a result.
    ///
    /// 1. Those of a condition depend on its outcome: they are always told.
    /// 2. Version 5: the client says which it knows. If they are others it is told, with the new number.
    /// 3. Version 4: the client knows what it was told when it prepared. Where they may be others it is told.
    private static func metadata(
        of result: ResultSet, _ entry: PreparedStatements.Entry, known: [UInt8]?, skips: Bool
    ) -> (skips: Bool, changedID: [UInt8]?) {
        guard entry.statement.resultColumns == result.columns else { return (false, nil) }
        guard let known else {
            return (skips && !entry.isAmbiguous && entry.announcedColumns == result.columns, nil)
        }
        // The usual case costs a comparison, not a hash.
        if entry.announcedColumns == result.columns, entry.announcedMetadataID == known { return (skips, nil) }
        let current = result.columns.metadataID
        return current == known ? (skips, nil) : (false, current)
    }

    private static func response(
        _ result: ResultSet, _ metadata: (ResultSet) -> (skips: Bool, changedID: [UInt8]?)
    ) -> Response {
        let message: Response.Message
        if let change = result.schemaChange {
            message = .schemaChange(change)
        } else if let keyspace = result.currentKeyspace {
            message = .setKeyspace(keyspace)
        } else if result.columns.isEmpty {
            message = .void
        } else {
            let (skips, changedID) = metadata(result)
            message = .rows(RowsMessage(result: result, skipsMetadata: skips, changedMetadataID: changedID))
        }
        var response = Response(message)
        response.tracingID = result.statementTrace?.id
        response.warnings = result.warnings
        return response
    }

    // MARK: BATCH

    /// A member of a batch.
    private func statement(_ text: BatchRequest.Text, in session: CQLSession) throws -> PreparedStatement {
        switch text {
        case .query(let text): try session.prepare(text)
        case .prepared(let id): try prepared.entry(id).statement
        }
    }

    private func execute(_ request: BatchRequest, _ call: Call) throws -> Response {
        let session = try session(request.parameters.keyspace)
        let statements = try request.statements.map { entry -> (statement: PreparedStatement, values: [CQLValue]) in
            let statement = try statement(entry.text, in: session)
            try statement.refresh()
            let markerCount = statement.markers.count
            // Before any is read: they may be very many.
            guard entry.values.count == markerCount else {
                throw CQLError(
                    .invalidRequest,
                    "There were \(markerCount) markers(?) in CQL but \(entry.values.count) bound variables")
            }
            return (statement, try Self.values(entry.values.read(), for: statement.markers))
        }
        if statements.contains(where: \.statement.isConditional) {
            try request.parameters.checkConditionalConsistency()
        }
        let result = try store.execute(
            StatementBatch(request.kind.ofStatements, statements), options: options(request.parameters, call))
        return Self.response(result) { _ in (false, nil) }
    }

    // MARK: Values

    /// - Parameter message: of the error where there are fewer or more values than markers, from both numbers. Cassandra has
    ///   one for each kind of request ([CA] cql3/QueryProcessor.java, transport/messages/BatchMessage.java).
    private static func values(
        _ values: BoundValues, for statement: PreparedStatement, message: (Int, Int) -> String
    ) throws -> [CQLValue] {
        let markers = statement.markers
        let ordered = values.ordered(by: markers)
        guard ordered.count == markers.count else {
            throw CQLError(.invalidRequest, message(markers.count, ordered.count))
        }
        return try Self.values(ordered, for: markers)
    }

    private static func values(_ values: [WireValue], for markers: [BoundMarker]) throws -> [CQLValue] {
        try zip(values, markers).map { value, marker in
            switch value {
            case .null: .null
            case .unset: .unset
            case .bytes(let bytes): try CQLValue(wire: bytes, type: marker.type)
            }
        }
    }
}

// MARK: - Errors

extension RequestExecutor {
    /// What an error of unknown outcome says was written.
    func writeType(of request: Request) -> ErrorMessage.WriteType {
        switch request {
        case .query(let text, let parameters):
            return (try? session(parameters.keyspace).prepare(text)).map { ErrorMessage.WriteType($0) } ?? .simple
        case .execute(let id, _, _):
            return (try? prepared.entry(id).statement).map { ErrorMessage.WriteType($0) } ?? .simple
        case .batch(let batch):
            let session = try? session(batch.parameters.keyspace)
            let statements = batch.statements.compactMap { entry in
                session.flatMap { try? statement(entry.text, in: $0) }
            }
            return ErrorMessage.WriteType(statements, in: batch.kind.ofStatements)
        case .prepare, .startup, .options, .authResponse, .register: return .simple
        }
    }
}

extension ErrorMessage.WriteType {
    fileprivate init(_ statement: PreparedStatement) { self.init([statement], in: statement.batchKind) }

    /// A condition comes before all else, then counters, then the kind of a batch ([CA] db/WriteType.java).
    fileprivate init(_ statements: [PreparedStatement], in kind: StatementBatch.Kind?) {
        if statements.contains(where: \.isConditional) {
            self = .compareAndSet
        } else if statements.contains(where: \.isOfCounters) {
            self = .counter
        } else {
            self =
                switch kind {
                case .logged: .batch
                case .unlogged: .unloggedBatch
                case .counter: .counter
                case nil: .simple
                }
        }
    }
}

extension BatchRequest.Kind {
    fileprivate var ofStatements: StatementBatch.Kind {
        switch self {
        case .logged: .logged
        case .unlogged: .unlogged
        case .counter: .counter
        }
    }
}
