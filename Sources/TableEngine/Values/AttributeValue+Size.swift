// AttributeValue+Size.swift — what values and items weigh by the service's rules.
//
// Source: Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats".

extension AttributeValue {
    /// Bytes the service charges: strings by UTF-8, numbers by their digits, BOOL and NULL 1, lists and maps 3 and 1
    /// for each element in addition to the elements.
    public var sizeInBytes: Int {
        switch self {
        case .s(let value): value.utf8.count
        case .n(let value): value.sizeInBytes
        case .b(let value): value.count
        case .bool, .null: 1
        case .l(let values): values.reduce(3) { $0 + 1 + $1.sizeInBytes }
        case .m(let item): item.reduce(3) { $0 + 1 + $1.name.utf8.count + $1.value.sizeInBytes }
        case .ss(let values): values.reduce(0) { $0 + $1.utf8.count }
        case .ns(let values): values.reduce(0) { $0 + $1.sizeInBytes }
        case .bs(let values): values.reduce(0) { $0 + $1.count }
        }
    }

    /// What the function `size` gives: characters' bytes, elements, or `nil` for types without a size.
    var elementCount: Int? {
        switch self {
        case .s(let value): value.utf8.count
        case .b(let value): value.count
        case .l(let values): values.count
        case .m(let item): item.count
        case .ss(let values): values.count
        case .ns(let values): values.count
        case .bs(let values): values.count
        case .n, .bool, .null: nil
        }
    }
}

extension Item {
    /// Bytes the service charges for the item: the sum of its names and values.
    public var sizeInBytes: Int {
        reduce(0) { $0 + $1.name.utf8.count + $1.value.sizeInBytes }
    }
}
