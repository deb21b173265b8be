// TermBinder+Collections.swift — literals of collections, tuples, vectors and user-defined types
// ([CA] cql3/terms: Lists, Sets, Maps, Tuples, UserTypes, Vectors).

extension TermBinder {
    mutating func bind(collection term: Term, as type: CQLType, receiver: String) throws -> BoundTerm {
        switch (term, type.bare) {
        case (.tuple(let terms), .tuple(let types)): return try bind(tuple: terms, types, type, receiver)
        case (.userDefined(let fields), .userType(let user)): return try bind(fields: fields, user, type, receiver)
        case (.set(let terms), .userType(let user)) where terms.isEmpty:
            return try bind(fields: [], user, type, receiver)
        case (.list(let terms), .vector(let element, let count)):
            guard terms.count == count else {
                throw CQLError.invalid(
                    "Invalid vector literal for \(receiver) of type \(type); expected \(count) elements, "
                        + "but given \(terms.count)")
            }
            return try bind(members: terms.map { ($0, element, "value(\(receiver))") }, type)
        case (.list(let terms), .list(let element)), (.set(let terms), .set(let element)):
            return try bind(members: terms.map { ($0, element, "value(\(receiver))") }, type)
        case (.map(let entries), .map(let key, let value)):
            return try bind(
                members: entries.flatMap {
                    [($0.key, key, "key(\(receiver))"), ($0.value, value, "value(\(receiver))")]
                }, type)
        case (.set(let terms), .map) where terms.isEmpty: return .collection(type, [])
        // `(term)` is the term itself.
        case (.tuple(let terms), _) where terms.count == 1: return try bind(terms[0], as: type, receiver: receiver)
        default: throw Self.invalidLiteral(term, type, receiver)
        }
    }

    private static func invalidLiteral(_ term: Term, _ type: CQLType, _ receiver: String) -> CQLError {
        switch term {
        case .list: .invalid("Invalid list literal for \(receiver) of type \(type)")
        case .set: .invalid("Invalid set literal for \(receiver) of type \(type)")
        case .map: .invalid("Invalid map literal for \(receiver) of type \(type)")
        case .tuple: .invalid("Invalid tuple type literal for \(receiver) of type \(type)")
        default: .invalid("Invalid user type literal for \(receiver) of type \(type)")
        }
    }

    private mutating func bind(members: [(Term, CQLType, String)], _ type: CQLType) throws -> BoundTerm {
        var bound: [BoundTerm] = []
        for (member, memberType, name) in members {
            let term = try bind(member, as: memberType, receiver: name)
            if case .null = term { throw CQLError.invalid("null is not supported inside collections") }
            bound.append(term)
        }
        return .collection(type, bound)
    }

    private mutating func bind(
        tuple terms: [Term], _ types: [CQLType], _ type: CQLType, _ receiver: String
    ) throws -> BoundTerm {
        guard terms.count <= types.count else {
            throw CQLError.invalid(
                "Invalid tuple literal for \(receiver): too many elements. Type \(type) expects \(types.count) "
                    + "but got \(terms.count)")
        }
        var bound: [BoundTerm] = []
        for (index, term) in terms.enumerated() {
            bound.append(try bind(term, as: types[index], receiver: "\(receiver)[\(index)]"))
        }
        return .collection(type, bound)
    }

    private mutating func bind(
        fields: [Term.Field], _ user: UserType, _ type: CQLType, _ receiver: String
    ) throws -> BoundTerm {
        for field in fields where user.index(of: field.name) == nil {
            throw CQLError.invalid("Unknown field '\(field.name)' in value of user defined type \(user.name)")
        }
        var bound: [BoundTerm] = []
        for field in user.fields {
            guard let value = fields.last(where: { $0.name == field.name })?.value else {
                bound.append(.null)
                continue
            }
            bound.append(try bind(value, as: field.type, receiver: "\(receiver).\(field.name)"))
        }
        return .collection(type, bound)
    }
}
