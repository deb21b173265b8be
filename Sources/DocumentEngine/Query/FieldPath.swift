// FieldPath.swift — a dotted path, split once.

/// A dotted path such as `items.0.price`.
struct FieldPath: Sendable, Hashable {
    struct Component: Sendable, Hashable {
        let name: String
        let bytes: [UInt8]
        /// The component as an array index, if it is written like one: digits without a leading zero.
        let arrayIndex: Int?

        init(_ name: String) {
            self.name = name
            bytes = Array(name.utf8)
            let isCanonical = !bytes.isEmpty && bytes.count <= 9 && (bytes.count == 1 || bytes[0] != UInt8(ascii: "0"))
            let isNumber = bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            arrayIndex = isCanonical && isNumber ? Int(name) : nil
        }
    }

    let components: [Component]

    init(_ text: String) {
        components = text.split(separator: ".", omittingEmptySubsequences: false).map { Component(String($0)) }
    }

    private init(components: [Component]) {
        self.components = components
    }

    /// The path of the value itself: no component.
    static let root = FieldPath(components: [])

    var isRoot: Bool { components.isEmpty }
    var text: String { components.map(\.name).joined(separator: ".") }

    /// Whether one of the paths lies at or below the other.
    func overlaps(_ other: FieldPath) -> Bool {
        zip(components, other.components).allSatisfy { $0.name == $1.name }
    }

    func isPrefix(of other: FieldPath) -> Bool {
        components.count <= other.components.count && overlaps(other)
    }
}

extension BSONView {
    /// Calls `body` with every value a query sees at the path, until it answers true; tells whether it did.
    ///
    /// Arrays on the way are traversed through their documents, and a numeric component is also an index. With
    /// `expandingLeaf` an array at the end gives its elements and then itself. `nil` stands for a missing field; an
    /// array without documents on the way gives nothing at all, so that `{"a.b": null}` does not match `{a: [1]}`.
    /// Source: the server's ElementPath and BSONElementIterator (db/matcher/path.cpp).
    func anyValue(
        at path: FieldPath, from index: Int = 0, expandingLeaf: Bool = true, _ body: (BSONView?) -> Bool
    ) -> Bool {
        guard index < path.components.count else { return body(self) }
        let name = path.components[index].bytes
        guard let value = field(name.rawSpan) else { return body(nil) }
        if index == path.components.count - 1 {
            return expandingLeaf && value.isArray ? value.anyElementOrSelf(body) : body(value)
        }
        switch value.type {
        case .document: return value.anyValue(at: path, from: index + 1, expandingLeaf: expandingLeaf, body)
        case .array: return value.anyValueOfElements(at: path, from: index + 1, expandingLeaf: expandingLeaf, body)
        default: return body(nil)
        }
    }

    private func anyElementOrSelf(_ body: (BSONView?) -> Bool) -> Bool {
        var elements = elements
        while let element = elements.next() {
            if body(element.value) { return true }
        }
        return body(self)
    }

    private func anyValueOfElements(
        at path: FieldPath, from index: Int, expandingLeaf: Bool, _ body: (BSONView?) -> Bool
    ) -> Bool {
        let component = path.components[index]
        let isLast = index == path.components.count - 1
        var position = 0
        var elements = elements
        while let element = elements.next() {
            let value = element.value
            if value.isDocument, value.anyValue(at: path, from: index, expandingLeaf: expandingLeaf, body) {
                return true
            }
            if component.arrayIndex == position {
                if isLast {
                    if body(value) { return true }
                } else if value.isDocument {
                    if value.anyValue(at: path, from: index + 1, expandingLeaf: expandingLeaf, body) { return true }
                } else if value.isArray {
                    let next = index + 1
                    if value.anyValueOfElements(at: path, from: next, expandingLeaf: expandingLeaf, body) {
                        return true
                    }
                }
            }
            position += 1
        }
        return false
    }
}
