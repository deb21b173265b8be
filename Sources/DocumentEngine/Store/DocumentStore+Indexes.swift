// DocumentStore+Indexes.swift — building and dropping indexes.
//
// A build has three steps, each a commit of its own: the index enters the catalog and writers maintain it; chunks of
// records are added in the order of their numbers; the index becomes ready. Adding an entry twice changes nothing, so a
// build that a crash cut short starts again at the first record.

internal import Logging

extension DocumentStore {
    static let maximumIndexCount = 64
    private static let buildChunkCount = 512

    func createIndex(_ specification: IndexSpecification, on namespace: Namespace, _ durability: Durability) throws {
        try withSchemaLock {
            guard let current = state(namespace) else {
                throw DocumentError(.namespaceNotFound, "ns does not exist: \(namespace)")
            }
            guard try !isPresent(specification, in: current) else { return }
            let keyspace = try freshKeyspace(namespace.indexKeyspace(current.nextIndexID))
            let index = Index(
                specification, keyspace: keyspace, id: current.nextIndexID, readySequence: nil, isMultikey: false)
            let building = try current.with(indexes: current.indexes + [index], nextIndexID: index.id + 1)
            try storage.write(durability) { try publish(building, in: $0) }
            try finishBuild(of: index, in: building, durability)
        }
    }

    /// Whether the index exists already.
    /// - Throws: 85 and 86 for an index in its way, 67 beyond 64 indexes.
    private func isPresent(_ specification: IndexSpecification, in state: CollectionState) throws(DocumentError) -> Bool
    {
        for existing in state.indexes.map(\.specification) {
            let isSame = specification.isIdentity || existing.isEquivalent(to: specification)
            if existing.name == specification.name {
                guard isSame else { throw nameConflict(specification, existing) }
                return true
            }
            if isSame {
                throw DocumentError(
                    .indexOptionsConflict, "Index already exists with a different name: \(existing.name)")
            }
        }
        guard state.indexes.count < Self.maximumIndexCount, state.nextIndexID < .max else {
            throw DocumentError(
                .cannotCreateIndex,
                "add index fails, too many indexes for \(state.namespace) key:"
                    + specification.keyPattern.shellText)
        }
        return false
    }

    private func nameConflict(_ requested: IndexSpecification, _ existing: IndexSpecification) -> DocumentError {
        DocumentError(
            .indexKeySpecsConflict,
            "An existing index has the same name as the requested index. When index names are not specified, they are "
                + "auto generated and can cause conflicts. Please refer to our documentation. Requested index: "
                + "\(requested.document.shellText), existing index: \(existing.document.shellText)")
    }

    private func finishBuild(of index: Index, in state: CollectionState, _ durability: Durability) throws {
        do {
            var next: RecordID? = RecordID(rawValue: 0)
            while let first = next {
                next = try storage.write(durability) { try addChunk(to: index, in: state, from: first, $0) }
            }
        } catch {
            try remove(index, from: state.namespace)
            throw error
        }
        try storage.write(durability) { transaction in
            guard let current = self.state(state.namespace) else { return }
            let indexes = current.indexes.map { $0 === index ? $0.ready(at: transaction.sequence) : $0 }
            try publish(current.with(indexes: indexes), in: transaction)
        }
    }

    /// Adds the entries of the next records; gives the record to go on with, `nil` at the end.
    private func addChunk(
        to index: Index, in state: CollectionState, from first: RecordID, _ transaction: WriteTransaction
    ) throws -> RecordID? {
        let writer = CollectionWriter(
            store: self, state: state, transaction: transaction, bypassesValidation: true)
        var cursor = try transaction.cursor(state.records, KeyRange(lower: first.bytes))
        try cursor.seekToFirst()
        for _ in 0..<Self.buildChunkCount {
            guard cursor.isValid else { return nil }
            guard let record = RecordID(cursor.key) else {
                throw StorageError.corruption("Keyspace '\(state.records.name)' holds a key that is no record number.")
            }
            try writer.addExisting(Document(trusted: cursor.value.array()), record, to: index)
            try cursor.next()
        }
        return cursor.isValid ? RecordID(cursor.key) : nil
    }

    // Synced: the keyspace goes at once and for good, and a crash must not bring back the catalog entry without it.
    private func remove(_ index: Index, from namespace: Namespace) throws {
        try storage.write(.synced) { transaction in
            guard let current = state(namespace) else { return }
            try publish(current.with(indexes: current.indexes.filter { $0.id != index.id }), in: transaction)
            let marker = CollectionCatalog.multikeyKey(namespace, index.id)
            try transaction.delete(catalog, marker.rawSpan)
        }
        try storage.dropKeyspace(index.keyspace.name)
    }

    func dropIndex(named name: String, on namespace: Namespace) throws {
        try withSchemaLock {
            guard let current = state(namespace) else {
                throw DocumentError(.namespaceNotFound, "ns not found \(namespace)")
            }
            guard let index = current.index(named: name) else {
                throw DocumentError(.indexNotFound, "index not found with name [\(name)]")
            }
            guard !index.specification.isIdentity else {
                throw DocumentError(.invalidOptions, "cannot drop _id index")
            }
            try remove(index, from: namespace)
        }
    }

    /// Completes what a crash interrupted. A unique index that can't be completed is dropped and logged.
    func finishInterruptedBuilds() throws {
        for state in states {
            for index in state.indexes where index.readySequence == nil {
                do {
                    try finishBuild(of: index, in: state, .buffered)
                } catch let error as DocumentError {
                    logger.error(
                        "An interrupted index build could not be finished; the index was dropped",
                        metadata: ["namespace": "\(state.namespace)", "index": "\(index.name)", "error": "\(error)"])
                }
            }
        }
    }
}

extension CollectionWriter {
    /// Adds the entries of a document that is in the collection already to an index under construction.
    func addExisting(_ document: Document, _ record: RecordID, to index: Index) throws {
        let keys = try index.specification.keys(of: document.view)
        if index.specification.isUnique {
            for key in keys.keys {
                let holder = try transaction.withValue(index.keyspace, key.rawSpan) { RecordID($0) } ?? nil
                if let holder, holder != record { throw duplicateKey(index, key, document) }
            }
        }
        try add(keys.keys, keys.isMultikey, record, to: index)
    }
}
