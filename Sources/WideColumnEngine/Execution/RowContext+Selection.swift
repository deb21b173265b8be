// RowContext+Selection.swift — the values of a SELECT list for the current row.

extension RowContext {
    /// Appends a selected value of the current row.
    ///
    /// - Parameter aggregates: the results of the plan's aggregates, for the end of a group.
    func append(
        _ value: SelectedValue, _ context: ExecutionContext, _ aggregates: [CQLValue] = [], to builder: inout RowBuilder
    ) throws {
        guard case .column(let column) = value else {
            let selected = try self.value(value, context, aggregates)
            guard selected.hasNullElement else { return try builder.append(selected, value.type) }
            let bytes = try selected.serializedWithNulls(as: value.type)
            return try builder.append(bytes.rawSpan)
        }
        if !(try withValue(of: column) { try builder.append($0) }) { try builder.appendNull() }
    }

    func value(_ selected: SelectedValue, _ context: ExecutionContext, _ aggregates: [CQLValue] = []) throws -> CQLValue
    {
        func inner(_ value: SelectedValue) throws -> CQLValue { try self.value(value, context, aggregates) }
        switch selected {
        case .column(let column):
            guard let bytes = bytes(of: column) else { return .null }
            return try CQLValue(bytes.rawSpan, type: column.type)
        case .cellTime(let time): return try self.value(time, context)
        case .token: return .bigint(token)
        case .call(let function, let arguments): return try function.call(try arguments.map(inner), context)
        case .aggregate(let index, _): return aggregates.indices.contains(index) ? aggregates[index] : .null
        case .binary(let operation, let left, let right): return try operation.apply(try inner(left), try inner(right))
        case .element(let base, let key, let keyType, _):
            return try inner(base).element(at: try key.value(as: keyType, context), keyType)
        case .slice(let base, let from, let to, let keyType):
            let bounds = try (
                from.map { try $0.value(as: keyType, context) }, to.map { try $0.value(as: keyType, context) }
            )
            return try inner(base).slice(
                from: bounds.0?.isNull == true ? nil : bounds.0, to: bounds.1?.isNull == true ? nil : bounds.1,
                keyType: keyType)
        case .field(let base, let index, _):
            guard case .userDefined(let fields) = try inner(base), index < fields.count else { return .null }
            return fields[index].value
        case .collection(let type, let members): return Self.collection(type, try members.map(inner))
        case .term(let term, let type): return try term.value(as: type, context)
        }
    }

    private static func collection(_ type: CQLType, _ members: [CQLValue]) -> CQLValue {
        switch type.bare {
        case .list: .list(members)
        case .set: .set(members)
        case .vector: .vector(members)
        case .userType(let user): .userDefined(zip(user.fields, members).map { .init($0.name, $1) })
        case .map:
            .map(stride(from: 0, to: members.count - 1, by: 2).map { .init(key: members[$0], value: members[$0 + 1]) })
        default: .tuple(members)
        }
    }
}

extension CQLValue {
    /// Whether there is a null in a list: as a value it is refused, but a SELECT list may make one, and of the times of cells
    /// some may be missing.
    fileprivate var hasNullElement: Bool {
        switch self {
        case .list(let members): members.contains { $0.isNull || $0.hasNullElement }
        case .tuple(let members): members.contains(where: \.hasNullElement)
        default: false
        }
    }

    /// As `serialized(as:)`, with a length of -1 for each null of a list ([CA] cql3/selection/ListSelector.java).
    fileprivate func serializedWithNulls(as type: CQLType) throws -> [UInt8] {
        let members: [(value: CQLValue, type: CQLType)]
        var bytes: [UInt8] = []
        switch (self, type.bare) {
        case (.list(let values), .list(let element)):
            bytes.appendBigEndian(Int32(truncatingIfNeeded: values.count))
            members = values.map { ($0, element) }
        case (.tuple(let values), .tuple(let types)): members = Array(zip(values, types))
        default: return try serialized(as: type)
        }
        for member in members {
            guard !member.value.isNull else {
                bytes.appendBigEndian(Int32(-1))
                continue
            }
            let value = try member.value.serializedWithNulls(as: member.type)
            bytes.appendBigEndian(Int32(truncatingIfNeeded: value.count))
            bytes += value
        }
        return bytes
    }
}
