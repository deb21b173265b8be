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
        if let multiColumn = collector.multiColumn {
            guard isDelete || multiColumn.slice == nil else { throw sliceInUpdate }
            return multiColumn
        }
        var clustering = ClusteringRestriction(columns: definition.clustering)
        var unrestricted: ColumnDefinition?
        for (index, column) in definition.clustering.enumerated() {
            guard let restriction = collector.columns[column.name] else {
                unrestricted = unrestricted ?? column
                continue
            }
            if let unrestricted { throw preceding(column, unrestricted, isSlice: false) }
            if let slice = clustering.slice {
                throw preceding(column, definition.clustering[slice.firstColumn], isSlice: true)
            }
            if let values = restriction.values {
                clustering.values.append(values)
            } else {
                guard isDelete else { throw sliceInUpdate }
                clustering.slice = ClusteringSlice(
                    firstColumn: index, lower: restriction.lower, upper: restriction.upper)
            }
        }
        return clustering
    }

    private static var sliceInUpdate: CQLError {
        .invalid("Slice restrictions are not supported on the clustering columns in UPDATE statements")
    }
}
