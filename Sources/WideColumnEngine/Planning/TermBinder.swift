// TermBinder.swift — gives terms their types, and markers with them.

/// A bound marker: what it is for.
public struct BoundMarker: Hashable, Sendable {
    /// The name of `:name`, or of the column or clause that receives the value.
    public var name: String
    public var type: CQLType
}

/// Binds the terms of one statement and collects its markers.
struct TermBinder {
    private let names: [String?]
    private var markers: [BoundMarker?]

    init(_ markerNames: [String?]) {
        names = markerNames
        markers = Array(repeating: nil, count: markerNames.count)
    }

    /// Every marker, once all terms are bound.
    func boundMarkers() throws -> [BoundMarker] {
        try markers.map { marker in
            guard let marker else { throw CQLError.invalid("A bound marker is used where none is allowed") }
            return marker
        }
    }

    mutating func bind(_ term: Term, to column: ColumnDefinition) throws -> BoundTerm {
        try bind(term, as: column.type, receiver: column.name)
    }

    mutating func bind(_ term: Term, as type: CQLType, receiver: String) throws -> BoundTerm {
        switch term {
        case .constant(.null): return .null
        case .constant(let constant):
            return .bytes(try constant.value(as: type, receiver: receiver).serialized(as: type))
        case .marker(let index):
            markers[index] = BoundMarker(name: names[index] ?? receiver, type: type)
            return .marker(index: index, type: type)
        case .call(let name, let arguments): return try bind(call: name, arguments, as: type)
        case .cast(let castType, let inner):
            guard castType == type else {
                throw CQLError.invalid("Cannot assign value \(term) to \(receiver) of type \(type)")
            }
            return try bind(inner, as: castType, receiver: receiver)
        case .list, .set, .map: return try bind(collection: term, as: type, receiver: receiver)
        case .tuple: throw CQLError.invalid("Invalid tuple type literal for \(receiver) of type \(type)")
        }
    }

    private mutating func bind(call name: String, _ arguments: [Term], as type: CQLType?) throws -> BoundTerm {
        let function = try ScalarFunction.resolve(
            name, arguments: try arguments.map { try Self.type(of: $0) }, returning: type)
        var bound: [BoundTerm] = []
        for (index, argument) in arguments.enumerated() {
            bound.append(try bind(argument, as: function.argumentTypes[index], receiver: "arg\(index)(\(name))"))
        }
        return .call(function, bound)
    }

    /// The type of a function's argument where it is plain; a string may become many things.
    private static func type(of term: Term) throws -> CQLType? {
        switch term {
        case .constant(.string), .constant(.integer): nil
        case .constant(let constant): constant.naturalType
        case .cast(let type, _): type
        case .call(let name, let arguments):
            try ScalarFunction.resolve(name, arguments: try arguments.map { try type(of: $0) }, returning: nil)
                .returnType
        case .marker, .list, .set, .map, .tuple: nil
        }
    }

    private mutating func bind(collection term: Term, as type: CQLType, receiver: String) throws -> BoundTerm {
        var members: [(Term, CQLType, String)] = []
        switch (term, type) {
        case (.list(let terms), .list(let element)):
            members = terms.map { ($0, element, "value(\(receiver))") }
        case (.set(let terms), .set(let element)):
            members = terms.map { ($0, element, "value(\(receiver))") }
        case (.map(let entries), .map(let key, let value)):
            members = entries.flatMap { [($0.key, key, "key(\(receiver))"), ($0.value, value, "value(\(receiver))")] }
        case (.set(let terms), .map) where terms.isEmpty: break
        default:
            let kind =
                switch term {
                case .list: "list";
                case .set: "set";
                default: "map"
                }
            throw CQLError.invalid("Invalid \(kind) literal for \(receiver) of type \(type)")
        }
        var bound: [BoundTerm] = []
        for (member, memberType, name) in members {
            let memberTerm = try bind(member, as: memberType, receiver: name)
            if case .null = memberTerm { throw CQLError.invalid("null is not supported inside collections") }
            bound.append(memberTerm)
        }
        return .collection(type, bound)
    }
}
