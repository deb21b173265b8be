// BoundTerm.swift — terms whose type is known, and what they evaluate to.

internal import Synchronization

/// A term bound to the column, clause or argument that receives it.
indirect enum BoundTerm: Sendable {
    case null
    /// The binary format of a constant.
    case bytes([UInt8])
    case marker(index: Int, type: CQLType)
    case call(ScalarFunction, [BoundTerm])
    /// A collection with members known only at execution; a map's keys and values alternate.
    case collection(CQLType, [BoundTerm])

    /// The member for a column of INSERT JSON's text.
    ///
    /// - Parameter names: the names of all columns; the text may have no others.
    case jsonMember(BoundTerm, column: String, type: CQLType, names: [String], unsetIfMissing: Bool)
    case binary(ArithmeticOperation, BoundTerm, BoundTerm)
    /// One member of a tuple.
    case tupleMember(BoundTerm, CQLType, Int)

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
        case .jsonMember(let text, let column, let type, let names, let unsetIfMissing):
            return try Self.member(text, column, type, names, unsetIfMissing, context)
        case .tupleMember(let tuple, let type, let index):
            guard case .tuple(let members) = try tuple.value(as: type, context), index < members.count,
                !members[index].isNull
            else { return .null }
            return .bytes(try members[index].serialized(as: type.components[index]))
        case .binary(let operation, let left, let right):
            let operands = (
                try left.value(as: operation.left, context), try right.value(as: operation.right, context)
            )
            let value = try operation.apply(operands.0, operands.1)
            return value.isNull ? .null : .bytes(try value.serialized(as: operation.result))
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

    private static func member(
        _ text: BoundTerm, _ column: String, _ type: CQLType, _ names: [String], _ unsetIfMissing: Bool,
        _ context: ExecutionContext
    ) throws -> Result {
        let members = try context.json?.members { try parse(text, names, context) } ?? parse(text, names, context)
        guard let member = members[column] else { return unsetIfMissing ? .unset : .null }
        do {
            let value = try CQLValue(member, as: type)
            return value.isNull ? .null : .bytes(try value.serialized(as: type))
        } catch let error as CQLError {
            throw CQLError.invalid("Error decoding JSON value for \(column): \(error.message)")
        }
    }

    /// The members of INSERT JSON's text by the names of their columns.
    private static func parse(
        _ text: BoundTerm, _ names: [String], _ context: ExecutionContext
    ) throws -> [String: JSONValue] {
        guard case .text(let json) = try text.value(as: .text, context) else {
            throw CQLError.invalid("Got null for INSERT JSON values")
        }
        guard case .object(let members)? = JSONValue(json) else {
            throw CQLError.invalid("Could not decode JSON string as a map: \(json)")
        }
        var values: [String: JSONValue] = [:]
        for member in members {
            let name = CQLValue.columnName(member.name)
            guard names.contains(name) else {
                throw CQLError.invalid("JSON values map contains unrecognized column: \(member.name)")
            }
            values[name] = member.value
        }
        return values
    }

    private static func collection(
        _ type: CQLType, _ members: [BoundTerm], _ context: ExecutionContext
    ) throws -> CQLValue {
        switch type.bare {
        case .tuple(let types):
            return .tuple(try zip(members, types).map { try $0.value(as: $1, context) })
        case .userType(let user):
            return .userDefined(
                try zip(user.fields, members).map { .init($0.name, try $1.value(as: $0.type, context)) })
        case .vector(let element, _): return .vector(try members.map { try $0.value(as: element, context) })
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
    /// Microseconds: the timestamp that the client gave for statements without one.
    var timestamp: Int64?
    /// The time that the client gave for times to live.
    var nowInSeconds: Int64?
    /// Whether columns are shown by their masks.
    var showsMasks = false
    /// Bounds what a modification reads before it writes.
    var tombstoneGuard: TombstoneGuard?
    /// Of INSERT JSON; nil: the text is taken apart for each column.
    var json: ParsedJSON?
}

/// The text of an INSERT JSON, taken apart when the first of its columns is asked for.
final class ParsedJSON: Sendable {
    private let parsed = Mutex<[String: JSONValue]?>(nil)

    func members(_ parse: () throws -> [String: JSONValue]) throws -> [String: JSONValue] {
        try parsed.withLock { parsed in
            if let parsed { return parsed }
            let members = try parse()
            parsed = members
            return members
        }
    }
}
