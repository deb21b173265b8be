// Binder+Types.swift — types that are wrong whatever the data: refused before the statement runs.

/// What is known of an expression's type from its text.
enum StaticType: Sendable {
    case boolean, number, string, list, map, node, relationship, path

    var name: String {
        switch self {
        case .boolean: "Boolean"
        case .number: "Integer"
        case .string: "String"
        case .list: "List<T>"
        case .map: "Map"
        case .node: "Node"
        case .relationship: "Relationship"
        case .path: "Path"
        }
    }
}

extension Binder {
    /// nil: null, or known at run time only.
    func staticType(_ expression: Expression) -> StaticType? {
        switch expression {
        case .literal(.boolean): .boolean
        case .literal(.integer), .literal(.float), .negate, .plus: .number
        case .literal(.string): .string
        case .list, .comprehension: .list
        case .map: .map
        case .not, .comparison, .isNull, .hasLabels, .exists: .boolean
        case .variable(let name, _): staticType(of: scope[name]?.kind)
        default: nil
        }
    }

    private func staticType(of kind: VariableKind?) -> StaticType? {
        switch kind {
        case .node?: .node
        case .relationship?: .relationship
        case .relationshipList?: .list
        case .path?: .path
        case .scalar?, .unknown?, nil: nil
        }
    }

    func kind(of expression: Expression) -> VariableKind {
        if case .variable(let name, _) = expression, let binding = scope[name] { return binding.kind }
        switch staticType(expression) {
        case .boolean?, .number?, .string?, .map?: return .scalar
        case .list?:
            if case .list(let elements) = expression {
                guard !elements.isEmpty else { return .scalar }
                let areRelationships = elements.allSatisfy { kind(of: $0) == .relationship }
                return areRelationships ? .relationshipList : .scalar
            }
            return .unknown
        default: return .unknown
        }
    }

    func requireBoolean(_ expression: Expression) throws {
        switch staticType(expression) {
        case nil, .boolean?: return
        // A list in a predicate asks whether it has elements.
        case let type?: throw mismatch(expected: "Boolean", type)
        }
    }

    func requireList(_ expression: Expression) throws {
        switch staticType(expression) {
        case nil, .list?: return
        case let type?: throw mismatch(expected: "List<T>", type)
        }
    }

    func requireMapLike(_ expression: Expression) throws {
        switch staticType(expression) {
        case nil, .map?, .node?, .relationship?: return
        case let type?: throw mismatch(expected: "Map, Node or Relationship", type)
        }
    }

    func requireArgumentKind(of call: FunctionCall) throws {
        guard let argument = call.arguments.first, let type = staticType(argument) else { return }
        let (isRight, expected): (Bool, String) =
            switch call.name {
            case "labels": (type == .node, "Node")
            case "type", "startnode", "endnode": (type == .relationship, "Relationship")
            case "length", "nodes", "relationships": (type == .path, "Path")
            case "size": (type == .list || type == .string, "String or List<T>")
            case "properties", "keys":
                (type == .map || type == .node || type == .relationship, "Map, Node or Relationship")
            default: (true, "")
            }
        guard !isRight else { return }
        throw mismatch(expected: expected, type, at: call.position)
    }

    private func mismatch(expected: String, _ type: StaticType, at position: SourcePosition? = nil) -> CypherError {
        let message = "Type mismatch: expected \(expected) but was \(type.name)"
        if let position { return .syntax("InvalidArgumentType", message, at: position) }
        return CypherError(.syntax, "InvalidArgumentType", message)
    }
}
