// AttributeValue+Order.swift — equality and order of values as the service defines them.

internal import StorageTypes

extension AttributeValue: Hashable {
    public static func == (left: AttributeValue, right: AttributeValue) -> Bool {
        switch (left, right) {
        case (.s(let left), .s(let right)): left.equalsUTF8(right)
        case (.n(let left), .n(let right)): left == right
        case (.b(let left), .b(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.null, .null): true
        case (.l(let left), .l(let right)): left == right
        case (.m(let left), .m(let right)): left == right
        case (.ss, .ss), (.ns, .ns), (.bs, .bs): left.setIsEqual(to: right)
        default: false
        }
    }

    /// Equal values hash alike: strings that are the same bytes are equal by Swift's rule too, and sets are hashed in
    /// ascending order.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        switch self {
        case .s(let value): hasher.combine(value)
        case .n(let value): hasher.combine(value)
        case .b(let value): hasher.combine(value)
        case .bool(let value): hasher.combine(value)
        case .null: break
        case .l(let value): hasher.combine(value)
        case .m(let value): hasher.combine(value)
        case .ss(let value): hasher.combine(value.sorted { $0.compareUTF8($1) < 0 })
        case .ns(let value): hasher.combine(value.sorted())
        case .bs(let value): hasher.combine(value.sorted { $0.rawSpan.compare($1.rawSpan) < 0 })
        }
    }

    private func setIsEqual(to other: AttributeValue) -> Bool {
        switch (withSortedElements, other.withSortedElements) {
        case (.ss(let left), .ss(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.equalsUTF8($1) }
        case (.ns(let left), .ns(let right)): left == right
        case (.bs(let left), .bs(let right)): left == right
        default: false
        }
    }

    /// Negative, zero or positive for two strings, two numbers or two binaries; `nil` for anything else: such values
    /// have no order, and a comparison of them is false.
    func compare(_ other: AttributeValue) -> Int? {
        switch (self, other) {
        case (.s(let left), .s(let right)): left.compareUTF8(right)
        case (.n(let left), .n(let right)): left.compare(right)
        case (.b(let left), .b(let right)): left.rawSpan.compare(right.rawSpan)
        default: nil
        }
    }

    /// A set with its elements in ascending order; any other value as it is, its elements untouched.
    var withSortedElements: AttributeValue {
        switch self {
        case .ss(let value): .ss(value.sorted { $0.compareUTF8($1) < 0 })
        case .ns(let value): .ns(value.sorted())
        case .bs(let value): .bs(value.sorted { $0.rawSpan.compare($1.rawSpan) < 0 })
        default: self
        }
    }
}
