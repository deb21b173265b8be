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
            let result = try tuple.evaluate(context)
            guard case .bytes(let bytes) = result else { return result }
            guard case .tuple(let members) = try CQLValue(bytes.rawSpan, type: type), index < members.count,
                !members[index].isNull
            else { return .null }
            return .bytes(try members[index].serialized(as: type.components[index]))
        case .binary(let operation, let left, let right):
            let name = operation.operator.functionName
            let operands = (
                try left.argument(operation.left, of: name, context),
                try right.argument(operation.right, of: name, context)
            )
            let value = try operation.apply(operands.0, operands.1)
            return value.isNull ? .null : .bytes(try value.serialized(as: operation.result))
        case .collection(let type, let members):
            guard let value = try Self.collection(type, members, context) else { return .unset }
            return .bytes(try value.serialized(as: type))
        }
    }

    private func result(
        of function: ScalarFunction, _ arguments: [BoundTerm], _ context: ExecutionContext
    ) throws -> Result {
        var values: [CQLValue] = []
        for (argument, type) in zip(arguments, function.argumentTypes) {
            values.append(try argument.argument(type, of: function.name, context))
        }
        let value = try function.call(values, context)
        return value.isNull ? .null : .bytes(try value.serialized(as: function.returnType))
    }

    /// The term's value where it is an argument: no function tells apart what is null and what is not given.
    private func argument(_ type: CQLType, of function: String, _ context: ExecutionContext) throws -> CQLValue {
        guard let value = try setValue(as: type, context) else {
            throw CQLError.invalid("Invalid unset value for argument in call to function \(function)")
        }
        return value
    }

    /// The term's value; `nil` for one that is unset.
    private func setValue(as type: CQLType, _ context: ExecutionContext) throws -> CQLValue? {
        switch try evaluate(context) {
        case .null: .null
        case .unset: nil
        case .bytes(let bytes): try CQLValue(bytes.rawSpan, type: type)
        }
    }

    /// The term's value; `null` for a marker that is unset.
    func value(as type: CQLType, _ context: ExecutionContext) throws -> CQLValue {
        try setValue(as: type, context) ?? .null
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
        guard case .text(let json) = try text.value(as: .text, context), case let document = JSONValue(json),
            document != .null
        else { throw CQLError.invalid("Got null for INSERT JSON values") }
        guard case .object(let members)? = document else {
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

    /// The value of a literal; `nil` where it is unset, as it is with an element that is. What is always written as a whole,
    /// tuples and user-defined types, must have its members ([CA] cql3: Lists, Sets, Maps, Tuples, UserTypes, `DelayedValue`).
    private static func collection(
        _ type: CQLType, _ members: [BoundTerm], _ context: ExecutionContext
    ) throws -> CQLValue? {
        switch type.bare {
        case .tuple(let types):
            return .tuple(
                try zip(members, types).enumerated().map { index, member in
                    guard let value = try member.0.setValue(as: member.1, context) else {
                        throw CQLError.invalid("Invalid unset value for tuple field number \(index)")
                    }
                    return value
                })
        case .userType(let user):
            return .userDefined(
                try zip(user.fields, members).map { field, member in
                    guard let value = try member.setValue(as: field.type, context) else {
                        throw CQLError.invalid(
                            "Invalid unset value for field '\(field.name)' of user defined type \(user.name)")
                    }
                    return .init(field.name, value)
                })
        case .vector(let element, _): return try elements(members, element, context).map { .vector($0) }
        case .list(let element): return try elements(members, element, context).map { .list($0) }
        case .set(let element): return try elements(members, element, context).map { .set($0) }
        case .map(let key, let value): return try map(members, key, value, context)
        default: throw CQLError.invalid("Invalid collection literal of type \(type)")
        }
    }

    private static func elements(
        _ members: [BoundTerm], _ type: CQLType, _ context: ExecutionContext
    ) throws -> [CQLValue]? {
        var elements: [CQLValue] = []
        for member in members {
            guard let element = try member.setValue(as: type, context) else { return nil }
            elements.append(element)
        }
        return elements
    }

    private static func map(
        _ members: [BoundTerm], _ keyType: CQLType, _ valueType: CQLType, _ context: ExecutionContext
    ) throws -> CQLValue? {
        var entries: [CQLValue.Entry] = []
        for index in stride(from: 0, to: members.count, by: 2) {
            guard let key = try members[index].setValue(as: keyType, context) else {
                throw CQLError.invalid("Invalid unset map key")
            }
            guard let value = try members[index + 1].setValue(as: valueType, context) else { return nil }
            entries.append(CQLValue.Entry(key: key, value: value))
        }
        return .map(entries)
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
