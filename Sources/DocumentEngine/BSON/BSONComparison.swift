// BSONComparison.swift — the total order of BSON values, on their bytes.
//
// Source: the MongoDB manual, reference/bson-type-comparison-order. Types compare by canonical rank; within a rank:
// numbers exactly, strings and binaries by memcmp (binaries by length and subtype first), documents element by element
// (type, name, value), arrays element by element.

extension BSONView {
    /// Negative, zero or positive.
    func compare(_ other: BSONView) -> Int {
        let byType = order(type.canonicalRank, other.type.canonicalRank)
        return byType != 0 ? byType : compareWithinRank(other)
    }

    func isEqual(_ other: BSONView) -> Bool {
        compare(other) == 0
    }

    /// The order of two values of one canonical rank.
    func compareWithinRank(_ other: BSONView) -> Int {
        switch type {
        case .int32, .int64, .double, .decimal128: return compareNumber(other)
        case .string, .symbol, .javascript: return text.compare(other.text)
        case .document: return compareElements(other, withNames: true)
        case .array: return compareElements(other, withNames: false)
        case .binary: return compareBinary(other)
        case .objectID: return bytes.compare(other.bytes)
        case .bool: return order(bool ? 1 : 0, other.bool ? 1 : 0)
        case .date: return order(dateMilliseconds, other.dateMilliseconds)
        case .timestamp: return order(timestamp, other.timestamp)
        case .regex, .dbPointer, .javascriptWithScope: return bytes.compare(other.bytes)
        case .undefined, .null, .minKey, .maxKey: return 0
        }
    }

    private func compareNumber(_ other: BSONView) -> Int {
        if type == .int32, other.type == .int32 { return order(int32, other.int32) }
        guard let left = BSONNumber(self), let right = BSONNumber(other) else { return 0 }
        return left.compare(right)
    }

    private func compareBinary(_ other: BSONView) -> Int {
        let (left, right) = (binaryBytes, other.binaryBytes)
        if left.byteCount != right.byteCount { return order(left.byteCount, right.byteCount) }
        if binarySubtype != other.binarySubtype { return order(binarySubtype, other.binarySubtype) }
        return left.compare(right)
    }

    private func compareElements(_ other: BSONView, withNames: Bool) -> Int {
        if bytes.equals(other.bytes) { return 0 }
        var left = elements
        var right = other.elements
        while true {
            guard let leftElement = left.next() else { return right.next() == nil ? 0 : -1 }
            guard let rightElement = right.next() else { return 1 }
            let byType = order(leftElement.value.type.canonicalRank, rightElement.value.type.canonicalRank)
            if byType != 0 { return byType }
            if withNames {
                let byName = leftElement.name.compare(rightElement.name)
                if byName != 0 { return byName }
            }
            let byValue = leftElement.value.compareWithinRank(rightElement.value)
            if byValue != 0 { return byValue }
        }
    }
}

extension BSONValue {
    /// Where the value stands to another in MongoDB's total order: negative before, zero equal, positive after.
    public func compare(_ other: BSONValue) -> Int {
        BSONOperand(self).view.compare(BSONOperand(other).view)
    }

    /// MongoDB's equality: `1`, `1.0` and `Decimal128("1.00")` are equal, `0` and `false` are not.
    public func isEqual(to other: BSONValue) -> Bool {
        compare(other) == 0
    }
}

extension BSONView {
    /// Equality that ignores the order of fields, at every level: what `enum` and `uniqueItems` of a schema ask.
    func isEqualInAnyFieldOrder(_ other: BSONView) -> Bool {
        guard isDocument || isArray else { return isEqual(other) }
        return type == other.type && canonicalFieldOrder.isEqual(to: other.canonicalFieldOrder)
    }

    /// A copy with the fields of every document sorted by name.
    var canonicalFieldOrder: BSONValue {
        switch type {
        case .document:
            var fields: [(name: String, value: BSONValue)] = []
            var elements = elements
            while let element = elements.next() {
                fields.append((String(utf8: element.name), element.value.canonicalFieldOrder))
            }
            return .document(Document(fields.sorted { $0.name < $1.name }.map { ($0.name, $0.value) }))
        case .array:
            var values: [BSONValue] = []
            var elements = elements
            while let element = elements.next() { values.append(element.value.canonicalFieldOrder) }
            return .array(values)
        default: return BSONValue(self)
        }
    }
}
