// FieldRenaming.swift — literals of user types that definitions keep, after ALTER TYPE … RENAME.

extension Term {
    /// The literal with other names for the fields of a type.
    func renamingFields(of old: UserType, as new: UserType, _ type: CQLType) -> Term {
        func renamed(_ term: Term, _ type: CQLType) -> Term { term.renamingFields(of: old, as: new, type) }
        switch (self, type.bare) {
        case (.list(let terms), .list(let element)), (.list(let terms), .vector(let element, _)):
            return .list(terms.map { renamed($0, element) })
        case (.set(let terms), .set(let element)): return .set(terms.map { renamed($0, element) })
        case (.map(let entries), .map(let key, let value)):
            return .map(entries.map { MapEntry(key: renamed($0.key, key), value: renamed($0.value, value)) })
        case (.tuple(let terms), .tuple(let types)): return .tuple(zip(terms, types).map(renamed))
        // `(term)` is the term itself.
        case (.tuple(let terms), _): return .tuple(terms.map { renamed($0, type) })
        case (.userDefined(let fields), .userType(let user)):
            return .userDefined(
                fields.map { field in
                    guard let index = user.index(of: field.name) else { return field }
                    return Field(
                        name: user.name == old.name ? new.fields[index].name : field.name,
                        value: renamed(field.value, user.fields[index].type))
                })
        case (.cast(let hint, let term), _): return .cast(hint, renamed(term, type))
        default: return self
        }
    }
}

extension Relation {
    /// The relation with other names for the fields of a type in its literals.
    func renamingFields(of old: UserType, as new: UserType, _ columns: [ColumnDefinition]) -> Relation {
        let types = target.columns.compactMap { name in columns.first { $0.name == name }?.type }
        guard types.count == target.columns.count else { return self }
        var relation = self
        relation.terms = terms.map { term in
            if case .columns = target, case .tuple(let members) = term {
                return .tuple(zip(members, types).map { $0.renamingFields(of: old, as: new, $1) })
            }
            return term.renamingFields(of: old, as: new, types[0])
        }
        return relation
    }
}
