// GraphStore+Schema.swift — CREATE, DROP and SHOW CONSTRAINTS.

extension GraphStore {
    func executeSchema(_ statement: Statement, _ durability: Durability) throws -> GraphResult {
        switch statement {
        case .createConstraint(let definition, let ifNotExists):
            return try changeSchema(durability) { writer in
                let made = try constraints.create(definition, ifNotExists: ifNotExists, in: writer)
                writer.counters.constraintsAdded = made == nil ? 0 : 1
            }
        case .dropConstraint(let name, let ifExists):
            return try changeSchema(durability) { writer in
                let dropped = try constraints.drop(name, ifExists: ifExists, in: writer)
                writer.counters.constraintsRemoved = dropped ? 1 : 0
            }
        case .showConstraints: return showConstraints()
        case .query: return GraphResult(columns: [], rows: [], counters: GraphCounters())
        }
    }

    private func changeSchema(
        _ durability: Durability, _ body: (GraphWriter) throws -> Void
    ) throws -> GraphResult {
        try storage.write(durability) { transaction in
            let writer = GraphWriter(store: self, transaction: transaction)
            try body(writer)
            return GraphResult(columns: [], rows: [], counters: writer.counters)
        }
    }

    /// The columns that Neo4j 5 shows.
    private func showConstraints() -> GraphResult {
        let rows: [[GraphValue]] = constraints.schema.constraints.map { constraint in
            [
                .integer(Int64(constraint.id)), .string(constraint.name), "UNIQUENESS", "NODE",
                [.string(constraint.label)], [.string(constraint.property)], .string(constraint.name), .null,
            ]
        }
        let columns = [
            "id", "name", "type", "entityType", "labelsOrTypes", "properties", "ownedIndex", "propertyType",
        ]
        return GraphResult(columns: columns, rows: rows, counters: GraphCounters())
    }
}
