// ExtendedJSONWrapper.swift — the objects that stand for a BSON type: {"$oid": "…"} and its kin.

enum ExtendedJSONWrapper {
    /// The value that an object's fields stand for; `nil` if it is an ordinary document.
    static func value(of fields: [(String, BSONValue)], at offset: Int) throws(DocumentError) -> BSONValue? {
        guard let (name, content) = fields.first, name.utf8.first == UInt8(ascii: "$") else { return nil }
        if name == "$code" || name == "$scope" { return code(fields) }
        guard fields.count == 1, names.contains(name) else { return nil }
        guard let value = value(name, content) else {
            throw .failedToParse("Invalid value for \(name) in the object at offset \(offset)")
        }
        return value
    }

    private static let names: Set<String> = [
        "$oid", "$symbol", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$binary", "$timestamp",
        "$regularExpression", "$dbPointer", "$date", "$minKey", "$maxKey", "$undefined", "$uuid",
    ]

    private static func value(_ name: String, _ content: BSONValue) -> BSONValue? {
        switch name {
        case "$oid": content.stringValue.flatMap { ObjectID(hex: $0) }.map { .objectID($0) }
        case "$symbol": content.stringValue.map { .symbol($0) }
        case "$numberInt": content.stringValue.flatMap { Int32($0) }.map { .int32($0) }
        case "$numberLong": content.stringValue.flatMap { Int64($0) }.map { .int64($0) }
        case "$numberDouble": content.stringValue.flatMap { Double($0) }.map { .double($0) }
        case "$numberDecimal": content.stringValue.flatMap { Decimal128($0) }.map { .decimal128($0) }
        case "$binary": content.documentValue.flatMap { binary($0) }
        case "$uuid": content.stringValue.flatMap { uuid($0) }
        case "$timestamp": content.documentValue.flatMap { timestamp($0) }
        case "$regularExpression": content.documentValue.flatMap { regex($0) }
        case "$dbPointer": content.documentValue.flatMap { dbPointer($0) }
        case "$date": date(content)
        case "$minKey": content.intValue == 1 ? Optional.some(.minKey) : Optional.none
        case "$maxKey": content.intValue == 1 ? Optional.some(.maxKey) : Optional.none
        case "$undefined": content.boolValue == true ? Optional.some(.undefined) : Optional.none
        default: nil
        }
    }

    private static func code(_ fields: [(String, BSONValue)]) -> BSONValue? {
        guard let code = fields.first(where: { $0.0 == "$code" })?.1.stringValue else { return nil }
        if fields.count == 1 { return .javascript(code) }
        guard fields.count == 2, let scope = fields.first(where: { $0.0 == "$scope" })?.1.documentValue else {
            return nil
        }
        return .javascriptWithScope(code, scope)
    }

    private static func date(_ content: BSONValue) -> BSONValue? {
        switch content {
        case .string(let text): ISO8601.milliseconds(text).map { .date(BSONDate(milliseconds: $0)) }
        case .int64(let milliseconds): .date(BSONDate(milliseconds: milliseconds))
        case .int32(let milliseconds): .date(BSONDate(milliseconds: Int64(milliseconds)))
        default: nil
        }
    }

    private static func binary(_ content: Document) -> BSONValue? {
        guard content.count == 2, let bytes = content["base64"]?.stringValue.flatMap({ Base64.bytes($0) }),
            let digits = content["subType"]?.stringValue, (1...2).contains(digits.utf8.count),
            let subtype = UInt8(digits, radix: 16)
        else { return nil }
        return .binary(BSONBinary(bytes, subtype: subtype))
    }

    private static func uuid(_ text: String) -> BSONValue? {
        let digits = text.filter { $0 != "-" }
        guard let bytes = Hexadecimal.bytes(digits), bytes.count == 16 else { return nil }
        return .binary(BSONBinary(bytes, subtype: BSONBinary.uuid))
    }

    private static func timestamp(_ content: Document) -> BSONValue? {
        guard content.count == 2, let seconds = content["t"]?.intValue.flatMap({ UInt32(exactly: $0) }),
            let increment = content["i"]?.intValue.flatMap({ UInt32(exactly: $0) })
        else { return nil }
        return .timestamp(BSONTimestamp(seconds: seconds, increment: increment))
    }

    private static func regex(_ content: Document) -> BSONValue? {
        guard content.count == 2, let pattern = content["pattern"]?.stringValue,
            let options = content["options"]?.stringValue
        else { return nil }
        return .regex(BSONRegex(pattern, options: options))
    }

    private static func dbPointer(_ content: Document) -> BSONValue? {
        guard content.count == 2, let namespace = content["$ref"]?.stringValue,
            let id = content["$id"]?.objectIDValue
        else { return nil }
        return .dbPointer(namespace: namespace, id)
    }
}
