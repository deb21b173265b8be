// BoundTerm.swift — terms whose type is known, and what they evaluate to.

/// A term bound to the column, clause or argument that receives it.
indirect enum BoundTerm: Sendable {
    case null
    /// The binary format of a constant.
    case bytes([UInt8])
    case marker(index: Int, type: CQLType)
    case call(ScalarFunction, [BoundTerm])
    /// A collection with members known only at execution; a map's keys and values alternate.
    case collection(CQLType, [BoundTerm])

    /// What a term came to.
    enum Result: Hashable {
        case null
        case unset
        case bytes([UInt8])
    }

    func evaluate(_ context: ExecutionContext) throws -> Result {
        switch self {
        case .null: return .null
        case .bytes(let bytes): return .bytes(bytes)
        case .marker(let index, let type):
            switch context.values[index] {
            case .null: return .null
            case .unset: return .unset
            case let value: return .bytes(try value.serialized(as: type))
            }
        case .call(let function, let arguments):
            return try result(of: function, arguments, context)
        case .collection(let type, let members):
            return .bytes(try Self.collection(type, members, context).serialized(as: type))
        }
    }

    private func result(
        of function: ScalarFunction, _ arguments: [BoundTerm], _ context: ExecutionContext
    ) throws -> Result {
        var values: [CQLValue] = []
        for (argument, type) in zip(arguments, function.argumentTypes) {
            values.append(try argument.value(as: type, context))
        }
        let value = try function.call(values, context)
        return value.isNull ? .null : .bytes(try value.serialized(as: function.returnType))
    }

    /// The term's value; `null` for a marker that is unset.
    func value(as type: CQLType, _ context: ExecutionContext) throws -> CQLValue {
        guard case .bytes(let bytes) = try evaluate(context) else { return .null }
        return try CQLValue(bytes.rawSpan, type: type)
    }

    private static func collection(
        _ type: CQLType, _ members: [BoundTerm], _ context: ExecutionContext
    ) throws -> CQLValue {
        switch type {
        case .list(let element): return .list(try members.map { try $0.value(as: element, context) })
        case .set(let element): return .set(try members.map { try $0.value(as: element, context) })
        case .map(let key, let value):
            return .map(
                try stride(from: 0, to: members.count, by: 2).map { index in
                    CQLValue.Entry(
                        key: try members[index].value(as: key, context),
                        value: try members[index + 1].value(as: value, context))
                })
        default: throw CQLError.invalid("Invalid collection literal of type \(type)")
        }
    }
}

/// What a statement's execution can see besides stored data.
struct ExecutionContext {
    /// One for each marker.
    var values: [CQLValue]
    /// The commit time of a write, the read time of a read.
    var now: StorageInstant
    var generators: Generators
}
