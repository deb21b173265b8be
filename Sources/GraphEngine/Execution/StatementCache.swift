// StatementCache.swift — parsed and compiled statements by their text.

internal import Synchronization

/// Keeps the statements used last. A text is parsed once, and planned again when the constraints have changed.
final class StatementCache: Sendable {
    enum Prepared: Sendable {
        case query(CompiledStatement)
        case schema(Statement)
    }

    private struct Entry: Sendable {
        var prepared: Prepared
        var lastUse: UInt64
    }

    private struct State: Sendable {
        var entries: [String: Entry] = [:]
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int = 512) {
        self.capacity = capacity
    }

    func prepare(_ text: String, schema: SchemaView) throws -> Prepared {
        if let prepared = cached(text, version: schema.version) { return prepared }
        let prepared = try Self.compile(text, schema)
        state.withLock { state in
            if state.entries.count >= capacity, state.entries[text] == nil { Self.evict(from: &state) }
            state.clock += 1
            state.entries[text] = Entry(prepared: prepared, lastUse: state.clock)
        }
        return prepared
    }

    private func cached(_ text: String, version: UInt64) -> Prepared? {
        state.withLock { state in
            guard let prepared = state.entries[text]?.prepared else { return nil }
            if case .query(let statement) = prepared, statement.schemaVersion != version { return nil }
            state.clock += 1
            state.entries[text]?.lastUse = state.clock
            return prepared
        }
    }

    private static func compile(_ text: String, _ schema: SchemaView) throws -> Prepared {
        switch try Parser.parse(text) {
        case .query(let query): .query(try QueryCompiler.compile(query, schema: schema))
        case let statement: .schema(statement)
        }
    }

    /// Drops the older half: rare enough to be cheap on average.
    private static func evict(from state: inout State) {
        let uses = state.entries.values.map(\.lastUse).sorted()
        let threshold = uses[uses.count / 2]
        state.entries = state.entries.filter { $0.value.lastUse > threshold }
    }
}
