// ConditionEvaluator.swift — whether an item meets a condition.

internal import StorageTypes

extension BoundCondition {
    /// Whether the item, or its absence, meets the condition. An absent item has no attributes.
    func isMet(by item: Item?) -> Bool {
        ConditionEvaluator(item: item ?? Item(), binding: binding).evaluate(expression.root)
    }
}

/// Judges one item.
///
/// A comparison with an attribute that is absent, or between types that have no common order, is false; `<>` is the
/// opposite of `=`, so it is then true.
private struct ConditionEvaluator {
    let item: Item
    let binding: Binding

    func evaluate(_ condition: Condition) -> Bool {
        switch condition {
        case .all(let parts): parts.allSatisfy(evaluate)
        case .any(let alternatives): alternatives.contains(where: evaluate)
        case .not(let inner): !evaluate(inner)
        case .comparison(let comparator, let left, let right): compare(comparator, value(left), value(right))
        case .between(let operand, let lower, let upper): isBetween(value(operand), value(lower), value(upper))
        case .membership(let operand, let candidates): isMember(value(operand), of: candidates)
        case .function(let function, let operands): call(function, operands)
        }
    }

    private func value(_ operand: Operand) -> AttributeValue? {
        switch operand {
        case .path(let slot): item.value(at: binding.paths[slot])
        case .value(let slot): binding.values[slot]
        case .size(let inner): value(inner)?.elementCount.map { .n($0) }
        case .invalid: nil
        }
    }

    private func compare(_ comparator: Comparator, _ left: AttributeValue?, _ right: AttributeValue?) -> Bool {
        guard let left, let right else { return comparator == .notEqual }
        switch comparator {
        case .equal: return left == right
        case .notEqual: return left != right
        case .less: return left.compare(right).map { $0 < 0 } ?? false
        case .lessOrEqual: return left.compare(right).map { $0 <= 0 } ?? false
        case .greater: return left.compare(right).map { $0 > 0 } ?? false
        case .greaterOrEqual: return left.compare(right).map { $0 >= 0 } ?? false
        }
    }

    private func isBetween(_ value: AttributeValue?, _ lower: AttributeValue?, _ upper: AttributeValue?) -> Bool {
        compare(.greaterOrEqual, value, lower) && compare(.lessOrEqual, value, upper)
    }

    private func isMember(_ value: AttributeValue?, of candidates: [Operand]) -> Bool {
        guard let value else { return false }
        return candidates.contains { self.value($0) == value }
    }

    private func call(_ function: ConditionFunction, _ operands: [Operand]) -> Bool {
        guard let first = operands.first else { return false }
        let subject = value(first)
        switch function {
        case .attributeExists: return subject != nil
        case .attributeNotExists: return subject == nil
        case .size: return false
        case .attributeType, .beginsWith, .contains:
            guard let subject, operands.count > 1, let argument = value(operands[1]) else { return false }
            return call(function, subject, argument)
        }
    }

    private func call(_ function: ConditionFunction, _ subject: AttributeValue, _ argument: AttributeValue) -> Bool {
        switch (function, subject, argument) {
        case (.attributeType, _, .s(let name)): subject.type.rawValue == name
        case (.beginsWith, .s(let text), .s(let prefix)): text.startsUTF8(with: prefix)
        case (.beginsWith, .b(let bytes), .b(let prefix)): bytes.starts(with: prefix)
        case (.contains, _, _): subject.contains(argument)
        default: false
        }
    }
}

extension AttributeValue {
    /// The function `contains`: a part of a string or binary, a member of a set or list.
    fileprivate func contains(_ part: AttributeValue) -> Bool {
        switch (self, part) {
        case (.s(let text), .s(let part)): text.containsUTF8(part)
        case (.b(let bytes), .b(let part)): bytes.containsRun(part)
        case (.ss(let members), .s(let member)): members.contains { $0.equalsUTF8(member) }
        case (.ns(let members), .n(let member)): members.contains(member)
        case (.bs(let members), .b(let member)): members.contains(member)
        case (.l(let elements), _): elements.contains(part)
        default: false
        }
    }
}
