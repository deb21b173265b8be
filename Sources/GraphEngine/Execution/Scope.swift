// Scope.swift — which variables are visible, and in which slot of the row each lives.

/// What is known about a variable before the statement runs.
enum VariableKind: Sendable {
    case node, relationship, relationshipList, path
    /// A value that is certainly none of the above.
    case scalar
    /// Known at run time only.
    case unknown
}

struct Binding: Sendable {
    var slot: Int
    var kind: VariableKind
}

struct Scope: Sendable {
    private(set) var bindings: [String: Binding] = [:]
    /// In the order of declaration: the columns of `RETURN *` are sorted by name, those of a union by place.
    private(set) var names: [String] = []

    subscript(name: String) -> Binding? { bindings[name] }

    mutating func declare(_ name: String, _ binding: Binding) {
        if bindings.updateValue(binding, forKey: name) == nil { names.append(name) }
    }

    var boundSlots: Set<Int> { Set(bindings.values.map(\.slot)) }
}

/// Gives out the slots of a statement's rows. Every variable of every scope has its own slot.
final class SlotAllocator {
    private(set) var count = 0

    func next() -> Int {
        defer { count += 1 }
        return count
    }
}
