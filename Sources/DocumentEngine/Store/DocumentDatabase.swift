// DocumentDatabase.swift — a database: the collections that share the first part of their names.

/// A database of a ``DocumentStore``: a name in front of its collections' names.
public struct DocumentDatabase: Sendable {
    let store: DocumentStore
    public let name: String

    /// The collection; it comes into being with `createCollection`, its first document or its first index.
    public func collection(_ name: String) -> DocumentCollection {
        DocumentCollection(store: store, namespace: Namespace(database: self.name, collection: name))
    }

    /// Makes a collection. Atomic: after a crash it is there whole or not at all.
    /// - Throws: 48 (NamespaceExists), 73 for a bad name, and what the validator is refused for.
    @discardableResult
    public func createCollection(
        _ name: String, options: CollectionOptions = CollectionOptions(), durability: Durability = .buffered
    ) throws -> DocumentCollection {
        let collection = collection(name)
        try store.createCollection(collection.namespace, options, durability, failsIfPresent: true)
        return collection
    }

    /// Changes the validator, its level or its action. Documents that are there already are not checked.
    /// - Throws: 26 (NamespaceNotFound), and what the validator is refused for.
    public func collMod(
        _ name: String, _ modification: CollectionModification, durability: Durability = .buffered
    ) throws {
        let namespace = collection(name).namespace
        try store.modifyCollection(namespace, modification, durability)
    }

    /// Drops a collection with its documents and indexes, durably; nothing happens if there is none.
    public func dropCollection(_ name: String) throws {
        try store.dropCollection(collection(name).namespace)
    }

    /// The database's collections by name.
    public func listCollections() -> [CollectionInfo] {
        store.states.filter { $0.namespace.database == name }
            .map { CollectionInfo(name: $0.namespace.collection, options: $0.options) }
    }
}

extension DocumentStore {
    /// Makes the collection, or finds it there where that is no failure.
    func createCollection(
        _ namespace: Namespace, _ options: CollectionOptions, _ durability: Durability, failsIfPresent: Bool
    ) throws {
        try withSchemaLock {
            guard state(namespace) == nil else {
                guard failsIfPresent else { return }
                throw DocumentError(.namespaceExists, "Collection already exists. NS: \(namespace)")
            }
            try namespace.check()
            _ = try options.compiled()
            let records = try freshKeyspace(namespace.recordsKeyspace)
            let specification = try IndexSpecification.identity()
            let keyspace = try freshKeyspace(namespace.indexKeyspace(0))
            try storage.write(durability) { transaction in
                let identity = Index(
                    specification, keyspace: keyspace, id: 0, readySequence: transaction.sequence, isMultikey: false)
                let state = try CollectionState(
                    namespace: namespace, options: options, records: records, indexes: [identity], nextIndexID: 1,
                    recordIDs: RecordIDAllocator())
                try publish(state, in: transaction)
            }
        }
    }

    /// The keyspace, empty: what a crash between the catalog and a drop left behind goes first.
    func freshKeyspace(_ name: String) throws -> Keyspace {
        if storage.existingKeyspace(name) != nil { try storage.dropKeyspace(name) }
        return try storage.keyspace(name)
    }

    func modifyCollection(
        _ namespace: Namespace, _ modification: CollectionModification, _ durability: Durability
    ) throws {
        try withSchemaLock {
            guard let current = state(namespace) else {
                throw DocumentError(.namespaceNotFound, "ns does not exist: \(namespace)")
            }
            var options = current.options
            if let validator = modification.validator { options.validator = validator.isEmpty ? nil : validator }
            if let level = modification.validationLevel { options.validationLevel = level }
            if let action = modification.validationAction { options.validationAction = action }
            let changed = try current.with(options: options)
            try storage.write(durability) { try publish(changed, in: $0) }
        }
    }

    func dropCollection(_ namespace: Namespace) throws {
        try withSchemaLock {
            guard let current = state(namespace) else { return }
            // Keyspaces go at once and for good; a crash must not bring back the catalog entry without them.
            try storage.write(.synced) { try unpublish(namespace, in: $0) }
            for index in current.indexes { try storage.dropKeyspace(index.keyspace.name) }
            try storage.dropKeyspace(current.records.name)
        }
    }
}
