// CrashModel.swift — the simplest correct storage: a list of dictionaries, one for each commit.
//
// A keyspace that is dropped and created again is another incarnation of its name: nothing of the first may be seen in
// the second. `CrashState` is keyed by incarnation, so that a state holds whatever the names mean at the moment.

import StorageCore

/// One change inside a commit.
enum CrashChange {
    case put(String, [UInt8], [UInt8], lifetime: Duration?)
    case delete(String, [UInt8])
    case deleteRange(String, KeyRange)
    case merge(String, [UInt8], [UInt8])
    /// Merges elements into a `ModelTimedSet`.
    case timed(String, [UInt8], [UInt8: Duration])

    var keyspace: String {
        switch self {
        case .put(let name, _, _, _), .delete(let name, _), .deleteRange(let name, _), .merge(let name, _, _),
            .timed(let name, _, _):
            name
        }
    }
}

/// Appends operands to one another: associative, and a lost, doubled or misplaced operand shows.
struct CrashAppend: MergeOperator {
    var name: String { "test.append" }

    func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) {
        result += older.array()
        result += newer.array()
    }
}

struct CrashValue: Equatable {
    var bytes: [UInt8]
    var expiry: StorageInstant?
}

/// What every keyspace holds after one commit.
struct CrashState {
    private var incarnations: [String: [[UInt8]: CrashValue]] = [:]

    mutating func apply(_ change: CrashChange, incarnation: String, now: StorageInstant) {
        var content = incarnations.removeValue(forKey: incarnation) ?? [:]
        switch change {
        case .put(_, let key, let value, let lifetime):
            content[key] = CrashValue(bytes: value, expiry: lifetime.map { now.advanced(by: $0) })
        case .delete(_, let key):
            content[key] = nil
        case .deleteRange(_, let range):
            content = content.filter { !range.contains($0.key) }
        case .merge(_, let key, let operand):
            content[key, default: CrashValue(bytes: [])].bytes += operand
        case .timed(_, let key, let elements):
            let older = content[key]?.bytes ?? []
            let newer = ModelTimedSet.encode(elements, from: now)
            content[key] = CrashValue(bytes: (try? ModelTimedSet.merge(older: older, newer: newer)) ?? newer)
        }
        incarnations[incarnation] = content
    }

    /// What a reader at `readTime` finds.
    func visible(_ incarnation: String, at readTime: StorageInstant) -> [[UInt8]: [UInt8]] {
        let content = incarnations[incarnation] ?? [:]
        if incarnation.hasPrefix("series ") {
            return content.compactMapValues { try? ModelTimedSet.live($0.bytes, at: readTime) }
        }
        return content.filter { $0.value.expiry.map { $0 > readTime } ?? true }.mapValues(\.bytes)
    }
}

extension KeyRange {
    fileprivate func contains(_ key: [UInt8]) -> Bool {
        if let lower, key.lexicographicallyPrecedes(lower) { return false }
        return upper.map { key.lexicographicallyPrecedes($0) } ?? true
    }
}

/// A promise that was not kept.
struct CrashViolation: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Every entry that a view shows of a keyspace, read by a cursor, checked against look-ups and against a cursor that
/// walks backwards.
func crashContent(_ view: ReadView, _ keyspace: Keyspace) throws -> [[UInt8]: [UInt8]] {
    var content: [[UInt8]: [UInt8]] = [:]
    var forward: [[UInt8]] = []
    var cursor = try view.cursor(keyspace)
    try cursor.seekToFirst()
    while cursor.isValid {
        forward.append(cursor.key.array())
        content[cursor.key.array()] = cursor.value.array()
        try cursor.next()
    }
    guard zip(forward, forward.dropFirst()).allSatisfy({ $0.lexicographicallyPrecedes($1) }) else {
        throw CrashViolation("keyspace \(keyspace.name): the cursor is out of order")
    }
    for (key, value) in content {
        let found = try view.get(keyspace, key.rawSpan)
        guard found == value else {
            throw CrashViolation("keyspace \(keyspace.name): get and cursor differ at \(key): \(found ?? []) \(value)")
        }
    }
    try cursor.seekToLast()
    while cursor.isValid {
        guard forward.popLast() == cursor.key.array(), content[cursor.key.array()] == cursor.value.array() else {
            throw CrashViolation("keyspace \(keyspace.name): forwards and backwards differ at \(cursor.key.array())")
        }
        try cursor.previous()
    }
    guard forward.isEmpty else { throw CrashViolation("keyspace \(keyspace.name): backwards misses \(forward)") }
    // Of a set with expiries, what lives is what counts: how much of the rest is still there is up to compaction.
    guard keyspace.options.mergeOperator is ModelTimedSet else { return content }
    return try content.compactMapValues { try ModelTimedSet.live($0, at: view.readTime) }
}

extension ModelTimedSet {
    /// Elements that live for a while from now on.
    static func encode(_ elements: [UInt8: Duration], from now: StorageInstant) -> [UInt8] {
        encode(elements.mapValues { now.advanced(by: $0).microseconds })
    }
}
