// SelectionMarker.swift — the markers of a SELECT list, and which of them may not be null or unset ([CA] cql3/selection:
// AbstractFunctionSelector, ElementsSelector).

/// A marker among the selected values.
struct SelectionMarker: Sendable {
    var index: Int
    /// What it is there, as messages say it.
    var role: String
    /// Whether `unset` is refused. A bound of a slice that is unset is not there.
    var refusesUnset = true
    var refusesNull = false

    func check(_ value: CQLValue) throws {
        if refusesUnset, value == .unset { throw CQLError.invalid("Invalid unset value for \(role)") }
        if refusesNull, value.isNull { throw CQLError.invalid("Invalid null value for \(role)") }
    }
}

extension SelectedValue {
    /// The markers in the value, each with what it is part of.
    var markers: [SelectionMarker] { markers(as: "selection") }

    private func markers(as role: String) -> [SelectionMarker] {
        switch self {
        case .column, .token, .aggregate: return []
        case .cellTime(let time): return time.markers
        case .call(let function, let arguments):
            return arguments.flatMap { $0.markers(as: "argument in call to function \(function.name)") }
        case .binary(let operation, let left, let right):
            let role = "argument in call to function \(operation.operator.functionName)"
            return left.markers(as: role) + right.markers(as: role)
        case .element(let base, let key, _, _): return base.markers + key.elementMarkers(of: base.columnName)
        case .slice(let base, let from, let to, _):
            return base.markers + [from, to].compactMap(\.self).flatMap { $0.boundMarkers(of: base.columnName) }
        case .field(let base, _, _): return base.markers
        case .collection(_, let members): return members.flatMap { $0.markers(as: role) }
        case .term(.marker(let index, _), _): return [SelectionMarker(index: index, role: role)]
        // The marker is in a term, which sees to it itself.
        case .term: return []
        }
    }

    /// The column that the value is a part of.
    var columnName: String { columns.first?.name ?? "[selection]" }
}

extension CellTime {
    fileprivate var markers: [SelectionMarker] {
        switch part {
        case .element(let key, _): key.elementMarkers(of: column.name)
        case .slice(let from, let to, _): [from, to].compactMap(\.self).flatMap { $0.boundMarkers(of: column.name) }
        case .whole, .field: []
        }
    }
}

extension BoundTerm {
    fileprivate func elementMarkers(of column: String) -> [SelectionMarker] {
        guard case .marker(let index, _) = self else { return [] }
        return [SelectionMarker(index: index, role: "element selection on \(column)", refusesNull: true)]
    }

    fileprivate func boundMarkers(of column: String) -> [SelectionMarker] {
        guard case .marker(let index, _) = self else { return [] }
        return [
            SelectionMarker(
                index: index, role: "slice selection on \(column)", refusesUnset: false, refusesNull: true)
        ]
    }
}
