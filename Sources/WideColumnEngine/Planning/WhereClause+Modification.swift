// WhereClause+Modification.swift — the rules of UPDATE and DELETE: whole keys, or for DELETE a range of rows.

extension WhereClause {
    /// The WHERE clause of an UPDATE or DELETE.
    ///
    /// - Parameter isDelete: allows prefixes of the clustering key and slices.
    init(modification relations: [Relation], table: Table, isDelete: Bool, binder: inout TermBinder) throws {
        let collector = try RelationCollector(relations, table: table, binder: &binder)
        let definition = table.definition
        let verb = isDelete ? "DELETE" : "UPDATE"
        guard collector.token == nil else {
            throw CQLError.invalid("The token function cannot be used in WHERE clauses for \(verb) statements")
        }
        let others = collector.order.filter { name in table.column(name)?.isPrimaryKey == false }
        guard others.isEmpty else {
            throw CQLError.invalid("Non PRIMARY KEY columns found in where clause: \(others.joined(separator: ", ")) ")
        }
        let values = try definition.partitionKey.compactMap { column -> KeyValues? in
            guard let restriction = collector.columns[column.name] else { return nil }
            guard let values = restriction.values else {
                throw CQLError.invalid(
                    "Only EQ and IN relation are supported on the partition key (unless you use the token() function) "
                        + "for \(verb) statements")
            }
            // Nothing filters what is written.
            guard restriction.others.isEmpty else { throw collector.conflict(column.name) }
            return values
        }
        guard values.count == definition.partitionKey.count else {
            let missing = definition.partitionKey.map(\.name).filter { collector.columns[$0] == nil }
            throw CQLError.invalid("Some partition key parts are missing: \(missing.joined(separator: ", "))")
        }
        partition = PartitionRestriction(columns: definition.partitionKey, values: values)
        clustering = try Self.clustering(collector, definition, isDelete: isDelete)
    }

    private static func clustering(
        _ collector: RelationCollector, _ definition: TableDefinition, isDelete: Bool
    ) throws -> ClusteringRestriction {
        let restrictions = collector.clustering
        guard isDelete || !restrictions.contains(where: \.isSlice) else {
            throw CQLError.invalid(
                "Slice restrictions are not supported on the clustering columns in UPDATE statements")
        }
        // A DELETE may leave out the columns behind a prefix; an UPDATE names all, or none where it sets static columns.
        if !isDelete, !restrictions.isEmpty {
            let missing = definition.clustering.map(\.name).filter { !collector.isRestricted($0) }
            guard missing.isEmpty else {
                throw CQLError.invalid("Some clustering keys are missing: \(missing.joined(separator: ", "))")
            }
        }
        guard restrictions.allSatisfy(\.others.isEmpty) else {
            throw CQLError.invalid(
                "Clustering columns can only be restricted with CONTAINS with a secondary index or filtering")
        }
        var clustering = ClusteringRestriction(columns: definition.clustering)
        for restriction in restrictions {
            if let refusal = clustering.append(restriction) { throw refusal }
        }
        return clustering
    }
}
