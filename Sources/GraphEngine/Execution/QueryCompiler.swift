// QueryCompiler.swift — compiles the clauses of a query into stages, one after the other.

struct QueryCompiler {
    let schema: SchemaView
    let slots = SlotAllocator()
    var scope = Scope()
    var stages: [StagePlan] = []
    var columns: [(name: String, slot: Int)] = []

    static func compile(_ query: Query, schema: SchemaView) throws -> CompiledStatement {
        let compiled = try query.parts.map { part in
            var compiler = QueryCompiler(schema: schema)
            return try compiler.compile(part)
        }
        if let first = compiled.first, compiled.contains(where: { $0.columns != first.columns }) {
            throw CypherError(
                .syntax, "DifferentColumnsInUnion",
                "All sub queries in an UNION must have the same return column names")
        }
        let isUpdating = query.parts.contains { $0.clauses.contains(where: \.isUpdating) }
        return CompiledStatement(
            queries: compiled, keepsDuplicates: query.keepsDuplicates, isUpdating: isUpdating,
            schemaVersion: schema.version)
    }

    private init(schema: SchemaView) {
        self.schema = schema
    }

    private mutating func compile(_ query: SingleQuery) throws -> CompiledQuery {
        for clause in query.clauses { try compile(clause) }
        if let plan = CoOccurrencePlan(stages, schema: schema) {
            stages.replaceSubrange(0..<2, with: [.coOccurrence(plan)])
        }
        return CompiledQuery(
            stages: stages, slotCount: slots.count, columns: columns.map(\.name), columnSlots: columns.map(\.slot))
    }

    private mutating func compile(_ clause: Clause) throws {
        switch clause {
        case .match(let clause): try compile(clause)
        case .unwind(let list, let variable, let position): try compileUnwind(list, variable, position)
        case .with(let projection, let predicate): try compile(projection, predicate: predicate, isReturn: false)
        case .return(let projection): try compile(projection, predicate: nil, isReturn: true)
        case .create(let parts): try compileCreate(parts)
        case .merge(let clause): try compile(clause)
        case .set(let items): stages.append(.set(try items.map { try bind($0) }))
        case .remove(let items): stages.append(.remove(try items.map { try bind($0) }))
        case .delete(let expressions, let detach, let position):
            try compileDelete(expressions, detach: detach, position)
        }
    }

    var binder: Binder { Binder(scope: scope, slots: slots, schema: schema) }

    var patternCompiler: PatternCompiler { PatternCompiler(scope: scope, slots: slots, schema: schema) }

    // MARK: - Reading

    private mutating func compile(_ clause: MatchClause) throws {
        var compiler = patternCompiler
        let plan = try compiler.match(clause.parts, predicate: clause.predicate)
        scope = compiler.scope
        stages.append(.match(plan, isOptional: clause.isOptional))
    }

    private mutating func compileUnwind(
        _ list: Expression, _ variable: String, _ position: SourcePosition
    ) throws {
        let bound = try binder.bind(list)
        guard scope[variable] == nil else {
            throw CypherError.syntax("VariableAlreadyBound", "Variable `\(variable)` already declared", at: position)
        }
        let slot = slots.next()
        scope.declare(variable, Binding(slot: slot, kind: .unknown))
        stages.append(.unwind(bound, slot: slot))
    }

    // MARK: - Writing

    private func bind(_ item: SetItem) throws -> BoundSetItem {
        let binder = binder
        switch item {
        case .property(let owner, let key, let value):
            return .property(try binder.bind(owner), key, try binder.bindValue(value))
        case .replace(let variable, let value, let position):
            return .replace(try binder.slot(of: variable, at: position), try binder.bind(value))
        case .merge(let variable, let value, let position):
            return .merge(try binder.slot(of: variable, at: position), try binder.bind(value))
        case .labels(let variable, let labels, let position):
            return .labels(try binder.slot(of: variable, at: position), labels)
        }
    }

    private func bind(_ item: RemoveItem) throws -> BoundRemoveItem {
        let binder = binder
        switch item {
        case .property(let owner, let key): return .property(try binder.bind(owner), key)
        case .labels(let variable, let labels, let position):
            return .labels(try binder.slot(of: variable, at: position), labels)
        }
    }

    private mutating func compileCreate(_ parts: [PatternPart]) throws {
        var compiler = CreateCompiler(patterns: patternCompiler, verb: "CREATE")
        for part in parts { try compiler.add(part) }
        scope = compiler.patterns.scope
        stages.append(.create(compiler.plan))
    }

    private mutating func compile(_ clause: MergeClause) throws {
        var create = CreateCompiler(patterns: patternCompiler, verb: "MERGE")
        let known = scope
        try create.add(clause.part)
        // The variables are declared once: the match binds the slots that the creation would fill.
        let merged = create.patterns.scope
        let match = try create.matchPlan(of: clause.part, known: known)
        scope = merged
        stages.append(
            .merge(
                MergePlan(
                    match: match, create: create.plan, onCreate: try clause.onCreate.map { try bind($0) },
                    onMatch: try clause.onMatch.map { try bind($0) })))
    }

    private mutating func compileDelete(
        _ expressions: [Expression], detach: Bool, _ position: SourcePosition
    ) throws {
        let binder = binder
        for expression in expressions {
            switch expression {
            case .hasLabels:
                throw CypherError.syntax(
                    "InvalidDelete", "DELETE doesn't support removing labels from a node. Try REMOVE.", at: position)
            case .literal, .chain, .comparison, .map:
                throw CypherError.syntax(
                    "InvalidArgumentType", "Type mismatch: expected Node, Path or Relationship", at: position)
            default: break
            }
        }
        stages.append(.delete(try expressions.map(binder.bind), detach: detach))
    }
}
