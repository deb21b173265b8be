// ConstraintCatalog.swift — unique constraints: their definitions and their index.
//
// Invariant: for every constraint and every node with its label and a value of its property, graph/unique holds
// (constraint, value) → node, and nothing else.

internal import Synchronization

final class ConstraintCatalog: Sendable {
    struct Definition: Sendable, Hashable {
        var constraint: UniqueConstraint
        var label: UInt32
        var property: UInt32
    }

    private struct State: Sendable {
        var version: UInt64 = 1
        /// The commit that made this version.
        var sequence = SequenceNumber.zero
        var definitions: [Definition] = []
    }

    private let state: Mutex<State>

    /// Reads the definitions from the catalog.
    init(tokens: TokenCatalog, view: ReadView) throws {
        var loaded = State()
        var cursor = try view.cursor(tokens.keyspace, .prefix([4]))
        try cursor.seekToFirst()
        while cursor.isValid {
            let id = try GraphKeys.nodeID(of: cursor.key, at: 1).rawValue
            loaded.definitions.append(try Self.decode(id, cursor.value, tokens, view))
            try cursor.next()
        }
        state = Mutex(loaded)
    }

    private static func decode(
        _ id: UInt32, _ bytes: RawSpan, _ tokens: TokenCatalog, _ view: ReadView
    ) throws -> Definition {
        guard bytes.byteCount >= 8 else { throw StorageError.corruption("A constraint in graph/catalog is too short") }
        let label = try GraphKeys.nodeID(of: bytes.extracting(0..<4)).rawValue
        let property = try GraphKeys.nodeID(of: bytes.extracting(4..<8)).rawValue
        let constraint = UniqueConstraint(
            id: id, name: try TokenCatalog.text(bytes.extracting(8..<bytes.byteCount)),
            label: try tokens.name(.label, label, in: view),
            property: try tokens.name(.propertyKey, property, in: view))
        return Definition(constraint: constraint, label: label, property: property)
    }

    static func key(_ constraint: UInt32, _ value: GraphValue) -> [UInt8] {
        GraphKeys.bytes(of: constraint) + RecordWriter.canonicalKey(value)
    }

    // MARK: - Definitions

    var schema: SchemaView {
        state.withLock { SchemaView(version: $0.version, constraints: $0.definitions.map(\.constraint)) }
    }

    /// Whether a snapshot shows the index entries of every constraint that a statement may rely on by now, and a
    /// statement compiled under `version` relies on no other.
    func fits(_ version: UInt64, _ snapshot: Snapshot) -> Bool {
        state.withLock { $0.version == version && $0.sequence <= snapshot.sequence }
    }

    var definitions: [Definition] { state.withLock { $0.definitions } }

    /// Makes a constraint, checking the nodes that exist. Nil if an equal one exists and that is fine.
    func create(
        _ definition: ConstraintDefinition, ifNotExists: Bool, in writer: GraphWriter
    ) throws -> UniqueConstraint? {
        let transaction = writer.transaction
        let tokens = writer.store.tokens
        let name = definition.name ?? "constraint_\(definition.label)_\(definition.property)".lowercased()
        if let existing = conflict(name, definition) {
            if ifNotExists { return nil }
            throw Self.alreadyExists(existing, name: name, definition)
        }
        let label = try tokens.makeToken(.label, definition.label, in: transaction)
        let property = try tokens.makeToken(.propertyKey, definition.property, in: transaction)
        let id = UInt32(truncatingIfNeeded: try tokens.next(.constraint, in: transaction))
        let constraint = UniqueConstraint(id: id, name: name, label: definition.label, property: definition.property)
        let made = Definition(constraint: constraint, label: label, property: property)
        try index(made, in: writer)
        let bytes = GraphKeys.bytes(of: label) + GraphKeys.bytes(of: property) + Array(name.utf8)
        try transaction.put(tokens.keyspace, ([4] + GraphKeys.bytes(of: id)).rawSpan, bytes.rawSpan)
        transaction.onCommit { [self] sequence in
            state.withLock { state in
                state.version += 1
                state.sequence = sequence
                state.definitions.append(made)
            }
        }
        return constraint
    }

    private func conflict(_ name: String, _ definition: ConstraintDefinition) -> UniqueConstraint? {
        definitions.map(\.constraint).first { constraint in
            constraint.name == name
                || (constraint.label == definition.label && constraint.property == definition.property)
        }
    }

    private static func alreadyExists(
        _ existing: UniqueConstraint, name: String, _ definition: ConstraintDefinition
    ) -> CypherError {
        guard existing.label == definition.label, existing.property == definition.property else {
            return CypherError(
                .constraintNameTaken, "ConstraintNameTaken", "There already exists a constraint called '\(name)'.")
        }
        let text =
            "Constraint( id=\(existing.id), name='\(existing.name)', type='UNIQUENESS', "
            + "schema=\(existing.schemaText), ownedIndex=\(existing.id) )"
        if existing.name == name {
            return CypherError(
                .equivalentRule, "ConstraintExists", "An equivalent constraint already exists, '\(text)'.")
        }
        return CypherError(.constraintAlreadyExists, "ConstraintExists", "Constraint already exists: \(text)")
    }

    private func index(_ definition: Definition, in writer: GraphWriter) throws {
        let reader = writer.reader
        var entries: [(key: [UInt8], node: NodeID)] = []
        var owners: [[UInt8]: NodeID] = [:]
        try reader.forEachNode(label: definition.constraint.label) { node in
            guard let value = try reader.requireRecord(of: node).properties[definition.property] else { return true }
            let key = Self.key(definition.constraint.id, value)
            if let owner = owners.updateValue(node, forKey: key) {
                throw CypherError(
                    .constraintCreationFailed, "ConstraintCreationFailed",
                    "Unable to create Constraint( name='\(definition.constraint.name)', type='UNIQUENESS', "
                        + "schema=\(definition.constraint.schemaText) ):\nBoth Node(\(owner)) and Node(\(node)) have the "
                        + "label `\(definition.constraint.label)` and property `\(definition.constraint.property)` = \(value)"
                )
            }
            entries.append((key, node))
            return true
        }
        for entry in entries {
            try put(entry.key, entry.node, definition.constraint, in: writer)
        }
    }

    /// - Returns: Whether there was one.
    func drop(_ name: String, ifExists: Bool, in writer: GraphWriter) throws -> Bool {
        guard let definition = definitions.first(where: { $0.constraint.name == name }) else {
            if ifExists { return false }
            throw CypherError(
                .constraintDropFailed, "NoSuchConstraint",
                "Unable to drop constraint `\(name)`: No such constraint \(name).")
        }
        let id = GraphKeys.bytes(of: definition.constraint.id)
        try writer.transaction.delete(writer.store.tokens.keyspace, ([4] + id).rawSpan)
        try writer.transaction.deleteRange(writer.store.unique, .prefix(id))
        writer.transaction.onCommit { [self] sequence in
            state.withLock { state in
                state.version += 1
                state.sequence = sequence
                state.definitions.removeAll { $0.constraint.name == name }
            }
        }
        return true
    }

    // MARK: - The index

    private func keys(_ record: NodeRecord) -> [(definition: Definition, key: [UInt8], value: GraphValue)] {
        definitions.compactMap { definition in
            guard record.labels.contains(definition.label), let value = record.properties[definition.property] else {
                return nil
            }
            return (definition, Self.key(definition.constraint.id, value), value)
        }
    }

    func add(_ node: NodeID, _ record: NodeRecord, in writer: GraphWriter) throws {
        for (definition, key, value) in keys(record) {
            try claim(key, for: node, definition.constraint, value, in: writer)
        }
    }

    func remove(_ node: NodeID, _ record: NodeRecord, in writer: GraphWriter) throws {
        for (definition, key, _) in keys(record) {
            try release(key, of: node, definition.constraint, in: writer)
        }
    }

    func replace(_ node: NodeID, _ old: NodeRecord, by new: NodeRecord, in writer: GraphWriter) throws {
        let (before, after) = (keys(old), keys(new))
        guard !before.isEmpty || !after.isEmpty else { return }
        for (definition, key, _) in before where !after.contains(where: { $0.key == key }) {
            try release(key, of: node, definition.constraint, in: writer)
        }
        for (definition, key, value) in after where !before.contains(where: { $0.key == key }) {
            try claim(key, for: node, definition.constraint, value, in: writer)
        }
    }

    private func claim(
        _ key: [UInt8], for node: NodeID, _ constraint: UniqueConstraint, _ value: GraphValue, in writer: GraphWriter
    ) throws {
        if let bytes = try writer.transaction.get(writer.store.unique, key.rawSpan) {
            let owner = try GraphKeys.nodeID(of: bytes.rawSpan)
            throw CypherError(
                .constraintValidationFailed, "UniquePropertyConstraintViolation",
                "Node(\(owner)) already exists with label `\(constraint.label)` and property "
                    + "`\(constraint.property)` = \(value)")
        }
        try put(key, node, constraint, in: writer)
    }

    private func put(_ key: [UInt8], _ node: NodeID, _ constraint: UniqueConstraint, in writer: GraphWriter) throws {
        try writer.transaction.put(writer.store.unique, key.rawSpan, GraphKeys.node(node).rawSpan)
        writer.transaction.onCommit { [index = writer.store.index] sequence in
            index.setKey(constraint.id, of: node, true, at: sequence)
        }
    }

    private func release(
        _ key: [UInt8], of node: NodeID, _ constraint: UniqueConstraint, in writer: GraphWriter
    ) throws {
        try writer.transaction.delete(writer.store.unique, key.rawSpan)
        writer.transaction.onCommit { [index = writer.store.index] sequence in
            index.setKey(constraint.id, of: node, false, at: sequence)
        }
    }
}
