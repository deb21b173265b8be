// StatementPlan.swift — any statement, planned against one version of the schema.

/// A planned statement with its markers. A class, because it is handed on for each execution.
final class StatementPlan: Sendable {
    indirect enum Kind: Sendable {
        case select(SelectPlan)
        case modification(ModificationPlan)
        case batch(BatchPlan)
        /// Schema changes, USE and TRUNCATE: nothing to resolve ahead.
        case other(Statement)
    }

    let kind: Kind
    let markers: [BoundMarker]
    /// The version of the schema that names were resolved in.
    let schemaVersion: UInt64
    /// The short way of a modification that has one.
    let rowEncoder: RowEncoder?
    /// Of a SELECT of a table with masks, for those who see these; others read also where a mask can't be applied.
    let maskedSelect: Result<SelectPlan?, any Error>

    init(_ parsed: ParsedStatement, schema: Schema, currentKeyspace: String?) throws {
        let scopeName = parsed.statement.table?.keyspace ?? currentKeyspace ?? ""
        var binder = TermBinder(parsed.markers, scope: try schema.userTypes(in: scopeName))
        schemaVersion = schema.version
        if let table = parsed.statement.table, let keyspace = table.keyspace ?? currentKeyspace {
            binder.table = TableIdentifier(keyspace: keyspace, name: table.name)
        }
        switch parsed.statement {
        case .select(let select):
            let table = try schema.table(select.table, currentKeyspace: currentKeyspace)
            let plan = try SelectPlan(select, table: table, binder: &binder)
            kind = .select(plan)
            maskedSelect = Result { try plan.masked(binder.scope) }
            markers = try binder.boundMarkers()
            rowEncoder = nil
            return
        case .modification(let modification):
            let table = try schema.table(modification.table, currentKeyspace: currentKeyspace)
            kind = .modification(try ModificationPlan(modification, table: table, binder: &binder))
        case .batch(let batch):
            kind = .batch(try BatchPlan(batch, schema: schema, currentKeyspace: currentKeyspace, binder: &binder))
        case let other:
            kind = .other(other)
            rowEncoder = nil
            maskedSelect = .success(nil)
            // CREATE MATERIALIZED VIEW has words of its own for markers.
            if case .createView = other { markers = [] } else { markers = try binder.boundMarkers() }
            return
        }
        maskedSelect = .success(nil)
        markers = try binder.boundMarkers()
        if case .modification(let modification) = kind {
            rowEncoder = RowEncoder(modification)
        } else {
            rowEncoder = nil
        }
    }

    func check(_ values: [CQLValue]) throws {
        guard values.count == markers.count else {
            throw CQLError.invalid(
                "there were \(markers.count) markers(?) in CQL but \(values.count) bound variables")
        }
    }
}

/// A BATCH: its statements commit together, with one timestamp for all that have none of their own.
struct BatchPlan: Sendable {
    var statements: [ModificationPlan]
    var timestamp: BoundTerm?
    var kind: StatementBatch.Kind

    var isUnlogged: Bool { kind == .unlogged }
    var isConditional: Bool { statements.contains(where: \.isConditional) }

    init(
        _ batch: BatchStatement, schema: Schema, currentKeyspace: String?, binder: inout TermBinder
    ) throws {
        guard batch.using.timeToLive == nil else {
            throw CQLError.invalid("Global TTL on the BATCH statement is not supported.")
        }
        statements = []
        kind = batch.kind
        for statement in batch.statements {
            guard batch.using.timestamp == nil || statement.using.timestamp == nil else {
                throw CQLError.invalid("Timestamp must be set either on BATCH or individual statements")
            }
            let table = try schema.table(statement.table, currentKeyspace: currentKeyspace)
            binder.table = table.identifier
            statements.append(try ModificationPlan(statement, table: table, binder: &binder))
        }
        // That of the batch is of no table.
        binder.table = nil
        timestamp = try batch.using.timestamp.map { try binder.bind($0, as: .bigint, receiver: "[timestamp]") }
        try Self.check(statements, batch.kind, hasTimestamp: timestamp != nil)
        guard timestamp == nil || !statements.contains(where: \.table.definition.isCounter) else {
            throw CQLError.invalid("Cannot provide custom timestamp for counter BATCH")
        }
    }

    /// What statements may stand together, be it in a text or in the native protocol's BATCH.
    static func check(
        _ statements: [ModificationPlan], _ kind: StatementBatch.Kind, hasTimestamp: Bool = false
    ) throws {
        try checkCounters(statements, kind)
        guard statements.contains(where: \.isConditional) else { return }
        guard !hasTimestamp, statements.allSatisfy({ $0.timestamp == nil }) else {
            throw CQLError.invalid("Cannot provide custom timestamp for conditional BATCH")
        }
        guard Set(statements.map(\.table.identifier)).count == 1 else {
            throw CQLError.invalid("Batch with conditions cannot span multiple tables")
        }
    }

    private static func checkCounters(_ statements: [ModificationPlan], _ kind: StatementBatch.Kind) throws {
        let counters = statements.filter(\.table.definition.isCounter).count
        switch kind {
        case .logged where counters > 0: throw CQLError.invalid("Cannot include a counter statement in a logged batch")
        case .counter where counters < statements.count:
            throw CQLError.invalid("Cannot include non-counter statement in a counter batch")
        case .unlogged where counters > 0 && counters < statements.count:
            throw CQLError.invalid("Counter and non-counter mutations cannot exist in the same batch")
        default: break
        }
    }
}

extension Statement {
    /// The table that the statement is about, if it is about one.
    fileprivate var table: TableName? {
        switch self {
        case .select(let select): select.table
        case .modification(let modification): modification.table
        default: nil
        }
    }
}
