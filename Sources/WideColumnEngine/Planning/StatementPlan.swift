// StatementPlan.swift — any statement, planned against one version of the schema.

/// A planned statement with its markers.
struct StatementPlan: Sendable {
    enum Kind: Sendable {
        case select(SelectPlan)
        case modification(ModificationPlan)
        case batch(BatchPlan)
        /// Schema changes, USE and TRUNCATE: nothing to resolve ahead.
        case other(Statement)
    }

    var kind: Kind
    var markers: [BoundMarker]
    /// The version of the schema that names were resolved in.
    var schemaVersion: UInt64

    init(_ parsed: ParsedStatement, schema: Schema, currentKeyspace: String?) throws {
        var binder = TermBinder(parsed.markers)
        schemaVersion = schema.version
        switch parsed.statement {
        case .select(let select):
            let table = try schema.table(select.table, currentKeyspace: currentKeyspace)
            kind = .select(try SelectPlan(select, table: table, binder: &binder))
        case .modification(let modification):
            let table = try schema.table(modification.table, currentKeyspace: currentKeyspace)
            kind = .modification(try ModificationPlan(modification, table: table, binder: &binder))
        case .batch(let batch):
            kind = .batch(try BatchPlan(batch, schema: schema, currentKeyspace: currentKeyspace, binder: &binder))
        case let other:
            kind = .other(other)
            // CREATE MATERIALIZED VIEW has words of its own for markers.
            if case .createView = other { markers = [] } else { markers = try binder.boundMarkers() }
            return
        }
        markers = try binder.boundMarkers()
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

    var isConditional: Bool { statements.contains(where: \.isConditional) }

    init(
        _ batch: BatchStatement, schema: Schema, currentKeyspace: String?, binder: inout TermBinder
    ) throws {
        guard batch.using.timeToLive == nil else {
            throw CQLError.invalid("Global TTL on the BATCH statement is not supported.")
        }
        guard batch.kind != .counter || batch.statements.isEmpty else {
            throw CQLError.invalid("Cannot include non-counter statement in a counter batch")
        }
        statements = []
        for statement in batch.statements {
            guard batch.using.timestamp == nil || statement.using.timestamp == nil else {
                throw CQLError.invalid("Timestamp must be set either on BATCH or individual statements")
            }
            let table = try schema.table(statement.table, currentKeyspace: currentKeyspace)
            statements.append(try ModificationPlan(statement, table: table, binder: &binder))
        }
        timestamp = try batch.using.timestamp.map { try binder.bind($0, as: .bigint, receiver: "[timestamp]") }
        guard isConditional else { return }
        guard timestamp == nil, statements.allSatisfy({ $0.timestamp == nil }) else {
            throw CQLError.invalid("Cannot provide custom timestamp for conditional BATCH")
        }
        guard Set(statements.map(\.table.identifier)).count == 1 else {
            throw CQLError.invalid("Batch with conditions cannot span multiple tables")
        }
    }
}
