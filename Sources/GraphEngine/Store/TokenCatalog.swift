// TokenCatalog.swift — the names of labels, relationship types and property keys, as small numbers.
//
//     graph/catalog   01 │ kind │ name (UTF-8)   → token u32       kind: 0 label, 1 relationship type, 2 property key
//                     02 │ kind │ token u32      → name (UTF-8)
//                     03 │ counter               → next u64        counter: kinds as above, 3 node, 4 relationship,
//                                                                  5 constraint
//                     04 │ constraint u32        → label u32 │ property key u32 │ name (UTF-8)
//
// Tokens are dense and never given twice. Invariant: what memory holds is committed; a token made by an open
// transaction is found through that transaction's view only, and enters memory when it commits.

internal import Synchronization

/// Raw values are on disk: do not renumber.
enum TokenKind: UInt8, Sendable, CaseIterable {
    case label = 0
    case relationshipType = 1
    case propertyKey = 2
}

/// Raw values are on disk: do not renumber.
enum GraphCounter: UInt8, Sendable {
    case label = 0
    case relationshipType = 1
    case propertyKey = 2
    case node = 3
    case relationship = 4
    case constraint = 5

    init(_ kind: TokenKind) {
        switch kind {
        case .label: self = .label
        case .relationshipType: self = .relationshipType
        case .propertyKey: self = .propertyKey
        }
    }
}

final class TokenCatalog: Sendable {
    private struct Names: Sendable {
        var tokens: [String: UInt32] = [:]
        var names: [UInt32: String] = [:]
    }

    let keyspace: Keyspace
    private let known: Mutex<[Names]>

    init(keyspace: Keyspace, view: ReadView) throws {
        self.keyspace = keyspace
        known = Mutex(try TokenKind.allCases.map { try Self.load($0, keyspace, view) })
    }

    private static func load(_ kind: TokenKind, _ keyspace: Keyspace, _ view: ReadView) throws -> Names {
        var names = Names()
        var cursor = try view.cursor(keyspace, .prefix([2, kind.rawValue]))
        try cursor.seekToFirst()
        while cursor.isValid {
            let token = try GraphKeys.nodeID(of: cursor.key, at: 2).rawValue
            let name = try text(cursor.value)
            names.tokens[name] = token
            names.names[token] = name
            try cursor.next()
        }
        return names
    }

    static func text(_ bytes: RawSpan) throws -> String {
        guard let text = String(validUTF8: bytes) else {
            throw StorageError.corruption("A name in graph/catalog is not valid UTF-8")
        }
        return text
    }

    // MARK: - Reading

    /// The token of a name, nil if the graph never used it.
    func token(_ kind: TokenKind, _ name: String, in view: ReadView) throws -> UInt32? {
        if let token = known.withLock({ $0[Int(kind.rawValue)].tokens[name] }) { return token }
        return try view.get(keyspace, Self.nameKey(kind, name).rawSpan).map { bytes in
            try GraphKeys.nodeID(of: bytes.rawSpan).rawValue
        }
    }

    func name(_ kind: TokenKind, _ token: UInt32, in view: ReadView) throws -> String {
        if let name = known.withLock({ $0[Int(kind.rawValue)].names[token] }) { return name }
        guard let bytes = try view.get(keyspace, Self.tokenKey(kind, token).rawSpan) else {
            throw StorageError.corruption("graph/catalog lacks the name of token \(token) of kind \(kind)")
        }
        return try Self.text(bytes.rawSpan)
    }

    // MARK: - Writing

    /// The token of a name, given now if the name is new.
    func makeToken(_ kind: TokenKind, _ name: String, in transaction: WriteTransaction) throws -> UInt32 {
        if let token = try token(kind, name, in: transaction.view) { return token }
        guard let token = UInt32(exactly: try next(GraphCounter(kind), in: transaction)) else {
            throw StorageError.invalidArgument("The graph has used all tokens of kind \(kind).")
        }
        try transaction.put(keyspace, Self.nameKey(kind, name).rawSpan, GraphKeys.bytes(of: token).rawSpan)
        try transaction.put(keyspace, Self.tokenKey(kind, token).rawSpan, Array(name.utf8).rawSpan)
        transaction.onCommit { [self] _ in remember(kind, name, token) }
        return token
    }

    private func remember(_ kind: TokenKind, _ name: String, _ token: UInt32) {
        known.withLock { known in
            known[Int(kind.rawValue)].tokens[name] = token
            known[Int(kind.rawValue)].names[token] = name
        }
    }

    /// The next number of a counter. A transaction that fails gives its numbers back: nobody has seen them.
    func next(_ counter: GraphCounter, in transaction: WriteTransaction) throws -> UInt64 {
        let number = try value(of: counter, in: transaction.view)
        try transaction.put(
            keyspace, [3, counter.rawValue].rawSpan, GraphKeys.bytes(of: number + 1).rawSpan)
        return number
    }

    func value(of counter: GraphCounter, in view: ReadView) throws -> UInt64 {
        guard let bytes = try view.get(keyspace, [3, counter.rawValue].rawSpan) else { return 0 }
        let number = try GraphKeys.relationshipID(of: bytes.rawSpan).rawValue
        guard number < .max else { throw StorageError.corruption("A counter in graph/catalog is at its end") }
        return number
    }

    private static func nameKey(_ kind: TokenKind, _ name: String) -> [UInt8] { [1, kind.rawValue] + Array(name.utf8) }

    private static func tokenKey(_ kind: TokenKind, _ token: UInt32) -> [UInt8] {
        [2, kind.rawValue] + GraphKeys.bytes(of: token)
    }
}
