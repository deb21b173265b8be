// CQLType+Compatibility.swift — the types of columns that were dropped, and which types may come after them under the same
// name ([CA] db/marshal: AbstractType, `isCompatibleWith` and `isValueCompatibleWith`, and the types that override them).

extension CQLType {
    /// The type with tuples in the place of user-defined types, which may be changed or dropped. Frozen only where that says
    /// something: the type is written as it is read again, however often.
    var withoutUserTypes: CQLType {
        switch self {
        case .userType(let type): return .tuple(type.fields.map(\.type.withoutUserTypes))
        case .frozen(let type):
            let inner = type.withoutUserTypes
            return inner.isMultiCell ? .frozen(inner) : inner
        case .list(let element): return .list(element.withoutUserTypes)
        case .set(let element): return .set(element.withoutUserTypes)
        case .map(let key, let value): return .map(key.withoutUserTypes, value.withoutUserTypes)
        case .tuple(let elements): return .tuple(elements.map(\.withoutUserTypes))
        case .vector(let element, let count): return .vector(element.withoutUserTypes, count)
        default: return self
        }
    }

    /// Whether a column of this type may have the values, in their binary format, that one of an earlier type had; both are
    /// ``withoutUserTypes``.
    func isSerializationCompatible(with previous: CQLType) -> Bool {
        isValueCompatible(with: previous) && vectorElementByteCount == previous.vectorElementByteCount
            && isMultiCell == previous.isMultiCell
    }

    /// Whether a function's result, or a value that was cast, may be assigned to a column of this type ([CA]
    /// cql3/AssignmentTestable.java): its bytes are taken as they are.
    func takes(_ result: CQLType) -> Bool {
        if form == result.form { return true }
        switch (self, result) {
        case (.counter, .bigint): return true
        // Not all of these are days.
        case (.date, .varint): return false
        default: return withoutUserTypes.form.isValueCompatible(with: result.withoutUserTypes.form)
        }
    }

    /// Whether every value of the other type is a value of this one.
    private func isValueCompatible(with previous: CQLType) -> Bool {
        if self == previous { return true }
        switch (self, previous) {
        case (.blob, _): return true
        case (.text, .ascii), (.uuid, .timeuuid), (.bigint, .timestamp), (.timestamp, .bigint), (.time, .bigint),
            (.varint, .int), (.varint, .bigint), (.varint, .timestamp), (.date, .varint):
            return true
        case (.frozen(.list(let element)), .frozen(.list(let before))): return element.isValueCompatible(with: before)
        case (.frozen(.set(let element)), .frozen(.set(let before))): return element.isOrderCompatible(with: before)
        case (.list(let element), .list(let before)): return element.isValueCompatible(with: before)
        case (.set(let element), .set(let before)): return element.isOrderCompatible(with: before)
        case (.frozen(.map(let key, let value)), .frozen(.map(let keyBefore, let valueBefore))),
            (.map(let key, let value), .map(let keyBefore, let valueBefore)):
            return key.isOrderCompatible(with: keyBefore) && value.isValueCompatible(with: valueBefore)
        case (.tuple(let elements), .tuple(let before)):
            return elements.count >= before.count && zip(elements, before).allSatisfy { $0.isValueCompatible(with: $1) }
        default: return false
        }
    }

    /// Whether values of the other type are values of this one, and in the same order.
    private func isOrderCompatible(with previous: CQLType) -> Bool {
        if self == previous { return true }
        switch (self, previous) {
        case (.text, .ascii), (.blob, .ascii), (.blob, .text): return true
        case (.frozen(.list(let element)), .frozen(.list(let before))),
            (.frozen(.set(let element)), .frozen(.set(let before))):
            return element.isOrderCompatible(with: before)
        case (.frozen(.map(let key, let value)), .frozen(.map(let keyBefore, let valueBefore))):
            return key.isOrderCompatible(with: keyBefore) && value.isOrderCompatible(with: valueBefore)
        case (.tuple(let elements), .tuple(let before)):
            return elements.count >= before.count && zip(elements, before).allSatisfy { $0.isOrderCompatible(with: $1) }
        default: return false
        }
    }
}
