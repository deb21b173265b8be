// CQLValue+JSON.swift — values as JSON and back ([CA] doc cql/json.adoc, "JSON Encoding of Cassandra Data Types").

extension CQLValue {
    /// The value of `type` as JSON, as SELECT JSON and to_json() give it.
    func json(as type: CQLType) -> JSONValue {
        switch (self, type.bare) {
        case (.null, _), (.unset, _): return .null
        case (.empty, _): return .string("")
        case (.boolean(let value), _): return .boolean(value)
        case (.tinyint(let value), _): return .number("\(value)")
        case (.smallint(let value), _): return .number("\(value)")
        case (.int(let value), _): return .number("\(value)")
        case (.bigint(let value), _): return .number("\(value)")
        case (.varint(let value), _): return .number("\(value)")
        case (.decimal(let value), _): return .number(JavaNumberText.text(value))
        // JSON has no other numbers ([CA] db/marshal/DoubleType.java, `toJSONString`).
        case (.float(let value), _): return value.isFinite ? .number(JavaNumberText.text(value)) : .null
        case (.double(let value), _): return value.isFinite ? .number(JavaNumberText.text(value)) : .null
        case (.text(let value), _): return .string(value)
        case (.blob(let value), _): return .string(value.cqlHexadecimal)
        case (.uuid(let value), _): return .string(value.description)
        case (.timestamp(let value), _): return .string(CalendarText.jsonTimestamp(milliseconds: value))
        case (.date(let value), _): return .string(CalendarText.date(days: Int64(value)))
        case (.time(let value), _): return .string(CalendarText.time(nanoseconds: value))
        case (.inet(let value), _): return .string(InternetAddress.text(value))
        case (.duration(let value), _): return .string(value.description)
        case (.list(let elements), let collection), (.set(let elements), let collection),
            (.vector(let elements), let collection):
            let element = collection.components.first ?? .text
            return .array(elements.map { $0.json(as: element) })
        case (.tuple(let elements), .tuple(let types)):
            return .array(zip(elements, types).map { $0.json(as: $1) })
        case (.map(let entries), .map(let key, let value)):
            return .object(entries.map { .init(name: $0.key.jsonKey(as: key), value: $0.value.json(as: value)) })
        case (.userDefined(let fields), .userType(let user)):
            return .object(
                zip(fields, user.fields).map {
                    .init(name: CQLValue.jsonName($0.name), value: $0.value.json(as: $1.type))
                })
        default: return .string(description)
        }
    }

    /// A map's key: a string, whatever the type.
    private func jsonKey(as type: CQLType) -> String {
        if case .string(let text) = json(as: type) { return text }
        return json(as: type).description
    }

    /// Names that are not plain lower case are quoted inside of the string, as Cassandra does.
    static func jsonName(_ name: String) -> String {
        name.contains(where: \.isUppercase) ? CQLName.quoted(name) : name
    }
}

extension CQLValue {
    /// The value of `type` that JSON stands for.
    ///
    /// - Throws: `InvalidRequest` with Cassandra's words.
    init(_ json: JSONValue, as type: CQLType) throws {
        switch (json, type.bare) {
        case (.null, _): self = .null
        case (.array(let elements), .list(let element)):
            self = .list(try elements.map { try Self.element($0, element, "list") })
        case (.array(let elements), .set(let element)):
            self = .set(try elements.map { try Self.element($0, element, "set") })
        case (.array(let elements), .vector(let element, _)):
            self = .vector(try elements.map { try Self.element($0, element, "vector") })
        case (.array(let elements), .tuple(let types)):
            guard elements.count == types.count else {
                throw CQLError.invalid(
                    "Tuple \(elements.count < types.count ? "is missing" : "contains extra") items (expected \(types.count)): "
                        + json.description)
            }
            self = .tuple(try zip(elements, types).map { try CQLValue($0, as: $1) })
        case (.object(let members), .map(let key, let value)):
            self = .map(
                try members.map { member in
                    Entry(
                        key: try CQLValue(key: member.name, as: key),
                        value: try Self.element(member.value, value, "map"))
                })
        case (.object(let members), .userType(let user)): self = .userDefined(try Self.fields(members, user))
        case (.string(let text), .list), (.string(let text), .set), (.string(let text), .map),
            (.string(let text), .tuple), (.string(let text), .userType), (.string(let text), .vector):
            guard let inner = JSONValue(text), !(inner == json) else { throw Self.mismatch(json, type) }
            if case .string = inner { throw Self.mismatch(json, type) }
            self = try CQLValue(inner, as: type)
        default: self = try Self.scalar(json, type.bare)
        }
    }

    private static func element(_ json: JSONValue, _ type: CQLType, _ kind: String) throws -> CQLValue {
        guard json != .null else {
            throw CQLError.invalid("Invalid null \(kind == "map" ? "value" : "element") in \(kind)")
        }
        return try CQLValue(json, as: type)
    }

    /// A map's key is a string that holds the key's JSON, or the text itself.
    private init(key: String, as type: CQLType) throws {
        switch type.bare {
        case .text, .ascii: self = .text(key)
        case .list, .set, .map, .tuple, .userType, .vector:
            guard let json = JSONValue(key) else { throw Self.mismatch(.string(key), type) }
            self = try CQLValue(json, as: type)
        default: self = try Self.scalar(.string(key), type.bare)
        }
    }

    private static func fields(_ members: [JSONValue.Member], _ user: UserType) throws -> [Field] {
        for member in members where user.index(of: columnName(member.name)) == nil {
            throw CQLError.invalid(
                "JSON values map contains values for undefined fields of user type \(user.name): \(member.name)")
        }
        return try user.fields.map { field in
            let json = members.last { columnName($0.name) == field.name }?.value ?? .null
            return Field(field.name, try CQLValue(json, as: field.type))
        }
    }

    /// The column that a member names: in lower case, unless it is in quotes.
    static func columnName(_ name: String) -> String {
        // Bytes, because a quote that a combining mark follows is no Character of its own.
        let quote = UInt8(ascii: "\"")
        let bytes = Array(name.utf8)
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return name.lowercased() }
        var content: [UInt8] = []
        var isDoubled = false
        for byte in bytes.dropFirst().dropLast() {
            isDoubled = byte == quote && content.last == quote && !isDoubled
            if !isDoubled { content.append(byte) }
        }
        return String(decoding: content, as: UTF8.self)
    }

    private static func scalar(_ json: JSONValue, _ type: CQLType) throws -> CQLValue {
        let constant: Constant
        switch (json, type) {
        case (.boolean(let value), .boolean): constant = .boolean(value)
        case (.string(let text), .boolean): return .boolean(try boolean(text))
        // What an empty value is written as.
        case (.string(""), _) where type.allowsEmpty: return .empty
        case (.string(let text), .text), (.string(let text), .ascii): constant = .string(text)
        case (_, .varint), (_, .decimal): return try exact(json, type)
        case (.string(let text), .float), (.string(let text), .double):
            guard let digits = JavaNumberText.digits(text) else {
                throw CQLError.invalid("Unable to make \(type) from '\(text)'")
            }
            constant = .float(digits)
        case (.number(let digits), .float), (.number(let digits), .double): constant = .float(digits)
        case (.number(let digits), _) where type.isNumeric, (.string(let digits), _) where type.isNumeric:
            constant = .integer(digits)
        case (.number(let digits), .timestamp):
            constant = .integer(digits)
        case (.string(let text), .uuid), (.string(let text), .timeuuid):
            guard let uuid = CQLUUID(text) else {
                throw CQLError.invalid(
                    type == .uuid ? "Unable to make UUID from '\(text)'" : "Unknown timeuuid representation: \(text)")
            }
            constant = .uuid(uuid)
        case (.string(let text), .blob):
            guard text.hasPrefix("0x"), let bytes = Hexadecimal.bytes(text.dropFirst(2)) else {
                throw CQLError.invalid(
                    "Value '\(text)' is not a valid blob representation: String representation of blob is missing 0x prefix: \(text)"
                )
            }
            constant = .blob(bytes)
        case (.string(let text), .timestamp), (.string(let text), .date), (.string(let text), .time),
            (.string(let text), .inet):
            constant = .string(text)
        case (.string(let text), .duration): constant = .duration(text)
        default: throw mismatch(json, type)
        }
        do { return try constant.value(as: type) } catch let error as CQLError {
            // Numbers of these types are read like texts.
            if case .number = json, type != .tinyint, type != .smallint { throw mismatch(json, type) }
            throw error
        }
    }

    /// [CA] db/marshal/BooleanType.java, `fromString`.
    private static func boolean(_ text: String) throws -> Bool {
        switch text.lowercased() {
        case "true": return true
        case "false", "": return false
        default: throw CQLError.invalid("Unable to make boolean from '\(text)'")
        }
    }

    /// A number of any size, from the text of whatever it is ([CA] db/marshal/IntegerType.java and DecimalType.java,
    /// `fromJSONObject`).
    private static func exact(_ json: JSONValue, _ type: CQLType) throws -> CQLValue {
        let text = json.plainText
        let value = type == .varint ? CQLInteger(text).map(CQLValue.varint) : CQLDecimal(text).map(CQLValue.decimal)
        guard let value else {
            throw CQLError.invalid("Value '\(text)' is not a valid representation of a \(type) value")
        }
        return value
    }

    private static func mismatch(_ json: JSONValue, _ type: CQLType) -> CQLError {
        .invalid("Expected \(type.jsonKind), but got a \(json.javaClass): \(json.plainText)")
    }
}

extension JSONValue {
    /// What Cassandra's messages call the kind of a value: the class that it has in Java.
    fileprivate var javaClass: String {
        switch self {
        case .null: "null"
        case .boolean: "Boolean"
        case .string: "String"
        case .array: "ArrayList"
        case .object: "LinkedHashMap"
        case .number(let digits):
            Int32(digits) != nil
                ? "Integer" : Int64(digits) != nil ? "Long" : CQLInteger(digits) != nil ? "BigInteger" : "Double"
        }
    }

    /// As Java writes the value, of whatever class it is there.
    fileprivate var plainText: String {
        switch self {
        case .string(let text): text
        case .array(let elements): "[\(elements.map(\.plainText).joined(separator: ", "))]"
        case .object(let members):
            "{\(members.map { "\($0.name)=\($0.value.plainText)" }.joined(separator: ", "))}"
        default: description
        }
    }
}

extension CQLType {
    /// What Cassandra's messages call what they expect ([CA] db/marshal, the types' `fromJSONObject`).
    fileprivate var jsonKind: String {
        switch bare {
        case .ascii: "an ascii string"
        case .text: "a UTF-8 string"
        case .int: "an int value"
        case .smallint: "a short value"
        case .tinyint: "a byte value"
        case .date: "a string representation of a date value"
        case .time: "a string representation of a time value"
        case .timestamp: "a long or a datestring representation of a timestamp value"
        case .inet: "a string representation of an inet value"
        case .uuid: "a string representation of a uuid"
        case .timeuuid: "a string representation of a timeuuid"
        case .list, .vector: "a list"
        case .set: "a list (representing a set)"
        case .map, .userType: "a map"
        case .tuple: "a list representation of a tuple"
        default: "a \(self) value"
        }
    }
}
