// ClusteringRestriction+Relations.swift — how restrictions of clustering columns, one by one or together, follow each
// other in the key ([CA] cql3/restrictions/ClusteringColumnRestrictions.java).

extension ClusteringRestriction {
    /// Takes the restriction that comes next in the order of the key, be it of one column or several.
    ///
    /// - Returns: why it makes no range of keys, where it does not follow values of all columns before it.
    mutating func append(_ restriction: ColumnRestriction) -> CQLError? {
        let column = restriction.column
        if let slice {
            return .invalid(
                "Clustering column \"\(column.name)\" cannot be restricted (preceding column "
                    + "\"\(columns[slice.firstColumn].name)\" is restricted by a non-EQ relation)")
        }
        let next = valueColumnCount
        guard column.position == next else {
            return .invalid(
                "PRIMARY KEY column \"\(column.name)\" cannot be restricted as preceding column "
                    + "\"\(columns[next].name)\" is not restricted")
        }
        if let values = restriction.values {
            self.values.append(values)
        } else if restriction.isSlice {
            slice = ClusteringSlice(firstColumn: next, lower: restriction.lower, upper: restriction.upper)
        }
        return nil
    }

    /// Whether `=` gives the column its value.
    func hasSingleValue(at position: Int) -> Bool {
        var next = 0
        for values in values {
            if next == position { return values.single != nil }
            next += values.columnCount
        }
        return false
    }
}
