// RowContext+Times.swift — when the cells of the current row were written, and how long they live.

extension RowContext {
    func value(_ time: CellTime, _ context: ExecutionContext) throws -> CQLValue {
        let cells = try cells(time, context)
        if time.function == .maxwritetime {
            return cells.compactMap { $0?.timestamp }.max().map { .bigint($0) } ?? .null
        }
        guard time.isList else { return cells.first.map { value(time.function, $0) } ?? .null }
        return cells.contains { $0 != nil } ? .list(cells.map { value(time.function, $0) }) : .null
    }

    private func value(_ function: CellTime.Function, _ cell: Cell?) -> CQLValue {
        guard let cell else { return .null }
        guard function == .ttl else { return .bigint(cell.timestamp) }
        return cell.isExpiring ? .int(Int32(clamping: cell.localDeletionTime &- now)) : .null
    }

    /// The live cells that are asked for. The fields of a user-defined type that have none are nil, as in Cassandra.
    private func cells(_ time: CellTime, _ context: ExecutionContext) throws -> [Cell?] {
        let column = time.column
        guard column.isMultiCell else { return try frozenCell(time, context).map { [$0] } ?? [] }
        let elements = liveElements(column)
        let bytes = storedBytes(column)
        func path(_ cell: Cell) -> [UInt8] { Array(bytes[cell.path]) }
        switch time.part {
        case .whole:
            guard case .userType(let user) = column.type, time.function != .maxwritetime else { return elements }
            return user.fields.indices.map { field in elements.first { path($0) == ElementPath.path(ofField: field) } }
        case .field(let field): return elements.filter { path($0) == ElementPath.path(ofField: field) }
        case .element(let key, let keyType):
            let key = try key.value(as: keyType, context)
            guard !key.isNull else { return [] }
            let wanted = try key.orderedBytes(keyType)
            return elements.filter { path($0) == wanted }
        case .slice(let from, let to, let keyType):
            let lower = try from.map { try $0.value(as: keyType, context) }?.bound(keyType)
            let upper = try to.map { try $0.value(as: keyType, context) }?.bound(keyType)
            return elements.filter { cell in
                let path = path(cell)
                if let lower, path.lexicographicallyPrecedes(lower) { return false }
                if let upper, upper.lexicographicallyPrecedes(path) { return false }
                return true
            }
        }
    }

    /// The one cell of a frozen value, if the part that is asked for is in it.
    private func frozenCell(_ time: CellTime, _ context: ExecutionContext) throws -> Cell? {
        guard let cell = liveCell(time.column) else { return nil }
        if case .whole = time.part { return cell }
        let value = try CQLValue(storedBytes(time.column).rawSpan.extracting(cell.value), type: time.column.type)
        switch time.part {
        case .element(let key, let keyType):
            return try value.element(at: try key.value(as: keyType, context), keyType).isNull ? nil : cell
        case .slice(let from, let to, let keyType):
            let bounds = try (
                from.map { try $0.value(as: keyType, context) }, to.map { try $0.value(as: keyType, context) }
            )
            let slice = try value.slice(
                from: bounds.0?.isNull == true ? nil : bounds.0, to: bounds.1?.isNull == true ? nil : bounds.1,
                keyType: keyType)
            return slice.isNull ? nil : cell
        case .field(let field):
            guard case .userDefined(let fields) = value, field < fields.count else { return nil }
            return fields[field].value.isNull ? nil : cell
        case .whole: return cell
        }
    }
}

extension CQLValue {
    /// The bound of a slice; a null is none.
    fileprivate func bound(_ type: CQLType) throws -> [UInt8]? { isNull ? nil : try orderedBytes(type) }
}
