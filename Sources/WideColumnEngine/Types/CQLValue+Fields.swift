// CQLValue+Fields.swift — the binary format of tuples, user-defined types and vectors.
//
//   tuple, user-defined type   ┌ length: int32 ┬ bytes ┐ …          a null has length -1; missing at the end: null
//   vector, elements of one length          elements, one after another
//   vector, others             ┌ length: vint ┬ bytes ┐ …

extension CQLValue {
    func serializeFields(as type: CQLType, into bytes: inout [UInt8]) throws {
        switch (type, self) {
        case (.tuple(let types), .tuple(let values)), (.tuple(let types), .list(let values)):
            guard values.count <= types.count else {
                throw CQLError.invalid("Expected \(types.count) elements in value for tuple, but got \(values.count)")
            }
            for (element, value) in zip(types, values) { try value.serializeField(as: element, into: &bytes) }
        case (.userType(let user), .userDefined(let fields)):
            for field in fields where user.index(of: field.name) == nil {
                throw CQLError.invalid("Unknown field '\(field.name)' in value of user defined type \(user.name)")
            }
            try serialize(fields, as: user, into: &bytes)
        case (.userType(let user), .map(let entries)):
            let fields = try entries.map { entry in
                guard case .text(let name) = entry.key, user.index(of: name) != nil else {
                    throw CQLError.invalid(
                        "Unknown field '\(entry.key)' in value of user defined type \(user.name)")
                }
                return Field(name, entry.value)
            }
            try serialize(fields, as: user, into: &bytes)
        case (.userType(let user), .tuple(let values)):
            guard values.count <= user.fields.count else { throw mismatch(type) }
            for (field, value) in zip(user.fields, values) { try value.serializeField(as: field.type, into: &bytes) }
        case (.vector(let element, let count), .vector(let values)),
            (.vector(let element, let count), .list(let values)):
            try Self.serialize(vector: values, of: element, count: count, into: &bytes)
        default: throw mismatch(type)
        }
    }

    private func serialize(_ fields: [Field], as user: UserType, into bytes: inout [UInt8]) throws {
        for field in user.fields {
            let value = fields.first { $0.name == field.name }?.value ?? .null
            try value.serializeField(as: field.type, into: &bytes)
        }
    }

    private func serializeField(as type: CQLType, into bytes: inout [UInt8]) throws {
        if self == .null || self == .unset {
            bytes.appendBigEndian(Int32(-1))
        } else {
            try serializeElement(as: type, into: &bytes)
        }
    }

    private static func serialize(
        vector values: [CQLValue], of element: CQLType, count: Int, into bytes: inout [UInt8]
    ) throws {
        guard values.count == count else {
            throw CQLError.invalid(
                "Invalid vector literal for value of type vector<\(element), \(count)>; "
                    + "expected \(count) elements, but given \(values.count)")
        }
        for value in values {
            guard value != .null, value != .unset, value != .empty else {
                throw CQLError.invalid("null is not supported inside vectors")
            }
            let member = try value.serialized(as: element)
            if element.vectorElementByteCount == nil { bytes.appendVInt(UInt64(member.count)) }
            bytes.append(contentsOf: member)
        }
    }
}
