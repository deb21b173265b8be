// ExpressionScope.swift — what an expression's text refers to, and what the text means once those are known.
//
// An expression is compiled once by its text. What changes from request to request — the names and values behind its
// placeholders — is looked up by slot: the compiled form refers to paths and values by their position here, and a
// `Binding` holds what the request gave for them.

/// The paths and values that an expression's text mentions, in order of appearance.
struct ExpressionScope: Sendable {
    enum PathElement: Hashable, Sendable {
        case name(String)
        /// Position in `names`.
        case placeholder(Int)
        case index(Int)
    }

    struct Path: Sendable {
        var elements: [PathElement]
        /// The path itself, where no placeholder stands in it.
        var resolved: DocumentPath?
    }

    /// A placeholder in order of its appearance.
    enum Reference: Sendable {
        case name(Int)
        case value(Int)
    }

    private(set) var names: [String] = []
    private(set) var values: [String] = []
    private(set) var paths: [Path] = []
    private(set) var references: [Reference] = []
    /// The first reserved word that stands as an attribute name.
    private(set) var reservedWord: String?

    mutating func slot(ofValue name: String) -> Int {
        if let known = values.firstIndex(of: name) { return known }
        values.append(name)
        references.append(.value(values.count - 1))
        return values.count - 1
    }

    mutating func slot(ofName name: String) -> Int {
        if let known = names.firstIndex(of: name) { return known }
        names.append(name)
        references.append(.name(names.count - 1))
        return names.count - 1
    }

    mutating func slot(ofPath elements: [PathElement]) -> Int {
        paths.append(Path(elements: elements, resolved: Self.resolve(elements, names: nil)))
        return paths.count - 1
    }

    mutating func checkReserved(_ name: String) {
        if reservedWord == nil, ReservedWords.contains(name) { reservedWord = name }
    }

    /// The path, or `nil` if it has placeholders and `names` is `nil`.
    fileprivate static func resolve(_ elements: [PathElement], names: [String]?) -> DocumentPath? {
        var resolved: [DocumentPath.Element] = []
        resolved.reserveCapacity(elements.count)
        for element in elements {
            switch element {
            case .name(let name): resolved.append(.name(name))
            case .index(let index): resolved.append(.index(index))
            case .placeholder(let slot):
                guard let names else { return nil }
                resolved.append(.name(names[slot]))
            }
        }
        return DocumentPath(elements: resolved)
    }
}

/// What a request gives for an expression's placeholders, by slot.
struct Binding: Sendable {
    var paths: [DocumentPath]
    var values: [AttributeValue]
}

extension ExpressionScope {
    /// The order in which undefined placeholders are complained about.
    enum BindingOrder {
        case appearance
        case namesFirst
    }

    /// Looks up every placeholder.
    ///
    /// - Throws: the service's complaint about the first placeholder that is not defined.
    func bind(
        names: [String: String], values: [String: AttributeValue], order: BindingOrder
    ) throws(ExpressionError) -> Binding {
        var resolvedNames: [String] = []
        var resolvedValues: [AttributeValue] = []
        var undefinedValue: ExpressionError?
        for reference in references {
            switch reference {
            case .name(let slot):
                guard let name = names[self.names[slot]] else { throw .undefinedName(self.names[slot]) }
                resolvedNames.append(name)
            case .value(let slot):
                if let value = values[self.values[slot]] {
                    resolvedValues.append(value)
                } else if order == .namesFirst {
                    undefinedValue = undefinedValue ?? .undefinedValue(self.values[slot])
                } else {
                    throw .undefinedValue(self.values[slot])
                }
            }
        }
        if let undefinedValue { throw undefinedValue }
        let paths = self.paths.compactMap { $0.resolved ?? Self.resolve($0.elements, names: resolvedNames) }
        return Binding(paths: paths, values: resolvedValues)
    }
}
