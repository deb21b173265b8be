// UserType.swift — types that CREATE TYPE makes.

/// A user-defined type: named fields, each with a type.
///
/// Values made before a field was added lack it; it is null in them.
public struct UserType: Hashable, Sendable {
    public struct Field: Hashable, Sendable {
        public var name: String
        public var type: CQLType

        public init(name: String, type: CQLType) {
            self.name = name
            self.type = type
        }
    }

    public var keyspace: String
    public var name: String
    /// Never empty, but for a name that a parsed statement mentions and nobody looked up yet.
    public var fields: [Field]

    public init(keyspace: String, name: String, fields: [Field]) {
        self.keyspace = keyspace
        self.name = name
        self.fields = fields
    }

    func index(of field: String) -> Int? { fields.firstIndex { $0.name == field } }
}

/// Names as CQL writes them.
enum CQLName {
    /// In double quotes unless it is a plain lower-case name that is no reserved word.
    static func quotedIfNeeded(_ name: String) -> String {
        let isPlain = name.utf8.enumerated().allSatisfy { index, byte in
            (97...122).contains(byte) || index > 0 && ((48...57).contains(byte) || byte == 95)
        }
        return isPlain && !name.isEmpty && !ReservedWord.all.contains(name) ? name : quoted(name)
    }

    /// Of a user-defined type: in quotes also where a native type has the name, or may have it one day.
    static func ofType(_ name: String) -> String {
        let isTaken = CQLType(nativeName: name) != nil || Parser.reservedTypeNames.contains(name)
        return isTaken ? quoted(name) : quotedIfNeeded(name)
    }

    static func quoted(_ name: String) -> String { name.quoted(by: UInt8(ascii: "\"")) }
}

extension String {
    /// The text between two quotes, with those inside doubled, as a lexer reads it back: byte by byte. A quote that a combining
    /// mark follows is no Character of its own.
    func quoted(by quote: UInt8) -> String {
        var bytes = [quote]
        bytes.reserveCapacity(utf8.count + 2)
        for byte in utf8 {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        bytes.append(quote)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The user-defined types of a keyspace, by name. Their fields' types are looked up too.
struct UserTypes: Sendable {
    var keyspace: String
    private(set) var types: [String: UserType] = [:]
    /// How large the types are, by name.
    fileprivate var extents: [String: TypeExtent] = [:]

    init(keyspace: String) {
        self.keyspace = keyspace
    }

    /// Looks up the fields of all definitions, those first that others are made of.
    ///
    /// - Throws: corruption where a type is made of itself or of one that is missing.
    init(keyspace: String, definitions: [UserType]) throws {
        self.init(keyspace: keyspace)
        var pending = definitions.sorted { $0.name < $1.name }
        while !pending.isEmpty {
            let ready = pending.filter { $0.references.allSatisfy { types[$0] != nil } }
            guard !ready.isEmpty else { throw ByteReader.tooShort }
            for type in ready {
                extents[type.name] = CQLType.extent(ofFields: type.fields.map(\.type), in: self)
                types[type.name] = try type.resolvingFields(in: self)
            }
            pending.removeAll { types[$0.name] != nil }
        }
    }

    /// Refuses types, and types of columns, that are too large.
    func check(columns: some Sequence<CQLType>) throws {
        for (name, extent) in extents.sorted(by: { $0.key < $1.key }) { try extent.check("\(keyspace).\(name)") }
        for type in columns { try type.extent(in: self).check(type.description) }
    }
}

extension CQLType {
    /// The names of the user-defined types in it.
    var references: Set<String> {
        if case .userType(let type) = self { return [type.name] }
        return components.reduce(into: []) { $0.formUnion($1.references) }
    }
}

extension UserType {
    /// The names of the types that its fields are made of.
    var references: Set<String> { fields.reduce(into: []) { $0.formUnion($1.type.references) } }

    fileprivate func resolvingFields(in scope: UserTypes) throws -> UserType {
        var type = self
        for index in fields.indices { type.fields[index].type = try fields[index].type.lookedUp(in: scope) }
        return type
    }
}

// MARK: - Sizes

/// How large a type is. Types that are made of others grow with every level, and what is asked of a type is asked of all
/// of its parts, so there is a limit.
private struct TypeExtent {
    private static let maximumPartCount = 1 << 16
    private static let maximumValueCount = 1 << 20
    /// Values are read and written by functions that call themselves, once and more for each level.
    private static let maximumDepth = 256

    /// The type itself and, written out, everything that it is made of.
    var partCount = 1
    /// The values that each value of the type has: elements of vectors, fields of tuples and of user-defined types.
    var valueCount = 1
    /// The levels of the type: one more than its deepest part has.
    var depth = 1

    static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    static func product(_ left: Int, _ right: Int) -> Int {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? .max : product
    }

    func check(_ name: @autoclosure () -> String) throws {
        guard depth <= Self.maximumDepth else {
            throw CQLError.invalid(
                "Type \(name()) is nested too deeply: written out it has more than \(Self.maximumDepth) levels")
        }
        guard partCount <= Self.maximumPartCount else {
            throw CQLError.invalid(
                "Type \(name()) is too large: written out it has more than \(Self.maximumPartCount) parts")
        }
        guard valueCount <= Self.maximumValueCount else {
            throw CQLError.invalid(
                "Type \(name()) is too large: its values have more than \(Self.maximumValueCount) elements")
        }
    }
}

extension CQLType {
    /// How large the type is; user-defined types in it need not have been looked up.
    fileprivate func extent(in scope: UserTypes) -> TypeExtent {
        switch self {
        case .userType(let type): return scope.extents[type.name] ?? TypeExtent()
        case .frozen(let type): return type.extent(in: scope)
        case .vector(let element, let count):
            var extent = element.extent(in: scope)
            extent.partCount = TypeExtent.sum(extent.partCount, 1)
            extent.valueCount = TypeExtent.product(extent.valueCount, max(count, 1))
            extent.depth += 1
            return extent
        case .tuple(let elements): return Self.extent(ofFields: elements, in: scope)
        default:
            // A collection may be empty, but its elements have to be bounded all the same.
            let extents = components.map { $0.extent(in: scope) }
            return TypeExtent(
                partCount: extents.reduce(1) { TypeExtent.sum($0, $1.partCount) },
                valueCount: extents.reduce(1) { max($0, $1.valueCount) },
                depth: extents.reduce(0) { max($0, $1.depth) } + 1)
        }
    }

    fileprivate static func extent(ofFields types: [CQLType], in scope: UserTypes) -> TypeExtent {
        types.reduce(into: TypeExtent(partCount: 1, valueCount: 0)) { extent, type in
            let field = type.extent(in: scope)
            extent.partCount = TypeExtent.sum(extent.partCount, field.partCount)
            extent.valueCount = TypeExtent.sum(extent.valueCount, field.valueCount)
            extent.depth = max(extent.depth, field.depth + 1)
        }
    }
}

// MARK: - Looking names up

extension CQLType {
    /// The type as a statement may use it: looked up, and not too large.
    func resolved(in scope: UserTypes) throws -> CQLType {
        try extent(in: scope).check(description)
        return try lookedUp(in: scope)
    }

    /// The type with user-defined types looked up and `frozen` where CQL implies it; refuses what cannot be
    /// ([CA] cql3/CQL3Type.java, `Raw.prepare`).
    func lookedUp(in scope: UserTypes) throws -> CQLType {
        switch self {
        case .frozen(let type):
            let inner = try type.withFrozenParts.lookedUp(in: scope)
            switch inner.bare {
            case .list, .set, .map, .tuple, .userType, .vector: return inner.frozenType
            default:
                throw CQLError.invalid(
                    "frozen<> is only allowed on collections, tuples, and user-defined types (got \(type))")
            }
        case .list(let element): return .list(try element.lookedUpElement(of: self, in: scope))
        case .set(let element):
            if element.bare == .duration { throw CQLError.invalid("Durations are not allowed inside sets: \(self)") }
            return .set(try element.lookedUpElement(of: self, in: scope))
        case .map(let key, let value):
            if key.bare == .duration { throw CQLError.invalid("Durations are not allowed as map keys: \(self)") }
            return .map(
                try key.lookedUpElement(of: self, in: scope), try value.lookedUpElement(of: self, in: scope))
        case .tuple(let elements):
            guard !elements.contains(.counter) else { throw CQLError.invalid("Counters are not allowed inside tuples") }
            return .tuple(try elements.map { try $0.frozenIfCollection().lookedUp(in: scope).frozenType })
        case .vector(let element, let count):
            guard count > 0 else {
                throw CQLError.invalid("vectors may only have positive dimensions; given \(count)")
            }
            guard element != .counter else {
                throw CQLError.invalid("counters are not supported inside vectors")
            }
            return .vector(try element.frozenIfCollection().lookedUp(in: scope).frozenType, count)
        case .userType(let type): return .userType(try type.lookedUp(in: scope))
        default: return self
        }
    }

    /// An element of a collection, which has to be frozen if it has parts.
    private func lookedUpElement(of collection: CQLType, in scope: UserTypes) throws -> CQLType {
        guard self != .counter else {
            throw CQLError.invalid("Counters are not allowed inside collections: \(collection)")
        }
        let type = try lookedUp(in: scope)
        guard !type.isMultiCell else {
            if case .userType = type {
                throw CQLError.invalid("Non-frozen UDTs are not allowed inside collections: \(collection)")
            }
            throw CQLError.invalid("Non-frozen collections are not allowed inside collections: \(collection)")
        }
        return type
    }

    /// The type as a part of something frozen: CQL's nested collections need no `frozen` there.
    fileprivate func frozenIfCollection() -> CQLType {
        switch self {
        case .list(let element): .frozen(.list(element.frozenIfCollection()))
        case .set(let element): .frozen(.set(element.frozenIfCollection()))
        case .map(let key, let value): .frozen(.map(key.frozenIfCollection(), value.frozenIfCollection()))
        case .userType: .frozen(self)
        default: self
        }
    }

    /// What `frozen<…>` around a type as it was written does to its parts, before names are looked up.
    var withFrozenParts: CQLType {
        switch self {
        case .list(let element): .list(element.frozenIfCollection())
        case .set(let element): .set(element.frozenIfCollection())
        case .map(let key, let value): .map(key.frozenIfCollection(), value.frozenIfCollection())
        default: self
        }
    }
}

extension UserType {
    fileprivate func lookedUp(in scope: UserTypes) throws -> UserType {
        guard keyspace.isEmpty || keyspace == scope.keyspace else {
            throw CQLError.invalid(
                "Statement on keyspace \(scope.keyspace) cannot refer to a user type in keyspace \(keyspace); "
                    + "user types can only be used in the keyspace they are defined in")
        }
        guard let type = scope.types[name] else { throw CQLError.invalid("Unknown type \(scope.keyspace).\(name)") }
        return type
    }
}
