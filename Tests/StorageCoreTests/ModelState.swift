// ModelState.swift — the simplest correct storage: a dictionary for each keyspace.

import StorageCore

/// A keyspace of the model: its name, how it is opened, and which incarnation of the name it is.
struct ModelKeyspace {
    enum Content { case plain, appended, expiring, timed }

    var name: String
    var content: Content
    var isVolatile = false
    var isDedicated = false
    var compression = CompressionOptions()

    var options: KeyspaceOptions {
        var options = KeyspaceOptions(isVolatile: isVolatile, isDedicated: isDedicated, compression: compression)
        switch content {
        case .plain: break
        case .appended: options.mergeOperator = ModelAppend()
        case .expiring: options.expiry = .engine
        case .timed:
            options.mergeOperator = ModelTimedSet()
            options.expiry = .operator
        }
        return options
    }

    static let all = [
        ModelKeyspace(name: "plain", content: .plain),
        ModelKeyspace(name: "neighbour", content: .plain),
        ModelKeyspace(name: "appended", content: .appended),
        ModelKeyspace(name: "big", content: .appended, isDedicated: true),
        ModelKeyspace(name: "expiring", content: .expiring),
        ModelKeyspace(name: "timed", content: .timed, isDedicated: true),
        ModelKeyspace(
            name: "uncompressed", content: .timed, compression: CompressionOptions(upper: .none, bottom: .none)),
        ModelKeyspace(name: "scratch", content: .expiring, isVolatile: true),
        ModelKeyspace(name: "scratch appended", content: .appended, isVolatile: true, isDedicated: true),
    ]
}

struct ModelValue: Equatable {
    var bytes: [UInt8]
    var expiry: StorageInstant?
}

/// One change of one keyspace.
enum ModelChange {
    case put([UInt8], [UInt8], StorageInstant?)
    case delete([UInt8])
    case deleteRange(KeyRange)
    case merge([UInt8], [UInt8], StorageInstant?)
}

/// What every keyspace holds, by the number of its incarnation.
struct ModelState {
    private var incarnations: [Int: [[UInt8]: ModelValue]] = [:]

    mutating func apply(_ change: ModelChange, to incarnation: Int, _ kind: ModelKeyspace.Content) throws {
        var content = incarnations.removeValue(forKey: incarnation) ?? [:]
        defer { incarnations[incarnation] = content }
        switch change {
        case .put(let key, let value, let expiry):
            content[key] = ModelValue(bytes: value, expiry: expiry)
        case .delete(let key):
            content[key] = nil
        case .deleteRange(let range):
            content = content.filter { !range.contains($0.key.rawSpan) }
        case .merge(let key, let operand, _):
            let older = content[key]?.bytes ?? []
            content[key] = ModelValue(
                bytes: kind == .timed ? try ModelTimedSet.merge(older: older, newer: operand) : older + operand)
        }
    }

    mutating func clear(_ incarnation: Int) { incarnations[incarnation] = nil }

    func value(_ key: [UInt8], in incarnation: Int, _ kind: ModelKeyspace.Content, at now: StorageInstant) throws
        -> [UInt8]?
    {
        guard let value = incarnations[incarnation]?[key] else { return nil }
        switch kind {
        case .plain, .appended: return value.bytes
        case .expiring: return value.expiry.map { $0 > now } ?? true ? value.bytes : nil
        case .timed: return try ModelTimedSet.live(value.bytes, at: now)
        }
    }

    /// What a reader at `now` finds in a range, in key order.
    func entries(
        of incarnation: Int, _ kind: ModelKeyspace.Content, in range: KeyRange, at now: StorageInstant
    ) throws -> [ModelEntry] {
        let keys = (incarnations[incarnation] ?? [:]).keys.filter { range.contains($0.rawSpan) }
            .sorted { $0.lexicographicallyPrecedes($1) }
        return try keys.compactMap { key in
            try value(key, in: incarnation, kind, at: now).map { ModelEntry(key: key, value: $0) }
        }
    }
}

struct ModelEntry: Equatable {
    var key: [UInt8]
    var value: [UInt8]
}

/// What a storage answered that the model does not.
struct ModelMismatch: Error, CustomStringConvertible {
    var description: String
}
