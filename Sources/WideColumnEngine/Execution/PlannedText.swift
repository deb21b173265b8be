// PlannedText.swift — a statement's text with the plan for the schema it was last used with.

internal import Synchronization

/// A planned text. It knows no store, so that a store can keep it.
final class PlannedText: Sendable {
    let cql: String
    let keyspace: String?
    /// Whether it is an INSERT, UPDATE, DELETE or BATCH.
    let isWrite: Bool
    /// Whether it means the same in every keyspace.
    let isQualified: Bool
    private let parsed: ParsedStatement
    private let cachedPlan: Mutex<StatementPlan>

    init(_ cql: String, _ parsed: ParsedStatement, keyspace: String?, schema: Schema) throws {
        self.cql = cql
        self.keyspace = keyspace
        self.parsed = parsed
        isWrite =
            switch parsed.statement {
            case .modification, .batch: true
            default: false
            }
        isQualified =
            switch parsed.statement {
            case .modification, .batch, .select: !parsed.hasUnqualifiedName
            default: false
            }
        cachedPlan = Mutex(try StatementPlan(parsed, schema: schema, currentKeyspace: keyspace))
    }

    var lastPlan: StatementPlan { cachedPlan.withLock { $0 } }

    /// The plan for the current schema. Inside a write body the schema cannot change.
    func plan(for catalog: SchemaCatalog) throws -> StatementPlan {
        let known = lastPlan
        guard known.schemaVersion != catalog.version else { return known }
        let plan = try StatementPlan(parsed, schema: catalog.schema, currentKeyspace: keyspace)
        cachedPlan.withLock { $0 = plan }
        return plan
    }

    /// Whether the statement is of a kind that is executed again and again.
    var isReusable: Bool {
        if case .other = lastPlan.kind { return false }
        return true
    }
}
