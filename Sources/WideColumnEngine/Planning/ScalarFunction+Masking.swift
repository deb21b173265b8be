// ScalarFunction+Masking.swift — functions that hide values ([CA] cql3/functions/masking, doc
// developing/cql/dynamic-data-masking.adoc).

internal import Crypto

extension ScalarFunction {
    /// The masking function of this name.
    ///
    /// - Returns: nil where the name is another one or the type of the value is not known.
    static func masking(_ name: String, _ arguments: [CQLType?]) throws -> ScalarFunction? {
        guard let counts = maskingArgumentCounts[name], let type = arguments.first ?? nil else { return nil }
        guard counts.contains(arguments.count) else {
            throw CQLError.invalid("Invalid number of arguments for function system.\(name)")
        }
        switch name {
        case "mask_null": return ScalarFunction(name, [type], type, acceptsNull: true) { _, _ in .null }
        case "mask_default":
            let masked = type.maskedValue
            return ScalarFunction(name, [type], type, acceptsNull: true) { _, _ in masked }
        case "mask_replace":
            return ScalarFunction(name, [type, type], type, acceptsNull: true) { values, _ in values[1] }
        case "mask_hash":
            return ScalarFunction(name, [type] + arguments.dropFirst().map { _ in .text }, .blob, acceptsNull: true) {
                values, _ in try hash(values, type)
            }
        default: return try partialMasking(name, type, arguments.count)
        }
    }

    static let maskingArgumentCounts: [String: ClosedRange<Int>] = [
        "mask_null": 1...1, "mask_default": 1...1, "mask_replace": 2...2, "mask_hash": 1...2, "mask_inner": 3...4,
        "mask_outer": 3...4,
    ]

    // MARK: Parts of texts

    private static func partialMasking(_ name: String, _ type: CQLType, _ count: Int) throws -> ScalarFunction {
        guard type == .text || type == .ascii else {
            throw CQLError.invalid(
                "Function system.\(name) requires an argument of type [text|varchar|ascii], but found an argument of "
                    + "type \(type)")
        }
        let types: [CQLType] = [type, .int, .int] + (count == 4 ? [.text] : [])
        return ScalarFunction(name, types, type, acceptsNull: true) { values, _ in
            guard case .text(let text) = values[0] else { return .null }
            let padding = try padding(values.count == 4 ? values[3] : .null, name)
            return .text(
                masked(
                    text, head: Int(cqlValue: values[1]) ?? 0, tail: Int(cqlValue: values[2]) ?? 0, padding,
                    isInner: name == "mask_inner"))
        }
    }

    private static func padding(_ value: CQLValue, _ name: String) throws -> Unicode.Scalar {
        guard case .text(let text) = value else { return "*" }
        guard text.unicodeScalars.count == 1, let padding = text.unicodeScalars.first else {
            throw CQLError.invalid(
                "The padding argument for function system.\(name) should be single-character, but '\(text)' has "
                    + "\(text.unicodeScalars.count) characters.")
        }
        return padding
    }

    /// Hides what is between the head and the tail, or these.
    private static func masked(
        _ text: String, head: Int, tail: Int, _ padding: Unicode.Scalar, isInner: Bool
    ) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            let isOutside = index < head || scalars.count - index <= tail
            result.append(isOutside == isInner ? scalar : padding)
        }
        return String(result)
    }

    // MARK: Hashes

    private static func hash(_ values: [CQLValue], _ type: CQLType) throws -> CQLValue {
        var algorithm = "SHA-256"
        if values.count == 2, case .text(let name) = values[1] { algorithm = name }
        // Java's names, whose case counts for nothing.
        let digest: ([UInt8]) -> [UInt8]
        switch algorithm.uppercased() {
        case "MD5": digest = { Array(Insecure.MD5.hash(data: $0)) }
        case "SHA", "SHA1", "SHA-1": digest = { Array(Insecure.SHA1.hash(data: $0)) }
        case "SHA-256": digest = { Array(SHA256.hash(data: $0)) }
        case "SHA-384": digest = { Array(SHA384.hash(data: $0)) }
        case "SHA-512": digest = { Array(SHA512.hash(data: $0)) }
        default: throw CQLError.invalid("Hash algorithm \(algorithm) was not found")
        }
        guard !values[0].isNull, values[0] != .unset else { return .null }
        return .blob(digest(try values[0].serialized(as: type)))
    }
}

extension CQLType {
    /// What `mask_default` shows of any value ([CA] db/marshal, the types' `getMaskedValue`).
    fileprivate var maskedValue: CQLValue {
        switch self {
        case .ascii, .text: .text("****")
        case .bigint, .counter: .bigint(0)
        case .blob: .blob([])
        case .boolean: .boolean(false)
        case .date: .date(0)
        case .decimal: .decimal(CQLDecimal(0))
        case .double: .double(0)
        case .duration: .duration(CQLDuration())
        case .float: .float(0)
        case .inet: .inet([0, 0, 0, 0])
        case .int: .int(0)
        case .smallint: .smallint(0)
        case .time: .time(0)
        case .timestamp: .timestamp(0)
        case .timeuuid: .uuid(CQLUUID(mostSignificantBits: 0x1000, leastSignificantBits: 1 << 63))
        case .tinyint: .tinyint(0)
        case .uuid: .uuid(CQLUUID(mostSignificantBits: 0, leastSignificantBits: 0))
        case .varint: .varint(.zero)
        case .list: .list([])
        case .set: .set([])
        case .map: .map([])
        case .tuple(let elements): .tuple(elements.map(\.maskedValue))
        case .userType(let type): .userDefined(type.fields.map { .init($0.name, $0.type.maskedValue) })
        case .vector(let element, let count): .vector(Array(repeating: element.maskedValue, count: count))
        case .frozen(let type): type.maskedValue
        }
    }
}
