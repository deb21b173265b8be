// ProjectionExpression.swift — the parts of an item that a request asks for.

/// A compiled projection: a list of paths.
struct ProjectionExpression: Sendable {
    let paths: [Int]
    let scope: ExpressionScope

    /// `path { "," path }`
    static func compile(_ text: String) throws(ExpressionError) -> ProjectionExpression {
        var parser = try ExpressionParser(text)
        var paths: [Int] = []
        repeat { paths.append(try parser.path()) } while parser.take(.comma)
        try parser.expectEnd()
        if let word = parser.scope.reservedWord { throw .reservedWord(word) }
        return ProjectionExpression(paths: paths, scope: parser.scope)
    }

    /// - Throws: the service's complaint about undefined names and about paths that overlap or conflict.
    func bind(names: [String: String]) throws(ExpressionError) -> Projection {
        let binding = try scope.bind(names: names, values: [:], order: .namesFirst)
        let paths = self.paths.map { binding.paths[$0] }
        try DocumentPath.checkDistinct(paths)
        return Projection(paths)
    }
}

/// The parts of an item that lie on some paths.
///
/// Parts keep their place in maps; parts of a list come in ascending order of their positions, without gaps.
struct Projection: Sendable {
    private indirect enum Node: Sendable {
        case whole
        case parts([(element: DocumentPath.Element, node: Node)])

        mutating func insert(_ steps: ArraySlice<DocumentPath.Element>) {
            guard let step = steps.first, case .parts(var parts) = self else {
                self = .whole
                return
            }
            if let known = parts.firstIndex(where: { $0.element == step }) {
                parts[known].node.insert(steps.dropFirst())
            } else {
                var node = Node.parts([])
                node.insert(steps.dropFirst())
                parts.append((step, node))
            }
            self = .parts(parts)
        }
    }

    private var root = Node.parts([])
    /// The top-level attributes that the paths begin at.
    let roots: [String]

    /// The paths must not overlap.
    init(_ paths: [DocumentPath]) {
        roots = paths.map(\.root)
        for path in paths { root.insert(path.elements[...]) }
    }

    /// What of the item lies on the paths.
    func applied(to item: Item) -> Item {
        guard case .m(let result)? = Self.select(root, from: .m(item)) else { return Item() }
        return result
    }

    /// `nil` if nothing of the value is on the node's paths.
    private static func select(_ node: Node, from value: AttributeValue) -> AttributeValue? {
        guard case .parts(let parts) = node else { return value }
        switch value {
        case .m(let map):
            var result = Item()
            for case (.name(let name), let node) in parts {
                result[name] = map[name].flatMap { select(node, from: $0) }
            }
            return result.isEmpty ? nil : .m(result)
        case .l(let list):
            var found: [(index: Int, value: AttributeValue)] = []
            for case (.index(let index), let node) in parts where index < list.count {
                if let value = select(node, from: list[index]) { found.append((index, value)) }
            }
            return found.isEmpty ? nil : .l(found.sorted { $0.index < $1.index }.map(\.value))
        default: return nil
        }
    }
}
