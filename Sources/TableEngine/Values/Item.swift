// Item.swift — an item, a key, or a map within an item: names with values.
//
// Invariant: attributes are in strictly ascending order of their names' UTF-8 bytes. So equal items have equal
// encodings, and lookups are binary searches in one array.

/// An item: attribute names with their values, each name once.
///
/// ```swift
/// let item: Item = ["productId": "prod_001", "stock": 12, "tags": .ss(["new", "sale"])]
/// item["stock"]?.int   // 12
/// ```
public struct Item: Sendable {
    public struct Attribute: Sendable, Hashable {
        public let name: String
        public var value: AttributeValue

        public init(name: String, value: AttributeValue) {
            self.name = name
            self.value = value
        }

        public static func == (left: Attribute, right: Attribute) -> Bool {
            left.name.equalsUTF8(right.name) && left.value == right.value
        }
    }

    private var attributes: [Attribute]

    public init() {
        attributes = []
    }

    /// The pairs in any order; of two with one name the later stays.
    public init(_ pairs: some Sequence<(String, AttributeValue)>) {
        attributes = []
        for (name, value) in pairs { self[name] = value }
    }

    /// The attributes must be in order and without duplicates.
    init(ordered attributes: [Attribute]) {
        assert(
            zip(attributes, attributes.dropFirst()).allSatisfy { $0.name.compareUTF8($1.name) < 0 },
            "Attributes are in strictly ascending order of their names.")
        self.attributes = attributes
    }

    /// The attribute's value; setting `nil` removes it.
    public subscript(name: String) -> AttributeValue? {
        get {
            let (index, isFound) = position(of: name)
            return isFound ? attributes[index].value : nil
        }
        set {
            let (index, isFound) = position(of: name)
            switch (newValue, isFound) {
            case (let value?, true): attributes[index].value = value
            case (let value?, false): attributes.insert(Attribute(name: name, value: value), at: index)
            case (nil, true): attributes.remove(at: index)
            case (nil, false): break
            }
        }
    }

    public func contains(_ name: String) -> Bool {
        position(of: name).isFound
    }

    public var names: [String] { attributes.map(\.name) }

    /// Changes a value where it lies, without copying what it holds. `nil` if there is no such attribute.
    mutating func modify<Result>(
        _ name: String, _ body: (inout AttributeValue) throws -> Result
    ) rethrows -> Result? {
        let (index, isFound) = position(of: name)
        guard isFound else { return nil }
        return try body(&attributes[index].value)
    }

    /// Only the named attributes, where present.
    func selecting(_ names: [String]) -> Item {
        var result = Item()
        for name in names { result[name] = self[name] }
        return result
    }

    private func position(of name: String) -> (index: Int, isFound: Bool) {
        var lower = 0
        var upper = attributes.count
        while lower < upper {
            let middle = (lower + upper) / 2
            let order = attributes[middle].name.compareUTF8(name)
            if order == 0 { return (middle, true) }
            if order < 0 { lower = middle + 1 } else { upper = middle }
        }
        return (lower, false)
    }
}

extension Item: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { attributes.count }
    public subscript(position: Int) -> Attribute { attributes[position] }
}

extension Item: Hashable {}

extension Item: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, AttributeValue)...) {
        self.init(elements)
    }
}
