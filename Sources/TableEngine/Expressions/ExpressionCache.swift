// ExpressionCache.swift — compiled expressions by their text.

internal import Synchronization

/// Compiled expressions. Programs use few texts again and again; one that makes up texts without end gets them compiled
/// each time, in bounded memory.
final class ExpressionCache: Sendable {
    /// Texts of each kind that are kept; beyond it the kind starts anew.
    static let capacity = 1024

    private let conditions = Mutex<[String: ConditionExpression]>([:])
    private let updates = Mutex<[String: UpdateExpression]>([:])
    private let projections = Mutex<[String: ProjectionExpression]>([:])

    func condition(_ text: String) throws(ExpressionError) -> ConditionExpression {
        try Self.find(text, in: conditions, ConditionParser.compile)
    }

    func update(_ text: String) throws(ExpressionError) -> UpdateExpression {
        try Self.find(text, in: updates, UpdateParser.compile)
    }

    func projection(_ text: String) throws(ExpressionError) -> ProjectionExpression {
        try Self.find(text, in: projections, ProjectionExpression.compile)
    }

    private static func find<Compiled: Sendable>(
        _ text: String, in cache: borrowing Mutex<[String: Compiled]>,
        _ compile: (String) throws(ExpressionError) -> Compiled
    ) throws(ExpressionError) -> Compiled {
        if let known = cache.withLock({ $0[text] }) { return known }
        let compiled = try compile(text)
        cache.withLock { known in
            if known.count >= capacity { known.removeAll(keepingCapacity: true) }
            known[text] = compiled
        }
        return compiled
    }
}
