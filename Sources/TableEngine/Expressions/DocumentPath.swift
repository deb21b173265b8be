// DocumentPath.swift — where in an item a value lies: a name, then names and list positions.

/// A path into an item, its names resolved: `pictures.frontView[2]`.
struct DocumentPath: Hashable, Sendable, CustomStringConvertible {
    enum Element: Hashable, Sendable {
        case name(String)
        case index(Int)
    }

    /// The first is a name.
    let elements: [Element]

    /// Levels that the service follows.
    static let depthLimit = 32

    /// The top-level attribute that the path begins at.
    var root: String {
        guard case .name(let name)? = elements.first else { return "" }
        return name
    }

    /// The form of the service's messages: `[pictures, frontView, [2]]`.
    var description: String {
        let parts = elements.map { element in
            switch element {
            case .name(let name): name
            case .index(let index): "[\(index)]"
            }
        }
        return "[" + parts.joined(separator: ", ") + "]"
    }

    /// How two paths of one expression stand in each other's way.
    enum Collision {
        /// One is the other, or leads through it.
        case overlap
        /// They treat the same value as a map and as a list.
        case conflict
    }

    func collision(with other: DocumentPath) -> Collision? {
        for (left, right) in zip(elements, other.elements) where left != right {
            switch (left, right) {
            case (.name, .index), (.index, .name): return .conflict
            default: return nil
            }
        }
        return .overlap
    }

    /// - Throws: the service's complaint about the first two paths that overlap, or else conflict.
    static func checkDistinct(_ paths: [DocumentPath]) throws(ExpressionError) {
        guard paths.count > 1 else { return }
        for wanted in [Collision.overlap, .conflict] {
            for second in paths.indices {
                for first in 0..<second where paths[first].collision(with: paths[second]) == wanted {
                    throw .collision(wanted, paths[first], paths[second])
                }
            }
        }
    }
}

extension Item {
    /// The value at the path, if there is one.
    func value(at path: DocumentPath) -> AttributeValue? {
        guard var value = self[path.root] else { return nil }
        for element in path.elements.dropFirst() {
            switch (element, value) {
            case (.name(let name), .m(let map)):
                guard let next = map[name] else { return nil }
                value = next
            case (.index(let index), .l(let list)):
                guard index < list.count else { return nil }
                value = list[index]
            default: return nil
            }
        }
        return value
    }
}
