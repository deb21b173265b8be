// EncodedValue.swift — what an `Encodable` value encoded, as the value of a column: the counterpart of ValueDecoder.swift.
//
// Invariant: what `Row.decode(_:)` reads into a type, this writes of it.

extension PreparedStatement {
    /// The values of the markers out of an `Encodable` type whose coding keys are the names of the markers: the columns that
    /// receive them, or what `:name` says. Properties that no marker asks for are left out.
    ///
    /// See ``Row/decode(_:)`` for what properties columns can have.
    ///
    /// - Parameter omittingNil: whether properties without a value leave their columns as they are, instead of setting them
    ///   to null.
    /// - Throws: `EncodingError` for a value that does not fit its column; it names the column and its type. `CQLError` for
    ///   a marker without a property.
    public func values(encoding value: some Encodable, omittingNil: Bool = false) throws -> [CQLValue] {
        let members = try EncodedValue.row(value)
        return try plan().markers.map { marker in
            guard let member = members.last(where: { $0.key == marker.name }) else {
                throw CQLError.invalid("Invalid unset value for bound variable \(marker.name)")
            }
            let bound = try member.value.value(of: marker)
            return bound.isNull && omittingNil ? .unset : bound
        }
    }

    /// Executes the statement with the properties of a value; see ``values(encoding:omittingNil:)``.
    @discardableResult
    public func execute(
        encoding value: some Encodable, omittingNil: Bool = false, durability: Durability = .buffered
    ) throws -> ResultSet {
        try execute(try values(encoding: value, omittingNil: omittingNil), durability: durability)
    }

    /// Executes the statement with the properties of a value inside an open transaction.
    @discardableResult
    public func execute(
        encoding value: some Encodable, omittingNil: Bool = false, in transaction: WriteTransaction
    ) throws -> ResultSet {
        try execute(try values(encoding: value, omittingNil: omittingNil), in: transaction)
    }
}

extension WideColumnStore {
    /// Executes one statement with the properties of a value for its markers; see
    /// ``PreparedStatement/values(encoding:omittingNil:)``.
    @discardableResult
    public func execute(
        _ cql: String, encoding value: some Encodable, omittingNil: Bool = false, durability: Durability = .buffered
    ) throws -> ResultSet {
        try prepare(cql).execute(encoding: value, omittingNil: omittingNil, durability: durability)
    }

    /// Inserts a row: a column for each property of the value.
    ///
    /// - Parameter table: the table's name as CQL writes it, with its keyspace where that is not the current one.
    public func insert(
        _ value: some Encodable, into table: String, omittingNil: Bool = false, durability: Durability = .buffered
    ) throws {
        let names = try EncodedValue.row(value).map { CQLName.quotedIfNeeded($0.key) }
        let marks = names.map { _ in "?" }.joined(separator: ", ")
        try execute(
            "INSERT INTO \(table) (\(names.joined(separator: ", "))) VALUES (\(marks))", encoding: value,
            omittingNil: omittingNil, durability: durability)
    }
}

extension EncodedValue {
    /// The columns that a value encodes.
    fileprivate static func row(_ value: some Encodable) throws -> [EncodedMember] {
        switch try EncodedValue(value, path: []) {
        case .keyed(let members): return members
        case .scalar(.map(let entries), _):
            return entries.map { .init(key: $0.key.codingKey, value: .scalar($0.value, isAlone: false)) }
        default:
            throw EncodingError.invalidValue(
                value, .init(codingPath: [], debugDescription: "A row is encoded by column names."))
        }
    }

    /// The value for a marker; it fits.
    fileprivate func value(of marker: BoundMarker) throws -> CQLValue {
        do {
            let value = try value(as: marker.type)
            if value != .null, value != .unset { _ = try value.serialized(as: marker.type) }
            return value
        } catch let error as CQLError {
            let path: [any CodingKey] = [ColumnKey(stringValue: marker.name)]
            throw EncodingError.invalidValue(
                plain,
                .init(
                    codingPath: path,
                    debugDescription: "Column \(marker.name) of type \(marker.type): \(error.message)",
                    underlyingError: error))
        }
    }

    private struct ColumnKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    // MARK: By the type of the column

    private func value(as type: CQLType) throws -> CQLValue {
        switch self {
        case .scalar(.double(let seconds), isAlone: true) where type.bare == .timestamp || type.bare == .date:
            return try Self.moment(secondsSince2001: seconds, type.bare)
        case .scalar(let value, _): return try value.fitted(to: type)
        case .keyed(let members): return try Self.value(members, as: type)
        case .unkeyed(let values): return try Self.value(values, as: type)
        }
    }

    /// Foundation's `Date`. A timestamp has its milliseconds, a date its day.
    private static func moment(secondsSince2001 seconds: Double, _ type: CQLType) throws -> CQLValue {
        let since1970 = seconds + CQLValue.secondsUntil2001
        if type == .date, let days = Int32(exactly: (since1970 / 86_400).rounded(.down)) { return .date(days) }
        guard type == .timestamp, let milliseconds = Int64(exactly: (since1970 * 1000).rounded()) else {
            throw CQLError.invalid("\(seconds) seconds after 2001-01-01 are out of its bounds")
        }
        return .timestamp(milliseconds)
    }

    private static func value(_ members: [EncodedMember], as type: CQLType) throws -> CQLValue {
        switch type.bare {
        case .map(let key, let value):
            return .map(
                try members.map { .init(key: try key.key($0.key), value: try $0.value.value(as: value)) })
        case .userType(let user):
            return .userDefined(
                try members.map { CQLValue.Field($0.key, try $0.value.value(as: user.type(ofField: $0.key))) })
        case .tuple(let types):
            var elements = [CQLValue](repeating: .null, count: types.count)
            for member in members {
                guard let position = member.position, types.indices.contains(position) else {
                    throw CQLError.invalid("A tuple has no element \(member.key)")
                }
                elements[position] = try member.value.value(as: types[position])
            }
            return .tuple(elements)
        default: throw CQLError.invalid("A value with named members is no \(type)")
        }
    }

    private static func value(_ values: [EncodedValue], as type: CQLType) throws -> CQLValue {
        switch type.bare {
        case .list(let element): return .list(try values.map { try $0.value(as: element) })
        case .set(let element): return .set(try values.map { try $0.value(as: element) })
        case .vector(let element, _): return .vector(try values.map { try $0.value(as: element) })
        case .tuple(let types):
            guard values.count <= types.count else {
                throw CQLError.invalid("Expected \(types.count) elements in value for tuple, but got \(values.count)")
            }
            return .tuple(try zip(values, types).map { try $0.value(as: $1) })
        case .map(let key, let value):
            // A dictionary whose keys are neither texts nor integers.
            guard values.count.isMultiple(of: 2) else { throw CQLError.invalid("A key of a map has no value") }
            return .map(
                try stride(from: 0, to: values.count, by: 2).map {
                    .init(key: try values[$0].value(as: key), value: try values[$0 + 1].value(as: value))
                })
        case .blob: return .blob(try bytes(values))
        case .inet: return .inet(try bytes(values))
        default: throw CQLError.invalid("A value with members is no \(type)")
        }
    }

    private static func bytes(_ values: [EncodedValue]) throws -> [UInt8] {
        try values.map { value in
            guard case .scalar(let value, _) = value, let byte = UInt8(cqlValue: value) else {
                throw CQLError.invalid("Its members are no bytes")
            }
            return byte
        }
    }
}

extension UserType {
    fileprivate func type(ofField name: String) throws -> CQLType {
        guard let index = index(of: name) else {
            throw CQLError.invalid("Unknown field '\(name)' in value of user defined type \(self.name)")
        }
        return fields[index].type
    }
}

extension CQLType {
    /// A coding key as the key of a map.
    fileprivate func key(_ text: String) throws -> CQLValue {
        switch bare {
        case .tinyint, .smallint, .int, .bigint, .varint:
            guard let number = CQLInteger(text) else { throw CQLError.invalid("The key '\(text)' is no \(self)") }
            return .varint(number)
        case .boolean where text == "true" || text == "false": return .boolean(text == "true")
        default: return try CQLValue.text(text).fitted(to: self)
        }
    }
}

extension CQLValue {
    /// The value in the form that the type has, where there is one of the same meaning; else as it is.
    fileprivate func fitted(to type: CQLType) throws -> CQLValue {
        switch (type.bare, self) {
        case (.uuid, .text(let text)), (.timeuuid, .text(let text)):
            guard let uuid = CQLUUID(text) else { throw CQLError.invalid("'\(text)' is no UUID") }
            return .uuid(uuid)
        case (.timestamp, .text(let text)), (.date, .text(let text)), (.time, .text(let text)),
            (.inet, .text(let text)):
            return try Constant.string(text).value(as: type)
        case (.inet, .blob(let bytes)): return .inet(bytes)
        case (.date, _), (.time, _): return fittedCount(type.bare)
        case (.map(let keys, let values), .map(let entries)):
            return .map(
                try entries.map { .init(key: try $0.key.fitted(to: keys), value: try $0.value.fitted(to: values)) })
        case (.userType(let user), .map(let entries)):
            return .userDefined(
                try entries.map { entry in
                    let name = entry.key.codingKey
                    return Field(name, try entry.value.fitted(to: user.type(ofField: name)))
                })
        default: return try fittedMembers(type.bare)
        }
    }

    /// Days or nanoseconds.
    private func fittedCount(_ type: CQLType) -> CQLValue {
        guard let number = Int64(cqlValue: self) else { return self }
        if type == .time { return .time(number) }
        return Int32(exactly: number).map { .date($0) } ?? self
    }

    private func fittedMembers(_ type: CQLType) throws -> CQLValue {
        guard let members = sequence(type) else { return self }
        switch type {
        case .list(let element): return .list(try members.map { try $0.fitted(to: element) })
        case .set(let element): return .set(try members.map { try $0.fitted(to: element) })
        case .vector(let element, _): return .vector(try members.map { try $0.fitted(to: element) })
        case .tuple(let types) where members.count <= types.count:
            return .tuple(try zip(members, types).map { try $0.fitted(to: $1) })
        default: return self
        }
    }

    /// The members of a sequence; bytes are one where the type is no blob.
    private func sequence(_ type: CQLType) -> [CQLValue]? {
        switch self {
        case .list(let members), .set(let members), .vector(let members), .tuple(let members): members
        case .blob(let bytes) where type != .blob: bytes.map { .smallint(Int16($0)) }
        default: nil
        }
    }
}
