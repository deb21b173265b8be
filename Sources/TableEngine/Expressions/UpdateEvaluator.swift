// UpdateEvaluator.swift — what an update makes of an item.
//
// Every right-hand side of SET reads the old item, so the order of actions is of no account; list positions are those
// of the old item too: SET writes first, then REMOVE takes positions away from the highest down.

extension BoundUpdate {
    /// The item after the update.
    ///
    /// - Throws: `ValidationException` if an operand is absent or has the wrong type, a path leads nowhere, or a number
    ///   leaves its range. The service reports these per item, so in a transaction they are a reason to cancel.
    func applied(to old: Item) throws -> Item {
        let evaluator = UpdateEvaluator(old: old, binding: binding)
        var assignments: [(path: DocumentPath, value: AttributeValue)] = []
        for set in expression.sets { assignments.append((binding.paths[set.path], try evaluator.value(set.value))) }
        for add in expression.adds {
            assignments.append((binding.paths[add.path], try evaluator.adding(binding.values[add.value], at: add.path)))
        }
        var removals = expression.removes.map { binding.paths[$0] }
        for delete in expression.deletes {
            let path = binding.paths[delete.path]
            guard let rest = try evaluator.removing(binding.values[delete.value], at: delete.path) else { continue }
            if let rest = rest.nonEmptySet { assignments.append((path, rest)) } else { removals.append(path) }
        }
        var item = old
        for (path, value) in assignments.inListOrder { try item.assign(value, at: path) }
        for path in removals.inListOrder.reversed() { try item.remove(at: path) }
        return item
    }
}

private struct UpdateEvaluator {
    let old: Item
    let binding: Binding

    func value(_ value: SetValue) throws -> AttributeValue {
        switch value {
        case .operand(let operand): try self.value(operand)
        case .sum(let left, let right): .n(try number(left).adding(number(right)))
        case .difference(let left, let right): .n(try number(left).subtracting(number(right)))
        }
    }

    private func value(_ operand: UpdateOperand) throws -> AttributeValue {
        switch operand {
        case .value(let slot): return binding.values[slot]
        case .path(let slot):
            guard let value = old.value(at: binding.paths[slot]) else { throw TableError.absentOperand }
            return value
        case .ifNotExists(let slot, let otherwise): return try old.value(at: binding.paths[slot]) ?? value(otherwise)
        case .listAppend(let left, let right):
            guard case .l(let head) = try value(left), case .l(let tail) = try value(right) else {
                throw TableError.operandType
            }
            return .l(head + tail)
        case .invalid: throw TableError.operandType
        }
    }

    private func number(_ operand: UpdateOperand) throws -> TableNumber {
        guard case .n(let number) = try value(operand) else { throw TableError.operandType }
        return number
    }

    /// ADD: a sum of numbers, a union of sets; an absent attribute counts as 0 or as the empty set.
    func adding(_ value: AttributeValue, at path: Int) throws -> AttributeValue {
        guard let current = old.value(at: binding.paths[path]) else { return value }
        switch (current, value) {
        case (.n(let left), .n(let right)): return .n(try left.adding(right))
        case (.ss(let left), .ss(let right)):
            return .ss(left + right.filter { added in !left.contains { $0.equalsUTF8(added) } })
        case (.ns(let left), .ns(let right)): return .ns(left + right.filter { !left.contains($0) })
        case (.bs(let left), .bs(let right)): return .bs(left + right.filter { !left.contains($0) })
        default: throw TableError.operandType
        }
    }

    /// DELETE: a difference of sets; `nil` if there is nothing to take away from.
    func removing(_ value: AttributeValue, at path: Int) throws -> AttributeValue? {
        guard let current = old.value(at: binding.paths[path]) else { return nil }
        switch (current, value) {
        case (.ss(let left), .ss(let right)):
            return .ss(left.filter { kept in !right.contains { $0.equalsUTF8(kept) } })
        case (.ns(let left), .ns(let right)): return .ns(left.filter { !right.contains($0) })
        case (.bs(let left), .bs(let right)): return .bs(left.filter { !right.contains($0) })
        default: throw TableError.operandType
        }
    }
}

extension AttributeValue {
    fileprivate var nonEmptySet: AttributeValue? {
        elementCount == 0 ? nil : self
    }
}

extension Array where Element == (path: DocumentPath, value: AttributeValue) {
    /// List positions ascending, so that those beyond the end are appended in their order.
    fileprivate var inListOrder: Self {
        count < 2 ? self : sorted { $0.path.precedes($1.path) }
    }
}

extension Array where Element == DocumentPath {
    fileprivate var inListOrder: Self {
        count < 2 ? self : sorted { $0.precedes($1) }
    }
}

extension DocumentPath {
    /// An order in which the positions of one list ascend.
    fileprivate func precedes(_ other: DocumentPath) -> Bool {
        for (left, right) in zip(elements, other.elements) where left != right {
            switch (left, right) {
            case (.index(let left), .index(let right)): return left < right
            case (.name(let left), .name(let right)): return left.compareUTF8(right) < 0
            case (.index, .name): return true
            case (.name, .index): return false
            }
        }
        return elements.count < other.elements.count
    }
}

extension TableError {
    static let invalidPath = TableError.validation(
        "The document path provided in the update expression is invalid for update")
    static let absentOperand = TableError.validation(
        "The provided expression refers to an attribute that does not exist in the item")
    static let operandType = TableError.validation("An operand in the update expression has an incorrect data type")
}
