// StatementCache.swift — the plans of the statements that a store was given lately.
//
// Texts are told apart by their bytes: `==` of two Strings would give a statement the plan of one whose literals are other
// characters that Unicode holds to be the same.
//
// Programs use few texts, and short ones. One that writes values into its texts must not fill the memory: long texts are
// not kept, and when the others are too many all go.

internal import Synchronization

/// Plans by text and keyspace, up to a number of texts and of their bytes.
final class StatementCache: Sendable {
    static let maximumTextByteCount = 8 << 10
    static let maximumByteCount = 2 << 20
    static let maximumCount = 1024

    private struct Key: Hashable {
        var cql: String
        /// An ASCII word: its bytes are the same where it is.
        var keyspace: String?

        static func == (left: Key, right: Key) -> Bool {
            left.keyspace == right.keyspace && left.cql.hasSameBytes(as: right.cql)
        }

        func hash(into hasher: inout Hasher) {
            cql.hashBytes(into: &hasher)
            hasher.combine(keyspace)
        }
    }

    private struct State {
        var texts: [Key: PlannedText] = [:]
        /// Of all texts.
        var byteCount = 0
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.texts.count } }
    var byteCount: Int { state.withLock { $0.byteCount } }

    func text(_ cql: String, keyspace: String?) -> PlannedText? {
        state.withLock { $0.texts[Key(cql: cql, keyspace: keyspace)] }
    }

    func keep(_ text: PlannedText) {
        let byteCount = text.cql.utf8.count
        guard byteCount <= Self.maximumTextByteCount else { return }
        state.withLock { state in
            if state.texts.count >= Self.maximumCount || state.byteCount + byteCount > Self.maximumByteCount {
                state = State()
            }
            // Two threads may have planned the same text.
            let known = state.texts.updateValue(text, forKey: Key(cql: text.cql, keyspace: text.keyspace))
            if known == nil { state.byteCount += byteCount }
        }
    }
}
